//! Work for the providers: claimed by lease, fenced by a token, done in order per conversation.
//!
//! A row is `queued` until due, `claimed` by one worker for a while, `sending` from just before the request leaves.
//! When it is done the row is deleted; each try is a row in [`crate::deliveries`]. A claim whose lease ran out goes
//! back to `queued`; a send whose lease ran out may have happened and becomes `unknown`.

use frontdesk_model::{AccountId, ConversationId, InboxId, MessageId, OutboxId, ReactionSendId, Timestamp};

use crate::db::statement::{both, each};
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, inbox_id, conversation_id, message_id, kind, data, state, due_at, attempts,
         created_at, request_id, trace_parent"
    };
}

/// Due, not of an inbox that has enough under way (`$5`), not behind an earlier row of its conversation (read marks
/// have an order of their own), and its conversation may be written to.
macro_rules! claimable {
    ($busy:literal) => {
        concat!(
        "SELECT d.id FROM outbox d
         WHERE d.due_at <= $1 AND d.state = 'queued' AND d.inbox_id NOT IN (", $busy, ")
           AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.account_id = d.account_id
                AND e.conversation_id = d.conversation_id AND (e.kind = 'read') = (d.kind = 'read') AND e.id < d.id
                AND e.state <> 'unknown')
           AND NOT EXISTS (SELECT 1 FROM conversations v WHERE v.account_id = d.account_id
                AND v.id = d.conversation_id AND v.next_send_at > $1)
         ORDER BY d.due_at, d.id LIMIT $4"
        )
    };
}

