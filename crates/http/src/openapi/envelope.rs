//! How refusals are told below `/api/v1/sync`, `/api/v1/sessions` and `/api/crm`: in their envelope.

use serde_json::{Map, Value, json};

const NAME: &str = "RefusedInEnvelope";
/// What every operation there may refuse with, and what more of them do.
const ALWAYS: [&str; 4] = ["401", "403", "500", "503"];

/// Adds the answer that operations refer to.
pub(super) fn describe(document: &mut Value) {
    document["components"]["responses"][NAME] = json!({
        "description": "Refused; `error` says why, `code` for programs.",
        "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/EnvelopeRefusal" },
            "example": {
                "success": false, "data": null, "error": "There is no such connection.", "message": "There is no such connection.",
                "code": "NOT_FOUND", "details": {},
            },
        } },
    });
}

/// Has an operation refer to it, before the usual refusals are filled in.
pub(super) fn describe_refusals(path: &str, operation: &mut Map<String, Value>) {
    let is_sync = path.starts_with("/api/v1/sync/") && !path.starts_with("/api/v1/sync/chatwoot/");
    let is_gateway = path.starts_with("/api/v1/sessions") || path.starts_with("/api/v1/auth/");
    if !is_sync && !is_gateway && !path.starts_with("/api/crm/") {
        return;
    }
    let mut statuses = ALWAYS.to_vec();
    if path.contains("/{") {
        statuses.extend(["400", "404"]);
    }
    if operation.contains_key("requestBody") {
        statuses.extend(["400", "413", "415", "422"]);
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    if parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "query")) {
        statuses.push("422");
    }
    let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
    for status in statuses {
        responses
            .entry(status)
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{NAME}") }));
    }
}
