//! Bridges: an inbox of ours and an API inbox of the sandbox's Chatwoot show the same, whatever fails meanwhile.

mod back;
mod faults;
mod figures;
mod import;
mod kinds;
mod live;
mod setup;
mod shown;
mod threads;

use frontdesk_sandbox::chatwoot::state::{Conversation, Message};
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use reqwest::Method;
use serde_json::{Value, json};

const KEY: &str = "an-administrators-token";

async fn stages() -> Vec<Stage> {
    Stage::on_all(StageSettings::default()).await
}

/// Connects the sandbox's Chatwoot; its id.
async fn connect(stage: &Stage) -> String {
    let body = json!({ "provider": "chatwoot", "apiKey": KEY,
        "config": { "accountId": "1", "apiUrl": stage.chatwoot_url() } });
    let (status, answer) = stage.call("POST", "/api/v1/sync/connections", body).await;
    assert_eq!(status, 201, "{answer}");
    answer["data"]["id"].as_str().unwrap_or_default().to_owned()
}

/// A bridge of an inbox with these settings, as the API shows it.
async fn bridge(stage: &Stage, inbox: &str, settings: Value) -> Value {
    let connection = connect(stage).await;
    let body =
        json!({ "connectionId": connection, "inboxId": stage.inbox(inbox).await, "settings": settings });
    let (status, answer) = stage.call("POST", "/api/v1/sync/bridges", body).await;
    assert_eq!(status, 201, "{answer}");
    answer["data"].clone()
}

fn remote_inbox(bridge: &Value) -> i64 {
    bridge["remoteInboxId"].as_i64().unwrap_or_default()
}

/// The conversations in the bridge's inbox there.
fn conversations(stage: &Stage, bridge: &Value) -> Vec<Conversation> {
    let world = stage.sandbox.world();
    let of_account = world.chatwoot.accounts[&1].conversations.values();
    of_account.filter(|found| found.inbox_id == remote_inbox(bridge)).cloned().collect()
}

/// The messages in the bridge's inbox there, in the order of their making.
fn messages(stage: &Stage, bridge: &Value) -> Vec<Message> {
    let all = conversations(stage, bridge).into_iter().flat_map(|found| found.messages);
    let mut all: Vec<Message> = all.filter(|message| message.message_type != 2).collect();
    all.sort_by_key(|message| message.id);
    all
}

/// What those messages say.
fn texts(stage: &Stage, bridge: &Value) -> Vec<String> {
    messages(stage, bridge).into_iter().map(|message| message.content.unwrap_or_default()).collect()
}

/// Waits until the messages there say exactly this.
async fn shows(stage: &Stage, bridge: &Value, wanted: &[&str]) {
    let what = format!("{wanted:?} is shown in Chatwoot on {}", stage.database.kind);
    until(&what, || async { (texts(stage, bridge) == wanted).then_some(()) }).await;
}

/// An agent there does something in a conversation.
async fn ask_chatwoot(stage: &Stage, method: Method, path: &str, body: Value) -> Value {
    let url = format!("{}/api/v1/accounts/1/{path}", stage.chatwoot_url());
    let request = reqwest::Client::new().request(method, url).header("api_access_token", KEY);
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await;
    assert!(answer.as_ref().is_ok_and(|answer| answer.status().is_success()), "{path}: {answer:?}");
    match answer {
        Ok(answer) => answer.json().await.unwrap_or_default(),
        Err(_) => Value::Null,
    }
}

/// An agent there answers; the id of the message.
async fn answer(stage: &Stage, conversation: i64, text: &str) -> i64 {
    let path = format!("conversations/{conversation}/messages");
    let written = ask_chatwoot(stage, Method::POST, &path, json!({ "content": text })).await;
    written["id"].as_i64().unwrap_or_default()
}
