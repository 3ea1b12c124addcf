//! What a WhatsApp message says, in our words.

use frontdesk_channels::vcard;
use frontdesk_model::content::{
    Choice, ContactCard, Content, Labelled, Location, MediaKind, Payload, Referral,
};
use frontdesk_model::message::MessageKind;
use whatsapp_rust::waproto::whatsapp::{self as wa, message as kinds};

use crate::media::{self, Parts};

/// What a file is found by; the kinds of files share no type.
macro_rules! parts {
    ($message:expr) => {
        Parts {
            direct_path: $message.direct_path.as_deref(),
            media_key: $message.media_key.as_deref(),
            sha256: $message.file_sha256.as_deref(),
            encrypted_sha256: $message.file_enc_sha256.as_deref(),
            size_bytes: $message.file_length,
        }
    };
}

/// The content of a message that is no news about another one, and what stands beside it.
pub(crate) struct Read<'m> {
    pub(crate) content: Content,
    /// Which message it answers, who wrote it, whether it was passed on.
    pub(crate) context: Option<&'m wa::ContextInfo>,
}

/// Reads a message out of its wrappers. `None`: it says nothing to people (keys, settings).
pub(crate) fn read(message: &wa::Message) -> Option<Read<'_>> {
    let (content, context) = kind_of(message)?;
    let mut content = content;
    if let Some(advert) = context.and_then(|context| context.external_ad_reply.as_option()) {
        content.payload.referral = referral(advert);
    }
    Some(Read { content, context })
}

type Said<'m> = (Content, Option<&'m wa::ContextInfo>);

fn kind_of(message: &wa::Message) -> Option<Said<'_>> {
    if let Some(text) = message.conversation.as_deref().filter(|text| !text.is_empty()) {
        return Some((Content::text(text), None));
    }
    if let Some(said) = message.extended_text_message.as_option() {
        let text = said.text.clone().unwrap_or_default();
        return Some((Content::text(text), said.context_info.as_option()));
    }
    file(message).or_else(|| card(message)).or_else(|| chosen(message)).or_else(|| other(message))
}

fn file(message: &wa::Message) -> Option<Said<'_>> {
    if let Some(m) = message.image_message.as_option() {
        let file = one_file(MediaKind::Image, parts!(m), m.mimetype.as_deref(), None, m.caption.as_deref());
        return Some((file, m.context_info.as_option()));
    }
    if let Some(m) = message.video_message.as_option().or_else(|| message.ptv_message.as_option()) {
        let file = one_file(MediaKind::Video, parts!(m), m.mimetype.as_deref(), None, m.caption.as_deref());
        return Some((file, m.context_info.as_option()));
    }
    if let Some(m) = message.audio_message.as_option() {
        let kind = if m.ptt == Some(true) { MediaKind::Voice } else { MediaKind::Audio };
        return Some((
            one_file(kind, parts!(m), m.mimetype.as_deref(), None, None),
            m.context_info.as_option(),
        ));
    }
    if let Some(m) = message.document_message.as_option() {
        let (mime, name) = (m.mimetype.as_deref(), m.file_name.as_deref().or(m.title.as_deref()));
        let file = one_file(MediaKind::Document, parts!(m), mime, name, m.caption.as_deref());
        return Some((file, m.context_info.as_option()));
    }
    if let Some(m) = message.sticker_message.as_option() {
        let file = one_file(MediaKind::Sticker, parts!(m), m.mimetype.as_deref(), None, None);
        return Some((file, m.context_info.as_option()));
    }
    None
}

fn one_file(
    kind: MediaKind,
    parts: Parts<'_>,
    mime_type: Option<&str>,
    name: Option<&str>,
    caption: Option<&str>,
) -> Content {
    let text = filled(caption);
    match media::reference(kind, &parts, mime_type, name) {
        Some(media) => {
            Content { kind: kind.message_kind(), text, payload: Payload::default(), media: vec![media] }
        }
        None => Content {
            text,
            ..Content::unsupported(kind.as_str(), Some("WhatsApp passed on no file.".to_owned()))
        },
    }
}

fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn card(message: &wa::Message) -> Option<Said<'_>> {
    if let Some(m) = message.location_message.as_option() {
        let place = place(m.degrees_latitude, m.degrees_longitude, m.name.as_deref(), m.address.as_deref());
        return Some((place, m.context_info.as_option()));
    }
    if let Some(m) = message.live_location_message.as_option() {
        let place = place(m.degrees_latitude, m.degrees_longitude, m.caption.as_deref(), None);
        return Some((place, m.context_info.as_option()));
    }
    if let Some(m) = message.contact_message.as_option() {
        return Some((contacts(std::slice::from_ref(m)), m.context_info.as_option()));
    }
    if let Some(m) = message.contacts_array_message.as_option() {
        return Some((contacts(&m.contacts), m.context_info.as_option()));
    }
    None
}

