//! Text as people compare it: without case and accents.

/// Lower case without the accents of Latin letters, so that `joao` finds `João`.
///
/// The same folding stands in PostgreSQL's `frontdesk_fold` (migration 0001); SQLite's search index folds by itself.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(fold_char).collect()
}

/// The accented letters folded, and what each becomes, position by position.
pub const ACCENTED: &str = "àáâãäåāăąçćčďèéêëēėęěìíîïīįıłñńňòóôõöøōőŕřśšşťùúûüūůűųýÿźžż";
/// See [`ACCENTED`].
pub const PLAIN: &str = "aaaaaaaaacccdeeeeeeeeiiiiiiilnnnoooooooorrssstuuuuuuuuyyzzz";

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    ACCENTED.chars().position(|a| a == c).and_then(|i| PLAIN.as_bytes().get(i)).map_or(c, |b| char::from(*b))
}

/// The first `max` characters of a text on one line, for previews.
pub fn preview(text: &str, max: usize) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(max) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_removes_case_and_accents() {
        assert_eq!(ACCENTED.chars().count(), PLAIN.len());
        assert_eq!(fold("João ÑANDÚ Çelik"), "joao nandu celik");
        assert_eq!(fold("漢字 😀"), "漢字 😀");
    }

    #[test]
    fn a_preview_is_one_line_and_never_cuts_a_character() {
        assert_eq!(preview("a\n b\tc", 10), "a b c");
        assert_eq!(preview("ééééé", 3), "ééé…");
    }
}
