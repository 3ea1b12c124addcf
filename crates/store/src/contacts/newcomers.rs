//! People who write for the first time, made together: three statements for all of them.

use std::collections::{HashMap, HashSet};

use frontdesk_model::{ContactId, Timestamp};

use super::known::Hinted;
use super::{phone_of, search_text};
use crate::db::statement::{each, sqlite_only};
use crate::{StoreError, Tx};

statements! {
    LAST_ID = sqlite_only("SELECT COALESCE(MAX(id), 0) FROM contacts");
    TAKE_IDS = each("SELECT 0", "SELECT nextval(pg_get_serial_sequence('contacts', 'id')) FROM generate_series(1, $1)");
    INSERT_IDENTITIES = each(
        "INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        "INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at)
         SELECT * FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[])
         ON CONFLICT (account_id, kind, value) DO NOTHING RETURNING contact_id");
    INSERT_MANY = each(
        "INSERT INTO contacts (id, account_id, name, name_at, phone, phone_at, search_text, created_at, updated_at, profile_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
        "INSERT INTO contacts (id, account_id, name, name_at, phone, phone_at, search_text, created_at, updated_at, profile_at)
         SELECT id, account_id, name, name_at, phone, phone_at, search_text, created_at, created_at, profile_at
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[], $7::TEXT[], $8::BIGINT[],
            $9::BIGINT[])
            AS n (id, account_id, name, name_at, phone, phone_at, search_text, created_at, profile_at)");
    TAKE_BACK = each(
        "DELETE FROM contact_identities WHERE account_id = $1 AND contact_id = $2",
        "DELETE FROM contact_identities i USING UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, contact_id)
         WHERE i.account_id = n.account_id AND i.contact_id = n.contact_id");
}

/// Makes a contact for each of these people, none of whose names is known and no two of whom share one. `None` for those
/// whom another node made a moment ago (PostgreSQL waited for its commit).
pub(super) fn create_many(
    tx: &mut Tx<'_>,
    people: &[&Hinted<'_>],
    now: Timestamp,
) -> Result<Vec<Option<ContactId>>, StoreError> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let ids = take_ids(tx, people.len())?;
    let mut names: Vec<_> = people
        .iter()
        .zip(&ids)
        .flat_map(|(person, id)| person.hint.identities.iter().map(|name| (person.account, name, *id)))
        .collect();
    // In one order everywhere: two nodes that meet the same newcomers wait for each other once.
    names.sort_unstable_by_key(|(account, name, _)| (*account, name.kind.as_str(), name.value.as_str()));
    let rows =
        names.iter().map(|(account, name, id)| row![account, name.kind, name.value, id, now]).collect();
    let lost = if tx.is_postgres() {
        let mut missing: HashMap<ContactId, usize> =
            people.iter().zip(&ids).map(|(person, id)| (*id, person.hint.identities.len())).collect();
        for (id,) in tx.query_many::<(ContactId,)>(&INSERT_IDENTITIES, rows)? {
            missing.entry(id).and_modify(|count| *count -= 1);
        }
        missing.into_iter().filter(|(_, count)| *count > 0).map(|(id, _)| id).collect()
    } else {
        tx.execute_many(&INSERT_IDENTITIES, rows)?; // one writer: nobody came in between
        HashSet::new()
    };
    let (made, taken_back): (Vec<_>, Vec<_>) =
        people.iter().zip(&ids).partition(|(_, id)| !lost.contains(id));
    tx.execute_many(&TAKE_BACK, taken_back.iter().map(|(person, id)| row![person.account, id]).collect())?;
    tx.execute_many(&INSERT_MANY, made.iter().map(|(person, id)| contact_row(person, **id, now)).collect())?;
    Ok(ids.into_iter().map(|id| Some(id).filter(|id| !lost.contains(id))).collect())
}

fn take_ids(tx: &mut Tx<'_>, count: usize) -> Result<Vec<ContactId>, StoreError> {
    let count = count as i64;
    if tx.is_postgres() {
        return Ok(tx.query::<(ContactId,)>(&TAKE_IDS, p![count])?.into_iter().map(|(id,)| id).collect());
    }
    let last = tx.find::<(i64,)>(&LAST_ID, p![])?.map_or(0, |(id,)| id);
    Ok((last + 1..=last + count).map(ContactId).collect())
}

fn contact_row(person: &Hinted<'_>, id: ContactId, now: Timestamp) -> Vec<crate::db::value::Owned> {
    let (name, phone) = (person.hint.name.as_deref(), phone_of(person.hint));
    let name_at = name.map(|_| person.at).unwrap_or_default();
    let phone_at = phone.map(|_| person.at).unwrap_or_default();
    // A network that tells the name along with the message need not be asked for it.
    let asked = name.map(|_| now);
    row![id, person.account, name, name_at, phone, phone_at, search_text(name, None, phone), now, asked]
}