fn place(
    latitude: Option<f64>,
    longitude: Option<f64>,
    name: Option<&str>,
    address: Option<&str>,
) -> Content {
    let (Some(latitude), Some(longitude)) = (latitude, longitude) else {
        return Content::unsupported("location", Some("WhatsApp passed on no place.".to_owned()));
    };
    let (name, address) = (filled(name), filled(address));
    let text = name.clone().or_else(|| address.clone());
    let location = Some(Location { latitude, longitude, name, address, url: None });
    Content::of(MessageKind::Location, text, Payload { location, ..Payload::default() })
}

fn contacts(cards: &[kinds::ContactMessage]) -> Content {
    let contacts: Vec<ContactCard> = cards.iter().map(contact).collect();
    if contacts.is_empty() {
        return Content::unsupported("contacts", Some("WhatsApp passed on no card.".to_owned()));
    }
    let names: Vec<&str> = contacts.iter().map(|c| c.name.as_str()).filter(|n| !n.is_empty()).collect();
    let text = filled(Some(&names.join(", ")));
    Content::of(MessageKind::Contacts, text, Payload { contacts, ..Payload::default() })
}

fn contact(card: &kinds::ContactMessage) -> ContactCard {
    let vcard = card.vcard.as_deref().unwrap_or_default();
    let labelled = |value| Labelled { value, label: None };
    let phones: Vec<Labelled> = vcard::values(vcard, "TEL").map(labelled).collect();
    let company = vcard::values(vcard, "ORG").next().map(|company| company.trim_end_matches(';').to_owned());
    let name = filled(card.display_name.as_deref())
        .or_else(|| vcard::values(vcard, "FN").next())
        .or_else(|| phones.first().map(|phone| phone.value.clone()))
        .unwrap_or_default();
    ContactCard {
        name,
        phones,
        emails: vcard::values(vcard, "EMAIL").map(labelled).collect(),
        organization: company.filter(|company| !company.is_empty()),
    }
}

fn chosen(message: &wa::Message) -> Option<Said<'_>> {
    if let Some(m) = message.template_button_reply_message.as_option() {
        let said =
            choice(MessageKind::ButtonReply, m.selected_id.as_deref(), m.selected_display_text.as_deref());
        return Some((said, m.context_info.as_option()));
    }
    if let Some(m) = message.buttons_response_message.as_option() {
        use kinds::buttons_response_message::Response;
        let title = m.response.as_ref().map(|Response::SelectedDisplayText(title)| title.as_str());
        let said = choice(MessageKind::ButtonReply, m.selected_button_id.as_deref(), title);
        return Some((said, m.context_info.as_option()));
    }
    if let Some(m) = message.list_response_message.as_option() {
        let row = m.single_select_reply.as_option().and_then(|reply| reply.selected_row_id.as_deref());
        let said = choice(MessageKind::ListReply, row, m.title.as_deref());
        return Some((said, m.context_info.as_option()));
    }
    None
}

fn choice(kind: MessageKind, id: Option<&str>, title: Option<&str>) -> Content {
    let title = title.or(id).unwrap_or_default().to_owned();
    let reply = Some(Choice { id: filled(id), title: title.clone(), description: None });
    Content::of(kind, filled(Some(&title)), Payload { reply, ..Payload::default() })
}

