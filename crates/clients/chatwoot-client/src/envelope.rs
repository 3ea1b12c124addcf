//! One unwrap for the five shapes that Chatwoot puts its answers in.
//!
//! | shape | where |
//! |---|---|
//! | the thing itself | conversations, messages, inboxes, accounts |
//! | a bare list | agents, teams, canned responses |
//! | `{meta, payload: […]}` | contacts, messages, filters, inboxes, labels |
//! | `{payload: {contact \| webhook \| webhooks: …}}`, `{payload: {…}}` | contacts, webhooks, status |
//! | `{data: {meta, payload: […]}}` | lists of conversations |

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::ChatwootError;

/// Names below `payload` that hold the thing.
const WITHIN_PAYLOAD: [&str; 3] = ["contact", "webhook", "webhooks"];

/// Values that no answer and no event may carry on: credentials of channels, sessions and people.
const SECRETS: [&str; 16] = [
    "access_token",
    "api_access_token",
    "api_key",
    "api_secret",
    "auth_token",
    "bot_token",
    "hmac_token",
    "imap_password",
    "page_access_token",
    "password",
    "provider_config",
    "pubsub_token",
    "refresh_token",
    "smtp_password",
    "user_access_token",
    "website_token",
];

/// What an answer holds, whatever it came in: `data` and `meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrapped {
    /// The thing or the list.
    pub data: Value,
    /// Counts, pages; empty where there are none.
    pub meta: Map<String, Value>,
}

/// Takes a thing or a list out of whichever envelope it came in, and secrets out of it.
pub fn unwrap(mut answer: Value) -> Unwrapped {
    strip_secrets(&mut answer);
    let take = |value: &mut Value, name: &str| match value {
        Value::Object(fields) => fields.remove(name),
        _ => None,
    };
    let mut body = answer;
    // `data` is an envelope only around a payload, or around nothing else than itself.
    let inner = body.get("data");
    let is_envelope = inner.is_some_and(|inner| inner.get("payload").is_some() || body.get("id").is_none());
    if is_envelope && let Some(inner) = take(&mut body, "data") {
        body = inner;
    }
    let has_payload = body.get("payload").is_some_and(|payload| payload.is_object() || payload.is_array());
    if !has_payload {
        return Unwrapped { data: body, meta: Map::new() };
    }
    let meta = match take(&mut body, "meta") {
        Some(Value::Object(meta)) => meta,
        _ => Map::new(),
    };
    let mut data = take(&mut body, "payload").unwrap_or_default();
    for name in WITHIN_PAYLOAD {
        if data.get(name).is_some_and(|inner| inner.is_object() || inner.is_array())
            && data.get("id").is_none()
        {
            data = take(&mut data, name).unwrap_or_default();
            break;
        }
    }
    Unwrapped { data, meta }
}

/// Removes credentials wherever they stand.
pub fn strip_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !SECRETS.contains(&name.as_str()));
            fields.values_mut().for_each(strip_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_secrets),
        _ => {}
    }
}

/// A list with what stood beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items that could be read.
    pub data: Vec<T>,
    /// Counts and the number of the page, as Chatwoot gives them.
    pub meta: Map<String, Value>,
    /// Items that could not be read and were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl<T> Page<T> {
    /// A count beside the list, as `count` or `all_count`.
    pub fn count(&self, name: &str) -> Option<i64> {
        crate::tolerant::integer(self.meta.get(name)?)
    }
}

/// Reads one thing.
///
/// Errors: `BAD_GATEWAY` when it is not what Chatwoot's documentation says.
pub fn one<T: DeserializeOwned>(answer: Value) -> Result<T, ChatwootError> {
    serde_json::from_value(unwrap(answer).data).map_err(|error| ChatwootError::unreadable(&error))
}

/// Reads a list; an item that cannot be read costs none of the others.
///
/// Errors: `BAD_GATEWAY` when it is no list.
pub fn many<T: DeserializeOwned>(answer: Value) -> Result<Page<T>, ChatwootError> {
    let Unwrapped { data, meta } = unwrap(answer);
    let Value::Array(items) = data else {
        return Err(ChatwootError::unexpected("a list was expected"));
    };
    let all = items.len();
    let data: Vec<T> = items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect();
    let unreadable = all - data.len();
    Ok(Page { data, meta, unreadable })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_five_shapes_hold_the_same() {
        let thing = json!({"id": 7, "name": "Ana"});
        for answer in [
            thing.clone(),
            json!({"payload": {"contact": thing, "contact_inbox": {"source_id": "x"}}}),
            json!({"payload": {"webhook": thing}}),
            json!({"payload": thing}),
            json!({"data": thing}),
        ] {
            assert_eq!(unwrap(answer.clone()).data, thing, "{answer}");
        }
        let list = json!([thing]);
        for answer in [
            list.clone(),
            json!({"payload": list}),
            json!({"payload": {"webhooks": list}}),
            json!({"meta": {"count": 1}, "payload": list}),
            json!({"data": {"meta": {"count": 1}, "payload": list}}),
        ] {
            assert_eq!(unwrap(answer.clone()).data, list, "{answer}");
        }
        let meta = unwrap(json!({"data": {"meta": {"all_count": 3}, "payload": []}})).meta;
        assert_eq!(meta["all_count"], 3);
    }

    #[test]
    fn a_field_named_like_an_envelope_is_no_envelope() {
        let contact = json!({"id": 7, "data": {"crm": 1}});
        assert_eq!(unwrap(contact.clone()).data, contact);
        let message = json!({"id": 7, "payload": "opaque"});
        assert_eq!(unwrap(message.clone()).data, message);
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_are() {
        let answer =
            json!({"payload": [{"id": 1, "contact_inbox": {"pubsub_token": "s", "source_id": "x"}}]});
        assert_eq!(unwrap(answer).data, json!([{"id": 1, "contact_inbox": {"source_id": "x"}}]));
    }

    #[test]
    fn an_unreadable_item_costs_no_other() {
        let page: Page<crate::Contact> = many(json!({"payload": [{"id": 1}, 7, {"id": "2"}]})).unwrap();
        let ids: Vec<i64> = page.data.iter().map(|contact| contact.id).collect();
        assert_eq!((ids, page.unreadable), (vec![1, 2], 1));
        assert!(many::<crate::Contact>(json!({"error": "x"})).is_err());
    }
}
