//! The description of the API: gathered from the handlers, then completed with what holds for all of them.
//!
//! `complete.rs` adds what follows from what an operation takes, `refusals.rs` the answers that refuse, `chatwoot.rs` and
//! `envelope.rs` how refusals are told there, `reply.rs` what makes a reply complete, `doors.rs` and `forms.rs` what the
//! registry of channels knows. The result is checked in as `openapi.json` at the top of the repository: `served.rs` has it in
//! the program, and the page's types are made of it. A test holds it to the handlers; the program itself gathers nothing.

mod chatwoot;
mod complete;
mod doors;
mod envelope;
mod forms;
mod refusals;
mod reply;
mod served;

use serde_json::{Map, Value};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

pub(crate) use complete::complete;
pub(crate) use served::serve;

use crate::api::chatwoot::ChatwootErrorBody;
use crate::api::envelope::EnvelopeRefusal;
use crate::error::ErrorBody;

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
        description = "One inbox for every customer.\n\n\
            Times are RFC 3339 in UTC, ids are integers. Errors have one shape, see the schema `Error`; an address that \
            exists with other methods answers 405 and names them in `Allow`. Lists are paged by key: give `next_cursor` \
            back as `cursor`.\n\n\
            Live updates come over a WebSocket in the Pusher protocol at `/app/{key}`; `GET /api/v1/realtime` says how \
            to connect.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "inbox", description = "Conversations by page number, as people read them, and what agents do in them"),
        (name = "conversations", description = "Conversations and messages by key, without side effects; files"),
        (name = "contacts", description = "Who the customers are"),
        (name = "session", description = "Signing in to the page"),
        (name = "users", description = "Those who sign in"),
        (name = "tokens", description = "API tokens"),
        (name = "inboxes", description = "Connected accounts of channels"),
        (name = "operations", description = "What came in, and what became of it"),
        (name = "outgoing-webhooks", description = "Programs that are told what happens here, and what they were told"),
        (name = "chatwoot", description = "The Chatwoot that the server works with: its conversations, messages and contacts, kept for a while"),
        (name = "sync", description = "Keeping contacts in step with Chatwoot: connections and their runs"),
        (name = "gateway", description = "Phones linked to this server, and chats, messages, contacts and sending of any inbox, as programs know them of a WhatsApp gateway"),
        (name = "crm", description = "Donors: what they gave, what was noted of them, and texts to answer with"),
        (name = "monitoring", description = "How the inboxes do, and who is told when they do not"),
        (name = "audit", description = "Who changed what"),
        (name = "realtime", description = "Live updates for the account's own clients"),
        (name = "pusher", description = "Pusher's HTTP API, for programs that send events"),
        (name = "webhooks", description = "Where providers deliver"),
        (name = "health", description = "Whether the server lives, is ready, and how it does"),
    ),
    components(schemas(ErrorBody, ChatwootErrorBody, EnvelopeRefusal))
)]
struct Described;

/// What the routes are gathered into.
pub(crate) fn start() -> Document {
    Described::openapi()
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
