//! Files of messages: fetched from the provider after the message was stored, or uploaded to be sent.

use std::collections::HashMap;

use frontdesk_model::content::{MediaKind, MediaRef};
use frontdesk_model::{AccountId, AttachmentId, InboxId, MessageId, Timestamp, UserId};

use crate::db::statement::{both, each};
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "id, account_id, inbox_id, message_id, uploaded_by, kind, mime_type, file_name, size_bytes,
         sha256, storage_key, source, state, error, attempts, claim_token, created_at"
    };
}

statements! {
    INSERT_PENDING = both(
        "INSERT INTO attachments (account_id, inbox_id, message_id, kind, mime_type, file_name, source, state, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $8)");
    INSERT_UPLOAD = inserting!(
        "INSERT INTO attachments (account_id, uploaded_by, kind, mime_type, file_name, size_bytes, sha256, storage_key,
            state, created_at, inbox_id, source)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'ready', $9, $10, $11)");
    GET = both(concat!("SELECT ", columns!(), " FROM attachments WHERE account_id = $1 AND id = $2"));
    GET_MANY = each(
        concat!("SELECT ", columns!(), " FROM attachments WHERE account_id = $1 AND id = $2"),
        concat!("SELECT ", columns!(), " FROM attachments WHERE (account_id, id) IN
            (SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[]))"));
    OF_MESSAGE = both(concat!("SELECT ", columns!(),
        " FROM attachments WHERE account_id = $1 AND message_id = $2 ORDER BY id"));
    OF_MESSAGES = each(
        concat!("SELECT ", columns!(), " FROM attachments WHERE account_id = $1 AND message_id = $2 ORDER BY id"),
        concat!("SELECT ", columns!(), " FROM attachments WHERE (account_id, message_id) IN
            (SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[])) ORDER BY id"));
    ATTACH = both(
        "UPDATE attachments SET message_id = $3, inbox_id = $4, kind = $5
         WHERE account_id = $1 AND id = $2 AND message_id IS NULL AND inbox_id IS NULL AND state = 'ready'");
    // As an array: a subquery that PostgreSQL runs again for each row would find others each time, beyond the limit.
    CLAIM = each(
        concat!("UPDATE attachments SET lease_until = $2, claim_token = $3, attempts = attempts + 1
         WHERE id IN (SELECT d.id FROM attachments d WHERE d.state = 'pending' AND d.due_at <= $1 AND d.lease_until <= $1
                        ORDER BY d.due_at LIMIT $4)
         RETURNING ", columns!()),
        concat!("UPDATE attachments SET lease_until = $2, claim_token = $3, attempts = attempts + 1
         WHERE id = ANY (ARRAY(SELECT d.id FROM attachments d
                        WHERE d.state = 'pending' AND d.due_at <= $1 AND d.lease_until <= $1
                        ORDER BY d.due_at LIMIT $4 FOR UPDATE SKIP LOCKED)) AND state = 'pending' AND lease_until <= $1
         RETURNING ", columns!()));
    FINISH = both(
        "UPDATE attachments SET state = 'ready', storage_key = $4, size_bytes = $5, sha256 = $6, mime_type = $7, kind = $8,
            source = NULL, error = NULL
         WHERE account_id = $1 AND id = $2 AND claim_token = $3 AND state = 'pending'");
    GIVE_UP = both(
        "UPDATE attachments SET state = $4, error = $5
         WHERE account_id = $1 AND id = $2 AND claim_token = $3 AND state = 'pending'");
    RETRY = both(
        "UPDATE attachments SET due_at = $4, lease_until = 0, error = $5
         WHERE account_id = $1 AND id = $2 AND claim_token = $3 AND state = 'pending'");
    RESTART = both(
        "UPDATE attachments SET state = 'pending', due_at = $3, lease_until = 0, error = NULL, attempts = 0
         WHERE account_id = $1 AND id = $2 AND state IN ('failed', 'too_large') AND source IS NOT NULL");
    DISCARD_OF_MESSAGE = both(
        "UPDATE attachments SET message_id = NULL, state = 'discarded', source = NULL, due_at = NULL
         WHERE account_id = $1 AND message_id = $2");
    RELEASE = both("UPDATE attachments SET lease_until = 0 WHERE state = 'pending' AND lease_until > 0");
    DISCARD_UNSENT = both(
        "UPDATE attachments SET state = 'discarded' WHERE message_id IS NULL AND inbox_id IS NULL AND state = 'ready'
         AND created_at < $1");
    LIST_DISCARDED = both(
        "SELECT id, account_id, storage_key FROM attachments WHERE state = 'discarded' ORDER BY id LIMIT $1");
    IS_NEEDED = both(
        "SELECT COUNT(*) FROM attachments WHERE account_id = $1 AND storage_key = $2 AND state <> 'discarded'");
    DELETE_DISCARDED = both("DELETE FROM attachments WHERE account_id = $1 AND id = $2 AND state = 'discarded'");
    LIST_EXPIRED = both(
        "SELECT id, account_id, storage_key FROM attachments
         WHERE id > $1 AND state = 'ready' AND message_id IS NOT NULL AND created_at < $2 ORDER BY id LIMIT $3");
    IS_WANTED = both(
        "SELECT COUNT(*) FROM attachments WHERE account_id = $1 AND storage_key = $2 AND state = 'ready'
         AND (message_id IS NULL OR created_at >= $3)");
    EXPIRE = both(
        "UPDATE attachments SET state = 'failed', storage_key = NULL, source = NULL, error = $3
         WHERE account_id = $1 AND id = $2 AND state = 'ready'");
    COUNT_OF_KEY = both("SELECT COUNT(*) FROM attachments WHERE account_id = $1 AND storage_key = $2");
    LIST_NEWEST = both(
        "SELECT account_id, storage_key FROM attachments WHERE state = 'ready' AND storage_key IS NOT NULL
         ORDER BY id DESC LIMIT $1");
    LIST_KEPT_AFTER = both(
        "SELECT DISTINCT account_id, storage_key FROM attachments
         WHERE storage_key IS NOT NULL AND (account_id, storage_key) > ($1, $2)
         ORDER BY account_id, storage_key LIMIT $3");
    NEXT_DUE = both("SELECT MIN(due_at) FROM attachments WHERE state = 'pending'");
}

frontdesk_model::words! {
    /// Whether the bytes of a file are here.
    pub enum AttachmentState {
        /// Still at the provider; will be fetched.
        Pending = "pending",
        /// Here.
        Ready = "ready",
        /// Could not be had.
        Failed = "failed",
        /// Larger than allowed.
        TooLarge = "too_large",
        /// Its message was taken back; the bytes are about to go.
        Discarded = "discarded",
    }
}

/// A file as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct AttachmentRow {
    pub id: AttachmentId,
    pub account_id: AccountId,
    pub inbox_id: Option<InboxId>,
    pub message_id: Option<MessageId>,
    pub uploaded_by: Option<UserId>,
    pub kind: MediaKind,
    pub mime_type: Option<String>,
    pub file_name: Option<String>,
    pub size_bytes: Option<i64>,
    pub sha256: Option<String>,
    /// Where the bytes are in the media store.
    pub storage_key: Option<String>,
    /// Where the provider keeps it, until fetched; of a file to be sent, the address it was taken from.
    pub source: Option<MediaRef>,
    pub state: AttachmentState,
    pub error: Option<String>,
    pub attempts: i64,
    pub claim_token: Option<String>,
    pub created_at: Timestamp,
}

impl FromRow for AttachmentRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            inbox_id: row.next()?,
            message_id: row.next()?,
            uploaded_by: row.next()?,
            kind: row.next()?,
            mime_type: row.next()?,
            file_name: row.next()?,
            size_bytes: row.next()?,
            sha256: row.next()?,
            storage_key: row.next()?,
            source: row.next_json()?,
            state: AttachmentState::parse(&row.next::<String>()?).unwrap_or(AttachmentState::Failed),
            error: row.next()?,
            attempts: row.next()?,
            claim_token: row.next()?,
            created_at: row.next()?,
        })
    }
}

/// Stores a file that is still at the provider; it will be fetched soon.
pub fn insert_pending(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    message: MessageId,
    media: &MediaRef,
    now: Timestamp,
) -> Result<(), StoreError> {
    let source = serde_json::to_string(media).ok();
    tx.execute(
        &INSERT_PENDING,
        p![account, inbox, message, media.kind, media.mime_type, media.file_name, source, now],
    )?;
    tx.signal(Topic::Media);
    Ok(())
}

/// A file an agent uploaded.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in AttachmentRow")]
pub struct NewUpload<'a> {
    pub account_id: AccountId,
    pub uploaded_by: Option<UserId>,
    pub kind: MediaKind,
    pub mime_type: &'a str,
    pub file_name: &'a str,
    pub size_bytes: i64,
    pub sha256: &'a str,
    pub storage_key: &'a str,
    /// Set for pictures of contacts: they stay although they are part of no message.
    pub inbox_id: Option<InboxId>,
    /// The address it was taken from.
    pub source: Option<&'a MediaRef>,
}

/// Stores a file that is part of no message: uploaded to be sent, or the picture of a contact.
pub fn insert_upload(
    tx: &mut Tx<'_>,
    upload: &NewUpload<'_>,
    now: Timestamp,
) -> Result<Option<AttachmentId>, StoreError> {
    let NewUpload {
        account_id,
        uploaded_by,
        kind,
        mime_type,
        file_name,
        size_bytes,
        sha256,
        storage_key,
        inbox_id,
        source,
    } = upload;
    let source = source.and_then(|media| serde_json::to_string(media).ok());
    tx.insert(
        &INSERT_UPLOAD,
        p![
            account_id,
            uploaded_by,
            kind,
            mime_type,
            file_name,
            size_bytes,
            sha256,
            storage_key,
            now,
            inbox_id,
            source
        ],
    )
}

/// A file by id.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AttachmentId,
) -> Result<Option<AttachmentRow>, StoreError> {
    tx.find(&GET, p![account, id])
}

/// Files by id; those that do not exist are left out.
pub fn find_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: impl IntoIterator<Item = AttachmentId>,
) -> Result<HashMap<AttachmentId, AttachmentRow>, StoreError> {
    let rows = ids.into_iter().map(|id| row![account, id]).collect();
    Ok(tx.query_many::<AttachmentRow>(&GET_MANY, rows)?.into_iter().map(|row| (row.id, row)).collect())
}

/// The files of messages; those of one in their order.
pub fn of_messages(
    tx: &mut Tx<'_>,
    account: AccountId,
    messages: impl IntoIterator<Item = MessageId>,
) -> Result<HashMap<MessageId, Vec<AttachmentRow>>, StoreError> {
    let rows = messages.into_iter().map(|id| row![account, id]).collect();
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for file in tx.query_many::<AttachmentRow>(&OF_MESSAGES, rows)? {
        if let Some(message) = file.message_id {
            found.entry(message).or_default().push(file);
        }
    }
    Ok(found)
}

/// The files of a message.
pub fn of_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
) -> Result<Vec<AttachmentRow>, StoreError> {
    tx.query(&OF_MESSAGE, p![account, message])
}

/// Makes an uploaded file part of a message, shown as `kind`; false when it is part of one already.
pub fn attach(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AttachmentId,
    message: MessageId,
    inbox: InboxId,
    kind: MediaKind,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&ATTACH, p![account, id, message, inbox, kind])? > 0)
}

/// Takes every file from whoever was fetching it: for a process that knows it is alone.
pub fn release_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if tx.execute(&RELEASE, p![])? > 0 {
        tx.signal(Topic::Media);
    }
    Ok(())
}

/// Takes files that are due, for `lease_until`.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease_until: Timestamp,
    token: &str,
    limit: i64,
) -> Result<Vec<AttachmentRow>, StoreError> {
    tx.query(&CLAIM, p![now, lease_until, token, limit])
}

/// What was fetched.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in AttachmentRow")]
pub struct Fetched<'a> {
    pub storage_key: &'a str,
    pub size_bytes: i64,
    pub sha256: &'a str,
    pub mime_type: &'a str,
    pub kind: MediaKind,
}

/// The bytes are here. False when another worker finished first or the claim was lost.
pub fn finish(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AttachmentId,
    token: &str,
    fetched: &Fetched<'_>,
) -> Result<bool, StoreError> {
    let Fetched { storage_key, size_bytes, sha256, mime_type, kind } = fetched;
    Ok(tx.execute(&FINISH, p![account, id, token, storage_key, size_bytes, sha256, mime_type, kind])? > 0)
}

/// The file cannot be had.
pub fn give_up(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AttachmentId,
    token: &str,
    state: AttachmentState,
    error: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&GIVE_UP, p![account, id, token, state.as_str(), error])? > 0)
}

