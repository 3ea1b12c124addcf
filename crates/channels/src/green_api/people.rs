//! Who a message is from: a person by number, by WhatsApp's private id, or by both; or a group.

use frontdesk_green_api_client::webhook::SenderData;
use frontdesk_green_api_client::{ChatId, ChatKind};
use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};

/// The longest name that is taken over, in characters.
const MAX_NAME: usize = 255;
/// A longer id is none: it would be kept once more with each message.
const MAX_ID_BYTES: usize = 255;

/// The other side of a thread.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) hint: ContactHint,
    /// The chat, as Green API writes it.
    pub(super) thread: String,
    /// Who of a group wrote.
    pub(super) author: Option<String>,
}

/// Who wrote to us.
pub(super) fn sender(data: &SenderData) -> Option<Party> {
    let chat = chat(data.chat_id.as_deref().or(data.sender.as_deref())?)?;
    let known = || first_name([&data.sender_contact_name, &data.sender_name]);
    if chat.kind() == ChatKind::Group {
        let author = known().or_else(|| Some(format!("+{}", number_of(data)?)));
        return Some(Party { author, ..group(chat, first_name([&data.chat_name])) });
    }
    let other = data.sender.as_deref().and_then(self::chat);
    let phone = data.sender_phone_number.as_deref().and_then(Identity::phone);
    let mut identities = identities(&chat);
    let more = other.iter().flat_map(self::identities).chain(phone);
    identities.extend(more);
    Some(Party {
        hint: ContactHint {
            identities: unique(identities),
            name: known().or_else(|| first_name([&data.chat_name])),
        },
        thread: chat.as_str().to_owned(),
        author: None,
    })
}

/// To whom our side wrote; the names beside it are our own.
pub(super) fn receiver(data: &SenderData) -> Option<Party> {
    let chat = chat(data.chat_id.as_deref()?)?;
    let name = first_name([&data.chat_name]);
    if chat.kind() == ChatKind::Group {
        return Some(group(chat, name));
    }
    let identities = identities(&chat);
    Some(Party { hint: ContactHint { identities, name }, thread: chat.as_str().to_owned(), author: None })
}

/// A person who is named by a chat id alone.
pub(super) fn named(chat_id: &str) -> Option<Party> {
    let chat = chat(chat_id)?;
    let hint = ContactHint { identities: identities(&chat), name: None };
    Some(Party { hint, thread: chat.as_str().to_owned(), author: None })
}

/// A group is one contact, under its own id.
fn group(chat: ChatId, name: Option<String>) -> Party {
    let identities = identities(&chat);
    Party { hint: ContactHint { identities, name }, thread: chat.as_str().to_owned(), author: None }
}

/// A chat with somebody; `None` for status chats and everything else nobody is behind.
fn chat(id: &str) -> Option<ChatId> {
    let chat = ChatId::new(id);
    (id.len() <= MAX_ID_BYTES && chat.kind() != ChatKind::Other).then_some(chat)
}

/// The names a chat id stands for.
pub(super) fn identities(chat: &ChatId) -> Vec<Identity> {
    let of_number = chat.phone().and_then(Identity::phone);
    let of_id = || Identity::new(IdentityKind::Lid, chat.as_str());
    vec![of_number.unwrap_or_else(of_id)]
}

fn unique(mut identities: Vec<Identity>) -> Vec<Identity> {
    let mut met = Vec::new();
    identities.retain(|identity| {
        let new = !met.contains(identity);
        met.push(identity.clone());
        new
    });
    identities
}

fn number_of(data: &SenderData) -> Option<String> {
    let sender = data.sender.as_deref().map(ChatId::new);
    data.sender_phone_number.clone().or_else(|| sender?.phone().map(str::to_owned))
}

/// The first of several names that is one: a chat without a name is named by its number.
fn first_name<'n>(names: impl IntoIterator<Item = &'n Option<String>>) -> Option<String> {
    let is_name = |name: &&str| !name.is_empty() && name.chars().any(char::is_alphabetic);
    let name = names.into_iter().flatten().map(|name| name.trim()).find(is_name)?;
    Some(name.chars().take(MAX_NAME).collect())
}
