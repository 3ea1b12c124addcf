use bytes::Bytes;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, fixtures, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::size;
use futures_util::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// A place in a body, as JSON pointers name it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| places(item, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

fn pick<T: Clone>(dice: &mut StdRng, items: &[T]) -> T {
    items[dice.random_range(0..items.len())].clone()
}

/// Something that stands where it does not belong.
fn strange(dice: &mut StdRng) -> Value {
    let long = "x".repeat(20_000);
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e308),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1),
        json!(""),
        json!("\u{0}"),
        json!("null"),
        json!("99999999999999999999"),
        json!("💥"),
        json!(long),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!({ "": "" }),
        json!([{}, {}]),
        json!({ "id": {} }),
    ];
    pick(dice, &values)
}

/// One recorded body, spoiled in one of many ways.
fn spoiled(dice: &mut StdRng, bodies: &[Value]) -> Vec<u8> {
    let mut body = pick(dice, bodies);
    let mut all = Vec::new();
    places(&body, "", &mut all);
    let place = pick(dice, &all[1..]);
    let text = body.to_string();
    match dice.random_range(0..14) {
        0 => text.as_bytes()[..dice.random_range(0..text.len())].to_vec(),
        1 => {
            let mut bytes = text.into_bytes();
            for _ in 0..dice.random_range(1..8) {
                let at = dice.random_range(0..bytes.len());
                bytes[at] ^= 1 << dice.random_range(0..8);
            }
            bytes
        }
        2 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        3 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        4 => text
            .replacen(":\"", pick(dice, &[":NaN,\"", ":Infinity,\"", ":-0x1,\"", ":01,\"", ":1e999,\""]), 1)
            .into(),
        5 => {
            *body.pointer_mut(&place).unwrap() = json!("DEEP");
            let (open, close) = pick(dice, &[("[", "]"), ("{\"a\":", "}")]);
            let depth = 10_000;
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            body.to_string().replace("\"DEEP\"", &deep).into()
        }
        6 => {
            // The same key twice, with different values.
            let (key, _) =
                text.split_once("\":").map_or(("", ""), |(k, v)| (k.rsplit('"').next().unwrap(), v));
            text.replacen(&format!("\"{key}\":"), &format!("\"{key}\":7,\"{key}\":"), 1).into()
        }
        7 => text
            .replace("\"text\"", pick(dice, &["\"\\ud800\"", "\"\\u0000\"", "\"\u{1}\"", "'text'"]))
            .into(),
        8 => {
            // A list where one thing was, and one thing where a list was.
            let value = body.pointer_mut(&place).unwrap();
            *value = if let Value::Array(items) = value {
                items.pop().unwrap_or(Value::Null)
            } else {
                json!([value])
            };
            body.to_string().into()
        }
        9 => {
            let (parent, name) = place.rsplit_once('/').unwrap();
            match body.pointer_mut(parent) {
                Some(Value::Object(fields)) => drop(fields.remove(name)),
                Some(Value::Array(items)) => items.clear(),
                _ => {}
            }
            body.to_string().into()
        }
        10 => text.replace(':', ":\n\t ").into(),
        _ => {
            *body.pointer_mut(&place).unwrap() = strange(dice);
            body.to_string().into()
        }
    }
}

async fn deliver_spoiled(server: &TestServer, bodies: Vec<Vec<u8>>) {
    let sent = stream::iter(bodies).map(async |body| {
        let answer = server.webhook(Bytes::from(body.clone())).send().await;
        match answer.status {
            200 => assert!(answer.body.is_empty()),
            422 => drop(answer.refused(422, "VALIDATION_ERROR")),
            status => panic!("{status}: {}", String::from_utf8_lossy(&body[..body.len().min(4000)])),
        }
    });
    sent.buffer_unordered(16).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn spoiled_bodies_make_no_5xx_and_none_fails() {
    let recorded: Vec<Value> = fixtures().iter().map(|f| serde_json::from_slice(&f.body).unwrap()).collect();
    let mut dice = StdRng::seed_from_u64(20_261_121);
    let bodies: Vec<Vec<u8>> = (0..size::pick(200, 10_000)).map(|_| spoiled(&mut dice, &recorded)).collect();
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        deliver_spoiled(&server, bodies.clone()).await;
        let failed = server.database.number("SELECT COUNT(*) FROM webhook_logs WHERE state = 'failed'").await;
        assert_eq!(failed, 0, "{}", server.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_whole_in_a_broken_batch_is_kept() {
    let mut dice = StdRng::seed_from_u64(7);
    let sari = Person::named("6281390045512", "Sari");
    let mut bodies = Vec::new();
    for n in 0..size::pick(80, 400) {
        let good = bodies::text(NUMBER, sari, &format!("wamid.good.{n}"), 1_793_260_000 + n, "whole");
        let spoil = |dice: &mut StdRng, body: &mut Value, under: &str| {
            let mut all = Vec::new();
            places(body.pointer(under).unwrap(), under, &mut all);
            let place = pick(dice, &all);
            *body.pointer_mut(&place).unwrap() = strange(dice);
        };
        let mut body = good.clone();
        match dice.random_range(0..3) {
            // A broken message beside a whole one, before or after it.
            0 => {
                let first = dice.random_range(0..2);
                let messages = body.pointer_mut("/entry/0/changes/0/value/messages").unwrap();
                messages.as_array_mut().unwrap().insert(
                    first,
                    json!({ "from": "4711", "id": "wamid.bad",
                    "timestamp": "1793260000", "type": "text", "text": { "body": "bad" } }),
                );
                spoil(&mut dice, &mut body, &format!("/entry/0/changes/0/value/messages/{first}"));
            }
            // A broken change beside a whole one.
            1 => {
                let broken = good["entry"][0]["changes"][0].clone();
                body["entry"][0]["changes"].as_array_mut().unwrap().insert(0, broken);
                body["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = json!("wamid.bad");
                spoil(&mut dice, &mut body, "/entry/0/changes/0");
            }
            // A broken entry beside a whole one.
            _ => {
                let broken = good["entry"][0].clone();
                body["entry"].as_array_mut().unwrap().insert(0, broken);
                body["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = json!("wamid.bad");
                spoil(&mut dice, &mut body, "/entry/0");
            }
        }
        bodies.push(body.to_string().into_bytes());
    }
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        deliver_spoiled(&server, bodies.clone()).await;
        let kept = "SELECT COUNT(*) FROM messages WHERE remote_id LIKE 'wamid.good.%'";
        assert_eq!(server.database.number(kept).await, size::pick(80, 400), "{}", server.database.kind);
    }
}
