//! What is told: the names, and the bodies `{event, data}`.
//!
//! Names and fields are those that integrators of WhatsApp gateways know; fields are added, never renamed or taken away.

use frontdesk_model::content::Payload;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, StatusError};
use frontdesk_model::{AccountId, InboxId, MessageId, Timestamp};
use frontdesk_store::attachments::AttachmentState;
use frontdesk_store::events::{Event, EventKind};
use frontdesk_store::{StoreError, Tx, contacts, conversations, messages};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Engine;
use crate::inboxes::{Inbox, InboxBook};
use crate::views::{AttachmentView, MessageView, Viewer};

frontdesk_model::words! {
    /// What an endpoint can be told.
    pub enum WebhookEvent {
        /// A customer wrote.
        MessageReceived = "message.received",
        /// A customer's message was changed or taken back, or its files came late.
        MessageUpdated = "message.updated",
        /// A message of ours came further, or failed.
        MessageStatus = "message.status",
        /// A session was connected, or lost its connection.
        SessionStatus = "session.status",
        /// There is another code to scan.
        SessionQr = "session.qr",
        /// A customer began or stopped typing.
        Typing = "typing",
        /// Somebody tries whether deliveries arrive.
        Test = "webhook.test",
    }
}

/// Something to be told of the event log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct News {
    pub(super) seq: i64,
    pub(super) event: WebhookEvent,
    pub(super) inbox: InboxId,
    /// What is told in order.
    pub(super) lane: String,
    pub(super) message: Option<MessageId>,
    /// Its files are still on their way.
    pub(super) is_incomplete: bool,
    pub(super) body: String,
}

/// A body as it is sent.
pub(super) fn body(event: WebhookEvent, data: &impl Serialize) -> String {
    // Our own structs have text keys only: this cannot fail.
    serde_json::to_string(&json!({ "event": event, "data": data })).unwrap_or_default()
}

/// A phone number as gateways write it: digits alone.
pub fn bare_phone(phone: &str) -> &str {
    phone.trim_start_matches('+')
}

/// How programs name a message: a customer's as its network does, ours by our number, which is known before it is sent.
pub fn message_id(message: &MessageView) -> String {
    match (&message.direction, &message.platform_message_id) {
        (Direction::Inbound, Some(id)) => id.clone(),
        _ => message.id.to_string(),
    }
}

/// A session's state in the three words that every client knows.
pub const fn session_status(code: ConnectionCode) -> &'static str {
    match code {
        ConnectionCode::Connected | ConnectionCode::Degraded => "connected",
        ConnectionCode::Connecting => "connecting",
        ConnectionCode::Reconnect | ConnectionCode::Paused | ConnectionCode::Unreachable => "disconnected",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageData<'a> {
    from: String,
    push_name: Option<String>,
    /// The words; `[image]` where there are none.
    message: String,
    #[serde(rename = "type")]
    kind: MessageKind,
    id: String,
    timestamp: Timestamp,
    session_id: &'a str,
    inbox_id: InboxId,
    chat_id: String,
    /// Our own number of the message.
    message_id: i64,
    caption: Option<String>,
    media_url: Option<String>,
    media: Vec<Media>,
    /// Places, cards, buttons: what the kind has beside words.
    #[serde(skip_serializing_if = "Payload::is_empty")]
    payload: Payload,
    reply_to_message_id: Option<i64>,
    /// The message it answers.
    quoted: Option<Quoted>,
    is_forwarded: bool,
    is_deleted: bool,
    edited_at: Option<Timestamp>,
}

/// The message that another one answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Quoted {
    /// As webhooks and answers name it: a customer's as its network does, ours by our number.
    id: String,
    /// What its network calls it.
    wa_message_id: String,
    /// Our own number of it, where it is here.
    message_id: Option<MessageId>,
    /// Whether we wrote it, where it is here.
    from_me: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Media {
    url: Option<String>,
    mime_type: Option<String>,
    file_name: Option<String>,
    size_bytes: Option<i64>,
    state: AttachmentState,
}

