//! A person outside, and the names networks know them by.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::words! {
    /// What kind of name a network uses for a person.
    pub enum IdentityKind {
        /// A phone number in E.164 (`+6281390045512`); one number however it was written.
        Phone = "phone",
        /// WhatsApp's business-scoped user id.
        Bsuid = "bsuid",
        /// Messenger's page-scoped id.
        Psid = "psid",
        /// Instagram's scoped id.
        Igsid = "igsid",
        /// WhatsApp's own id, as linked phones see it: of a person whose number is hidden (`…@lid`), of a group (`…@g.us`).
        Lid = "lid",
        /// A contact of Chatwoot.
        Chatwoot = "chatwoot",
    }
}

/// One name of a person on a network.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// What kind of name.
    pub kind: IdentityKind,
    /// The name itself; a phone in E.164, everything else as the provider wrote it.
    pub value: String,
}

impl Identity {
    /// An identity that is not a phone.
    pub fn new(kind: IdentityKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }

    /// A phone identity from digits as WhatsApp writes them (`6281390045512`), or from any notation with a plus.
    /// `None` when there are no usable digits.
    pub fn phone(text: &str) -> Option<Self> {
        parse_phone(text).map(|value| Self { kind: IdentityKind::Phone, value })
    }
}

/// Reads a phone number with its country code, however written, into E.164 (`+` and at most 15 digits).
///
/// WhatsApp still uses older forms for Brazil (without the ninth digit), Argentina and Mexico (a `9` or `1`
/// after the country code); these are folded so that one phone stays one person.
pub fn parse_phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    if !(5..=15).contains(&digits.len()) || digits.starts_with('0') {
        return None;
    }
    Some(format!("+{}", fold_national_quirks(digits)))
}

/// [`parse_phone`] for people of one country: a number with a single leading zero gets `calling_code` in its place.
pub fn parse_phone_at_home(text: &str, calling_code: Option<&str>) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_national = !text.contains('+') && digits.starts_with('0') && !digits.starts_with("00");
    match calling_code.filter(|_| is_national) {
        Some(code) => parse_phone(&format!("{code}{}", &digits[1..])),
        None => parse_phone(text),
    }
}

/// Brings the two ways of writing a Brazilian, Argentine or Mexican mobile number to one.
fn fold_national_quirks(digits: &str) -> String {
    // Brazil: 55 + area (2) + 8 digits starting 6-9 is a mobile number without its ninth digit.
    if digits.len() == 12 && digits.starts_with("55") && matches!(digits.as_bytes()[4], b'6'..=b'9') {
        return format!("{}9{}", &digits[..4], &digits[4..]);
    }
    // Argentina: 54 9 … and Mexico: 52 1 … carry a mobile marker inside WhatsApp only.
    if digits.len() == 13 && digits.starts_with("549") {
        return format!("54{}", &digits[3..]);
    }
    if digits.len() == 13 && digits.starts_with("521") {
        return format!("52{}", &digits[3..]);
    }
    digits.to_owned()
}

/// What an event tells about the person it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactHint {
    /// All names known from this event, strongest first.
    pub identities: Vec<Identity>,
    /// The profile name, when told.
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_phone_is_one_number_however_written() {
        for text in ["6281390045512", "+62 813-9004-5512", "0062 813 9004 5512"] {
            assert_eq!(parse_phone(text).as_deref(), Some("+6281390045512"), "{text}");
        }
        assert_eq!(parse_phone("551187650021"), parse_phone("5511987650021"));
        assert_eq!(parse_phone("5491123456789"), parse_phone("541123456789"));
        assert_eq!(parse_phone("5215512345678"), parse_phone("525512345678"));
    }

    #[test]
    fn at_home_a_zero_stands_for_the_country() {
        let at_home = |text| parse_phone_at_home(text, Some("62"));
        for text in ["0813-9004-5512", "+62 813-9004-5512", "6281390045512", "006281390045512"] {
            assert_eq!(at_home(text).as_deref(), Some("+6281390045512"), "{text}");
        }
        assert_eq!(parse_phone_at_home("0813-9004-5512", None), None);
        for text in ["", "0", "012", "+0813"] {
            assert_eq!(at_home(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "abc", "12", "0812345678", "1234567890123456"] {
            assert_eq!(parse_phone(text), None, "{text}");
        }
    }
}
