use std::collections::BTreeMap;

use frontdesk_channels::registry;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{Fixture, fixtures, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::snapshot;
use serde_json::{Value, json};

/// The events of a body with the channel and the route they are for.
fn events(fixture: &Fixture) -> Vec<(&'static str, String, InboundEvent)> {
    let door = registry::doors()[0];
    let events = door.parse(&fixture.body).unwrap();
    events.into_iter().map(|routed| (routed.channel, routed.route, routed.event)).collect()
}

/// Every message the API shows, by the name of its inbox and the provider's id.
async fn by_remote_id(server: &TestServer, token: &str) -> BTreeMap<(String, String), Value> {
    let mut found = BTreeMap::new();
    for conversation in snapshot::conversations(server, token).await {
        let inbox = conversation["inbox"]["name"].as_str().unwrap().to_owned();
        let id = conversation["id"].as_i64().unwrap();
        for message in snapshot::messages(server, token, id).await {
            let remote = message["platform_message_id"].as_str().unwrap().to_owned();
            assert!(found.insert((inbox.clone(), remote), message).is_none());
        }
    }
    found
}

#[tokio::test]
async fn every_recorded_body_is_shown_as_it_was_meant() {
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), 40);
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        for fixture in &fixtures {
            server.deliver(fixture.body.clone()).await;
        }
        let state = snapshot::of_account(&server, &admin).await;
        insta::assert_snapshot!("recorded_bodies", serde_json::to_string_pretty(&state).unwrap());
        let unapplied =
            server.database.number("SELECT COUNT(*) FROM webhook_logs WHERE state <> 'applied'").await;
        assert_eq!(unapplied, 0, "{}", server.database.kind);
    }
}

#[tokio::test]
async fn no_event_of_the_recorded_bodies_is_dropped_silently() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let mut notices = 0;
        let mut read = Vec::new();
        for fixture in fixtures() {
            server.deliver(fixture.body.clone()).await;
            read.extend(events(&fixture).into_iter().map(|event| (fixture.name.clone(), event)));
        }
        let shown = by_remote_id(&server, &admin).await;
        for (name, (channel, route, event)) in &read {
            let find = |id: &str| shown.get(&(format!("{channel} {route}"), id.to_owned()));
            match event {
                InboundEvent::Message(m) => {
                    let row = find(m.remote_id.as_str()).unwrap_or_else(|| panic!("{name}: {}", m.remote_id));
                    assert_eq!(row["kind"], json!(m.content.kind), "{name}");
                    let direction = if m.echo.is_some() { "outbound" } else { "inbound" };
                    assert_eq!(row["direction"], direction, "{name}");
                    assert_eq!(row["created_at"], json!(m.sent_at), "{name}");
                    if row["deleted_at"].is_null() && row["edited_at"].is_null() {
                        assert_eq!(row["content"], json!(m.content.text), "{name}");
                        assert_eq!(row["payload"], json!(m.content.payload), "{name}");
                    }
                }
                InboundEvent::IdentityChange(c) => {
                    assert_eq!(find(c.remote_id.as_str()).unwrap()["kind"], "system", "{name}");
                }
                InboundEvent::Notice(_) => notices += 1,
                _ => {} // about a message: see the next test
            }
        }
        assert!(notices > 0);
        let audited =
            server.database.number("SELECT COUNT(*) FROM audit_entries WHERE action = 'inbox.notice'").await;
        assert!(audited >= notices, "{audited} of {notices}");
    }
}

#[tokio::test]
async fn news_about_a_message_waits_until_the_message_comes() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let mut news: Vec<(&'static str, String, InboundEvent)> = Vec::new();
        for fixture in fixtures() {
            server.deliver(fixture.body.clone()).await;
            news.extend(events(&fixture));
        }
        let before = by_remote_id(&server, &admin).await;
        let mut waiting: BTreeMap<(&str, String, String), Vec<&InboundEvent>> = BTreeMap::new();
        for (channel, route, event) in &news {
            let target = match event {
                InboundEvent::Status(s) => &s.remote_id,
                InboundEvent::Reaction(r) => &r.target,
                InboundEvent::Edit(e) => &e.target,
                InboundEvent::Delete(d) => &d.target,
                _ => continue,
            };
            if !before.contains_key(&(format!("{channel} {route}"), target.to_string())) {
                let key = (*channel, route.clone(), target.to_string());
                waiting.entry(key).or_default().push(event);
            }
        }
        assert!(waiting.len() >= 3, "{waiting:?}");
        for (channel, route, target) in waiting.keys() {
            server.deliver(bodies::bytes(&sent_by_us(channel, route, target))).await;
        }
        let after = by_remote_id(&server, &admin).await;
        for ((channel, route, target), news) in &waiting {
            let row = &after[&(format!("{channel} {route}"), target.clone())];
            check_news(row, news);
        }
        let left = server.database.number("SELECT COUNT(*) FROM pending_updates").await;
        assert_eq!(left, 0);
    }
}

