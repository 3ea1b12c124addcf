//! What agents do to conversations and messages besides replying.

use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::message::Direction;
use frontdesk_model::{AccountId, ConversationId, MessageId, Timestamp, UserId};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::outbox::{self, NewWork, OutboxKind};
use frontdesk_store::{StoreError, Tx, attachments, messages, users};
use serde_json::json;

use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::origin::Origin;
use crate::{Engine, inboxes};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// There is no such conversation or message in this account.
    #[error("there is no such conversation or message")]
    NotFound,
    /// Fields and what is wrong with them.
    #[error("the data are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error("the change could not be stored")]
    Store(#[from] StoreError),
}

/// What to change; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationChanges {
    /// Star or no star.
    pub starred: Option<bool>,
    /// The assignee; `Some(None)` for nobody.
    pub assignee: Option<Option<UserId>>,
    /// All labels.
    pub labels: Option<Vec<String>>,
}

/// Marks everything in a conversation as read, and tells the customer where the network can. Returns true when
/// anything was unread.
pub async fn mark_read(engine: &Engine, actor: Actor, id: ConversationId) -> Result<bool, ConversationError> {
    // Most openings find nothing unread: look before taking the writer.
    let account = actor.account_id;
    let row = engine.store.read(move |tx| conversations::find(tx, account, id)).await?;
    let row = row.ok_or(ConversationError::NotFound)?;
    if row.unread_count == 0 {
        return Ok(false);
    }
    let can_tell = tells_read(engine, &row).await?;
    let (now, origin) = (engine.clock.now(), Origin::current());
    engine
        .store
        .write(move |tx| {
            // A message stored meanwhile is either marked too or counted afterwards.
            conversations::lock(tx, account, id)?;
            messages::mark_thread_read(tx, account, id, now)?;
            if !conversations::set_read(tx, account, id, now)? {
                return Ok(false);
            }
            if can_tell {
                queue_read_mark(tx, &row, &origin, now)?;
            }
            tx.emit(updated(account, id));
            Ok(true)
        })
        .await
}

/// Marks the customer's newest message as unread, so that somebody comes back to it. The customer is told nothing. Does
/// nothing to a conversation that is unread, or in which the customer said nothing.
pub async fn mark_unread(engine: &Engine, actor: Actor, id: ConversationId) -> Result<(), ConversationError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let row = conversations::find_locked(tx, account, id)?.ok_or(ConversationError::NotFound)?;
            if row.unread_count == 0 && messages::mark_newest_unread(tx, account, id, now)? {
                conversations::count_unread(tx, account, id, now)?;
                tx.emit(updated(account, id));
            }
            Ok(())
        })
        .await
}

/// Marks one message of the customer as read.
pub async fn mark_message_read(
    engine: &Engine,
    actor: Actor,
    id: ConversationId,
    message: MessageId,
) -> Result<(), ConversationError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let found = messages::find(tx, account, message)?.filter(|m| m.conversation_id == id);
            let found = found.filter(|m| m.deleted_at.is_none()).ok_or(ConversationError::NotFound)?;
            if found.direction == Direction::Inbound && messages::mark_read(tx, account, message, now)? {
                conversations::count_unread(tx, account, id, now)?;
                tx.emit(updated(account, id));
            }
            Ok(())
        })
        .await
}

async fn tells_read(engine: &Engine, row: &ConversationRow) -> Result<bool, StoreError> {
    let book = inboxes::book(engine).await?;
    Ok(book
        .find(row.inbox_id)
        .is_some_and(|inbox| inbox.enabled && inbox.channel.capabilities().read_receipts))
}

fn queue_read_mark(
    tx: &mut Tx<'_>,
    row: &ConversationRow,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(last) = row.last_inbound_id else { return Ok(()) };
    let remote = messages::find(tx, row.account_id, last)?.and_then(|m| m.remote_id);
    let Some(remote) = remote else { return Ok(()) };
    if outbox::renew_read(tx, row.account_id, row.id, remote.as_str())? {
        return Ok(());
    }
    let work = NewWork {
        account_id: row.account_id,
        inbox_id: row.inbox_id,
        conversation_id: row.id,
        message_id: None,
        kind: OutboxKind::Read,
        data: Some(remote.as_str()),
        request_id: origin.request_id.as_deref(),
        trace_parent: origin.trace_parent.as_deref(),
    };
    outbox::insert(tx, work, now)
}

/// Opens, archives or closes a conversation. Returns when it changed (or had).
pub async fn set_status(
    engine: &Engine,
    actor: Actor,
    id: ConversationId,
    status: ConversationStatus,
) -> Result<(), ConversationError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let row = conversations::find(tx, account, id)?.ok_or(ConversationError::NotFound)?;
            if row.status == status {
                return Ok(());
            }
            conversations::set_status(tx, account, id, status, now)?;
            let deed = Deed {
                action: "conversation.status_changed",
                subject_type: "conversation",
                subject_id: id.0,
            };
            let details = json!({ "from": row.status, "to": status });
            audit::record(tx, actor, deed, Some(&details), now)?;
            tx.emit(NewEvent {
                account_id: account,
                kind: EventKind::ConversationStatusChanged,
                conversation_id: Some(id),
                message_id: None,
                data: Some(row.status.as_str().to_owned()),
            });
            Ok(())
        })
        .await
}

