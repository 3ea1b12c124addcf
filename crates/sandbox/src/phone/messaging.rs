//! A customer's action as Messenger and Instagram tell it.

use serde_json::{Value, json};

use super::action::CustomerAction;
use super::{Draft, Drafted, PhoneError};
use crate::channel::Channel;
use crate::graph::cdn_url;
use crate::graph::messaging::events;
use crate::media::find_sample;
use crate::webhooks::EventClass;

/// The chat line and the webhook of an action.
///
/// Errors: [`PhoneError::NotOnChannel`] for kinds that the network does not have.
pub(super) fn draft(draft: &Draft<'_>, action: &CustomerAction) -> Result<Drafted, PhoneError> {
    let (line, named, content) = match action {
        CustomerAction::Reaction { message_id, emoji } => {
            let reaction = json!({"mid": message_id, "action": "react", "reaction": reaction_name(emoji), "emoji": emoji});
            (None, message_id.as_str(), json!({ "reaction": reaction }))
        }
        CustomerAction::Unreact { message_id } => {
            (None, message_id.as_str(), json!({"reaction": {"mid": message_id, "action": "unreact"}}))
        }
        CustomerAction::Edit { message_id, text } => {
            let number = draft.target.map_or(1, |entry| entry.edits + 1);
            (
                None,
                message_id.as_str(),
                json!({"message_edit": {"mid": message_id, "text": text, "num_edit": number}}),
            )
        }
        CustomerAction::Unsend { message_id } => {
            (None, message_id.as_str(), json!({"message": {"mid": message_id, "is_deleted": true}}))
        }
        CustomerAction::Postback { title, payload } => {
            let postback = json!({"mid": draft.message_id, "title": title, "payload": payload});
            let line = draft.line("postback", Some(title), postback.clone());
            (Some(line), draft.message_id, json!({ "postback": postback }))
        }
        CustomerAction::Raw { content } => {
            let content = Value::Object(content.clone());
            (Some(draft.line("raw", None, content.clone())), draft.message_id, content)
        }
        _ => {
            let (kind, text, mut message) = message(draft, action)?;
            message["mid"] = json!(draft.message_id);
            if let Some(reply_to) = draft.reply_to {
                message["reply_to"] = json!({"mid": reply_to});
            }
            let line = draft.line(kind, text, message.clone());
            (Some(line), draft.message_id, json!({ "message": message }))
        }
    };
    let event = events::from_customer(
        draft.sandbox,
        draft.inbox,
        &draft.customer.id,
        vec![named.to_owned()],
        EventClass::Message,
        content,
    );
    Ok(Drafted { entry: line, event })
}

type Message<'a> = (&'static str, Option<&'a str>, Value);

fn message<'a>(draft: &Draft<'_>, action: &'a CustomerAction) -> Result<Message<'a>, PhoneError> {
    let instagram = draft.inbox.channel == Channel::Instagram;
    let refused = || PhoneError::NotOnChannel { channel: draft.inbox.channel };
    Ok(match action {
        CustomerAction::Text { text, .. } => ("text", Some(text.as_str()), json!({ "text": text })),
        CustomerAction::Image { caption, .. } => {
            ("image", caption.as_deref(), attached(draft, "image", caption.as_deref()))
        }
        CustomerAction::Video { caption, .. } => {
            ("video", caption.as_deref(), attached(draft, "video", caption.as_deref()))
        }
        CustomerAction::Audio { .. } => ("audio", None, attached(draft, "audio", None)),
        CustomerAction::Voice { .. } => ("voice", None, attached(draft, "audio", None)),
        CustomerAction::Document { caption, .. } => {
            ("file", caption.as_deref(), attached(draft, "file", caption.as_deref()))
        }
        CustomerAction::Sticker { .. } if instagram => {
            ("like_heart", None, json!({"attachments": [{"type": "like_heart"}]}))
        }
        CustomerAction::Sticker { .. } => {
            let payload = json!({"url": draft.media.map(|media| cdn_url(draft.sandbox, &media.id)), "sticker_id": 369_239_263_222_822_u64});
            ("sticker", None, json!({"attachments": [{"type": "sticker", "payload": payload}]}))
        }
        CustomerAction::Location { latitude, longitude, name, .. } if !instagram => {
            let title = name.clone().unwrap_or_else(|| format!("{}'s location", draft.customer.name));
            let place = json!({"title": title, "type": "location", "payload": {"coordinates": {"lat": latitude, "long": longitude}}});
            ("location", name.as_deref(), json!({ "attachments": [place] }))
        }
        CustomerAction::QuickReply { title, payload } => {
            ("text", Some(title.as_str()), json!({"text": title, "quick_reply": {"payload": payload}}))
        }
        CustomerAction::StoryReply { text } if instagram => {
            let story = json!({"id": "18010000000000001", "url": story_url(draft)});
            ("story_reply", Some(text.as_str()), json!({"text": text, "reply_to": {"story": story}}))
        }
        CustomerAction::StoryMention if instagram => {
            let mention = json!({"type": "story_mention", "payload": {"url": story_url(draft)}});
            ("story_mention", None, json!({ "attachments": [mention] }))
        }
        CustomerAction::Unsupported => ("unsupported", None, json!({"is_unsupported": true})),
        _ => return Err(refused()),
    })
}

fn attached(draft: &Draft<'_>, kind: &str, caption: Option<&str>) -> Value {
    let url = draft.media.map(|media| cdn_url(draft.sandbox, &media.id));
    let mut message = json!({"attachments": [{"type": kind, "payload": {"url": url}}]});
    if let Some(caption) = caption {
        message["text"] = json!(caption);
    }
    message
}

/// A story is a picture on the CDN.
fn story_url(draft: &Draft<'_>) -> Option<String> {
    let sample = find_sample("photo.jpg")?;
    let mut world = draft.sandbox.world();
    let id = world.ids.decimal(16);
    world.media.put(crate::media::StoredMedia {
        id: id.clone(),
        inbox_id: draft.inbox.id.clone(),
        mime_type: sample.mime_type.to_owned(),
        file_name: None,
        bytes: sample.bytes,
        stored_at_ms: draft.sandbox.clock().now(),
    });
    drop(world);
    Some(cdn_url(draft.sandbox, &id))
}

fn reaction_name(emoji: &str) -> &'static str {
    match emoji.trim_end_matches('\u{fe0f}') {
        "❤" => "love",
        "😆" => "smile",
        "😮" => "wow",
        "😢" => "sad",
        "😠" => "angry",
        "👍" => "like",
        "👎" => "dislike",
        _ => "other",
    }
}
