//! Who wants no messages.

use std::collections::HashSet;

use frontdesk_model::{AccountId, ContactId, Timestamp, UserId};

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    INSERT = both(
        "INSERT INTO opt_outs (account_id, contact_id, opted_out_by, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, contact_id) DO NOTHING");
    FIND_MANY = each(
        "SELECT contact_id FROM opt_outs WHERE account_id = $1 AND contact_id = $2",
        "SELECT o.contact_id FROM opt_outs o JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, contact_id)
         ON o.account_id = n.account_id AND o.contact_id = n.contact_id");
    MOVE = both(
        "INSERT INTO opt_outs (account_id, contact_id, opted_out_by, created_at)
         SELECT account_id, $3, opted_out_by, created_at FROM opt_outs WHERE account_id = $1 AND contact_id = $2
         ON CONFLICT (account_id, contact_id) DO NOTHING");
    REMOVE = both("DELETE FROM opt_outs WHERE account_id = $1 AND contact_id = $2");
}

/// Notes that a contact wants no messages.
pub fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&INSERT, p![account, contact, by, now]).map(drop)
}

/// A contact wants messages again.
pub fn remove(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    tx.execute(&REMOVE, p![account, contact]).map(drop)
}

/// Those of these contacts who want none.
pub fn find_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    contacts: impl IntoIterator<Item = ContactId>,
) -> Result<HashSet<ContactId>, StoreError> {
    let rows = contacts.into_iter().map(|contact| row![account, contact]).collect();
    Ok(tx.query_many::<(ContactId,)>(&FIND_MANY, rows)?.into_iter().map(|(id,)| id).collect())
}

/// True when a contact wants no messages.
pub fn is_out(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<bool, StoreError> {
    Ok(!find_many(tx, account, [contact])?.is_empty())
}

pub(super) fn move_to_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ContactId,
    to: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE, p![account, from, to])?;
    remove(tx, account, from)
}
