//! The queue of messages: first in, first out, kept for a day, standing still while the instance cannot send.

use serde_json::{Value, json};

use super::events;
use super::instance::{InstanceState, Waiting};
use crate::chat::Progress;
use crate::graph::progress;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Sends everything that waits, if the instance can send.
pub(crate) fn run(sandbox: &Sandbox, inbox: &Inbox) {
    let now = sandbox.clock().now();
    let ready: Vec<Waiting> = sandbox.green(&inbox.id, |instance| {
        instance.forget_expired(now);
        if instance.state != InstanceState::Authorized {
            return Vec::new();
        }
        let waiting = instance.outgoing.iter_mut().filter(|waiting| !waiting.started);
        waiting
            .map(|waiting| {
                waiting.started = true;
                waiting.clone()
            })
            .collect()
    });
    for waiting in ready {
        progress::start(sandbox, inbox, &waiting.customer_id, &waiting.message_id, waiting.doomed);
    }
}

/// The message left: the echo, and its first status.
pub(crate) fn sent(sandbox: &Sandbox, inbox: &Inbox, message_id: &str) {
    let Some(waiting) = take(sandbox, inbox, message_id) else { return };
    let data = sandbox.green(&inbox.id, |instance| {
        let noted = instance.noted_mut(message_id)?;
        noted["statusMessage"] = json!("sent");
        Some(noted["_messageData"].clone())
    });
    let chat = waiting.chat_id.as_str();
    if let Some(data) = data {
        let echo = events::outgoing(sandbox, inbox, &waiting.customer_id, chat, (message_id, true), &data);
        sandbox.tell(echo);
    }
    sandbox.tell(events::status(sandbox, inbox, (chat, message_id), "sent", None));
}

/// The message will not arrive.
pub(crate) fn failed(sandbox: &Sandbox, inbox: &Inbox, message_id: &str, code: i64) {
    let Some(waiting) = take(sandbox, inbox, message_id) else { return };
    let (status, description) = match code {
        NO_ACCOUNT => ("noAccount", "The recipient's number is not registered in WhatsApp"),
        NOT_IN_GROUP => ("notInGroup", "The instance is not a member of the group"),
        _ => ("failed", "The message could not be sent"),
    };
    note_status(sandbox, inbox, message_id, status);
    let chat = waiting.chat_id.as_str();
    sandbox.tell(events::status(sandbox, inbox, (chat, message_id), status, Some(description)));
}

/// Why a message is doomed, in the sandbox's own numbers.
pub(super) const NO_ACCOUNT: i64 = 1;
pub(super) const NOT_IN_GROUP: i64 = 2;

/// The message arrived, or was read.
pub(crate) fn moved(sandbox: &Sandbox, inbox: &Inbox, message_id: &str, progress: Progress) {
    let status = if progress == Progress::Read { "read" } else { "delivered" };
    if let Some(chat) = note_status(sandbox, inbox, message_id, status) {
        sandbox.tell(events::status(sandbox, inbox, (&chat, message_id), status, None));
    }
}

fn take(sandbox: &Sandbox, inbox: &Inbox, message_id: &str) -> Option<Waiting> {
    sandbox.green(&inbox.id, |instance| {
        let index = instance.outgoing.iter().position(|waiting| waiting.message_id == message_id)?;
        instance.outgoing.remove(index)
    })
}

/// Notes it in the journal and returns the chat.
fn note_status(sandbox: &Sandbox, inbox: &Inbox, message_id: &str, status: &str) -> Option<String> {
    sandbox.green(&inbox.id, |instance| {
        let noted = instance.noted_mut(message_id)?;
        noted["statusMessage"] = json!(status);
        noted["chatId"].as_str().map(ToOwned::to_owned)
    })
}

/// Puts the instance into another state and tells so; what waits goes out when it can.
pub(crate) fn change_state(sandbox: &Sandbox, inbox: &Inbox, state: InstanceState) {
    let before = sandbox.green(&inbox.id, |instance| std::mem::replace(&mut instance.state, state));
    if before != state {
        sandbox.tell(events::state(sandbox, inbox, state));
    }
    run(sandbox, inbox);
}

/// `showMessagesQueue`
pub(super) fn shown(waiting: &Waiting) -> Value {
    json!({"messageID": waiting.message_id, "type": waiting.method, "body": waiting.body})
}
