//! What people note about a contact in fields of their own, beside what other programs know of it.

use frontdesk_model::{AccountId, ContactId, Timestamp};
use frontdesk_store::contacts::other_side;
use frontdesk_store::{StoreError, Tx};
use serde_json::{Map, Value};

use crate::sync::is_of_chatwoot;

/// Fields of one contact, those of other programs among them.
const MAX_FIELDS: usize = 50;
const MAX_NAME: usize = 40;
const MAX_TEXT: usize = 500;

/// One sentence for each change that cannot be made, by the field of the form.
pub(crate) fn check(changes: &Map<String, Value>) -> Vec<(String, String)> {
    let problem = |(name, value): (&String, &Value)| {
        let is_name = (1..=MAX_NAME).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let is_value = match value {
            Value::String(text) => text.chars().count() <= MAX_TEXT,
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
            Value::Array(_) | Value::Object(_) => false,
        };
        let sentence = match (is_name, is_value) {
            (false, _) => format!("A field's name has 1 to {MAX_NAME} of a-z, 0-9 and _."),
            (true, false) => {
                format!("A field is a text of at most {MAX_TEXT} characters, a number, true or false.")
            }
            // What another program calls a contact is that program's to say.
            (true, true) if is_of_chatwoot(name) => {
                "This field is Chatwoot's and cannot be changed here.".to_owned()
            }
            (true, true) => return None,
        };
        let shown: String = name.chars().take(MAX_NAME).collect();
        Some((format!("custom_fields.{shown}"), sentence))
    };
    changes.iter().filter_map(problem).collect()
}

/// Sets fields of a contact, and takes away those that are null.
///
/// # Errors
///
/// A sentence when there would be too many; nothing was written then.
pub(crate) fn set(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    changes: &Map<String, Value>,
    now: Timestamp,
) -> Result<Result<(), String>, StoreError> {
    let known = other_side::details_many(tx, account, [contact])?.remove(&contact);
    let before = known.unwrap_or_default().custom_fields;
    let mut fields = before.clone();
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    if fields.len() > MAX_FIELDS && fields.len() > before.len() {
        return Ok(Err(format!("A contact may have {MAX_FIELDS} fields.")));
    }
    if fields != before {
        other_side::set_custom_fields(tx, account, contact, &fields, now)?;
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_values_that_cannot_be_kept_are_named() {
        let wrong = |changes: Value| check(changes.as_object().unwrap()).len();
        assert_eq!(wrong(json!({ "city": "Recife", "age": 41, "vip": true, "gone": null })), 0);
        for change in [
            json!({ "": "x" }),
            json!({ "City": "x" }),
            json!({ "a b": "x" }),
            json!({ "n".repeat(41): "x" }),
            json!({ "city": "x".repeat(501) }),
            json!({ "city": ["x"] }),
            json!({ "city": {} }),
            json!({ "chatwoot_id": 7 }),
            json!({ "chatwoot_identifier": null }),
        ] {
            assert_eq!(wrong(change.clone()), 1, "{change}");
        }
    }
}
