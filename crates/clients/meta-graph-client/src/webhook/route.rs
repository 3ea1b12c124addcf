//! Whose body is it? Read before the signature's owner is known, so nothing here is trusted; and read
//! for every request, so nothing but the ids is looked at.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EnvelopeError, Object, RawEnvelope, tolerant::IdText};

/// One account a body is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RouteKey {
    /// A WhatsApp number, by its phone number id.
    PhoneNumber(String),
    /// A WhatsApp Business Account, for what concerns no single number.
    BusinessAccount(String),
    /// A Facebook Page.
    Page(String),
    /// An Instagram account.
    Instagram(String),
}

/// The accounts a body is for, each once, in order of appearance. Parts that cannot be read name none.
pub fn routes(body: &[u8]) -> Result<Vec<RouteKey>, EnvelopeError> {
    let envelope = RawEnvelope::read(body)?;
    let object = Object::from_name(&envelope.object);
    let mut keys: Vec<RouteKey> = Vec::new();
    let mut add = |key: RouteKey| {
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    for raw in envelope.entry {
        let Ok(entry) = serde_json::from_str::<EntryIds<'_>>(raw.get()) else { continue };
        let id = entry.id.map(|id| id.0.into_owned()).filter(|id| !id.is_empty());
        match object {
            Object::WhatsApp => {
                for change in list(entry.changes) {
                    match (phone_number_id(change), &id) {
                        (Some(number), _) => add(RouteKey::PhoneNumber(number)),
                        (None, Some(account)) => add(RouteKey::BusinessAccount(account.clone())),
                        (None, None) => {}
                    }
                }
            }
            Object::Page => id.map(RouteKey::Page).into_iter().for_each(&mut add),
            Object::Instagram => id.map(RouteKey::Instagram).into_iter().for_each(&mut add),
            Object::Other(_) => {}
        }
    }
    Ok(keys)
}

#[derive(Deserialize)]
struct EntryIds<'a> {
    #[serde(borrow, default)]
    id: Option<IdText<'a>>,
    #[serde(borrow, default)]
    changes: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChangeIds<'a> {
    #[serde(borrow)]
    value: ValueIds<'a>,
}

#[derive(Deserialize)]
struct ValueIds<'a> {
    #[serde(borrow)]
    metadata: NumberIds<'a>,
}

#[derive(Deserialize)]
struct NumberIds<'a> {
    #[serde(borrow)]
    phone_number_id: IdText<'a>,
}

fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn phone_number_id(change: &RawValue) -> Option<String> {
    let ids: ChangeIds<'_> = serde_json::from_str(change.get()).ok()?;
    Some(ids.value.metadata.phone_number_id.0.into_owned()).filter(|id| !id.is_empty())
}
