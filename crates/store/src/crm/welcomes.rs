//! Who is to be welcomed: noted in the transaction that makes the contact, settled in the one that stores the message.
//! The row stays, so that nobody is welcomed twice.

use frontdesk_model::{AccountId, ContactId, ConversationId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

frontdesk_model::words! {
    /// What became of a welcome.
    pub enum WelcomeState {
        /// It is to be sent.
        Waiting = "waiting",
        /// Its message is stored.
        Sent = "sent",
        /// It was not needed or not possible any more.
        Skipped = "skipped",
    }
}

statements! {
    NOTE_MANY = each(
        "INSERT INTO welcomes (account_id, contact_id, conversation_id, state, created_at)
         SELECT account_id, $2, $3, 'waiting', $4 FROM crm_settings WHERE account_id = $1 AND welcomes = TRUE
         ON CONFLICT (account_id, contact_id) DO NOTHING",
        "INSERT INTO welcomes (account_id, contact_id, conversation_id, state, created_at)
         SELECT n.account_id, n.contact_id, n.conversation_id, 'waiting', n.since
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
            AS n (account_id, contact_id, conversation_id, since)
         JOIN crm_settings s ON s.account_id = n.account_id AND s.welcomes = TRUE
         ON CONFLICT (account_id, contact_id) DO NOTHING");
    WAITING = both(
        "SELECT account_id, contact_id, conversation_id, created_at FROM welcomes WHERE state = 'waiting'
         ORDER BY created_at LIMIT $1");
    // Locked: one of two nodes waits here, and then finds that it is settled.
    LOCK = each(
        "SELECT state FROM welcomes WHERE account_id = $1 AND contact_id = $2",
        "SELECT state FROM welcomes WHERE account_id = $1 AND contact_id = $2 FOR UPDATE");
    SETTLE = both(
        "UPDATE welcomes SET state = $3, settled_at = $4 WHERE account_id = $1 AND contact_id = $2 AND state = 'waiting'");
    // Someone welcomed under either name was welcomed.
    MOVE = both(
        "INSERT INTO welcomes (account_id, contact_id, conversation_id, state, created_at, settled_at)
         SELECT account_id, $3, conversation_id, state, created_at, settled_at FROM welcomes
         WHERE account_id = $1 AND contact_id = $2
         ON CONFLICT (account_id, contact_id) DO UPDATE SET state = 'skipped', settled_at = excluded.created_at
            WHERE welcomes.state = 'waiting' AND excluded.state <> 'waiting'");
    REMOVE = both("DELETE FROM welcomes WHERE account_id = $1 AND contact_id = $2");
}

/// Somebody to be welcomed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newcomer {
    /// Where.
    pub account: AccountId,
    /// Who.
    pub contact: ContactId,
    /// In which conversation they wrote.
    pub conversation: ConversationId,
    /// When.
    pub since: Timestamp,
}

impl FromRow for Newcomer {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { account: row.next()?, contact: row.next()?, conversation: row.next()?, since: row.next()? })
    }
}

/// Notes that contacts who were made just now are to be welcomed, where their accounts want that. Whoever makes contacts
/// rings [`crate::Topic::Media`]: the worker of the CRM hears it too.
pub fn note_many(tx: &mut Tx<'_>, newcomers: &[Newcomer]) -> Result<(), StoreError> {
    let rows =
        newcomers.iter().map(|new| row![new.account, new.contact, new.conversation, new.since]).collect();
    tx.execute_many_later(&NOTE_MANY, rows)
}

/// Those who wait, of all accounts, the first first.
pub fn waiting(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Newcomer>, StoreError> {
    tx.query(&WAITING, p![limit])
}

/// True while somebody waits; nobody else settles it until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, newcomer: &Newcomer) -> Result<bool, StoreError> {
    let state = tx.find::<(String,)>(&LOCK, p![newcomer.account, newcomer.contact])?;
    Ok(state.is_some_and(|(state,)| state == WelcomeState::Waiting.as_str()))
}

/// Notes what became of a welcome.
pub fn settle(
    tx: &mut Tx<'_>,
    newcomer: &Newcomer,
    state: WelcomeState,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SETTLE, p![newcomer.account, newcomer.contact, state.as_str(), now]).map(drop)
}

pub(super) fn move_to_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ContactId,
    to: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE, p![account, from, to])?;
    remove_of_contact(tx, account, from)
}

pub(super) fn remove_of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE, p![account, contact]).map(drop)
}
