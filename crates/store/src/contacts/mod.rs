//! People outside and the names networks know them by.

use std::collections::{BTreeSet, HashMap};

use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};
use frontdesk_model::{AccountId, AttachmentId, ContactId, Timestamp, text};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx, conversations, crm};

macro_rules! columns {
    () => {
        "c.id, c.account_id, c.name, c.name_edited, c.name_at, c.email, c.phone, c.phone_at, c.avatar_id, c.profile_at,
         c.merged_into, c.created_at, c.updated_at"
    };
}

mod known;
mod newcomers;
pub mod other_side;

pub use known::{Hinted, resolve_many};
pub(crate) use newcomers::STATEMENTS as NEWCOMERS;
pub(crate) use other_side::STATEMENTS as OTHER_SIDE;

statements! {
    INSERT = inserting!(
        "INSERT INTO contacts (account_id, name, name_at, phone, phone_at, search_text, created_at, updated_at, profile_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)");
    GET = both(concat!("SELECT ", columns!(), " FROM contacts c WHERE c.account_id = $1 AND c.id = $2"));
    GET_MANY = each(
        concat!("SELECT ", columns!(), " FROM contacts c WHERE c.account_id = $1 AND c.id = $2"),
        concat!("SELECT ", columns!(), " FROM contacts c JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id)
            ON c.account_id = n.account_id AND c.id = n.id"));
    // Locked: what is told about one person is applied by one transaction after the other.
    BY_IDENTITY_MANY = each(
        "SELECT i.account_id, i.kind, i.value, c.id, c.name, c.name_edited, c.name_at, c.phone, c.phone_at
         FROM contact_identities i JOIN contacts c ON c.account_id = i.account_id AND c.id = i.contact_id
         WHERE i.account_id = $1 AND i.kind = $2 AND i.value = $3",
        // Looked up one by one, whatever the plan was made for; in the order of the parameters, in which all lock.
        "SELECT n.account_id, n.kind, n.value, c.id, c.name, c.name_edited, c.name_at, c.phone, c.phone_at
         FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::TEXT[]) AS n (account_id, kind, value)
         CROSS JOIN LATERAL (
            SELECT contact_id FROM contact_identities
            WHERE account_id = n.account_id AND kind = n.kind AND value = n.value LIMIT 1 FOR UPDATE) AS i
         CROSS JOIN LATERAL (
            SELECT id, name, name_edited, name_at, phone, phone_at FROM contacts
            WHERE account_id = n.account_id AND id = i.contact_id LIMIT 1 FOR UPDATE) AS c");
    OWNERS_MANY = each(
        "SELECT account_id, kind, value, contact_id FROM contact_identities WHERE account_id = $1 AND kind = $2 AND value = $3",
        "SELECT i.account_id, i.kind, i.value, i.contact_id
         FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::TEXT[]) AS n (account_id, kind, value)
         JOIN contact_identities i ON i.account_id = n.account_id AND i.kind = n.kind AND i.value = n.value
         ORDER BY i.account_id, i.kind, i.value FOR UPDATE OF i");
    OWNER_NOW = both("SELECT contact_id FROM contact_identities WHERE account_id = $1 AND kind = $2 AND value = $3");
    BY_IDENTITY = each(
        "SELECT contact_id FROM contact_identities WHERE account_id = $1 AND kind = $2 AND value = $3",
        "SELECT contact_id FROM contact_identities WHERE account_id = $1 AND kind = $2 AND value = $3 FOR UPDATE");
    INSERT_IDENTITY = both(
        "INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, kind, value) DO NOTHING");
    IDENTITIES = both(
        "SELECT kind, value FROM contact_identities WHERE account_id = $1 AND contact_id = $2 ORDER BY kind, value");
    IDENTITIES_MANY = each(
        "SELECT contact_id, kind, value FROM contact_identities WHERE account_id = $1 AND contact_id = $2
         ORDER BY kind, value",
        "SELECT contact_id, kind, value FROM contact_identities WHERE (account_id, contact_id) IN
            (SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[])) ORDER BY kind, value");
    MOVE_IDENTITIES = both("UPDATE contact_identities SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2");
    DELETE = both("DELETE FROM contacts WHERE account_id = $1 AND id = $2");
    SET_DETAILS = both(
        "UPDATE contacts SET name = $3, name_edited = $4, name_at = $5, email = $6, phone = $7, phone_at = $8,
         search_text = $9, updated_at = $10 WHERE account_id = $1 AND id = $2");
    SET_TOLD = each(
        "UPDATE contacts SET name_at = $3, phone_at = $4 WHERE account_id = $1 AND id = $2",
        "UPDATE contacts c SET name_at = n.name_at, phone_at = n.phone_at
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[]) AS n (account_id, id, name_at, phone_at)
         WHERE c.account_id = n.account_id AND c.id = n.id");
    SET_PROFILE = both(
        "UPDATE contacts SET profile_at = $3 WHERE account_id = $1 AND id = $2");
    SET_AVATAR = both("UPDATE contacts SET avatar_id = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
    WITHOUT_PROFILE = both(concat!("SELECT ", columns!(),
        " FROM contacts c WHERE c.profile_at IS NULL AND c.merged_into IS NULL ORDER BY c.id DESC LIMIT $1"));
    MARK_MERGED = both("UPDATE contacts SET merged_into = $3, updated_at = $4 WHERE account_id = $1 AND id = $2");
}

/// A contact as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct ContactRow {
    pub id: ContactId,
    pub account_id: AccountId,
    pub name: Option<String>,
    /// An agent chose the name: profiles do not change it any more.
    pub name_edited: bool,
    /// When the profile name was told, by the provider's clock: the newest wins.
    pub name_at: Timestamp,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// When the phone was told, by the provider's clock: the newest wins.
    pub phone_at: Timestamp,
    /// The profile picture, kept here.
    pub avatar_id: Option<AttachmentId>,
    /// When the profile was last asked for.
    pub profile_at: Option<Timestamp>,
    /// The contact this one became part of.
    pub merged_into: Option<ContactId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FromRow for ContactRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            name: row.next()?,
            name_edited: row.next()?,
            name_at: row.next()?,
            email: row.next()?,
            phone: row.next()?,
            phone_at: row.next()?,
            avatar_id: row.next()?,
            profile_at: row.next()?,
            merged_into: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// Who an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The contact.
    pub id: ContactId,
    /// It was made just now.
    pub created: bool,
    /// Its name changed.
    pub renamed: bool,
}

/// How often a contact is looked for again because another node made or changed it meanwhile.
const MAX_TRIES: usize = 4;

/// Finds the contact behind a hint, or makes one. Names that turn out to belong to two contacts merge them; the older
/// contact stays. `at` is the provider's time of the news and decides between profile names and between phones.
///
/// `None` when the hint carries no identity.
pub fn resolve(
    tx: &mut Tx<'_>,
    account: AccountId,
    hint: &ContactHint,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Resolved>, StoreError> {
    if hint.identities.is_empty() {
        return Ok(None);
    }
    for _ in 0..MAX_TRIES {
        let mut owners = Vec::with_capacity(hint.identities.len());
        for identity in &hint.identities {
            owners.push(find_by_identity(tx, account, identity)?);
        }
        let resolved = match one_of(tx, account, &owners, now)? {
            Some(id) => join(tx, account, id, hint, &owners, at, now)?,
            None => create(tx, account, hint, at, now)?,
        };
        if resolved.is_some() {
            return Ok(resolved);
        }
    }
    Err(StoreError::Unavailable("a contact changed again and again while it was looked for".to_owned()))
}

/// The one contact among those that own the names; several become one.
fn one_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    owners: &[Option<ContactId>],
    now: Timestamp,
) -> Result<Option<ContactId>, StoreError> {
    let mut known: Vec<ContactId> = owners.iter().copied().flatten().collect();
    known.sort_unstable();
    known.dedup();
    let Some((oldest, others)) = known.split_first() else { return Ok(None) };
    for other in others {
        merge(tx, account, *other, *oldest, now)?;
    }
    Ok(Some(*oldest))
}

/// Adds to a contact what a hint tells. `None` when one of the names was given to someone else meanwhile.
fn join(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    hint: &ContactHint,
    owners: &[Option<ContactId>],
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Resolved>, StoreError> {
    for (identity, owner) in hint.identities.iter().zip(owners) {
        if owner.is_none() && !add_identity(tx, account, id, identity, now)? {
            return Ok(None);
        }
    }
    let renamed = learn(tx, account, id, hint, at, now)?;
    Ok(Some(Resolved { id, created: false, renamed }))
}

/// Makes a contact. `None` when another node made it a moment ago (PostgreSQL waited for its commit).
fn create(
    tx: &mut Tx<'_>,
    account: AccountId,
    hint: &ContactHint,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Resolved>, StoreError> {
    let phone = phone_of(hint);
    let name_at = hint.name.as_ref().map(|_| at).unwrap_or_default();
    let phone_at = phone.map(|_| at).unwrap_or_default();
    let search = search_text(hint.name.as_deref(), None, phone);
    // A network that tells the name along with the message need not be asked for it.
    let asked = hint.name.as_ref().map(|_| now);
    let inserted = tx
        .insert::<ContactId>(&INSERT, p![account, hint.name, name_at, phone, phone_at, search, now, asked])?;
    let Some(id) = inserted else { return Ok(None) };
    for identity in &hint.identities {
        let added = add_identity(tx, account, id, identity, now)?;
        if added {
            continue;
        }
        let winner = find_by_identity(tx, account, identity)?;
        if let Some(winner) = winner.filter(|w| *w != id) {
            tx.execute(&MOVE_IDENTITIES, p![account, id, winner])?;
            tx.execute(&DELETE, p![account, id])?;
            return Ok(None);
        }
    }
    Ok(Some(Resolved { id, created: true, renamed: false }))
}

fn phone_of(hint: &ContactHint) -> Option<&str> {
    hint.identities.iter().find(|i| i.kind == IdentityKind::Phone).map(|i| i.value.as_str())
}

/// Takes over a newer profile name and a newer phone. True when the name changed.
fn learn(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    hint: &ContactHint,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut contact) = find(tx, account, id)? else { return Ok(false) };
    // Equal times: the greater name or phone wins, so that the order of arrival does not matter.
    let phone = phone_of(hint);
    let newer_phone = phone.is_some() && (at, phone) > (contact.phone_at, contact.phone.as_deref());
    let newer_name = hint.name.is_some()
        && !contact.name_edited
        && (at, hint.name.as_deref()) > (contact.name_at, contact.name.as_deref());
    if newer_phone {
        contact.phone_at = at;
    }
    if newer_name {
        contact.name_at = at;
    }
    let other_phone = newer_phone && phone != contact.phone.as_deref();
    let renamed = newer_name && hint.name != contact.name;
    if renamed || other_phone {
        if newer_name {
            contact.name.clone_from(&hint.name);
        }
        if newer_phone {
            contact.phone = phone.map(str::to_owned);
        }
        save(tx, &contact, now)?;
    } else if newer_name || newer_phone {
        tx.execute_many(&SET_TOLD, vec![row![account, id, contact.name_at, contact.phone_at]])?;
    }
    Ok(renamed)
}

/// Notes that a contact has these names too, as told beside a status. A name that was another contact's makes the two
/// one. True when this contact became part of another by that.
pub fn add_names(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    names: &[Identity],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut identities = Vec::new();
    for name in names {
        if find_by_identity(tx, account, name)? != Some(id) {
            identities.push(name.clone());
        }
    }
    if identities.is_empty() {
        return Ok(false);
    }
    identities.extend(self::identities(tx, account, id)?.into_iter().take(1));
    // No time: whom a message was sent to says less about a phone than what comes from it.
    let hint = ContactHint { identities, name: None };
    let resolved = resolve(tx, account, &hint, Timestamp::default(), now)?;
    Ok(resolved.is_some_and(|r| r.id != id))
}

/// Who has these names; they stay theirs until the transaction ends.
pub fn find_many_by_identity<'a>(
    tx: &mut Tx<'_>,
    names: impl IntoIterator<Item = (AccountId, &'a Identity)>,
) -> Result<HashMap<(AccountId, IdentityKind, String), ContactId>, StoreError> {
    let names: BTreeSet<(AccountId, &str, &str)> =
        names.into_iter().map(|(account, name)| (account, name.kind.as_str(), name.value.as_str())).collect();
    let rows = names.into_iter().map(|(account, kind, value)| row![account, kind, value]).collect();
    let found = tx.query_many::<(AccountId, IdentityKind, String, ContactId)>(&OWNERS_MANY, rows)?;
    Ok(found.into_iter().map(|(account, kind, value, id)| ((account, kind, value), id)).collect())
}

/// Who has a name at this moment, for those who only read.
pub fn owner_now(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &Identity,
) -> Result<Option<ContactId>, StoreError> {
    let found = tx.find::<(ContactId,)>(&OWNER_NOW, p![account, name.kind.as_str(), name.value])?;
    Ok(found.map(|(id,)| id))
}

/// Writes name, e-mail and phone of a contact back.
pub fn save(tx: &mut Tx<'_>, contact: &ContactRow, now: Timestamp) -> Result<(), StoreError> {
    let search = search_text(contact.name.as_deref(), contact.email.as_deref(), contact.phone.as_deref());
    tx.execute(
        &SET_DETAILS,
        p![
            contact.account_id,
            contact.id,
            contact.name,
            contact.name_edited,
            contact.name_at,
            contact.email,
            contact.phone,
            contact.phone_at,
            search,
            now
        ],
    )?;
    Ok(())
}

/// What the search looks at: folded name, e-mail, and the digits of the phone.
fn search_text(name: Option<&str>, email: Option<&str>, phone: Option<&str>) -> String {
    let parts: Vec<String> = [name, email, phone].into_iter().flatten().map(text::fold).collect();
    parts.join(" ")
}

/// Finds a contact by one of its names, which stays with that contact until the transaction ends.
fn find_by_identity(
    tx: &mut Tx<'_>,
    account: AccountId,
    identity: &Identity,
) -> Result<Option<ContactId>, StoreError> {
    Ok(tx.find::<(ContactId,)>(&BY_IDENTITY, p![account, identity.kind, identity.value])?.map(|(id,)| id))
}

/// Finds a contact; one that was merged leads to the contact it became part of.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: ContactId) -> Result<Option<ContactRow>, StoreError> {
    let mut id = id;
    for _ in 0..8 {
        match tx.find::<ContactRow>(&GET, p![account, id])? {
            Some(ContactRow { merged_into: Some(next), .. }) => id = next,
            found => return Ok(found),
        }
    }
    Ok(None)
}

/// Contacts by id, as [`find`] does; those that do not exist are left out.
pub fn find_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: impl IntoIterator<Item = ContactId>,
) -> Result<HashMap<ContactId, ContactRow>, StoreError> {
    let rows: Vec<_> =
        ids.into_iter().collect::<BTreeSet<_>>().into_iter().map(|id| row![account, id]).collect();
    let mut found = HashMap::with_capacity(rows.len());
    for row in tx.query_many::<ContactRow>(&GET_MANY, rows)? {
        let id = row.id;
        let row = if row.merged_into.is_some() { find(tx, account, id)? } else { Some(row) };
        found.extend(row.map(|row| (id, row)));
    }
    Ok(found)
}

/// All names of a contact.
pub fn identities(tx: &mut Tx<'_>, account: AccountId, id: ContactId) -> Result<Vec<Identity>, StoreError> {
    let rows = tx.query::<(IdentityKind, String)>(&IDENTITIES, p![account, id])?;
    Ok(rows.into_iter().map(|(kind, value)| Identity { kind, value }).collect())
}

/// All names of contacts.
pub fn identities_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: impl IntoIterator<Item = ContactId>,
) -> Result<HashMap<ContactId, Vec<Identity>>, StoreError> {
    let rows = ids.into_iter().map(|id| row![account, id]).collect();
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for (id, kind, value) in tx.query_many::<(ContactId, IdentityKind, String)>(&IDENTITIES_MANY, rows)? {
        found.entry(id).or_default().push(Identity { kind, value });
    }
    Ok(found)
}

/// Adds a name to a contact; does nothing when the name is somebody's already.
pub fn add_identity(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    identity: &Identity,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT_IDENTITY, p![account, identity.kind, identity.value, id, now])? > 0)
}