impl Media {
    fn of(file: &AttachmentView, public_url: &str) -> Self {
        Self {
            url: file.url.as_ref().map(|path| format!("{public_url}{path}")),
            mime_type: file.mime_type.clone(),
            file_name: file.file_name.clone(),
            size_bytes: file.size_bytes,
            state: file.state,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusData<'a> {
    id: String,
    status: MessageStatus,
    timestamp: Timestamp,
    session_id: &'a str,
    inbox_id: InboxId,
    chat_id: String,
    /// Our own number of the message.
    message_id: i64,
    /// What its network calls it, once it was sent.
    wa_message_id: Option<String>,
    /// The key that it was sent with.
    client_key: Option<String>,
    error: Option<StatusError>,
}

/// Reads an event of the log as something to be told; `None` for what nobody is told.
pub(super) fn read(
    tx: &mut Tx<'_>,
    engine: &Engine,
    viewer: &Viewer,
    book: &InboxBook,
    event: &Event,
) -> Result<Option<News>, StoreError> {
    match event.kind {
        EventKind::MessageReceived | EventKind::MessageUpdated | EventKind::MessageStatusUpdated => {
            let Some(id) = event.message_id else { return Ok(None) };
            let Some(message) = viewer.message_by_id(tx, event.account_id, id)? else { return Ok(None) };
            let Some(inbox) = book.find(message.inbox_id) else { return Ok(None) };
            of_message(tx, engine, inbox, event, &message)
        }
        EventKind::InboxStateChanged => Ok(of_inbox(book, event)),
        _ => Ok(None),
    }
}

fn of_message(
    tx: &mut Tx<'_>,
    engine: &Engine,
    inbox: &Inbox,
    event: &Event,
    message: &MessageView,
) -> Result<Option<News>, StoreError> {
    let (account, is_inbound) = (event.account_id, message.direction == Direction::Inbound);
    let (name, body) = match event.kind {
        EventKind::MessageStatusUpdated if !is_inbound && is_told(message.status) => {
            (WebhookEvent::MessageStatus, body(WebhookEvent::MessageStatus, &status_data(inbox, message)))
        }
        EventKind::MessageReceived if is_inbound => {
            let data = message_data(tx, engine, inbox, account, message)?;
            (WebhookEvent::MessageReceived, body(WebhookEvent::MessageReceived, &data))
        }
        EventKind::MessageUpdated if is_inbound => {
            let data = message_data(tx, engine, inbox, account, message)?;
            (WebhookEvent::MessageUpdated, body(WebhookEvent::MessageUpdated, &data))
        }
        _ => return Ok(None),
    };
    Ok(Some(News {
        seq: event.seq,
        event: name,
        inbox: message.inbox_id,
        lane: lane(message.conversation_id.0),
        message: Some(message.id),
        is_incomplete: message.attachments.iter().any(|file| file.state == AttachmentState::Pending),
        body,
    }))
}

/// What is told in order: everything about one conversation.
pub(super) fn lane(conversation: i64) -> String {
    format!("c{conversation}")
}

/// What goes on within the server before a message is sent is nobody else's business.
const fn is_told(status: MessageStatus) -> bool {
    !matches!(status, MessageStatus::Received | MessageStatus::Queued | MessageStatus::Sending)
}

fn status_data<'a>(inbox: &'a Inbox, message: &MessageView) -> StatusData<'a> {
    StatusData {
        id: message_id(message),
        status: message.status,
        timestamp: message.updated_at,
        session_id: inbox.called(),
        inbox_id: message.inbox_id,
        chat_id: message.conversation_id.to_string(),
        message_id: message.id.0,
        wa_message_id: message.platform_message_id.clone(),
        client_key: message.client_key.clone(),
        error: message.status_error.clone(),
    }
}

