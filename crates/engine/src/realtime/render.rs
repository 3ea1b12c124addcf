//! Turning events of the log into what clients are told.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, StatusError};
use frontdesk_model::{AccountId, ContactId, ConversationId, InboxId, MessageId, Timestamp};
use frontdesk_store::events::{Event, EventKind};
use frontdesk_store::{StoreError, Tx, conversations, messages};
use serde::Serialize;

use crate::Engine;
use crate::crm::profile::{self, Metrics};
use crate::views::{AttachmentView, ConversationView, MessageView, Viewer};

/// What one event looks like to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its number.
    pub seq: i64,
    /// Its name without the namespace: `MessageReceived`.
    pub name: &'static str,
    /// The same for listeners of the inbox channels under another name and in another shape: `NewMessageReceived`,
    /// `SessionStatusChanged`. Absent where it was not asked for.
    pub also: Option<(&'static str, String)>,
    /// JSON; an object that begins with `seq`.
    pub data: String,
}

impl Rendered {
    /// The name on the wire: Echo's `.listen('X')` binds `App\Events\X`.
    pub fn wire_name(&self) -> String {
        wire_name(self.name)
    }
}

/// `App\Events\{name}`.
pub fn wire_name(name: &str) -> String {
    format!("App\\Events\\{name}")
}

/// Rendering failed; the same events may be rendered again later.
#[derive(Debug, thiserror::Error)]
#[error("events cannot be rendered")]
pub struct RenderError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl RenderError {
    /// Rendering failed because of `cause`.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Renders events. Given to the tail, so that it can be tested without the rows.
#[async_trait]
pub trait EventRenderer: Send + Sync {
    /// Renders events of one account: one result for each, in the same order, also when a row is gone. What only the inbox
    /// channels are told (`also`) takes longer than all the rest, and is made if `for_inbox_channels` alone.
    async fn render(&self, events: &[Event], for_inbox_channels: bool) -> Result<Vec<Rendered>, RenderError>;
}

/// Renders events from the rows as they are now, all of one page from one moment.
pub struct ViewRenderer {
    engine: Engine,
}

impl ViewRenderer {
    /// Renders with the views of this engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

#[async_trait]
impl EventRenderer for ViewRenderer {
    async fn render(&self, events: &[Event], for_inbox_channels: bool) -> Result<Vec<Rendered>, RenderError> {
        let viewer = Viewer::new(&self.engine).await.map_err(RenderError::new)?;
        let events = events.to_vec();
        let rendered = self.engine.store.read(move |tx| {
            let page = Page::read(tx, &viewer, &events, for_inbox_channels)?;
            Ok::<_, StoreError>(events.iter().map(|event| render_one(&page, &viewer, event)).collect())
        });
        rendered.await.map_err(RenderError::new)
    }
}

#[derive(Serialize)]
struct MessageReceived<'a> {
    seq: i64,
    message: Option<&'a MessageView>,
    conversation: Option<&'a ConversationView>,
}

#[derive(Serialize)]
struct MessageUpdated<'a> {
    seq: i64,
    message: Option<&'a MessageView>,
}

#[derive(Serialize)]
struct MessageRemoved {
    seq: i64,
    message_id: Option<MessageId>,
    conversation_id: Option<ConversationId>,
}

#[derive(Serialize)]
struct ReactionFailed {
    seq: i64,
    message_id: Option<MessageId>,
    conversation_id: Option<ConversationId>,
    /// `{sender_id, emoji, error: {code, message, action}}`
    #[serde(flatten)]
    told: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct MessageStatusUpdated<'a> {
    seq: i64,
    message_id: Option<MessageId>,
    conversation_id: Option<ConversationId>,
    status: Option<MessageStatus>,
    status_error: Option<&'a StatusError>,
    message: Option<&'a MessageView>,
}

#[derive(Serialize)]
struct ConversationStatusChanged<'a> {
    seq: i64,
    conversation_id: Option<ConversationId>,
    status: Option<ConversationStatus>,
    previous_status: Option<&'a str>,
    conversation: Option<&'a ConversationView>,
}

#[derive(Serialize)]
struct ConversationUpdated<'a> {
    seq: i64,
    conversation: Option<&'a ConversationView>,
}

#[derive(Serialize)]
struct ConversationMerged<'a> {
    seq: i64,
    /// The one that is gone.
    conversation_id: Option<ConversationId>,
    /// Where its messages are now.
    into_id: Option<ConversationId>,
    conversation: Option<&'a ConversationView>,
}

#[derive(Serialize)]
struct ContactUpdated {
    seq: i64,
    contact_id: Option<i64>,
}

