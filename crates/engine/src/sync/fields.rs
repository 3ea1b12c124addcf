//! A contact of Chatwoot made ours: which field becomes which, and digests that tell whether anything changed.

use frontdesk_chatwoot_client::Contact;
use frontdesk_model::contact::parse_phone;
use frontdesk_model::{AccountId, ContactId};
use frontdesk_store::contacts::ContactRow;
use frontdesk_store::external_entity_maps::Digests;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::users::is_email;

/// Chatwoot's own limit.
const MAX_NAME: usize = 255;
/// Attributes larger than this are somebody's data dump and are left there.
const MAX_ATTRIBUTES_BYTES: usize = 16 * 1024;
/// The digest of a field that is empty.
pub(super) const EMPTY: &str = "-";

/// The fields that both sides change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    Email,
    Phone,
}

impl Field {
    pub const ALL: [Self; 3] = [Self::Name, Self::Email, Self::Phone];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// A person as Chatwoot has it, in our words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Theirs {
    /// Its id there.
    pub number: i64,
    pub name: Option<String>,
    /// In lower case.
    pub email: Option<String>,
    /// In E.164, one number however it is written.
    pub phone: Option<String>,
    /// What Chatwoot knows beside them.
    pub custom_fields: Map<String, Value>,
    /// A digest of all of it.
    pub fingerprint: String,
    /// Chatwoot lists it: only those with e-mail, number or identifier.
    pub listed: bool,
    /// Its identifier says that it was made of this contact of ours.
    pub made_of: Option<ContactId>,
}

impl Theirs {
    /// Reads a contact.
    ///
    /// Errors: why it is not taken over, for people: `Contact 123: Invalid phone format`.
    pub fn read(contact: &Contact, account: AccountId) -> Result<Self, String> {
        let refuse = |why: &str| format!("Contact {}: {why}", contact.id);
        let phone = match &contact.phone_number {
            None => None,
            Some(written) => Some(parse_phone(written).ok_or_else(|| refuse("Invalid phone format"))?),
        };
        let email = contact.email.as_ref().map(|email| email.trim().to_lowercase());
        if email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(refuse("Invalid email format"));
        }
        let name: String = contact.name.trim().chars().take(MAX_NAME).collect();
        let custom_fields = custom_fields(contact);
        let parts = json!([contact.name, contact.email, contact.phone_number, custom_fields]);
        Ok(Self {
            number: contact.id,
            name: Some(name).filter(|name| !name.is_empty()),
            email,
            phone,
            fingerprint: hex::encode(Sha256::digest(parts.to_string())),
            custom_fields,
            listed: contact.email.is_some() || contact.phone_number.is_some() || contact.identifier.is_some(),
            made_of: contact.identifier.as_deref().and_then(|identifier| made_of(identifier, account)),
        })
    }

    /// One of the fields that both sides change.
    pub fn field(&self, field: Field) -> Option<&str> {
        match field {
            Field::Name => self.name.as_deref(),
            Field::Email => self.email.as_deref(),
            Field::Phone => self.phone.as_deref(),
        }
    }

    /// Digests of these fields.
    pub fn digests(&self) -> Digests {
        digests(|field| self.field(field))
    }
}

/// One of these fields of a contact of ours.
pub(super) fn field_of(contact: &ContactRow, field: Field) -> Option<&str> {
    match field {
        Field::Name => contact.name.as_deref(),
        Field::Email => contact.email.as_deref(),
        Field::Phone => contact.phone.as_deref(),
    }
}

/// Digests of a contact of ours.
pub(super) fn digests_of(contact: &ContactRow) -> Digests {
    digests(|field| field_of(contact, field))
}

fn digests<'a>(value: impl Fn(Field) -> Option<&'a str>) -> Digests {
    Field::ALL.into_iter().map(|field| (field.as_str().to_owned(), digest(value(field)))).collect()
}

/// A digest short enough for three of them to stand in each row; which of two values it is, is all it has to tell.
fn digest(value: Option<&str>) -> String {
    value.map_or_else(|| EMPTY.to_owned(), |value| hex::encode(&Sha256::digest(value)[..8]))
}

/// Whether a custom field is what Chatwoot knows, and not what people note here.
pub(crate) fn is_of_chatwoot(name: &str) -> bool {
    name.starts_with("chatwoot_")
}

