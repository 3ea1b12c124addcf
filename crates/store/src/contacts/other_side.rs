//! Contacts as other programs know them: fields of theirs, and when people changed which field here.

use std::collections::{BTreeMap, HashMap};

use frontdesk_model::{AccountId, ContactId, Timestamp};
use serde_json::{Map, Value};

use super::search_text;
use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

statements! {
    DETAILS_MANY = each(
        "SELECT c.id, c.custom_fields, c.edited_at FROM contacts c WHERE c.account_id = $1 AND c.id = $2",
        "SELECT c.id, c.custom_fields, c.edited_at FROM contacts c
         JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id) ON c.account_id = n.account_id AND c.id = n.id");
    BY_EMAIL_MANY = each(
        "SELECT c.email, c.id FROM contacts c WHERE c.account_id = $1 AND c.email = $2 AND c.merged_into IS NULL",
        "SELECT c.email, c.id FROM contacts c JOIN UNNEST($1::BIGINT[], $2::TEXT[]) AS n (account_id, email)
         ON c.account_id = n.account_id AND c.email = n.email WHERE c.merged_into IS NULL");
    BY_PHONE_MANY = each(
        "SELECT value, contact_id FROM contact_identities WHERE account_id = $1 AND kind = 'phone' AND value = $2",
        "SELECT i.value, i.contact_id FROM contact_identities i
         JOIN UNNEST($1::BIGINT[], $2::TEXT[]) AS n (account_id, value)
         ON i.account_id = n.account_id AND i.kind = 'phone' AND i.value = n.value");
    INSERT_PERSON = inserting!(
        "INSERT INTO contacts (account_id, name, name_at, email, phone, phone_at, search_text, custom_fields, profile_at,
            created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)");
    SET_CUSTOM_FIELDS = both(
        "UPDATE contacts SET custom_fields = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    SET_EDITED_AT = both("UPDATE contacts SET edited_at = $3 WHERE account_id = $1 AND id = $2");
    LIST_AFTER = both(
        "SELECT c.id FROM contacts c WHERE c.account_id = $1 AND c.id > $2 AND c.merged_into IS NULL ORDER BY c.id LIMIT $3");
    COUNT = both("SELECT COUNT(*) FROM contacts c WHERE c.account_id = $1 AND c.merged_into IS NULL");
}

/// What is known beside a contact's own fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// Fields of other programs.
    pub custom_fields: Map<String, Value>,
    /// When people changed which field here.
    pub edited_at: BTreeMap<String, Timestamp>,
}

impl FromRow for (ContactId, Details) {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok((row.next()?, Details { custom_fields: row.next_json()?, edited_at: row.next_json()? }))
    }
}

/// A person whom another program knows, to be made.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NewPerson<'a> {
    pub account: AccountId,
    pub name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub custom_fields: &'a Map<String, Value>,
    /// When the other program said so.
    pub at: Timestamp,
}

/// Makes a person without names on networks: see [`super::add_identity`]. Networks are not asked who they are.
pub fn insert_person(tx: &mut Tx<'_>, new: &NewPerson<'_>, now: Timestamp) -> Result<ContactId, StoreError> {
    let fields = json(new.custom_fields);
    let name_at = new.name.map(|_| new.at).unwrap_or_default();
    let phone_at = new.phone.map(|_| new.at).unwrap_or_default();
    let search = search_text(new.name, new.email, new.phone);
    let params = p![new.account, new.name, name_at, new.email, new.phone, phone_at, search, fields, now];
    let id = tx.insert(&INSERT_PERSON, params)?;
    id.ok_or_else(|| StoreError::Unavailable("a contact was not stored".to_owned()))
}

/// The details of contacts by id.
pub fn details_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: impl IntoIterator<Item = ContactId>,
) -> Result<HashMap<ContactId, Details>, StoreError> {
    let rows = ids.into_iter().map(|id| row![account, id]).collect();
    Ok(tx.query_many::<(ContactId, Details)>(&DETAILS_MANY, rows)?.into_iter().collect())
}

/// Contacts by their e-mail addresses, which are in lower case. Of several with one address the oldest.
pub fn find_many_by_email<'a>(
    tx: &mut Tx<'_>,
    account: AccountId,
    emails: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, ContactId>, StoreError> {
    let rows = emails.into_iter().map(|email| row![account, email]).collect();
    let mut found: HashMap<String, ContactId> = HashMap::new();
    for (email, id) in tx.query_many::<(String, ContactId)>(&BY_EMAIL_MANY, rows)? {
        found.entry(email).and_modify(|known| *known = id.min(*known)).or_insert(id);
    }
    Ok(found)
}

/// Contacts by their numbers. Others may change them meanwhile.
pub fn find_many_by_phone<'a>(
    tx: &mut Tx<'_>,
    account: AccountId,
    phones: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, ContactId>, StoreError> {
    let rows = phones.into_iter().map(|phone| row![account, phone]).collect();
    Ok(tx.query_many::<(String, ContactId)>(&BY_PHONE_MANY, rows)?.into_iter().collect())
}

/// Replaces the fields of other programs.
pub fn set_custom_fields(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    fields: &Map<String, Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_CUSTOM_FIELDS, p![account, id, json(fields), now]).map(drop)
}

/// Notes that a person changed these fields.
pub fn note_edits(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    fields: &[&str],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut known = details_many(tx, account, [id])?.remove(&id).unwrap_or_default().edited_at;
    known.extend(fields.iter().map(|field| ((*field).to_owned(), now)));
    let text = serde_json::to_string(&known).unwrap_or_default();
    tx.execute(&SET_EDITED_AT, p![account, id, text]).map(drop)
}

/// Contacts above an id, in their order.
pub fn list_after(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: ContactId,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    Ok(tx
        .query::<(ContactId,)>(&LIST_AFTER, p![account, after, limit])?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// How many contacts there are.
pub fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    Ok(tx.find::<(i64,)>(&COUNT, p![account])?.map_or(0, |(count,)| count))
}

fn json(fields: &Map<String, Value>) -> Option<String> {
    (!fields.is_empty()).then(|| serde_json::to_string(fields).unwrap_or_default())
}