statements! {
    INSERT = both(
        "INSERT INTO outbox (account_id, inbox_id, conversation_id, message_id, kind, data, state, due_at, created_at, updated_at,
             request_id, trace_parent)
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $7, $7, $8, $9)");
    // As an array: a subquery that PostgreSQL runs again for each row would find others each time, beyond the limit.
    CLAIM = each(
        concat!("UPDATE outbox SET state = 'claimed', lease_until = $2, claim_token = $3, updated_at = $1
         WHERE id IN (", claimable!("SELECT value FROM json_each($5)"), ") RETURNING ", columns!()),
        concat!("UPDATE outbox SET state = 'claimed', lease_until = $2, claim_token = $3, updated_at = $1
         WHERE id = ANY (ARRAY(", claimable!("SELECT CAST(jsonb_array_elements_text(CAST(CAST($5 AS TEXT) AS JSONB)) AS BIGINT)"),
            " FOR UPDATE SKIP LOCKED)) AND state = 'queued' RETURNING ", columns!()));
    START = both(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, lease_until = $4, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND claim_token = $3 AND state = 'claimed' RETURNING attempts");
    FINISH = both("DELETE FROM outbox WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    REQUEUE = both(
        "UPDATE outbox SET state = 'queued', due_at = $4, lease_until = 0, claim_token = NULL, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    SET_UNKNOWN = both(
        "UPDATE outbox SET state = 'unknown', due_at = $4, lease_until = 0, claim_token = NULL, updated_at = $5
         WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    EXPIRED_CLAIMS = both(
        "UPDATE outbox SET state = 'queued', lease_until = 0, claim_token = NULL
         WHERE state = 'claimed' AND lease_until < $1");
    EXPIRED_SENDS = both(
        concat!("UPDATE outbox SET state = 'unknown', claim_token = NULL, lease_until = 0, due_at = $2
         WHERE state = 'sending' AND lease_until < $1 RETURNING ", columns!()));
    LIST_UNKNOWN = both(concat!("SELECT ", columns!(),
        " FROM outbox WHERE state = 'unknown' AND kind = 'message' AND due_at <= $1 ORDER BY due_at, id LIMIT $2"));
    POSTPONE_UNKNOWN = both("UPDATE outbox SET due_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'unknown'");
    REPEAT_UNKNOWN = both(
        "UPDATE outbox SET state = 'queued', due_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'unknown'");
    OF_MESSAGE = both(concat!("SELECT ", columns!(),
        " FROM outbox WHERE account_id = $1 AND message_id = $2 AND kind = 'message'"));
    REMOVE_OF_MESSAGE = both("DELETE FROM outbox WHERE account_id = $1 AND message_id = $2 AND kind = 'message'");
    REMOVE_SETTLED_MANY = each(
        "DELETE FROM outbox WHERE account_id = $1 AND message_id = $2 AND kind = 'message' AND state IN ('queued', 'unknown')",
        "DELETE FROM outbox o USING UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, message_id)
         WHERE o.account_id = n.account_id AND o.message_id = n.message_id AND o.kind = 'message'
           AND o.state IN ('queued', 'unknown')");
    CANCEL = both("DELETE FROM outbox WHERE account_id = $1 AND message_id = $2 AND kind = 'message' AND state <> 'sending'");
    REMOVE_REACTION = both(
        "DELETE FROM outbox WHERE account_id = $1 AND message_id = $2 AND kind = 'reaction' AND data = $3
         AND state IN ('queued', 'unknown')");
    FORGET_UNKNOWN_REACTIONS = both(
        "DELETE FROM outbox WHERE account_id = $1 AND message_id = $2 AND kind = 'reaction' AND state = 'unknown'");
    MOVE_REACTIONS = both(
        "UPDATE outbox SET message_id = $3 WHERE account_id = $1 AND message_id = $2 AND kind = 'reaction'");
    WAKE_INBOX = both(
        "UPDATE outbox SET due_at = $2 WHERE inbox_id = $1 AND state = 'queued' AND due_at > $2");
    HOLD_INBOX = both(
        "UPDATE outbox SET due_at = $2 WHERE inbox_id = $1 AND state = 'queued' AND due_at < $2");
    NEXT_DUE = both("SELECT MIN(due_at) FROM outbox WHERE state = 'queued'");
    DEPTH = both(
        "SELECT inbox_id, COUNT(*), MIN(created_at) FROM outbox WHERE state <> 'unknown' GROUP BY inbox_id");
    DEPTHS_OF_ACCOUNT = both(
        "SELECT inbox_id, COUNT(*), MIN(created_at) FROM outbox
         WHERE account_id = $1 AND state <> 'unknown' GROUP BY inbox_id");
    DEPTH_OF_INBOX = both(
        "SELECT COUNT(*) FROM outbox WHERE account_id = $1 AND inbox_id = $2 AND state <> 'unknown'");
    RENEW_READ = both(
        "UPDATE outbox SET data = $3 WHERE account_id = $1 AND conversation_id = $2 AND kind = 'read' AND state = 'queued'");
}

frontdesk_model::words! {
    /// What kind of work it is.
    pub enum OutboxKind {
        /// Send the message.
        Message = "message",
        /// Send a reaction to the message; `data` is the id of its row in [`crate::reaction_sends`].
        Reaction = "reaction",
        /// Tell the customer that we read.
        Read = "read",
    }
}

frontdesk_model::words! {
    /// How far it is.
    pub enum OutboxState {
        /// Waiting to be due.
        Queued = "queued",
        /// Taken by a worker; nothing has left.
        Claimed = "claimed",
        /// A request may have left.
        Sending = "sending",
        /// The outcome was lost.
        Unknown = "unknown",
    }
}

/// A unit of work as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct OutboxRow {
    pub id: OutboxId,
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub conversation_id: ConversationId,
    pub message_id: Option<MessageId>,
    pub kind: OutboxKind,
    pub data: Option<String>,
    pub state: OutboxState,
    pub due_at: Timestamp,
    /// Tries so far.
    pub attempts: i64,
    pub created_at: Timestamp,
    /// The request that asked for it; `None` for what a node of an earlier version queued.
    pub request_id: Option<String>,
    /// The span of that request, where spans are exported.
    pub trace_parent: Option<String>,
}

impl FromRow for OutboxRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            conversation_id: row.next()?,
            message_id: row.next()?,
            kind: OutboxKind::parse(&row.next::<String>()?).unwrap_or(OutboxKind::Message),
            data: row.next()?,
            state: OutboxState::parse(&row.next::<String>()?).unwrap_or(OutboxState::Unknown),
            due_at: row.next()?,
            attempts: row.next()?,
            created_at: row.next()?,
            request_id: row.next()?,
            trace_parent: row.next()?,
        })
    }
}

/// Work to queue.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "as in OutboxRow")]
pub struct NewWork<'a> {
    pub account_id: AccountId,
    pub inbox_id: InboxId,
    pub conversation_id: ConversationId,
    pub message_id: Option<MessageId>,
    pub kind: OutboxKind,
    pub data: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub trace_parent: Option<&'a str>,
}

/// Queues work, due at once.
pub fn insert(tx: &mut Tx<'_>, work: NewWork<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.signal(Topic::Outbox);
    tx.execute_later(
        &INSERT,
        row![
            work.account_id,
            work.inbox_id,
            work.conversation_id,
            work.message_id,
            work.kind.as_str(),
            work.data,
            now,
            work.request_id,
            work.trace_parent
        ],
    )
}

/// Takes work that is due: at most one row per conversation, the earliest, and none of the inboxes in `busy`.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease_until: Timestamp,
    token: &str,
    limit: i64,
    busy: &[InboxId],
) -> Result<Vec<OutboxRow>, StoreError> {
    let busy = serde_json::json!(busy).to_string();
    let mut rows = tx.query::<OutboxRow>(&CLAIM, p![now, lease_until, token, limit, busy])?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// The request is about to leave. Returns the number of this try; `None` when the claim was lost meanwhile.
pub fn start(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    token: &str,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let started = tx.find::<(i64,)>(&START, p![row.account_id, row.id, token, lease_until, now])?;
    Ok(started.map(|(attempts,)| attempts))
}

/// The work is done, for good or bad. False when the claim was lost: the result must then not be written.
pub fn finish(tx: &mut Tx<'_>, row: &OutboxRow, token: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&FINISH, p![row.account_id, row.id, token])? > 0)
}

/// The work is to be tried again at `due_at`. False when the claim was lost.
pub fn requeue(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    token: &str,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.signal(Topic::Outbox);
    Ok(tx.execute(&REQUEUE, p![row.account_id, row.id, token, due_at, now])? > 0)
}

/// The outcome was lost: waits for the provider's word until `settle_at`, then for a person.
pub fn set_unknown(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    token: &str,
    settle_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_UNKNOWN, p![row.account_id, row.id, token, settle_at, now])? > 0)
}

/// Claims of dead workers, whose lease ended before `ended`, go back to the queue.
pub fn release_expired_claims(tx: &mut Tx<'_>, ended: Timestamp) -> Result<u64, StoreError> {
    let released = tx.execute(&EXPIRED_CLAIMS, p![ended])?;
    if released > 0 {
        tx.signal(Topic::Outbox);
    }
    Ok(released)
}

/// Sends of dead workers, whose lease ended before `ended`, become unknown; returns them.
pub fn expire_sends(
    tx: &mut Tx<'_>,
    ended: Timestamp,
    settle_at: Timestamp,
) -> Result<Vec<OutboxRow>, StoreError> {
    tx.query(&EXPIRED_SENDS, p![ended, settle_at])
}

/// Messages of unknown outcome that have waited for the provider's word until `now`.
pub fn list_unknown(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<OutboxRow>, StoreError> {
    tx.query(&LIST_UNKNOWN, p![now, limit])
}

/// The provider does not know (yet) what became of a message: it waits until `again_at`.
pub fn postpone_unknown(tx: &mut Tx<'_>, row: &OutboxRow, again_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&POSTPONE_UNKNOWN, p![row.account_id, row.id, again_at])?;
    Ok(())
}

/// A send of unknown outcome may be repeated without harm: it is queued again. False when it is settled by now.
pub fn repeat_unknown(tx: &mut Tx<'_>, row: &OutboxRow, now: Timestamp) -> Result<bool, StoreError> {
    tx.signal(Topic::Outbox);
    Ok(tx.execute(&REPEAT_UNKNOWN, p![row.account_id, row.id, now])? > 0)
}

/// The work that sends a message.
pub fn find_of_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
) -> Result<Option<OutboxRow>, StoreError> {
    tx.find(&OF_MESSAGE, p![account, message])
}

/// Forgets the work that sends a message, whatever its state.
pub fn remove_of_message(tx: &mut Tx<'_>, account: AccountId, message: MessageId) -> Result<(), StoreError> {
    tx.execute(&REMOVE_OF_MESSAGE, p![account, message])?;
    Ok(())
}

/// The provider told what became of uncertain sends: nothing is left to do.
pub fn remove_settled(
    tx: &mut Tx<'_>,
    messages: impl IntoIterator<Item = (AccountId, MessageId)>,
) -> Result<(), StoreError> {
    let rows = messages.into_iter().map(|(account, message)| row![account, message]).collect();
    tx.execute_many_later(&REMOVE_SETTLED_MANY, rows)
}

/// Takes a message out of the queue unless a request for it is under way; true when it was still there. A worker that
/// has claimed it finds its claim lost.
pub fn cancel(tx: &mut Tx<'_>, account: AccountId, message: MessageId) -> Result<bool, StoreError> {
    Ok(tx.execute(&CANCEL, p![account, message])? > 0)
}

/// The provider told what became of an uncertain reaction: nothing is left to do.
pub fn remove_settled_reaction(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    send: ReactionSendId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE_REACTION, p![account, message, send.to_string()])?;
    Ok(())
}

/// A newer reaction takes the place of those to the message of which nobody knows what became.
pub fn forget_unknown_reactions(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
) -> Result<(), StoreError> {
    tx.execute(&FORGET_UNKNOWN_REACTIONS, p![account, message])?;
    Ok(())
}

/// Work for reactions to one message becomes work for reactions to another.
pub(crate) fn move_reactions(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: MessageId,
    to: MessageId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_REACTIONS, p![account, from, to])?;
    Ok(())
}

