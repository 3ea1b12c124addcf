//! What is written in a conversation.

use serde_json::{Map, Value, json};

use super::call::{Call, CallFile, integer, text};
use super::refusal::Refusal;
use super::state::{Attachment, Conversation, Message, Sender};
use super::turn::Turn;
use super::{conversations, shape};
use crate::media::StoredMedia;

/// Messages without a parameter, and before one.
const PAGE: usize = 20;
/// Messages after one.
const PAGE_AFTER: usize = 100;
/// Messages between two.
const PAGE_BETWEEN: usize = 1_000;
/// Longest content.
const CONTENT_MAX_CHARS: usize = 150_000;
/// Files of one message.
const FILES_MAX: usize = 15;
/// Messages of one conversation a minute.
const PER_MINUTE: usize = 200;

pub(super) fn list(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let internal = call.param("filter_internal_messages").is_none_or(|flag| flag == "0" || flag == "false");
    let (before, after) = (call.number("before"), call.number("after"));
    let base_url = turn.base_url;
    let found = turn.account.conversations.get(&id).ok_or(Refusal::NotFound)?;
    let wanted = |message: &&Message| internal || !(message.private || message.message_type == 2);
    let mut listed: Vec<&Message> = found.messages.iter().filter(wanted).collect();
    listed.sort_by_key(|message| (message.created_at_ms, message.id));
    let newest = |listed: &mut Vec<&Message>, count: usize| {
        let surplus = listed.len().saturating_sub(count);
        listed.drain(..surplus);
    };
    match (before, after) {
        (None, None) => newest(&mut listed, PAGE),
        (Some(before), None) => {
            listed.retain(|message| message.id < before);
            newest(&mut listed, PAGE);
        }
        (None, Some(after)) => {
            listed.retain(|message| message.id > after);
            listed.truncate(PAGE_AFTER);
        }
        (Some(before), Some(after)) => {
            listed.retain(|message| message.id >= after && message.id < before);
            listed.truncate(PAGE_BETWEEN);
        }
    }
    let shown: Vec<Value> =
        listed.into_iter().map(|message| shape::message(turn.account, found, message, base_url)).collect();
    let contact = turn.account.contacts.get(&found.contact_id);
    let meta = json!({
        "labels": found.labels, "additional_attributes": found.additional_attributes,
        "contact": contact.map(|contact| shape::contact(turn.account, contact, false)),
        "agent_last_seen_at": shape::iso(found.agent_last_seen_at_ms), "assignee_last_seen_at": null,
    });
    Ok(json!({"meta": meta, "payload": shown}))
}

pub(super) fn create(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let sender = match call.text("message_type").as_deref() {
        Some("incoming") => Sender::Contact(turn.conversation(id)?.contact_id),
        _ => Sender::Agent(turn.agent.id),
    };
    let mut fields = call.body.clone();
    if let Some(attributes) = call.object("content_attributes") {
        fields.insert("content_attributes".to_owned(), Value::Object(attributes));
    }
    let message_id = write(turn, id, &fields, &call.files, sender)?;
    let conversation = turn.account.conversations.get(&id).ok_or(Refusal::NotFound)?;
    let message = conversation.messages.iter().find(|message| message.id == message_id);
    let message = message.ok_or(Refusal::NotFound)?;
    let mut shown = shape::message(turn.account, conversation, message, turn.base_url);
    // Only echoed, never kept.
    if let Some(echo_id) = call.body.get("echo_id") {
        shown["echo_id"] = echo_id.clone();
    }
    Ok(shown)
}

