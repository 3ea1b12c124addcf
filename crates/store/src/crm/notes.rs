//! What people of ours noted about contacts. Earlier wordings of a note stay beside it until it is removed.

use frontdesk_model::{AccountId, ContactId, NoteId, Timestamp, UserId, text};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "n.id, n.account_id, n.contact_id, n.author_id, n.author_name, n.body, n.pinned, n.created_at, n.updated_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO contact_notes (account_id, contact_id, author_id, author_name, body, pinned, created_at, updated_at, search_text)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)");
    FIND = both(concat!("SELECT ", columns!(), " FROM contact_notes n WHERE n.account_id = $1 AND n.id = $2"));
    // The pinned ones first, then the newest.
    OF_CONTACT = both(concat!("SELECT ", columns!(),
        " FROM contact_notes n WHERE n.account_id = $1 AND n.contact_id = $2
          ORDER BY n.pinned DESC, n.id DESC LIMIT $3 OFFSET $4"));
    COUNT = both("SELECT COUNT(*) FROM contact_notes WHERE account_id = $1 AND contact_id = $2");
    KEEP_EDIT = both(
        "INSERT INTO contact_note_edits (account_id, note_id, version, body, editor_name, edited_at)
         SELECT n.account_id, n.id, (SELECT COUNT(*) + 1 FROM contact_note_edits e WHERE e.account_id = $1 AND e.note_id = $2),
            n.body, $3, $4
         FROM contact_notes n WHERE n.account_id = $1 AND n.id = $2");
    SET_BODY = both("UPDATE contact_notes SET body = $3, updated_at = $4, search_text = $5 WHERE account_id = $1 AND id = $2");
    SET_PINNED = both("UPDATE contact_notes SET pinned = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    EDITS = both(
        "SELECT version, body, editor_name, edited_at FROM contact_note_edits WHERE account_id = $1 AND note_id = $2
         ORDER BY version LIMIT 200");
    TO_FOLD = both("SELECT id, body FROM contact_notes WHERE search_text IS NULL ORDER BY id LIMIT $1");
    FOLD = both("UPDATE contact_notes SET search_text = $2 WHERE id = $1 AND body = $3");
    REMOVE = both("DELETE FROM contact_notes WHERE account_id = $1 AND id = $2");
    REMOVE_EDITS = both("DELETE FROM contact_note_edits WHERE account_id = $1 AND note_id = $2");
    MOVE = both("UPDATE contact_notes SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2");
    REMOVE_EDITS_OF = both(
        "DELETE FROM contact_note_edits WHERE account_id = $1 AND note_id IN
            (SELECT n.id FROM contact_notes n WHERE n.account_id = $1 AND n.contact_id = $2)");
    REMOVE_OF = both("DELETE FROM contact_notes WHERE account_id = $1 AND contact_id = $2");
}

/// A note as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NoteRow {
    pub id: NoteId,
    pub account_id: AccountId,
    pub contact_id: ContactId,
    pub author_id: Option<UserId>,
    pub author_name: String,
    pub body: String,
    pub pinned: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for NoteRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            contact_id: row.next()?,
            author_id: row.next()?,
            author_name: row.next()?,
            body: row.next()?,
            pinned: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// A note to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NewNote<'a> {
    pub account: AccountId,
    pub contact: ContactId,
    pub author: Option<UserId>,
    pub author_name: &'a str,
    pub body: &'a str,
    pub pinned: bool,
}

/// What a note said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteEdit {
    /// Its number, from 1 on.
    pub version: i64,
    /// What it said.
    pub body: String,
    /// Who changed it.
    pub editor_name: String,
    /// When it was changed.
    pub edited_at: Timestamp,
}

impl FromRow for NoteEdit {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { version: row.next()?, body: row.next()?, editor_name: row.next()?, edited_at: row.next()? })
    }
}

/// Adds a note.
pub fn insert(tx: &mut Tx<'_>, new: &NewNote<'_>, now: Timestamp) -> Result<NoteId, StoreError> {
    let folded = text::fold(new.body);
    let params = p![new.account, new.contact, new.author, new.author_name, new.body, new.pinned, now, folded];
    let id = tx.insert(&INSERT, params)?;
    id.ok_or_else(|| StoreError::Unavailable("a note was not stored".to_owned()))
}

/// One note.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: NoteId) -> Result<Option<NoteRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// Notes about a contact after the first `skip`: the pinned ones, then the newest.
pub fn of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    skip: i64,
    limit: i64,
) -> Result<Vec<NoteRow>, StoreError> {
    tx.query(&OF_CONTACT, p![account, contact, limit, skip])
}

/// How many notes there are about a contact.
pub fn count(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![account, contact])?.map_or(0, |(count,)| count))
}

/// Rewords a note; what it said before is kept.
pub fn set_body(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: NoteId,
    body: &str,
    editor_name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&KEEP_EDIT, p![account, id, editor_name, now])?;
    tx.execute(&SET_BODY, p![account, id, body, now, text::fold(body)]).map(drop)
}

/// Folds the words of at most `limit` notes that a version before stored; how many there were.
pub fn fold_old(tx: &mut Tx<'_>, limit: i64) -> Result<i64, StoreError> {
    let old: Vec<(NoteId, String)> = tx.query(&TO_FOLD, p![limit])?;
    for (id, body) in &old {
        tx.execute(&FOLD, p![*id, text::fold(body), body])?;
    }
    Ok(old.len() as i64)
}

/// Pins a note, or takes the pin away.
pub fn set_pinned(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: NoteId,
    pinned: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_PINNED, p![account, id, pinned, now]).map(drop)
}

/// What a note said before, the first wording first.
pub fn edits(tx: &mut Tx<'_>, account: AccountId, id: NoteId) -> Result<Vec<NoteEdit>, StoreError> {
    tx.query(&EDITS, p![account, id])
}

/// Removes a note and what it said before; false when it is gone already.
pub fn remove(tx: &mut Tx<'_>, account: AccountId, id: NoteId) -> Result<bool, StoreError> {
    tx.execute(&REMOVE_EDITS, p![account, id])?;
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
    tx.execute(&REMOVE_EDITS_OF, p![account, contact])?;
    tx.execute(&REMOVE_OF, p![account, contact]).map(drop)
}
