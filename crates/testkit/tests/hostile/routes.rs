use frontdesk_http::openapi::Endpoint;
use frontdesk_http::router;
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::call::Answer;
use frontdesk_testkit::meta::{fixtures, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::size;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

const IDS: [&str; 18] = [
    "1",
    "2",
    "0",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e3",
    "0x1",
    "1.0",
    "%00",
    "%ff",
    "%F0%9F%92%A5",
    "%2e%2e",
    "%2F",
    "null",
    "'%20OR%201=1--",
    "1;DROP%20TABLE%20messages",
];
const NAMES: [&str; 40] = [
    "status",
    "platform",
    "unread",
    "q",
    "page",
    "per_page",
    "cursor",
    "limit",
    "before",
    "inbox_id",
    "state",
    "content",
    "client_key",
    "last_seen_message_id",
    "force",
    "reply_to_message_id",
    "attachments",
    "type",
    "template",
    "location",
    "contacts",
    "interactive",
    "reaction",
    "outcome",
    "starred",
    "assignee_id",
    "labels",
    "name",
    "email",
    "role",
    "channel",
    "settings",
    "abilities",
    "expires_at",
    "enabled",
    "after",
    "account",
    "expires",
    "signature",
    "x",
];
const WORDS: [&str; 22] = [
    "active",
    "closed",
    "whatsapp",
    "true",
    "1",
    "0",
    "-1",
    "text",
    "template",
    "sent",
    "all",
    "",
    " ",
    "\u{0}",
    "💥",
    "' OR 1=1 --",
    "\"*\" NEAR(a b)",
    "a:b AND NOT (c*) ^d",
    "%_\\",
    "9223372036854775807",
    "1e400",
    "\u{202e}\u{feff}",
];

fn pick(dice: &mut StdRng, items: &[&'static str]) -> &'static str {
    items[dice.random_range(0..items.len())]
}

fn value(dice: &mut StdRng, depth: usize) -> Value {
    match dice.random_range(0..if depth == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => json!(dice.random::<bool>()),
        2 => json!(dice.random_range(-3..4)),
        3 => json!(dice.random::<i64>()),
        4 => json!(dice.random::<f64>() * 1e300),
        5 => json!("long ".repeat(dice.random_range(0..2000))),
        6 => json!(pick(dice, &WORDS)),
        7 => (0..dice.random_range(0..5)).map(|_| value(dice, depth - 1)).collect(),
        _ => Value::Object(object(dice, depth - 1)),
    }
}

fn object(dice: &mut StdRng, depth: usize) -> Map<String, Value> {
    (0..dice.random_range(0..7)).map(|_| (pick(dice, &NAMES).to_owned(), value(dice, depth))).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02x}")).collect()
}

fn address(dice: &mut StdRng, endpoint: &Endpoint) -> String {
    // The first user and inbox are whom the requests are made by and for.
    let ids =
        if endpoint.path.contains("/users/") || endpoint.method == "DELETE" { &IDS[1..] } else { &IDS[..] };
    let parts: Vec<&str> = endpoint
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { pick(dice, ids) } else { part })
        .collect();
    let query: Vec<String> = (0..dice.random_range(0..4))
        .map(|_| format!("{}={}", pick(dice, &NAMES), encoded(pick(dice, &WORDS))))
        .collect();
    let raw = pick(dice, &["", "", "", "&%", "&=", "&a=%ff%fe", "&&&", "&page[]=1", "&q=%F0%28"]);
    format!("{}?{}{raw}", parts.join("/"), query.join("&"))
}

fn body(dice: &mut StdRng) -> Vec<u8> {
    match dice.random_range(0..10) {
        0 => Vec::new(),
        1 => (0..dice.random_range(0..200)).map(|_| dice.random::<u8>()).collect(),
        2 => format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)).into(),
        3 => format!("{}1{}", "{\"content\":".repeat(5000), "}".repeat(5000)).into(),
        4 => b"{\"content\":\"\\ud800\",\"name\":\"a\\u0000\"}".to_vec(),
        _ => Value::Object(object(dice, 3)).to_string().into(),
    }
}