/// What Chatwoot knows beside name, e-mail and number.
fn custom_fields(contact: &Contact) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("chatwoot_id".to_owned(), json!(contact.id));
    if let Some(identifier) = &contact.identifier {
        fields.insert("chatwoot_identifier".to_owned(), json!(identifier));
    }
    if let Some(picture) = contact.picture() {
        fields.insert("chatwoot_thumbnail".to_owned(), json!(picture));
    }
    let attributes = &contact.additional_attributes;
    let fits = || serde_json::to_string(attributes).is_ok_and(|text| text.len() <= MAX_ATTRIBUTES_BYTES);
    if !attributes.is_empty() && fits() {
        fields.insert("chatwoot_additional_attributes".to_owned(), json!(attributes));
    }
    fields
}

/// What a contact of ours is called there, so that it is known again.
pub(crate) fn identifier_of(account: AccountId, contact: ContactId) -> String {
    format!("frontdesk-{account}-{contact}")
}

fn made_of(identifier: &str, account: AccountId) -> Option<ContactId> {
    let (of, id) = identifier.strip_prefix("frontdesk-")?.split_once('-')?;
    if of != account.to_string() {
        return None;
    }
    id.parse().ok().map(ContactId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(value: Value) -> Contact {
        serde_json::from_value(value).unwrap()
    }

    fn read(value: Value) -> Result<Theirs, String> {
        Theirs::read(&contact(value), AccountId(7))
    }

    #[test]
    fn every_field_of_the_guide_has_its_place() {
        let theirs = read(json!({ "id": 77, "name": " Ana ", "email": "Ana@Example.test", "phone_number": "+5511987654321",
            "identifier": "crm-42", "thumbnail": "https://cw.test/a.png", "additional_attributes": { "city": "Recife" } }))
        .unwrap();
        assert_eq!(
            (theirs.name.as_deref(), theirs.email.as_deref()),
            (Some("Ana"), Some("ana@example.test"))
        );
        assert_eq!(theirs.phone.as_deref(), Some("+5511987654321"));
        assert_eq!(
            Value::Object(theirs.custom_fields),
            json!({ "chatwoot_id": 77, "chatwoot_identifier": "crm-42", "chatwoot_thumbnail": "https://cw.test/a.png",
                "chatwoot_additional_attributes": { "city": "Recife" } })
        );
    }

    #[test]
    fn what_cannot_be_a_contact_says_why_by_its_id() {
        let error = |value| read(value).unwrap_err();
        assert_eq!(
            error(json!({ "id": 123, "phone_number": "call me" })),
            "Contact 123: Invalid phone format"
        );
        assert_eq!(error(json!({ "id": 456, "email": "nobody" })), "Contact 456: Invalid email format");
        assert!(read(json!({ "id": 1, "name": "Only a name" })).is_ok_and(|theirs| !theirs.listed));
    }

    #[test]
    fn the_fingerprint_changes_with_whatever_is_taken_over_and_with_nothing_else() {
        let base = json!({ "id": 1, "name": "Ana", "email": "a@b.test" });
        let print = |change: Value| {
            let mut value = base.clone();
            value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            read(value).unwrap().fingerprint
        };
        let same = print(json!({}));
        assert_eq!(
            same,
            print(json!({ "last_activity_at": 1_787_000_000, "availability_status": "online" }))
        );
        assert_eq!(same, print(json!({ "phone_number": null, "avatar": "", "thumbnail": "" })));
        for change in [
            json!({ "name": "Anna" }),
            json!({ "email": "b@b.test" }),
            json!({ "phone_number": "+5511987654321" }),
            json!({ "identifier": "x" }),
            json!({ "additional_attributes": { "city": "Rio" } }),
        ] {
            assert_ne!(same, print(change.clone()), "{change}");
        }
    }

    #[test]
    fn the_ninth_digit_makes_no_other_number() {
        let phone = |written: &str| {
            read(json!({ "id": 1, "phone_number": written })).unwrap().digests()["phone"].clone()
        };
        assert_eq!(phone("+551187654321"), phone("+5511987654321"));
    }

    #[test]
    fn our_own_identifier_leads_back_to_the_contact_of_the_same_account() {
        let made_of = |identifier: &str| read(json!({ "id": 1, "identifier": identifier })).unwrap().made_of;
        assert_eq!(made_of(&identifier_of(AccountId(7), ContactId(12))), Some(ContactId(12)));
        for other in ["frontdesk-8-12", "frontdesk-7", "frontdesk-7-x", "crm-12"] {
            assert_eq!(made_of(other), None, "{other}");
        }
    }
}
