//! Spans for a collector: one trace leads from a request to the call at the provider, and nothing secret goes along.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use frontdesk_sandbox::customer::NewCustomer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::hotel::{Hotel, INSTANCE, TOKEN, WEBHOOK_TOKEN};
use crate::program::{Serving, cookie_of, request};

const GUEST: &str = "6281390045512";
const PASSWORD: &str = "correct horse battery";
/// What the caller of the API is in the middle of.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector that keeps what it is given.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(HeaderMap, Bytes)>>>);

impl Collector {
    async fn open() -> (Self, String) {
        let (collector, listener) = (Self::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/v1/traces", post(keep)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (collector, url)
    }

    /// All spans, each with the name of the service it came from.
    fn spans(&self) -> Vec<(String, Span)> {
        let mut spans = Vec::new();
        for (_, body) in self.0.lock().unwrap().iter() {
            for resource in ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans {
                let attributes = resource.resource.unwrap().attributes;
                let service = attributes.iter().find(|a| a.key == "service.name").unwrap().value.clone();
                let Some(Any::StringValue(service)) = service.unwrap().value else { panic!("no name") };
                let all = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.extend(all.map(|span| (service.clone(), span)));
            }
        }
        spans
    }
}

async fn keep(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    collector.0.lock().unwrap().push((headers, body));
}

fn attribute(span: &Span, key: &str) -> Value {
    let value = span.attributes.iter().find(|a| a.key == key).and_then(|a| a.value.clone()?.value);
    match value {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::IntValue(number)) => json!(number),
        Some(other) => json!(format!("{other:?}")),
        None => Value::Null,
    }
}

fn sign_in(serving: &Serving) -> String {
    let login = json!({ "email": "ada@example.org", "password": PASSWORD }).to_string();
    cookie_of(&request(serving, "POST", "/api/v1/session", "", &login).0)
}

/// A guest writes, and is answered within the trace of a caller; returns when the guest's phone has the answer.
fn talk(serving: &Serving, hotel: &Hotel) {
    let guest: NewCustomer = serde_json::from_value(json!({ "name": "Guest", "phone": GUEST })).unwrap();
    hotel.sandbox.world().add_customer(guest).unwrap();
    let chat = format!("{GUEST}@c.us");
    let guests_words = json!({ "typeWebhook": "incomingMessageReceived",
        "instanceData": { "idInstance": INSTANCE.parse::<u64>().unwrap(), "wid": "15550100001@c.us", "typeInstance": "whatsapp" },
        "timestamp": 1_763_770_000, "idMessage": "GUEST1",
        "senderData": { "chatId": chat, "sender": chat, "chatName": "", "senderName": "Guest" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": "a secret wish" } } })
    .to_string();
    let answer = serving.exchange(&format!(
        "POST /api/v1/webhooks/green-api HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {WEBHOOK_TOKEN}\r\n\
         x-request-id: delivery-1\r\nContent-Length: {}\r\n\r\n{guests_words}",
        guests_words.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let cookie = sign_in(serving);
    let body = json!({ "inbox_id": 1, "phone": GUEST, "content": "the wish is granted" }).to_string();
    let answer = serving.exchange(&format!(
        "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
         traceparent: 00-{TRACE}-{PARENT}-01\r\nx-request-id: booking-2041\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    serving.until("the guest has the answer", || {
        let world = hotel.sandbox.world();
        world.deliveries.iter().any(|d| d.entry.text.as_deref() == Some("the wish is granted"))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_a_request_to_the_call_at_the_provider_and_tells_no_secret() {
    let (collector, url) = Collector::open().await;
    let mut hotel = Hotel::open().await;
    // Even so: what is written to the log is not exported.
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of-the-collector"),
        ("OTEL_SERVICE_NAME", "front office"),
        ("GREEN_API_ENABLE_DETAILED_LOGGING", "true"),
        ("GREEN_API_LOG_REQUEST_BODY", "true"),
        ("GREEN_API_LOG_RESPONSE_BODY", "true"),
    ] {
        hotel.place.set(name, value);
    }
    let mut serving = hotel.place.serve();
    talk(&serving, &hotel);
    serving.stop();

    let spans = collector.spans();
    assert!(spans.iter().all(|(service, _)| service == "front office"));
    let find = |name: &str, key: &str, value: Value| {
        let found = spans.iter().find(|(_, span)| span.name == name && attribute(span, key) == value);
        found.unwrap_or_else(|| panic!("no {name} with {key} {value} in {spans:#?}")).1.clone()
    };
    let webhook = find("request", "route", json!("/api/v1/webhooks/green-api"));
    assert_eq!(attribute(&webhook, "request.id"), "delivery-1");
    assert_eq!(attribute(&webhook, "status"), "200");
    assert!(webhook.parent_span_id.is_empty() && hex::encode(&webhook.trace_id) != TRACE);

    let asked = find("request", "route", json!("/api/v1/messages"));
    assert_eq!(
        (hex::encode(&asked.trace_id).as_str(), hex::encode(&asked.parent_span_id).as_str()),
        (TRACE, PARENT)
    );
    let send = find("send", "request.id", json!("booking-2041"));
    assert_eq!(
        (&send.trace_id, &send.parent_span_id),
        (&asked.trace_id, &asked.span_id),
        "through the queue"
    );
    let call = find("call", "operation", json!("sendMessage"));
    assert_eq!((&call.trace_id, &call.parent_span_id), (&asked.trace_id, &send.span_id));
    assert_eq!((attribute(&call, "outcome"), attribute(&call, "status")), (json!("ok"), json!("200")));

    for (headers, body) in collector.0.lock().unwrap().iter() {
        assert_eq!(headers["api-key"], "of-the-collector");
        let text = String::from_utf8_lossy(body);
        for secret in [TOKEN, WEBHOOK_TOKEN, GUEST, PASSWORD, "wish", "of-the-collector", "frontdesk_session"]
        {
            assert!(!text.contains(secret), "{secret} left");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_dead_or_hangs_breaks_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = format!("http://{}", silent.local_addr().unwrap());
    for (endpoint, is_told) in [("http://127.0.0.1:1", true), (&hanging, false)] {
        let mut hotel = Hotel::open().await;
        hotel.place.set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        let mut serving = hotel.place.serve();
        talk(&serving, &hotel);
        if is_told {
            serving.wait_for_log("The collector does not take traces");
        }
        let asked_to_end = Instant::now();
        serving.stop();
        assert!(asked_to_end.elapsed().as_secs() < 15, "{endpoint} held the program up");
    }
}
