//! Chat ids: `<digits>@c.us` a person, `<id>@g.us` a group, `<digits>@lid` a person whose number WhatsApp hides.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Digits of a number with its country code.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=16;

/// A chat id, as Green API writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatId(String);

/// What a chat id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatKind {
    /// `@c.us`: a person, by number.
    Person,
    /// `@g.us`: a group.
    Group,
    /// `@lid`: a person, by WhatsApp's private id. Their number: [`crate::GreenClient::get_contact_info`].
    Private,
    /// Anything else, as `status@broadcast`.
    Other,
}

/// The text is no telephone number with its country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number needs its country code and 7 to 16 digits")]
pub struct NotAPhone;

impl ChatId {
    /// An id as Green API wrote it; never made up.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The chat with the person of this number, in any spelling with country code: `+1 (555) 010-0002`, `0015550100002`.
    ///
    /// Errors: [`NotAPhone`].
    pub fn of_phone(phone: &str) -> Result<Self, NotAPhone> {
        Ok(Self(format!("{}@c.us", phone_digits(phone)?)))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it names.
    pub fn kind(&self) -> ChatKind {
        match self.0.rsplit_once('@').map(|(_, host)| host) {
            Some("c.us") => ChatKind::Person,
            Some("g.us") => ChatKind::Group,
            Some("lid") => ChatKind::Private,
            _ => ChatKind::Other,
        }
    }

    /// The person's number, digits only; `None` for everything that is not a person by number.
    pub fn phone(&self) -> Option<&str> {
        let digits = self.0.strip_suffix("@c.us")?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
    }
}

/// The digits of a number with country code: no `+`, no `00` in front, no punctuation.
pub(crate) fn phone_digits(phone: &str) -> Result<String, NotAPhone> {
    let punctuation = |c: char| c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/');
    let digits: String = phone.trim().chars().filter(|c| !punctuation(*c)).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    (whole && PHONE_DIGITS.contains(&digits.len())).then(|| digits.to_owned()).ok_or(NotAPhone)
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ChatId {
    type Err = NotAPhone;

    /// An id with its `@…`, or a number.
    fn from_str(text: &str) -> Result<Self, NotAPhone> {
        if text.contains('@') { Ok(Self::new(text.trim())) } else { Self::of_phone(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_any_spelling_is_one_chat() {
        for phone in ["+1 (555) 010-0002", "0015550100002", "15550100002", "1.555.010.0002"] {
            assert_eq!(ChatId::of_phone(phone).unwrap().as_str(), "15550100002@c.us", "{phone}");
        }
        for phone in ["", "123", "555-CALL-NOW", "0301234567", "12345678901234567", "15550100002@c.us"] {
            assert_eq!(ChatId::of_phone(phone), Err(NotAPhone), "{phone}");
        }
    }

    #[test]
    fn only_persons_have_a_number() {
        let kinds =
            ["15550100002@c.us", "120363000000000001@g.us", "120650379300963@lid", "status@broadcast"]
                .map(|id| (ChatId::new(id).kind(), ChatId::new(id).phone().map(str::to_owned)));
        assert_eq!(kinds[0], (ChatKind::Person, Some("15550100002".to_owned())));
        assert_eq!(
            kinds[1..].iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
            [ChatKind::Group, ChatKind::Private, ChatKind::Other]
        );
        assert!(kinds[1..].iter().all(|(_, phone)| phone.is_none()));
    }
}
