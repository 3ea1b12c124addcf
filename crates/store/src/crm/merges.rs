//! Two contacts made one by a person, and what was whose before: so that it can be undone.
//!
//! What came after the merge stays with the one that is kept.

use frontdesk_model::contact::Identity;
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::{
    AccountId, AttachmentId, ContactId, ConversationId, DonationId, InboxId, MergeId, MessageId, NoteId,
    ReminderId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::opt_outs;
use crate::contacts::{self, ContactRow};
use crate::conversations::{self, ConversationRow};
use crate::db::statement::{both, each};
use crate::events::{EventKind, NewEvent};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "g.id, g.account_id, g.winner_id, g.loser_id, g.before, g.merged_by, g.created_at, g.undone_at"
    };
}

statements! {
    INSERT = inserting!(
        "INSERT INTO contact_merges (account_id, winner_id, loser_id, before, merged_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)");
    FIND = both(concat!("SELECT ", columns!(), " FROM contact_merges g WHERE g.account_id = $1 AND g.id = $2"));
    LIST = both(concat!("SELECT ", columns!(),
        " FROM contact_merges g WHERE g.account_id = $1 AND g.id < $2 ORDER BY g.id DESC LIMIT $3"));
    // The first of two who undo it.
    SETTLE = both(
        "UPDATE contact_merges SET undone_at = $3, undone_by = $4
         WHERE account_id = $1 AND id = $2 AND undone_at IS NULL");
    LATER = both(
        "SELECT g.id FROM contact_merges g
         WHERE g.account_id = $1 AND g.winner_id = $2 AND g.id > $3 AND g.undone_at IS NULL ORDER BY g.id LIMIT 1");
    OLD = both("SELECT g.id FROM contact_merges g WHERE g.created_at < $1 ORDER BY g.created_at LIMIT 1");
    REMOVE_OLD = both("DELETE FROM contact_merges WHERE created_at < $1");
    REMOVE_OF = both("DELETE FROM contact_merges WHERE account_id = $1 AND (winner_id = $2 OR loser_id = $2)");
    DONATIONS = both("SELECT id FROM donations WHERE account_id = $1 AND contact_id = $2");
    NOTES = both("SELECT id FROM contact_notes WHERE account_id = $1 AND contact_id = $2");
    REMINDERS = both("SELECT id FROM reminders WHERE account_id = $1 AND contact_id = $2");
    MESSAGES = both("SELECT id FROM messages WHERE account_id = $1 AND conversation_id = $2");
    UNMARK = both("UPDATE contacts SET merged_into = NULL, updated_at = $3 WHERE account_id = $1 AND id = $2");
    SET_PICTURE = both("UPDATE contacts SET avatar_id = $3 WHERE account_id = $1 AND id = $2");
    RETURN_IDENTITY = both(
        "UPDATE contact_identities SET contact_id = $4
         WHERE account_id = $1 AND kind = $2 AND value = $3 AND contact_id = $5");
    RETURN_DONATION = both("UPDATE donations SET contact_id = $3 WHERE account_id = $1 AND id = $2 AND contact_id = $4");
    RETURN_NOTE = both("UPDATE contact_notes SET contact_id = $3 WHERE account_id = $1 AND id = $2 AND contact_id = $4");
    RETURN_REMINDER = both("UPDATE reminders SET contact_id = $3 WHERE account_id = $1 AND id = $2 AND contact_id = $4");
    RETURN_CONVERSATION = both(
        "UPDATE conversations SET contact_id = $3, updated_at = $5 WHERE account_id = $1 AND id = $2 AND contact_id = $4");
    RETURN_ITS_MESSAGES = both("UPDATE messages SET contact_id = $3 WHERE account_id = $1 AND conversation_id = $2");
    RETURN_MESSAGE = each(
        "UPDATE messages SET conversation_id = $3, contact_id = $4
         WHERE account_id = $1 AND id = $2 AND conversation_id = $5",
        "UPDATE messages m SET conversation_id = n.conversation_id, contact_id = n.contact_id
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[])
            AS n (account_id, id, conversation_id, contact_id, was_in)
         WHERE m.account_id = n.account_id AND m.id = n.id AND m.conversation_id = n.was_in");
    RETURN_OUTBOX = both(
        "UPDATE outbox SET conversation_id = $3 WHERE account_id = $1 AND conversation_id = $2 AND message_id IN
            (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $3)");
    RETURN_REACTIONS = both(
        "UPDATE reaction_sends SET conversation_id = $3 WHERE account_id = $1 AND conversation_id = $2 AND message_id IN
            (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $3)");
    // The newest message and the newest of the customer, found again.
    REGAIN = both(
        "UPDATE conversations SET thread = $3, unread_count = $4, updated_at = $5,
            last_message_id = (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
                ORDER BY m.sent_at DESC, m.id DESC LIMIT 1),
            last_message_at = COALESCE((SELECT MAX(m.sent_at) FROM messages m
                WHERE m.account_id = $1 AND m.conversation_id = $2), created_at),
            last_inbound_id = (SELECT m.id FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
                AND m.direction = 'inbound' AND m.sender_type = 'customer' ORDER BY m.sent_at DESC, m.id DESC LIMIT 1),
            last_inbound_at = (SELECT MAX(m.sent_at) FROM messages m WHERE m.account_id = $1 AND m.conversation_id = $2
                AND m.direction = 'inbound' AND m.sender_type = 'customer')
         WHERE account_id = $1 AND id = $2");
    REGAIN_STATE = both(
        "UPDATE conversations SET status = $3, starred = $4, labels = $5, assignee_id = $6, created_at = $7
         WHERE account_id = $1 AND id = $2");
}

/// A merge as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct MergeRow {
    pub id: MergeId,
    pub account_id: AccountId,
    /// Who was kept.
    pub winner_id: ContactId,
    /// Who became part of them.
    pub loser_id: ContactId,
    pub before: Before,
    pub merged_by: Option<UserId>,
    pub created_at: Timestamp,
    pub undone_at: Option<Timestamp>,
}

impl FromRow for MergeRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            winner_id: row.next()?,
            loser_id: row.next()?,
            before: row.next_json()?,
            merged_by: row.next()?,
            created_at: row.next()?,
            undone_at: row.next()?,
        })
    }
}

/// How it was before a merge, and what the merge made of the one that was kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say whose")]
pub struct Before {
    pub winner: Fields,
    pub loser: Fields,
    /// The winner afterwards: what was changed since is not touched by undoing.
    pub after: Fields,
    pub identities: Vec<Identity>,
    pub donations: Vec<DonationId>,
    pub notes: Vec<NoteId>,
    pub reminders: Vec<ReminderId>,
    pub conversations: Vec<Moved>,
}

/// What a contact is called, and what else a merge changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are columns of contacts")]
pub struct Fields {
    pub name: Option<String>,
    pub name_edited: bool,
    pub name_at: Timestamp,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_at: Timestamp,
    pub avatar_id: Option<AttachmentId>,
    pub custom_fields: Map<String, Value>,
    pub opted_out: bool,
}

/// A conversation of the one who was not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are columns of conversations")]
pub struct Moved {
    pub id: ConversationId,
    pub inbox_id: InboxId,
    pub thread: String,
    pub unread_count: i64,
    pub status: ConversationStatus,
    pub starred: bool,
    pub labels: Vec<String>,
    pub assignee_id: Option<UserId>,
    pub created_at: Timestamp,
    /// Set when the winner had one in the same inbox: the two became one.
    pub absorbed: Option<Absorbed>,
}

/// Into what a conversation went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    /// The winner's conversation.
    pub into: ConversationId,
    /// What the provider called its other side.
    pub thread: String,
    /// The messages that went over.
    pub messages: Vec<MessageId>,
}

/// What a merge of `loser` into `winner` would change. Both are to be locked.
pub fn look(tx: &mut Tx<'_>, winner: &ContactRow, loser: &ContactRow) -> Result<Before, StoreError> {
    let account = winner.account_id;
    let kept = conversations::of_contact(tx, account, winner.id)?;
    let mut moved = Vec::new();
    for row in conversations::of_contact(tx, account, loser.id)? {
        let absorbed = match kept.iter().find(|kept| kept.inbox_id == row.inbox_id) {
            None => None,
            Some(kept) => Some(Absorbed {
                into: kept.id,
                thread: kept.thread.clone(),
                messages: ids(tx.query(&MESSAGES, p![account, row.id])?),
            }),
        };
        moved.push(Moved::of(row, absorbed));
    }
    Ok(Before {
        winner: fields(tx, winner)?,
        loser: fields(tx, loser)?,
        after: Fields::default(),
        identities: contacts::identities(tx, account, loser.id)?,
        donations: ids(tx.query(&DONATIONS, p![account, loser.id])?),
        notes: ids(tx.query(&NOTES, p![account, loser.id])?),
        reminders: ids(tx.query(&REMINDERS, p![account, loser.id])?),
        conversations: moved,
    })
}

impl Moved {
    fn of(row: ConversationRow, absorbed: Option<Absorbed>) -> Self {
        Self {
            id: row.id,
            inbox_id: row.inbox_id,
            thread: row.thread,
            unread_count: row.unread_count,
            status: row.status,
            starred: row.starred,
            labels: row.labels,
            assignee_id: row.assignee_id,
            created_at: row.created_at,
            absorbed,
        }
    }
}

fn ids<T>(rows: Vec<(T,)>) -> Vec<T> {
    rows.into_iter().map(|(id,)| id).collect()
}

/// What a merge can change of a contact, as it is now.
pub fn fields(tx: &mut Tx<'_>, row: &ContactRow) -> Result<Fields, StoreError> {
    let details = contacts::other_side::details_many(tx, row.account_id, [row.id])?.remove(&row.id);
    Ok(Fields {
        name: row.name.clone(),
        name_edited: row.name_edited,
        name_at: row.name_at,
        email: row.email.clone(),
        phone: row.phone.clone(),
        phone_at: row.phone_at,
        avatar_id: row.avatar_id,
        custom_fields: details.unwrap_or_default().custom_fields,
        opted_out: opt_outs::is_out(tx, row.account_id, row.id)?,
    })
}

/// Notes a merge.
pub fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    (winner, loser): (ContactId, ContactId),
    before: &Before,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<MergeId, StoreError> {
    let before = serde_json::to_string(before).unwrap_or_default();
    let id = tx.insert(&INSERT, p![account, winner, loser, before, by, now])?;
    id.ok_or_else(|| StoreError::Unavailable("a merge was not stored".to_owned()))
}

/// One merge.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: MergeId) -> Result<Option<MergeRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// Merges before one, the newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: MergeId,
    limit: i64,
) -> Result<Vec<MergeRow>, StoreError> {
    tx.query(&LIST, p![account, before, limit])
}

