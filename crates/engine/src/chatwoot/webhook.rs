//! What Chatwoot tells: checked over the bytes as they came, taken once, and what it changed is forgotten on every node.
//!
//! Chatwoot delivers once or never, in any order; so a webhook is a hint that something changed, never the news itself.

use std::collections::BTreeSet;

use frontdesk_chatwoot_client::event::{self, Event, EventError};
use frontdesk_chatwoot_client::{Tag, WebhookRejection};
use frontdesk_model::AccountId;
use frontdesk_store::{StoreError, webhook_deliveries};

use super::{ChatwootAbsent, owner};
use crate::monitoring::CHATWOOT;
use crate::monitoring::webhooks::{Body, note_body, note_refused};
use crate::{Engine, sync};

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

/// Takes one webhook: for the Chatwoot of the settings, and for the connections of accounts whose secret made it.
///
/// Errors: [`WebhookRefused`].
pub async fn receive(
    engine: &Engine,
    headers: WebhookHeaders<'_>,
    body: &[u8],
) -> Result<Taken, WebhookRefused> {
    let refused = |rejection: WebhookRejection| {
        metrics::counter!("frontdesk_webhooks_refused_total", "door" => PATH).increment(1);
        tracing::warn!(door = PATH, channel = "chatwoot", reason = %rejection, "a webhook was refused");
        note_refused(engine, None);
        WebhookRefused::from(rejection)
    };
    let chatwoot = engine.chatwoot().client.as_ref().and_then(|client| client.as_ref().ok());
    let WebhookHeaders { signature, timestamp, delivery } = headers;
    let now_s = engine.clock.now().as_secs();
    let configured = chatwoot
        .map(|chatwoot| chatwoot.client().webhooks().verify(body, signature, timestamp, delivery, now_s));
    let settings =
        engine.settings.chatwoot.as_ref().map(|settings| settings.webhook.clone()).unwrap_or_default();
    let connected =
        sync::webhook::verify(engine, headers, body, &settings).await.map_err(ChatwootAbsent::from)?;
    let (configured, rows, genuine) = match (configured, connected) {
        (Some(Ok(genuine)), Some(Ok((rows, _)))) => (chatwoot, rows, genuine),
        (Some(Ok(genuine)), _) => (chatwoot, Vec::new(), genuine),
        (_, Some(Ok((rows, genuine)))) => (None, rows, genuine),
        (Some(Err(rejection)), _) | (None, Some(Err(rejection))) => return Err(refused(rejection)),
        (None, None) => return Err(ChatwootAbsent::NotConfigured.into()),
    };
    // Before anything is forgotten: the other nodes are told as whose it is.
    let owner = match configured {
        Some(_) => {
            Some(owner(engine).await.map_err(ChatwootAbsent::from)?.ok_or(ChatwootAbsent::NotConfigured)?)
        }
        None => None,
    };
    let count = |state: &'static str, what: &Body| {
        metrics::counter!("frontdesk_webhooks_total", "door" => PATH, "state" => state).increment(1);
        if let Some(owner) = owner {
            note_body(engine, owner, CHATWOOT, what);
        }
    };
    let event = event::parse(body).inspect_err(|error| {
        tracing::warn!(door = PATH, %error, "a genuine webhook cannot be read");
        metrics::counter!("frontdesk_webhooks_failed_total", "door" => PATH).increment(1);
        count("unreadable", &Body::Unreadable);
    })?;
    let kept_ms = i64::try_from(settings.idempotency_ttl.as_millis()).unwrap_or(i64::MAX);
    let accounts: BTreeSet<AccountId> =
        owner.into_iter().chain(rows.iter().map(|row| row.account_id)).collect();
    let (key, now) = (genuine.delivery_key.clone(), engine.clock.now());
    let first = engine.store.write(move |tx| -> Result<_, StoreError> {
        let mut first = BTreeSet::new();
        for account in &accounts {
            if webhook_deliveries::is_first(tx, *account, &key, now.plus_ms(-kept_ms), now)? {
                first.insert(*account);
            }
        }
        Ok(first)
    });
    let first = first.await.map_err(ChatwootAbsent::from)?;
    if first.is_empty() {
        count("repeated", &Body::Repeated);
        return Ok(Taken::Repeated);
    }
    for row in rows.iter().filter(|row| first.contains(&row.account_id)) {
        if let Err(error) = sync::webhook::take(engine, row, &event).await {
            // Chatwoot does not deliver again; the next pull finds it.
            tracing::warn!(
                sync.connection = row.id.0,
                error = &error as &dyn std::error::Error,
                "a webhook could not be taken over"
            );
        }
    }
    count("applied", &Body::Told(word(&event.event)));
    let forgotten = configured.filter(|_| owner.is_some_and(|owner| first.contains(&owner)));
    Ok(Taken::Forgotten(forgotten.map(|chatwoot| chatwoot.handle_webhook_event(&event)).unwrap_or_default()))
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
