//! One message of ours as WhatsApp wants it written. Pure; what WhatsApp cannot carry is refused here.
//!
//! Source: Meta's Cloud API message reference, read 2026.

use frontdesk_meta_graph_client::whatsapp::outgoing::{
    ContactCard as Card, ContactEmail, ContactName, ContactOrganisation, ContactPhone, Content,
    InteractiveText, ListRow, ListSection, Location as Place, Media, Reaction, Text,
};
use frontdesk_meta_graph_client::whatsapp::template::{Component, Template as Filled};
use frontdesk_meta_graph_client::whatsapp::{Interactive as Pressable, MediaSource, Recipient as Receiver};
use frontdesk_model::contact::{Identity, IdentityKind};
use frontdesk_model::content::{ContactCard, Location, MediaKind, Template};
use frontdesk_model::outbound::{Interactive, InteractiveChoice, OutboundMedia, Recipient};

use super::CAPABILITIES;
use crate::contract::SendError;
use crate::meta::errors::cannot_carry;

/// A phone goes in `to`, a business-scoped user id in `recipient`.
///
/// The thread's digits are as WhatsApp itself wrote them and win while they are the contact's; after a change of number
/// the contact's new one does.
pub(super) fn receiver(to: &Recipient) -> Receiver {
    let thread = Some(to.thread.as_str()).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let phone = to.identity(IdentityKind::Phone);
    let still_theirs =
        |digits: &&str| phone.is_none() || Identity::phone(digits).map(|i| i.value).as_deref() == phone;
    let digits = thread.filter(still_theirs).or(phone).or(thread);
    match digits {
        Some(digits) => Receiver::Phone(digits.trim_start_matches('+').to_owned()),
        None => Receiver::UserId(to.identity(IdentityKind::Bsuid).unwrap_or(&to.thread).to_owned()),
    }
}

pub(super) fn text(body: &str) -> Result<Content, SendError> {
    check_length("A text", body, CAPABILITIES.text_max.count)?;
    let preview_url = body.contains("https://") || body.contains("http://");
    Ok(Content::Text(Text { body: body.to_owned(), preview_url }))
}

fn check_length(what: &str, text: &str, max: usize) -> Result<(), SendError> {
    match text.chars().count() {
        0 => Err(cannot_carry(format!("{what} cannot be empty on WhatsApp."))),
        count if count > max => Err(cannot_carry(format!(
            "{what} can have at most {max} characters on WhatsApp; this has {count}."
        ))),
        _ => Ok(()),
    }
}

/// Checks what can be known before a file is uploaded.
pub(super) fn check_media(media: &OutboundMedia) -> Result<(), SendError> {
    let Some(caption) = media.caption.as_deref() else { return Ok(()) };
    match media.kind {
        MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker => Err(cannot_carry(
            "WhatsApp takes no words beside audio and stickers: send them as a message of their own.",
        )),
        _ => check_length("A caption", caption, CAPABILITIES.caption_max),
    }
}

/// WhatsApp takes Ogg only when it is told that Opus is in it.
pub(super) fn mime_type(media: &OutboundMedia) -> &str {
    if media.mime_type.starts_with("audio/ogg") { "audio/ogg; codecs=opus" } else { &media.mime_type }
}

/// A file that was uploaded under `id`.
pub(super) fn media(media: &OutboundMedia, id: String) -> Content {
    let mut file = Media { caption: media.caption.clone(), ..Media::new(MediaSource::Id(id)) };
    match media.kind {
        MediaKind::Image => Content::Image(file),
        MediaKind::Video => Content::Video(file),
        MediaKind::Audio | MediaKind::Voice => Content::Audio(file),
        MediaKind::Sticker => Content::Sticker(file),
        MediaKind::Document => {
            file.filename = Some(media.file_name.clone());
            Content::Document(file)
        }
    }
}

