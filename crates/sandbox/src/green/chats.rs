//! Read marks, changes and deletions, archive.

use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Refusal;
use super::sends::checked_chat;
use crate::chat::{Author, Progress};
use crate::clock::{HOUR_MS, TimeMs};
use crate::inbox::Inbox;
use crate::phone_number::digits;
use crate::sandbox::Sandbox;

/// A message can be changed this long.
const EDIT_WINDOW_MS: TimeMs = HOUR_MS / 4;

/// Answers what is about chats; `None`: it is not.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    if call.verb != axum::http::Method::POST {
        return None;
    }
    let chat = || checked_chat(call.required("chatId")?);
    Some(match call.method.as_str() {
        "readchat" => chat().map(|chat| read(sandbox, inbox, call, &chat)),
        "editmessage" => chat().and_then(|chat| edit(sandbox, inbox, call, &chat)),
        "deletemessage" => chat().and_then(|chat| delete(sandbox, inbox, call, &chat)),
        "archivechat" | "unarchivechat" => chat().map(|_chat| Value::Null),
        "setdisappearingchat" => chat().and_then(|chat| disappearing(call, &chat)),
        _ => return None,
    })
}

/// The customer whose chat it is; a group stands for itself.
fn customer_of(sandbox: &Sandbox, chat_id: &str) -> String {
    let world = sandbox.world();
    let private = |private: &str| {
        world
            .customers
            .values()
            .find(|customer| digits(&customer.bsuid) == private)
            .map(|found| found.id.clone())
    };
    match chat_id.split_once('@') {
        Some((id, "lid")) => private(id),
        Some((phone, "c.us")) => world.find_by_phone(phone).map(|customer| customer.id.clone()),
        _ => None,
    }
    .unwrap_or_else(|| chat_id.to_owned())
}

fn read(sandbox: &Sandbox, inbox: &Inbox, call: &Call, chat_id: &str) -> Value {
    let customer_id = customer_of(sandbox, chat_id);
    let mut world = sandbox.world();
    let chat = world.chat_mut(&customer_id, &inbox.id);
    let only = call.text("idMessage");
    let mut found = only.is_none();
    for entry in chat.entries.iter_mut().filter(|entry| entry.author == Author::Customer) {
        if only.is_none_or(|id| id == entry.id) {
            entry.progress = Progress::Read;
            found = true;
        }
    }
    drop(world);
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    json!({ "setRead": found })
}

fn edit(sandbox: &Sandbox, inbox: &Inbox, call: &Call, chat_id: &str) -> Result<Value, Refusal> {
    let (id, text) = (call.required("idMessage")?, call.required("message")?);
    let customer_id = customer_of(sandbox, chat_id);
    let now = sandbox.clock().now();
    {
        let mut world = sandbox.world();
        let entry = world.chat_mut(&customer_id, &inbox.id).find_mut(id);
        let entry =
            entry.filter(|entry| entry.author == Author::Business && now - entry.at_ms < EDIT_WINDOW_MS);
        let entry = entry.ok_or_else(|| Refusal::bad_request("Message not found or can not be edited"))?;
        entry.text = Some(text.to_owned());
        entry.edits += 1;
    }
    let made = sandbox.world().ids.green_id();
    sandbox.green(&inbox.id, |instance| {
        if let Some(noted) = instance.noted_mut(id) {
            noted["isEdited"] = json!(true);
        }
    });
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    Ok(json!({ "idMessage": made }))
}

fn delete(sandbox: &Sandbox, inbox: &Inbox, call: &Call, chat_id: &str) -> Result<Value, Refusal> {
    let id = call.required("idMessage")?;
    let customer_id = customer_of(sandbox, chat_id);
    let only_here = call.body.get("onlySenderDelete").and_then(Value::as_bool).unwrap_or(false);
    if !only_here {
        let mut world = sandbox.world();
        if let Some(entry) = world.chat_mut(&customer_id, &inbox.id).find_mut(id) {
            entry.deleted = true;
            entry.text = None;
            entry.media = None;
        }
    }
    sandbox.green(&inbox.id, |instance| {
        if let Some(noted) = instance.noted_mut(id) {
            noted["isDeleted"] = json!(true);
        }
    });
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    Ok(Value::Null)
}

fn disappearing(call: &Call, chat_id: &str) -> Result<Value, Refusal> {
    let seconds = call.body.get("ephemeralExpiration").and_then(Value::as_u64);
    let seconds = seconds.filter(|seconds| matches!(seconds, 0 | 86_400 | 604_800 | 7_776_000));
    let seconds = seconds
        .ok_or_else(|| Refusal::invalid("'ephemeralExpiration' must be one of 0, 86400, 604800, 7776000"))?;
    Ok(json!({
        "chatId": chat_id, "disappearingMessagesInChat": seconds > 0, "ephemeralExpiration": seconds,
    }))
}
