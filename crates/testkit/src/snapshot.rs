//! Everything an account shows, without ids and times of this server: equal for servers that were told the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use frontdesk_model::Timestamp;
use serde_json::{Value, json};

use crate::server::TestServer;

/// All conversations with their messages, and their contacts; in an order that does not depend on ids.
///
/// # Panics
/// When the API does not answer.
pub async fn of_account(server: &TestServer, token: &str) -> Value {
    let mut contacts: BTreeMap<i64, Value> = BTreeMap::new();
    let mut conversations = Vec::new();
    for conversation in pages(server, token, "/api/v1/conversations", "next_cursor", "cursor").await {
        let contact = conversation["customer_id"].as_i64().unwrap_or(0);
        if let Entry::Vacant(place) = contacts.entry(contact) {
            place.insert(card(server, token, contact).await);
        }
        let messages = messages(server, token, conversation["id"].as_i64().unwrap_or(0)).await;
        conversations.push(show_conversation(&conversation, &contacts[&contact], &messages));
    }
    conversations.sort_by_key(|c| format!("{} {}", c["inbox"], c["customer"]));
    let mut contacts: Vec<Value> = contacts.into_values().collect();
    contacts.sort_by_key(ToString::to_string);
    json!({ "conversations": conversations, "contacts": contacts })
}

/// All messages of a conversation, the oldest first, as the API shows them.
///
/// # Panics
/// When the API does not answer.
pub async fn messages(server: &TestServer, token: &str, conversation: i64) -> Vec<Value> {
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut rows = pages(server, token, &path, "previous_cursor", "before").await;
    rows.sort_by_key(|m| (moment(m), m["id"].as_i64()));
    rows
}

/// All conversations as the API lists them.
///
/// # Panics
/// When the API does not answer.
pub async fn conversations(server: &TestServer, token: &str) -> Vec<Value> {
    pages(server, token, "/api/v1/conversations", "next_cursor", "cursor").await
}

fn moment(message: &Value) -> Option<Timestamp> {
    message["created_at"].as_str().and_then(Timestamp::parse)
}

async fn pages(server: &TestServer, token: &str, path: &str, next: &str, parameter: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("{path}?limit=200{cursor}")).bearer(token).send().await.ok(200);
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page[next].as_str() {
            Some(next) => cursor = format!("&{parameter}={next}"),
            None => return rows,
        }
    }
}

async fn card(server: &TestServer, token: &str, contact: i64) -> Value {
    let card = server.get(&format!("/api/v1/contacts/{contact}")).bearer(token).send().await.ok(200);
    json!({ "name": card["name"], "phone": card["phone"], "identities": card["identities"] })
}

fn show_conversation(row: &Value, customer: &Value, messages: &[Value]) -> Value {
    let mut shown: Vec<Value> = messages.iter().map(show_message).collect();
    shown.sort_by_key(|m| (moment(m), m["remote_id"].to_string()));
    let newest = &messages.last().map_or(Value::Null, |m| m["created_at"].clone());
    let is_newest = row["last_message"]["created_at"] == *newest;
    json!({
        "inbox": row["inbox"]["name"],
        "customer": customer,
        "thread": row["platform_conversation_id"],
        "status": row["status"],
        "unread_count": row["unread_count"],
        "last_message_at": row["last_message_at"],
        "last_message_is_the_newest": is_newest,
        "messages": shown,
    })
}

fn show_message(row: &Value) -> Value {
    let mut reactions: Vec<String> = row["reactions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| format!("{} by {}", r["emoji"].as_str().unwrap_or(""), r["sender_type"]))
        .collect();
    reactions.sort();
    let files = row["attachments"].as_array().cloned().unwrap_or_default();
    let files: Vec<Value> = files.iter().map(|f| json!([f["kind"], f["mime_type"], f["state"]])).collect();
    let mut shown = json!({
        "remote_id": row["platform_message_id"],
        "reactions": reactions,
        "files": files,
        "quotes": row["reply_to"]["content"],
    });
    for field in [
        "direction",
        "sender_type",
        "sender_name",
        "kind",
        "content",
        "payload",
        "status",
        "status_error",
        "forwarded",
        "created_at",
        "read_at",
        "edited_at",
        "deleted_at",
    ] {
        if !row[field].is_null() {
            shown[field] = row[field].clone();
        }
    }
    shown
}
