//! Sending from a session: words, files, texts with variables, places, cards. Everything is stored and queued before the answer.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::crm::templates::{self, Wanted};
use frontdesk_engine::crm::{CrmError, Key, chats, quick_replies};
use frontdesk_engine::replies::{Reply, Special, To};
use frontdesk_model::content::{ContactCard, Labelled, Location};
use frontdesk_model::message::MessageStatus;
use frontdesk_model::{InboxId, MessageId, RemoteId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::conversations;
use frontdesk_store::messages::{self, MessageRow};
use serde::{Deserialize, Serialize};

use super::media::{self, File};
use super::session;
use crate::api::crm::messages::store;
use crate::api::envelope::{EnvelopeRefusal, Told};
use crate::api::reply_body::{FILE_FIELDS, ReplyBody, idempotency_key};
use crate::auth::InboxWriter;
use crate::error::ApiError;
use crate::input::{JsonBody, Word};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(send_session_image))
        .routes(routes!(send_session_document))
        .routes(routes!(send_session_audio))
        .routes(routes!(send_session_video))
        .map(|router| router.layer(DefaultBodyLimit::max(media::MAX_JSON_BYTES)))
        .routes(routes!(send_session_text))
        .routes(routes!(send_session_template))
        .routes(routes!(send_session_location))
        .routes(routes!(send_session_contact))
}

/// A stored message: its status comes later, over the webhook and the live updates.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionSent {
    /// Names it in `message.status`.
    id: String,
    /// The same, as a number.
    message_id: i64,
    chat_id: String,
    status: MessageStatus,
    /// As it is sent.
    #[schema(required = true)]
    content: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

type Sent = Result<Json<Told<SessionSent>>, ApiError>;

/// Where a message goes.
async fn recipient(state: &HttpState, caller: &Caller, inbox: InboxId, phone: &str) -> Result<To, ApiError> {
    let key = Key::parse(session::person(phone));
    Ok(chats::find(&state.engine, caller.account_id, key, Some(inbox.to_string())).await?)
}

async fn send(state: &HttpState, caller: &Caller, to: To, reply: Reply) -> Sent {
    store(state, caller, to, reply).await.map(shown)
}

fn shown(row: MessageRow) -> Json<Told<SessionSent>> {
    let data = SessionSent {
        id: row.id.to_string(),
        message_id: row.id.0,
        chat_id: row.conversation_id.to_string(),
        status: row.status,
        content: row.content,
        timestamp: row.sent_at,
    };
    Told::of(data, "The message is stored and queued.")
}

fn client_key(headers: &HeaderMap, given: Option<String>) -> Result<Option<String>, ApiError> {
    let of_header = idempotency_key(headers)?;
    Ok(given.or(of_header))
}

