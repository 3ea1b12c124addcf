//! What a WhatsApp message says, in our words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_meta_graph_client::webhook::whatsapp::{
    self, Content as Said, ErrorNotice, Interactive, Media,
};
use frontdesk_model::content::{
    Choice, ContactCard, Content, Labelled, Location, MediaKind, MediaRef, Order, OrderItem, Payload,
};
use frontdesk_model::message::MessageKind;

use crate::meta::parse::short;
use crate::vcard;

/// The content of a message of the given `type`.
pub(super) fn read_content(kind: &str, said: Said, errors: &[ErrorNotice]) -> Content {
    match said {
        Said::Text(text) => Content::text(text.body),
        Said::Image(media) => file(MediaKind::Image, media),
        Said::Video(media) => file(MediaKind::Video, media),
        Said::Audio(media) if media.voice == Some(true) => file(MediaKind::Voice, media),
        Said::Audio(media) => file(MediaKind::Audio, media),
        Said::Document(media) => file(MediaKind::Document, media),
        Said::Sticker(media) => file(MediaKind::Sticker, media),
        Said::Location(place) => location(place),
        Said::Contacts(cards) => contacts(cards),
        Said::Button(button) => {
            let title = button.text.or_else(|| button.payload.clone()).unwrap_or_default();
            choice(MessageKind::ButtonReply, Choice { id: button.payload, title, description: None })
        }
        Said::Interactive(answer) => interactive(answer, errors),
        Said::Order(order) => read_order(order),
        Said::Unsupported(what) => {
            let kind = what.kind.unwrap_or_else(|| "unsupported".to_owned());
            Content::unsupported(short(&kind), reason(errors))
        }
        Said::Missing => Content::unsupported(
            short(kind),
            reason(errors).or_else(|| Some("WhatsApp did not pass it on.".into())),
        ),
        Said::Unreadable(error) => {
            Content::unsupported(short(kind), Some(format!("It could not be read: {error}.")))
        }
        // Reactions, edits, revocations and system notices are no content; they are read before.
        Said::Reaction(_) | Said::Edit(_) | Said::Revoke(_) | Said::System(_) | Said::Other => {
            let kind = if kind.is_empty() { "unknown" } else { kind };
            Content::unsupported(short(kind), reason(errors))
        }
    }
}

/// The words of a content that replaces another: a text or a caption.
pub(super) fn words_of(said: Said) -> Option<String> {
    match said {
        Said::Text(text) => Some(text.body),
        Said::Image(media) | Said::Video(media) | Said::Document(media) => media.caption,
        _ => None,
    }
}

fn reason(errors: &[ErrorNotice]) -> Option<String> {
    errors.first().and_then(ErrorNotice::details).map(str::to_owned)
}

/// A file by its id: the address beside it lives for minutes, so that the id is asked for a fresh one.
fn file(kind: MediaKind, media: Media) -> Content {
    let Some(id) = media.id else {
        let reason = Some("WhatsApp names no file.".to_owned());
        return Content { text: media.caption, ..Content::unsupported(kind.as_str(), reason) };
    };
    Content {
        kind: kind.message_kind(),
        text: media.caption,
        payload: Payload::default(),
        media: vec![MediaRef {
            kind,
            remote_id: Some(id),
            url: None,
            mime_type: media.mime_type,
            file_name: media.filename,
            sha256: media.sha256.as_deref().and_then(hex_of_base64),
        }],
    }
}

/// WhatsApp writes SHA-256 in base64; ours is hex.
fn hex_of_base64(text: &str) -> Option<String> {
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 32).map(hex::encode)
}

fn location(place: whatsapp::Location) -> Content {
    let whatsapp::Location { latitude, longitude, name, address, url } = place;
    let text = name.clone().or_else(|| address.clone());
    let location = Some(Location { latitude, longitude, name, address, url });
    Content::of(MessageKind::Location, text, Payload { location, ..Payload::default() })
}

fn contacts(cards: Vec<whatsapp::ContactCard>) -> Content {
    let contacts: Vec<ContactCard> = cards.into_iter().map(card).collect();
    if contacts.is_empty() {
        return Content::unsupported("contacts", Some("WhatsApp passes on no card.".to_owned()));
    }
    let names: Vec<&str> = contacts.iter().map(|c| c.name.as_str()).filter(|n| !n.is_empty()).collect();
    let text = (!names.is_empty()).then(|| names.join(", "));
    Content::of(MessageKind::Contacts, text, Payload { contacts, ..Payload::default() })
}

/// One card. Parts may lack; an answer to a request for contact details may have the vCard alone.
fn card(card: whatsapp::ContactCard) -> ContactCard {
    let vcard = card.vcard.unwrap_or_default();
    let mut phones: Vec<Labelled> = card
        .phones
        .into_iter()
        .filter_map(|p| Some(Labelled { value: p.phone.or(p.wa_id)?, label: p.kind }))
        .collect();
    if phones.is_empty() {
        phones = vcard::values(&vcard, "TEL").map(|value| Labelled { value, label: None }).collect();
    }
    let emails: Vec<Labelled> =
        card.emails.into_iter().filter_map(|e| Some(Labelled { value: e.email?, label: e.kind })).collect();
    let organization = card.org.and_then(|o| o.company);
    let name = card
        .name
        .and_then(|n| n.formatted_name.or_else(|| joined(n.first_name, n.last_name)))
        .or_else(|| vcard::values(&vcard, "FN").next())
        .or_else(|| organization.clone())
        .or_else(|| phones.first().map(|p| p.value.clone()))
        .unwrap_or_default();
    ContactCard { name, phones, emails, organization }
}

fn joined(first: Option<String>, last: Option<String>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.or(last),
    }
}

fn choice(kind: MessageKind, choice: Choice) -> Content {
    Content::of(kind, Some(choice.title.clone()), Payload { reply: Some(choice), ..Payload::default() })
}

/// An answer to buttons, a list or a flow.
fn interactive(answer: Interactive, errors: &[ErrorNotice]) -> Content {
    let pressed = |c: whatsapp::Choice| {
        let title = c.title.or_else(|| c.id.clone())?;
        Some(Choice { id: c.id, title, description: c.description })
    };
    if let Some(button) = answer.button_reply.and_then(pressed) {
        return choice(MessageKind::ButtonReply, button);
    }
    if let Some(row) = answer.list_reply.and_then(pressed) {
        return choice(MessageKind::ListReply, row);
    }
    if let Some(flow) = answer.nfm_reply {
        // JSON in a string, and not always valid: then the string itself is what was filled in.
        let response = flow
            .response_json
            .map(|json| serde_json::from_str(&json).unwrap_or(serde_json::Value::String(json)));
        let text = flow.body.or(flow.name);
        return Content::of(MessageKind::FlowReply, text, Payload { response, ..Payload::default() });
    }
    let kind = answer.kind.unwrap_or_else(|| "interactive".to_owned());
    Content::unsupported(short(&kind), reason(errors))
}

fn read_order(order: whatsapp::Order) -> Content {
    let items = order.product_items.into_iter().map(|item| OrderItem {
        id: item.product_retailer_id.unwrap_or_default(),
        // One, where WhatsApp does not say how many.
        quantity: item.quantity.unwrap_or(1.0),
        price: item.item_price,
        currency: item.currency.unwrap_or_default(),
    });
    let details = Order { catalog_id: order.catalog_id, items: items.collect() };
    Content::of(MessageKind::Order, order.text, Payload { order: Some(details), ..Payload::default() })
}
