//! The doors of the channels: one address per door, from the registry. Each says itself what it takes.

use frontdesk_channels::contract::{Door, DoorField, DoorSettings};
use frontdesk_channels::registry;
use serde_json::{Value, json};

use super::refusals::{INVALID, TOO_LARGE, WRONG_TYPE};

/// Adds the doors to the document.
pub(super) fn describe(document: &mut Value) {
    for door in registry::doors() {
        document["paths"][door.path()] = json!({ "post": delivery(door) });
        if door.asks() {
            document["paths"][door.path()]["get"] = question(door);
        }
    }
}

fn question(door: &dyn Door) -> Value {
    let info = door.info();
    json!({
        "tags": ["webhooks"],
        "summary": format!("Answers {}, which asks whether this is the right address.", info.provider),
        "description": "The answer is the challenge as it was given.",
        "operationId": format!("answer_{}", info.name),
        "parameters": info.question.iter().map(|field| parameter(field, "query")).collect::<Vec<_>>(),
        "security": [],
        "responses": {
            "200": {
                "description": "The challenge",
                "content": { "text/plain": { "schema": { "type": "string" }, "example": "1158201444" } },
            },
            "400": refusal("The question is incomplete.", "BAD_REQUEST", "Invalid verification request"),
            "403": refusal("The token is not ours.", "INVALID_SIGNATURE", "Invalid verification token"),
        },
    })
}

fn delivery(door: &dyn Door) -> Value {
    let info = door.info();
    let example: Value = serde_json::from_str(info.example).unwrap_or_default();
    json!({
        "tags": ["webhooks"],
        "summary": format!("Takes what {} delivers.", info.provider),
        "description": format!("{} The answer comes when the body is on disk; the same body again changes nothing.", info.about),
        "operationId": format!("deliver_{}", info.name),
        "parameters": info.headers.iter().map(|field| parameter(field, "header")).collect::<Vec<_>>(),
        "security": [],
        "requestBody": {
            "required": true,
            "description": format!(
                "At most {} bytes unless the server is set otherwise, not compressed.",
                door.max_body_bytes(&DoorSettings::default())
            ),
            "content": { "application/json": { "schema": { "type": "object" }, "example": example } },
        },
        "responses": {
            "200": { "description": "It is stored." },
            "400": refusal("The body did not arrive completely.", "BAD_REQUEST", "The body ended before it was complete."),
            "403": refusal("It is not genuine.", "INVALID_SIGNATURE", "Invalid webhook signature"),
            "413": TOO_LARGE.reference(),
            "415": WRONG_TYPE.reference(),
            "422": INVALID.reference(),
        },
    })
}

fn parameter(field: &DoorField, place: &str) -> Value {
    let mut schema = json!({ "type": "string" });
    if let Some(pattern) = field.pattern {
        schema["pattern"] = json!(pattern);
    }
    json!({
        "name": field.name, "in": place, "required": field.required, "description": field.help,
        "schema": schema, "example": field.example,
    })
}

fn refusal(description: &str, code: &str, sentence: &str) -> Value {
    let example = json!({ "error": sentence, "code": code, "details": {} });
    let schema = json!({ "$ref": "#/components/schemas/Error" });
    json!({ "description": description, "content": { "application/json": { "schema": schema, "example": example } } })
}
