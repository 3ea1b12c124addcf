//! Writing down how far a session is, and telling everyone: the row, the state of its inbox and the event, in one transaction.

use frontdesk_model::linked::{LinkedPhone, SessionState};
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::linked_sessions::{self, LinkedSessionRow, SessionCode, SessionNote};
use frontdesk_store::{StoreError, Tx, inboxes, outbox};
use serde_json::json;

use super::live;
use crate::Engine;
use crate::vault::VaultError;

/// What the code of a session is sealed for.
pub(super) fn code_purpose(inbox: InboxId) -> String {
    format!("linked_sessions.code:{inbox}")
}

/// What a keeper writes down.
pub(super) struct Told {
    pub(super) note: SessionNote,
    /// Whose phone is linked, when that is told.
    pub(super) phone: Option<LinkedPhone>,
    /// Whether the session is to be connected from now on, when that changes.
    pub(super) wanted: Option<bool>,
}

impl Told {
    /// A state without more.
    pub(super) fn state(state: SessionState, restarts: i64) -> Self {
        let note = SessionNote { state, reason: None, banned_until: None, restarts };
        Self { note, phone: None, wanted: None }
    }

    /// The same with what is told beside it, for people.
    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.note.reason = Some(reason.into()).filter(|reason: &String| !reason.is_empty());
        self
    }

    /// The same; nothing goes on by itself afterwards.
    pub(super) fn at_rest(mut self) -> Self {
        self.wanted = Some(false);
        self
    }
}

/// Writes a state; false when another node holds the session by now.
pub(super) async fn write(
    engine: &Engine,
    session: &LinkedSessionRow,
    told: Told,
) -> Result<bool, StoreError> {
    let (session, owner, now) = (session.clone(), engine.node_id.clone(), engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let inbox = session.inbox_id;
            if !linked_sessions::set_state(tx, inbox, &owner, &told.note, now)? {
                return Ok(false);
            }
            if let Some(phone) = &told.phone {
                linked_sessions::set_phone(tx, inbox, &owner, phone, now)?;
            }
            if let Some(wanted) = told.wanted {
                linked_sessions::set_wanted(tx, session.account_id, inbox, wanted, now)?;
            }
            tell(tx, &session, told.note.state, told.note.reason.as_deref(), now)?;
            Ok(true)
        })
        .await
}

/// Seals and writes the code that waits; false when another node holds the session by now.
pub(super) async fn write_code(
    engine: &Engine,
    session: &LinkedSessionRow,
    state: SessionState,
    code: &str,
    attempt: i64,
    expires_in_ms: i64,
) -> Result<bool, CodeError> {
    let sealed = engine.vault.seal(&code_purpose(session.inbox_id), code.as_bytes())?;
    let (row, owner, now) = (session.clone(), engine.node_id.clone(), engine.clock.now());
    let expires_at = now.plus_ms(expires_in_ms.max(0));
    let written = engine
        .store
        .write(move |tx| {
            let shown = SessionCode { state, sealed: &sealed, attempt, expires_at };
            if !linked_sessions::set_code(tx, row.inbox_id, &owner, shown, now)? {
                return Ok(false);
            }
            tell(tx, &row, state, None, now)?;
            Ok::<_, StoreError>(true)
        })
        .await?;
    if written {
        live::announce_code(engine, session, state, code, attempt, expires_at).await?;
    }
    Ok(written)
}

/// A code could not be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodeError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings the state of the inbox in step, and leaves an event when the session is in another state than before.
fn tell(
    tx: &mut Tx<'_>,
    before: &LinkedSessionRow,
    state: SessionState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (account, inbox) = (before.account_id, before.inbox_id);
    let Some(row) = linked_sessions::find(tx, account, inbox)? else { return Ok(()) };
    let shown = state.connection(reason);
    let changed = inboxes::set_state(tx, account, inbox, &shown, now)?;
    if state == SessionState::Connected {
        outbox::wake_inbox(tx, inbox, now)?;
    }
    if changed || before.state != state || before.reason.as_deref() != reason {
        let session = live::status(&row.session_id, state, reason, row.since);
        let shown = frontdesk_model::inbox::ConnectionState { since: Some(row.since), ..shown };
        tx.emit(NewEvent {
            account_id: account,
            kind: EventKind::InboxStateChanged,
            conversation_id: None,
            message_id: None,
            data: Some(json!({ "inbox_id": inbox, "state": shown, "session": session }).to_string()),
        });
    }
    Ok(())
}
