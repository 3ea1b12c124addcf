//! One message of ours as Green API wants it written. Pure; what it cannot carry is refused here.
//!
//! Source: Green API's pages on sending, read 2026.

use frontdesk_green_api_client::methods::sending::{
    Contact, SendContact, SendFileByUrl, SendLocation, SendMessage, phone_number,
};
use frontdesk_green_api_client::{ChatId, ChatKind};
use frontdesk_model::contact::{Identity, IdentityKind};
use frontdesk_model::content::{ContactCard, Location, MediaKind};
use frontdesk_model::outbound::{OutboundMedia, OutboundMessage, Recipient};

use super::CAPABILITIES;
use super::errors::cannot_carry;
use crate::contract::SendError;

/// The chat with somebody. The thread is as Green API itself wrote it and wins while it is the contact's; after a change
/// of number the contact's new one does.
pub(super) fn chat(to: &Recipient) -> Result<ChatId, SendError> {
    let phone = to.identity(IdentityKind::Phone);
    let thread = ChatId::new(to.thread.as_str());
    let still_theirs = |digits: &str| {
        phone.is_none() || Identity::phone(digits).map(|identity| identity.value).as_deref() == phone
    };
    match thread.kind() {
        ChatKind::Group | ChatKind::Private => return Ok(thread),
        ChatKind::Person if thread.phone().is_some_and(still_theirs) => return Ok(thread),
        ChatKind::Person | ChatKind::Other => {}
    }
    let number = phone.or_else(|| thread.phone()).unwrap_or(&to.thread);
    ChatId::of_phone(number)
        .map_err(|_| cannot_carry("This contact has no phone number that WhatsApp could be written to."))
}

/// The message that this one answers, by the id Green API knows.
pub(super) fn quoted(message: &OutboundMessage) -> Option<String> {
    message.reply_to.as_ref().map(|id| id.as_written().to_owned())
}

pub(super) fn text(message: &OutboundMessage, body: &str) -> Result<SendMessage, SendError> {
    check_length("A text", body, CAPABILITIES.text_max.count)?;
    let chat_id = chat(&message.to)?;
    Ok(SendMessage { quoted_message_id: quoted(message), ..SendMessage::new(chat_id, body) })
}

fn check_length(what: &str, text: &str, max: usize) -> Result<(), SendError> {
    match text.chars().count() {
        0 => Err(cannot_carry(format!("{what} cannot be empty on WhatsApp."))),
        count if count > max => Err(cannot_carry(format!(
            "{what} can have at most {max} characters through Green API; this has {count}."
        ))),
        _ => Ok(()),
    }
}

/// Checks what can be known before a file is read.
pub(super) fn check_media(media: &OutboundMedia) -> Result<(), SendError> {
    match (media.kind, media.caption.as_deref()) {
        (MediaKind::Sticker, _) => Err(cannot_carry("Green API cannot send stickers; send a picture.")),
        (_, None) => Ok(()),
        (MediaKind::Audio | MediaKind::Voice, Some(_)) => {
            Err(cannot_carry("WhatsApp takes no words beside audio: send them as a message of their own."))
        }
        (_, Some(caption)) => check_length("A caption", caption, CAPABILITIES.caption_max),
    }
}

/// The ending of the name decides how WhatsApp shows a file: one without, or with another's, is given its own.
pub(super) fn file_name(media: &OutboundMedia) -> String {
    let mime = media.mime_type.split(';').next().unwrap_or_default().trim();
    let wanted = match (media.kind, mime) {
        (MediaKind::Image, "image/jpeg") => "jpg",
        (MediaKind::Image, "image/png") => "png",
        (MediaKind::Image, "image/gif") => "gif",
        (MediaKind::Image, "image/webp") => "webp",
        (MediaKind::Video, "video/3gpp") => "3gp",
        (MediaKind::Video, "video/quicktime") => "mov",
        (MediaKind::Video, _) => "mp4",
        (MediaKind::Voice, _) => "ogg",
        (MediaKind::Audio, "audio/ogg") => "ogg",
        (MediaKind::Audio, "audio/mp4" | "audio/aac") => "m4a",
        (MediaKind::Audio, _) => "mp3",
        _ => return media.file_name.clone(),
    };
    let same = |ending: &str| {
        let ending = ending.to_ascii_lowercase();
        ending == wanted
            || matches!((ending.as_str(), wanted), ("jpeg", "jpg") | ("oga", "ogg") | ("aac", "m4a"))
    };
    match media.file_name.rsplit_once('.') {
        Some((_, ending)) if same(ending) => media.file_name.clone(),
        _ => format!("{}.{wanted}", media.file_name),
    }
}

