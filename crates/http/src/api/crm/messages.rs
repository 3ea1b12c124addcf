//! Writing to donors by their numbers: in the conversation with their newest message.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use frontdesk_engine::caller::Caller;
use frontdesk_engine::crm::templates::{self, Wanted};
use frontdesk_engine::crm::{Key, chats, quick_replies};
use frontdesk_engine::replies::{self, Author, Reply, Special, To};
use frontdesk_model::QuickReplyId;
use frontdesk_model::message::MessageStatus;
use frontdesk_routes::{Gather, routes};
use frontdesk_store::messages::{self, MessageRow};
use serde::{Deserialize, Serialize};

use super::sessions;
use crate::api::envelope::EnvelopeRefusal;
use crate::api::reply_body::{ReplyBody, idempotency_key};
use crate::auth::InboxWriter;
use crate::error::ApiError;
use crate::input::JsonBody;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(send_to_donor))
        .routes(routes!(send_template))
        .routes(routes!(send_quick_reply))
}

/// A message for a donor.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "message": "Terima kasih!", "type": "text" })))]
struct SendToDonor {
    /// A number in any notation, or `id:12`.
    phone: String,
    /// The words, or the caption of the file.
    #[schema(min_length = 1)]
    message: Option<String>,
    /// What the message is; absent is `text`. The others come as a form with the `file`.
    #[serde(rename = "type")]
    kind: Option<DonorMessageType>,
    /// The inbox that writes, by its id or as its provider calls it; absent: the session that was switched to, else the one of the newest conversation.
    #[schema(max_length = 200)]
    session_id: Option<String>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// What a message for a donor is.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum DonorMessageType {
    /// Words.
    Text,
    /// A picture.
    Image,
    /// A file of any kind.
    Document,
}

/// A message for a donor with its file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct SendToDonorForm {
    /// A number in any notation, or `id:12`.
    phone: String,
    /// The caption.
    message: Option<String>,
    #[schema(inline)]
    r#type: DonorMessageType,
    /// The file.
    #[schema(value_type = String, format = Binary, min_length = 1)]
    file: String,
    /// As in JSON.
    session_id: Option<String>,
    /// As in JSON.
    client_key: Option<String>,
}

/// A stored message: its status tells later how far it has come.
#[derive(Serialize, utoipa::ToSchema)]
struct SentToDonor {
    /// True.
    success: bool,
    data: SentToDonorData,
    message: String,
}

/// Which message, and where.
#[derive(Serialize, utoipa::ToSchema)]
struct SentToDonorData {
    id: i64,
    chat_id: String,
    status: MessageStatus,
    /// As it is sent.
    #[schema(required = true)]
    content: Option<String>,
}

