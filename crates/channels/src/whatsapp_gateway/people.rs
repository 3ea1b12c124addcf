//! Who a message is from: a person by number, by WhatsApp's private id, or by both; or a group.

use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};
use frontdesk_whatsapp_gateway_client::webhook::Message;

/// The longest name that is taken over, in characters.
const MAX_NAME: usize = 255;
/// A longer id is none: it would be kept once more with each message.
const MAX_ID_BYTES: usize = 255;

/// The other side of a thread.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) hint: ContactHint,
    /// The number without its `+`, else the id the server has for them.
    pub(super) thread: String,
    /// Who of a group wrote.
    pub(super) author: Option<String>,
}

/// The other side of a message; `None` for status chats, broadcasts and whatever nobody is behind.
pub(super) fn of_message(message: &Message) -> Option<Party> {
    let group = [&message.chat, &message.to].into_iter().flatten().chain([&message.from]);
    let group = group.map(String::as_str).find(|id| id.ends_with("@g.us"));
    if let Some(group) = group {
        let author = named(message).or_else(|| {
            let writer = message.author.as_deref().unwrap_or(&message.from);
            Identity::phone(number(writer)?).map(|identity| identity.value)
        });
        return Some(Party { author, ..party(group, None)? });
    }
    let other = match message.from_me {
        true => message.to.as_deref().or(message.chat.as_deref())?,
        false => message.from.as_str(),
    };
    // What our own side is called says nothing about the customer.
    let name = if message.from_me { None } else { named(message) };
    let mut party = party(other, name)?;
    let phone = message.phone.as_deref().filter(|_| !message.from_me);
    if let Some(identity) = phone.and_then(number).and_then(Identity::phone)
        && !party.hint.identities.contains(&identity)
    {
        party.hint.identities.push(identity);
    }
    Some(party)
}

/// Somebody of whom nothing but an id is told.
pub(super) fn party(id: &str, name: Option<String>) -> Option<Party> {
    if id.len() > MAX_ID_BYTES || id.ends_with("@broadcast") || id.ends_with("@newsletter") {
        return None;
    }
    let (identity, thread) = match number(id).and_then(|digits| Some((Identity::phone(digits)?, digits))) {
        Some((phone, digits)) => (phone, digits.to_owned()),
        None => (Identity::new(IdentityKind::Lid, id), id.to_owned()),
    };
    Some(Party { hint: ContactHint { identities: vec![identity], name }, thread, author: None })
}

/// The digits of a number, or of the id WhatsApp makes of it: `62821…`, `+62821…`, `62821…:7@s.whatsapp.net`.
pub(super) fn number(id: &str) -> Option<&str> {
    let name = match id.split_once('@') {
        Some((name, "s.whatsapp.net" | "c.us")) => name.split_once(':').map_or(name, |(name, _device)| name),
        Some(_) => return None,
        None => id,
    };
    let digits = name.trim_start_matches('+');
    (digits.len() >= 5 && digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// What they call themselves: a chat without a name is named by its number.
fn named(message: &Message) -> Option<String> {
    let name = message.push_name.as_deref()?.trim();
    let is_name = !name.is_empty() && name.chars().any(char::is_alphabetic) && name != "Unknown";
    is_name.then(|| name.chars().take(MAX_NAME).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_thread_however_it_is_written() {
        for id in [
            "6282119499306",
            "+6282119499306",
            "6282119499306@s.whatsapp.net",
            "6282119499306:7@s.whatsapp.net",
        ] {
            let party = party(id, None).unwrap();
            assert_eq!(party.thread, "6282119499306");
            assert_eq!(party.hint.identities, [Identity::phone("6282119499306").unwrap()], "{id}");
        }
        let hidden = party("120650379300963@lid", None).unwrap();
        assert_eq!(hidden.hint.identities[0].kind, IdentityKind::Lid);
        assert!(party("status@broadcast", None).is_none());
    }
}
