//! From the event log to deliveries. An endpoint's place in the log moves in the transaction that stores what it is told, so
//! that each event is told once, whatever dies when, and on however many nodes.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_store::events::{self, Event};
use frontdesk_store::webhook_endpoints::{self, EndpointRow};
use frontdesk_store::webhook_sends::{self, NewWebhookSend};
use frontdesk_store::{StoreError, Topic, Tx};

use super::event::{self, News, WebhookEvent};
use crate::views::Viewer;
use crate::{Engine, inboxes};

/// Events that are read in one go.
const SLICE: i64 = 200;
/// Looks again at least this often, should a bell be lost.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Rests between two looks: while it rains events, many are read at once.
const REST: Duration = Duration::from_millis(10);

/// Follows the log until the engine stops.
pub(super) async fn run(engine: &Engine) {
    let mut bell = engine.store.signals().listen(Topic::Events);
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        if let Err(error) = follow(engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the events of webhooks could not be read"
            );
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            () = tokio::time::sleep(REST) => {}
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            _ = bell.changed() => {}
            () = tokio::time::sleep(MAX_SLEEP) => {}
        }
    }
}

/// Puts on its way whatever happened and was not told. Also for tests, which run no workers.
pub async fn follow(engine: &Engine) -> Result<(), StoreError> {
    for endpoint in engine.store.read(webhook_endpoints::behind).await? {
        let mut place = endpoint.event_cursor;
        while !engine.shutdown.is_cancelled() {
            match step(engine, EndpointRow { event_cursor: place, ..endpoint.clone() }).await? {
                Some(reached) if reached > place => place = reached,
                _ => break,
            }
        }
    }
    Ok(())
}

/// Puts the next events on their way; tells how far it came, `None` when another node is at it.
async fn step(engine: &Engine, endpoint: EndpointRow) -> Result<Option<i64>, StoreError> {
    let viewer = Viewer::new(engine).await?;
    let book = inboxes::book(engine).await?;
    let (account, after) = (endpoint.account_id, endpoint.event_cursor);
    let (reader, wants) = (engine.clone(), endpoint.clone());
    // Read apart from the writing: bodies are made while others write.
    let (reached, news) = engine
        .store
        .read(move |tx| {
            let page: Vec<Event> = events::list_after(tx, account, after, SLICE)?;
            let Some(newest) = page.last().map(|event| event.seq) else {
                // Forgotten meanwhile: an endpoint that was stopped for longer than events are kept misses them.
                return Ok::<_, StoreError>((events::last_seq(tx, account)?, Vec::new()));
            };
            let mut news = Vec::new();
            for event in &page {
                if let Some(one) = event::read(tx, &reader, &viewer, &book, event)?
                    && wants.inbox_id.is_none_or(|inbox| inbox == one.inbox)
                    && is_wanted(&wants, one.event)
                {
                    news.push(one);
                }
            }
            Ok((newest, only_latest(news)))
        })
        .await?;
    if reached <= after {
        return Ok(Some(after));
    }
    let (now, settings) = (engine.clock.now(), engine.settings.webhooks.clone());
    let stored = engine
        .store
        .write(move |tx| {
            if !webhook_endpoints::move_cursor(tx, &endpoint, reached)? {
                return Ok::<_, StoreError>(None);
            }
            let mut new = Vec::with_capacity(news.len());
            for one in &news {
                if !completes(tx, &endpoint, one, now)? {
                    let wait_ms = if is_held(one) { settings.file_wait_ms } else { 0 };
                    new.push(NewWebhookSend {
                        account_id: account,
                        endpoint_id: endpoint.id,
                        event_key: format!("e{}", one.seq),
                        event: one.event.as_str(),
                        lane: one.lane.clone(),
                        message_id: one.message,
                        body: one.body.clone(),
                        is_held: is_held(one),
                        due_at: now.plus_ms(wait_ms),
                        give_up_at: now.plus_ms(settings.give_up_ms),
                    });
                }
            }
            new.retain(|one| one.event != HELD_ONLY.as_str() || is_subscribed(&endpoint, HELD_ONLY));
            webhook_sends::insert_many(tx, &new, now)?;
            Ok(Some(reached))
        })
        .await?;
    engine.webhooks().work.notify_one();
    Ok(stored)
}

/// Read for those who want new messages too: it may be what one of them waits for.
const HELD_ONLY: WebhookEvent = WebhookEvent::MessageUpdated;

fn is_subscribed(endpoint: &EndpointRow, event: WebhookEvent) -> bool {
    endpoint.events.is_empty() || endpoint.events.iter().any(|name| name == event.as_str())
}

fn is_wanted(endpoint: &EndpointRow, event: WebhookEvent) -> bool {
    is_subscribed(endpoint, event)
        || (event == HELD_ONLY && is_subscribed(endpoint, WebhookEvent::MessageReceived))
}

fn is_held(news: &News) -> bool {
    news.event == WebhookEvent::MessageReceived && news.is_incomplete
}

/// True when the news completes a new message that waited for its files, which is told instead.
fn completes(
    tx: &mut Tx<'_>,
    endpoint: &EndpointRow,
    news: &News,
    now: frontdesk_model::Timestamp,
) -> Result<bool, StoreError> {
    let (HELD_ONLY, false, Some(message)) = (news.event, news.is_incomplete, news.message) else {
        return Ok(false);
    };
    let body = news.body.replacen(HELD_ONLY.as_str(), WebhookEvent::MessageReceived.as_str(), 1);
    webhook_sends::release_held(tx, endpoint.account_id, message, endpoint.id, &body, now)
}

/// Of several changes to a message in one go only the latest is told: all of them were read as it is now.
fn only_latest(news: Vec<News>) -> Vec<News> {
    let mut latest = HashMap::new();
    for (place, one) in news.iter().enumerate() {
        if let Some(message) = one.message {
            latest.insert((message, one.event), place);
        }
    }
    let is_latest = |place: usize, one: &News| match one.message {
        Some(message) => latest.get(&(message, one.event)) == Some(&place),
        None => true,
    };
    let places = news.into_iter().enumerate();
    places.filter(|(place, one)| is_latest(*place, one)).map(|(_, one)| one).collect()
}
