//! What sockets and webhooks are told of sessions beside the event log: codes, which hold for moments.

use frontdesk_channels::linked_whatsapp::qr;
use frontdesk_model::AccountId;
use frontdesk_model::Timestamp;
use frontdesk_model::linked::SessionState;
use frontdesk_store::StoreError;
use frontdesk_store::linked_sessions::LinkedSessionRow;
use serde_json::{Value, json};

use crate::Engine;
use crate::realtime::channel_name::{self, PRIVATE_INBOX};
use crate::realtime::{protocol, render};
use crate::webhooks::passing;

/// The payload of `SessionStatusChanged`: what simple clients know, and more beside it.
pub(super) fn status(session_id: &str, state: SessionState, reason: Option<&str>, since: Timestamp) -> Value {
    json!({
        "sessionId": session_id,
        "session_id": session_id,
        "status": state.status(),
        "state": state,
        "reason": reason,
        "since": since,
    })
}

/// Tells the account that another code waits to be scanned or typed.
pub(super) async fn announce_code(
    engine: &Engine,
    session: &LinkedSessionRow,
    state: SessionState,
    code: &str,
    attempt: i64,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let data = json!({
        "sessionId": session.session_id,
        "session_id": session.session_id,
        "inbox_id": session.inbox_id,
        "state": state,
        "qr": (state == SessionState::Qr).then_some(code),
        "code": (state == SessionState::Code).then_some(code),
        "attempt": attempt,
        "expires_at": expires_at,
    });
    tell(engine, session.account_id, "session.qr", &data);
    tell(engine, session.account_id, &render::wire_name("SessionQr"), &data);
    if state != SessionState::Qr {
        return Ok(());
    }
    let image = qr::data_uri(code).ok();
    passing::tell_qr(engine, session.inbox_id, code, image.as_deref(), Some(expires_at)).await
}

fn tell(engine: &Engine, account: AccountId, name: &str, data: &Value) {
    let (realtime, data) = (engine.realtime(), data.to_string());
    for channel in [channel_name::of_account(account), PRIVATE_INBOX.to_owned()] {
        realtime.publish_everywhere(account, &channel, &protocol::event(name, &channel, &data), None);
    }
}