/// A file that Green API fetches by itself.
pub(super) fn file_by_url(
    message: &OutboundMessage,
    media: &OutboundMedia,
    url: &str,
) -> Result<SendFileByUrl, SendError> {
    let chat_id = chat(&message.to)?;
    Ok(SendFileByUrl {
        caption: media.caption.clone(),
        quoted_message_id: quoted(message),
        ..SendFileByUrl::new(chat_id, url, file_name(media))
    })
}

pub(super) fn location(message: &OutboundMessage, place: &Location) -> Result<SendLocation, SendError> {
    Ok(SendLocation {
        chat_id: chat(&message.to)?,
        name_location: place.name.clone(),
        address: place.address.clone(),
        latitude: place.latitude,
        longitude: place.longitude,
        quoted_message_id: quoted(message),
    })
}

/// One card: Green API sends one at a time, with one number.
pub(super) fn contact(message: &OutboundMessage, cards: &[ContactCard]) -> Result<SendContact, SendError> {
    let [card] = cards else {
        return Err(cannot_carry("Green API sends one contact card at a time."));
    };
    let phone = card.phones.iter().find_map(|phone| phone_number(&phone.value).ok());
    let phone_contact = phone.ok_or_else(|| {
        cannot_carry("The card needs a phone number with its country code, as +15550100009.")
    })?;
    if card.name.trim().is_empty() && card.organization.is_none() {
        return Err(cannot_carry("The card needs a name or a company."));
    }
    let (first, last) = match card.name.trim().split_once(' ') {
        Some((first, last)) => (first, Some(last.trim().to_owned())),
        None => (card.name.trim(), None),
    };
    Ok(SendContact {
        chat_id: chat(&message.to)?,
        contact: Contact {
            phone_contact,
            first_name: (!first.is_empty()).then(|| first.to_owned()),
            middle_name: None,
            last_name: last,
            company: card.organization.clone(),
        },
        quoted_message_id: quoted(message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(thread: &str, phone: Option<&str>) -> Recipient {
        Recipient {
            thread: thread.to_owned(),
            identities: phone.and_then(Identity::phone).into_iter().collect(),
        }
    }

    #[test]
    fn a_chat_is_as_green_api_writes_it_or_made_of_the_number() {
        let chat_of = |thread, phone| chat(&to(thread, phone)).map(|chat| chat.to_string()).ok();
        for (thread, phone, expected) in [
            ("15550100002@c.us", Some("+15550100002"), Some("15550100002@c.us")),
            ("15550100002@c.us", None, Some("15550100002@c.us")),
            // Another number since then.
            ("15550100002@c.us", Some("+15550100003"), Some("15550100003@c.us")),
            ("120650379300963@lid", Some("+15550100002"), Some("120650379300963@lid")),
            ("120363000000000001@g.us", None, Some("120363000000000001@g.us")),
            // A hotel writes first.
            ("+15550100002", Some("+15550100002"), Some("15550100002@c.us")),
            ("nobody", None, None),
        ] {
            assert_eq!(chat_of(thread, phone).as_deref(), expected, "{thread} {phone:?}");
        }
    }

    #[test]
    fn the_ending_of_a_name_is_that_of_the_kind() {
        let name = |kind, mime: &str, name: &str| {
            file_name(&OutboundMedia {
                kind,
                path: std::path::PathBuf::new(),
                url: None,
                mime_type: mime.to_owned(),
                file_name: name.to_owned(),
                size_bytes: 1,
                caption: None,
            })
        };
        assert_eq!(name(MediaKind::Image, "image/jpeg", "view.JPEG"), "view.JPEG");
        assert_eq!(name(MediaKind::Image, "image/jpeg", "view"), "view.jpg");
        assert_eq!(name(MediaKind::Voice, "audio/ogg; codecs=opus", "note.webm"), "note.webm.ogg");
        assert_eq!(name(MediaKind::Document, "application/pdf", "bill"), "bill");
    }
}