/// Writes a message, moves the conversation and tells of both; returns the message's id.
pub(super) fn write(
    turn: &mut Turn<'_>,
    conversation_id: i64,
    fields: &Map<String, Value>,
    files: &[CallFile],
    sender: Sender,
) -> Result<i64, Refusal> {
    let word = |name: &str| fields.get(name).and_then(text).filter(|text| !text.is_empty());
    let message_type = match word("message_type").as_deref() {
        None | Some("outgoing" | "1") => 1,
        Some("incoming" | "0") => 0,
        Some("template" | "3") => 3,
        Some(other) => return Err(Refusal::Unprocessable(format!("'{other}' is not a valid message_type"))),
    };
    let inbox_id = turn.conversation(conversation_id)?.inbox_id;
    let inbox = turn.account.inboxes.get(&inbox_id).ok_or(Refusal::NotFound)?;
    if message_type == 0 && inbox.channel_type != "Channel::Api" {
        return Err(Refusal::Unprocessable("Incoming messages are only allowed in Api inboxes".to_owned()));
    }
    let content = word("content");
    if content.as_ref().is_some_and(|content| content.chars().count() > CONTENT_MAX_CHARS) {
        let message = "Validation failed: Content is too long (maximum is 150000 characters)".to_owned();
        return Err(Refusal::Unprocessable(message));
    }
    if files.len() > FILES_MAX {
        let message = "Validation failed: Attachments exceeded maximum allowed".to_owned();
        return Err(Refusal::Unprocessable(message));
    }
    let now = turn.now;
    let recent = turn.conversation(conversation_id)?.messages.iter().rev();
    if recent.take_while(|message| message.created_at_ms > now - 60_000).count() >= PER_MINUTE {
        return Err(Refusal::Unprocessable("Validation failed: Too many messages".to_owned()));
    }
    let id = turn.next_id();
    let attachments = files.iter().map(|file| keep(turn, inbox_id, file)).collect();
    let private = fields.get("private").is_some_and(|flag| *flag == json!(true) || *flag == json!("true"));
    let mut attributes =
        fields.get("content_attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(at) = fields.get("external_created_at").and_then(integer) {
        attributes.insert("external_created_at".to_owned(), json!(at));
    }
    link_reply(turn.conversation(conversation_id)?, &mut attributes);
    let message = Message {
        id,
        message_type,
        content,
        content_type: word("content_type").unwrap_or_else(|| "text".to_owned()),
        content_attributes: attributes,
        private,
        status: "sent".to_owned(),
        source_id: word("source_id"),
        sender,
        attachments,
        created_at_ms: now,
        updated_at_ms: now,
    };
    let conversation = turn.conversation(conversation_id)?;
    conversation.messages.push(message);
    conversation.last_activity_at_ms = now;
    conversation.updated_at_ms = now;
    match message_type {
        0 if conversation.waiting_since_ms == 0 => conversation.waiting_since_ms = now,
        1 if !private => {
            conversation.waiting_since_ms = 0;
            conversation.first_reply_created_at_ms.get_or_insert(now);
            conversation.agent_last_seen_at_ms = now;
        }
        _ => {}
    }
    let asleep = message_type == 0 && ["resolved", "snoozed"].contains(&conversation.status.as_str());
    let contact_id = conversation.contact_id;
    if message_type == 0 {
        turn.contact(contact_id)?.last_activity_at_ms = Some(now);
    }
    if asleep {
        conversations::set_status(turn, conversation_id, "open", None)?;
    }
    turn.tell_message("message_created", conversation_id, id);
    Ok(id)
}

/// What a message answers is known by both its ids, whichever was given.
fn link_reply(conversation: &Conversation, attributes: &mut Map<String, Value>) {
    let given = |name: &str| attributes.get(name).filter(|value| !value.is_null());
    let found = match (given("in_reply_to"), given("in_reply_to_external_id")) {
        (Some(id), _) => conversation.messages.iter().find(|message| integer(id) == Some(message.id)),
        (None, Some(source)) => {
            conversation.messages.iter().find(|message| source.as_str() == message.source_id.as_deref())
        }
        (None, None) => return,
    };
    if let Some(found) = found {
        attributes.insert("in_reply_to".to_owned(), json!(found.id));
        attributes.insert("in_reply_to_external_id".to_owned(), json!(found.source_id));
    }
}

