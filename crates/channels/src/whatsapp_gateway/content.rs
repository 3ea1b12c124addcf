//! What a message says, in our words.

use frontdesk_model::RemoteId;
use frontdesk_model::content::{
    Choice, ContactCard, Content, Labelled, Location, MediaKind, MediaRef, Payload, SystemNotice,
};
use frontdesk_model::message::MessageKind;
use frontdesk_whatsapp_gateway_client::webhook::{Card, File, Message, Place};

use crate::vcard;

/// What a message says that is no news about another one.
pub(super) fn read(message: &Message, thread: &str) -> Content {
    let kind = message.kind.as_str();
    let file = |kind| file_of(kind, message, thread);
    match kind {
        "text" | "chat" | "conversation" | "extended_text" | "extendedtextmessage" => match &message.file {
            // Some name the kind of what is beside the words nowhere else.
            Some(beside) => file(kind_by_type(beside)),
            None => Content::text(message.text.clone().unwrap_or_default()),
        },
        "image" | "imagemessage" => file(MediaKind::Image),
        "video" | "videomessage" | "ptv" | "gif" => file(MediaKind::Video),
        "voice" | "ptt" => file(MediaKind::Voice),
        "audio" | "audiomessage" => file(MediaKind::Audio),
        "document" | "file" | "documentmessage" => file(MediaKind::Document),
        "sticker" | "stickermessage" => file(MediaKind::Sticker),
        "location" | "live_location" | "locationmessage" => location(message.place.as_ref()),
        "contact" | "contacts" | "vcard" | "contactmessage" => contacts(&message.cards),
        "button_reply" | "button" | "buttons_response" => choice(MessageKind::ButtonReply, message),
        "list_reply" | "list" | "list_response" => choice(MessageKind::ListReply, message),
        "call" => {
            let notice = SystemNotice { kind: "call".to_owned(), body: None };
            let text = words(message).or_else(|| Some("Call".to_owned()));
            Content::of(MessageKind::Call, text, Payload { system: Some(notice), ..Payload::default() })
        }
        // Whatever else has words can be read.
        _ => match (words(message), &message.file) {
            (_, Some(beside)) => file(kind_by_type(beside)),
            (Some(text), None) => Content::text(text),
            (None, None) => Content::unsupported(short(kind), None),
        },
    }
}

/// The words, without what servers put where there are none: `[image]`.
pub(super) fn words(message: &Message) -> Option<String> {
    let stand_in = format!("[{}]", message.kind);
    message.text.clone().filter(|text| !text.is_empty() && *text != stand_in)
}

/// A server's word as far as it is shown: whoever writes it chooses its length.
pub(super) fn short(word: &str) -> &str {
    word.char_indices().nth(200).map_or(word, |(end, _)| &word[..end])
}

fn kind_by_type(file: &File) -> MediaKind {
    MediaKind::of_mime(file.mime_type.as_deref().unwrap_or_default())
}

/// A file by its address; where that lacks or no longer works, by its message, whose chat has another one.
fn file_of(kind: MediaKind, message: &Message, thread: &str) -> Content {
    let file = message.file.clone().unwrap_or_default();
    let chat = message.chat.as_deref().unwrap_or(thread);
    let media = MediaRef {
        kind,
        remote_id: Some(RemoteId::within(&message.id, chat).0),
        url: file.url,
        mime_type: file.mime_type,
        file_name: file.file_name,
        sha256: file.sha256,
    };
    Content {
        kind: kind.message_kind(),
        text: words(message),
        payload: Payload::default(),
        media: vec![media],
    }
}

fn location(place: Option<&Place>) -> Content {
    let Some(place) = place else {
        return Content::unsupported("location", Some("The server passes on no place.".to_owned()));
    };
    let (name, address) = (place.name.clone(), place.address.clone());
    let text = name.clone().or_else(|| address.clone());
    let location =
        Some(Location { latitude: place.latitude, longitude: place.longitude, name, address, url: None });
    Content::of(MessageKind::Location, text, Payload { location, ..Payload::default() })
}

fn contacts(cards: &[Card]) -> Content {
    let contacts: Vec<ContactCard> = cards.iter().map(card).collect();
    if contacts.is_empty() {
        return Content::unsupported("contacts", Some("The server passes on no card.".to_owned()));
    }
    let names: Vec<&str> = contacts.iter().map(|c| c.name.as_str()).filter(|n| !n.is_empty()).collect();
    let text = (!names.is_empty()).then(|| names.join(", "));
    Content::of(MessageKind::Contacts, text, Payload { contacts, ..Payload::default() })
}

fn card(card: &Card) -> ContactCard {
    let vcard = card.vcard.as_deref().unwrap_or_default();
    let labelled = |value| Labelled { value, label: None };
    let listed = |told: &[String], property| -> Vec<Labelled> {
        match told {
            [] => vcard::values(vcard, property).map(labelled).collect(),
            told => told.iter().cloned().map(labelled).collect(),
        }
    };
    let phones = listed(&card.phones, "TEL");
    let name = card.name.clone().or_else(|| vcard::values(vcard, "FN").next());
    ContactCard {
        name: name.or_else(|| phones.first().map(|phone| phone.value.clone())).unwrap_or_default(),
        phones,
        emails: listed(&card.emails, "EMAIL"),
        organization: vcard::values(vcard, "ORG")
            .next()
            .map(|company| company.trim_end_matches(';').to_owned()),
    }
}

fn choice(kind: MessageKind, message: &Message) -> Content {
    let (id, title) = match &message.choice {
        Some((id, title)) => (id.clone(), title.clone()),
        None => (None, words(message).unwrap_or_default()),
    };
    let text = Some(title.clone()).filter(|title| !title.is_empty());
    let reply = Some(Choice { id, title, description: None });
    Content::of(kind, text, Payload { reply, ..Payload::default() })
}