/// A later merge into the same contact that still stands: it is to be undone first.
pub fn find_later(tx: &mut Tx<'_>, row: &MergeRow) -> Result<Option<MergeId>, StoreError> {
    Ok(tx.find::<(MergeId,)>(&LATER, p![row.account_id, row.winner_id, row.id])?.map(|(id,)| id))
}

/// True when merges from before `before` are still kept.
pub fn has_old(tx: &mut Tx<'_>, before: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.find::<(MergeId,)>(&OLD, p![before])?.is_some())
}

/// Forgets merges from before `before`: they cannot be undone any more, and what they keep is about people.
pub fn remove_old(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(&REMOVE_OLD, p![before]).map(drop)
}

pub(super) fn remove_of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE_OF, p![account, contact]).map(drop)
}

/// Gives back what a merge moved, as far as it is still there; false when somebody did already. The winner is to be locked.
pub fn undo(
    tx: &mut Tx<'_>,
    row: &MergeRow,
    winner: &ContactRow,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (account, loser, before) = (row.account_id, row.loser_id, &row.before);
    if tx.execute(&SETTLE, p![account, row.id, now, by])? == 0 {
        return Ok(false);
    }
    tx.execute(&UNMARK, p![account, loser, now])?;
    for identity in &before.identities {
        tx.execute(&RETURN_IDENTITY, p![account, identity.kind, identity.value, loser, winner.id])?;
    }
    for id in &before.donations {
        tx.execute(&RETURN_DONATION, p![account, *id, loser, winner.id])?;
    }
    for id in &before.notes {
        tx.execute(&RETURN_NOTE, p![account, *id, loser, winner.id])?;
    }
    for id in &before.reminders {
        tx.execute(&RETURN_REMINDER, p![account, *id, loser, winner.id])?;
    }
    for moved in &before.conversations {
        return_conversation(tx, account, moved, winner.id, loser, now)?;
    }
    return_fields(tx, row, winner, now)?;
    Ok(true)
}

