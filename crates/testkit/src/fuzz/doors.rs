//! Webhooks: who sent them, and what is in them.

use bytes::Bytes;
use frontdesk_channels::contract::{DoorKeys, DoorSecret, WebhookRequest};
use frontdesk_channels::registry::doors;
use frontdesk_model::Timestamp;

use super::line;
use crate::meta::{APP_SECRET, BEARER, DOOR, VERIFY_TOKEN, sign};

/// A body gives events or an error, the same ones each time, and no more text than it has reason to.
pub fn webhook(body: &[u8]) {
    for door in doors() {
        let read = door.parse(body);
        assert_eq!(read, door.parse(body), "reading is pure");
        let Ok(events) = read else { continue };
        assert!(events.len() <= body.len(), "{} events of {} bytes", events.len(), body.len());
        let shown: usize = events.iter().map(|event| format!("{event:?}").len()).sum();
        // A character may be shown as ten; each event names the fields it does not have.
        let most = 64 * body.len() + 4_000 * events.len();
        assert!(shown <= most, "{shown} bytes of events of {} bytes", body.len());
    }
}

fn keys() -> DoorKeys {
    DoorKeys {
        secrets: vec![DoorSecret::of_server(""), DoorSecret::of_server(APP_SECRET)],
        verify_tokens: vec![String::new(), VERIFY_TOKEN.to_owned()],
        bearer: Some(BEARER.to_owned()),
        ..DoorKeys::default()
    }
}

/// First line: the signature; second: the authorization; then the body. Only the one signature of the body is taken;
/// without a signature only the relay's token.
pub fn signature(bytes: &[u8]) {
    let (signature, rest) = line(bytes);
    let (authorization, body) = line(rest);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (signature, authorization, body) =
        (text(signature), text(authorization), Bytes::copy_from_slice(body));
    let mut headers = Vec::new();
    if !signature.is_empty() {
        headers.push(("x-hub-signature-256".to_owned(), signature.clone()));
    }
    if !authorization.is_empty() {
        headers.push(("authorization".to_owned(), authorization.clone()));
    }
    for door in doors().into_iter().filter(|door| door.path() == DOOR) {
        let taken = door
            .verify(&WebhookRequest { headers: &headers, body: &body, now: Timestamp::default() }, &keys())
            .is_ok();
        if signature.is_empty() {
            let token = authorization.split_once(' ').map(|(_, token)| token);
            assert!(!taken || token == Some(BEARER), "{authorization:?}");
        } else {
            assert_eq!(taken, signature == sign(&body, APP_SECRET), "{signature:?}");
        }
        // The right signature is taken whatever the body, and of no other body or spelling.
        let right = sign(&body, APP_SECRET);
        let check = |value: String, body: &Bytes| {
            let headers = [("x-hub-signature-256".to_owned(), value)];
            door.verify(&WebhookRequest { headers: &headers, body, now: Timestamp::default() }, &keys())
                .is_ok()
        };
        assert!(check(right.clone(), &body));
        let longer = Bytes::from([&body[..], b" "].concat());
        assert!(!check(right.clone(), &longer));
        assert!(!check(format!("{right}{signature} "), &body));
        assert!(!check(sign(&body, ""), &body), "an empty secret signs nothing");
    }
}

/// The set-up question as a query: answered only for who knows the token, and with what was asked.
pub fn challenge(bytes: &[u8]) {
    let query: Vec<(String, String)> = url::form_urlencoded::parse(bytes).into_owned().collect();
    for door in doors() {
        let Ok(answer) = door.challenge(&query, &keys()) else { continue };
        let has = |name: &str, value: &str| query.iter().any(|(n, v)| n == name && v == value);
        assert!(has("hub.verify_token", VERIFY_TOKEN) && has("hub.challenge", &answer), "{query:?}");
        assert!((1..=256).contains(&answer.len()));
    }
}
