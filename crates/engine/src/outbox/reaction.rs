//! Reactions on their way: what is sent, and what the outcome changes.
//!
//! A reaction is shown as soon as it is queued. When it fails for good, what stood before it stands again; a reaction
//! that came after it is left alone, and learns what stood before the failed one.

use frontdesk_model::inbound::StatusNews;
use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_model::outbound::OutboundBody;
use frontdesk_model::{ReactionSendId, RemoteId, Timestamp};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_store::reaction_sends::{self, ReactionSendRow};
use frontdesk_store::{StoreError, Tx, conversations, messages, reactions};
use serde_json::json;

/// What a claimed row sends.
pub(super) struct ReactionCargo {
    pub(super) send: ReactionSendRow,
    target: RemoteId,
}

impl ReactionCargo {
    /// In the words of the contract.
    pub(super) fn body(&self) -> OutboundBody {
        OutboundBody::Reaction { target: self.target.clone(), emoji: self.send.emoji.clone() }
    }
}

/// Reads what a row is to send; `None` when the message is gone.
pub(super) fn load(tx: &mut Tx<'_>, row: &OutboxRow) -> Result<Option<ReactionCargo>, StoreError> {
    let Some(send) = find(tx, row)? else { return Ok(None) };
    let message = messages::find(tx, send.account_id, send.message_id)?;
    Ok(message.and_then(|m| m.remote_id).map(|target| ReactionCargo { send, target }))
}

fn find(tx: &mut Tx<'_>, row: &OutboxRow) -> Result<Option<ReactionSendRow>, StoreError> {
    let id = row.data.as_deref().and_then(|data| data.parse().ok());
    let Some(id) = id else { return Ok(None) };
    reaction_sends::find(tx, row.account_id, ReactionSendId(id))
}

/// The request is about to leave. Nobody is told: the reaction looks the same until something comes of it.
pub(super) fn start(tx: &mut Tx<'_>, row: &OutboxRow, now: Timestamp) -> Result<(), StoreError> {
    let Some(send) = find(tx, row)? else { return Ok(()) };
    reaction_sends::raise_status(tx, send.account_id, send.id, MessageStatus::Sending, now).map(drop)
}

/// The provider took it.
pub(super) fn record_sent(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    remote_id: &RemoteId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(send) = find(tx, row)? else { return Ok(()) };
    reaction_sends::set_remote_id(tx, send.account_id, send.id, remote_id)?;
    raise(tx, &send, MessageStatus::Sent, None, now)
}

/// Raises the reaction of a row.
pub(super) fn raise_of_row(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    status: MessageStatus,
    error: Option<&StatusError>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match find(tx, row)? {
        Some(send) => raise(tx, &send, status, error, now),
        None => Ok(()),
    }
}

/// The provider says what became of it.
pub(crate) fn hear(
    tx: &mut Tx<'_>,
    send: &ReactionSendRow,
    news: &StatusNews,
    now: Timestamp,
) -> Result<(), StoreError> {
    reaction_sends::set_remote_id(tx, send.account_id, send.id, &news.remote_id)?;
    raise(tx, send, news.status, news.error.as_ref(), now)?;
    outbox::remove_settled_reaction(tx, send.account_id, send.message_id, send.id)
}

/// Raises a reaction, shows or takes back what it says, and tells the browsers.
fn raise(
    tx: &mut Tx<'_>,
    send: &ReactionSendRow,
    status: MessageStatus,
    error: Option<&StatusError>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let account = send.account_id;
    conversations::lock(tx, account, send.conversation_id)?; // what stood before must not change meanwhile
    if !reaction_sends::raise_status(tx, account, send.id, status, now)? {
        return Ok(());
    }
    let Some(send) = reaction_sends::find(tx, account, send.id)? else { return Ok(()) };
    let failed = status == MessageStatus::Failed;
    let (emoji, name) = if failed {
        (send.before_emoji.as_deref(), send.before_name.as_deref())
    } else {
        // Also after it had failed: news of a delivery count more.
        (send.emoji.as_deref(), send.sender_name.as_deref())
    };
    let (message, at) = (send.message_id, send.reacted_at);
    reactions::rewrite_ours(tx, account, message, at, emoji, name)?;
    reaction_sends::set_before(tx, account, message, at, emoji, name)?;
    tx.emit(event(&send, EventKind::MessageUpdated, None));
    if failed {
        let told = json!({ "sender_id": send.sender_id, "emoji": send.emoji, "error": error });
        tx.emit(event(&send, EventKind::ReactionFailed, Some(told.to_string())));
    }
    Ok(())
}

fn event(send: &ReactionSendRow, kind: EventKind, data: Option<String>) -> NewEvent {
    NewEvent {
        account_id: send.account_id,
        kind,
        conversation_id: Some(send.conversation_id),
        message_id: Some(send.message_id),
        data,
    }
}
