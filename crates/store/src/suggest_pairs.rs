//! What customers asked and people of ours answered: what replies are suggested from, kept beside the messages.
//!
//! A pair has the id of the answer. What a pair belongs to (whose conversation, what the customer is called) is read from the
//! message when it is needed, so that nothing is kept twice. Texts to answer with stand under the negative of their id.
//! Each change of an account's pairs gets a rising number, by which every node follows what it keeps in memory.

use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType};
use frontdesk_model::{AccountId, ContactId, ConversationId, MessageId, QuickReplyId, Timestamp};

use crate::crm::quick_replies::QuickReplyRow;
use crate::db::statement::{both, each};
use crate::events::EventKind;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    PROGRESS = both(
        "SELECT event_cursor, walked_until, version, forgotten FROM suggest_progress WHERE account_id = $1");
    BEHIND = both(
        "SELECT a.id FROM accounts a LEFT JOIN suggest_progress p ON p.account_id = a.id
         WHERE p.account_id IS NULL OR p.event_cursor < a.event_seq OR p.walked_until IS NOT NULL ORDER BY a.id LIMIT $1");
    BEGIN = both(
        "INSERT INTO suggest_progress (account_id, event_cursor, walked_until)
         SELECT id, event_seq, 0 FROM accounts WHERE id = $1 ON CONFLICT (account_id) DO NOTHING");
    BEGIN_ANEW = both(
        "UPDATE suggest_progress SET walked_until = 0,
            event_cursor = (SELECT event_seq FROM accounts WHERE accounts.id = suggest_progress.account_id) WHERE account_id = $1");
    MOVE_CURSOR = both(
        "UPDATE suggest_progress SET event_cursor = $3 WHERE account_id = $1 AND event_cursor = $2");
    MOVE_WALK = both(
        "UPDATE suggest_progress SET walked_until = $3 WHERE account_id = $1 AND walked_until = $2");
    NEXT_VERSION = both(
        "INSERT INTO suggest_progress (account_id, walked_until, version) VALUES ($1, 0, 1)
         ON CONFLICT (account_id) DO UPDATE SET version = suggest_progress.version + 1 RETURNING version");
    // Only what can change a pair: of what customers write, what was answered already.
    NEWS = both(
        "SELECT e.kind, e.conversation_id, e.message_id, e.data, m.conversation_id, m.sent_at FROM events e
         LEFT JOIN messages m ON m.account_id = e.account_id AND m.id = e.message_id
         WHERE e.account_id = $1 AND e.seq > $2 AND e.seq <= $3 AND (
            e.kind IN ('message_removed', 'conversation_merged', 'contact_updated')
            OR (e.kind IN ('message_received', 'message_updated') AND (m.direction = 'outbound' OR EXISTS
                (SELECT 1 FROM messages l WHERE l.account_id = m.account_id AND l.conversation_id = m.conversation_id
                 AND l.sent_at >= m.sent_at AND l.direction = 'outbound')))
            OR (e.kind = 'message_status_updated' AND m.direction = 'outbound' AND (m.status = 'failed' OR EXISTS
                (SELECT 1 FROM suggest_pairs p WHERE p.account_id = m.account_id AND p.id = m.id AND p.removed = TRUE))))
         ORDER BY e.seq");
    CONVERSATIONS = both("SELECT id FROM conversations WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    THREAD = both(
        "SELECT m.id, m.direction, m.sender_type, m.kind, m.content, m.status, m.sent_at FROM messages m
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at >= $3 AND m.sent_at <= $4 AND m.deleted_at IS NULL
         ORDER BY m.sent_at DESC, m.id DESC LIMIT $5");
    OUTBOUND = both(
        "SELECT p.id, p.question, p.before_text, p.reply, p.said_at FROM messages m
         JOIN suggest_pairs p ON p.account_id = m.account_id AND p.id = m.id AND p.removed = FALSE
         WHERE m.account_id = $1 AND m.conversation_id = $2 AND m.sent_at >= $3 AND m.sent_at <= $4
            AND m.direction = 'outbound' ORDER BY m.sent_at DESC, m.id DESC LIMIT $5");
    SAVE = both(
        "INSERT INTO suggest_pairs (account_id, id, question, before_text, reply, said_at, changed)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, id) DO UPDATE SET question = excluded.question, before_text = excluded.before_text,
            reply = excluded.reply, said_at = excluded.said_at, removed = FALSE, changed = excluded.changed");
    REMOVE = each(
        "UPDATE suggest_pairs SET question = '', before_text = NULL, reply = '', accepted = 0, dismissed = 0, removed = TRUE,
            changed = $3, said_at = $4 WHERE account_id = $1 AND id = $2 AND removed = FALSE",
        "UPDATE suggest_pairs t SET question = '', before_text = NULL, reply = '', accepted = 0, dismissed = 0, removed = TRUE,
            changed = n.changed, said_at = n.at
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[]) AS n (account_id, id, changed, at)
         WHERE t.account_id = n.account_id AND t.id = n.id AND t.removed = FALSE");
    KNOWN = each(
        "SELECT account_id, id FROM suggest_pairs WHERE account_id = $1 AND id = $2 AND removed = FALSE",
        "SELECT p.account_id, p.id FROM suggest_pairs p
         JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id) ON p.account_id = n.account_id AND p.id = n.id
         WHERE p.removed = FALSE");
    HOMELESS = both(
        "SELECT p.id FROM suggest_pairs p WHERE p.account_id = $1 AND p.removed = FALSE AND p.id > $2
            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.account_id = $1 AND m.id = p.id) ORDER BY p.id LIMIT $3");
    OLDEST = both(
        "SELECT id FROM suggest_pairs WHERE account_id = $1 AND removed = FALSE AND said_at < $2 AND id > 0
         ORDER BY said_at, id LIMIT $3");
    // The first one beyond those that are kept.
    NEWEST_BEYOND = both(
        "SELECT said_at FROM suggest_pairs WHERE account_id = $1 AND removed = FALSE ORDER BY said_at DESC, id DESC LIMIT 1 OFFSET $2");
    TOMBS = both(
        "SELECT MAX(changed) FROM suggest_pairs WHERE account_id = $1 AND removed = TRUE AND said_at > 0 AND said_at < $2");
    FORGET_TOMBS = both(
        "DELETE FROM suggest_pairs WHERE account_id = $1 AND removed = TRUE AND said_at > 0 AND said_at < $2");
    DATE_TOMBS = both(
        "UPDATE suggest_pairs SET said_at = $2 WHERE account_id = $1 AND removed = TRUE AND said_at = 0");
    SET_FORGOTTEN = both(
        "UPDATE suggest_progress SET forgotten = $2 WHERE account_id = $1 AND forgotten < $2");
    TOUCH_OF_CONTACT = both(
        "UPDATE suggest_pairs SET changed = $3 WHERE account_id = $1 AND removed = FALSE AND id IN
            (SELECT m.id FROM conversations v JOIN messages m ON m.account_id = v.account_id AND m.conversation_id = v.id
             WHERE v.account_id = $1 AND v.contact_id = $2 AND m.direction = 'outbound')");
    HAS_OF_CONTACT = both(
        "SELECT p.id FROM conversations v JOIN messages m ON m.account_id = v.account_id AND m.conversation_id = v.id
         JOIN suggest_pairs p ON p.account_id = m.account_id AND p.id = m.id AND p.removed = FALSE
         WHERE v.account_id = $1 AND v.contact_id = $2 AND m.direction = 'outbound' LIMIT 1");
    PAGE = both(
        "SELECT p.id, p.question, p.before_text, p.reply, p.said_at, p.accepted, p.dismissed, p.removed, p.changed,
            m.contact_id, c.name, m.deleted_at
         FROM suggest_pairs p LEFT JOIN messages m ON m.account_id = p.account_id AND m.id = p.id
         LEFT JOIN contacts c ON c.account_id = m.account_id AND c.id = m.contact_id
         WHERE p.account_id = $1 AND p.removed = FALSE AND (p.said_at, p.id) < ($2, $3)
         ORDER BY p.said_at DESC, p.id DESC LIMIT $4");
    CHANGES = both(
        "SELECT p.id, p.question, p.before_text, p.reply, p.said_at, p.accepted, p.dismissed, p.removed, p.changed,
            m.contact_id, c.name, m.deleted_at
         FROM suggest_pairs p LEFT JOIN messages m ON m.account_id = p.account_id AND m.id = p.id
         LEFT JOIN contacts c ON c.account_id = m.account_id AND c.id = m.contact_id
         WHERE p.account_id = $1 AND (p.changed, p.id) > ($2, $3) ORDER BY p.changed, p.id LIMIT $4");
    CHANGED = both("SELECT id FROM suggest_pairs WHERE account_id = $1 AND changed > $2 ORDER BY changed, id LIMIT $3");
    ACCEPT = both(
        "UPDATE suggest_pairs SET accepted = accepted + 1, changed = $3 WHERE account_id = $1 AND id = $2 AND removed = FALSE");
    DISMISS = both(
        "UPDATE suggest_pairs SET dismissed = dismissed + 1, changed = $3 WHERE account_id = $1 AND id = $2 AND removed = FALSE");
    EXISTS = both("SELECT id FROM suggest_pairs WHERE account_id = $1 AND id = $2 AND removed = FALSE");
    COUNT = both("SELECT COUNT(*) FROM suggest_pairs WHERE account_id = $1 AND removed = FALSE");
}

/// The date of what is left of pairs that went with their messages.
const UNDATED: Timestamp = Timestamp::from_millis(0);

/// How far an account's pairs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events up to here have been looked at.
    pub event_cursor: i64,
    /// While all conversations are read anew: those up to here have been.
    pub walked_until: Option<ConversationId>,
    /// The number of the newest change.
    pub version: i64,
    /// Removed pairs with changes up to here are not kept any more: who kept older ones reads all anew.
    pub forgotten: i64,
}

impl FromRow for Progress {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            event_cursor: row.next()?,
            walked_until: row.next()?,
            version: row.next()?,
            forgotten: row.next()?,
        })
    }
}

/// Something that may have changed pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What happened.
    pub kind: EventKind,
    /// Where, as the event says.
    pub conversation: Option<ConversationId>,
    /// To which message.
    pub message: Option<MessageId>,
    /// What the event keeps.
    pub data: Option<String>,
    /// Where the message is now and when it was written; `None` when it is gone.
    pub now_in: Option<(ConversationId, Timestamp)>,
}

impl FromRow for News {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let word: String = row.next()?;
        let kind =
            EventKind::parse(&word).ok_or(StoreError::Column { column: 0, expected: "an event kind" })?;
        let (conversation, message, data) = (row.next()?, row.next()?, row.next()?);
        let (now_in, sent_at): (Option<ConversationId>, Option<Timestamp>) = (row.next()?, row.next()?);
        Ok(Self { kind, conversation, message, data, now_in: now_in.zip(sent_at) })
    }
}

/// One entry of a conversation, as far as pairs are made of it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are columns of messages")]
pub struct Line {
    pub id: MessageId,
    pub direction: Direction,
    pub sender_type: SenderType,
    pub kind: MessageKind,
    pub content: Option<String>,
    pub status: MessageStatus,
    pub sent_at: Timestamp,
}

impl FromRow for Line {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            direction: row.next()?,
            sender_type: row.next()?,
            kind: row.next()?,
            content: row.next()?,
            status: row.next()?,
            sent_at: row.next()?,
        })
    }
}

/// What was asked and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// The first message of the answer; the negative of a quick reply's id.
    pub id: i64,
    /// The customer's turn.
    pub question: String,
    /// What was said before that by one of ours.
    pub before: Option<String>,
    /// The answer.
    pub reply: String,
    /// When it was said.
    pub said_at: Timestamp,
}

impl FromRow for Learned {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            question: row.next()?,
            before: row.next()?,
            reply: row.next()?,
            said_at: row.next()?,
        })
    }
}

