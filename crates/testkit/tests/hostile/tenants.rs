//! Every route against everyone who may not: generated from the router, so that a new route is tried too.

use std::collections::BTreeSet;

use frontdesk_engine::caller::Actor;
use frontdesk_engine::tokens::{self, NewToken};
use frontdesk_http::openapi::{Access, Endpoint};
use frontdesk_http::router;
use frontdesk_model::user::{Ability, Role};
use frontdesk_model::{AccountId, InboxId, SyncConnectionId};
use frontdesk_store::bridges::{self, NewBridge};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, SECOND_NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use frontdesk_testkit::snapshot;
use serde_json::{Value, json};

/// Routes anyone may call. Whoever adds one says so here.
const PUBLIC: [(&str, &str); 16] = [
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/auth/login"),
    // Pusher's HTTP API is signed with the secret of the application; see the tests of live updates.
    ("POST", "/apps/{app_id}/events"),
    ("POST", "/apps/{app_id}/batch_events"),
    ("GET", "/apps/{app_id}/channels"),
    ("GET", "/apps/{app_id}/channels/{channel}"),
    ("GET", "/apps/{app_id}/channels/{channel}/users"),
    ("POST", "/apps/{app_id}/users/{user_id}/terminate_connections"),
    ("GET", "/api/openapi.json"),
    // Signed by Chatwoot.
    ("POST", "/api/v1/sync/chatwoot/webhook"),
    ("POST", "/api/v1/sync/chatwoot/webhook/{key}"),
    // The address of a file is signed: whoever was told it may fetch.
    ("GET", "/media/{id}/{file_name}"),
];

/// A word that stands in everything of one account.
const MARK: &str = "zanzibar";

/// One account with something of everything.
struct Tenant {
    account: AccountId,
    admin: String,
    agent: String,
    read_only: String,
    revoked: String,
    expired: String,
    inbox: i64,
    conversation: i64,
    message: i64,
    contact: i64,
    attachment: i64,
    webhook_log: i64,
    user: i64,
    token_id: i64,
    rule: String,
    connection: String,
    bridge: i64,
    run: String,
    donation: i64,
    note: i64,
    reminder: i64,
    quick_reply: i64,
    merge: i64,
    session: String,
    webhook: i64,
    delivery: i64,
}

/// Below a session: routes that are there for inboxes of every channel.
fn is_of_chats(endpoint: &Endpoint) -> bool {
    ["/chats", "/messages", "/contacts"].iter().any(|part| endpoint.path.contains(part))
}

