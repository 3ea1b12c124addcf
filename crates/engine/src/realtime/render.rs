//! Turning events of the log into what clients are told.

use async_trait::async_trait;
use frontdesk_store::events::Event;

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
pub struct RenderError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Renders events. Given to the tail, so that it can be tested without the rows.
#[async_trait]
pub trait EventRenderer: Send + Sync {
    /// Renders events of one account: one result for each, in the same order, also when a row is gone.
    async fn render(&self, events: &[Event]) -> Result<Vec<Rendered>, RenderError>;
}
