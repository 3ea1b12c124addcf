//! Whether a message may go now: the window of its network, the session behind its inbox, the pace of strangers.

use frontdesk_model::Timestamp;
use frontdesk_model::capabilities::ReplyWindow;
use frontdesk_model::conversation::WindowState;
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::linked::SessionState;
use frontdesk_model::message::MessageKind;
use frontdesk_store::linked_sessions::{self, LinkedSessionRow};
use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_store::{StoreError, inboxes as stored_inboxes};

use super::outgoing::{Cargo, Job};
use crate::linked::Place;
use crate::linked::pacing::{self, Leave};
use crate::{Engine, inboxes};

/// Whether a session may write to this customer now: a number that writes to many strangers is banned.
pub(super) async fn leave_of(
    engine: &Engine,
    inbox: &inboxes::Inbox,
    job: &Job,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Leave, StoreError> {
    let settings = engine.settings.linked.clone();
    let is_real = inbox
        .channel
        .sessions()
        .and_then(|sessions| sessions.driver(&engine.channels, &inbox.config.settings).ok())
        .is_some_and(|driver| driver.is_real);
    let is_answer = job.conversation.last_inbound_at.is_some();
    if is_answer || !(is_real || settings.pace_simulated) {
        return Ok(Leave::Go);
    }
    let whom = (row.account_id, row.inbox_id, row.conversation_id);
    engine.store.write(move |tx| pacing::take(tx, &settings, whom, rand::random(), now)).await
}

/// True while nobody is signed in on the account behind an inbox, or the network stopped it: its provider would take
/// messages and keep them to itself.
pub(super) async fn is_signed_out(engine: &Engine, row: &OutboxRow) -> Result<bool, StoreError> {
    match inboxes::get(engine, row.account_id, row.inbox_id).await {
        Ok(inbox) => Ok(is_at_rest(inbox.state.code)),
        Err(inboxes::InboxError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Wakes the queue of an inbox that was held and can send by now, for `soon`. Whoever connects it wakes its queue, and a row that was
/// claimed at that moment was not in it.
pub(super) async fn wake_if_back(
    engine: &Engine,
    inbox: &inboxes::Inbox,
    row: &OutboxRow,
    soon: Timestamp,
) -> Result<(), StoreError> {
    let (account, id, now) = (row.account_id, row.inbox_id, engine.clock.now());
    let is_session = inbox.channel.sessions().is_some();
    let is_here = is_session && engine.linked().place_of(id) == Place::Here;
    engine
        .store
        .write(move |tx| {
            let Some(code) = stored_inboxes::settled_state(tx, account, id)? else { return Ok(()) };
            let is_back = if is_session {
                // Another node may have it, of which this one has not heard.
                let session = linked_sessions::find(tx, account, id)?;
                let is_held = |row: &LinkedSessionRow| {
                    row.state == SessionState::Connected && row.owner_at(now).is_some()
                };
                is_here || session.as_ref().is_some_and(is_held)
            } else {
                !is_at_rest(code)
            };
            if is_back { outbox::wake_inbox(tx, id, soon) } else { Ok(()) }
        })
        .await
}

/// Nobody is signed in, or the network stopped it.
const fn is_at_rest(code: ConnectionCode) -> bool {
    matches!(code, ConnectionCode::Reconnect | ConnectionCode::Paused)
}

/// True when the customer's last message is too old for this one.
pub(super) fn is_outside_window(job: &Job, window: Option<ReplyWindow>, now: Timestamp) -> bool {
    if matches!(&job.cargo, Cargo::Message { message, .. } if message.kind == MessageKind::Template) {
        return false;
    }
    let reach = window
        .map(|w| ReplyWindow { duration_ms: w.extended_ms.unwrap_or(w.duration_ms), extended_ms: None });
    !WindowState::at(reach, job.conversation.last_inbound_at, now).is_open()
}
