//! From the event log to the sockets of this node.
//!
//! The tail starts at the newest number of every account and follows. It is woken by [`Topic::Events`] and looks by
//! itself every second, so that a lost bell costs a second and never an event. Numbers are dense and become visible
//! in their order, so "everything after the last one" has no gap. Where nobody listens nothing is read: a client
//! that comes later catches up by number *after* its subscription was confirmed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::AccountId;
use frontdesk_store::events::{self, Event};
use frontdesk_store::{StoreError, Topic, Tx};

use super::Realtime;
use super::channel_name::{self, PRIVATE_INBOX, PUBLIC_INBOX};
use super::protocol;
use super::render::{EventRenderer, RenderError, Rendered, wire_name};
use super::settings::PublicInbox;
use crate::Engine;

/// Events read and rendered at once.
const PAGE: i64 = 200;
const SAFETY_POLL: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
enum TailError {
    #[error("the event log cannot be read")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Follows the log until the engine stops.
pub(super) async fn run(engine: Engine, renderer: Arc<dyn EventRenderer>) {
    let mut bell = engine.store.signals().listen(Topic::Events);
    let mut safety = tokio::time::interval(SAFETY_POLL);
    safety.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut tail = Tail { engine, renderer, seen: None };
    let shutdown = tail.engine.shutdown.clone();
    let mut pause = Duration::ZERO;
    loop {
        if let Err(error) = tail.follow().await {
            pause = (pause * 2).clamp(Duration::from_millis(100), MAX_PAUSE);
            tracing::error!(error = &error as &dyn std::error::Error, "live updates are delayed");
        } else {
            pause = Duration::ZERO;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = async {
                tokio::time::sleep(pause).await;
                tokio::select! {
                    _ = safety.tick() => {}
                    Ok(()) = bell.changed() => {}
                }
            } => {}
        }
    }
}

struct Tail {
    engine: Engine,
    renderer: Arc<dyn EventRenderer>,
    /// The last number pushed, by account; `None` before the first look at the log.
    seen: Option<HashMap<AccountId, i64>>,
}

impl Tail {
    /// Pushes all that is new.
    async fn follow(&mut self) -> Result<(), TailError> {
        while self.push_pages().await? {}
        Ok(())
    }

    /// Pushes the next page of each account; true when there is more.
    async fn push_pages(&mut self) -> Result<bool, TailError> {
        let (engine, seen) = (self.engine.clone(), self.seen.clone());
        let read = self.engine.store.read(move |tx| match &seen {
            None => Ok((events::heads(tx)?, Vec::new())),
            Some(seen) => Ok((Vec::new(), news(tx, seen, |account| is_heard(engine.realtime(), account))?)),
        });
        let (heads, news) = read.await.map_err(TailError::Store)?;
        let realtime = self.engine.realtime();
        let Some(seen) = &mut self.seen else {
            self.seen = Some(heads.into_iter().collect());
            let _ = realtime.started.set(()); // set at most once: there is one tail
            return Ok(false);
        };
        let mut is_more = false;
        for News { account, head, page } in news {
            let for_inbox_channels = inbox_channels_heard(realtime, account).next().is_some();
            for rendered in self.renderer.render(&page, for_inbox_channels).await? {
                publish(realtime, account, &rendered);
            }
            // No page: nobody listens, or it was forgotten meanwhile; clients are told to reload when they catch up.
            let newest = page.last().map_or(head, |event| event.seq);
            seen.insert(account, newest);
            is_more |= newest < head;
        }
        Ok(is_more)
    }
}

/// What happened in an account.
struct News {
    account: AccountId,
    head: i64,
    page: Vec<Event>,
}

/// What happened after the events seen, in the accounts where anything did: of those that are heard the next page.
fn news(
    tx: &mut Tx<'_>,
    seen: &HashMap<AccountId, i64>,
    is_heard: impl Fn(AccountId) -> bool,
) -> Result<Vec<News>, StoreError> {
    let mut news = Vec::new();
    for (account, head) in events::heads(tx)? {
        // An account we have not seen was made after we started: all its events are new.
        let last = seen.get(&account).copied().unwrap_or(0);
        if last < head {
            let page =
                if is_heard(account) { events::list_after(tx, account, last, PAGE)? } else { Vec::new() };
            news.push(News { account, head, page });
        }
    }
    Ok(news)
}

/// True when anyone on this node listens on a channel that events go to.
fn is_heard(realtime: &Realtime, account: AccountId) -> bool {
    realtime.hub.has_subscribers(account, &channel_name::of_account(account))
        || inbox_channels_heard(realtime, account).next().is_some()
}

/// The inbox channels of an account that anyone on this node listens on.
fn inbox_channels_heard(realtime: &Realtime, account: AccountId) -> impl Iterator<Item = &'static str> {
    let count = if realtime.settings.public_inbox == PublicInbox::Off { 1 } else { 2 };
    [PRIVATE_INBOX, PUBLIC_INBOX]
        .into_iter()
        .take(count)
        .filter(move |channel| realtime.hub.has_subscribers(account, channel))
}

/// Sends one event to those of this node who listen.
fn publish(realtime: &Realtime, account: AccountId, event: &Rendered) {
    let send = |channel: &str, events: &[(String, &str)]| {
        let frames: Vec<_> = events.iter().map(|(name, data)| protocol::event(name, channel, data)).collect();
        realtime.hub.publish_all(account, channel, &frames, None);
    };
    let mut events = vec![(event.wire_name(), event.data.as_str())];
    let of_account = channel_name::of_account(account);
    if realtime.hub.has_subscribers(account, &of_account) {
        send(&of_account, &events);
    }
    events.extend(event.also.as_ref().map(|(name, data)| (wire_name(name), data.as_str())));
    for channel in inbox_channels_heard(realtime, account) {
        send(channel, &events);
    }
}