/// A template; its components come in Meta's own form, except that a button's index may be a number.
pub(super) fn template(template: &Template) -> Result<Content, SendError> {
    let mut filled = Filled::new(&template.name, &template.language);
    for component in &template.components {
        let mut component = component.clone();
        if let Some(index) = component.get_mut("index")
            && let Some(number) = index.as_u64()
        {
            *index = number.to_string().into();
        }
        filled = filled.with(serde_json::from_value::<Component>(component).map_err(|error| SendError {
            source: Some(Box::new(error)),
            ..cannot_carry("The template's components are not in the form WhatsApp takes.")
        })?);
    }
    Ok(Content::Template(filled))
}

pub(super) fn location(place: &Location) -> Content {
    Content::Location(Place {
        latitude: place.latitude,
        longitude: place.longitude,
        name: place.name.clone(),
        address: place.address.clone(),
        url: None,
    })
}

/// WhatsApp wants one part of the name beside the whole of it.
pub(super) fn contacts(cards: &[ContactCard]) -> Content {
    let card = |card: &ContactCard| Card {
        name: Some(ContactName {
            formatted_name: Some(card.name.clone()),
            first_name: Some(card.name.clone()),
            last_name: None,
        }),
        phones: card
            .phones
            .iter()
            .map(|p| ContactPhone { phone: Some(p.value.clone()), wa_id: None, kind: p.label.clone() })
            .collect(),
        emails: card
            .emails
            .iter()
            .map(|e| ContactEmail { email: Some(e.value.clone()), kind: e.label.clone() })
            .collect(),
        org: card
            .organization
            .clone()
            .map(|company| ContactOrganisation { company: Some(company), title: None }),
        vcard: None,
    };
    Content::Contacts(cards.iter().map(card).collect())
}

pub(super) fn reaction(target: &str, emoji: Option<&str>) -> Content {
    Content::Reaction(Reaction { message_id: target.to_owned(), emoji: emoji.unwrap_or_default().to_owned() })
}

/// One to three buttons, or a list of up to ten rows.
pub(super) fn interactive(message: &Interactive) -> Result<Content, SendError> {
    let mut pressable = match (message.buttons.len(), message.rows.len()) {
        (1..=3, 0) => {
            check_length("The text above buttons", &message.body, 1024)?;
            check_choices(&message.buttons, 256, 20)?;
            Pressable::buttons(
                &message.body,
                message.buttons.iter().map(|b| (b.id.as_str(), b.title.as_str())),
            )
        }
        (0, 1..=10) => {
            check_length("The text above a list", &message.body, 4096)?;
            check_choices(&message.rows, 200, 24)?;
            let label = message.list_label.as_deref().unwrap_or("Open");
            check_length("The label of a list", label, 20)?;
            Pressable::list(&message.body, label, &[ListSection { title: None, rows: rows(&message.rows)? }])
        }
        _ => return Err(cannot_carry("WhatsApp takes one to three buttons, or a list of one to ten rows.")),
    };
    if let Some(header) = &message.header {
        check_length("The line above the text", header, 60)?;
        pressable.header = Some(serde_json::json!({"type": "text", "text": header}));
    }
    if let Some(footer) = &message.footer {
        check_length("The line below the choices", footer, 60)?;
        pressable.footer = Some(InteractiveText { text: footer.clone() });
    }
    Ok(Content::Interactive(pressable))
}

fn check_choices(choices: &[InteractiveChoice], max_id: usize, max_title: usize) -> Result<(), SendError> {
    for choice in choices {
        check_length("The id of a choice", &choice.id, max_id)?;
        check_length("The title of a choice", &choice.title, max_title)?;
    }
    Ok(())
}

fn rows(choices: &[InteractiveChoice]) -> Result<Vec<ListRow>, SendError> {
    choices
        .iter()
        .map(|choice| {
            if let Some(description) = &choice.description {
                check_length("The second line of a row", description, 72)?;
            }
            Ok(ListRow {
                id: choice.id.clone(),
                title: choice.title.clone(),
                description: choice.description.clone(),
            })
        })
        .collect()
}
