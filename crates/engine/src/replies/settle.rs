//! What people decide about messages that did not go as they should: send again, or let it be.

use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::message::{Direction, MessageStatus};
use frontdesk_model::{ConversationId, MessageId};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::message_status::{self, Step};
use frontdesk_store::{conversations, messages, outbox};

use super::{ReplyError, new_client_ref, queue};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::origin::Origin;

/// What a person says about a message whose fate is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Sent,
    /// It did not: send it again.
    Resend,
}

/// Sends a failed message again, or settles one whose fate is unknown.
pub async fn settle(
    engine: &Engine,
    actor: Actor,
    conversation: ConversationId,
    message: MessageId,
    verdict: Verdict,
) -> Result<MessageId, ReplyError> {
    let (now, origin) = (engine.clock.now(), Origin::current());
    engine
        .store
        .write(move |tx| {
            let row = conversations::find(tx, actor.account_id, conversation)?.ok_or(ReplyError::NotFound)?;
            let found = messages::find(tx, actor.account_id, message)?;
            let found = found.filter(|m| m.conversation_id == row.id).ok_or(ReplyError::NotFound)?;
            let possible = match verdict {
                Verdict::Sent => found.status == MessageStatus::Unknown,
                Verdict::Resend => matches!(found.status, MessageStatus::Unknown | MessageStatus::Failed),
            };
            if !possible || found.direction != Direction::Outbound || found.deleted_at.is_some() {
                return Err(ReplyError::NotSettleable);
            }
            outbox::remove_of_message(tx, row.account_id, found.id)?;
            if verdict == Verdict::Sent {
                let sent = Step {
                    account: row.account_id,
                    message: found.id,
                    status: MessageStatus::Sent,
                    error: None,
                    at: now,
                };
                message_status::raise(tx, sent, now)?;
            } else {
                if row.status == ConversationStatus::Closed {
                    return Err(ReplyError::Closed(row.id));
                }
                let client_ref = new_client_ref();
                message_status::restart(
                    tx,
                    row.account_id,
                    found.id,
                    MessageStatus::Queued,
                    Some(&client_ref),
                    now,
                )?;
                queue(tx, &row, found.id, &origin, now)?;
            }
            let action = if verdict == Verdict::Sent { "message.settled" } else { "message.resent" };
            let deed = Deed { action, subject_type: "message", subject_id: found.id.0 };
            audit::record(tx, actor, deed, None, now)?;
            tx.emit(NewEvent {
                account_id: row.account_id,
                kind: EventKind::MessageStatusUpdated,
                conversation_id: Some(row.id),
                message_id: Some(found.id),
                data: None,
            });
            Ok(found.id)
        })
        .await
}
