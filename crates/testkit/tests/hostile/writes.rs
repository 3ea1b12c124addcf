//! Fields nobody may set: sent with every request that changes something, they are ignored or refused, never stored.

use std::collections::BTreeSet;

use frontdesk_engine::caller::Actor;
use frontdesk_engine::users::{self, NewUser};
use frontdesk_http::router;
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::{PASSWORD, START, TestServer};
use serde_json::{Value, json};

/// Write routes without a body of ours, whose body is a file, or the provider's or Pusher's and is signed as a whole.
const WITHOUT_FIELDS: [&str; 15] = [
    "/api/crm/import/contacts",
    "/api/crm/import/donations",
    "/api/v1/auth/login",
    "/api/v1/media",
    "/api/v1/session",
    "/api/v1/sync/chatwoot/webhook",
    "/api/v1/sync/chatwoot/webhook/{key}",
    "/api/webhooks/messages",
    "/apps/{app_id}/batch_events",
    "/apps/{app_id}/events",
    "/apps/{app_id}/users/{user_id}/terminate_connections",
    "/broadcasting/auth",
    "/broadcasting/user-auth",
    "/pusher/auth",
    "/pusher/user-auth",
];

const BRIDGES: &str = "/api/v1/sync/bridges";
const CONNECTIONS: &str = "/api/v1/sync/connections";
const RULES: &str = "/api/v1/monitoring/alerts/rules";
const DONOR: &str = "/api/crm/contacts/{phone}";
const SESSIONS: &str = "/api/v1/sessions";
const WEBHOOKS: &str = "/api/v1/webhooks";
const CRM_SESSIONS: &str = "/api/crm/whatsapp/sessions";
const QUICK_REPLIES: &str = "/api/crm/quick-replies";

fn crm_settings() -> Value {
    json!({ "currency": "IDR", "time_zone": "UTC", "calling_code": null, "vip_floor": null, "score_cap": null,
        "score_preset": "default", "segments": "full", "welcome": { "enabled": false, "text": "" } })
}

/// What an attacker would like to set.
fn wishes(other: i64) -> Value {
    json!({
        "id": 4711, "account_id": other, "inbox_id": 4711, "conversation_id": 4711, "contact_id": 4711,
        "user_id": 4711, "role": "admin", "is_admin": true, "abilities": ["*", "admin"], "sender_type": "customer",
        "direction": "inbound", "status": "read", "read_at": "2020-01-01T00:00:00Z", "remote_id": "wamid.forged",
        "sent_at": "2020-01-01T00:00:00Z", "created_at": "2020-01-01T00:00:00Z", "deleted_at": "2020-01-01T00:00:00Z",
        "password_hash": "x", "token_hash": "x", "unread_count": 4711, "needs_reply": false, "secrets": { "a": "b" },
        "last_used_at": "2020-01-01T00:00:00Z", "disabled_at": null, "schema": 1,
    })
}