impl Tenant {
    async fn settle(server: &TestServer, account: AccountId, mark: &str, number: &str) -> Self {
        let inbox = server.connect(account, "whatsapp_cloud", number, &[]).await.0;
        let admin = server.user_of(account, &format!("{mark}-admin@example.org"), Role::Admin).await;
        let agent = server.user_of(account, &format!("{mark}-agent@example.org"), Role::Agent).await;
        let name = format!("{mark} customer");
        let text = format!("{mark} hello");
        let body = bodies::text(number, Person::named("6281390045512", &name), mark, START.as_secs(), &text);
        server.deliver(bodies::bytes(&body)).await;
        let token = server.token(&admin, &[Ability::All]).await;
        let revoked = server.token(&admin, &[Ability::All]).await;
        let revoked_id = revoked.split('|').next().unwrap();
        server.delete(&format!("/api/v1/tokens/{revoked_id}")).bearer(&token).send().await.ok(204);
        let expired = NewToken {
            user_id: admin.id,
            name: mark.to_owned(),
            abilities: vec![Ability::All],
            expires_at: Some(START.plus_ms(1000)),
        };
        let expired = tokens::create(&server.engine, Actor::server(account), expired).await.unwrap().token;
        let conversation = snapshot::conversations(server, &token).await[0].clone();
        let conversation_id = conversation["id"].as_i64().unwrap();
        let message = snapshot::messages(server, &token, conversation_id).await[0]["id"].as_i64().unwrap();
        let rule = json!({ "name": format!("{mark} rule"), "metric": "errors", "threshold": 1, "duration_secs": 60 });
        let rule =
            server.post("/api/v1/monitoring/alerts/rules").bearer(&token).json(&rule).send().await.ok(201);
        // Nothing answers there: it is kept as one that does not work.
        let connection = json!({ "provider": "chatwoot", "apiKey": mark, "name": format!("{mark} chatwoot"),
            "config": { "accountId": "1", "apiUrl": "http://127.0.0.1:1" } });
        let connection =
            server.post("/api/v1/sync/connections").bearer(&token).json(&connection).send().await.ok(422);
        let bridge = server
            .engine
            .store
            .write(move |tx| {
                let new = NewBridge {
                    account_id: account,
                    connection_id: SyncConnectionId(1),
                    inbox_id: InboxId(inbox),
                    webhook_key: &format!("key-{account}"),
                    settings: "{}",
                    last_error: "not set up",
                };
                bridges::insert(tx, new, START)
            })
            .await
            .unwrap();
        let connection = connection["details"]["connection"]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/sync/connections/{connection}/sync?wait=0");
        let run = server.post(&path).bearer(&token).send().await.ok(202);
        let run = run["data"]["runId"].as_str().unwrap().to_owned();
        let stop = format!("/api/v1/sync/runs/{run}/cancel");
        server.post(&stop).bearer(&token).send().await.ok(200);
        let made = async |path: &str, body: Value| {
            let made = server.post(&format!("/api/crm/{path}")).bearer(&token).json(&body).send().await;
            made.ok(201)["data"]["id"].as_i64().unwrap()
        };
        let donation = made("contacts/6281390045512/donations", json!({ "amount": 1, "note": mark })).await;
        let note = made("contacts/6281390045512/notes", json!({ "note": mark })).await;
        let reminder = json!({ "text": mark, "due_at": "2030-01-01T00:00:00Z" });
        let reminder = made("contacts/6281390045512/reminders", reminder).await;
        let quick_reply = made("quick-replies", json!({ "shortcut": mark, "content": mark })).await;
        made("contacts/6281390045599/notes", json!({ "note": mark })).await;
        let two = json!({ "keep": "6281390045512", "merge": "6281390045599" });
        let merge = made("contacts/merge", two).await;
        let session = json!({ "session_id": format!("{mark}-phone"), "name": format!("{mark} phone") });
        server.post("/api/v1/sessions").bearer(&token).json(&session).send().await.ok(201);
        let webhook = json!({ "url": "https://example.org/hook", "description": mark });
        let webhook = server.post("/api/v1/webhooks").bearer(&token).json(&webhook).send().await.ok(201);
        let webhook = webhook["id"].as_i64().unwrap();
        let test = format!("/api/v1/webhooks/{webhook}/test");
        let delivery = server.post(&test).bearer(&token).send().await.ok(202);
        let logs = server.get("/api/v1/webhook-logs").bearer(&token).send().await.ok(200);
        Self {
            account,
            agent: server.token(&agent, &[Ability::All]).await,
            read_only: server.token(&admin, &[Ability::InboxRead]).await,
            revoked,
            expired,
            inbox,
            conversation: conversation_id,
            message,
            contact: conversation["customer_id"].as_i64().unwrap(),
            attachment: upload(server, &token, mark).await,
            webhook_log: logs["data"][0]["id"].as_i64().unwrap(),
            user: admin.id.0,
            token_id: token.split('|').next().unwrap().parse().unwrap(),
            rule: rule["name"].as_str().unwrap().to_owned(),
            bridge: bridge.unwrap().0,
            connection,
            run,
            donation,
            note,
            reminder,
            quick_reply,
            merge,
            session: format!("{mark}-phone"),
            webhook,
            delivery: delivery["id"].as_i64().unwrap(),
            admin: token,
        }
    }

    /// The address of a route with ids of this account. A new kind of id has to be named here.
    fn address(&self, endpoint: &Endpoint) -> String {
        let parts: Vec<&str> = endpoint.path.split('/').collect();
        if endpoint.path.starts_with("/api/v1/chatwoot/") {
            // Ids of Chatwoot: whose it is decides, whatever they are.
            return endpoint.path.replace("{id}", "1");
        }
        let filled = parts.iter().enumerate().map(|(n, part)| match (*part, parts.get(n.wrapping_sub(1))) {
            ("{message_id}", _) => self.message.to_string(),
            ("{id}", Some(&"inbox" | &"conversations")) => self.conversation.to_string(),
            ("{id}", Some(&"messages")) => self.message.to_string(),
            ("{id}", Some(&"contacts")) => self.contact.to_string(),
            ("{id}", Some(&"attachments")) => self.attachment.to_string(),
            ("{id}", Some(&"webhook-logs")) => self.webhook_log.to_string(),
            ("{id}", Some(&"inboxes")) => self.inbox.to_string(),
            ("{id}", Some(&"users")) => self.user.to_string(),
            ("{id}", Some(&"tokens")) => self.token_id.to_string(),
            // Chats, messages and contacts are there for any inbox.
            ("{session_id}", _) if is_of_chats(endpoint) => self.inbox.to_string(),
            ("{session_id}", _) => self.session.clone(),
            ("{chat_id}", _) => self.conversation.to_string(),
            ("{id}", Some(&"webhooks")) => self.webhook.to_string(),
            ("{delivery_id}", _) => self.delivery.to_string(),
            ("{id}", Some(&"bridges")) => self.bridge.to_string(),
            ("{id}", Some(&"connections")) => self.connection.clone(),
            ("{id}", Some(&"runs")) => self.run.clone(),
            ("{rule_name}", _) => self.rule.clone(),
            ("{id}", Some(&"donations")) => self.donation.to_string(),
            ("{id}", Some(&"notes")) => self.note.to_string(),
            ("{id}", Some(&"reminders")) => self.reminder.to_string(),
            ("{id}", Some(&"quick-replies")) => self.quick_reply.to_string(),
            ("{id}", Some(&"merges")) => self.merge.to_string(),
            // A number is a person of whoever asks; an id is one of ours.
            ("{phone}", _) => format!("id:{}", self.contact),
            (part, _) if part.starts_with('{') => panic!("{}: which id is {part}?", endpoint.path),
            (part, _) => part.to_owned(),
        });
        filled.collect::<Vec<_>>().join("/")
    }

