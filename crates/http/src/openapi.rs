//! The description of the API: gathered from the handlers, then completed with what holds for all of them.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::error::ErrorBody;
use crate::rate::LIMITED;

/// Who may call a route, as its `security` states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Anyone.
    Public,
    /// Anyone signed in, and any token.
    SignedIn,
    /// Users, and tokens with `inbox:read` or more.
    InboxRead,
    /// Users, and tokens with `inbox:write` or more.
    InboxWrite,
    /// Users, and tokens with `*`.
    Account,
    /// Admins, and their tokens with `admin` or `*`.
    Admin,
}

/// One operation of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`.
    pub method: String,
    /// `/api/v1/inboxes/{id}`.
    pub path: String,
    /// Who may call it.
    pub access: Access,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Frontdesk",
        description = "One inbox for every customer. Times are RFC 3339 in UTC, ids are integers. Errors have one shape, see the schema Error.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ErrorBody))
)]
struct Described;

/// What the routes are gathered into.
pub(crate) fn start() -> Document {
    Described::openapi()
}

/// Adds what holds for all operations: how to sign in, and the errors that follow from what an operation takes.
pub(crate) fn complete(document: &Document) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "bearerFormat": "id|secret" },
        "cookie": { "type": "apiKey", "in": "cookie", "name": crate::auth::COOKIE_NAME },
    });
    for_each_operation(&mut document, |method, path, operation| {
        let statuses = error_statuses(method, path, operation);
        if let Some(Value::Array(schemes)) = operation.get_mut("security") {
            schemes.push(json!({ "cookie": [] }));
        }
        let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
        for (status, description) in statuses {
            responses.entry(status).or_insert_with(|| error_response(description));
        }
    });
    document
}

/// Every operation with who may call it.
pub(crate) fn endpoints(document: &Document) -> Vec<Endpoint> {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let mut found = Vec::new();
    for_each_operation(&mut document, |method, path, operation| {
        let method = method.to_uppercase();
        found.push(Endpoint { method, path: path.to_owned(), access: access(operation) });
    });
    found
}

fn access(operation: &Map<String, Value>) -> Access {
    let Some(scopes) = operation.get("security").and_then(|s| s.pointer("/0/token")) else {
        return Access::Public;
    };
    match scopes.get(0).and_then(Value::as_str) {
        None => Access::SignedIn,
        Some("inbox:read") => Access::InboxRead,
        Some("inbox:write") => Access::InboxWrite,
        Some("*") => Access::Account,
        Some(_) => Access::Admin,
    }
}

fn for_each_operation(document: &mut Value, mut act: impl FnMut(&str, &str, &mut Map<String, Value>)) {
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let (Value::Object(operation), true) = (operation, METHODS.contains(&method.as_str())) {
                act(method, path, operation);
            }
        }
    }
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn error_statuses(
    method: &str,
    path: &str,
    operation: &Map<String, Value>,
) -> Vec<(&'static str, &'static str)> {
    let mut statuses =
        vec![("500", "Our fault; it was logged."), ("503", "The database cannot be used at the moment.")];
    if operation.contains_key("security") {
        statuses.push(("401", "Not signed in, or the token no longer holds."));
        statuses.push(("403", "The user or token may not do this."));
    }
    if path.contains("/{") {
        statuses.push(("400", "The id is no number."));
        statuses.push(("404", "There is no such thing in this account."));
    }
    if operation.contains_key("requestBody") {
        statuses.push(("400", "The body cannot be read."));
        statuses.push(("413", "The body is too large."));
        statuses.push(("415", "The body is of another type."));
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let has_query = parameters.is_some_and(|all| all.iter().any(|p| p["in"] == "query"));
    if has_query || operation.contains_key("requestBody") {
        statuses.push(("422", "A field is wrong; `errors` tells which."));
    }
    if LIMITED.iter().any(|(m, p, _)| m.eq_ignore_ascii_case(method) && *p == path) {
        statuses.push(("429", "Too many requests; `retry_after` tells how long to wait."));
    }
    statuses
}

fn error_response(description: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/Error" });
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}
