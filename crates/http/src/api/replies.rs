//! Writing to customers: a reply in a conversation, or the first message to a number.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use frontdesk_engine::caller::Caller;
use frontdesk_engine::replies::{self, Author, Reply, ReplyError, To};
use frontdesk_engine::views::{MessageView, Viewer};
use frontdesk_model::{AccountId, ConversationId, MessageId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::StoreError;
use serde::Serialize;
use serde_json::json;

use super::reply_body::{
    Addressee, FirstMessage, FirstMessageForm, ReplyBody, ReplyForm, SendMessage, idempotency_key,
    read_reaction, read_reply,
};
use crate::auth::InboxWriter;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::Ids;
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(send_message)).routes(routes!(write_first))
}

/// A stored reply. Text and files that the network carries apart become several messages: the first is answered with,
/// the others are beside it.
#[derive(Serialize, utoipa::ToSchema)]
struct SentMessage {
    #[serde(flatten)]
    message: MessageView,
    /// The other messages of the same reply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    companions: Vec<MessageView>,
}

/// Replies to the customer.
///
/// The message is stored and queued; its status tells how far it has come. A reaction is shown at once, its `status`
/// beside it; when it cannot be sent, it is taken back and the event `ReactionFailed` says why. Files go by address, by id,
/// or with the message in a form.
#[utoipa::path(post, path = "/admin/inbox/{id}/messages", tag = "inbox", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The same as `client_key`, which goes before it.", example = "7b0c2a9e-5d0f-4d6f-8a51-1f5f7f6f0c11")),
    request_body(content((SendMessage = "application/json"), (ReplyForm = "multipart/form-data"))),
    responses((status = 201, description = "Stored and queued", body = SentMessage),
        (status = 200, description = "Stored before under the same key", body = SentMessage),
        (status = 409, body = ErrorBody, description = "`CONVERSATION_CLOSED`, `NEWER_MESSAGES` (a colleague was faster), \
            `IDEMPOTENCY_CONFLICT` (the key was used for something else) or `CONFLICT` (the inbox was removed)"),
        (status = 422, body = ErrorBody, description = "A field is wrong, or `WINDOW_CLOSED`: the network takes no such \
            message now")))]
async fn send_message(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    headers: HeaderMap,
    body: ReplyBody,
) -> Result<(StatusCode, Json<SentMessage>), ApiError> {
    let key = idempotency_key(&headers)?;
    let body = body.read(&state, caller.actor()).await?.message()?;
    if let Some(reaction) = read_reaction(&body, key.clone())? {
        let message = reaction.message;
        let author = Author { actor: caller.actor(), name: caller.name.clone() };
        let new = replies::react(&state.engine, author, id, reaction).await?;
        return answer(&state, &caller, vec![message], new).await;
    }
    send(&state, &caller, id.into(), read_reply(body, key)?).await
}

/// Writes to somebody known by number, who may never have written.
///
/// Finds the conversation with them in the inbox or begins one; the rest is a reply as any other. Where a network takes free
/// text only for a while after the customer wrote (WhatsApp Cloud API), the first message has to be a template. A key counts for
/// one recipient. Conversations on Messenger and Instagram cannot be begun.
#[utoipa::path(post, path = "/api/v1/messages", tag = "conversations", security(("token" = ["inbox:write"])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "The same as `client_key`, which goes before it.", example = "booking-2041-confirmed")),
    request_body(content((FirstMessage = "application/json"), (FirstMessageForm = "multipart/form-data"))),
    responses((status = 201, description = "Stored and queued", body = SentMessage),
        (status = 200, description = "Stored before under the same key", body = SentMessage),
        (status = 404, body = ErrorBody, description = "There is no such inbox in this account"),
        (status = 409, body = ErrorBody, description = "`CONVERSATION_CLOSED` (`details.conversation_id` tells which), \
            `NEWER_MESSAGES` (a colleague was faster) or `IDEMPOTENCY_CONFLICT` (the key was used for something else)"),
        (status = 422, body = ErrorBody, description = "A field is wrong, or `WINDOW_CLOSED`: the network takes no such \
            message now")))]