#[derive(Serialize)]
struct InboxStateChanged {
    seq: i64,
    #[serde(flatten)]
    inbox: serde_json::Map<String, serde_json::Value>,
}

/// What the events of a page are about, asked for all at once: a hundred events of ten conversations ask for ten.
struct Page {
    messages: HashMap<MessageId, MessageView>,
    conversations: HashMap<ConversationId, ConversationView>,
    /// The figures of those whose messages came in; `None` where the inbox channels are told nothing.
    metrics: Option<HashMap<ContactId, Metrics>>,
}

impl Page {
    fn read(
        tx: &mut Tx<'_>,
        viewer: &Viewer,
        events: &[Event],
        for_inbox_channels: bool,
    ) -> Result<Self, StoreError> {
        let Some(account) = events.first().map(|event| event.account_id) else {
            return Ok(Self { messages: HashMap::new(), conversations: HashMap::new(), metrics: None });
        };
        let ids: BTreeSet<_> = events.iter().filter_map(|event| event.message_id).collect();
        let rows = messages::find_many(tx, account, ids)?;
        let messages: HashMap<_, _> =
            viewer.messages(tx, rows)?.into_iter().map(|view| (view.id, view)).collect();
        let ids: BTreeSet<_> = events.iter().filter_map(shown_conversation).collect();
        let rows = conversations::find_many(tx, account, ids)?;
        let conversations = viewer.conversations(tx, rows)?.into_iter().map(|view| (view.id, view)).collect();
        let metrics =
            for_inbox_channels.then(|| Self::metrics(tx, account, events, &messages)).transpose()?;
        Ok(Self { messages, conversations, metrics })
    }

    fn metrics(
        tx: &mut Tx<'_>,
        account: AccountId,
        events: &[Event],
        messages: &HashMap<MessageId, MessageView>,
    ) -> Result<HashMap<ContactId, Metrics>, StoreError> {
        let came_in = events.iter().filter(|event| event.kind == EventKind::MessageReceived);
        let came_in = came_in.filter_map(|event| messages.get(&event.message_id?));
        let people: BTreeSet<_> = came_in
            .filter(|message| message.direction == Direction::Inbound)
            .map(|message| message.customer_id)
            .collect();
        match events.iter().map(|event| event.created_at).max() {
            Some(now) if !people.is_empty() => {
                profile::metrics_in(tx, account, &people.into_iter().collect::<Vec<_>>(), now)
            }
            _ => Ok(HashMap::new()),
        }
    }
}

/// The conversation an event shows.
fn shown_conversation(event: &Event) -> Option<ConversationId> {
    match event.kind {
        EventKind::MessageReceived
        | EventKind::ConversationStatusChanged
        | EventKind::ConversationUpdated => event.conversation_id,
        EventKind::ConversationMerged => merged_into(event),
        _ => None,
    }
}

/// The conversation that stays.
fn merged_into(event: &Event) -> Option<ConversationId> {
    event.data.as_deref().and_then(|id| id.parse().ok()).map(ConversationId)
}

fn render_one(page: &Page, viewer: &Viewer, event: &Event) -> Rendered {
    let message = event.message_id.and_then(|id| page.messages.get(&id));
    let conversation = shown_conversation(event).and_then(|id| page.conversations.get(&id));
    let seq = event.seq;
    let mut also = None;
    let (name, data) = match event.kind {
        EventKind::MessageReceived => {
            let inbound = message.filter(|message| message.direction == Direction::Inbound);
            if let (Some(message), Some(metrics)) = (inbound, &page.metrics) {
                also = Some(("NewMessageReceived", new_message(event, message, conversation, metrics)));
            }
            ("MessageReceived", json(&MessageReceived { seq, message, conversation }))
        }
        EventKind::MessageUpdated => ("MessageUpdated", json(&MessageUpdated { seq, message })),
        EventKind::MessageRemoved => {
            let (message_id, conversation_id) = (event.message_id, event.conversation_id);
            ("MessageRemoved", json(&MessageRemoved { seq, message_id, conversation_id }))
        }
        EventKind::ReactionFailed => {
            let told = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
            let data = json(&ReactionFailed {
                seq,
                message_id: event.message_id,
                conversation_id: event.conversation_id,
                told: told.unwrap_or_default(),
            });
            ("ReactionFailed", data)
        }
        EventKind::MessageStatusUpdated => {
            let data = json(&MessageStatusUpdated {
                seq,
                message_id: event.message_id,
                conversation_id: event.conversation_id,
                status: message.map(|m| m.status),
                status_error: message.and_then(|m| m.status_error.as_ref()),
                message,
            });
            ("MessageStatusUpdated", data)
        }
        EventKind::ConversationStatusChanged => {
            let data = json(&ConversationStatusChanged {
                seq,
                conversation_id: event.conversation_id,
                status: conversation.map(|c| c.status),
                previous_status: event.data.as_deref(),
                conversation,
            });
            ("ConversationStatusChanged", data)
        }
        EventKind::ConversationUpdated => {
            let data = json(&ConversationUpdated { seq, conversation });
            ("ConversationUpdated", data)
        }
        EventKind::ConversationMerged => {
            let (conversation_id, into_id) = (event.conversation_id, merged_into(event));
            ("ConversationMerged", json(&ConversationMerged { seq, conversation_id, into_id, conversation }))
        }
        EventKind::ContactUpdated => {
            let contact_id = event.data.as_deref().and_then(|id| id.parse().ok());
            ("ContactUpdated", json(&ContactUpdated { seq, contact_id }))
        }
        EventKind::InboxStateChanged => {
            let inbox = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
            let inbox: serde_json::Map<String, serde_json::Value> = inbox.unwrap_or_default();
            also =
                viewer.session_status(&inbox).map(|data| ("SessionStatusChanged", session_event(seq, &data)));
            ("InboxStateChanged", json(&InboxStateChanged { seq, inbox }))
        }
    };
    Rendered { seq, name, also, data }
}

