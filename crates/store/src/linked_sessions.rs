//! Linked sessions: one row beside each inbox behind which a phone is linked to this server itself.
//!
//! What a session shows is written by the node that holds it, and by no other: those statements name the owner. A code
//! stands here sealed, because whoever has it can link a phone.

use frontdesk_model::linked::{LinkedPhone, SessionState};
use frontdesk_model::{AccountId, InboxId, Timestamp, UserId};

use crate::db::statement::both;
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "s.inbox_id, s.account_id, s.session_id, s.user_id, i.name, i.enabled, s.driver, s.webhook_url, s.wanted, s.state,
         s.reason, s.since, s.banned_until, s.phone_number, s.lid, s.push_name, s.code, s.code_attempt, s.code_expires_at,
         s.restarts, s.owner, s.owned_until, s.next_cold_at, s.last_activity, s.created_at, s.updated_at"
    };
}

macro_rules! sessions {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM linked_sessions s
             JOIN inboxes i ON i.account_id = s.account_id AND i.id = s.inbox_id AND i.deleted_at IS NULL ", $rest)
    };
}

statements! {
    INSERT = both(
        "INSERT INTO linked_sessions (inbox_id, account_id, session_id, user_id, driver, webhook_url, wanted, state, since,
            created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'created', $8, $8, $8)");
    FIND = both(sessions!("WHERE s.account_id = $1 AND s.inbox_id = $2"));
    FIND_BY_NAME = both(sessions!("WHERE s.account_id = $1 AND s.session_id = $2"));
    LIST = both(sessions!("WHERE s.account_id = $1 AND s.inbox_id > $2 ORDER BY s.inbox_id LIMIT $3"));
    ALL = both(sessions!("ORDER BY s.inbox_id"));
    ACTIVE_CHATS = both(
        "SELECT inbox_id, COUNT(*) FROM conversations WHERE account_id = $1 AND unread_count > 0 GROUP BY inbox_id");
    ACTIVE_CHATS_OF = both(
        "SELECT COUNT(*) FROM conversations WHERE account_id = $1 AND inbox_id = $2 AND unread_count > 0");
    CLAIM = both(
        "UPDATE linked_sessions SET owner = $2, owned_until = $3
         WHERE inbox_id = $1 AND (owner = $2 OR owner IS NULL OR owned_until <= $4)");
    RELEASE = both("UPDATE linked_sessions SET owner = NULL, owned_until = 0 WHERE inbox_id = $1 AND owner = $2");
    RELEASE_ALL = both("UPDATE linked_sessions SET owner = NULL, owned_until = 0 WHERE owner IS NOT NULL");
    SET_STATE = both(
        "UPDATE linked_sessions SET state = $3, reason = $4, since = CASE WHEN state = $3 THEN since ELSE $7 END,
            banned_until = $5, restarts = $6, code = NULL, code_attempt = 0, code_expires_at = NULL, updated_at = $7
         WHERE inbox_id = $1 AND (owner = $2 OR owner IS NULL OR owned_until <= $7)");
    SET_CODE = both(
        "UPDATE linked_sessions SET state = $3, reason = NULL, since = CASE WHEN state = $3 THEN since ELSE $7 END,
            banned_until = NULL, code = $4, code_attempt = $5, code_expires_at = $6, updated_at = $7
         WHERE inbox_id = $1 AND owner = $2");
    SET_PHONE = both(
        "UPDATE linked_sessions SET phone_number = $3, lid = $4, push_name = $5, updated_at = $6
         WHERE inbox_id = $1 AND owner = $2");
    SET_WANTED = both(
        "UPDATE linked_sessions SET wanted = $3, restarts = 0, updated_at = $4 WHERE account_id = $1 AND inbox_id = $2");
    SET_SETTINGS = both(
        "UPDATE linked_sessions SET session_id = $3, driver = $4, updated_at = $5 WHERE account_id = $1 AND inbox_id = $2");
    SET_WEBHOOK = both(
        "UPDATE linked_sessions SET webhook_url = $3, updated_at = $4 WHERE account_id = $1 AND inbox_id = $2");
    TAKE_COLD_TURN = both(
        "UPDATE linked_sessions SET next_cold_at = $2 WHERE inbox_id = $1 AND next_cold_at <= $3");
    NEXT_COLD = both("SELECT next_cold_at FROM linked_sessions WHERE inbox_id = $1");
    TOUCH = both("UPDATE linked_sessions SET last_activity = $2 WHERE inbox_id = $1");
    SWITCH = both(
        "INSERT INTO active_sessions (account_id, user_id, inbox_id) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, user_id) DO UPDATE SET inbox_id = excluded.inbox_id");
    ACTIVE = both(sessions!(
        "JOIN active_sessions a ON a.account_id = s.account_id AND a.inbox_id = s.inbox_id
         WHERE a.account_id = $1 AND a.user_id = $2"));
    FORGET_ACTIVE = both("DELETE FROM active_sessions WHERE account_id = $1 AND inbox_id = $2");
    DELETE = both("DELETE FROM linked_sessions WHERE account_id = $1 AND inbox_id = $2");
}

/// A session with the name of its inbox.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct LinkedSessionRow {
    pub inbox_id: InboxId,
    pub account_id: AccountId,
    /// What its people call it; unique within the account.
    pub session_id: String,
    /// Who made it.
    pub user_id: Option<UserId>,
    /// The name of the inbox.
    pub name: String,
    /// False while the inbox is switched off.
    pub enabled: bool,
    pub driver: String,
    /// Where its webhooks are to go.
    pub webhook_url: Option<String>,
    /// It is to be connected.
    pub wanted: bool,
    pub state: SessionState,
    /// What is told beside the state, for people.
    pub reason: Option<String>,
    pub since: Timestamp,
    pub banned_until: Option<Timestamp>,
    pub phone: LinkedPhone,
    /// The code or challenge that waits, sealed.
    pub code: Option<Vec<u8>>,
    /// Which code it is, from 1.
    pub code_attempt: i64,
    pub code_expires_at: Option<Timestamp>,
    /// How often it was brought back since it last worked for a while.
    pub restarts: i64,
    /// The node that holds it.
    pub owner: Option<String>,
    pub owned_until: Timestamp,
    /// No stranger is written to before.
    pub next_cold_at: Timestamp,
    pub last_activity: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for LinkedSessionRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            inbox_id: row.next()?,
            account_id: row.next()?,
            session_id: row.next()?,
            user_id: row.next()?,
            name: row.next()?,
            enabled: row.next()?,
            driver: row.next()?,
            webhook_url: row.next()?,
            wanted: row.next()?,
            state: row.next()?,
            reason: row.next()?,
            since: row.next()?,
            banned_until: row.next()?,
            phone: LinkedPhone { phone: row.next()?, lid: row.next()?, name: row.next()? },
            code: row.next()?,
            code_attempt: row.next()?,
            code_expires_at: row.next()?,
            restarts: row.next()?,
            owner: row.next()?,
            owned_until: row.next()?,
            next_cold_at: row.next()?,
            last_activity: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

impl LinkedSessionRow {
    /// The node that holds it at this moment.
    pub fn owner_at(&self, now: Timestamp) -> Option<&str> {
        self.owner.as_deref().filter(|_| self.owned_until > now)
    }
}

/// A session to add, beside an inbox that was just added.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NewLinkedSession<'a> {
    pub inbox_id: InboxId,
    pub account_id: AccountId,
    pub session_id: &'a str,
    pub user_id: Option<UserId>,
    pub driver: &'a str,
    pub webhook_url: Option<&'a str>,
    pub wanted: bool,
}

/// What the holder of a session says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct SessionNote {
    pub state: SessionState,
    pub reason: Option<String>,
    pub banned_until: Option<Timestamp>,
    pub restarts: i64,
}

/// A code that waits, sealed.
#[derive(Debug, Clone, Copy)]
pub struct SessionCode<'a> {
    /// [`SessionState::Qr`], [`SessionState::Code`] or [`SessionState::Challenge`].
    pub state: SessionState,
    /// The code or challenge, sealed.
    pub sealed: &'a [u8],
    /// Which code it is, from 1.
    pub attempt: i64,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Adds a session. Fails with a unique violation when the account has one of this name.
pub fn insert(tx: &mut Tx<'_>, new: NewLinkedSession<'_>, now: Timestamp) -> Result<(), StoreError> {
    let NewLinkedSession { inbox_id, account_id, session_id, user_id, driver, webhook_url, wanted } = new;
    tx.execute(&INSERT, p![inbox_id, account_id, session_id, user_id, driver, webhook_url, wanted, now])?;
    tx.signal(Topic::Sessions);
    Ok(())
}

/// The session beside an inbox.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Option<LinkedSessionRow>, StoreError> {
    tx.find(&FIND, p![account, inbox])
}

/// The session that an account calls so.
pub fn find_by_name(
    tx: &mut Tx<'_>,
    account: AccountId,
    session_id: &str,
) -> Result<Option<LinkedSessionRow>, StoreError> {
    tx.find(&FIND_BY_NAME, p![account, session_id])
}

/// Sessions of an account after an inbox, by inbox.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: InboxId,
    limit: i64,
) -> Result<Vec<LinkedSessionRow>, StoreError> {
    tx.query(&LIST, p![account, after, limit])
}

/// Every session on this server, by inbox.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<LinkedSessionRow>, StoreError> {
    tx.query(&ALL, p![])
}

/// How many conversations with something unread each inbox of an account has; none stands for zero.
pub fn active_chats(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(InboxId, i64)>, StoreError> {
    tx.query(&ACTIVE_CHATS, p![account])
}

/// The same of one inbox.
pub fn active_chats_of(tx: &mut Tx<'_>, account: AccountId, inbox: InboxId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&ACTIVE_CHATS_OF, p![account, inbox])?.map_or(0, |(count,)| count))
}

/// Takes or prolongs a session; false while another node holds it.
pub fn claim(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    owner: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&CLAIM, p![inbox, owner, until, now])? > 0)
}