async fn write_first(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    headers: HeaderMap,
    body: ReplyBody,
) -> Result<(StatusCode, Json<SentMessage>), ApiError> {
    let key = idempotency_key(&headers)?;
    let fields = body.read(&state, caller.actor()).await?;
    let to: Addressee = fields.read()?;
    let message = fields.message()?;
    if read_reaction(&message, None)?.is_some() {
        return Err(ApiError::invalid("reaction", "React in the conversation that holds the message."));
    }
    send(&state, &caller, To::Recipient(to.into_recipient()), read_reply(message, key)?).await
}

async fn send(
    state: &HttpState,
    caller: &Caller,
    to: To,
    reply: Reply,
) -> Result<(StatusCode, Json<SentMessage>), ApiError> {
    let author = Author { actor: caller.actor(), name: caller.name.clone() };
    match replies::reply(&state.engine, author, to, reply).await {
        Ok(stored) => answer(state, caller, stored.messages, stored.new).await,
        Err(ReplyError::Newer(ids)) => {
            let messages = views_of(state, caller.account_id, ids).await?;
            Err(colleague_was_faster(&messages))
        }
        Err(error) => Err(error.into()),
    }
}

async fn answer(
    state: &HttpState,
    caller: &Caller,
    ids: Vec<MessageId>,
    new: bool,
) -> Result<(StatusCode, Json<SentMessage>), ApiError> {
    let mut views = views_of(state, caller.account_id, ids).await?.into_iter();
    let message = views.next().ok_or_else(|| ApiError::not_found("message"))?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(SentMessage { message, companions: views.collect() })))
}

async fn views_of(
    state: &HttpState,
    account: AccountId,
    ids: Vec<MessageId>,
) -> Result<Vec<MessageView>, ApiError> {
    let viewer = Viewer::new(&state.engine).await?;
    let views = state.engine.store.read(move |tx| {
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.extend(viewer.message_by_id(tx, account, *id)?);
        }
        Ok::<_, StoreError>(found)
    });
    Ok(views.await?)
}

fn colleague_was_faster(messages: &[MessageView]) -> ApiError {
    let sentence = "A colleague has replied since. Read it, or send with \"force\": true.";
    ApiError::new(ErrorCode::NewerMessages, sentence).with_detail("messages", json!(messages))
}

impl From<ReplyError> for ApiError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::NotFound => Self::not_found("conversation or message"),
            ReplyError::Closed(id) => Self::new(
                ErrorCode::ConversationClosed,
                "The conversation is closed. Set its status to active to reply.",
            )
            .with_detail("conversation_id", id.0),
            ReplyError::WindowClosed { expired_at, templates } => {
                let sentence = match (templates, expired_at) {
                    (true, None) => "The customer has not written yet: only a template can be sent.",
                    (true, Some(_)) => {
                        "The customer's last message is more than 24 hours old: only a template can be sent."
                    }
                    (false, _) => {
                        "The customer's last message is too old: the network takes no reply until they write again."
                    }
                };
                Self::new(ErrorCode::WindowClosed, sentence)
                    .with_detail("expired_at", json!(expired_at))
                    .with_detail("templates", templates)
            }
            ReplyError::Invalid(fields) => Self::invalid_fields(fields),
            ReplyError::KeyConflict(id) => Self::new(
                ErrorCode::IdempotencyConflict,
                "This key was used for a message with other content.",
            )
            .with_detail("message_id", id.0),
            ReplyError::Newer(_) => colleague_was_faster(&[]),
            ReplyError::InboxGone => Self::new(
                ErrorCode::Conflict,
                "The inbox of this conversation was removed. Connect it again to reply.",
            ),
            ReplyError::NoInbox => Self::not_found("inbox"),
            ReplyError::NotKept(error) => error.into(),
            error @ ReplyError::FileElsewhere => Self::internal(error),
            ReplyError::NotSentYet => Self::new(
                ErrorCode::Conflict,
                "This message has not been sent yet. React when it has one tick.",
            ),
            ReplyError::NotSettleable => Self::new(
                ErrorCode::Conflict,
                "Only a message that failed, or whose fate is unknown, can be sent again.",
            ),
            ReplyError::Store(error) => error.into(),
        }
    }
}
