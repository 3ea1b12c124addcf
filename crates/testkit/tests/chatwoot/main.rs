//! Chatwoot through the server: read, written, kept, refused, told of.

mod cache;
mod figures;
mod reads;
mod refusals;
mod webhook;

use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::Value;

/// A stage with a Chatwoot on every kind of database.
async fn stages() -> Vec<Stage> {
    Stage::on_all(StageSettings { chatwoot: true, ..StageSettings::default() }).await
}

/// Asks for something below `/api/v1/chatwoot`.
async fn get(stage: &Stage, path: &str) -> (u16, Value) {
    stage.call("GET", &format!("/api/v1/chatwoot{path}"), Value::Null).await
}
