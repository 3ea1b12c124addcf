//! A raw webhook request: is it genuine, and can it be read?

use bytes::Bytes;
use frontdesk_channels::contract::{
    Door, DoorKeys, ParseError, Refusal, RoutedEvent, VerifiedBy, WebhookRequest,
};
use frontdesk_model::InboxId;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_store::webhook_logs::WebhookState;
use sha2::{Digest, Sha256};

use super::apply::Received;
use super::limits;
use super::queue::Receipt;
use crate::inboxes::InboxBook;
use crate::monitoring::webhooks::{Told, note_refused};
use crate::{Engine, inboxes, typing};

/// Why a webhook request was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Not genuine: answered 403.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Genuine but unreadable: kept in the log, answered 422, unless the door takes it all the same.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// It could not be stored: answered 503, so that the provider tries again.
    #[error("the webhook could not be stored")]
    NotStored,
}

/// Answers the provider's set-up question.
pub async fn challenge(
    engine: &Engine,
    door: &dyn Door,
    query: &[(String, String)],
) -> Result<String, ReceiveError> {
    let book = inboxes::book(engine).await.map_err(|_| ReceiveError::NotStored)?;
    let keys = book.door_keys(door.path()).ok_or(ReceiveError::NotStored)?;
    Ok(door.challenge(query, keys)?)
}

/// Takes one webhook: returns after its body and everything in it is durable.
pub async fn receive(
    engine: &Engine,
    door: &'static dyn Door,
    headers: &[(String, String)],
    body: Bytes,
) -> Result<Receipt, ReceiveError> {
    let book = inboxes::book(engine).await.map_err(|_| ReceiveError::NotStored)?;
    let keys = book.door_keys(door.path()).ok_or(ReceiveError::NotStored)?;
    let request = WebhookRequest { headers, body: &body, now: engine.clock.now() };
    let verified_by = door.verify(&request, keys).inspect_err(|refusal| {
        metrics::counter!("frontdesk_webhooks_refused_total", "door" => door.path()).increment(1);
        // Nothing vouches for the body; whom it claims to be for is only told where to look.
        let claimed =
            door.claimed(&body).and_then(|(channel, route)| book.find_by_route(channel, &route).first());
        tracing::warn!(
            door = door.path(),
            channel = door.info().name,
            inbox.claimed = claimed.map(|inbox| inbox.config.id.0),
            reason = %refusal,
            "a webhook was refused"
        );
        note_refused(engine, claimed.map(|inbox| (inbox.config.account_id, inbox.config.id)));
    })?;
    let delivery = door.delivery_id(&request).map(str::to_owned);
    let (receipt, unreadable) = keep(engine, &book, door, body, delivery.as_deref(), verified_by).await?;
    if let Some(error) = unreadable
        && !door.takes_unreadable()
    {
        return Err(error.into());
    }
    Ok(receipt)
}

/// Takes a body that was fetched for an inbox, as if its provider had delivered it.
pub(crate) async fn take_polled(
    engine: &Engine,
    door: &'static dyn Door,
    inbox: InboxId,
    body: Bytes,
) -> Result<Receipt, ReceiveError> {
    let book = inboxes::book(engine).await.map_err(|_| ReceiveError::NotStored)?;
    let (receipt, _unreadable) = keep(engine, &book, door, body, None, VerifiedBy::Inbox(inbox)).await?;
    Ok(receipt)
}

/// Keeps a genuine body and what is in it; also says why it could not be read.
async fn keep(
    engine: &Engine,
    book: &InboxBook,
    door: &'static dyn Door,
    body: Bytes,
    delivery: Option<&str>,
    verified_by: VerifiedBy,
) -> Result<(Receipt, Option<ParseError>), ReceiveError> {
    let keys = book.door_keys(door.path()).ok_or(ReceiveError::NotStored)?;
    let parsed = read(door, &body);
    let is_strange =
        |event: &RoutedEvent| !event.channel.is_empty() && book.find_for(event, verified_by, keys).is_empty();
    let mut told =
        parsed.as_deref().map(|events| Told::gather(book, keys, verified_by, events)).unwrap_or_default();
    if parsed.as_ref().is_ok_and(|events| events.iter().any(is_strange)) {
        // The inbox may be so new that this node has not heard of it; what is kept as unrouted waits for a person.
        let fresh = inboxes::fresh_book(engine).await.map_err(|_| ReceiveError::NotStored)?;
        if let (Ok(events), Some(keys)) = (&parsed, fresh.door_keys(door.path())) {
            told = Told::gather(&fresh, keys, verified_by, events);
        }
    }
    told.kind = door.kind_of(&body);
    let typing =
        parsed.as_deref().map(|events| typing_of(book, keys, verified_by, events)).unwrap_or_default();
    let unreadable = parsed.as_ref().err().cloned();
    let received = Received {
        door: door.path(),
        body_hash: hash(door, &body, delivery),
        body,
        verified_by,
        events: parsed.unwrap_or_default(),
        unreadable: unreadable.as_ref().map(ToString::to_string),
        span: tracing::Span::current(),
    };
    let receipt = engine.intake().submit(received).await;
    told.note(engine, receipt.as_ref().ok().copied());
    let receipt = receipt.map_err(|_| ReceiveError::NotStored)?;
    metrics::counter!("frontdesk_webhooks_total", "door" => door.path(), "state" => receipt.as_str())
        .increment(1);
    // Repeats too: bodies about typing may be the same each time.
    for (inbox, event) in &typing {
        typing::tell_all(engine, *inbox, [event]).await;
    }
    if let Some(error) = &unreadable {
        tracing::warn!(
            door = door.path(),
            channel = door.info().name,
            error = %error,
            "a genuine webhook cannot be read"
        );
    }
    Ok((receipt, unreadable))
}

/// Who types, each with the inbox it is for, where what vouches for the body vouches for that one.
fn typing_of(
    book: &InboxBook,
    keys: &DoorKeys,
    verified_by: VerifiedBy,
    events: &[RoutedEvent],
) -> Vec<(InboxId, InboundEvent)> {
    let about_typing = events.iter().filter(|routed| matches!(routed.event, InboundEvent::Typing(_)));
    let for_inboxes = about_typing.flat_map(|routed| {
        let inboxes = book.find_for(routed, verified_by, keys).iter().map(|inbox| inbox.config.id);
        inboxes.filter(|id| keys.vouch_for(verified_by, *id)).map(|id| (id, routed.event.clone()))
    });
    for_inboxes.collect()
}

/// What tells bodies apart: the first half of SHA-256 over door and body. Every index entry is paid for with each body,
/// and 128 bits are plenty where only who holds the secret can add any.
fn hash(door: &dyn Door, body: &[u8], delivery: Option<&str>) -> [u8; 16] {
    let mut digest = Sha256::new().chain_update(door.path()).chain_update([0]).chain_update(body);
    if let Some(delivery) = delivery {
        digest = digest.chain_update([0]).chain_update(delivery);
    }
    let digest = digest.finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

/// The events of a body, with every id short enough to be kept.
pub(super) fn read(door: &dyn Door, body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
    let mut events = door.parse(body)?;
    for routed in &mut events {
        limits::shorten(&mut routed.event);
    }
    Ok(events)
}

impl Receipt {
    /// A word for metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::Kept(state) => WebhookState::as_str(*state),
        }
    }
}