/// A pair with what is known of it: for the index in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRow {
    /// What was asked and answered.
    pub learned: Learned,
    /// How often it was taken.
    pub accepted: i64,
    /// How often it was waved away.
    pub dismissed: i64,
    /// It is not to be suggested any more.
    pub removed: bool,
    /// The number of its newest change.
    pub changed: i64,
    /// Whom it was said to; `None` for quick replies.
    pub contact: Option<ContactId>,
    /// What they are called.
    pub contact_name: Option<String>,
}

impl FromRow for PairRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let learned = Learned::from_row(row)?;
        let (accepted, dismissed, removed, changed) =
            (row.next()?, row.next()?, row.next::<bool>()?, row.next()?);
        let (contact, contact_name): (Option<ContactId>, Option<String>) = (row.next()?, row.next()?);
        let deleted_at: Option<Timestamp> = row.next()?;
        // A message may be gone a moment before its pair is.
        let removed = removed || deleted_at.is_some() || (learned.id > 0 && contact.is_none());
        Ok(Self { learned, accepted, dismissed, removed, changed, contact, contact_name })
    }
}

/// How far an account is; `None` when nothing was begun.
pub fn progress(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Progress>, StoreError> {
    tx.find(&PROGRESS, p![account])
}

/// Accounts with something to learn.
pub fn behind(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<AccountId>, StoreError> {
    Ok(tx.query::<(AccountId,)>(&BEHIND, p![limit])?.into_iter().map(|(id,)| id).collect())
}

/// Begins to learn: from now on by events, and everything before by a walk through all conversations.
pub fn begin(tx: &mut Tx<'_>, account: AccountId) -> Result<(), StoreError> {
    tx.execute(&BEGIN, p![account]).map(drop)
}

/// Has everything of an account read anew.
pub fn begin_anew(tx: &mut Tx<'_>, account: AccountId) -> Result<(), StoreError> {
    begin(tx, account)?;
    tx.execute(&BEGIN_ANEW, p![account]).map(drop)
}

/// Moves the place in the event log; false when another node has.
pub fn move_cursor(tx: &mut Tx<'_>, account: AccountId, from: i64, to: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&MOVE_CURSOR, p![account, from, to])? > 0)
}

/// Moves the place of the walk, `None` at its end; false when another node has.
pub fn move_walk(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ConversationId,
    to: Option<ConversationId>,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&MOVE_WALK, p![account, from, to])? > 0)
}