/// Every write route with a body it takes, and which of the wishes are its own fields.
fn requests(of: &Ids) -> Vec<(&'static str, &'static str, String, Value, &'static [&'static str])> {
    let Ids { conversation, inbound, outbound, failed, contact, inbox, user, token, log, file } = *of;
    let messages = format!("/admin/inbox/{conversation}/messages");
    let donor = format!("/api/crm/contacts/id:{contact}");
    let rule =
        json!({ "name": "Long queue", "metric": "queue_depth", "threshold": 100, "duration_secs": 300 });
    let settings = json!({ "phone_number_id": "999", "access_token": "t", "business_account_id": "7" });
    vec![
        ("POST", "/admin/inbox/{id}/messages", messages.clone(), json!({ "content": "hi" }), &[]),
        (
            "PATCH",
            "/admin/inbox/{id}/messages/{message_id}/read",
            format!("{messages}/{inbound}/read"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/admin/inbox/{id}/messages/{message_id}/resolve",
            format!("{messages}/{outbound}/resolve"),
            json!({ "outcome": "sent" }),
            &[],
        ),
        (
            "POST",
            "/admin/inbox/{id}/messages/{message_id}/retry",
            format!("{messages}/{failed}/retry"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/messages",
            "/api/v1/messages".to_owned(),
            json!({ "inbox_id": inbox, "phone": "6281390045599", "template": { "name": "hello", "language": "en" } }),
            &["inbox_id"],
        ),
        (
            "POST",
            "/admin/inbox/{id}/suggest-ai/feedback",
            format!("/admin/inbox/{conversation}/suggest-ai/feedback"),
            json!({ "item": "draft-1", "action": "shown" }),
            &[],
        ),
        (
            "PUT",
            "/api/v1/suggestions/settings",
            "/api/v1/suggestions/settings".to_owned(),
            json!({ "enabled": false, "base_url": "", "model": "", "monthly_tokens": 0 }),
            &["enabled"],
        ),
        (
            "POST",
            "/admin/inbox/{id}/status",
            format!("/admin/inbox/{conversation}/status"),
            json!({ "status": "active" }),
            &["status"],
        ),
        (
            "POST",
            "/api/v1/attachments/{id}/fetch",
            format!("/api/v1/attachments/{file}/fetch"),
            json!({}),
            &[],
        ),
        ("POST", "/api/v1/chatwoot/cache/clear", "/api/v1/chatwoot/cache/clear".to_owned(), json!({}), &[]),
        ("POST", "/api/v1/chatwoot/cache/warm", "/api/v1/chatwoot/cache/warm".to_owned(), json!({}), &[]),
        (
            "POST",
            "/api/v1/chatwoot/contacts",
            "/api/v1/chatwoot/contacts".to_owned(),
            json!({ "name": "New" }),
            &[],
        ),
        (
            "PATCH",
            "/api/v1/chatwoot/contacts/{id}",
            "/api/v1/chatwoot/contacts/1".to_owned(),
            json!({ "name": "Renamed" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/chatwoot/conversations/{id}/messages",
            "/api/v1/chatwoot/conversations/1/messages".to_owned(),
            json!({ "content": "hi" }),
            &[],
        ),
        (
            "PATCH",
            "/api/v1/contacts/{id}",
            format!("/api/v1/contacts/{contact}"),
            json!({ "name": "New" }),
            &[],
        ),
        (
            "PATCH",
            "/api/v1/conversations/{id}",
            format!("/api/v1/conversations/{conversation}"),
            json!({ "starred": true }),
            &["status"],
        ),
        (
            "POST",
            "/api/v1/conversations/{id}/read",
            format!("/api/v1/conversations/{conversation}/read"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/conversations/{id}/typing",
            format!("/api/v1/conversations/{conversation}/typing"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/conversations/{id}/unread",
            format!("/api/v1/conversations/{conversation}/unread"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/inboxes",
            "/api/v1/inboxes".to_owned(),
            json!({ "channel": "whatsapp_cloud", "name": "N", "settings": settings }),
            &[],
        ),
        (
            "PATCH",
            "/api/v1/inboxes/{id}",
            format!("/api/v1/inboxes/{inbox}"),
            json!({ "name": "Renamed" }),
            &[],
        ),
        ("POST", "/api/v1/inboxes/{id}/check", format!("/api/v1/inboxes/{inbox}/check"), json!({}), &[]),
        (
            "POST",
            "/api/v1/inboxes/{id}/check-number",
            format!("/api/v1/inboxes/{inbox}/check-number"),
            json!({ "phone": "+62 813 9004 5512" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/inboxes/{id}/link/restart",
            format!("/api/v1/inboxes/{inbox}/link/restart"),
            json!({}),
            &[],
        ),
        ("DELETE", "/api/v1/inboxes/{id}/link", format!("/api/v1/inboxes/{inbox}/link"), json!({}), &[]),
        ("POST", RULES, RULES.to_owned(), rule.clone(), &["inbox_id"]),
        (
            "PUT",
            "/api/v1/monitoring/alerts/rules/{rule_name}",
            format!("{RULES}/long-queue"),
            rule,
            &["inbox_id"],
        ),
        (
            "PUT",
            "/api/v1/monitoring/alerts/targets",
            "/api/v1/monitoring/alerts/targets".to_owned(),
            json!({ "emails": [] }),
            &[],
        ),
        (
            "POST",
            "/api/v1/monitoring/alerts/targets/test",
            "/api/v1/monitoring/alerts/targets/test".to_owned(),
            json!({}),
            &[],
        ),
        (
            "DELETE",
            "/api/v1/monitoring/alerts/rules/{rule_name}",
            format!("{RULES}/long-queue"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/session/password",
            "/api/v1/session/password".to_owned(),
            json!({ "current_password": "wrong", "password": "another long one" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sync/bridges",
            BRIDGES.to_owned(),
            json!({ "connectionId": "conn_1", "inboxId": inbox }),
            &[],
        ),
        (
            "PATCH",
            "/api/v1/sync/bridges/{id}",
            format!("{BRIDGES}/1"),
            json!({ "settings": { "signature": true } }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sync/bridges/{id}/import",
            format!("{BRIDGES}/1/import"),
            json!({ "dryRun": true, "wait": 0 }),
            &[],
        ),
        ("DELETE", "/api/v1/sync/bridges/{id}", format!("{BRIDGES}/1"), json!({}), &[]),
        (
            "POST",
            "/api/v1/sync/connections",
            CONNECTIONS.to_owned(),
            json!({ "provider": "chatwoot", "apiKey": "k", "config": { "accountId": "1", "apiUrl": "http://127.0.0.1:1" } }),
            &[],
        ),
        (
            "PATCH",
            "/api/v1/sync/connections/{id}",
            format!("{CONNECTIONS}/conn_1"),
            json!({ "schedule": null }),
            &[],
        ),
        ("POST", "/api/v1/sync/connections/{id}/test", format!("{CONNECTIONS}/conn_1/test"), json!({}), &[]),
        (
            "POST",
            "/api/v1/sync/connections/{id}/pause",
            format!("{CONNECTIONS}/conn_1/pause"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/sync/connections/{id}/resume",
            format!("{CONNECTIONS}/conn_1/resume"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/sync/connections/{id}/sync",
            format!("{CONNECTIONS}/conn_1/sync?wait=0"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/sync/run",
            "/api/v1/sync/run".to_owned(),
            json!({ "provider": "chatwoot", "entityType": "contacts", "direction": "push", "wait": 0 }),
            &["direction"],
        ),
        (
            "POST",
            "/api/v1/sync/runs/{id}/cancel",
            "/api/v1/sync/runs/run_1/cancel".to_owned(),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/sync/runs/{id}/resume",
            "/api/v1/sync/runs/run_1/resume".to_owned(),
            json!({}),
            &[],
        ),
        ("DELETE", "/api/v1/sync/connections/{id}", format!("{CONNECTIONS}/conn_1"), json!({}), &[]),
        ("PUT", "/api/crm/settings", "/api/crm/settings".to_owned(), crm_settings(), &[]),
        ("PATCH", DONOR, donor.clone(), json!({ "opted_out": false }), &[]),
        (
            "POST",
            "/api/crm/contacts/{phone}/donations",
            format!("{donor}/donations"),
            json!({ "amount": 1 }),
            &["status"],
        ),
        (
            "PATCH",
            "/api/crm/donations/{id}",
            "/api/crm/donations/1".to_owned(),
            json!({ "amount": 2 }),
            &["status"],
        ),
        ("POST", "/api/crm/donations/{id}/refund", "/api/crm/donations/1/refund".to_owned(), json!({}), &[]),
        ("DELETE", "/api/crm/donations/{id}", "/api/crm/donations/1".to_owned(), json!({}), &[]),
        ("POST", "/api/crm/contacts/{phone}/notes", format!("{donor}/notes"), json!({ "note": "n" }), &[]),
        ("PATCH", "/api/crm/notes/{id}", "/api/crm/notes/1".to_owned(), json!({ "note": "m" }), &[]),
        ("DELETE", "/api/crm/notes/{id}", "/api/crm/notes/1".to_owned(), json!({}), &[]),
        (
            "POST",
            "/api/crm/contacts/{phone}/reminders",
            format!("{donor}/reminders"),
            json!({ "text": "t", "due_at": "2030-01-01T00:00:00Z" }),
            &[],
        ),
        ("PATCH", "/api/crm/reminders/{id}", "/api/crm/reminders/1".to_owned(), json!({ "text": "u" }), &[]),
        ("POST", "/api/crm/reminders/{id}/done", "/api/crm/reminders/1/done".to_owned(), json!({}), &[]),
        ("DELETE", "/api/crm/reminders/{id}", "/api/crm/reminders/1".to_owned(), json!({}), &[]),
        ("POST", QUICK_REPLIES, QUICK_REPLIES.to_owned(), json!({ "shortcut": "s", "content": "c" }), &[]),
        (
            "PATCH",
            "/api/crm/quick-replies/{id}",
            format!("{QUICK_REPLIES}/1"),
            json!({ "content": "d" }),
            &[],
        ),
        (
            "POST",
            "/api/crm/quick-replies/{id}/preview",
            format!("{QUICK_REPLIES}/1/preview"),
            json!({ "phone": "6281390045512" }),
            &[],
        ),
        (
            "POST",
            "/api/crm/messages/quick-reply",
            "/api/crm/messages/quick-reply".to_owned(),
            json!({ "phone": "6281390045512", "template_id": 1 }),
            &[],
        ),
        (
            "POST",
            "/api/crm/contacts/merge",
            "/api/crm/contacts/merge".to_owned(),
            json!({ "keep": format!("id:{contact}"), "merge": "6281390045599" }),
            &[],
        ),
        (
            "POST",
            "/api/crm/messages/template",
            "/api/crm/messages/template".to_owned(),
            json!({ "phone": "6281390045512", "template_id": "receipt" }),
            &[],
        ),
        ("POST", SESSIONS, SESSIONS.to_owned(), json!({ "session_id": "phone-1" }), &[]),
        ("DELETE", "/api/v1/sessions/{session_id}", format!("{SESSIONS}/nobody"), json!({}), &[]),
        (
            "POST",
            "/api/v1/sessions/{session_id}/pairing-code",
            format!("{SESSIONS}/nobody/pairing-code"),
            json!({ "phone": "6281390045512" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/challenge",
            format!("{SESSIONS}/nobody/challenge"),
            json!({ "answer": {} }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/restart",
            format!("{SESSIONS}/nobody/restart"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/chats/{chat_id}/read",
            format!("{SESSIONS}/{inbox}/chats/{conversation}/read"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/text",
            format!("{SESSIONS}/{inbox}/messages/text"),
            json!({ "phone": "6281390045512", "message": "hi" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/image",
            format!("{SESSIONS}/{inbox}/messages/image"),
            json!({ "phone": "6281390045512", "image": "data:image/png;base64,iVBORw0KGgo=" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/document",
            format!("{SESSIONS}/{inbox}/messages/document"),
            json!({ "phone": "6281390045512", "document": "data:image/png;base64,iVBORw0KGgo=" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/audio",
            format!("{SESSIONS}/{inbox}/messages/audio"),
            json!({ "phone": "6281390045512", "audio": "data:image/png;base64,iVBORw0KGgo=" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/video",
            format!("{SESSIONS}/{inbox}/messages/video"),
            json!({ "phone": "6281390045512", "video": "data:image/png;base64,iVBORw0KGgo=" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/location",
            format!("{SESSIONS}/{inbox}/messages/location"),
            json!({ "phone": "6281390045512", "latitude": -6.2, "longitude": 106.8 }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/contact",
            format!("{SESSIONS}/{inbox}/messages/contact"),
            json!({ "phone": "6281390045512", "name": "Budi", "contact_phone": "6281390045599" }),
            &[],
        ),
        (
            "POST",
            "/api/v1/sessions/{session_id}/messages/template",
            format!("{SESSIONS}/{inbox}/messages/template"),
            json!({ "phone": "6281390045512", "template_id": "receipt" }),
            &[],
        ),
        ("POST", "/api/v1/webhooks", WEBHOOKS.to_owned(), json!({ "url": "https://example.org/hook" }), &[]),
        ("PATCH", "/api/v1/webhooks/{id}", format!("{WEBHOOKS}/1"), json!({ "description": "CRM" }), &[]),
        ("DELETE", "/api/v1/webhooks/{id}", format!("{WEBHOOKS}/999"), json!({}), &[]),
        ("POST", "/api/v1/webhooks/{id}/secret", format!("{WEBHOOKS}/999/secret"), json!({}), &[]),
        ("POST", "/api/v1/webhooks/{id}/test", format!("{WEBHOOKS}/999/test"), json!({}), &[]),
        ("POST", "/api/v1/webhooks/{id}/replay", format!("{WEBHOOKS}/999/replay"), json!({}), &[]),
        (
            "POST",
            "/api/v1/webhooks/{id}/deliveries/{delivery_id}/replay",
            format!("{WEBHOOKS}/999/deliveries/1/replay"),
            json!({}),
            &[],
        ),
        ("POST", CRM_SESSIONS, CRM_SESSIONS.to_owned(), json!({ "session_name": "phone-2" }), &[]),
        (
            "DELETE",
            "/api/crm/whatsapp/sessions/{session_id}",
            format!("{CRM_SESSIONS}/nobody"),
            json!({}),
            &[],
        ),
        (
            "POST",
            "/api/crm/switch-session",
            "/api/crm/switch-session".to_owned(),
            json!({ "session_id": "nobody" }),
            &[],
        ),
        ("POST", "/api/crm/merges/{id}/undo", "/api/crm/merges/1/undo".to_owned(), json!({}), &[]),
        ("DELETE", "/api/crm/quick-replies/{id}", format!("{QUICK_REPLIES}/1"), json!({}), &[]),
        (
            "POST",
            "/api/crm/messages/send",
            "/api/crm/messages/send".to_owned(),
            json!({ "phone": "6281390045512", "message": "hi" }),
            &[],
        ),
        ("POST", "/api/crm/inbox/{id}/read", format!("/api/crm/inbox/{conversation}/read"), json!({}), &[]),
        ("POST", "/api/crm/inbox/{id}/star", format!("/api/crm/inbox/{conversation}/star"), json!({}), &[]),
        ("POST", "/api/v1/tokens", "/api/v1/tokens".to_owned(), json!({ "name": "t" }), &["abilities"]),
        (
            "POST",
            "/api/v1/users",
            "/api/v1/users".to_owned(),
            json!({ "email": "new@example.org", "name": "New", "role": "agent", "password": PASSWORD }),
            &["role"],
        ),
        (
            "PATCH",
            "/api/v1/users/{id}",
            format!("/api/v1/users/{user}"),
            json!({ "name": "Renamed" }),
            &["role"],
        ),
        (
            "POST",
            "/api/v1/webhook-logs/{id}/replay",
            format!("/api/v1/webhook-logs/{log}/replay"),
            json!({}),
            &[],
        ),
        (
            "DELETE",
            "/admin/inbox/{id}/messages/{message_id}",
            format!("{messages}/{outbound}"),
            json!({}),
            &[],
        ),
        ("DELETE", "/api/v1/tokens/{id}", format!("/api/v1/tokens/{token}"), json!({}), &[]),
        ("DELETE", "/api/v1/inboxes/{id}", format!("/api/v1/inboxes/{inbox}"), json!({}), &[]),
        ("DELETE", "/api/v1/contacts/{id}", format!("/api/v1/contacts/{contact}"), json!({}), &[]),
    ]
}

struct Ids {
    conversation: i64,
    inbound: i64,
    outbound: i64,
    failed: i64,
    contact: i64,
    inbox: i64,
    user: i64,
    token: i64,
    log: i64,
    file: i64,
}

#[test]
fn every_route_that_changes_something_is_tried() {
    let of = Ids {
        conversation: 1,
        inbound: 1,
        outbound: 1,
        failed: 1,
        contact: 1,
        inbox: 1,
        user: 1,
        token: 1,
        log: 1,
        file: 1,
    };
    let named: BTreeSet<(String, String)> =
        requests(&of).into_iter().map(|(method, route, ..)| (method.to_owned(), route.to_owned())).collect();
    for endpoint in router::endpoints().into_iter().filter(|e| e.method != "GET" && e.method != "HEAD") {
        let known = WITHOUT_FIELDS.contains(&endpoint.path.as_str())
            || named.contains(&(endpoint.method.clone(), endpoint.path.clone()));
        assert!(known, "{} {} is new: say here what it takes", endpoint.method, endpoint.path);
    }
}

#[tokio::test]
async fn fields_that_nobody_may_set_are_never_stored() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        let other = server.other_account("Other").await;
        let inbox = server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await.0;
        let sari = Person::named("6281390045512", "Sari");
        server.deliver(bodies::bytes(&bodies::text(NUMBER, sari, "wamid.1", START.as_secs(), "Halo"))).await;
        let victim = NewUser {
            email: "victim@example.org".to_owned(),
            name: "Victim".to_owned(),
            role: Role::Agent,
            password: PASSWORD.to_owned(),
        };
        let victim = users::create(&server.engine, Actor::server(server.account), victim).await.unwrap();
        let token = server.token(&victim, &[Ability::InboxRead]).await;
        let number = |sql: &'static str| server.database.number(sql);
        let conversation = number("SELECT MAX(id) FROM conversations").await;
        let say = async |text: &str| {
            let path = format!("/admin/inbox/{conversation}/messages");
            server.post(&path).bearer(&admin).json(&json!({ "content": text })).send().await.ok(201)["id"]
                .as_i64()
                .unwrap()
        };
        let (outbound, failed) = (say("one").await, say("two").await);
        server
            .database
            .script(&format!("UPDATE messages SET status = 'unknown' WHERE id = {outbound}"))
            .await;
        server.database.script(&format!("UPDATE messages SET status = 'failed' WHERE id = {failed}")).await;
        let ids = Ids {
            conversation,
            inbound: number("SELECT MIN(id) FROM messages").await,
            outbound,
            failed,
            contact: number("SELECT MAX(id) FROM contacts").await,
            inbox,
            user: victim.id.0,
            token: token.split('|').next().unwrap().parse().unwrap(),
            log: number("SELECT MAX(id) FROM webhook_logs").await,
            file: 1,
        };
        let faults = [
            (
                "rows of the other account",
                format!(
                    "SELECT (SELECT COUNT(*) FROM messages WHERE account_id = {0}) + (SELECT COUNT(*) FROM users WHERE \
                 account_id = {0}) + (SELECT COUNT(*) FROM inboxes WHERE account_id = {0}) + (SELECT COUNT(*) FROM \
                 api_tokens WHERE account_id = {0}) + (SELECT COUNT(*) FROM contacts WHERE account_id = {0})",
                    other.0
                ),
            ),
            (
                "rows with a chosen id",
                "SELECT (SELECT COUNT(*) FROM messages WHERE id = 4711) + (SELECT COUNT(*) FROM \
                users WHERE id = 4711) + (SELECT COUNT(*) FROM inboxes WHERE id = 4711)"
                    .to_owned(),
            ),
            ("new admins", "SELECT COUNT(*) - 1 FROM users WHERE role = 'admin'".to_owned()),
            (
                "forged messages",
                "SELECT COUNT(*) FROM messages WHERE remote_id = 'wamid.forged' OR \
                (direction = 'outbound' AND (status = 'read' OR sender_type = 'customer'))"
                    .to_owned(),
            ),
            (
                "times long ago",
                "SELECT COUNT(*) FROM messages WHERE sent_at < 1600000000000 OR created_at < \
                1600000000000 OR read_at < 1600000000000"
                    .to_owned(),
            ),
            ("counters", "SELECT COUNT(*) FROM conversations WHERE unread_count > 100".to_owned()),
        ];
        let mut taken = 0;
        for (method, route, path, body, own) in requests(&ids) {
            let mut body = body;
            for (name, value) in wishes(other.0).as_object().unwrap() {
                if !own.contains(&name.as_str()) && body.get(name).is_none() {
                    body[name] = value.clone();
                }
            }
            let answer = server.call(method, &path).bearer(&admin).json(&body).send().await;
            let what =
                format!("{method} {route} on {}: {} {}", server.database.kind, answer.status, answer.text());
            assert!(answer.status < 300 || [404, 409, 422].contains(&answer.status), "{what}");
            taken += usize::from(answer.status < 300);
            // All at once, and one by one only to say which: each question costs a connection.
            let all: Vec<_> = faults.iter().map(|(_, sql)| format!("({sql})")).collect();
            if server.database.number(&format!("SELECT {}", all.join(" + "))).await != 0 {
                for (found, sql) in &faults {
                    assert_eq!(server.database.number(sql).await, 0, "{found} after {what}");
                }
            }
        }
        assert!(taken >= 14, "{taken} requests were taken: too few to say anything");
    }
}
