//! The static embedding table: for each word of many languages a point, near to those of words that mean the like.
//!
//! The file is made by `teach/teach.py` from a multilingual teacher and lies in the program as it is; nothing of it is
//! copied. Its layout, all numbers little-endian: `FDWT0001`; the number of words `n` and of dimensions `d` (u32 each);
//! `n` ends of words in the text that follows (u32); `n` scales (f32); `n` bytes of flags; `n`·`d` steps (i8); the words
//! themselves, folded, sorted by their bytes, without anything between them. A word's point is its steps times its scale;
//! its length is the word's weight, so that a text's point is the plain sum.

use wide::{f32x8, i8x16, i16x16, i32x8};

use crate::text::fold;

/// Dimensions of the table, and of every point made with it.
pub(crate) const DIMENSIONS: usize = 128;

const FILE: &[u8] = include_bytes!("../table/words.bin");
const MAGIC: &[u8; 8] = b"FDWT0001";
/// Beginnings shorter than this say nothing about a word that is not in the table.
const SHORTEST_BEGINNING: usize = 4;
/// Words of less weight hold sentences together.
const SMALL_WORD: f32 = 0.5;
/// Flag: a name of a person, place, month or make, mostly written with a capital.
const NAME: u8 = 1;

/// Where texts lie: a point of length one in steps of 1/127, or nothing when no word of the text is known.
pub(crate) type Point = [i8; DIMENSIONS];

/// Points added up, not yet of length one.
pub(crate) type Sum = [f32; DIMENSIONS];

/// What the table knows of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// An ordinary word.
    Word,
    /// A name of a person, a place, a month or a make.
    Name,
    /// Not in the table.
    Unknown,
}

/// The table of the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    ends: &'static [u8],
    scales: &'static [u8],
    flags: &'static [u8],
    steps: &'static [u8],
    words: &'static [u8],
}

impl Table {
    /// The table in the program. `None` when the file is not one: a build with a broken file, which the tests refuse.
    pub(crate) fn built_in() -> Option<Self> {
        Self::read(FILE)
    }

    fn read(file: &'static [u8]) -> Option<Self> {
        let rest = file.strip_prefix(MAGIC)?;
        let (n, rest) = rest.split_first_chunk::<4>()?;
        let (dimensions, rest) = rest.split_first_chunk::<4>()?;
        let n = usize::try_from(u32::from_le_bytes(*n)).ok()?;
        if usize::try_from(u32::from_le_bytes(*dimensions)).ok()? != DIMENSIONS {
            return None;
        }
        let (ends, rest) = rest.split_at_checked(n * 4)?;
        let (scales, rest) = rest.split_at_checked(n * 4)?;
        let (flags, rest) = rest.split_at_checked(n)?;
        let (steps, words) = rest.split_at_checked(n * DIMENSIONS)?;
        Some(Self { ends, scales, flags, steps, words })
    }

    fn len(&self) -> usize {
        self.flags.len()
    }