    /// Everything this account shows, to notice any change.
    async fn state(&self, server: &TestServer) -> Value {
        let mut state = snapshot::of_account(server, &self.admin).await;
        for list in [
            "inboxes",
            "users",
            "tokens",
            "audit",
            "webhook-logs",
            "webhooks",
            "sync/connections",
            "sync/runs",
            "sync/bridges",
            "sessions",
        ] {
            let mut rows =
                server.get(&format!("/api/v1/{list}")).bearer(&self.admin).send().await.ok(200)["data"]
                    .clone();
            for row in rows.as_array_mut().unwrap() {
                if let Value::Object(row) = row {
                    row.retain(|name, _| !name.starts_with("last_")); // when they were seen last
                }
            }
            state[list] = rows;
        }
        for list in ["contacts", "donations", "reminders", "quick-replies", "merges", "settings"] {
            let shown = server.get(&format!("/api/crm/{list}")).bearer(&self.admin).send().await.ok(200);
            state[format!("crm/{list}")] = shown["data"].clone();
        }
        state
    }
}

async fn upload(server: &TestServer, token: &str, mark: &str) -> i64 {
    let form = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{mark}.txt\"\r\ncontent-type: text/plain\r\n\r\n{mark}\r\n--x--\r\n"
    );
    let call =
        server.post("/api/v1/media").bearer(token).header("content-type", "multipart/form-data; boundary=x");
    call.body(form).send().await.ok(201)["id"].as_i64().unwrap()
}

/// Something that fits no field of any body but carries ids of another account in all of them.
fn foreign_ids(of: &Tenant) -> Value {
    json!({
        "content": "intruder", "attachments": [of.attachment], "reply_to_message_id": of.message,
        "last_seen_message_id": of.message, "status": "closed", "starred": true, "assignee_id": of.user,
        "user_id": of.user, "account_id": of.account, "inbox_id": of.inbox, "contact_id": of.contact,
        "name": "intruder", "email": "intruder@example.org", "outcome": "sent", "enabled": false, "disabled": true,
    })
}

#[test]
fn only_the_routes_named_here_are_public() {
    let public: BTreeSet<(String, String)> = router::endpoints()
        .into_iter()
        .filter(|e| e.access == Access::Public)
        .map(|e| (e.method, e.path))
        .collect();
    let named: BTreeSet<(String, String)> =
        PUBLIC.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    let unnamed: Vec<_> = public.difference(&named).collect();
    assert!(unnamed.is_empty(), "a route without a declared access: {unnamed:?}");
}

