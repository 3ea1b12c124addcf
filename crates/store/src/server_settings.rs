//! What this installation remembers about itself, by name.

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    FIND = both("SELECT value FROM server_settings WHERE name = $1");
    SET = both(
        "INSERT INTO server_settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    SET_IF_ABSENT = both("INSERT INTO server_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
}

/// The value under `name`.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    Ok(tx.find::<(String,)>(&FIND, p![name])?.map(|(value,)| value))
}

/// Stores a value, in place of an older one.
pub fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(&SET, p![name, value]).map(drop)
}

/// Stores a value when there is none; true when it was stored. The first of several nodes wins.
pub fn set_if_absent(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_IF_ABSENT, p![name, value])? > 0)
}