    fn end(&self, row: usize) -> usize {
        number(self.ends, row).map_or(0, |bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn word(&self, row: usize) -> &'static [u8] {
        let start = if row == 0 { 0 } else { self.end(row - 1) };
        self.words.get(start..self.end(row)).unwrap_or_default()
    }

    fn row(&self, word: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.word(middle).cmp(word.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// What is known of a word, however it is written.
    pub(crate) fn known(&self, word: &str) -> Known {
        match self.row(&fold(word)) {
            Some(row) if self.flags[row] & NAME != 0 => Known::Name,
            Some(_) => Known::Word,
            None => Known::Unknown,
        }
    }

    /// Whether a folded word is one of those that hold sentences together: common in every text, and so of little weight.
    pub(crate) fn is_small_word(&self, word: &str) -> bool {
        let Some(row) = self.row(word) else { return false };
        let scale = number(self.scales, row).map_or(0.0, f32::from_le_bytes);
        let steps = &self.steps[row * DIMENSIONS..(row + 1) * DIMENSIONS];
        let square: i32 = steps.iter().map(|step| i32::from(step.cast_signed()).pow(2)).sum();
        #[expect(clippy::cast_precision_loss, reason = "at most 128·127·127, which f32 holds exactly")]
        let weight = scale * (square as f32).sqrt();
        weight < SMALL_WORD
    }

    /// The row of a word, or of its longest beginning that is a word: endings cost little, and a typo at the end nothing.
    pub(crate) fn nearest_row(&self, word: &str) -> Option<u32> {
        let row = self.row(word).or_else(|| {
            word.char_indices()
                .rev()
                .map(|(at, _)| at)
                .take_while(|at| *at >= SHORTEST_BEGINNING)
                .find_map(|at| self.row(&word[..at]))
        })?;
        u32::try_from(row).ok()
    }

    /// The sum of the points of folded words, not yet of length one.
    pub(crate) fn sum(&self, words: &[String]) -> Sum {
        self.sum_of_rows(words.iter().filter_map(|word| self.nearest_row(word)))
    }

    /// The sum of the points that stand in these rows.
    pub(crate) fn sum_of_rows(&self, rows: impl Iterator<Item = u32>) -> Sum {
        let mut sum = [0.0; DIMENSIONS];
        for row in rows {
            let row = row as usize;
            let scale = number(self.scales, row).map_or(0.0, f32::from_le_bytes);
            let steps = &self.steps[row * DIMENSIONS..(row + 1) * DIMENSIONS];
            for (sum, step) in sum.iter_mut().zip(steps) {
                *sum += scale * f32::from(step.cast_signed());
            }
        }
        sum
    }
}

fn number(bytes: &[u8], row: usize) -> Option<[u8; 4]> {
    bytes.get(row * 4..row * 4 + 4)?.try_into().ok()
}

/// Two sums in one.
pub(crate) fn together(a: &Sum, b: &Sum) -> Sum {
    std::array::from_fn(|at| a[at] + b[at])
}

/// The product of two sums; of two of length one, their cosine.
pub(crate) fn dot(a: &Sum, b: &Sum) -> f32 {
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let products = a.iter().zip(b).map(|(a, b)| f32x8::new(*a) * f32x8::new(*b));
    products.fold(f32x8::ZERO, |all, some| all + some).reduce_add()
}

/// How long a sum is.
pub(crate) fn length(sum: &Sum) -> f32 {
    dot(sum, sum).sqrt()
}

/// A sum of points as a direction, in steps.
#[expect(clippy::cast_possible_truncation, reason = "a coordinate of a direction times 127 fits i8")]
pub(crate) fn direction(sum: &Sum) -> Point {
    let length = length(sum);
    if length < 1e-6 {
        return [0; DIMENSIONS];
    }
    sum.map(|x| (x / length * 127.0).round() as i8)
}

/// The cosine of two directions, about −1 to 1.
pub(crate) fn cosine(a: &Point, b: &Point) -> f32 {
    Asked::new(a).cosine(b)
}

/// A direction that many others are compared with: its steps lie as the processor multiplies them, sixteen at a time.
/// Written out, for a program that is built to be small gets no such loops from the compiler.
#[derive(Debug)]
pub(crate) struct Asked([i16x16; DIMENSIONS / 16]);

impl Asked {
    pub(crate) fn new(point: &Point) -> Self {
        let mut steps = [i16x16::ZERO; DIMENSIONS / 16];
        steps.iter_mut().zip(sixteens(point)).for_each(|(all, some)| *all = some);
        Self(steps)
    }

    /// As [`cosine`].
    #[expect(clippy::cast_precision_loss, reason = "at most 128·127·127, which f32 holds exactly")]
    pub(crate) fn cosine(&self, other: &Point) -> f32 {
        let products = self.0.iter().zip(sixteens(other)).map(|(a, b)| a.dot(b));
        products.fold(i32x8::ZERO, |all, some| all + some).reduce_add() as f32 / (127.0 * 127.0)
    }
}

fn sixteens(point: &Point) -> impl Iterator<Item = i16x16> {
    point.as_chunks::<16>().0.iter().map(|steps| i16x16::from_i8x16(i8x16::new(*steps)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    fn alike(a: &str, b: &str) -> f32 {
        let table = Table::built_in().unwrap();
        cosine(&direction(&table.sum(&words(a))), &direction(&table.sum(&words(b))))
    }

    #[test]
    fn the_file_is_whole_and_sorted() {
        let table = Table::built_in().unwrap();
        assert!(table.len() > 30_000, "{}", table.len());
        assert_eq!(table.end(table.len() - 1), table.words.len());
        assert!((1..table.len()).all(|row| table.word(row - 1) < table.word(row)));
        assert!(FILE.len() <= 10_000_000, "{}", FILE.len());
    }

    #[test]
    fn what_means_the_like_is_near_in_every_language() {
        assert!(alike("payment", "pagamento") > alike("payment", "kamar"));
        assert!(alike("habitacion", "room") > alike("habitacion", "payment"));
        assert!(alike("pengiriman", "delivery") > alike("pengiriman", "breakfast"));
    }

    #[test]
    fn names_are_told_from_words() {
        let table = Table::built_in().unwrap();
        for name in ["Maria", "JOÃO", "silva", "Jakarta"] {
            assert_eq!(table.known(name), Known::Name, "{name}");
        }
        for word in ["order", "pedido", "pesanan", "Obrigado", "quarto"] {
            assert_eq!(table.known(word), Known::Word, "{word}");
        }
        assert_eq!(table.known("xkjqplm"), Known::Unknown);
    }

    #[test]
    fn an_unknown_text_is_near_to_nothing() {
        assert_eq!(alike("zzzqx qqq", "room").to_bits(), 0.0_f32.to_bits());
    }
}