/// Puts a file on the shelf.
fn keep(turn: &mut Turn<'_>, inbox_id: i64, file: &CallFile) -> Attachment {
    let id = turn.next_id();
    let media_id = turn.ids.uuid();
    turn.media.put(StoredMedia {
        id: media_id.clone(),
        inbox_id: format!("chatwoot-{inbox_id}"),
        mime_type: file.mime_type.clone(),
        file_name: Some(file.name.clone()),
        bytes: file.bytes.clone(),
        stored_at_ms: turn.now,
    });
    let file_type = match file.mime_type.split('/').next() {
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        _ => "file",
    };
    Attachment {
        id,
        file_type,
        media_id,
        file_name: file.name.clone(),
        content_type: file.mime_type.clone(),
        file_size: file.bytes.len(),
    }
}

fn shown(turn: &mut Turn<'_>, conversation_id: i64, id: i64) -> Result<Value, Refusal> {
    turn.message(conversation_id, id)?;
    let conversation = turn.account.conversations.get(&conversation_id).ok_or(Refusal::NotFound)?;
    let message = conversation.messages.iter().find(|message| message.id == id).ok_or(Refusal::NotFound)?;
    Ok(shape::message(turn.account, conversation, message, turn.base_url))
}

pub(super) fn update(
    turn: &mut Turn<'_>,
    conversation_id: i64,
    id: i64,
    call: &Call,
) -> Result<Value, Refusal> {
    let inbox_id = turn.conversation(conversation_id)?.inbox_id;
    let is_api =
        turn.account.inboxes.get(&inbox_id).is_some_and(|inbox| inbox.channel_type == "Channel::Api");
    if !is_api {
        let text = "Message status update is only allowed for API inboxes".to_owned();
        return Err(Refusal::Forbidden(text));
    }
    let status = call.text("status").unwrap_or_default();
    if !["sent", "delivered", "read", "failed"].contains(&status.as_str()) {
        return Err(Refusal::Unprocessable(format!("'{status}' is not a valid status")));
    }
    set_status(turn, conversation_id, id, &status, call.text("external_error"))?;
    shown(turn, conversation_id, id)
}

/// A message's way; what was read is never only delivered again.
pub(super) fn set_status(
    turn: &mut Turn<'_>,
    conversation_id: i64,
    id: i64,
    status: &str,
    error: Option<String>,
) -> Result<(), Refusal> {
    let now = turn.now;
    let message = turn.message(conversation_id, id)?;
    if message.status == "read" && status == "delivered" || message.status == status {
        return Ok(());
    }
    status.clone_into(&mut message.status);
    message.updated_at_ms = now;
    if let Some(error) = error.filter(|_| status == "failed") {
        message.content_attributes.insert("external_error".to_owned(), json!(error));
    }
    turn.tell_message("message_updated", conversation_id, id);
    Ok(())
}

/// A tombstone stays.
pub(super) fn delete(turn: &mut Turn<'_>, conversation_id: i64, id: i64) -> Result<Value, Refusal> {
    let now = turn.now;
    let message = turn.message(conversation_id, id)?;
    message.content = Some("This message was deleted".to_owned());
    message.content_type = "text".to_owned();
    message.content_attributes = Map::from_iter([("deleted".to_owned(), json!(true))]);
    message.attachments.clear();
    message.updated_at_ms = now;
    turn.tell_message("message_updated", conversation_id, id);
    shown(turn, conversation_id, id)
}

pub(super) fn retry(turn: &mut Turn<'_>, conversation_id: i64, id: i64) -> Result<Value, Refusal> {
    let message = turn.message(conversation_id, id)?;
    if message.status != "failed" {
        return shown(turn, conversation_id, id);
    }
    message.source_id = None;
    message.content_attributes.remove("external_error");
    set_status(turn, conversation_id, id, "sent", None)?;
    shown(turn, conversation_id, id)
}
