//! A session of ours and a phone of the sandbox.

use frontdesk_sandbox::inbox::Inbox;
use frontdesk_sandbox::linked::phone;
use frontdesk_testkit::stage::{Stage, until};
use serde_json::{Value, json};

/// The number of the phone.
pub const NUMBER: &str = "6281211004400";

/// Puts a phone into the sandbox; its inbox there has the name of the session.
pub fn add_phone(stage: &Stage, name: &str, number: &str) {
    stage.sandbox.world().inboxes.insert(name.to_owned(), Inbox::linked_phone(name, number, "Reception"));
}

/// Scans what the session shows.
pub fn scan(stage: &Stage, name: &str) {
    let inbox = stage.sandbox.world().inboxes.get(name).cloned().unwrap();
    phone::scan(&stage.sandbox, &inbox, None, Some(name)).unwrap();
}

/// Makes a session and links a phone to it.
pub async fn link(stage: &Stage, name: &str, number: &str) {
    add_phone(stage, name, number);
    let (status, made) =
        stage.call("POST", "/api/v1/sessions", json!({ "session_id": name, "name": name })).await;
    assert_eq!(status, 201, "{made}");
    let (status, code) = stage.call("GET", &format!("/api/v1/sessions/{name}/qr"), Value::Null).await;
    assert_eq!(status, 200, "{code}");
    scan(stage, name);
    in_state(stage, name, "connected").await;
}

/// Waits until a session is in a state; returns it.
pub async fn in_state(stage: &Stage, name: &str, state: &str) -> Value {
    until(&format!("the session is {state}"), || async {
        let session = status(stage, name).await;
        (session["state"] == state).then_some(session)
    })
    .await
}

/// The session as the API shows it.
pub async fn status(stage: &Stage, name: &str) -> Value {
    let (status, shown) = stage.call("GET", &format!("/api/v1/sessions/{name}/status"), Value::Null).await;
    assert_eq!((status, &shown["success"]), (200, &json!(true)), "{shown}");
    shown["data"].clone()
}
