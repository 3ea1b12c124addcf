//! The language model an account has its drafts from, and what it used of it.

use frontdesk_model::{AccountId, Timestamp};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    FIND = both(
        "SELECT settings, api_key, version, paused_until, paused_for, updated_at FROM suggest_settings WHERE account_id = $1");
    SAVE = both(
        "INSERT INTO suggest_settings (account_id, settings, api_key, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id) DO UPDATE SET settings = excluded.settings, api_key = excluded.api_key,
            version = suggest_settings.version + 1, paused_until = NULL, paused_for = NULL, updated_at = excluded.updated_at");
    PAUSE = both(
        "UPDATE suggest_settings SET paused_until = $3, paused_for = $4 WHERE account_id = $1 AND version = $2
         AND (paused_until IS NULL OR paused_until < $5)");
    FAIL = both(
        "UPDATE suggest_settings SET paused_for = $3 WHERE account_id = $1 AND version = $2
         AND (paused_for IS NULL OR paused_for <> $3)");
    WELL = both(
        "UPDATE suggest_settings SET paused_until = NULL, paused_for = NULL
         WHERE account_id = $1 AND version = $2 AND paused_for IS NOT NULL");
    USAGE = both("SELECT calls, tokens FROM suggest_usage WHERE account_id = $1 AND month = $2");
    ADD_MONTH = both(
        "INSERT INTO suggest_usage (account_id, month, calls, tokens) VALUES ($1, $2, 0, 0)
         ON CONFLICT (account_id, month) DO NOTHING");
    RESERVE = both(
        "UPDATE suggest_usage SET calls = calls + 1, tokens = tokens + $3
         WHERE account_id = $1 AND month = $2 AND tokens < $4");
    SETTLE = both(
        "UPDATE suggest_usage SET tokens = CASE WHEN tokens + $3 < 0 THEN 0 ELSE tokens + $3 END
         WHERE account_id = $1 AND month = $2");
    FORGET_USAGE = both("DELETE FROM suggest_usage WHERE month < $1");
}

/// What an account has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsRow {
    /// JSON.
    pub settings: String,
    /// Sealed.
    pub api_key: Option<Vec<u8>>,
    /// Rises with each change.
    pub version: i64,
    /// It is left alone until then.
    pub paused_until: Option<Timestamp>,
    /// Why it is left alone, or what was wrong last; a code.
    pub paused_for: Option<String>,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl FromRow for SettingsRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            settings: row.next()?,
            api_key: row.next()?,
            version: row.next()?,
            paused_until: row.next()?,
            paused_for: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// What was used in a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls that were let through.
    pub calls: i64,
    /// Tokens, as the server counted them or as they were estimated.
    pub tokens: i64,
}

/// What an account has set; `None` when nothing.
pub fn find(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<SettingsRow>, StoreError> {
    tx.find(&FIND, p![account])
}

/// Stores settings; a pause is over.
pub fn save(
    tx: &mut Tx<'_>,
    account: AccountId,
    settings: &str,
    api_key: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SAVE, p![account, settings, api_key, now]).map(drop)
}

/// Leaves it alone until then; false when that was so already, or the settings are others by now.
pub fn pause(
    tx: &mut Tx<'_>,
    account: AccountId,
    version: i64,
    (until, reason): (Timestamp, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&PAUSE, p![account, version, until, reason, now])? > 0)
}

/// Notes what is wrong, without leaving it alone; false when that is known.
pub fn fail(tx: &mut Tx<'_>, account: AccountId, version: i64, reason: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&FAIL, p![account, version, reason])? > 0)
}

/// It works.
pub fn well(tx: &mut Tx<'_>, account: AccountId, version: i64) -> Result<(), StoreError> {
    tx.execute(&WELL, p![account, version]).map(drop)
}

/// What an account used in a month.
pub fn usage(tx: &mut Tx<'_>, account: AccountId, month: &str) -> Result<Usage, StoreError> {
    let found = tx.find::<(i64, i64)>(&USAGE, p![account, month])?;
    Ok(found.map(|(calls, tokens)| Usage { calls, tokens }).unwrap_or_default())
}

/// Takes tokens for a call that is about to be made; false when `cap` is reached.
pub fn reserve(
    tx: &mut Tx<'_>,
    account: AccountId,
    month: &str,
    tokens: i64,
    cap: i64,
) -> Result<bool, StoreError> {
    tx.execute(&ADD_MONTH, p![account, month])?;
    Ok(tx.execute(&RESERVE, p![account, month, tokens, cap])? > 0)
}

/// A call used more or less than was taken for it.
pub fn settle(tx: &mut Tx<'_>, account: AccountId, month: &str, more: i64) -> Result<(), StoreError> {
    tx.execute(&SETTLE, p![account, month, more]).map(drop)
}

/// Forgets what was used before a month.
pub fn forget_usage(tx: &mut Tx<'_>, before: &str) -> Result<(), StoreError> {
    tx.execute(&FORGET_USAGE, p![before]).map(drop)
}