fn sent_by_us(channel: &str, route: &str, id: &str) -> Value {
    match channel {
        "whatsapp_cloud" => bodies::echo(route, "6281390045512", id, 1_793_260_000, "ours"),
        _ => {
            let object = if channel == "messenger" { "page" } else { "instagram" };
            let message = json!({ "mid": id, "text": "ours", "is_echo": true });
            let event = json!({ "timestamp": 1_793_260_000_000_i64, "message": message });
            bodies::messaging(object, route, route, "7841230045567812", event)
        }
    }
}

/// The newest news of each kind is what the message shows.
fn check_news(row: &Value, news: &[&InboundEvent]) {
    let deleted = news.iter().any(|n| matches!(n, InboundEvent::Delete(_)));
    assert_eq!(row["deleted_at"].is_string(), deleted, "{row}");
    let statuses = news.iter().filter_map(|n| match n {
        InboundEvent::Status(s) => Some(s.status),
        _ => None,
    });
    if let Some(highest) = statuses.max_by_key(|s| s.rank()) {
        let reached: frontdesk_model::message::MessageStatus =
            serde_json::from_value(row["status"].clone()).unwrap();
        assert!(reached.rank() >= highest.rank(), "{row}");
    }
    let reactions = news.iter().filter_map(|n| match n {
        InboundEvent::Reaction(r) => Some(r),
        _ => None,
    });
    if let Some(newest) = reactions.max_by_key(|r| r.at) {
        assert_eq!(row["reactions"][0]["emoji"].as_str(), newest.emoji.as_deref(), "{row}");
    }
    let edits = news.iter().filter_map(|n| match n {
        InboundEvent::Edit(e) => Some(e),
        _ => None,
    });
    if let Some(last) = edits.filter(|e| e.text.is_some() && !deleted).max_by_key(|e| (e.version, e.at)) {
        assert_eq!(row["content"].as_str(), last.text.as_deref(), "{row}");
    }
}

#[tokio::test]
async fn the_examples_of_the_documentation_are_taken_as_they_stand() {
    let page = json!({
        "object": "page",
        "entry": [{ "id": "1234", "time": 1_234_567_890, "messaging": [{
            "sender": { "id": "5678" }, "recipient": { "id": "1234" }, "timestamp": 1_234_567_890_000_i64,
            "message": { "mid": "message_id", "text": "Hello, how can I help?", "attachments": [
                { "type": "image", "payload": { "url": "https://example.com/image.jpg" } }] },
        }] }],
    });
    let short = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "phone_number_id": "1234567890" },
            "messages": [{ "from": "5521999999999", "id": "wamid.123", "timestamp": "1645100000",
                "type": "text", "text": { "body": "Hi, I need help with my order" } }],
        } }] }],
    });
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "messenger", "1234", &[]).await;
        server.connect(server.account, "whatsapp_cloud", "1234567890", &[]).await;
        let admin = server.admin_token().await;
        server.deliver(bodies::bytes(&page)).await;
        server.deliver(bodies::bytes(&short)).await;
        let listed = server.get("/admin/inbox").bearer(&admin).send().await.ok(200);
        assert_eq!(listed["meta"]["total"], 2);
        assert_eq!(listed["data"][0]["last_message"]["content"], "Hi, I need help with my order");
        assert_eq!(listed["data"][0]["customer"]["phone"], "+5521999999999");
        assert_eq!(listed["data"][1]["last_message"]["content"], "Hello, how can I help?");
        assert_eq!(listed["data"][1]["platform"], "facebook");
    }
}

#[tokio::test]
async fn a_relay_without_a_signature_may_bring_whatsapp_with_its_token() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let person = Person::named("6281390045512", "Sari");
        let body = bodies::bytes(&bodies::text(
            frontdesk_testkit::meta::NUMBER,
            person,
            "wamid.1",
            1_793_260_000,
            "hi",
        ));
        let call = server.post(frontdesk_testkit::meta::DOOR).bearer(frontdesk_testkit::meta::BEARER);
        assert_eq!(call.body(body).send().await.status, 200);
        assert_eq!(by_remote_id(&server, &admin).await.len(), 1);
    }
}
