//! Inboxes: the connected accounts. Secrets come and go sealed.

use std::collections::BTreeMap;

use frontdesk_model::inbox::{ConnectionCode, ConnectionState, InboxSettings};
use frontdesk_model::{AccountId, InboxId, Timestamp};

use crate::db::statement::{both, each};
use crate::signals::Topic;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    INSERT = inserting!(
        "INSERT INTO inboxes (account_id, channel, name, route_key, settings, secrets, enabled,
            state_code, state_message, state_action, state_since, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7, $8, $9, $10, $10, $10)");
    SET_SECRETS = both("UPDATE inboxes SET secrets = $3 WHERE account_id = $1 AND id = $2");
    UPDATE = both(
        "UPDATE inboxes SET name = $3, route_key = $4, settings = $5, secrets = $6, enabled = $7,
            version = version + 1, updated_at = $8
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    SET_STATE = both(
        "UPDATE inboxes SET state_code = $3, state_message = $4, state_action = $5, state_since = $6
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL
            AND (state_code <> $3 OR state_message <> $4 OR COALESCE(state_action, '') <> COALESCE($5, ''))");
    SETTLED_STATE = each(
        "SELECT state_code FROM inboxes WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL",
        "SELECT state_code FROM inboxes WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL FOR SHARE");
    SET_USED_UP = both(
        "UPDATE inboxes SET used_up_message = $3, used_up_at = $4
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL AND COALESCE(used_up_at, 0) < $4");
    TROUBLED = both(
        "SELECT account_id, id, name, state_code, state_message, state_action, state_since, used_up_message, used_up_at
         FROM inboxes
         WHERE deleted_at IS NULL AND enabled = TRUE AND (state_code <> 'connected' OR used_up_at > $1)
         ORDER BY id");
    /// Secrets are forgotten with the inbox; its conversations stay.
    DELETE = both(
        "UPDATE inboxes SET deleted_at = $3, updated_at = $3, enabled = FALSE, secrets = $4, version = version + 1
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    TOUCH_WEBHOOK = both("UPDATE inboxes SET last_webhook_at = $3 WHERE account_id = $1 AND id = $2");
    FIND = both(
        "SELECT id, account_id, channel, name, route_key, settings, secrets, enabled, version,
            state_code, state_message, state_action, state_since, last_webhook_at, created_at,
            (SELECT COUNT(*) FROM outbox o WHERE o.account_id = inboxes.account_id AND o.inbox_id = inboxes.id)
         FROM inboxes WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    FIND_BY_ROUTE = both(
        "SELECT id, account_id, channel, name, route_key, settings, secrets, enabled, version,
            state_code, state_message, state_action, state_since, last_webhook_at, created_at,
            (SELECT COUNT(*) FROM outbox o WHERE o.account_id = inboxes.account_id AND o.inbox_id = inboxes.id)
         FROM inboxes WHERE channel = $1 AND route_key = $2 AND deleted_at IS NULL");
    LIST = both(
        "SELECT id, account_id, channel, name, route_key, settings, secrets, enabled, version,
            state_code, state_message, state_action, state_since, last_webhook_at, created_at,
            (SELECT COUNT(*) FROM outbox o WHERE o.account_id = inboxes.account_id AND o.inbox_id = inboxes.id)
         FROM inboxes WHERE account_id = $1 AND id > $2 AND deleted_at IS NULL ORDER BY id LIMIT $3");
    WAS_REMOVED = both(
        "SELECT COUNT(*) FROM inboxes WHERE channel = $1 AND route_key = $2 AND account_id = $3 AND deleted_at IS NOT NULL");
    FACE = both("SELECT name, channel FROM inboxes WHERE account_id = $1 AND id = $2");
    LIST_CONFIGS = both(
        "SELECT id, account_id, channel, name, route_key, settings, secrets, enabled, version
         FROM inboxes WHERE deleted_at IS NULL ORDER BY id");
}

/// What an inbox is connected with: enough to open its connection.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxConfigRow {
    /// Its id.
    pub id: InboxId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The channel's name.
    pub channel: String,
    /// The name people gave it.
    pub name: String,
    /// How the provider's webhooks name it; unique per channel.
    pub route_key: String,
    /// The fields anyone may see.
    pub settings: InboxSettings,
    /// The secret fields, sealed.
    pub sealed_secrets: Vec<u8>,
    /// False when people switched it off.
    pub enabled: bool,
    /// Rises with every change.
    pub version: i64,
}

impl FromRow for InboxConfigRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            channel: row.next()?,
            name: row.next()?,
            route_key: row.next()?,
            settings: row.next_json::<BTreeMap<String, String>>()?,
            sealed_secrets: row.next()?,
            enabled: row.next()?,
            version: row.next()?,
        })
    }
}

/// An inbox with what is going on in it.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// What it is connected with.
    pub config: InboxConfigRow,
    /// Whether it works.
    pub state: ConnectionState,
    /// When its last webhook came in.
    pub last_webhook_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// How much waits to be sent.
    pub queue_depth: i64,
}

impl FromRow for InboxRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            config: InboxConfigRow::from_row(row)?,
            state: ConnectionState {
                code: row.next()?,
                message: row.next()?,
                action: row.next()?,
                since: Some(row.next()?),
            },
            last_webhook_at: row.next()?,
            created_at: row.next()?,
            queue_depth: row.next()?,
        })
    }
}

/// An inbox that is switched on and does not simply work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubledInbox {
    /// Whose it is.
    pub account_id: AccountId,
    /// Its id.
    pub id: InboxId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ConnectionState,
    /// When its provider last said that its allowance is used up, and in which words.
    pub used_up: Option<(Timestamp, String)>,
}