/// The number of a change that is about to be made. Whoever asks holds up others of the account until the commit, so that
/// numbers come in the order of commits.
pub fn next_version(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    let version = tx.find::<(i64,)>(&NEXT_VERSION, p![account])?.map(|(version,)| version);
    version.ok_or_else(|| StoreError::Unavailable("a change of pairs was not numbered".to_owned()))
}

/// What happened after one event up to another that may change pairs.
pub fn news(tx: &mut Tx<'_>, account: AccountId, after: i64, until: i64) -> Result<Vec<News>, StoreError> {
    tx.query(&NEWS, p![account, after, until])
}

/// The conversations after one.
pub fn conversations(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: ConversationId,
    limit: i64,
) -> Result<Vec<ConversationId>, StoreError> {
    let found = tx.query::<(ConversationId,)>(&CONVERSATIONS, p![account, after, limit])?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// What was written in a conversation between two moments and is not deleted, the oldest first; of more than `limit` the newest.
pub fn thread(
    tx: &mut Tx<'_>,
    (account, conversation): (AccountId, ConversationId),
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let mut lines = tx.query::<Line>(&THREAD, p![account, conversation, from, until, limit])?;
    lines.reverse();
    Ok(lines)
}

/// The pairs whose answers were given in a conversation between two moments; of more than `limit` the newest.
pub fn learned(
    tx: &mut Tx<'_>,
    (account, conversation): (AccountId, ConversationId),
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Learned>, StoreError> {
    tx.query(&OUTBOUND, p![account, conversation, from, until, limit])
}

/// Keeps a pair, new or changed.
pub fn save(tx: &mut Tx<'_>, account: AccountId, pair: &Learned, version: i64) -> Result<(), StoreError> {
    let Learned { id, question, before, reply, said_at } = pair;
    tx.execute(&SAVE, p![account, id, question, before, reply, said_at, version]).map(drop)
}

/// Takes pairs away; nothing but their ids stays, until all nodes have heard of it.
pub fn remove(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: &[i64],
    version: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute_many(&REMOVE, ids.iter().map(|id| row![account, id, version, now]).collect()).map(drop)
}

/// Takes away the pairs of messages that go, in the same transaction. What is left of them is dated when [`forget_removed`]
/// sees it first: here is no clock.
pub(crate) fn remove_with_messages(
    tx: &mut Tx<'_>,
    messages: &[(AccountId, MessageId)],
) -> Result<(), StoreError> {
    let rows = messages.iter().map(|(account, id)| row![account, id]).collect();
    let mut known = tx.query_many::<(AccountId, i64)>(&KNOWN, rows)?;
    known.sort_unstable();
    for of_account in known.chunk_by(|a, b| a.0 == b.0) {
        let account = of_account[0].0;
        let version = next_version(tx, account)?;
        let ids: Vec<i64> = of_account.iter().map(|(_, id)| *id).collect();
        remove(tx, account, &ids, version, UNDATED)?;
    }
    Ok(())
}

/// Pairs whose message is gone, those after one.
pub fn homeless(tx: &mut Tx<'_>, account: AccountId, limit: i64) -> Result<Vec<i64>, StoreError> {
    Ok(tx.query::<(i64,)>(&HOMELESS, p![account, 0_i64, limit])?.into_iter().map(|(id,)| id).collect())
}

/// Pairs of before `before`, the oldest first.
pub fn oldest(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    Ok(tx.query::<(i64,)>(&OLDEST, p![account, before, limit])?.into_iter().map(|(id,)| id).collect())
}

/// When the newest pair beyond `kept` newer ones was said; `None` when there are not so many.
pub fn newest_beyond(
    tx: &mut Tx<'_>,
    account: AccountId,
    kept: i64,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Timestamp,)>(&NEWEST_BEYOND, p![account, kept])?.map(|(at,)| at))
}