/// What a customer wrote, in the words of those who show donors beside it: the fields of the message by their names too, and
/// whose it is.
#[derive(Serialize)]
struct NewMessageReceived<'a> {
    seq: i64,
    message: NewMessage<'a>,
    conversation: Option<&'a ConversationView>,
    timestamp: Timestamp,
}

#[derive(Serialize)]
struct NewMessage<'a> {
    id: MessageId,
    conversation_id: ConversationId,
    /// `conversation_id` as text, as chats are named.
    chat_id: String,
    customer_id: ContactId,
    inbox_id: InboxId,
    content: Option<&'a str>,
    /// The same as `content`.
    message: Option<&'a str>,
    kind: MessageKind,
    /// The same as `kind`.
    #[serde(rename = "type")]
    as_type: MessageKind,
    /// `incoming`.
    direction: &'static str,
    status: MessageStatus,
    sender_name: Option<&'a str>,
    media_url: Option<&'a str>,
    media_type: Option<&'a str>,
    attachments: &'a [AttachmentView],
    wa_message_id: Option<&'a str>,
    platform_message_id: Option<&'a str>,
    created_at: Timestamp,
    /// The same as `created_at`.
    timestamp: Timestamp,
    donatur: Option<Donatur<'a>>,
}

#[derive(Serialize)]
struct Donatur<'a> {
    id: ContactId,
    name: &'a str,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    #[serde(flatten)]
    metrics: Option<&'a Metrics>,
}

fn new_message(
    event: &Event,
    message: &MessageView,
    conversation: Option<&ConversationView>,
    metrics: &HashMap<ContactId, Metrics>,
) -> String {
    let id = message.customer_id;
    let metrics = metrics.get(&id);
    let donatur = conversation.map(|conversation| &conversation.customer).map(|customer| Donatur {
        id: customer.id,
        name: &customer.name,
        phone: customer.phone.as_deref(),
        email: customer.email.as_deref(),
        metrics,
    });
    let (content, remote_id) = (message.content.as_deref(), message.platform_message_id.as_deref());
    json(&NewMessageReceived {
        seq: event.seq,
        message: NewMessage {
            id: message.id,
            conversation_id: message.conversation_id,
            chat_id: message.conversation_id.to_string(),
            customer_id: id,
            inbox_id: message.inbox_id,
            content,
            message: content,
            kind: message.kind,
            as_type: message.kind,
            direction: "incoming",
            status: message.status,
            sender_name: message.sender_name.as_deref(),
            media_url: message.media_url.as_deref(),
            media_type: message.media_type.as_deref(),
            attachments: &message.attachments,
            wa_message_id: remote_id,
            platform_message_id: remote_id,
            created_at: message.created_at,
            timestamp: message.created_at,
            donatur,
        },
        conversation,
        timestamp: event.created_at,
    })
}

/// The state of a session: its fields beside each other, as webhooks tell them, and together as `data`.
fn session_event(seq: i64, data: &serde_json::Value) -> String {
    let mut told = data.as_object().cloned().unwrap_or_default();
    told.insert("seq".to_owned(), seq.into());
    told.insert("data".to_owned(), data.clone());
    json(&told)
}

/// Writing our own views into memory cannot fail: they have text keys only.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