impl FromRow for TroubledInbox {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let (account_id, id, name) = (row.next()?, row.next()?, row.next()?);
        let state = ConnectionState {
            code: row.next()?,
            message: row.next()?,
            action: row.next()?,
            since: Some(row.next()?),
        };
        let (message, at): (Option<String>, Option<Timestamp>) = (row.next()?, row.next()?);
        Ok(Self { account_id, id, name, state, used_up: at.zip(message) })
    }
}

/// An inbox to add. Its secrets follow with [`set_secrets`], since they are sealed for its id.
#[derive(Debug, Clone, Copy)]
pub struct NewInboxRow<'a> {
    /// Whose it is.
    pub account_id: AccountId,
    /// The channel's name.
    pub channel: &'a str,
    /// The name people gave it.
    pub name: &'a str,
    /// How the provider's webhooks name it.
    pub route_key: &'a str,
    /// The fields anyone may see.
    pub settings: &'a InboxSettings,
    /// Whether it works.
    pub state: &'a ConnectionState,
}

/// Adds an inbox. Fails with a unique violation when its route is taken, see [`StoreError::is_unique_violation`].
pub fn insert(tx: &mut Tx<'_>, inbox: NewInboxRow<'_>, now: Timestamp) -> Result<InboxId, StoreError> {
    let settings = serde_json::json!(inbox.settings).to_string();
    let no_secrets: &[u8] = &[];
    let params = p![
        inbox.account_id,
        inbox.channel,
        inbox.name,
        inbox.route_key,
        settings,
        no_secrets,
        inbox.state.code,
        inbox.state.message,
        inbox.state.action,
        now
    ];
    tx.signal(Topic::Inboxes);
    tx.insert(&INSERT, params)?.ok_or(StoreError::Column { column: 0, expected: "the id of the new inbox" })
}

/// Stores the sealed secrets of an inbox just added.
pub fn set_secrets(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    sealed: &[u8],
) -> Result<(), StoreError> {
    tx.execute(&SET_SECRETS, p![account, inbox, sealed]).map(drop)
}

/// Stores name, route, settings, secrets and whether it is enabled, and raises the version. Fails with a unique
/// violation when its route is taken.
pub fn update(tx: &mut Tx<'_>, inbox: &InboxConfigRow, now: Timestamp) -> Result<(), StoreError> {
    let settings = serde_json::json!(inbox.settings).to_string();
    let params = p![
        inbox.account_id,
        inbox.id,
        inbox.name,
        inbox.route_key,
        settings,
        inbox.sealed_secrets,
        inbox.enabled,
        now
    ];
    tx.execute(&UPDATE, params)?;
    tx.signal(Topic::Inboxes);
    Ok(())
}

/// Stores the state of an inbox; false when it was so already.
pub fn set_state(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    state: &ConnectionState,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let params = p![account, inbox, state.code, state.message, state.action, now];
    Ok(tx.execute(&SET_STATE, params)? > 0)
}

/// How an inbox is, within a transaction that writes: whoever is changing that is waited for, and then waits for this one.
pub fn settled_state(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Option<ConnectionCode>, StoreError> {
    Ok(tx.find::<(ConnectionCode,)>(&SETTLED_STATE, p![account, inbox])?.map(|(code,)| code))
}

/// Notes that the provider says at `now` that its allowance for an inbox is used up.
pub fn set_used_up(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_USED_UP, p![account, inbox, message, now]).map(drop)
}

/// The inboxes of all accounts that are switched on and not connected, or used up since `since`; by id.
pub fn troubled(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<TroubledInbox>, StoreError> {
    tx.query(&TROUBLED, p![since])
}

/// Marks an inbox deleted and forgets its secrets; false when there is none.
pub fn delete(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let no_secrets: &[u8] = &[];
    let deleted = tx.execute(&DELETE, p![account, inbox, now, no_secrets])?;
    tx.signal(Topic::Inboxes);
    Ok(deleted > 0)
}

/// Notes that a webhook came in.
pub fn touch_webhook(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&TOUCH_WEBHOOK, p![account, inbox, now]).map(drop)
}

/// One inbox of an account.
pub fn find(tx: &mut Tx<'_>, account: AccountId, inbox: InboxId) -> Result<Option<InboxRow>, StoreError> {
    tx.find(&FIND, p![account, inbox])
}

/// The inbox a provider means, of whatever account.
pub fn find_by_route(
    tx: &mut Tx<'_>,
    channel: &str,
    route_key: &str,
) -> Result<Option<InboxRow>, StoreError> {
    tx.find(&FIND_BY_ROUTE, p![channel, route_key])
}

/// True when an account once had an inbox of this route and removed it.
pub fn was_removed(
    tx: &mut Tx<'_>,
    account: AccountId,
    channel: &str,
    route_key: &str,
) -> Result<bool, StoreError> {
    Ok(tx.find::<(i64,)>(&WAS_REMOVED, p![channel, route_key, account])?.is_some_and(|(count,)| count > 0))
}

/// Inboxes of an account after an id, by id.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: InboxId,
    limit: i64,
) -> Result<Vec<InboxRow>, StoreError> {
    tx.query(&LIST, p![account, after, limit])
}

/// The configuration of every inbox on this server, by id.
pub fn list_configs(tx: &mut Tx<'_>) -> Result<Vec<InboxConfigRow>, StoreError> {
    tx.query(&LIST_CONFIGS, p![])
}

/// Name and channel of an inbox, also of one that was removed.
pub fn find_face(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
) -> Result<Option<(String, String)>, StoreError> {
    tx.find(&FACE, p![account, inbox])
}