/// Gives a session back.
pub fn release(tx: &mut Tx<'_>, inbox: InboxId, owner: &str) -> Result<(), StoreError> {
    tx.execute(&RELEASE, p![inbox, owner])?;
    tx.signal(Topic::Sessions);
    Ok(())
}

/// Gives every session back: where there is one node, those of its former self.
pub fn release_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(&RELEASE_ALL, p![]).map(drop)
}

/// Writes how far a session is, and forgets the code that waited; false when another node than `owner` holds it.
pub fn set_state(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    owner: &str,
    note: &SessionNote,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let SessionNote { state, reason, banned_until, restarts } = note;
    let written = tx.execute(&SET_STATE, p![inbox, owner, state, reason, banned_until, restarts, now])?;
    tx.signal(Topic::Sessions);
    Ok(written > 0)
}

/// Writes which code waits; false when `owner` does not hold the session any more.
pub fn set_code(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    owner: &str,
    code: SessionCode<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let SessionCode { state, sealed, attempt, expires_at } = code;
    let written = tx.execute(&SET_CODE, p![inbox, owner, state, sealed, attempt, expires_at, now])?;
    tx.signal(Topic::Sessions);
    Ok(written > 0)
}

/// Writes whose phone is linked.
pub fn set_phone(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    owner: &str,
    phone: &LinkedPhone,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_PHONE, p![inbox, owner, phone.phone, phone.lid, phone.name, now]).map(drop)
}