/// Sends words or a file to a donor: in their newest conversation, or as the first message where a network takes one.
#[utoipa::path(post, path = "/api/crm/messages/send", tag = "crm", security(("token" = ["inbox:write"])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The same as `client_key`, which goes before it.")),
    request_body(content((SendToDonor = "application/json"), (SendToDonorForm = "multipart/form-data"))),
    responses((status = 200, body = SentToDonor),
        (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or `WINDOW_CLOSED`")))]
async fn send_to_donor(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    headers: HeaderMap,
    body: ReplyBody,
) -> Result<Json<SentToDonor>, ApiError> {
    let fields = body.read(&state, caller.actor()).await?;
    let SendToDonor { phone, message, kind, session_id, client_key } = fields.read()?;
    let kind = kind.unwrap_or(DonorMessageType::Text);
    if kind != DonorMessageType::Text && fields.files().is_empty() {
        return Err(ApiError::invalid("file", "The file field is required: send it as multipart/form-data."));
    }
    if kind == DonorMessageType::Text && fields.files().is_empty() && message.is_none() {
        return Err(ApiError::invalid("message", "The message field is required."));
    }
    let client_key = client_key.map_or_else(|| idempotency_key(&headers), |key| Ok(Some(key)))?;
    let to = chats::find(
        &state.engine,
        caller.account_id,
        Key::parse(&phone),
        sessions::chosen(&state, &caller, session_id).await?,
    )
    .await?;
    let attachments = fields.files().to_vec();
    send(&state, &caller, to, Reply { content: message, attachments, client_key, ..Reply::default() }).await
}

/// An approved template for a donor.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "template_id": "receipt:id", "variables": ["Siti", "250.000"] })))]
struct SendTemplateToDonor {
    /// A number in any notation, or `id:12`.
    phone: String,
    /// Its name, or `name:language`.
    #[schema(max_length = 600)]
    template_id: String,
    #[serde(default)]
    variables: TemplateValues,
    /// Absent: the first there is.
    #[schema(max_length = 20)]
    language: Option<String>,
    /// The inbox that writes, by its id or as its provider calls it; absent: the session that was switched to, else the one of the newest conversation.
    #[schema(max_length = 200)]
    session_id: Option<String>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// What is filled in: by name (`body.NAME`, `header.NAME` and `button.NAME` go before `NAME`, `file` is the address of a header's
/// file), or in order. What a template calls `name`, `first_name`, `last_donation` and so on is known.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
enum TemplateValues {
    Named(BTreeMap<String, String>),
    Listed(Vec<String>),
}

impl Default for TemplateValues {
    fn default() -> Self {
        Self::Named(BTreeMap::new())
    }
}

impl TemplateValues {
    fn by_name(self) -> BTreeMap<String, String> {
        match self {
            Self::Named(values) => values,
            Self::Listed(values) => {
                values.into_iter().enumerate().map(|(at, value)| ((at + 1).to_string(), value)).collect()
            }
        }
    }
}

/// Sends an approved template to a donor, filled in: possible when nobody has written for long. 422 names the variables that
/// have no value, before anything is stored.
#[utoipa::path(post, path = "/api/crm/messages/template", tag = "crm", security(("token" = ["inbox:write"])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The same as `client_key`, which goes before it.")),
    request_body = SendTemplateToDonor, responses((status = 200, body = SentToDonor),
        (status = 409, body = EnvelopeRefusal, description = "The inbox has no templates, its provider refused, \
            `CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or a variable has no value")))]
async fn send_template(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendTemplateToDonor>,
) -> Result<Json<SentToDonor>, ApiError> {
    let key = Key::parse(&body.phone);
    let client_key = body.client_key.map_or_else(|| idempotency_key(&headers), |key| Ok(Some(key)))?;
    let to = chats::find(
        &state.engine,
        caller.account_id,
        key.clone(),
        sessions::chosen(&state, &caller, body.session_id).await?,
    )
    .await?;
    let wanted = Wanted { name: body.template_id, language: body.language, values: body.variables.by_name() };
    let template = templates::fill(&state.engine, &caller, &to, key, wanted).await?;
    let special = Some(Special::Template(template));
    send(&state, &caller, to, Reply { special, client_key, ..Reply::default() }).await
}

/// A text to send to a donor.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "phone": "6282119499306", "template_id": 1 })))]
struct SendQuickReply {
    /// A number in any notation, or `id:12`.
    phone: String,
    /// Which text.
    template_id: i64,
    /// Values beside those that are known; they stand before them.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// The inbox that writes, by its id or as its provider calls it; absent: the session that was switched to, else the one of the newest conversation.
    #[schema(max_length = 200)]
    session_id: Option<String>,
    /// The same key is the same message; `Idempotency-Key` does too.
    #[schema(max_length = 200)]
    client_key: Option<String>,
}

/// Sends a quick reply to a donor, filled in. 422 names the variables that have no value.
#[utoipa::path(post, path = "/api/crm/messages/quick-reply", tag = "crm", security(("token" = ["inbox:write"])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The same as `client_key`, which goes before it.")),
    request_body = SendQuickReply, responses((status = 200, body = SentToDonor),
        (status = 409, body = EnvelopeRefusal, description = "`CONVERSATION_CLOSED` or `IDEMPOTENCY_CONFLICT`"),
        (status = 422, body = EnvelopeRefusal, description = "A field is wrong, or `WINDOW_CLOSED`")))]
async fn send_quick_reply(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendQuickReply>,
) -> Result<Json<SentToDonor>, ApiError> {
    let key = Key::parse(&body.phone);
    let client_key = body.client_key.map_or_else(|| idempotency_key(&headers), |key| Ok(Some(key)))?;
    let id = QuickReplyId(body.template_id);
    let text = quick_replies::fill(&state.engine, &caller, id, key.clone(), body.variables).await;
    let text = text.map_err(|error| match error {
        frontdesk_engine::crm::CrmError::NotFound("quick reply") => {
            ApiError::invalid("template_id", "The selected template_id is invalid.")
        }
        error => error.into(),
    })?;
    let to = chats::find(
        &state.engine,
        caller.account_id,
        key,
        sessions::chosen(&state, &caller, body.session_id).await?,
    )
    .await?;
    send(&state, &caller, to, Reply { content: Some(text), client_key, ..Reply::default() }).await
}

async fn send(
    state: &HttpState,
    caller: &Caller,
    to: To,
    reply: Reply,
) -> Result<Json<SentToDonor>, ApiError> {
    let row = store(state, caller, to, reply).await?;
    let data = SentToDonorData {
        id: row.id.0,
        chat_id: row.conversation_id.to_string(),
        status: row.status,
        content: row.content,
    };
    Ok(Json(SentToDonor { success: true, data, message: "The message is stored and queued.".to_owned() }))
}

/// Stores and queues a message, and reads it back.
pub(in crate::api) async fn store(
    state: &HttpState,
    caller: &Caller,
    to: To,
    reply: Reply,
) -> Result<MessageRow, ApiError> {
    let author = Author { actor: caller.actor(), name: caller.name.clone() };
    let stored = replies::reply(&state.engine, author, to, reply).await?;
    let (account, id) = (caller.account_id, stored.messages.first().copied());
    let id = id.ok_or_else(|| ApiError::not_found("message"))?;
    let row = state.engine.store.read(move |tx| messages::find(tx, account, id)).await?;
    row.ok_or_else(|| ApiError::not_found("message"))
}