fn return_conversation(
    tx: &mut Tx<'_>,
    account: AccountId,
    moved: &Moved,
    winner: ContactId,
    loser: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(absorbed) = &moved.absorbed else {
        if tx.execute(&RETURN_CONVERSATION, p![account, moved.id, loser, winner, now])? > 0 {
            tx.execute(&RETURN_ITS_MESSAGES, p![account, moved.id, loser])?;
            updated(tx, account, moved.id);
        }
        return Ok(());
    };
    conversations::lock(tx, account, absorbed.into)?;
    let Some(kept) = conversations::find(tx, account, absorbed.into)? else { return Ok(()) };
    let (id, _) = conversations::find_or_create(
        tx,
        account,
        moved.inbox_id,
        loser,
        &moved.thread,
        moved.created_at,
        now,
    )?;
    let rows = absorbed.messages.iter().map(|message| row![account, *message, id, loser, kept.id]).collect();
    tx.execute_many(&RETURN_MESSAGE, rows)?;
    tx.execute(&RETURN_OUTBOX, p![account, kept.id, id])?;
    tx.execute(&RETURN_REACTIONS, p![account, kept.id, id])?;
    // What was read since is read.
    let unread = moved.unread_count.min(kept.unread_count);
    let labels = serde_json::to_string(&moved.labels).unwrap_or_else(|_| "[]".to_owned());
    tx.execute(
        &REGAIN_STATE,
        p![account, id, moved.status, moved.starred, labels, moved.assignee_id, moved.created_at],
    )?;
    tx.execute(&REGAIN, p![account, id, moved.thread, unread, now])?;
    // The winner's goes by its own name again, unless it has been heard under another since.
    let thread = if kept.thread == moved.thread { &absorbed.thread } else { &kept.thread };
    tx.execute(&REGAIN, p![account, kept.id, *thread, kept.unread_count - unread, now])?;
    updated(tx, account, id);
    updated(tx, account, kept.id);
    Ok(())
}