/// Says whether a session is to be connected.
pub fn set_wanted(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    wanted: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_WANTED, p![account, inbox, wanted, now])?;
    tx.signal(Topic::Sessions);
    Ok(())
}

/// Gives a session another name and driver. Fails with a unique violation when the account has one of this name.
pub fn set_settings(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    session_id: &str,
    driver: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_SETTINGS, p![account, inbox, session_id, driver, now])?;
    tx.signal(Topic::Sessions);
    Ok(())
}

/// Says where the webhooks of a session go.
pub fn set_webhook(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    url: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_WEBHOOK, p![account, inbox, url, now]).map(drop)
}

/// Takes the turn to write to a stranger; the next one is at `next`. False when it is not yet due.
pub fn take_cold_turn(
    tx: &mut Tx<'_>,
    inbox: InboxId,
    next: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE_COLD_TURN, p![inbox, next, now])? > 0)
}

/// When the next stranger may be written to.
pub fn next_cold(tx: &mut Tx<'_>, inbox: InboxId) -> Result<Timestamp, StoreError> {
    Ok(tx.find::<(Timestamp,)>(&NEXT_COLD, p![inbox])?.map_or_else(Timestamp::default, |(at,)| at))
}

/// Notes that something came in or went out.
pub fn touch(tx: &mut Tx<'_>, inbox: InboxId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&TOUCH, p![inbox, now]).map(drop)
}

/// From now on a user writes with this session unless they say otherwise.
pub fn switch(tx: &mut Tx<'_>, account: AccountId, user: UserId, inbox: InboxId) -> Result<(), StoreError> {
    tx.execute(&SWITCH, p![account, user, inbox]).map(drop)
}

/// The session that a user writes with unless they say otherwise.
pub fn active(
    tx: &mut Tx<'_>,
    account: AccountId,
    user: UserId,
) -> Result<Option<LinkedSessionRow>, StoreError> {
    tx.find(&ACTIVE, p![account, user])
}

/// Removes a session.
pub fn delete(tx: &mut Tx<'_>, account: AccountId, inbox: InboxId) -> Result<(), StoreError> {
    tx.execute(&FORGET_ACTIVE, p![account, inbox])?;
    tx.execute(&DELETE, p![account, inbox])?;
    tx.signal(Topic::Sessions);
    Ok(())
}
