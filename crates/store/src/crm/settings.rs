//! What each account says about its donors, and what follows from all of them together.

use std::collections::HashMap;

use frontdesk_model::crm::segment::VipRule;
use frontdesk_model::crm::settings::CrmSettings;
use frontdesk_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::db::statement::both;
use crate::db::value::Json;
use crate::{StoreError, Tx};

statements! {
    FIND = both("SELECT settings, thresholds FROM crm_settings WHERE account_id = $1");
    SAVE = both(
        "INSERT INTO crm_settings (account_id, settings, welcomes, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id) DO UPDATE SET settings = excluded.settings, welcomes = excluded.welcomes,
            updated_at = excluded.updated_at");
    AGES = both("SELECT account_id, refreshed_at, updated_at FROM crm_settings");
    ADD = both(
        "INSERT INTO crm_settings (account_id, settings, updated_at) VALUES ($1, '{}', 0)
         ON CONFLICT (account_id) DO NOTHING");
    SET_THRESHOLDS = both(
        "UPDATE crm_settings SET thresholds = $2, refreshed_at = $3 WHERE account_id = $1");
}

/// What follows from all donors of an account together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// From when on a donor is VIP; `None` until it was looked at.
    pub vip: Option<VipRule>,
    /// The amount that counts in full, in units of the base currency; `None` until it was looked at.
    pub cap_units: Option<f64>,
}

/// The settings of an account and what follows from its donors; those by default when it said nothing.
pub fn get(tx: &mut Tx<'_>, account: AccountId) -> Result<(CrmSettings, Thresholds), StoreError> {
    let found = tx.find::<(Json<CrmSettings>, Json<Thresholds>)>(&FIND, p![account])?;
    Ok(found.map(|(settings, thresholds)| (settings.0, thresholds.0)).unwrap_or_default())
}

/// Stores settings; all figures of the account are counted anew soon.
pub fn save(
    tx: &mut Tx<'_>,
    account: AccountId,
    settings: &CrmSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(settings).unwrap_or_default();
    tx.execute(&SAVE, p![account, text, settings.welcome.enabled, now]).map(drop)
}

/// How old what is kept for an account is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ages {
    /// When its thresholds were last taken from its donors.
    pub refreshed_at: Timestamp,
    /// When its settings were last changed.
    pub updated_at: Timestamp,
}

/// How old what is kept for each account is; those who kept nothing are left out.
pub fn ages(tx: &mut Tx<'_>) -> Result<HashMap<AccountId, Ages>, StoreError> {
    let found = tx.query::<(AccountId, Timestamp, Timestamp)>(&AGES, p![])?;
    Ok(found
        .into_iter()
        .map(|(account, refreshed_at, updated_at)| (account, Ages { refreshed_at, updated_at }))
        .collect())
}

/// Stores what follows from all donors.
pub fn set_thresholds(
    tx: &mut Tx<'_>,
    account: AccountId,
    thresholds: &Thresholds,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&ADD, p![account])?;
    let text = serde_json::to_string(thresholds).unwrap_or_default();
    tx.execute(&SET_THRESHOLDS, p![account, text, now]).map(drop)
}