/// The loser is called as before; the winner too, where nobody changed that since.
fn return_fields(
    tx: &mut Tx<'_>,
    row: &MergeRow,
    winner: &ContactRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (account, Before { winner: before, loser: lost, after, .. }) = (row.account_id, &row.before);
    let current = fields(tx, winner)?;
    let mut kept = winner.clone();
    if current.name == after.name {
        (kept.name, kept.name_edited, kept.name_at) =
            (before.name.clone(), before.name_edited, before.name_at);
    }
    if current.email == after.email {
        kept.email.clone_from(&before.email);
    }
    if current.phone == after.phone {
        (kept.phone, kept.phone_at) = (before.phone.clone(), before.phone_at);
    }
    contacts::save(tx, &kept, now)?;
    if current.avatar_id == after.avatar_id {
        tx.execute(&SET_PICTURE, p![account, kept.id, before.avatar_id])?;
    }
    if current.custom_fields == after.custom_fields {
        contacts::other_side::set_custom_fields(tx, account, kept.id, &before.custom_fields, now)?;
    }
    if current.opted_out == after.opted_out && !before.opted_out {
        opt_outs::remove(tx, account, kept.id)?;
    }
    let returned = ContactRow {
        id: row.loser_id,
        name: lost.name.clone(),
        name_edited: lost.name_edited,
        name_at: lost.name_at,
        email: lost.email.clone(),
        phone: lost.phone.clone(),
        phone_at: lost.phone_at,
        merged_into: None,
        ..kept
    };
    contacts::save(tx, &returned, now)?;
    tx.execute(&SET_PICTURE, p![account, row.loser_id, lost.avatar_id])?;
    contacts::other_side::set_custom_fields(tx, account, row.loser_id, &lost.custom_fields, now)?;
    if lost.opted_out {
        opt_outs::insert(tx, account, row.loser_id, row.merged_by, row.created_at)?;
    }
    Ok(())
}

fn updated(tx: &mut Tx<'_>, account: AccountId, conversation: ConversationId) {
    tx.emit(NewEvent {
        account_id: account,
        kind: EventKind::ConversationUpdated,
        conversation_id: Some(conversation),
        message_id: None,
        data: None,
    });
}
