//! Leases: what only one node may do at a time.

use frontdesk_model::Timestamp;

use crate::db::statement::both;
use crate::{StoreError, Tx};

statements! {
    CLAIM = both(
        "INSERT INTO leases (name, owner, until) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
         WHERE leases.owner = excluded.owner OR leases.until <= $4");
    RELEASE = both("DELETE FROM leases WHERE name = $1 AND owner = $2");
    HOLDER = both("SELECT owner, until FROM leases WHERE name = $1");
}

/// Takes or prolongs a lease; false while another owner holds it.
pub fn claim(
    tx: &mut Tx<'_>,
    name: &str,
    owner: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&CLAIM, p![name, owner, until, now])? > 0)
}

/// Gives a lease back.
pub fn release(tx: &mut Tx<'_>, name: &str, owner: &str) -> Result<(), StoreError> {
    tx.execute(&RELEASE, p![name, owner]).map(drop)
}

/// Who holds a lease, and until when.
pub fn holder(tx: &mut Tx<'_>, name: &str) -> Result<Option<(String, Timestamp)>, StoreError> {
    tx.find(&HOLDER, p![name])
}
