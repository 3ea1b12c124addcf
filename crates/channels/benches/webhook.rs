//! What every webhook costs before anything is stored: is it genuine, and what does it say.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_channels::contract::{Door, DoorKeys, DoorSecret, WebhookRequest};
use frontdesk_channels::registry;
use frontdesk_meta_graph_client::SIGNATURE_HEADER;
use frontdesk_meta_graph_client::signature::sign;
use frontdesk_model::Timestamp;

const BODY: &str = include_str!("../../clients/meta-graph-client/fixtures/whatsapp/01_text.json");
const SECRET: &str = "bench-app-secret";

fn door() -> &'static dyn Door {
    registry::doors().into_iter().find(|door| door.path() == "/api/webhooks/messages").unwrap()
}

fn keys() -> DoorKeys {
    let secret = DoorSecret::of_server(SECRET);
    DoorKeys { secrets: vec![secret], ..DoorKeys::default() }
}

fn webhook(criterion: &mut Criterion) {
    let (door, keys) = (door(), keys());
    let value: serde_json::Value = serde_json::from_str(BODY).unwrap();
    let body = Bytes::from(value.to_string());
    let headers = [(SIGNATURE_HEADER.to_owned(), sign(&body, &SECRET.to_owned().into()))];
    let request = WebhookRequest { headers: &headers, body: &body, now: Timestamp::default() };
    door.verify(&request, &keys).unwrap();
    criterion.bench_function("webhook/signature", |b| b.iter(|| door.verify(black_box(&request), &keys)));
    criterion.bench_function("webhook/whatsapp text", |b| b.iter(|| door.parse(black_box(&body))));
}

criterion_group!(benches, webhook);
criterion_main!(benches);
