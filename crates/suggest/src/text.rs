//! From what people type to words that can be compared: folded, typed, stemmed.

use std::ops::Range;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::typed;

/// Lower case without accents: what `São`, `SAO` and `sao` have in common.
pub(crate) fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Where the words of `text` are: letters and digits in a row, with the marks that belong to them.
pub(crate) fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_alphanumeric() || is_combining_mark(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

/// The words of a text for comparing: folded, and one token for each kind of number or address.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut done = 0;
    for (range, kind) in typed::stretches(text) {
        plain_words(&text[done..range.start], &mut words);
        words.push(kind.token().to_owned());
        done = range.end;
    }
    plain_words(&text[done..], &mut words);
    words
}

fn plain_words(text: &str, into: &mut Vec<String>) {
    let folded = fold(text);
    into.extend(word_ranges(&folded).into_iter().map(|range| folded[range].to_owned()));
}

/// The language whose endings a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Portuguese,
    Spanish,
    Indonesian,
}

/// Short words that give a language away, folded. A word of two languages stands with neither.
const ENGLISH: &[&str] = &[
    "the", "is", "my", "i", "to", "what", "how", "can", "you", "it", "and", "for", "of", "do", "does",
    "when", "why", "was", "are", "have", "not", "with", "this", "that", "in", "on", "your", "where", "t",
    "did", "be",
];
const PORTUGUESE: &[&str] = &[
    "o", "nao", "voces", "voce", "meu", "minha", "um", "uma", "em", "os", "quanto", "qual", "tem", "pra",
    "eu", "fazer", "esta", "muito", "com", "isso", "ja", "ainda", "quero", "posso", "dia", "obrigado",
    "obrigada", "sao", "pelo", "pela", "ao", "do", "da", "no", "na", "foi", "onde",
];
const SPANISH: &[&str] = &[
    "el", "los", "las", "una", "mi", "es", "y", "hola", "cuanto", "cual", "donde", "puedo", "tengo", "hay",
    "muy", "gracias", "del", "lo", "al", "quiero", "pero", "usted", "ustedes", "cuando", "esta", "un", "en",
    "con",
];
const INDONESIAN: &[&str] = &[
    "saya",
    "yang",
    "apa",
    "apakah",
    "bisa",
    "di",
    "ini",
    "itu",
    "tidak",
    "ada",
    "kak",
    "untuk",
    "sudah",
    "belum",
    "dan",
    "kapan",
    "berapa",
    "ke",
    "dari",
    "mau",
    "aku",
    "gak",
    "nggak",
    "ga",
    "bagaimana",
    "gimana",
    "kenapa",
    "dengan",
    "boleh",
    "min",
    "pak",
    "bu",
    "kok",
    "nya",
    "sih",
    "dong",
    "ya",
    "mana",
    "kamu",
    "akan",
    "lagi",
];

/// The language of folded words: the one with most of its short words among them; English when none is.
pub(crate) fn language(words: &[String]) -> Language {
    let count = |list: &[&str]| words.iter().filter(|word| list.contains(&word.as_str())).count();
    let counted = [
        (count(ENGLISH), Language::English),
        (count(PORTUGUESE), Language::Portuguese),
        (count(SPANISH), Language::Spanish),
        (count(INDONESIAN), Language::Indonesian),
    ];
    // The first of equals: `max_by_key` would take the last.
    counted
        .into_iter()
        .rev()
        .max_by_key(|(count, _)| *count)
        .map_or(Language::English, |(_, language)| language)
}

static ENGLISH_STEMS: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));
static PORTUGUESE_STEMS: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::Portuguese));
static SPANISH_STEMS: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::Spanish));

/// The stems of folded words, as the index keeps them.
pub(crate) fn stems(words: &[String]) -> Vec<String> {
    let language = language(words);
    words.iter().map(|word| if word.starts_with('<') { word.clone() } else { stem(word, language) }).collect()
}

fn stem(word: &str, language: Language) -> String {
    match language {
        Language::English => ENGLISH_STEMS.stem(word).into_owned(),
        Language::Portuguese => PORTUGUESE_STEMS.stem(word).into_owned(),
        Language::Spanish => SPANISH_STEMS.stem(word).into_owned(),
        Language::Indonesian => indonesian_stem(word).to_owned(),
    }
}

/// Takes off what stands behind an Indonesian word. What stands before it changes the word's first sound; that is left
/// to the runs of letters.
fn indonesian_stem(word: &str) -> &str {
    let mut stem = word;
    for endings in [&["lah", "kah", "pun"][..], &["nya", "ku", "mu"], &["kan"]] {
        if let Some(shorter) = endings.iter().find_map(|ending| stem.strip_suffix(ending))
            && shorter.len() >= 4
        {
            stem = shorter;
        }
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_composition_make_no_difference() {
        assert_eq!(fold("São"), "sao");
        assert_eq!(fold("SA\u{303}O"), "sao");
        assert_eq!(words("Não, OBRIGADO!"), words("nao obrigado"));
    }

    #[test]
    fn numbers_and_addresses_are_one_word_for_each_kind() {
        assert_eq!(words("Custa R$ 20?"), ["custa", "<money>"]);
        assert_eq!(words("order #12A please"), ["order", "<code>", "please"]);
    }

    #[test]
    fn the_language_is_seen_in_the_short_words() {
        let of = |text| language(&words(text));
        assert_eq!(of("where is my card"), Language::English);
        assert_eq!(of("quanto custa o frete"), Language::Portuguese);
        assert_eq!(of("¿dónde está mi tarjeta?"), Language::Spanish);
        assert_eq!(of("apakah kamar ini sudah ada wifi"), Language::Indonesian);
        assert_eq!(of("check-in"), Language::English);
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        assert_eq!(stems(&words("the cards")), stems(&words("the card")));
        assert_eq!(indonesian_stem("pesanannya"), indonesian_stem("pesanan"));
        assert_eq!(indonesian_stem("bukan"), "bukan");
    }
}
