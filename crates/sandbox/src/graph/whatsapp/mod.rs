//! WhatsApp Cloud API: what a number and a business account answer.

mod account;
mod check;
mod check_interactive;
mod check_template;
pub(crate) mod events;
pub(super) mod media;
mod send;

use axum::http::Method;
use serde_json::Value;

use super::call::Call;
use super::error::GraphError;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// `object` is the number's id or the business account's id.
pub(super) fn answer(
    sandbox: &Sandbox,
    call: &Call,
    inbox: &Inbox,
    object: &str,
    edge: &[&str],
) -> Result<Value, GraphError> {
    let unknown = || GraphError::unknown_object(call.method.as_str(), object);
    if object != inbox.account_id {
        return account::answer(sandbox, call, inbox, edge).ok_or_else(unknown)?;
    }
    match (&call.method, edge) {
        (&Method::POST, ["messages"]) => send::post(sandbox, call, inbox),
        (&Method::POST, ["media"]) => media::upload(sandbox, call, inbox),
        (&Method::GET, []) => Ok(account::number(call, inbox)),
        (&Method::POST, [] | ["register" | "deregister" | "subscribed_apps"]) => Ok(super::success()),
        (&Method::GET, ["whatsapp_business_profile"]) => Ok(account::profile(inbox)),
        _ => Err(unknown()),
    }
}
