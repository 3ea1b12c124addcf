//! Polling: `receiveNotification`, `deleteNotification`; and the files of messages.

use std::time::Duration;

use axum::Json;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::call::Call;
use super::delivery;
use super::refusal::Refusal;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Seconds a poll waits for, unless it says otherwise.
const POLL_SECONDS: u64 = 5;

/// The oldest notification, as soon as there is one; `null` when there was none in time. It stays until it is deleted.
pub(super) async fn receive(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Response, Refusal> {
    if call.verb != Method::GET {
        return Err(Refusal::not_found());
    }
    if delivery::is_pushed(sandbox, &inbox.id) {
        return Err(Refusal::invalid("webhookUrl is set, notifications cannot be received over HTTP API"));
    }
    let seconds = call.query.get("receiveTimeout").map_or(Ok(POLL_SECONDS), |text| text.parse());
    let seconds = seconds.ok().filter(|seconds| (5..=60).contains(seconds));
    let seconds = seconds.ok_or_else(|| Refusal::invalid("'receiveTimeout' must be between 5 and 60"))?;
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        let now = sandbox.clock().now();
        let arrived = sandbox.green(&inbox.id, |instance| instance.arrived.clone());
        let notified = arrived.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        let first = sandbox.green(&inbox.id, |instance| {
            instance.forget_expired(now);
            instance.notifications.front().cloned()
        });
        if let Some(first) = first {
            return Ok(Json(json!({"receiptId": first.receipt_id, "body": first.body})).into_response());
        }
        if timeout_at(deadline, notified).await.is_err() {
            return Ok(Json(Value::Null).into_response());
        }
    }
}

/// Answers what is about notifications; `None`: it is not.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    match (call.verb.as_str(), call.method.as_str()) {
        ("DELETE", "deletenotification") => Some(delete(sandbox, inbox, call)),
        ("POST", "downloadfile") => Some(download(sandbox, inbox, call)),
        _ => None,
    }
}

fn delete(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let receipt = call.tail.as_deref().and_then(|tail| tail.parse::<i64>().ok());
    let receipt = receipt.ok_or_else(|| Refusal::invalid("'receiptId' must be a number"))?;
    let deleted = sandbox.green(&inbox.id, |instance| {
        let before = instance.notifications.len();
        instance.notifications.retain(|notification| notification.receipt_id != receipt);
        instance.notifications.len() < before
    });
    let reason = if deleted { "" } else { "Notification with receipt id not found" };
    Ok(json!({"result": deleted, "reason": reason}))
}

fn download(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    call.required("chatId")?;
    let id = call.required("idMessage")?;
    let url = sandbox.green(&inbox.id, |instance| {
        instance.noted_mut(id).and_then(|noted| noted["downloadUrl"].as_str().map(ToOwned::to_owned))
    });
    url.map(|url| json!({ "downloadUrl": url })).ok_or_else(|| Refusal::bad_request("Message not found"))
}