fn referral(advert: &wa::context_info::ExternalAdReplyInfo) -> Option<Referral> {
    (advert.source_url.is_some() || advert.source_id.is_some()).then(|| Referral {
        source: advert.source_type.clone(),
        source_id: advert.source_id.clone(),
        headline: filled(advert.title.as_deref()),
        body: filled(advert.body.as_deref()),
        url: advert.source_url.clone(),
        reference: filled(advert.r#ref.as_deref()),
    })
}

/// Kinds that are told in words or shown as not supported; keys and settings say nothing.
fn other(message: &wa::Message) -> Option<Said<'_>> {
    let polls = [
        &message.poll_creation_message,
        &message.poll_creation_message_v2,
        &message.poll_creation_message_v3,
        &message.poll_creation_message_v5,
    ];
    if let Some(poll) = polls.into_iter().find_map(|poll| poll.as_option()) {
        let options = poll.options.iter().filter_map(|option| option.option_name.as_deref());
        let lines: Vec<String> =
            std::iter::once(format!("Poll: {}", poll.name.as_deref().unwrap_or_default()))
                .chain(options.map(|option| format!("- {option}")))
                .collect();
        return Some((Content::text(lines.join("\n")), poll.context_info.as_option()));
    }
    if let Some(invite) = message.group_invite_message.as_option() {
        let group = invite.group_name.as_deref().unwrap_or_default();
        return Some((Content::text(format!("Invitation to the group {group}").trim()), None));
    }
    let unsupported = [
        ("poll_vote", message.poll_update_message.is_set()),
        ("order", message.order_message.is_set()),
        ("product", message.product_message.is_set()),
        ("template", message.template_message.is_set()),
        ("buttons", message.buttons_message.is_set()),
        ("list", message.list_message.is_set()),
        (
            "interactive",
            message.interactive_message.is_set() || message.interactive_response_message.is_set(),
        ),
        ("payment", message.send_payment_message.is_set() || message.request_payment_message.is_set()),
        ("event", message.event_message.is_set()),
        ("album", message.album_message.is_set()),
        ("sticker_pack", message.sticker_pack_message.is_set()),
        ("call", message.call.is_set() || message.call_log_messsage.is_set()),
    ];
    let kind = unsupported.into_iter().find_map(|(kind, is_set)| is_set.then_some(kind))?;
    // An album only counts the pictures that follow as messages of their own.
    (kind != "album").then(|| (Content::unsupported(kind, None), None))
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::prelude::MessageField;

    use super::*;

    fn read_one(message: &wa::Message) -> Content {
        read(message).expect("it says something").content
    }

    #[test]
    fn a_picture_keeps_its_caption_and_one_without_a_key_is_shown_as_missing() {
        let image = kinds::ImageMessage {
            caption: Some("The room".to_owned()),
            mimetype: Some("image/jpeg".to_owned()),
            direct_path: Some("/v/1".to_owned()),
            media_key: Some(vec![1; 32]),
            file_sha256: Some(vec![2; 32]),
            file_enc_sha256: Some(vec![3; 32]),
            file_length: Some(4),
            ..Default::default()
        };
        let of = |image| wa::Message { image_message: MessageField::some(image), ..Default::default() };
        let content = read_one(&of(image.clone()));
        assert_eq!((content.kind, content.text.as_deref()), (MessageKind::Image, Some("The room")));
        assert_eq!(content.media[0].mime_type.as_deref(), Some("image/jpeg"));
        let content = read_one(&of(kinds::ImageMessage { media_key: None, ..image }));
        assert_eq!((content.kind, content.text.as_deref()), (MessageKind::Unsupported, Some("The room")));
        assert!(content.media.is_empty());
    }

    #[test]
    fn cards_have_name_number_and_company() {
        let card = kinds::ContactMessage {
            display_name: Some("Wayan".to_owned()),
            vcard: Some("BEGIN:VCARD\nORG:Villa;\nTEL;waid=62811:+62 811\nEND:VCARD".to_owned()),
            ..Default::default()
        };
        let content =
            read_one(&wa::Message { contact_message: MessageField::some(card), ..Default::default() });
        let card = &content.payload.contacts[0];
        assert_eq!((card.name.as_str(), card.phones[0].value.as_str()), ("Wayan", "+62 811"));
        assert_eq!(card.organization.as_deref(), Some("Villa"));
    }

    #[test]
    fn a_pressed_button_says_which_and_a_poll_its_options() {
        let pressed = kinds::TemplateButtonReplyMessage {
            selected_id: Some("yes".to_owned()),
            selected_display_text: Some("Yes, please".to_owned()),
            ..Default::default()
        };
        let content = read_one(&wa::Message {
            template_button_reply_message: MessageField::some(pressed),
            ..Default::default()
        });
        let reply = content.payload.reply.expect("a choice");
        assert_eq!((reply.id.as_deref(), reply.title.as_str()), (Some("yes"), "Yes, please"));
        let option = |name: &str| kinds::poll_creation_message::Option {
            option_name: Some(name.to_owned()),
            ..Default::default()
        };
        let poll = kinds::PollCreationMessage {
            name: Some("When?".to_owned()),
            options: vec![option("Mon"), option("Tue")],
            ..Default::default()
        };
        let content = read_one(&wa::Message {
            poll_creation_message_v3: MessageField::some(poll),
            ..Default::default()
        });
        assert_eq!(content.text.as_deref(), Some("Poll: When?\n- Mon\n- Tue"));
    }

    #[test]
    fn keys_and_settings_say_nothing_and_unknown_kinds_are_shown() {
        assert!(read(&wa::Message::default()).is_none());
        let album =
            wa::Message { album_message: MessageField::some(Default::default()), ..Default::default() };
        assert!(read(&album).is_none(), "the pictures of an album follow by themselves");
        let order =
            wa::Message { order_message: MessageField::some(Default::default()), ..Default::default() };
        assert_eq!(read_one(&order).kind, MessageKind::Unsupported);
    }
}
