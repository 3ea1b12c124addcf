//! What a message of Chatwoot holds, in our words.

use frontdesk_chatwoot_client::{Attachment, Message};
use frontdesk_model::content::{
    ContactCard, Content, Labelled, Link, Location, MediaKind, MediaRef, Payload,
};
use frontdesk_model::message::MessageKind;
use serde_json::Value;

/// Reads what a message holds: its words, its files, or the first of places, cards and links.
pub(super) fn read(message: &Message) -> Content {
    let text = message.content.clone().filter(|text| !text.trim().is_empty());
    let media: Vec<MediaRef> = message.attachments.iter().filter_map(file).collect();
    if let Some(first) = media.first() {
        return Content { kind: first.kind.message_kind(), text, payload: Payload::default(), media };
    }
    match message.attachments.iter().find_map(other) {
        Some((kind, payload)) => Content::of(kind, text, payload),
        None => match text {
            Some(text) => Content::text(text),
            None => {
                let kind = message.content_type.clone().unwrap_or_else(|| "empty".to_owned());
                Content::unsupported(kind, None)
            }
        },
    }
}

fn file(attachment: &Attachment) -> Option<MediaRef> {
    let url = attachment.data_url.clone().filter(|url| !url.is_empty())?;
    let mime_type = attachment.content_type.clone();
    let kind = match attachment.file_type.as_str() {
        "image" => MediaKind::Image,
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        "file" => mime_type.as_deref().map_or(MediaKind::Document, MediaKind::of_mime),
        _ => return None,
    };
    Some(MediaRef {
        kind,
        remote_id: None,
        file_name: name_of(&url),
        url: Some(url),
        mime_type,
        sha256: None,
    })
}

/// The last part of an address.
fn name_of(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(percent_decoded(name))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            _ => None,
        };
        let (byte, width) = decoded.map_or((*first, 1), |byte| (byte, 3));
        bytes.push(byte);
        rest = rest.get(width..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn other(attachment: &Attachment) -> Option<(MessageKind, Payload)> {
    let field = |name: &str| attachment.extra.get(name);
    let words =
        |name: &str| field(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    match attachment.file_type.as_str() {
        "location" => {
            let degrees = |name: &str| {
                field(name).and_then(|value| match value {
                    Value::String(text) => text.parse().ok(),
                    value => value.as_f64(),
                })
            };
            let place = Location {
                latitude: degrees("coordinates_lat")?,
                longitude: degrees("coordinates_long")?,
                name: words("fallback_title"),
                address: None,
                url: attachment.data_url.clone().filter(|url| !url.is_empty()),
            };
            Some((MessageKind::Location, Payload { location: Some(place), ..Payload::default() }))
        }
        "contact" => {
            let meta =
                |name: &str| field("meta").and_then(|meta| meta.get(name)?.as_str()).unwrap_or_default();
            let name = format!("{} {}", meta("firstName"), meta("lastName")).trim().to_owned();
            let phone = words("fallback_title").map(|value| Labelled { value, label: None });
            let card = ContactCard { name, phones: phone.into_iter().collect(), ..ContactCard::default() };
            Some((MessageKind::Contacts, Payload { contacts: vec![card], ..Payload::default() }))
        }
        kind => {
            let url = attachment.data_url.clone().filter(|url| !url.is_empty());
            let link = Link { id: None, url: Some(url?), title: words("fallback_title") };
            if kind == "story_mention" || kind == "ig_story" {
                return Some((
                    MessageKind::StoryMention,
                    Payload { story: Some(link), ..Payload::default() },
                ));
            }
            Some((MessageKind::Share, Payload { share: Some(link), ..Payload::default() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content(message: Value) -> Content {
        read(&serde_json::from_value(message).unwrap())
    }

    #[test]
    fn files_keep_their_kind_their_address_and_their_name() {
        let read = content(json!({ "id": 1, "content": "Look", "attachments": [
            { "id": 9, "file_type": "image", "content_type": "image/png",
              "data_url": "https://cw.test/rails/active_storage/blobs/redirect/x/caf%C3%A9%20.png?a=1" },
            { "id": 10, "file_type": "file", "content_type": "application/pdf", "data_url": "https://cw.test/b.pdf" }] }));
        assert_eq!((read.kind, read.text.as_deref()), (MessageKind::Image, Some("Look")));
        let names: Vec<_> = read.media.iter().map(|file| file.file_name.clone().unwrap()).collect();
        assert_eq!(names, ["caf\u{e9} .png", "b.pdf"]);
        assert_eq!(read.media[1].kind, MediaKind::Document);
    }

    #[test]
    fn places_cards_and_links_are_what_they_are() {
        let place = content(json!({ "id": 1, "attachments": [{ "id": 2, "file_type": "location",
            "coordinates_lat": -8.05, "coordinates_long": "-34.9", "fallback_title": "Recife", "data_url": "" }] }));
        let location = place.payload.location.unwrap();
        assert_eq!((location.latitude, location.longitude), (-8.05, -34.9));
        let card = content(json!({ "id": 1, "attachments": [{ "id": 2, "file_type": "contact",
            "fallback_title": "+5511987654321", "meta": { "firstName": "Ana", "lastName": "Souza" } }] }));
        assert_eq!(card.payload.contacts[0].name, "Ana Souza");
        let link = content(
            json!({ "id": 1, "attachments": [{ "id": 2, "file_type": "ig_reel", "data_url": "https://i.test/r" }] }),
        );
        assert_eq!(
            (link.kind, link.payload.share.unwrap().url.as_deref()),
            (MessageKind::Share, Some("https://i.test/r"))
        );
    }

    #[test]
    fn what_holds_nothing_is_shown_as_such() {
        assert_eq!(
            content(json!({ "id": 1, "content": "  ", "content_type": "cards" })).kind,
            MessageKind::Unsupported
        );
    }
}
