//! Turning events of the log into what clients are told.

use async_trait::async_trait;
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::message::{Direction, MessageStatus, StatusError};
use frontdesk_model::{ConversationId, MessageId};
use frontdesk_store::events::{Event, EventKind};
use frontdesk_store::{StoreError, Tx};
use serde::Serialize;

use crate::Engine;
use crate::views::{ConversationView, MessageView, Viewer};

/// What one event looks like to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its number.
    pub seq: i64,
    /// Its name without the namespace: `MessageReceived`.
    pub name: &'static str,
    /// A customer wrote: also sent as `NewMessageReceived`.
    pub is_new_message: bool,
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
    /// Renders events of one account: one result for each, in the same order, also when a row is gone.
    async fn render(&self, events: &[Event]) -> Result<Vec<Rendered>, RenderError>;
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
    async fn render(&self, events: &[Event]) -> Result<Vec<Rendered>, RenderError> {
        let viewer = Viewer::new(&self.engine).await.map_err(RenderError::new)?;
        let events = events.to_vec();
        let rendered = self.engine.store.read(move |tx| {
            events.iter().map(|event| render_one(tx, &viewer, event)).collect::<Result<Vec<_>, StoreError>>()
        });
        rendered.await.map_err(RenderError::new)
    }
}

#[derive(Serialize)]
struct MessageReceived {
    seq: i64,
    message: Option<MessageView>,
    conversation: Option<ConversationView>,
}

#[derive(Serialize)]
struct MessageUpdated {
    seq: i64,
    message: Option<MessageView>,
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
struct MessageStatusUpdated {
    seq: i64,
    message_id: Option<MessageId>,
    conversation_id: Option<ConversationId>,
    status: Option<MessageStatus>,
    status_error: Option<StatusError>,
    message: Option<MessageView>,
}

#[derive(Serialize)]
struct ConversationStatusChanged<'a> {
    seq: i64,
    conversation_id: Option<ConversationId>,
    status: Option<ConversationStatus>,
    previous_status: Option<&'a str>,
    conversation: Option<ConversationView>,
}

#[derive(Serialize)]
struct ConversationUpdated {
    seq: i64,
    conversation: Option<ConversationView>,
}

#[derive(Serialize)]
struct ConversationMerged {
    seq: i64,
    /// The one that is gone.
    conversation_id: Option<ConversationId>,
    /// Where its messages are now.
    into_id: Option<ConversationId>,
    conversation: Option<ConversationView>,
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

fn render_one(tx: &mut Tx<'_>, viewer: &Viewer, event: &Event) -> Result<Rendered, StoreError> {
    let account = event.account_id;
    let message = match event.message_id {
        Some(id) => viewer.message_by_id(tx, account, id)?,
        None => None,
    };
    let mut conversation = || match event.conversation_id {
        Some(id) => viewer.conversation_by_id(tx, account, id),
        None => Ok(None),
    };
    let seq = event.seq;
    let (name, is_new_message, data) = match event.kind {
        EventKind::MessageReceived => {
            let is_new = message.as_ref().is_some_and(|m| m.direction == Direction::Inbound);
            let conversation = conversation()?;
            ("MessageReceived", is_new, json(&MessageReceived { seq, message, conversation }))
        }
        EventKind::MessageUpdated => ("MessageUpdated", false, json(&MessageUpdated { seq, message })),
        EventKind::MessageRemoved => {
            let (message_id, conversation_id) = (event.message_id, event.conversation_id);
            ("MessageRemoved", false, json(&MessageRemoved { seq, message_id, conversation_id }))
        }
        EventKind::ReactionFailed => {
            let told = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
            let data = json(&ReactionFailed {
                seq,
                message_id: event.message_id,
                conversation_id: event.conversation_id,
                told: told.unwrap_or_default(),
            });
            ("ReactionFailed", false, data)
        }
        EventKind::MessageStatusUpdated => {
            let data = json(&MessageStatusUpdated {
                seq,
                message_id: event.message_id,
                conversation_id: event.conversation_id,
                status: message.as_ref().map(|m| m.status),
                status_error: message.as_ref().and_then(|m| m.status_error.clone()),
                message,
            });
            ("MessageStatusUpdated", false, data)
        }
        EventKind::ConversationStatusChanged => {
            let conversation = conversation()?;
            let data = json(&ConversationStatusChanged {
                seq,
                conversation_id: event.conversation_id,
                status: conversation.as_ref().map(|c| c.status),
                previous_status: event.data.as_deref(),
                conversation,
            });
            ("ConversationStatusChanged", false, data)
        }
        EventKind::ConversationUpdated => {
            let data = json(&ConversationUpdated { seq, conversation: conversation()? });
            ("ConversationUpdated", false, data)
        }
        EventKind::ConversationMerged => {
            let into = event.data.as_deref().and_then(|id| id.parse().ok()).map(ConversationId);
            let conversation = match into {
                Some(id) => viewer.conversation_by_id(tx, account, id)?,
                None => None,
            };
            let (conversation_id, into_id) = (event.conversation_id, into);
            (
                "ConversationMerged",
                false,
                json(&ConversationMerged { seq, conversation_id, into_id, conversation }),
            )
        }
        EventKind::ContactUpdated => {
            let contact_id = event.data.as_deref().and_then(|id| id.parse().ok());
            ("ContactUpdated", false, json(&ContactUpdated { seq, contact_id }))
        }
        EventKind::InboxStateChanged => {
            let inbox = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
            let inbox = inbox.unwrap_or_default();
            ("InboxStateChanged", false, json(&InboxStateChanged { seq, inbox }))
        }
    };
    Ok(Rendered { seq, name, is_new_message, data })
}

/// Writing our own views into memory cannot fail: they have text keys only.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
