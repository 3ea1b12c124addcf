//! Our messages as the phones of the sandbox want them written.

use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage};
use serde_json::{Value, json};

use crate::contract::SendError;
use crate::linked_whatsapp::connection::cannot_carry;

/// A message; `uploaded` is the id of its file.
pub(super) fn message(message: &OutboundMessage, uploaded: Option<&str>) -> Result<Value, SendError> {
    let content = match &message.body {
        OutboundBody::Text(text) => json!({ "type": "text", "text": text }),
        OutboundBody::Media(media) => file(media, uploaded),
        OutboundBody::Location(place) => json!({ "type": "location", "location": place }),
        OutboundBody::Contacts(cards) => json!({ "type": "contacts", "contacts": cards }),
        OutboundBody::Reaction { target, emoji } => {
            json!({ "type": "reaction", "target": target.as_written(), "emoji": emoji })
        }
        OutboundBody::Template(_) | OutboundBody::Interactive(_) => {
            return Err(cannot_carry("A linked phone sends neither templates nor buttons."));
        }
    };
    Ok(json!({
        "chat": message.to.thread,
        "reference": message.client_ref,
        "reply_to": message.reply_to.as_ref().map(|id| id.as_written()),
        "content": content,
    }))
}

fn file(media: &OutboundMedia, uploaded: Option<&str>) -> Value {
    json!({
        "type": media.kind,
        "media_id": uploaded,
        "mime_type": media.mime_type,
        "file_name": media.file_name,
        "caption": media.caption,
    })
}
