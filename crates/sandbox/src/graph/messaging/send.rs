//! `POST /{page-id}/messages` and `/me/messages`: send, react, show typing, mark seen.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::GraphError;
use super::super::progress;
use super::attachment;
use crate::channel::Channel;
use crate::chat::{Author, Chat, ChatEntry, ChatMedia, Progress};
use crate::clock::{DAY_MS, SECOND_MS, TimeMs};
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::sandbox::Sandbox;
use crate::world::World;

/// Messenger's limit, in characters.
const TEXT_MAX_CHARACTERS: usize = 2000;
/// Instagram's limit, in bytes of UTF-8.
const INSTAGRAM_TEXT_MAX_BYTES: usize = 1000;
const QUICK_REPLIES_MAX: usize = 13;
const QUICK_REPLY_TITLE_MAX: usize = 20;
const METADATA_MAX: usize = 1000;
/// `HUMAN_AGENT` reaches this far back.
const HUMAN_AGENT_WINDOW_MS: TimeMs = 7 * DAY_MS;
/// Typing is shown this long.
const TYPING_SHOWN_MS: TimeMs = 20 * SECOND_MS;
/// Tags that Meta knows; all but `HUMAN_AGENT` lift the window altogether.
const TAGS: [&str; 6] = [
    "HUMAN_AGENT",
    "CONFIRMED_EVENT_UPDATE",
    "POST_PURCHASE_UPDATE",
    "ACCOUNT_UPDATE",
    "CUSTOMER_FEEDBACK",
    "NOTIFICATION_MESSAGE",
];

/// Sends a message or performs a sender action.
///
/// Errors: 100 and subcodes for parameters, 100/2018001 unknown recipient, 551 blocked, 10/2018278 (Instagram
/// 10/2534022) outside the window.
pub(super) fn post(sandbox: &Sandbox, call: &Call, inbox: &Inbox) -> Result<Value, GraphError> {
    let recipient = call.body.get("recipient").ok_or_else(|| GraphError::missing("recipient"))?;
    let scoped_id = recipient["id"]
        .as_str()
        .map(ToOwned::to_owned)
        .or_else(|| recipient["id"].as_u64().map(|id| id.to_string()));
    let scoped_id = scoped_id.ok_or_else(|| GraphError::parameter("Param recipient must have an id"))?;
    let found = {
        let world = sandbox.world();
        world.find_by_scoped_id(&inbox.id, &scoped_id).map(|customer| (customer.id.clone(), customer.blocked))
    };
    let (customer_id, blocked) =
        found.ok_or_else(|| GraphError::parameter("No matching user found").with_subcode(2_018_001))?;
    if blocked {
        return Err(GraphError::of_code(551).with_subcode(1_545_041));
    }
    if let Some(action) = call.body.get("sender_action") {
        sender_action(sandbox, inbox, &customer_id, action, call.body.get("payload"))?;
        return Ok(json!({"recipient_id": scoped_id}));
    }
    let message_id = send(sandbox, call, inbox, &customer_id)?;
    progress::start(sandbox, inbox, &customer_id, &message_id, None);
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    Ok(json!({"recipient_id": scoped_id, "message_id": message_id}))
}

fn send(sandbox: &Sandbox, call: &Call, inbox: &Inbox, customer_id: &str) -> Result<String, GraphError> {
    let message = call
        .body
        .get("message")
        .filter(|message| message.is_object())
        .ok_or_else(|| GraphError::parameter("Must send one of message or sender_action"))?;
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let (kind, media) = check_message(&world, call, inbox, message)?;
    let window_hours = world.settings.limits.window_hours;
    check_window(call, inbox, world.find_chat(customer_id, &inbox.id), window_hours, now)?;
    let media = keep_upload(&mut world, call, inbox, media, now);
    let message_id = world.message_id(inbox.channel, "", Author::Business);
    let text = message["text"].as_str().or_else(|| message["attachment"]["payload"]["text"].as_str());
    let mut entry =
        ChatEntry::new(message_id.clone(), Author::Business, &kind, text.map(ToOwned::to_owned), now);
    entry.media = media;
    entry.content = message.clone();
    entry.reference = message["metadata"].as_str().map(ToOwned::to_owned);
    let reply_to = call.body.get("reply_to").or_else(|| message.get("reply_to"));
    entry.reply_to = reply_to.and_then(|reply| reply["mid"].as_str()).map(ToOwned::to_owned);
    world.deliver(inbox, customer_id, entry, call.body_value());
    Ok(message_id)
}

fn check_message(
    world: &World,
    call: &Call,
    inbox: &Inbox,
    message: &Value,
) -> Result<(String, Option<ChatMedia>), GraphError> {
    if message["metadata"].as_str().is_some_and(|metadata| metadata.chars().count() > METADATA_MAX) {
        return Err(GraphError::parameter(format!(
            "Length of param message[metadata] must be less than or equal to {METADATA_MAX}"
        )));
    }
    check_quick_replies(message)?;
    let attachment = message.get("attachment").filter(|attachment| !attachment.is_null());
    match (message.get("text").filter(|text| !text.is_null()), attachment) {
        (Some(_), Some(_)) => {
            Err(GraphError::parameter("Cannot send both text and attachment in one message"))
        }
        (None, None) if message["sticker_id"].is_null() => {
            Err(GraphError::parameter("Param message must be non-empty: text or attachment"))
        }
        (None, None) => Ok(("sticker".to_owned(), None)),
        (None, Some(attachment)) => attachment::check(world, call, inbox, attachment),
        (Some(text), None) => {
            let text =
                text.as_str().ok_or_else(|| GraphError::parameter("Param message[text] must be a string"))?;
            check_text(inbox.channel, text)?;
            Ok(("text".to_owned(), None))
        }
    }
}

