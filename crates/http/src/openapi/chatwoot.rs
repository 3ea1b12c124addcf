//! How refusals are told below `/api/v1/chatwoot`: ours and Chatwoot's in one shape.

use serde_json::{Map, Value, json};

/// Every status of a refusal there.
const STATUSES: [&str; 10] = ["400", "401", "403", "404", "409", "422", "429", "500", "502", "503"];
const NAME: &str = "ChatwootRefused";

/// Adds the answer that operations refer to.
pub(super) fn describe(document: &mut Value) {
    document["components"]["responses"][NAME] = json!({
        "description": "Refused here, or by Chatwoot: `code` says which, `error_code` what is the matter. 404 with \
            `NOT_CONFIGURED` while no Chatwoot is connected.",
        "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/ChatwootError" },
            "example": {
                "success": false, "error": "Chatwoot has no such entry in this account.", "error_code": "NOT_FOUND",
                "code": "CHATWOOT_ERROR", "details": { "retryable": false, "certain": true },
            },
        } },
    });
}

/// Has an operation refer to it, before the usual refusals are filled in.
pub(super) fn describe_refusals(path: &str, operation: &mut Map<String, Value>) {
    if !path.starts_with("/api/v1/chatwoot/") {
        return;
    }
    let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
    for status in STATUSES {
        responses
            .entry(status)
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{NAME}") }));
    }
}
