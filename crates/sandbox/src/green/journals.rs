//! Journals and queues.

use serde_json::{Value, json};

use super::call::Call;
use super::queue;
use super::refusal::Refusal;
use super::sends::checked_chat;
use crate::clock::{SECOND_MS, TimeMs};
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Minutes that a journal goes back unless it is told otherwise.
const JOURNAL_MINUTES: TimeMs = 1_440;
/// Messages of a history unless it is told otherwise.
const HISTORY_COUNT: usize = 100;
/// The queue of notifications can be emptied once in this time.
const CLEARING_PAUSE_MS: TimeMs = 60 * SECOND_MS;

/// Answers what is about journals and queues; `None`: it is not.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    let now = sandbox.clock().now();
    Some(match (call.verb.as_str(), call.method.as_str()) {
        ("POST", "getchathistory") => history(sandbox, inbox, call),
        ("POST", "getmessage") => message(sandbox, inbox, call),
        ("GET", "lastincomingmessages") => last(sandbox, inbox, call, "incoming", false),
        ("GET", "lastoutgoingmessages") => last(sandbox, inbox, call, "outgoing", false),
        ("GET", "lastincomingcalls") => last(sandbox, inbox, call, "incoming", true),
        ("GET", "lastoutgoingcalls") => last(sandbox, inbox, call, "outgoing", true),
        ("GET", "getmessagescount") => {
            Ok(json!({"count": sandbox.green(&inbox.id, |instance| instance.outgoing.len())}))
        }
        ("GET", "getwebhookscount") => {
            Ok(json!({"count": sandbox.green(&inbox.id, |instance| instance.notifications.len())}))
        }
        ("GET", "showmessagesqueue") => Ok(sandbox.green(&inbox.id, |instance| {
            instance.forget_expired(now);
            instance.outgoing.iter().map(queue::shown).collect()
        })),
        ("GET", "clearmessagesqueue") => {
            sandbox.green(&inbox.id, |instance| instance.outgoing.retain(|waiting| waiting.started));
            Ok(json!({"isCleared": true}))
        }
        ("DELETE", "clearwebhooksqueue") => Ok(clear_webhooks(sandbox, inbox, now)),
        _ => return None,
    })
}

fn clear_webhooks(sandbox: &Sandbox, inbox: &Inbox, now: TimeMs) -> Value {
    sandbox.green(&inbox.id, |instance| {
        let passed = instance.cleared_webhooks_at_ms.map_or(CLEARING_PAUSE_MS, |at| now - at);
        if passed < CLEARING_PAUSE_MS {
            let left = (CLEARING_PAUSE_MS - passed) / SECOND_MS;
            return json!({"isCleared": false, "reason": "Too many requests", "leftTime": left});
        }
        instance.cleared_webhooks_at_ms = Some(now);
        instance.notifications.clear();
        json!({"isCleared": true, "reason": ""})
    })
}

fn history(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let chat = checked_chat(call.required("chatId")?)?;
    let count = call.body.get("count").and_then(Value::as_u64);
    let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(HISTORY_COUNT);
    Ok(sandbox.green(&inbox.id, |instance| {
        let of_chat = instance.journal.iter().rev().filter(|message| message["chatId"] == chat);
        of_chat.take(count).map(public).collect()
    }))
}

fn message(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let chat = checked_chat(call.required("chatId")?)?;
    let id = call.required("idMessage")?;
    let found = sandbox.green(&inbox.id, |instance| {
        let named = |message: &&Value| message["idMessage"] == id && message["chatId"] == chat;
        instance.journal.iter().find(named).map(public)
    });
    found.ok_or_else(|| Refusal::bad_request("Message not found"))
}

fn last(
    sandbox: &Sandbox,
    inbox: &Inbox,
    call: &Call,
    direction: &str,
    calls: bool,
) -> Result<Value, Refusal> {
    let minutes = call.query.get("minutes").map_or(Ok(JOURNAL_MINUTES), |text| text.parse());
    let minutes = minutes.map_err(|_| Refusal::invalid("'minutes' must be a number"))?;
    let since = sandbox.clock().now() / SECOND_MS - minutes.saturating_mul(60);
    Ok(sandbox.green(&inbox.id, |instance| {
        let wanted = |message: &&Value| {
            let is_call = matches!(message["typeMessage"].as_str(), Some("incomingCall" | "outgoingCall"));
            message["type"] == direction
                && is_call == calls
                && message["timestamp"].as_i64().is_some_and(|at| at >= since)
        };
        instance.journal.iter().rev().filter(wanted).map(public).collect()
    }))
}

/// Without the sandbox's own notes.
fn public(message: &Value) -> Value {
    let mut message = message.clone();
    if let Value::Object(fields) = &mut message {
        fields.remove("_messageData");
    }
    message
}
