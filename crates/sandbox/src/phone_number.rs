//! One number however written: WhatsApp's own folding of countries where a digit comes and goes.

/// The digits of `written`, without `+`, spaces, brackets and dashes.
#[must_use]
pub fn digits(written: &str) -> String {
    written.chars().filter(char::is_ascii_digit).collect()
}

/// The key under which a number is found: Brazil's ninth digit, Argentina's 9 and Mexico's 1 are left out.
#[must_use]
pub fn folded(written: &str) -> String {
    let digits = digits(written);
    let without = |index: usize| format!("{}{}", &digits[..index], &digits[index + 1..]);
    match (digits.len(), digits.get(..2), digits.get(2..3), digits.get(4..5)) {
        (13, Some("55"), _, Some("9")) => without(4),
        (13, Some("54"), Some("9"), _) | (13, Some("52"), Some("1"), _) => without(2),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn digits_that_come_and_go_do_not_matter() {
        assert_eq!(folded("+55 (11) 98765-0021"), folded("551187650021"));
        assert_eq!(folded("5491122334455"), folded("541122334455"));
        assert_eq!(folded("5215512345678"), folded("525512345678"));
        assert_eq!(folded("+62 813-9004-5512"), "6281390045512");
    }
}
