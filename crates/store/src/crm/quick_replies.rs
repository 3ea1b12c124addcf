//! Texts to answer with, by a short name. Not what a provider approved.

use frontdesk_model::{AccountId, QuickReplyId, Timestamp, UserId};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, shortcut, title, content, created_at, updated_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO quick_replies (account_id, shortcut, title, content, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING");
    UPDATE = both(
        "UPDATE quick_replies SET shortcut = $3, title = $4, content = $5, updated_at = $6
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    HIDE = both(
        "UPDATE quick_replies SET deleted_at = $3, updated_at = $3
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    FIND = both(concat!("SELECT ", columns!(),
        " FROM quick_replies WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"));
    LIST = both(concat!("SELECT ", columns!(),
        " FROM quick_replies WHERE account_id = $1 AND deleted_at IS NULL ORDER BY shortcut LIMIT $2"));
    COUNT = both("SELECT COUNT(*) FROM quick_replies WHERE account_id = $1 AND deleted_at IS NULL");
}

/// A text to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct QuickReplyRow {
    pub id: QuickReplyId,
    pub account_id: AccountId,
    /// What is typed after the slash; unique in the account.
    pub shortcut: String,
    pub title: String,
    /// The text, with variables.
    pub content: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for QuickReplyRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            shortcut: row.next()?,
            title: row.next()?,
            content: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// Adds a text; its id and its times are given here. `None` when its shortcut is taken.
pub fn insert(
    tx: &mut Tx<'_>,
    row: &QuickReplyRow,
    created_by: Option<UserId>,
    now: Timestamp,
) -> Result<Option<QuickReplyId>, StoreError> {
    tx.insert(&INSERT, p![row.account_id, row.shortcut, row.title, row.content, created_by, now])
}

/// Stores a text anew; false when it is gone. A shortcut that is taken is a unique violation.
pub fn update(tx: &mut Tx<'_>, row: &QuickReplyRow, now: Timestamp) -> Result<bool, StoreError> {
    let params = p![row.account_id, row.id, row.shortcut, row.title, row.content, now];
    Ok(tx.execute(&UPDATE, params)? > 0)
}

/// Takes a text away; false when it is gone already.
pub fn hide(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: QuickReplyId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&HIDE, p![account, id, now])? > 0)
}

/// One text.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: QuickReplyId,
) -> Result<Option<QuickReplyRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// The texts of an account by their shortcuts.
pub fn list(tx: &mut Tx<'_>, account: AccountId, limit: i64) -> Result<Vec<QuickReplyRow>, StoreError> {
    tx.query(&LIST, p![account, limit])
}

/// How many texts an account has.
pub fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![account])?.map_or(0, |(count,)| count))
}
