//! How far messages of ours have come. A status only rises: what ranks lower than what is known changes nothing.

use std::collections::HashSet;

use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_model::{AccountId, MessageId, RemoteId, Timestamp};

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    RAISE = both(
        "UPDATE messages SET status = $3, status_rank = $4, error_code = $5, error_message = $6, error_action = $7,
            read_at = CASE WHEN $3 IN ('read', 'played') AND (read_at IS NULL OR read_at > $8) THEN $8 ELSE read_at END,
            updated_at = $9
         WHERE account_id = $1 AND id = $2 AND status_rank < $4");
    RAISE_MANY = each(
        "UPDATE messages SET status = $3, status_rank = $4, error_code = $5, error_message = $6, error_action = $7,
            read_at = CASE WHEN $3 IN ('read', 'played') AND (read_at IS NULL OR read_at > $8) THEN $8 ELSE read_at END,
            updated_at = $9
         WHERE account_id = $1 AND id = $2 AND status_rank < $4 RETURNING id",
        "UPDATE messages m SET status = n.status, status_rank = n.status_rank, error_code = n.error_code,
            error_message = n.error_message, error_action = n.error_action,
            read_at = CASE WHEN n.status IN ('read', 'played') AND (m.read_at IS NULL OR m.read_at > n.at) THEN n.at
                           ELSE m.read_at END,
            updated_at = n.now
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::BIGINT[],
                $9::BIGINT[])
            AS n (account_id, id, status, status_rank, error_code, error_message, error_action, at, now)
         WHERE m.account_id = n.account_id AND m.id = n.id AND m.status_rank < n.status_rank RETURNING m.id");
    READ_EARLIER_MANY = each(
        "UPDATE messages SET read_at = $3 WHERE account_id = $1 AND id = $2 AND direction = 'outbound' AND read_at > $3",
        "UPDATE messages m SET read_at = n.at FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) AS n (account_id, id, at)
         WHERE m.account_id = n.account_id AND m.id = n.id AND m.direction = 'outbound' AND m.read_at > n.at");
    FORCE = both(
        "UPDATE messages SET status = $3, status_rank = $4, error_code = NULL, error_message = NULL, error_action = NULL,
            client_ref = $5, updated_at = $6
         WHERE account_id = $1 AND id = $2");
    SET_REMOTE = both(
        "UPDATE messages SET remote_id = $3, updated_at = $4 WHERE account_id = $1 AND id = $2 AND remote_id IS NULL");
    SET_SENT = both(
        "UPDATE messages SET remote_id = $3, status = $5, status_rank = $6, error_code = NULL, error_message = NULL,
            error_action = NULL, updated_at = $4
         WHERE account_id = $1 AND id = $2 AND remote_id IS NULL AND status_rank < $6");
}

/// News about one message of ours.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Whose message it is.
    pub account: AccountId,
    /// The message.
    pub message: MessageId,
    /// How far it has come.
    pub status: MessageStatus,
    /// Why it failed.
    pub error: Option<&'a StatusError>,
    /// When that happened.
    pub at: Timestamp,
}

impl Step<'_> {
    fn is_reading(&self) -> bool {
        self.status >= MessageStatus::Read
    }

    fn error_parts(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        self.error.map_or((None, None, None), |e| (Some(&e.code), Some(&e.message), e.action.as_deref()))
    }
}

/// Raises the status when the news ranks higher; true when it rose.
pub fn raise(tx: &mut Tx<'_>, step: Step<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let Step { account, message, status, at, .. } = step;
    let (code, text, action) = step.error_parts();
    let changed =
        tx.execute(&RAISE, p![account, message, status, status.rank(), code, text, action, at, now])?;
    if changed == 0 && step.is_reading() {
        read_earlier(tx, &[step])?;
    }
    Ok(changed > 0)
}

/// [`raise`] for many, as if one after the other; tells of each whether the message rose by it.
pub fn raise_many(tx: &mut Tx<'_>, steps: &[Step<'_>], now: Timestamp) -> Result<Vec<bool>, StoreError> {
    let mut rose = vec![false; steps.len()];
    let mut left: Vec<usize> = (0..steps.len()).collect();
    while !left.is_empty() {
        // One statement changes a row once: the second news about a message waits for the next.
        let mut met = HashSet::new();
        let (mut first, later): (Vec<usize>, Vec<usize>) =
            left.into_iter().partition(|&n| met.insert(steps[n].message));
        first.sort_by_key(|&n| (steps[n].account, steps[n].message)); // everyone locks rows in one order
        let rows = first.iter().map(|&n| {
            let Step { account, message, status, at, .. } = steps[n];
            let (code, text, action) = steps[n].error_parts();
            row![account, message, status, status.rank(), code, text, action, at, now]
        });
        let raised = tx.query_many::<(MessageId,)>(&RAISE_MANY, rows.collect())?;
        let raised: HashSet<MessageId> = raised.into_iter().map(|(id,)| id).collect();
        let mut came_late = Vec::new();
        for n in first {
            rose[n] = raised.contains(&steps[n].message);
            if !rose[n] && steps[n].is_reading() {
                came_late.push(steps[n]);
            }
        }
        read_earlier(tx, &came_late)?;
        left = later;
    }
    Ok(rose)
}

/// News of an earlier moment that came late: when a message was read does not depend on the order either.
fn read_earlier(tx: &mut Tx<'_>, steps: &[Step<'_>]) -> Result<(), StoreError> {
    tx.execute_many_later(
        &READ_EARLIER_MANY,
        steps.iter().map(|s| row![s.account, s.message, s.at]).collect(),
    )
}

/// A request for the message is about to leave.
pub fn note_sending(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (status, none) = (MessageStatus::Sending, None::<&str>);
    tx.execute_later(&RAISE, row![account, message, status, status.rank(), none, none, none, now, now])
}

/// The provider took the message and gave it an id, unless it has one; true when the status rose by that.
pub fn note_sent(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    remote_id: &RemoteId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status = MessageStatus::Sent;
    if tx.execute(&SET_SENT, p![account, message, remote_id, now, status, status.rank()])? > 0 {
        return Ok(true);
    }
    tx.execute_later(&SET_REMOTE, row![account, message, remote_id, now])?;
    raise(tx, Step { account, message, status, error: None, at: now }, now)
}

/// Sets the status whatever it was: for an explicit retry by a person, which gets a new reference.
pub fn restart(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MessageId,
    status: MessageStatus,
    client_ref: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&FORCE, p![account, id, status, status.rank(), client_ref, now])?;
    Ok(())
}