/// Forgets what is left of pairs removed before `before`.
pub fn forget_removed(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&DATE_TOMBS, p![account, now])?;
    let Some((Some(newest),)) = tx.find::<(Option<i64>,)>(&TOMBS, p![account, before])? else {
        return Ok(());
    };
    tx.execute(&SET_FORGOTTEN, p![account, newest])?;
    tx.execute(&FORGET_TOMBS, p![account, before]).map(drop)
}

/// What a contact is called has changed, or what was said to one was said to another: nodes look again.
pub fn touch_of_contact(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    if tx.find::<(i64,)>(&HAS_OF_CONTACT, p![account, contact])?.is_none() {
        return Ok(());
    }
    let version = next_version(tx, account)?;
    tx.execute(&TOUCH_OF_CONTACT, p![account, contact, version]).map(drop)
}

/// The pairs before a place, the newest first. Begin with the greatest time and id.
pub fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    (before, id): (Timestamp, i64),
    limit: i64,
) -> Result<Vec<PairRow>, StoreError> {
    tx.query(&PAGE, p![account, before, id, limit])
}

/// What changed after a place, in the order of the changes.
pub fn changes(
    tx: &mut Tx<'_>,
    account: AccountId,
    (after, id): (i64, i64),
    limit: i64,
) -> Result<Vec<PairRow>, StoreError> {
    tx.query(&CHANGES, p![account, after, id, limit])
}