/// Words for somebody.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "message": "Terima kasih!" })))]
struct SendSessionText {
    /// A number in any notation.
    #[schema(max_length = 100)]
    phone: String,
    #[schema(min_length = 1)]
    message: String,
    /// The message of this chat that it answers, by its `id`.
    reply_to: Option<NumberOrName>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// Sends words. Somebody new here becomes a contact with a chat.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/messages/text", tag = "gateway", security(("token" = ["inbox:write"])),
    params(("session_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200,
        pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same as `client_key`, which goes before it.")),
    request_body = SendSessionText, responses((status = 200, body = Told<SessionSent>),
        (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or `WINDOW_CLOSED`")))]
async fn send_session_text(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(id): Word,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendSessionText>,
) -> Sent {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    let client_key = client_key(&headers, body.client_key)?;
    if body.message.trim().is_empty() {
        return Err(ApiError::invalid("message", "The message field is required."));
    }
    let to = recipient(&state, &caller, inbox, &body.phone).await?;
    let reply_to = quoted(&state, &caller, inbox, &to, body.reply_to).await?;
    send(&state, &caller, to, Reply { content: Some(body.message), client_key, reply_to, ..Reply::default() })
        .await
}

/// A file for somebody.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "image": "https://example.org/poster.jpg", "caption": "Besok!" })))]
struct SendSessionMedia {
    /// A number in any notation.
    #[schema(max_length = 100)]
    phone: String,
    /// The picture: a data URI, base64 or an https address, in the field named like the route.
    image: Option<String>,
    /// The document, likewise.
    document: Option<String>,
    /// The sound, likewise.
    audio: Option<String>,
    /// The film, likewise.
    video: Option<String>,
    /// Words beside it.
    caption: Option<String>,
    /// The same as `caption`.
    message: Option<String>,
    /// What to call it.
    #[schema(max_length = 255)]
    filename: Option<String>,
    /// The message of this chat that it answers, by its `id`.
    reply_to: Option<NumberOrName>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// A file for somebody, in a form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct SendSessionMediaForm {
    /// A number in any notation.
    phone: String,
    /// The file; a field named like the route does too.
    #[schema(value_type = String, format = Binary, min_length = 1)]
    file: String,
    /// Words beside it.
    caption: Option<String>,
    /// As in JSON.
    client_key: Option<String>,
}

async fn send_media(
    state: HttpState,
    caller: Caller,
    id: String,
    headers: HeaderMap,
    body: ReplyBody,
    field: &'static str,
) -> Sent {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    let fields = body.read_files(&state, caller.actor(), &FILE_FIELDS).await?;
    let wanted: SendSessionMedia = fields.read()?;
    let client_key = client_key(&headers, wanted.client_key)?;
    let to = recipient(&state, &caller, inbox, &wanted.phone).await?;
    let reply_to = quoted(&state, &caller, inbox, &to, wanted.reply_to).await?;
    let text = match field {
        "image" => wanted.image,
        "document" => wanted.document,
        "audio" => wanted.audio,
        _ => wanted.video,
    };
    let content = wanted.caption.or(wanted.message).filter(|words| !words.trim().is_empty());
    let mut reply =
        Reply { content, client_key, reply_to, as_document: field == "document", ..Reply::default() };
    match (fields.files(), text) {
        ([], None) => return Err(media::refuse(field)),
        ([], Some(text)) => {
            match media::take(&state, caller.actor(), field, &text, wanted.filename.as_deref()).await? {
                File::Kept(file) => reply.attachments = vec![file],
                File::Link(link) => reply.link = Some(link),
            }
        }
        (files, _) => reply.attachments = files.to_vec(),
    }
    let stored = store(&state, &caller, to, reply).await;
    let row = stored.map_err(|error| error.renamed("file.url", field).renamed("attachments", field))?;
    Ok(shown(row))
}

macro_rules! media_routes {
    ($($(#[$doc:meta])* $name:ident $field:literal;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = concat!("/api/v1/sessions/{session_id}/messages/", $field), tag = "gateway",
            security(("token" = ["inbox:write"])),
            params(("session_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200,
                pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same as `client_key`, which goes before it.")),
            request_body(content((SendSessionMedia = "application/json"), (SendSessionMediaForm = "multipart/form-data"))),
            responses((status = 200, body = Told<SessionSent>),
                (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
                (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or `WINDOW_CLOSED`")))]
        async fn $name(
            State(state): State<HttpState>,
            InboxWriter(caller): InboxWriter,
            Word(id): Word,
            headers: HeaderMap,
            body: ReplyBody,
        ) -> Sent {
            send_media(state, caller, id, headers, body, $field).await
        }
    )+};
}

media_routes! {
    /// Sends a picture.
    send_session_image "image";
    /// Sends a file of any kind, as a document.
    send_session_document "document";
    /// Sends sound.
    send_session_audio "audio";
    /// Sends a film.
    send_session_video "video";
}

/// A text with variables for somebody.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "template_id": "thanks", "variables": { "amount": "250.000" } })))]
struct SendSessionTemplate {
    /// A number in any notation.
    #[schema(max_length = 100)]
    phone: String,
    /// A quick reply by its shortcut or number, or an approved template of the session's network as `name` or `name:language`.
    template_id: NumberOrName,
    #[serde(default)]
    variables: GivenValues,
    /// The message of this chat that it answers, by its `id`.
    reply_to: Option<NumberOrName>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// What something is called.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
enum NumberOrName {
    Number(i64),
    Name(String),
}

impl NumberOrName {
    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => name,
        }
    }
}

/// The message that `reply_to` names: by our number, or as its network calls it.
async fn quoted(
    state: &HttpState,
    caller: &Caller,
    inbox: InboxId,
    to: &To,
    name: Option<NumberOrName>,
) -> Result<Option<MessageId>, ApiError> {
    let Some(name) = name.map(NumberOrName::text).filter(|name| !name.trim().is_empty()) else {
        return Ok(None);
    };
    let (account, wanted) = (caller.account_id, name.trim().to_owned());
    let chat = if let To::Conversation(chat) = to { Some(*chat) } else { None };
    let found = state.engine.store.read(move |tx| {
        // Some networks' ids are unique within a chat alone, and kept with it.
        let chat = chat.map(|chat| conversations::find(tx, account, chat)).transpose()?.flatten();
        let within = chat.map(|chat| RemoteId::within(&wanted, &chat.thread));
        for remote_id in [Some(RemoteId::new(wanted.as_str())), within].into_iter().flatten() {
            if let Some(found) = messages::find_by_remote(tx, account, inbox, &remote_id)? {
                return Ok(Some(found));
            }
        }
        wanted.parse().map(MessageId).map_or(Ok(None), |id| messages::find(tx, account, id))
    });
    let found: Option<MessageRow> = found.await?;
    let row = found.filter(|row| row.inbox_id == inbox);
    let row = row.ok_or_else(|| ApiError::invalid("reply_to", "The selected reply_to is invalid."))?;
    Ok(Some(row.id))
}

/// What is filled in: by name, or in the order of the text.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
enum GivenValues {
    Named(BTreeMap<String, GivenValue>),
    Listed(Vec<GivenValue>),
}

/// A value.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
enum GivenValue {
    Text(String),
    Number(Digits),
}

/// A number of any size, with the digits it was written with.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(value_type = f64)]
struct Digits(serde_json::Number);

impl GivenValue {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(Digits(number)) => number.to_string(),
        }
    }
}

impl Default for GivenValues {
    fn default() -> Self {
        Self::Named(BTreeMap::new())
    }
}

impl GivenValues {
    fn read(self) -> quick_replies::Given {
        match self {
            Self::Named(values) => quick_replies::Given::Named(
                values.into_iter().map(|(name, value)| (name, value.text())).collect(),
            ),
            Self::Listed(values) => {
                quick_replies::Given::Listed(values.into_iter().map(GivenValue::text).collect())
            }
        }
    }
}

/// Sends a text of the account, filled in here, or an approved template where the network has such. 422 names the variables
/// without a value, before anything is stored.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/messages/template", tag = "gateway",
    security(("token" = ["inbox:write"])),
    params(("session_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200,
        pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same as `client_key`, which goes before it.")),
    request_body = SendSessionTemplate, responses((status = 200, body = Told<SessionSent>),
        (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, a variable has no value, or `WINDOW_CLOSED`")))]
async fn send_session_template(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(id): Word,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendSessionTemplate>,
) -> Sent {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    let client_key = client_key(&headers, body.client_key)?;
    let to = recipient(&state, &caller, inbox, &body.phone).await?;
    let key = Key::parse(session::person(&body.phone));
    let name = body.template_id.text();
    let reply_to = quoted(&state, &caller, inbox, &to, body.reply_to).await?;
    let given = body.variables.read();
    let engine = &state.engine;
    if let Some(text) = quick_replies::fill_named(engine, &caller, &name, key.clone(), &given).await? {
        return send(
            &state,
            &caller,
            to,
            Reply { content: Some(text), client_key, reply_to, ..Reply::default() },
        )
        .await;
    }
    let wanted = Wanted { name, language: None, values: given.by_number() };
    let template = templates::fill(engine, &caller, &to, key, wanted).await.map_err(|error| match error {
        // The network has no templates of its own, or does not tell them now.
        CrmError::Conflict(_) => ApiError::invalid("template_id", "The selected template_id is invalid."),
        error => error.into(),
    })?;
    let special = Some(Special::Template(template));
    send(&state, &caller, to, Reply { special, client_key, reply_to, ..Reply::default() }).await
}

/// A place for somebody.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "latitude": -6.2, "longitude": 106.8, "name": "Kantor" })))]
struct SendSessionLocation {
    /// A number in any notation.
    #[schema(max_length = 100)]
    phone: String,
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
    name: Option<String>,
    address: Option<String>,
    /// The message of this chat that it answers, by its `id`.
    reply_to: Option<NumberOrName>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// Sends a place.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/messages/location", tag = "gateway",
    security(("token" = ["inbox:write"])),
    params(("session_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200,
        pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same as `client_key`, which goes before it.")),
    request_body = SendSessionLocation, responses((status = 200, body = Told<SessionSent>),
        (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or `WINDOW_CLOSED`")))]
async fn send_session_location(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(id): Word,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendSessionLocation>,
) -> Sent {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    let client_key = client_key(&headers, body.client_key)?;
    let to = recipient(&state, &caller, inbox, &body.phone).await?;
    let reply_to = quoted(&state, &caller, inbox, &to, body.reply_to).await?;
    let SendSessionLocation { latitude, longitude, name, address, .. } = body;
    let special = Some(Special::Location(Location { latitude, longitude, name, address, url: None }));
    send(&state, &caller, to, Reply { special, client_key, reply_to, ..Reply::default() }).await
}

/// A contact card for somebody.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "contact": { "name": "Budi", "phone": "+6281390045513" } })))]
struct SendSessionContact {
    /// A number in any notation.
    #[schema(max_length = 100)]
    phone: String,
    /// One card.
    contact: Option<SessionCard>,
    /// Several.
    #[serde(default)]
    #[schema(max_items = 50)]
    contacts: Vec<SessionCard>,
    /// The message of this chat that it answers, by its `id`.
    reply_to: Option<NumberOrName>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// Somebody on a card.
#[derive(Deserialize, utoipa::ToSchema)]
struct SessionCard {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(max_length = 40)]
    phone: Option<String>,
    /// Further numbers.
    #[serde(default)]
    #[schema(max_items = 20)]
    phones: Vec<String>,
    #[serde(default)]
    #[schema(max_items = 20)]
    emails: Vec<String>,
    #[schema(max_length = 200)]
    organization: Option<String>,
}

impl From<SessionCard> for ContactCard {
    fn from(card: SessionCard) -> Self {
        let labelled =
            |values: Vec<String>| values.into_iter().map(|value| Labelled { value, label: None }).collect();
        let phones = card.phone.into_iter().chain(card.phones).collect();
        Self {
            name: card.name,
            phones: labelled(phones),
            emails: labelled(card.emails),
            organization: card.organization,
        }
    }
}

/// Sends a contact card.
#[utoipa::path(post, path = "/api/v1/sessions/{session_id}/messages/contact", tag = "gateway",
    security(("token" = ["inbox:write"])),
    params(("session_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200,
        pattern = "^[!-~]([ -~]*[!-~])?$", description = "The same as `client_key`, which goes before it.")),
    request_body = SendSessionContact, responses((status = 200, body = Told<SessionSent>),
        (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or `WINDOW_CLOSED`")))]
async fn send_session_contact(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(id): Word,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendSessionContact>,
) -> Sent {
    let inbox = session::find(&state, caller.account_id, &id).await?.config.id;
    let client_key = client_key(&headers, body.client_key)?;
    let to = recipient(&state, &caller, inbox, &body.phone).await?;
    let reply_to = quoted(&state, &caller, inbox, &to, body.reply_to).await?;
    let cards: Vec<ContactCard> =
        body.contact.into_iter().chain(body.contacts).map(ContactCard::from).collect();
    if cards.is_empty() {
        return Err(ApiError::invalid("contact", "The contact field is required."));
    }
    let special = Some(Special::Contacts(cards));
    send(&state, &caller, to, Reply { special, client_key, reply_to, ..Reply::default() }).await
}
