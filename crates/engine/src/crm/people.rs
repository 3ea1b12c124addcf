//! Who a number belongs to.

use frontdesk_model::contact::{ContactHint, Identity, IdentityKind, parse_phone_at_home};
use frontdesk_model::crm::settings::CrmSettings;
use frontdesk_model::{AccountId, ContactId, Timestamp};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::crm::{donations, settings};
use frontdesk_store::{StoreError, Tx};

use super::CrmError;
use crate::Engine;

/// How a person is named in an address: by number, or as `id:12` where they have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A phone number, in any notation.
    Phone(String),
    /// A contact of ours.
    Contact(ContactId),
}

impl Key {
    /// Reads a name.
    pub fn parse(text: &str) -> Self {
        let id = text.strip_prefix("id:").and_then(|id| id.parse().ok());
        id.map_or_else(|| Self::Phone(text.to_owned()), |id| Self::Contact(ContactId(id)))
    }
}

/// Reads a number as people of the account write it. Errors: 422 naming `phone`.
pub(super) fn read_phone(text: &str, settings: &CrmSettings) -> Result<String, CrmError> {
    parse_phone_at_home(text, settings.calling_code.as_deref()).ok_or_else(|| {
        let sentence = "The phone field must be a number with its country code, as +6281390045512.";
        // Somebody writes numbers as at home, and the server does not know where that is.
        let at_home = settings.calling_code.is_none()
            && parse_phone_at_home(text, Some("1")).is_some()
            && text.bytes().find(u8::is_ascii_digit) == Some(b'0');
        let hint = " To write numbers that begin with 0, set calling_code in the CRM settings (PUT /api/crm/settings).";
        CrmError::invalid("phone", if at_home { [sentence, hint].concat() } else { sentence.to_owned() })
    })
}

/// The person of this name; `None` for a number that nobody has here.
pub(super) fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &Key,
    settings: &CrmSettings,
) -> Result<Option<ContactRow>, CrmError> {
    let id = match key {
        Key::Contact(id) => *id,
        Key::Phone(text) => {
            let phone = read_phone(text, settings)?;
            let mut found = contacts::other_side::find_many_by_phone(tx, account, [phone.as_str()])?;
            match found.remove(&phone) {
                Some(id) => id,
                None => return Ok(None),
            }
        }
    };
    match contacts::find(tx, account, id)? {
        None if matches!(key, Key::Contact(_)) => Err(CrmError::NotFound("contact")),
        found => Ok(found),
    }
}

/// Who that is: the number as it is kept, and the person, as far as there are such. Errors: 422 naming `phone`.
pub async fn look_up(
    engine: &Engine,
    account: AccountId,
    key: Key,
) -> Result<(Option<String>, Option<ContactRow>), CrmError> {
    engine
        .store
        .read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let contact = find(tx, account, &key, &settings)?;
            let phone = match &key {
                Key::Phone(text) => Some(read_phone(text, &settings)?),
                Key::Contact(_) => contact.as_ref().and_then(|contact| contact.phone.clone()),
            };
            Ok((phone, contact))
        })
        .await
}

/// The person of this name, made when nobody has the number.
pub(super) fn find_or_make(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &Key,
    settings: &CrmSettings,
    now: Timestamp,
) -> Result<ContactRow, CrmError> {
    if let Some(found) = find(tx, account, key, settings)? {
        return Ok(found);
    }
    let Key::Phone(text) = key else { return Err(CrmError::NotFound("contact")) };
    let value = read_phone(text, settings)?;
    let identities = vec![Identity { kind: IdentityKind::Phone, value }];
    // No time: what a network tells of them is newer.
    let made =
        contacts::resolve(tx, account, &ContactHint { identities, name: None }, Timestamp::default(), now)?;
    let found = match made {
        Some(made) => contacts::find(tx, account, made.id)?,
        None => None,
    };
    let missing = || StoreError::Unavailable("a contact was not stored".to_owned());
    Ok(found.ok_or_else(missing)?)
}

/// [`find_or_make`], and nobody else changes their gifts or makes them part of another until the transaction ends.
pub(super) fn find_locked(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &Key,
    settings: &CrmSettings,
    now: Timestamp,
) -> Result<ContactRow, CrmError> {
    let mut contact = find_or_make(tx, account, key, settings, now)?;
    loop {
        donations::lock_contact(tx, account, contact.id)?;
        let found = contacts::find(tx, account, contact.id)?.ok_or(CrmError::NotFound("contact"))?;
        if found.id == contact.id {
            return Ok(found);
        }
        contact = found; // it became part of another while we waited
    }
}