/// The pairs that changed after a number, those removed too, at most so many.
pub fn changed(tx: &mut Tx<'_>, account: AccountId, after: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    Ok(tx.query::<(i64,)>(&CHANGED, p![account, after, limit])?.into_iter().map(|(id,)| id).collect())
}

/// Somebody took a suggestion; false when the pair is gone.
pub fn accept(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<bool, StoreError> {
    let version = next_version(tx, account)?;
    Ok(tx.execute(&ACCEPT, p![account, id, version])? > 0)
}

/// Somebody waved a suggestion away; false when the pair is gone.
pub fn dismiss(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<bool, StoreError> {
    let version = next_version(tx, account)?;
    Ok(tx.execute(&DISMISS, p![account, id, version])? > 0)
}

/// Whether there is such a pair.
pub fn exists(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&EXISTS, p![account, id])?.is_some())
}

/// How many pairs an account has.
pub fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![account])?.map_or(0, |(count,)| count))
}

/// Keeps a text to answer with, new or changed.
pub fn save_quick_reply(tx: &mut Tx<'_>, row: &QuickReplyRow) -> Result<(), StoreError> {
    let version = next_version(tx, row.account_id)?;
    save(tx, row.account_id, &of_quick_reply(row), version)
}

/// A text to answer with is gone.
pub fn remove_quick_reply(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: QuickReplyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let version = next_version(tx, account)?;
    remove(tx, account, &[-id.0], version, now)
}

/// A text to answer with, found by what it is called and by what it says.
pub fn of_quick_reply(row: &QuickReplyRow) -> Learned {
    let shortcut = row.shortcut.replace(['-', '_'], " ");
    Learned {
        id: -row.id.0,
        question: format!("{} {shortcut} {}", row.title, row.content),
        before: None,
        reply: row.content.clone(),
        said_at: row.updated_at,
    }
}
