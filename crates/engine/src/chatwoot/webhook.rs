//! What Chatwoot tells: checked over the bytes as they came, taken once, and what it changed is forgotten on every node.
//!
//! Chatwoot delivers once or never, in any order; so a webhook is a hint that something changed, never the news itself.

use frontdesk_chatwoot_client::event::{self, Event, EventError};
use frontdesk_chatwoot_client::{Tag, WebhookRejection};

use super::{ChatwootAbsent, owner};
use crate::Engine;
use crate::monitoring::CHATWOOT;
use crate::monitoring::webhooks::{Body, note_body, note_refused};

/// Where Chatwoot delivers.
pub const PATH: &str = "/api/v1/sync/chatwoot/webhook";
/// The largest body while no Chatwoot is configured: it is refused whatever it holds.
const MAX_BYTES_WITHOUT: usize = 1_048_576;

/// The headers that count.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookHeaders<'a> {
    /// `X-Chatwoot-Signature`.
    pub signature: Option<&'a str>,
    /// `X-Chatwoot-Timestamp`.
    pub timestamp: Option<&'a str>,
    /// `X-Chatwoot-Delivery`.
    pub delivery: Option<&'a str>,
}

/// What became of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It came before and changed nothing.
    Repeated,
    /// What it is about is no longer kept.
    Forgotten(Vec<Tag>),
}

/// A webhook that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum WebhookRefused {
    /// There is no Chatwoot that could have sent it.
    #[error(transparent)]
    Absent(#[from] ChatwootAbsent),
    /// It is not genuine, not fresh, or too large.
    #[error(transparent)]
    Rejected(#[from] WebhookRejection),
    /// It is genuine and says nothing that can be read.
    #[error(transparent)]
    Unreadable(#[from] EventError),
}

/// The largest body that is read.
pub fn max_bytes(engine: &Engine) -> usize {
    let settings = engine.settings.chatwoot.as_ref();
    settings.map_or(MAX_BYTES_WITHOUT, |settings| settings.webhook.max_payload_size)
}

/// Takes one webhook.
///
/// Errors: [`WebhookRefused`].
pub async fn receive(
    engine: &Engine,
    headers: WebhookHeaders<'_>,
    body: &[u8],
) -> Result<Taken, WebhookRefused> {
    let Some(Ok(chatwoot)) = &engine.chatwoot().client else {
        return Err(ChatwootAbsent::NotConfigured.into());
    };
    let WebhookHeaders { signature, timestamp, delivery } = headers;
    let verifier = chatwoot.client().webhooks();
    let now_s = engine.clock.now().as_secs();
    let genuine = verifier.verify(body, signature, timestamp, delivery, now_s).inspect_err(|rejection| {
        metrics::counter!("frontdesk_webhooks_refused_total", "door" => PATH).increment(1);
        tracing::warn!(door = PATH, channel = "chatwoot", reason = %rejection, "a webhook was refused");
        note_refused(engine, None);
    })?;
    // Before anything is forgotten: the other nodes are told as whose it is.
    let owner = owner(engine).await.map_err(ChatwootAbsent::from)?.ok_or(ChatwootAbsent::NotConfigured)?;
    let count = |state: &'static str, what: &Body| {
        metrics::counter!("frontdesk_webhooks_total", "door" => PATH, "state" => state).increment(1);
        note_body(engine, owner, CHATWOOT, what);
    };
    if !verifier.first_time(&genuine.delivery_key) {
        count("repeated", &Body::Repeated);
        return Ok(Taken::Repeated);
    }
    let event = event::parse(body).inspect_err(|error| {
        tracing::warn!(door = PATH, %error, "a genuine webhook cannot be read");
        metrics::counter!("frontdesk_webhooks_failed_total", "door" => PATH).increment(1);
        count("unreadable", &Body::Unreadable);
        verifier.forget(&genuine.delivery_key);
    })?;
    count("applied", &Body::Told(word(&event.event)));
    Ok(Taken::Forgotten(chatwoot.handle_webhook_event(&event)))
}

/// What is counted of an event.
fn word(event: &Event) -> &'static str {
    match event {
        Event::MessageCreated(_) | Event::MessageUpdated(_) => "message",
        Event::ConversationCreated(_)
        | Event::ConversationUpdated(_)
        | Event::ConversationStatusChanged(_) => "conversation",
        Event::ContactCreated(_) | Event::ContactUpdated(_) => "contact",
        Event::TypingOn(_) | Event::TypingOff(_) => "typing",
        Event::Other => "ignored",
    }
}
