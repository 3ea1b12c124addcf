//! What is worth something only at the moment: told once it happens, tried for a minute, and no event of the log.

use frontdesk_model::{InboxId, Timestamp};
use frontdesk_store::StoreError;
use frontdesk_store::webhook_endpoints;
use frontdesk_store::webhook_sends::{self, NewWebhookSend};
use serde_json::{Value, json};

use super::event::{self, WebhookEvent};
use crate::inboxes::Inbox;
use crate::{Engine, inboxes};

/// Later nobody wants to know.
const WORTH_MS: i64 = 60_000;

/// A customer began or stopped typing. `from` is their number.
pub async fn tell_typing(
    engine: &Engine,
    inbox: InboxId,
    from: &str,
    is_typing: bool,
) -> Result<(), StoreError> {
    let Some(inbox) = inboxes::book(engine).await?.find(inbox).cloned() else { return Ok(()) };
    let data = json!({
        "from": event::bare_phone(from),
        "isTyping": is_typing,
        "sessionId": inbox.called(),
        "inboxId": inbox.config.id,
    });
    tell(engine, &inbox, WebhookEvent::Typing, format!("t{from}"), data).await
}

/// A session shows another code to scan.
pub async fn tell_qr(
    engine: &Engine,
    inbox: InboxId,
    qr: &str,
    image: Option<&str>,
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let Some(inbox) = inboxes::book(engine).await?.find(inbox).cloned() else { return Ok(()) };
    let data = json!({
        "sessionId": inbox.called(),
        "qr": qr,
        "image": image,
        "expiresAt": expires_at,
        "inboxId": inbox.config.id,
    });
    let lane = format!("q{}", inbox.config.id);
    tell(engine, &inbox, WebhookEvent::SessionQr, lane, data).await
}

async fn tell(
    engine: &Engine,
    inbox: &Inbox,
    event: WebhookEvent,
    lane: String,
    data: Value,
) -> Result<(), StoreError> {
    let (account, id, now) = (inbox.config.account_id, inbox.config.id, engine.clock.now());
    let endpoints = engine.store.read(move |tx| webhook_endpoints::listening(tx, account, id)).await?;
    let key = format!("p{:032x}", rand::random::<u128>());
    let wants = |events: &[String]| events.is_empty() || events.iter().any(|name| name == event.as_str());
    let new: Vec<NewWebhookSend> = endpoints
        .into_iter()
        .filter(|endpoint| wants(&endpoint.events))
        .map(|endpoint| NewWebhookSend {
            account_id: account,
            endpoint_id: endpoint.id,
            event_key: key.clone(),
            event: event.as_str(),
            lane: lane.clone(),
            message_id: None,
            body: event::body(event, &data),
            is_held: false,
            due_at: now,
            give_up_at: now.plus_ms(WORTH_MS),
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    engine
        .store
        .write(move |tx| {
            tx.need_not_last()?;
            webhook_sends::insert_many(tx, &new, now)
        })
        .await?;
    engine.webhooks().work.notify_one();
    Ok(())
}
