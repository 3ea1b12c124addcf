//! Every body becomes the events of its snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_whatsapp_gateway_client::signature::signature;

use super::door::GatewayDoor;
use crate::contract::{Door, DoorKeys, DoorSecret, Refusal, RoutedEvent, VerifiedBy, WebhookRequest};

/// The bodies of the client, and those kept here.
fn folders() -> [PathBuf; 2] {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    [here.join("../clients/whatsapp-gateway-client/fixtures"), here.join("src/whatsapp_gateway/fixtures")]
}

fn bodies() -> Vec<(String, Vec<u8>)> {
    let files = folders().into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut bodies: Vec<(String, Vec<u8>)> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    bodies.sort();
    bodies
}

fn events(body: &[u8]) -> Vec<RoutedEvent> {
    GatewayDoor.parse(body).unwrap()
}

#[test]
fn every_body_becomes_the_events_of_its_snapshot() {
    let bodies = bodies();
    assert!(bodies.len() >= 35, "{}", bodies.len());
    for (name, body) in &bodies {
        insta::assert_debug_snapshot!(name.as_str(), events(body));
    }
}

const NOW: i64 = 1_760_000_000;
const BODY: &str = r#"{"event":"typing","data":{"sessionId":"cs-1","from":"6282119499306","isTyping":true}}"#;

fn keys() -> DoorKeys {
    let of = |secret: &str, id, route: &str| DoorSecret::of_inbox(secret, InboxId(id), route);
    DoorKeys {
        secrets: vec![
            of("shared", 1, "cs-1@a"),
            of("shared", 2, "cs-2@a"),
            of("whsec_AAECAwQFBgc=", 3, "cs-1@b"),
        ],
        ..DoorKeys::default()
    }
}

fn verify(headers: &[(&str, &str)], body: &str) -> Result<VerifiedBy, Refusal> {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = Bytes::from(body.to_owned());
    let request = WebhookRequest { headers: &headers, body: &body, now: Timestamp::from_secs(NOW) };
    GatewayDoor.verify(&request, &keys())
}

fn signed(secret: &str, at: i64, body: &str) -> Result<VerifiedBy, Refusal> {
    let at = at.to_string();
    let signature = signature("msg_1", &at, body.as_bytes(), &secret.into()).unwrap();
    verify(&[("webhook-id", "msg_1"), ("webhook-timestamp", &at), ("webhook-signature", &signature)], body)
}

#[test]
fn the_secret_says_for_which_inbox_a_webhook_is() {
    assert_eq!(signed("whsec_AAECAwQFBgc=", NOW, BODY), Ok(VerifiedBy::Inbox(InboxId(3))));
    assert_eq!(signed("shared", NOW, BODY), Ok(VerifiedBy::Inbox(InboxId(1))));
    let other = BODY.replace("cs-1", "cs-2");
    assert_eq!(
        signed("shared", NOW, &other),
        Ok(VerifiedBy::Inbox(InboxId(2))),
        "two inboxes have this secret"
    );
    assert_eq!(verify(&[("authorization", "Bearer shared")], BODY), Ok(VerifiedBy::Inbox(InboxId(1))));
}

#[test]
fn what_is_stale_forged_or_said_twice_is_refused() {
    assert_eq!(signed("shared", NOW - 301, BODY), Err(Refusal::BadSignature));
    assert_eq!(signed("shared", NOW + 301, BODY), Err(Refusal::BadSignature));
    assert_eq!(signed("nobody's", NOW, BODY), Err(Refusal::BadSignature));
    assert_eq!(verify(&[], BODY), Err(Refusal::BadSignature));
    assert_eq!(verify(&[("authorization", "Bearer nobody's")], BODY), Err(Refusal::BadToken));
    assert_eq!(
        verify(&[("authorization", "Bearer shared"), ("authorization", "Bearer shared")], BODY),
        Err(Refusal::BadToken)
    );
    // A wrong signature is not made good by a token.
    let both = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1760000000"),
        ("webhook-signature", "v1,AAAA"),
        ("authorization", "Bearer shared"),
    ];
    assert_eq!(verify(&both, BODY), Err(Refusal::BadSignature));
}