/// The file will be tried again at `due_at`.
pub fn retry_at(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AttachmentId,
    token: &str,
    due_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    tx.execute(&RETRY, p![account, id, token, due_at, error])?;
    Ok(())
}

/// A person asks to fetch a failed file again. False when there is nothing to fetch.
pub fn restart(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: AttachmentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.signal(Topic::Media);
    Ok(tx.execute(&RESTART, p![account, id, now])? > 0)
}

/// The message was taken back: its files are nobody's any more; their bytes go with [`list_discarded`].
pub fn discard_of_message(tx: &mut Tx<'_>, account: AccountId, message: MessageId) -> Result<(), StoreError> {
    tx.execute(&DISCARD_OF_MESSAGE, p![account, message])?;
    Ok(())
}

/// Discards uploads made before `before` that never became part of a message.
pub fn discard_unsent(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(&DISCARD_UNSENT, p![before]).map(drop)
}

/// A row and its bytes.
pub type KeptFile = (AttachmentId, AccountId, Option<String>);

/// Files that are nobody's any more, at most `limit`: first their bytes go, where [`is_needed`] says no, then
/// [`delete_discarded`].
pub fn list_discarded(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<KeptFile>, StoreError> {
    tx.query(&LIST_DISCARDED, p![limit])
}

/// True when a file that is not discarded has the same bytes.
pub fn is_needed(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&IS_NEEDED, p![account, key])?.is_some_and(|(n,)| n > 0))
}

