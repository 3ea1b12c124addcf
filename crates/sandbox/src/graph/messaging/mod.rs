//! Messenger and Instagram: what a Page and an Instagram account answer.

mod attachment;
pub(crate) mod events;
pub(super) mod profile;
mod send;

use axum::http::Method;
use serde_json::{Value, json};

use super::call::Call;
use super::error::GraphError;
use super::{selected, success};
use crate::channel::Channel;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Everything below a Page id, an Instagram account id or `me`.
pub(super) fn answer(
    sandbox: &Sandbox,
    call: &Call,
    inbox: &Inbox,
    edge: &[&str],
) -> Result<Value, GraphError> {
    match (&call.method, edge) {
        (&Method::POST, ["messages"]) => send::post(sandbox, call, inbox),
        (&Method::POST, ["message_attachments"]) => attachment::upload(sandbox, call, inbox),
        (&Method::GET, []) => Ok(selected(account(inbox), call)),
        (&Method::GET, ["subscribed_apps"]) => Ok(subscriptions(inbox)),
        (&Method::POST, ["subscribed_apps"]) => Ok(subscribe(sandbox, inbox, true)),
        (&Method::DELETE, ["subscribed_apps"]) => Ok(subscribe(sandbox, inbox, false)),
        (&Method::POST | &Method::DELETE, ["messenger_profile"]) => Ok(json!({"result": "success"})),
        _ => Err(GraphError::unknown_object(call.method.as_str(), &inbox.account_id)),
    }
}

fn account(inbox: &Inbox) -> Value {
    match inbox.channel {
        Channel::Instagram => json!({
            "id": inbox.account_id, "user_id": inbox.account_id, "username": inbox.name, "name": inbox.name,
            "account_type": "BUSINESS",
        }),
        _ => json!({"id": inbox.account_id, "name": inbox.name, "category": "Coffee shop"}),
    }
}

fn subscriptions(inbox: &Inbox) -> Value {
    let fields = ["messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_echoes"];
    let app = json!({"id": inbox.app_id, "name": "Sandbox app", "subscribed_fields": fields});
    json!({"data": if inbox.subscribed { vec![app] } else { Vec::new() }})
}

fn subscribe(sandbox: &Sandbox, inbox: &Inbox, subscribed: bool) -> Value {
    if let Some(stored) = sandbox.world().inboxes.get_mut(&inbox.id) {
        stored.subscribed = subscribed;
    }
    success()
}
