//! What we send, in WhatsApp's form.

use frontdesk_channels::contract::SendError;
use frontdesk_model::content::{ContactCard, Location, MediaKind};
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage};
use frontdesk_model::{RemoteId, Timestamp};
use whatsapp_rust::Jid;
use whatsapp_rust::prelude::MessageField;
use whatsapp_rust::upload::UploadResponse;
use whatsapp_rust::wacore::proto_helpers::MessageExt as _;
use whatsapp_rust::wacore_binary::JidExt as _;
use whatsapp_rust::waproto::whatsapp::{self as wa, message as kinds};

use crate::errors;
use crate::inbound::Own;

/// A message, with the file that was uploaded for it. Reactions are made by [`reaction`]. `author`: who wrote a message of a group.
///
/// Errors: a kind that linked phones do not send.
pub(crate) fn message(
    outbound: &OutboundMessage,
    uploaded: Option<UploadResponse>,
    chat: &Jid,
    own: &Own,
    author: impl Fn(&RemoteId) -> Option<Jid>,
) -> Result<wa::Message, SendError> {
    let mut message = match &outbound.body {
        OutboundBody::Text(text) => words(text),
        OutboundBody::Media(media) => match uploaded {
            Some(uploaded) => file(media, uploaded),
            None => return Err(errors::cannot("FILE", "The file of this message was not uploaded.")),
        },
        OutboundBody::Location(place) => location(place),
        OutboundBody::Contacts(cards) => contacts(cards),
        OutboundBody::Template(_) | OutboundBody::Interactive(_) | OutboundBody::Reaction { .. } => {
            return Err(errors::cannot("NOT_POSSIBLE", "WhatsApp does not carry this from a linked phone."));
        }
    };
    if let Some(answered) = &outbound.reply_to {
        message.set_context_info(quote(answered, chat, own, author(answered)));
    }
    Ok(message)
}

/// Plain words.
pub(crate) fn words(text: &str) -> wa::Message {
    wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
}

/// Ids of messages that others wrote are kept with their chat.
fn is_ours(id: &RemoteId) -> bool {
    id.as_written() == id.as_str()
}

/// Phones look the quoted words up by the id and its author.
fn quote(answered: &RemoteId, chat: &Jid, own: &Own, author: Option<Jid>) -> wa::ContextInfo {
    let author = match (is_ours(answered), chat.is_group()) {
        (true, _) => own.number.as_ref().map(Jid::to_non_ad),
        (false, true) => author,
        (false, false) => Some(chat.to_non_ad()),
    };
    wa::ContextInfo {
        stanza_id: Some(answered.as_written().to_owned()),
        participant: author.map(|author| author.to_string()),
        quoted_message: MessageField::some(words("")),
        ..Default::default()
    }
}

/// A reaction of ours; without an emoji it takes the last one back. `author`: who wrote the message, in a group.
pub(crate) fn reaction(
    target: &RemoteId,
    chat: &Jid,
    author: Option<Jid>,
    emoji: Option<&str>,
    now: Timestamp,
) -> wa::Message {
    let key = wa::MessageKey {
        remote_jid: Some(chat.to_string()),
        from_me: Some(is_ours(target)),
        id: Some(target.as_written().to_owned()),
        participant: author.map(|author| author.to_string()),
    };
    wa::Message {
        reaction_message: MessageField::some(kinds::ReactionMessage {
            key: MessageField::some(key),
            text: Some(emoji.unwrap_or_default().to_owned()),
            sender_timestamp_ms: Some(now.as_millis()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn file(media: &OutboundMedia, up: UploadResponse) -> wa::Message {
    let (url, path) = (Some(up.url), Some(up.direct_path));
    let (key, sha, sealed) =
        (Some(up.media_key.to_vec()), Some(up.file_sha256.to_vec()), Some(up.file_enc_sha256.to_vec()));
    let (length, at) = (Some(up.file_length), Some(up.media_key_timestamp));
    let (mime, caption) =
        (Some(media.mime_type.clone()), media.caption.clone().filter(|text| !text.is_empty()));
    /// The fields that all kinds of files have.
    macro_rules! kind {
        ($kind:ident { $($field:ident: $value:expr),* }) => {
            MessageField::some(kinds::$kind {
                url, direct_path: path, media_key: key, file_sha256: sha, file_enc_sha256: sealed, file_length: length,
                media_key_timestamp: at, mimetype: mime, $($field: $value,)* ..Default::default()
            })
        };
    }
    let mut message = wa::Message::default();
    match media.kind {
        MediaKind::Image => message.image_message = kind!(ImageMessage { caption: caption }),
        MediaKind::Video => {
            message.video_message =
                kind!(VideoMessage { caption: caption, streaming_sidecar: up.streaming_sidecar });
        }
        MediaKind::Audio | MediaKind::Voice => {
            let ptt = Some(media.kind == MediaKind::Voice);
            message.audio_message = kind!(AudioMessage { ptt: ptt, streaming_sidecar: up.streaming_sidecar });
        }
        MediaKind::Sticker => message.sticker_message = kind!(StickerMessage {}),
        MediaKind::Document => {
            let name = Some(media.file_name.clone());
            message.document_message =
                kind!(DocumentMessage { file_name: name.clone(), title: name, caption: caption });
        }
    }
    message
}

fn location(place: &Location) -> wa::Message {
    wa::Message {
        location_message: MessageField::some(kinds::LocationMessage {
            degrees_latitude: Some(place.latitude),
            degrees_longitude: Some(place.longitude),
            name: place.name.clone(),
            address: place.address.clone(),
            url: place.url.clone(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn contacts(cards: &[ContactCard]) -> wa::Message {
    let mut cards: Vec<kinds::ContactMessage> = cards.iter().map(contact).collect();
    if cards.len() == 1
        && let Some(card) = cards.pop()
    {
        return wa::Message { contact_message: MessageField::some(card), ..Default::default() };
    }
    wa::Message {
        contacts_array_message: MessageField::some(kinds::ContactsArrayMessage {
            display_name: Some(format!("{} contacts", cards.len())),
            contacts: cards,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn contact(card: &ContactCard) -> kinds::ContactMessage {
    // A line break would begin another property.
    let line = |text: &str| text.replace(['\r', '\n'], " ");
    let name = line(&card.name);
    let mut vcard = format!("BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\n");
    if let Some(company) = &card.organization {
        vcard.push_str(&format!("ORG:{};\n", line(company)));
    }
    for phone in &card.phones {
        let number = line(&phone.value);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        vcard.push_str(&format!("TEL;type=CELL;waid={digits}:{number}\n"));
    }
    for email in &card.emails {
        vcard.push_str(&format!("EMAIL:{}\n", line(&email.value)));
    }
    vcard.push_str("END:VCARD");
    kinds::ContactMessage { display_name: Some(name), vcard: Some(vcard), ..Default::default() }
}