/// Forgets a discarded file.
pub fn delete_discarded(tx: &mut Tx<'_>, account: AccountId, id: AttachmentId) -> Result<(), StoreError> {
    tx.execute(&DELETE_DISCARDED, p![account, id]).map(drop)
}

/// Files of messages that came before `before`, after an id, in their order.
pub fn list_expired(
    tx: &mut Tx<'_>,
    after: AttachmentId,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<KeptFile>, StoreError> {
    tx.query(&LIST_EXPIRED, p![after, before, limit])
}

/// True when a file that came at `before` or later, or is part of no message, has the same bytes.
pub fn is_wanted(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
    before: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&IS_WANTED, p![account, key, before])?.is_some_and(|(n,)| n > 0))
}

/// The file's bytes are not kept any more.
pub fn expire(tx: &mut Tx<'_>, account: AccountId, id: AttachmentId, reason: &str) -> Result<(), StoreError> {
    tx.execute(&EXPIRE, p![account, id, reason]).map(drop)
}

/// Those of the keys that no row names.
pub fn unknown(tx: &mut Tx<'_>, account: AccountId, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let mut unknown = Vec::new();
    for key in keys {
        if tx.find::<(i64,)>(&COUNT_OF_KEY, p![account, key])?.is_none_or(|(n,)| n == 0) {
            unknown.push(key.clone());
        }
    }
    Ok(unknown)
}

/// The keys of the files that came last, at most `limit`.
pub fn list_newest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(AccountId, String)>, StoreError> {
    tx.query(&LIST_NEWEST, p![limit])
}

/// The keys of kept files after `after`, in their order, at most `limit`: to walk through all of them.
pub fn list_kept_after(
    tx: &mut Tx<'_>,
    (account, key): &(AccountId, String),
    limit: i64,
) -> Result<Vec<(AccountId, String)>, StoreError> {
    tx.query(&LIST_KEPT_AFTER, p![account, key, limit])
}

/// When the next file is due.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Option<Timestamp>,)>(&NEXT_DUE, p![])?.and_then(|(due,)| due))
}