/// Stars, assigns or labels a conversation.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: ConversationId,
    changes: ConversationChanges,
) -> Result<(), ConversationError> {
    let labels = changes.labels.map(check_labels).transpose()?;
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            conversations::find(tx, account, id)?.ok_or(ConversationError::NotFound)?;
            if let Some(starred) = changes.starred {
                conversations::set_starred(tx, account, id, starred, now)?;
            }
            if let Some(assignee) = changes.assignee {
                if let Some(user) = assignee
                    && users::find(tx, account, user)?.is_none_or(|u| u.disabled_at.is_some())
                {
                    let message = "The selected assignee is invalid.".to_owned();
                    return Err(ConversationError::Invalid(vec![("assignee_id".to_owned(), message)]));
                }
                conversations::set_assignee(tx, account, id, assignee, now)?;
            }
            if let Some(labels) = &labels {
                conversations::set_labels(tx, account, id, labels, now)?;
            }
            tx.emit(updated(account, id));
            Ok(())
        })
        .await
}

/// At most 20 labels of at most 40 characters, without repeats; as JSON.
fn check_labels(labels: Vec<String>) -> Result<String, ConversationError> {
    let mut clean: Vec<String> = Vec::new();
    for label in labels.iter().map(|l| l.trim()).filter(|l| !l.is_empty()) {
        if label.chars().count() > 40 || clean.len() == 20 {
            let message = "A conversation has at most 20 labels of at most 40 characters.".to_owned();
            return Err(ConversationError::Invalid(vec![("labels".to_owned(), message)]));
        }
        if !clean.iter().any(|known| known == label) {
            clean.push(label.to_owned());
        }
    }
    Ok(json!(clean).to_string())
}

/// Hides a message (soft delete). The row stays for the audit; one still in the queue is not sent any more.
pub async fn delete_message(
    engine: &Engine,
    actor: Actor,
    id: ConversationId,
    message: MessageId,
) -> Result<(), ConversationError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let found = messages::find(tx, account, message)?.filter(|m| m.conversation_id == id);
            found.filter(|m| m.deleted_at.is_none()).ok_or(ConversationError::NotFound)?;
            messages::hide(tx, account, message, now)?;
            outbox::cancel(tx, account, message)?;
            conversations::count_unread(tx, account, id, now)?;
            let deed = Deed { action: "message.deleted", subject_type: "message", subject_id: message.0 };
            audit::record(tx, actor, deed, Some(&json!({ "conversation_id": id })), now)?;
            tx.emit(NewEvent {
                account_id: account,
                kind: EventKind::MessageUpdated,
                conversation_id: Some(id),
                message_id: Some(message),
                data: None,
            });
            tx.emit(updated(account, id));
            Ok(())
        })
        .await
}

/// Fetches a file again that could not be had.
pub async fn refetch_media(
    engine: &Engine,
    actor: Actor,
    id: frontdesk_model::AttachmentId,
) -> Result<bool, ConversationError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    Ok(engine.store.write(move |tx| attachments::restart(tx, account, id, now)).await?)
}

/// Shows the customer that we are typing, where the network can. A courtesy: failures are not told.
pub async fn show_typing(engine: &Engine, actor: Actor, id: ConversationId) -> Result<(), ConversationError> {
    let account = actor.account_id;
    let found = engine
        .store
        .read(move |tx| {
            let Some(row) = conversations::find(tx, account, id)? else { return Ok(None) };
            let identities = frontdesk_store::contacts::identities(tx, account, row.contact_id)?;
            let last = match row.last_inbound_id {
                Some(last) => messages::find(tx, account, last)?.and_then(|m| m.remote_id),
                None => None,
            };
            Ok::<_, StoreError>(Some((row, identities, last)))
        })
        .await?;
    let (row, identities, last) = found.ok_or(ConversationError::NotFound)?;
    let book = inboxes::book(engine).await?;
    let Some(inbox) = book.find(row.inbox_id).filter(|i| i.enabled && i.channel.capabilities().typing) else {
        return Ok(());
    };
    let line = engine.connections().line(engine, inbox);
    let (Ok(connection), Some(last)) = (&line.connection, last) else { return Ok(()) };
    let connection = connection.clone();
    let recipient = frontdesk_model::outbound::Recipient { thread: row.thread, identities };
    tokio::spawn(async move {
        if let Some(receipts) = connection.receipts()
            && let Err(error) = receipts.typing(&recipient, &last).await
        {
            tracing::debug!(code = error.code, "typing was not shown");
        }
    });
    Ok(())
}

pub(crate) fn updated(account_id: AccountId, id: ConversationId) -> NewEvent {
    NewEvent {
        account_id,
        kind: EventKind::ConversationUpdated,
        conversation_id: Some(id),
        message_id: None,
        data: None,
    }
}