#[track_caller]
fn check(answer: &Answer, what: &str) {
    let status = answer.status;
    assert!(status < 500, "{what}: {status} {}", answer.text());
    if status >= 400 {
        assert_eq!(answer.header("content-type"), "application/json", "{what}: {}", answer.text());
        let json = answer.json();
        assert!(
            json["error"].is_string() && json["code"].is_string() && json["details"].is_object(),
            "{what}: {json}"
        );
        assert_eq!(json["code"] == "VALIDATION_ERROR", json["errors"].is_object(), "{what}: {json}");
    }
}

#[tokio::test]
async fn no_request_to_any_route_makes_a_5xx() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        for fixture in fixtures() {
            server.deliver(fixture.body).await;
        }
        let admin = server.user("admin@example.org", Role::Admin).await;
        let mut dice = StdRng::seed_from_u64(11);
        let mut lets_in = 0;
        for endpoint in router::endpoints() {
            if endpoint.path == "/readyz" {
                continue; // says 503 when it is right to
            }
            let token = server.token(&admin, &[Ability::All]).await;
            for _ in 0..size::pick(10, 100) {
                let path = address(&mut dice, &endpoint);
                let kind = pick(
                    &mut dice,
                    &[
                        "application/json",
                        "application/json",
                        "application/json; charset=x",
                        "multipart/form-data; boundary=x",
                        "multipart/form-data",
                        "text/plain",
                        "\u{e9}",
                        "",
                    ],
                );
                let sent = body(&mut dice);
                let what = format!(
                    "{} {path} {}",
                    endpoint.method,
                    String::from_utf8_lossy(&sent[..sent.len().min(3000)])
                );
                let mut call = server.call(&endpoint.method, &path).header("content-type", kind).body(sent);
                call = match dice.random_range(0..12) {
                    0 => call.header("authorization", b"Bearer \xff"),
                    1 => call.bearer("1|x").header("cookie", "frontdesk_session=;;=;\u{e9}"),
                    2 => call
                        .bearer(&token)
                        .header("idempotency-key", pick(&mut dice, &WORDS).replace('\0', "")),
                    3 => call.bearer(&token).header("range", "bytes=9-1").header("if-none-match", "\""),
                    4 => call
                        .bearer(&token)
                        .header("origin", "null")
                        .header("x-forwarded-for", "nobody, 1::1::1"),
                    _ => call.bearer(&token),
                };
                let answer = call.send().await;
                check(&answer, &what);
                lets_in += usize::from(answer.status < 300);
            }
        }
        assert!(
            lets_in > size::pick(50, 500),
            "{lets_in}: most requests must get beyond the door for this to say anything"
        );
    }
}

#[tokio::test]
async fn no_address_makes_a_5xx() {
    for server in TestServer::on_all(settings()).await {
        let long = "a".repeat(20_000);
        for path in [
            "/%00",
            "/%ff",
            "//",
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/media",
            "/media/1",
            "/media/%ff/x",
            "/media/1/%ff?account=1&expires=1&signature=x",
            "/media/1/x",
            "/media/1/x?account=a&expires=b&signature=",
            "/media/99999999999999999999/x?account=1&expires=1&signature=aa",
            "/api/docs/%ff",
            "/api/docs/../x",
            "/api/openapi.json?x",
            "/admin",
            "/admin/inbox/%ff/messages",
            "/assets/%00.js",
            "/?%ff",
        ] {
            for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "BREW"] {
                let status = server.call(method, path).send().await.status;
                assert!(status < 500, "{method} {path}: {status}");
            }
        }
        let status = server.get(&format!("/{long}?{long}")).send().await.status;
        assert!(status < 500);
        for path in [
            "/media/%ff/x?account=1&expires=1&signature=x",
            "/media/1/x",
            "/media/1/x?account=1&expires=1&signature=x",
        ] {
            check(&server.get(path).send().await, path);
        }
    }
}