/// Notes that the profile was asked for at `at`.
pub fn set_profile_asked(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_PROFILE, p![account, id, at])?;
    Ok(())
}

/// Gives a contact the picture `avatar`.
pub fn set_avatar(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    avatar: AttachmentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&SET_AVATAR, p![account, id, avatar, now])?;
    Ok(())
}

/// Makes `loser` part of `winner`: identities, conversations, messages and what was noted of them as donors move.
pub fn merge(
    tx: &mut Tx<'_>,
    account: AccountId,
    loser: ContactId,
    winner: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_IDENTITIES, p![account, loser, winner])?;
    conversations::move_to_contact(tx, account, loser, winner, now)?;
    crm::follow(tx, account, loser, winner)?;
    if let (Some(lost), Some(mut kept)) = (find(tx, account, loser)?, find(tx, account, winner)?) {
        kept.email = kept.email.or(lost.email);
        if (lost.phone_at, &lost.phone) > (kept.phone_at, &kept.phone) {
            kept.phone = lost.phone.or(kept.phone);
            kept.phone_at = lost.phone_at;
        }
        let newer = (lost.name_at, &lost.name) > (kept.name_at, &kept.name);
        if !kept.name_edited && (lost.name_edited || newer) {
            kept.name = lost.name.or(kept.name);
            kept.name_edited = lost.name_edited;
            kept.name_at = kept.name_at.max(lost.name_at);
        }
        save(tx, &kept, now)?;
        if let (None, Some(avatar)) = (kept.avatar_id, lost.avatar_id) {
            set_avatar(tx, account, winner, avatar, now)?;
        }
    }
    tx.execute(&MARK_MERGED, p![account, loser, winner, now])?;
    Ok(())
}

/// Contacts whose network was never asked who they are, newest first, of whatever account.
pub fn without_profile(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<ContactRow>, StoreError> {
    tx.query(&WITHOUT_PROFILE, p![limit])
}
