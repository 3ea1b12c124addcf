//! What follows from what an operation takes: the ways to sign in, the answers that refuse.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi as Document;

use super::refusals::{
    self, FAILED, FORBIDDEN, INVALID, NOT_FOUND, RATE, RATE_LIMITED, Refusal, TOO_LARGE, TOO_MANY_ATTEMPTS,
    UNAUTHENTICATED, UNAVAILABLE, UNREADABLE, UNSIGNED, WRONG_TYPE,
};
use super::{chatwoot, doors, envelope, for_each_operation, forms, reply};
use crate::rate::LIMITED;

/// The document as served.
pub(crate) fn complete(document: &Document) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["components"]["securitySchemes"] = security_schemes();
    document["components"]["responses"] = refusals::components();
    chatwoot::describe(&mut document);
    envelope::describe(&mut document);
    doors::describe(&mut document);
    forms::describe(&mut document);
    reply::describe(&mut document);
    drop_defaults(&mut document["components"]["schemas"]);
    for_each_operation(&mut document, |method, path, operation| {
        if let Some(Value::Array(schemes)) = operation.get_mut("security")
            && schemes.iter().any(|scheme| scheme.get("token").is_some())
        {
            schemes.push(json!({ "cookie": [] }));
        }
        chatwoot::describe_refusals(path, operation);
        envelope::describe_refusals(path, operation);
        let refusals = refusals_of(method, path, operation);
        let limited = is_limited(method, path);
        operation.entry("security").or_insert_with(|| json!([])); // said, not left open: anyone may call it
        let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
        for refusal in refusals {
            responses.entry(refusal.status).or_insert_with(|| refusal.reference());
        }
        for (status, response) in responses {
            if response.get("$ref").is_none()
                && response["description"].as_str().unwrap_or_default().is_empty()
            {
                response["description"] = json!(if status == "200" { "As asked" } else { "Done" });
            }
            if limited && status.starts_with('2') {
                response["headers"] = refusals::headers(&RATE);
            }
        }
    });
    document
}

fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http", "scheme": "bearer", "bearerFormat": "id|secret",
            "description": "An API token, made on the page, by `POST /api/v1/tokens` or `frontdesk token create`. The \
                scopes named by operations are abilities of tokens; `*` has all that its user may.",
        },
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": crate::auth::COOKIE_NAME,
            "description": "The cookie that signing in sets. Requests that change something must come from a page of \
                this server: `Sec-Fetch-Site: same-origin`, or `Origin`.",
        },
        "application": {
            "type": "apiKey", "in": "query", "name": "auth_signature",
            "description": "Pusher's signature: HMAC-SHA256 with the application's secret over method, path and sorted \
                query, as Pusher's libraries make it.",
        },
    })
}

fn is_limited(method: &str, path: &str) -> bool {
    LIMITED.iter().any(|(m, p, _)| m.eq_ignore_ascii_case(method) && *p == path)
}

fn refusals_of(method: &str, path: &str, operation: &Map<String, Value>) -> Vec<Refusal> {
    let mut refusals = vec![FAILED, UNAVAILABLE];
    let takes_body = operation.contains_key("requestBody");
    let secured_by = |scheme: &str| {
        let schemes = operation.get("security").and_then(Value::as_array);
        schemes.is_some_and(|all| all.iter().any(|s| s.get(scheme).is_some()))
    };
    if secured_by("application") {
        // Pusher's own statuses: what is wrong is 400 whatever it is.
        refusals.extend([UNREADABLE, UNSIGNED, NOT_FOUND]);
        refusals.extend(takes_body.then_some(TOO_LARGE));
        return refusals;
    }
    if secured_by("token") {
        refusals.extend([UNAUTHENTICATED, FORBIDDEN]);
    }
    if path.contains("/{") {
        refusals.extend([UNREADABLE, NOT_FOUND]);
    }
    if takes_body {
        refusals.extend([UNREADABLE, TOO_LARGE, WRONG_TYPE]);
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    if takes_body || parameters.is_some_and(|all| all.iter().any(|p| p["in"] == "query")) {
        refusals.push(INVALID);
    }
    if is_limited(method, path) {
        refusals.push(RATE_LIMITED);
    }
    if (method, path) == ("post", "/api/v1/session") {
        refusals.push(TOO_MANY_ATTEMPTS);
    }
    refusals
}

/// What a field is when absent is told by its words. A `default` beside a reference is no valid one, and makes tools
/// think that the field is always there.
fn drop_defaults(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("default");
            map.values_mut().for_each(drop_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}
