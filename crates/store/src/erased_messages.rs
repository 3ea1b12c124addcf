//! What is kept of messages that were erased: a hash of what their provider called them. A provider that delivers one of
//! them once more, or somebody who recorded it, does not bring it back.

use std::collections::HashSet;

use frontdesk_model::{AccountId, InboxId};
use sha2::{Digest, Sha256};

use crate::db::statement::{both, each};
use crate::{StoreError, Tx};

statements! {
    INSERT_MANY = each(
        "INSERT INTO erased_messages (account_id, inbox_id, remote_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        "INSERT INTO erased_messages (account_id, inbox_id, remote_hash)
         SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BYTEA[]) ON CONFLICT DO NOTHING");
    FIND_MANY = each(
        "SELECT inbox_id, remote_hash FROM erased_messages WHERE account_id = $1 AND inbox_id = $2 AND remote_hash = $3",
        "SELECT e.inbox_id, e.remote_hash FROM erased_messages e
         JOIN UNNEST($1::BIGINT[], $2::BIGINT[], $3::BYTEA[]) AS n (account_id, inbox_id, remote_hash)
            ON e.account_id = n.account_id AND e.inbox_id = n.inbox_id AND e.remote_hash = n.remote_hash");
    ACCOUNTS = both(
        "SELECT id FROM accounts a WHERE EXISTS (SELECT 1 FROM erased_messages e WHERE e.account_id = a.id)");
}

/// A message by what its provider calls it.
pub type Named<'a> = (AccountId, InboxId, &'a str);

/// Long enough that no two ids of a provider meet; ids are random, so that nobody guesses one from its hash.
fn hash(remote_id: &str) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(remote_id).into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

/// Notes that messages were erased.
pub(crate) fn note_many<'a>(
    tx: &mut Tx<'_>,
    erased: impl IntoIterator<Item = Named<'a>>,
) -> Result<(), StoreError> {
    let rows = erased
        .into_iter()
        .map(|(account, inbox, remote_id)| row![account, inbox, &hash(remote_id)[..]])
        .collect();
    tx.execute_many(&INSERT_MANY, rows).map(drop)
}

/// Of these messages, the numbers of those that were erased.
pub fn find_many(tx: &mut Tx<'_>, named: &[Named<'_>]) -> Result<HashSet<usize>, StoreError> {
    let hashes: Vec<_> = named.iter().map(|(.., remote_id)| hash(remote_id)).collect();
    let rows = named
        .iter()
        .zip(&hashes)
        .map(|((account, inbox, _), hash)| row![account, inbox, &hash[..]])
        .collect();
    let found: HashSet<_> = tx.query_many::<(InboxId, Vec<u8>)>(&FIND_MANY, rows)?.into_iter().collect();
    let is_found = |n: &usize| found.contains(&(named[*n].1, hashes[*n].to_vec()));
    Ok((0..named.len()).filter(is_found).collect())
}

/// The accounts that ever erased a message.
pub fn accounts(tx: &mut Tx<'_>) -> Result<HashSet<AccountId>, StoreError> {
    Ok(tx.query::<(AccountId,)>(&ACCOUNTS, p![])?.into_iter().map(|(id,)| id).collect())
}
