//! People outside and the names networks know them by.

use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};
use frontdesk_model::{AccountId, AttachmentId, ContactId, Timestamp, text};

use crate::db::statement::both;
use crate::{Columns, FromRow, StoreError, Tx, conversations};

macro_rules! columns {
    () => {
        "c.id, c.account_id, c.name, c.name_edited, c.name_at, c.email, c.phone, c.avatar_id, c.profile_at,
         c.merged_into, c.created_at, c.updated_at"
    };
}

statements! {
    INSERT = both(
        "INSERT INTO contacts (account_id, name, name_at, phone, search_text, created_at, updated_at, profile_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7) RETURNING id");
    GET = both(concat!("SELECT ", columns!(), " FROM contacts c WHERE c.account_id = $1 AND c.id = $2"));
    BY_IDENTITY = both(
        "SELECT contact_id FROM contact_identities WHERE account_id = $1 AND kind = $2 AND value = $3");
    INSERT_IDENTITY = both(
        "INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, kind, value) DO NOTHING");
    IDENTITIES = both(
        "SELECT kind, value FROM contact_identities WHERE account_id = $1 AND contact_id = $2 ORDER BY kind, value");
    MOVE_IDENTITIES = both("UPDATE contact_identities SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2");
    DELETE = both("DELETE FROM contacts WHERE account_id = $1 AND id = $2");
    SET_DETAILS = both(
        "UPDATE contacts SET name = $3, name_edited = $4, name_at = $5, email = $6, phone = $7, search_text = $8,
         updated_at = $9 WHERE account_id = $1 AND id = $2");
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

/// Finds the contact behind a hint, or makes one. Names that turn out to belong to two contacts merge them; the older
/// contact stays. `at` is the provider's time of the news and decides between profile names.
///
/// `None` when the hint carries no identity.
pub fn resolve(
    tx: &mut Tx<'_>,
    account: AccountId,
    hint: &ContactHint,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Resolved>, StoreError> {
    let mut known: Vec<Option<ContactId>> = Vec::with_capacity(hint.identities.len());
    for identity in &hint.identities {
        known.push(find_by_identity(tx, account, identity)?);
    }
    let Some(id) = known.iter().flatten().min().copied() else {
        return create(tx, account, hint, at, now);
    };
    let mut others: Vec<ContactId> = known.iter().flatten().copied().filter(|other| *other != id).collect();
    others.sort_unstable();
    others.dedup();
    for other in others {
        merge(tx, account, other, id, now)?;
    }
    for (identity, known) in hint.identities.iter().zip(&known) {
        if known.is_none() {
            tx.execute(&INSERT_IDENTITY, p![account, identity.kind, identity.value, id, now])?;
        }
    }
    let renamed = learn(tx, account, id, hint, at, now)?;
    Ok(Some(Resolved { id, created: false, renamed }))
}

fn create(
    tx: &mut Tx<'_>,
    account: AccountId,
    hint: &ContactHint,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Resolved>, StoreError> {
    if hint.identities.is_empty() {
        return Ok(None);
    }
    let phone = hint.identities.iter().find(|i| i.kind == IdentityKind::Phone).map(|i| i.value.as_str());
    let name_at = hint.name.as_ref().map_or(0, |_| at.as_millis());
    let search = search_text(hint.name.as_deref(), None, phone);
    // A network that tells the name along with the message need not be asked for it.
    let asked = hint.name.as_ref().map(|_| now);
    let inserted =
        tx.find::<(ContactId,)>(&INSERT, p![account, hint.name, name_at, phone, search, now, asked])?;
    let Some((id,)) = inserted else { return Ok(None) };
    for identity in &hint.identities {
        let added = tx.execute(&INSERT_IDENTITY, p![account, identity.kind, identity.value, id, now])?;
        if added == 0 {
            // Another node made this contact a moment ago (PostgreSQL waited for its commit): use that one.
            let winner = find_by_identity(tx, account, identity)?;
            if let Some(winner) = winner.filter(|w| *w != id) {
                tx.execute(&MOVE_IDENTITIES, p![account, id, winner])?;
                tx.execute(&DELETE, p![account, id])?;
                return Ok(Some(Resolved { id: winner, created: false, renamed: false }));
            }
        }
    }
    Ok(Some(Resolved { id, created: true, renamed: false }))
}

/// Takes over a newer profile name and a phone not known so far. True when the name changed.
fn learn(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactId,
    hint: &ContactHint,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut contact) = find(tx, account, id)? else { return Ok(false) };
    let phone = hint.identities.iter().find(|i| i.kind == IdentityKind::Phone).map(|i| i.value.clone());
    let new_phone = phone.is_some() && contact.phone.is_none();
    if new_phone {
        contact.phone = phone;
    }
    // Equal times: the greater name wins, so that the order of arrival does not matter.
    let newer_name = hint.name.is_some()
        && !contact.name_edited
        && (at, hint.name.as_deref()) > (contact.name_at, contact.name.as_deref());
    let renamed = newer_name && hint.name != contact.name;
    if newer_name {
        contact.name.clone_from(&hint.name);
    }
    if renamed || new_phone {
        contact.name_at = contact.name_at.max(if newer_name { at } else { contact.name_at });
        save(tx, &contact, now)?;
    }
    Ok(renamed)
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

/// Finds a contact by one of its names.
pub fn find_by_identity(
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

/// All names of a contact.
pub fn identities(tx: &mut Tx<'_>, account: AccountId, id: ContactId) -> Result<Vec<Identity>, StoreError> {
    let rows = tx.query::<(IdentityKind, String)>(&IDENTITIES, p![account, id])?;
    Ok(rows.into_iter().map(|(kind, value)| Identity { kind, value }).collect())
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

/// Makes `loser` part of `winner`: identities, conversations and messages move.
pub fn merge(
    tx: &mut Tx<'_>,
    account: AccountId,
    loser: ContactId,
    winner: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&MOVE_IDENTITIES, p![account, loser, winner])?;
    conversations::move_to_contact(tx, account, loser, winner, now)?;
    if let (Some(lost), Some(mut kept)) = (find(tx, account, loser)?, find(tx, account, winner)?) {
        kept.email = kept.email.or(lost.email);
        kept.phone = kept.phone.or(lost.phone);
        if !kept.name_edited && (lost.name_edited || lost.name_at > kept.name_at) {
            kept.name = lost.name.or(kept.name);
            kept.name_edited = lost.name_edited;
            kept.name_at = kept.name_at.max(lost.name_at);
        }
        save(tx, &kept, now)?;
    }
    tx.execute(&MARK_MERGED, p![account, loser, winner, now])?;
    Ok(())
}

/// Contacts whose network was never asked who they are, newest first, of whatever account.
pub fn without_profile(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<ContactRow>, StoreError> {
    tx.query(&WITHOUT_PROFILE, p![limit])
}
