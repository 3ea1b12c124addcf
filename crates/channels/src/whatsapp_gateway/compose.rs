//! One message of ours as a gateway wants it written. Pure; what it cannot carry is refused here.

use frontdesk_model::contact::IdentityKind;
use frontdesk_model::content::{ContactCard, Labelled, Location, MediaKind};
use frontdesk_model::outbound::{OutboundMedia, Recipient};
use frontdesk_whatsapp_gateway_client::calls::{Card, FileKind, Place};

use super::errors::cannot_carry;
use super::{CAPABILITIES, people};
use crate::contract::SendError;

/// Whom a message goes to: the number, digits only; where none is known, what the gateway calls them.
pub(super) fn phone(to: &Recipient) -> String {
    // A group or a hidden number is its thread, whatever else is known of the contact.
    if to.thread.contains('@') && people::number(&to.thread).is_none() {
        return to.thread.clone();
    }
    let known = to.identity(IdentityKind::Phone).and_then(people::number);
    known.or_else(|| people::number(&to.thread)).unwrap_or(&to.thread).to_owned()
}

pub(super) fn check_text(what: &str, text: &str, max: usize) -> Result<(), SendError> {
    match text.chars().count() {
        0 => Err(cannot_carry(format!("{what} cannot be empty on WhatsApp."))),
        count if count > max => Err(cannot_carry(format!(
            "{what} can have at most {max} characters on WhatsApp; this has {count}."
        ))),
        _ => Ok(()),
    }
}

/// How a file is sent; refuses what can be known before it is read.
pub(super) fn file_kind(media: &OutboundMedia) -> Result<FileKind, SendError> {
    let kind = match media.kind {
        MediaKind::Image => FileKind::Image,
        MediaKind::Video => FileKind::Video,
        MediaKind::Audio | MediaKind::Voice => FileKind::Audio,
        MediaKind::Document => FileKind::Document,
        MediaKind::Sticker => {
            return Err(cannot_carry("Stickers cannot be sent through a gateway; send a picture."));
        }
    };
    match (kind, media.caption.as_deref()) {
        (_, None) => Ok(kind),
        (FileKind::Audio, Some(_)) => {
            Err(cannot_carry("WhatsApp takes no words beside audio: send them as a message of their own."))
        }
        (_, Some(caption)) => check_text("A caption", caption, CAPABILITIES.caption_max).map(|()| kind),
    }
}

pub(super) fn place(place: &Location) -> Place<'_> {
    Place {
        latitude: place.latitude,
        longitude: place.longitude,
        name: place.name.as_deref(),
        address: place.address.as_deref(),
    }
}

pub(super) fn cards(cards: &[ContactCard]) -> Result<Vec<Card>, SendError> {
    let values = |of: &[Labelled]| of.iter().map(|labelled| labelled.value.clone()).collect::<Vec<_>>();
    let cards: Vec<Card> = cards
        .iter()
        .map(|card| Card {
            name: card.name.clone(),
            phones: values(&card.phones),
            emails: values(&card.emails),
            organization: card.organization.clone(),
        })
        .collect();
    let is_empty = |card: &Card| card.name.trim().is_empty() || card.phones.is_empty();
    if cards.is_empty() || cards.iter().any(is_empty) {
        return Err(cannot_carry("A contact card needs a name and a phone number."));
    }
    Ok(cards)
}

#[cfg(test)]
mod tests {
    use frontdesk_model::contact::Identity;

    use super::*;

    #[test]
    fn a_message_goes_to_the_number_or_to_the_chat_that_has_none() {
        let phone_of = |thread: &str, known: Option<&str>| {
            let identities = known.and_then(Identity::phone).into_iter().collect();
            phone(&Recipient { thread: thread.to_owned(), identities })
        };
        for (thread, known, expected) in [
            ("6282119499306", Some("+6282119499306"), "6282119499306"),
            ("+6282119499306", None, "6282119499306"),
            // Another number since then.
            ("6282119499306", Some("+6282119499307"), "6282119499307"),
            ("120650379300963@lid", Some("+6282119499306"), "120650379300963@lid"),
            ("120363000000000001@g.us", None, "120363000000000001@g.us"),
        ] {
            assert_eq!(phone_of(thread, known), expected, "{thread} {known:?}");
        }
    }
}