fn message_data<'a>(
    tx: &mut Tx<'_>,
    engine: &Engine,
    inbox: &'a Inbox,
    account: AccountId,
    message: &MessageView,
) -> Result<MessageData<'a>, StoreError> {
    let contact = contacts::find(tx, account, message.customer_id)?;
    let phone = contact.as_ref().and_then(|contact| contact.phone.as_deref());
    let from = match phone {
        Some(phone) => bare_phone(phone).to_owned(),
        None => conversations::find(tx, account, message.conversation_id)?
            .map(|row| row.thread)
            .unwrap_or_default(),
    };
    let public_url = &engine.settings.public_url;
    let media: Vec<Media> = message.attachments.iter().map(|file| Media::of(file, public_url)).collect();
    let words = message.content.clone().filter(|words| !words.is_empty());
    Ok(MessageData {
        from,
        push_name: contact.and_then(|contact| contact.name),
        message: words.clone().unwrap_or_else(|| format!("[{}]", message.kind)),
        kind: message.kind,
        id: message_id(message),
        timestamp: message.created_at,
        session_id: inbox.called(),
        inbox_id: message.inbox_id,
        chat_id: message.conversation_id.to_string(),
        message_id: message.id.0,
        caption: words.filter(|_| !media.is_empty()),
        media_url: media.first().and_then(|file| file.url.clone()),
        media,
        payload: message.payload.clone(),
        quoted: quoted(tx, account, message)?,
        reply_to_message_id: message.reply_to.as_ref().and_then(|quote| quote.id).map(|id| id.0),
        is_forwarded: message.forwarded,
        is_deleted: message.deleted_at.is_some(),
        edited_at: message.edited_at,
    })
}

fn quoted(tx: &mut Tx<'_>, account: AccountId, message: &MessageView) -> Result<Option<Quoted>, StoreError> {
    if message.reply_to.is_none() {
        return Ok(None);
    }
    let row = messages::find(tx, account, message.id)?;
    let Some(remote_id) = row.and_then(|row| row.reply_to) else { return Ok(None) };
    let found = messages::find_by_remote(tx, account, message.inbox_id, &remote_id)?;
    let from_me = found.as_ref().map(|row| row.direction == Direction::Outbound);
    let message_id = found.map(|row| row.id);
    let wa_message_id = remote_id.as_written().to_owned();
    let id = match message_id {
        Some(id) if from_me == Some(true) => id.to_string(),
        _ => wa_message_id.clone(),
    };
    Ok(Some(Quoted { id, wa_message_id, message_id, from_me }))
}

fn of_inbox(book: &InboxBook, event: &Event) -> Option<News> {
    let told: Value = serde_json::from_str(event.data.as_deref()?).ok()?;
    let inbox = book.find(InboxId(told["inbox_id"].as_i64()?))?;
    let state: ConnectionState = serde_json::from_value(told["state"].clone()).ok()?;
    let data = session_data(inbox, &state, told.get("session"));
    Some(News {
        seq: event.seq,
        event: WebhookEvent::SessionStatus,
        inbox: inbox.config.id,
        lane: format!("i{}", inbox.config.id),
        message: None,
        is_incomplete: false,
        body: body(WebhookEvent::SessionStatus, &data),
    })
}

/// What is told of the state of a session; `session` is what a linked phone says of itself beside it.
pub fn session_data(inbox: &Inbox, state: &ConnectionState, session: Option<&Value>) -> Value {
    let mut data = json!({
        "sessionId": inbox.called(),
        "status": session_status(state.code),
        "state": state.code,
        "message": state.message,
        "action": state.action,
        "since": state.since,
        "inboxId": inbox.config.id,
        "channel": inbox.config.channel,
    });
    if let (Some(data), Some(session)) = (data.as_object_mut(), session.and_then(Value::as_object)) {
        data.extend(session.clone());
    }
    data
}