/// Holds back everything queued for an inbox until `until`.
pub fn hold_inbox(tx: &mut Tx<'_>, inbox: InboxId, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(&HOLD_INBOX, p![inbox, until])?;
    Ok(())
}

/// Makes everything queued for an inbox due now: it works again.
pub fn wake_inbox(tx: &mut Tx<'_>, inbox: InboxId, now: Timestamp) -> Result<(), StoreError> {
    if tx.execute(&WAKE_INBOX, p![inbox, now])? > 0 {
        tx.signal(Topic::Outbox);
    }
    Ok(())
}

/// When the next work is due.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Option<Timestamp>,)>(&NEXT_DUE, p![])?.and_then(|(due,)| due))
}

/// Per inbox: how much waits, and since when.
pub fn depths(tx: &mut Tx<'_>) -> Result<Vec<(InboxId, i64, Timestamp)>, StoreError> {
    tx.query(&DEPTH, p![])
}

/// Per inbox of an account: how much waits, and since when.
pub fn depths_of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> Result<Vec<(InboxId, i64, Timestamp)>, StoreError> {
    tx.query(&DEPTHS_OF_ACCOUNT, p![account])
}

/// How much waits for one inbox.
pub fn depth(tx: &mut Tx<'_>, account: AccountId, inbox: InboxId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&DEPTH_OF_INBOX, p![account, inbox])?.map_or(0, |(n,)| n))
}

/// Lets a read mark of the conversation that is still queued cover everything up to `target`; false when there is none.
pub fn renew_read(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    target: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&RENEW_READ, p![account, conversation, target])? > 0)
}
