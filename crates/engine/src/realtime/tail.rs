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
use frontdesk_store::{StoreError, Topic};

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
    async fn follow(&mut self) -> Result<(), TailError> {
        let heads = self.engine.store.read(events::heads).await?;
        let Some(seen) = &mut self.seen else {
            self.seen = Some(heads.into_iter().collect());
            let _ = self.engine.realtime().started.set(()); // set at most once: there is one tail
            return Ok(());
        };
        for (account, head) in heads {
            // An account we have not seen was made after we started: all its events are new.
            let last = seen.entry(account).or_insert(0);
            while *last < head {
                if !is_heard(self.engine.realtime(), account) {
                    *last = head;
                    break;
                }
                let after = *last;
                let page: Vec<Event> =
                    self.engine.store.read(move |tx| events::list_after(tx, account, after, PAGE)).await?;
                let Some(newest) = page.last().map(|event| event.seq) else {
                    *last = head; // forgotten meanwhile: clients are told to reload when they catch up
                    break;
                };
                for rendered in self.renderer.render(&page).await? {
                    publish(self.engine.realtime(), account, &rendered);
                }
                *last = newest;
            }
        }
        Ok(())
    }
}

fn hears_public_inbox(realtime: &Realtime) -> bool {
    realtime.settings.public_inbox != PublicInbox::Off
}

/// True when anyone on this node listens on a channel that events go to.
fn is_heard(realtime: &Realtime, account: AccountId) -> bool {
    let hears = |channel: &str| realtime.hub.has_subscribers(account, channel);
    hears(&channel_name::of_account(account))
        || hears(PRIVATE_INBOX)
        || (hears_public_inbox(realtime) && hears(PUBLIC_INBOX))
}

/// Sends one event to those of this node who listen.
fn publish(realtime: &Realtime, account: AccountId, event: &Rendered) {
    let send = |channel: &str, events: &[(String, &str)]| {
        if realtime.hub.has_subscribers(account, channel) {
            let frames: Vec<_> =
                events.iter().map(|(name, data)| protocol::event(name, channel, data)).collect();
            realtime.hub.publish_all(account, channel, &frames, None);
        }
    };
    let mut events = vec![(event.wire_name(), event.data.as_str())];
    send(&channel_name::of_account(account), &events);
    events.extend(event.also.as_ref().map(|(name, data)| (wire_name(name), data.as_str())));
    let inboxes = [PRIVATE_INBOX, PUBLIC_INBOX];
    let count = if hears_public_inbox(realtime) { 2 } else { 1 };
    for channel in &inboxes[..count] {
        send(channel, &events);
    }
}