fn check_text(channel: Channel, text: &str) -> Result<(), GraphError> {
    if text.is_empty() {
        return Err(GraphError::parameter("Param message[text] must be a non-empty UTF-8 encoded string"));
    }
    if channel == Channel::Instagram && text.len() > INSTAGRAM_TEXT_MAX_BYTES {
        let limit = INSTAGRAM_TEXT_MAX_BYTES;
        return Err(GraphError::parameter(format!(
            "Message text must be UTF-8 and should be {limit} bytes or less"
        ))
        .with_subcode(2_534_038));
    }
    if channel == Channel::Messenger && text.chars().count() > TEXT_MAX_CHARACTERS {
        let limit = TEXT_MAX_CHARACTERS;
        return Err(GraphError::parameter(format!(
            "Length of param message[text] must be less than or equal to {limit}"
        )));
    }
    Ok(())
}

fn check_quick_replies(message: &Value) -> Result<(), GraphError> {
    let Some(replies) = message.get("quick_replies").and_then(Value::as_array) else { return Ok(()) };
    if replies.len() > QUICK_REPLIES_MAX {
        return Err(GraphError::parameter(format!(
            "Param message[quick_replies] must have at most {QUICK_REPLIES_MAX} items"
        )));
    }
    for reply in replies {
        let plain = reply["content_type"] == "text";
        let title = reply["title"].as_str().unwrap_or_default().chars().count();
        if plain && !(1..=QUICK_REPLY_TITLE_MAX).contains(&title) {
            let limit = QUICK_REPLY_TITLE_MAX;
            return Err(GraphError::parameter(format!(
                "Quick reply titles must have 1 to {limit} characters"
            )));
        }
        if plain && reply["payload"].as_str().is_none_or(str::is_empty) {
            return Err(GraphError::parameter("Quick replies of type text must have a payload"));
        }
    }
    Ok(())
}

fn check_window(
    call: &Call,
    inbox: &Inbox,
    chat: Option<&Chat>,
    window_hours: u32,
    now: TimeMs,
) -> Result<(), GraphError> {
    let tagged = call.body.get("messaging_type").and_then(Value::as_str) == Some("MESSAGE_TAG");
    let tag = call.parameter("tag");
    if let Some(tag) = tag.as_deref()
        && !TAGS.contains(&tag)
    {
        return Err(GraphError::parameter(format!("Param tag must be one of {{{}}}", TAGS.join(", "))));
    }
    if tagged && tag.is_none() {
        return Err(GraphError::parameter("Param tag is required with messaging_type MESSAGE_TAG"));
    }
    let last = chat.and_then(|chat| chat.last_customer_message_ms);
    let open = chat.is_some_and(|chat| chat.wrote_within(window_hours, now));
    let lifted = match tag.as_deref() {
        Some("HUMAN_AGENT") => last.is_some_and(|at| now - at < HUMAN_AGENT_WINDOW_MS),
        Some(_) => true,
        None => false,
    };
    if open || lifted {
        return Ok(());
    }
    let subcode = if inbox.channel == Channel::Instagram { 2_534_022 } else { 2_018_278 };
    Err(GraphError { http_status: 400, ..GraphError::of_code(10) }
        .with_message("This message is sent outside of allowed window.")
        .with_subcode(subcode))
}

/// A file that came with the send itself is kept, so that the phone can show it.
fn keep_upload(
    world: &mut World,
    call: &Call,
    inbox: &Inbox,
    media: Option<ChatMedia>,
    now: TimeMs,
) -> Option<ChatMedia> {
    let mut media = media?;
    let Some(file) = call.files.first().filter(|_file| media.media_id.is_none()) else { return Some(media) };
    let id = world.ids.decimal(16);
    media.url = format!("/control/media/{id}");
    media.media_id = Some(id.clone());
    world.media.put(StoredMedia {
        id,
        inbox_id: inbox.id.clone(),
        mime_type: file.mime_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        file_name: file.file_name.clone(),
        bytes: file.bytes.clone(),
        stored_at_ms: now,
    });
    Some(media)
}

fn sender_action(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    action: &Value,
    payload: Option<&Value>,
) -> Result<(), GraphError> {
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let chat = world.chat_mut(customer_id, &inbox.id);
    match action.as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "typing_on" => chat.business_typing_until_ms = Some(now + TYPING_SHOWN_MS),
        "typing_off" => chat.business_typing_until_ms = None,
        "mark_seen" => {
            for entry in chat.entries.iter_mut().filter(|entry| entry.author == Author::Customer) {
                entry.progress = Progress::Read;
            }
        }
        name @ ("react" | "unreact") => {
            let target = payload.and_then(|payload| payload["message_id"].as_str());
            let target =
                target.ok_or_else(|| GraphError::parameter("Param payload[message_id] is required"))?;
            let entry = chat.find_mut(target);
            let entry =
                entry.ok_or_else(|| GraphError::parameter("The message to react to was not found"))?;
            let reaction = payload.and_then(|payload| payload["reaction"].as_str()).unwrap_or("love");
            entry.react(Author::Business, (name == "react").then(|| emoji_of(reaction)));
        }
        _ => {
            let known = "mark_seen, typing_on, typing_off, react, unreact";
            return Err(GraphError::parameter(format!("Param sender_action must be one of {{{known}}}")));
        }
    }
    drop(world);
    sandbox.changed("chat", Some(customer_id), Some(&inbox.id));
    Ok(())
}

/// The emoji of a named reaction.
fn emoji_of(reaction: &str) -> &str {
    match reaction {
        "love" => "❤",
        "smile" => "😆",
        "wow" => "😮",
        "sad" => "😢",
        "angry" => "😠",
        "like" => "👍",
        "dislike" => "👎",
        other => other,
    }
}