#[tokio::test]
async fn nobody_gets_through_any_route_without_the_right_to() {
    let mut settings = settings();
    settings.engine.limits.send_per_minute = 10_000; // everybody asks every route
    for server in TestServer::on_all(settings).await {
        let other = server.other_account("Other").await;
        let ours = Tenant::settle(&server, server.account, MARK, NUMBER).await;
        let theirs = Tenant::settle(&server, other, "tulip", SECOND_NUMBER).await;
        server.clock.advance_ms(2000); // the expiring tokens
        let before = ours.state(&server).await;
        let body = foreign_ids(&ours);
        for endpoint in router::endpoints().iter().filter(|e| e.access != Access::Public) {
            let path = ours.address(endpoint);
            let has_id = endpoint.path.contains('{');
            let ask = async |token: Option<&str>| {
                let call = server.call(&endpoint.method, &path).json(&body);
                let call = if let Some(token) = token { call.bearer(token) } else { call };
                call.send().await
            };
            let what = format!("{} {path} on {}", endpoint.method, server.database.kind);
            ask(None).await.refused(401, "INVALID_TOKEN");
            for token in [&ours.revoked, &ours.expired, &theirs.revoked] {
                ask(Some(token)).await.refused(401, "INVALID_TOKEN");
            }
            if matches!(endpoint.access, Access::InboxWrite | Access::Account | Access::Admin) {
                ask(Some(&ours.read_only)).await.refused(403, "UNAUTHORIZED");
                ask(Some(&theirs.read_only)).await.refused(403, "UNAUTHORIZED");
            }
            if endpoint.access == Access::Admin {
                ask(Some(&ours.agent)).await.refused(403, "UNAUTHORIZED");
            }
            let stranger = ask(Some(&theirs.admin)).await;
            assert!(!stranger.text().contains(MARK), "{what}: {}", stranger.text());
            if has_id {
                // Fields are checked before anything is looked up: either way nothing is told.
                assert!(
                    matches!(stranger.status, 404 | 422 | 415),
                    "{what}: {} {}",
                    stranger.status,
                    stranger.text()
                );
                if stranger.status == 422 {
                    let empty = server.call(&endpoint.method, &path).bearer(&theirs.admin).json(&json!({}));
                    let empty = empty.send().await;
                    assert!(empty.status == 404 || empty.status == 422, "{what}: {}", empty.text());
                }
            }
        }
        let after = ours.state(&server).await;
        assert_eq!(
            serde_json::to_string_pretty(&after).unwrap(),
            serde_json::to_string_pretty(&before).unwrap(),
            "{}: something of ours changed",
            server.database.kind
        );
    }
}

#[tokio::test]
async fn ids_of_another_account_in_queries_and_bodies_find_nothing() {
    for server in TestServer::on_all(settings()).await {
        let other = server.other_account("Other").await;
        let ours = Tenant::settle(&server, server.account, MARK, NUMBER).await;
        let theirs = Tenant::settle(&server, other, "tulip", SECOND_NUMBER).await;
        for query in [
            format!("inbox_id={}", ours.inbox),
            format!("q={MARK}"),
            "q=%2B6281390045512&platform=facebook".to_owned(),
        ] {
            for list in ["/admin/inbox", "/api/v1/conversations"] {
                let found = server.get(&format!("{list}?{query}")).bearer(&theirs.admin).send().await.ok(200);
                assert_eq!(found["data"], json!([]), "{list}?{query}");
            }
        }
        // A cursor is a place, not a permission.
        for list in ["conversations", "webhook-logs", "audit", "users", "tokens", "inboxes"] {
            for cursor in ["999999", "0", "99999999999999.999"] {
                let answer =
                    server.get(&format!("/api/v1/{list}?cursor={cursor}")).bearer(&theirs.admin).send().await;
                assert!(answer.status == 200 || answer.status == 422, "{list}: {}", answer.text());
                assert!(!answer.text().contains(MARK), "{list}: {}", answer.text());
            }
        }
        let mixed = [
            ("DELETE", format!("/admin/inbox/{}/messages/{}", theirs.conversation, ours.message)),
            ("PATCH", format!("/admin/inbox/{}/messages/{}/read", theirs.conversation, ours.message)),
            ("POST", format!("/admin/inbox/{}/messages/{}/retry", theirs.conversation, ours.message)),
            ("DELETE", format!("/admin/inbox/{}/messages/{}", ours.conversation, theirs.message)),
        ];
        for (method, path) in mixed {
            server.call(method, &path).bearer(&theirs.admin).send().await.refused(404, "NOT_FOUND");
        }
        let reply = format!("/admin/inbox/{}/messages", theirs.conversation);
        for (body, field) in [
            (json!({ "content": "a", "attachments": [ours.attachment] }), "attachments"),
            (json!({ "content": "a", "reply_to_message_id": ours.message }), "reply_to_message_id"),
        ] {
            let refused = server.post(&reply).bearer(&theirs.admin).json(&body).send().await;
            let refused = refused.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].is_array(), "{refused}");
        }
        let assign =
            server.patch(&format!("/api/v1/conversations/{}", theirs.conversation)).bearer(&theirs.admin);
        let refused =
            assign.json(&json!({ "assignee_id": ours.user })).send().await.refused(422, "VALIDATION_ERROR");
        assert!(refused["errors"]["assignee_id"].is_array());
        let media = server
            .get(&format!("/api/v1/conversations/{}", ours.conversation))
            .bearer(&ours.admin)
            .send()
            .await;
        assert!(media.text().contains(MARK), "the mark does stand where its owner looks");
    }
}
