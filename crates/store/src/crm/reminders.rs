//! Reminders. `next_at` says when one goes off, and moving it is how a node claims that: it goes off once.

use frontdesk_model::crm::reminder::{Firing, Repeat};
use frontdesk_model::{AccountId, ContactId, ReminderId, Timestamp, UserId};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "r.id, r.account_id, r.contact_id, r.text, r.anchor_at, r.due_at, r.time_zone, r.repeats, r.assignee_id, r.next_at,
         r.fired_at, r.was_due, r.done_at, r.created_by, r.created_at, r.updated_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO reminders (account_id, contact_id, text, anchor_at, due_at, time_zone, repeats, assignee_id, next_at,
            created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $4, $8, $9, $9)");
    FIND = both(concat!("SELECT ", columns!(), " FROM reminders r WHERE r.account_id = $1 AND r.id = $2"));
    OF_CONTACT = both(concat!("SELECT ", columns!(),
        " FROM reminders r WHERE r.account_id = $1 AND r.contact_id = $2 AND (r.due_at, r.id) > ($3, $4)
          AND ($5 = FALSE OR r.done_at IS NULL) ORDER BY r.due_at, r.id LIMIT $6"));
    OPEN = both(concat!("SELECT ", columns!(),
        " FROM reminders r WHERE r.account_id = $1 AND r.done_at IS NULL AND (r.due_at, r.id) > ($2, $3)
          AND r.due_at <= $4 AND (r.assignee_id = $5 OR $5 = 0) ORDER BY r.due_at, r.id LIMIT $6"));
    COUNT_DUE = both(
        "SELECT COUNT(*) FROM reminders WHERE account_id = $1 AND done_at IS NULL AND due_at <= $2
         AND (assignee_id = $3 OR $3 = 0)");
    UPDATE = both(
        "UPDATE reminders SET text = $3, anchor_at = $4, due_at = $5, time_zone = $6, repeats = $7, assignee_id = $8,
            next_at = $9, fired_at = $10, done_at = $11, updated_at = $12
         WHERE account_id = $1 AND id = $2");
    DUE = both(concat!("SELECT ", columns!(),
        " FROM reminders r WHERE r.next_at IS NOT NULL AND r.next_at <= $1 ORDER BY r.next_at, r.id LIMIT $2"));
    FIRE = both(
        "UPDATE reminders SET due_at = $4, next_at = $5, was_due = $6, fired_at = $7, done_at = NULL, updated_at = $7
         WHERE account_id = $1 AND id = $2 AND next_at = $3");
    REMOVE = both("DELETE FROM reminders WHERE account_id = $1 AND id = $2");
    MOVE = both("UPDATE reminders SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2");
    REMOVE_OF = both("DELETE FROM reminders WHERE account_id = $1 AND contact_id = $2");
}

/// A reminder as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct ReminderRow {
    pub id: ReminderId,
    pub account_id: AccountId,
    pub contact_id: ContactId,
    pub text: String,
    /// For when it was first set: repetitions are counted from there.
    pub anchor_at: Timestamp,
    /// For when it is set; once it went off: for when it had been.
    pub due_at: Timestamp,
    /// Where its days are.
    pub time_zone: String,
    pub repeat: Repeat,
    /// Whose it is; `None`: everybody's.
    pub assignee_id: Option<UserId>,
    /// When it goes off; `None` when it does not any more.
    pub next_at: Option<Timestamp>,
    pub fired_at: Option<Timestamp>,
    /// It went off late.
    pub was_due: bool,
    pub done_at: Option<Timestamp>,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for ReminderRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            contact_id: row.next()?,
            text: row.next()?,
            anchor_at: row.next()?,
            due_at: row.next()?,
            time_zone: row.next()?,
            repeat: row.next()?,
            assignee_id: row.next()?,
            next_at: row.next()?,
            fired_at: row.next()?,
            was_due: row.next()?,
            done_at: row.next()?,
            created_by: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// A reminder to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NewReminder<'a> {
    pub account: AccountId,
    pub contact: ContactId,
    pub text: &'a str,
    pub due_at: Timestamp,
    pub time_zone: &'a str,
    pub repeat: Repeat,
    pub assignee: Option<UserId>,
    pub created_by: Option<UserId>,
}

/// A place in a list of reminders: for when it is set, then its id.
pub type Place = (Timestamp, ReminderId);

/// Before everything: where a list begins.
pub const START: Place = (Timestamp::from_millis(0), ReminderId(0));

/// Adds a reminder.
pub fn insert(tx: &mut Tx<'_>, new: &NewReminder<'_>, now: Timestamp) -> Result<ReminderId, StoreError> {
    let params = p![
        new.account,
        new.contact,
        new.text,
        new.due_at,
        new.time_zone,
        new.repeat,
        new.assignee,
        new.created_by,
        now
    ];
    let id = tx.insert(&INSERT, params)?;
    id.ok_or_else(|| StoreError::Unavailable("a reminder was not stored".to_owned()))
}

/// One reminder.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: ReminderId) -> Result<Option<ReminderRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// Reminders about a contact after a place, in their order.
pub fn of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    only_open: bool,
    after: Place,
    limit: i64,
) -> Result<Vec<ReminderRow>, StoreError> {
    tx.query(&OF_CONTACT, p![account, contact, after.0, after.1, only_open, limit])
}

/// Reminders of an account that are not done and set for at most `until`, after a place, in their order.
pub fn open(
    tx: &mut Tx<'_>,
    account: AccountId,
    assignee: Option<UserId>,
    until: Timestamp,
    after: Place,
    limit: i64,
) -> Result<Vec<ReminderRow>, StoreError> {
    let assignee = assignee.unwrap_or(UserId(0));
    tx.query(&OPEN, p![account, after.0, after.1, until, assignee, limit])
}

/// How many reminders are due and not done.
pub fn count_due(
    tx: &mut Tx<'_>,
    account: AccountId,
    assignee: Option<UserId>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let assignee = assignee.unwrap_or(UserId(0));
    Ok(tx.find::<(i64,)>(&COUNT_DUE, p![account, now, assignee])?.map_or(0, |(count,)| count))
}

/// Stores what can change about a reminder; false when it is gone.
pub fn update(tx: &mut Tx<'_>, row: &ReminderRow, now: Timestamp) -> Result<bool, StoreError> {
    let params = p![
        row.account_id,
        row.id,
        row.text,
        row.anchor_at,
        row.due_at,
        row.time_zone,
        row.repeat,
        row.assignee_id,
        row.next_at,
        row.fired_at,
        row.done_at,
        now
    ];
    Ok(tx.execute(&UPDATE, params)? > 0)
}

/// Reminders of all accounts that are to go off, the oldest first.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<ReminderRow>, StoreError> {
    tx.query(&DUE, p![now, limit])
}

/// Lets a reminder go off that was read before; false when another node did, or it was changed meanwhile.
pub fn fire(tx: &mut Tx<'_>, row: &ReminderRow, firing: &Firing, now: Timestamp) -> Result<bool, StoreError> {
    let params = p![row.account_id, row.id, row.next_at, firing.due_at, firing.next_at, firing.was_due, now];
    Ok(tx.execute(&FIRE, params)? > 0)
}

/// Removes a reminder; false when it is gone already.
pub fn remove(tx: &mut Tx<'_>, account: AccountId, id: ReminderId) -> Result<bool, StoreError> {
    Ok(tx.execute(&REMOVE, p![account, id])? > 0)
}

pub(super) fn move_to_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ContactId,
    to: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE, p![account, from, to]).map(drop)
}

pub(super) fn remove_of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE_OF, p![account, contact]).map(drop)
}
