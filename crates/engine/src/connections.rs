//! The open connections of this node: one line per inbox, with its pace and breaker, opened when first needed and
//! again when the inbox's settings change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_channels::contract::Connection;
use frontdesk_model::{InboxId, Timestamp};

use crate::inboxes::{Inbox, RememberedTemplates};
use crate::outbox::breaker::Breaker;
use crate::outbox::pace::Pace;
use crate::{Engine, monitoring};

/// How often the last webhook of an inbox is noted at most.
const TOUCH_EVERY_MS: i64 = 5_000;

/// All lines of this node.
#[derive(Default)]
pub(crate) struct Connections {
    lines: Mutex<HashMap<InboxId, Arc<Line>>>,
    touched: Mutex<HashMap<InboxId, AtomicI64>>,
}

/// What is needed to talk to the provider of one inbox.
pub(crate) struct Line {
    /// The connection, or why there is none.
    pub(crate) connection: Result<Arc<dyn Connection>, String>,
    /// The name of its channel.
    pub(crate) channel: &'static str,
    /// How fast it may send.
    pub(crate) pace: Pace,
    /// Whether its provider answers.
    pub(crate) breaker: Breaker,
    /// The approved templates it told last.
    pub(crate) templates: RememberedTemplates,
    /// The version of the inbox it was opened for.
    pub(crate) version: i64,
    /// The provider asked to hear nothing until then.
    rest_until: AtomicI64,
    /// When it last proved to work; 0 while that is in doubt.
    confirmed_at: AtomicI64,
}

impl Line {
    /// Until when nothing may be sent, if that is still ahead.
    pub(crate) fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp::from_millis(self.rest_until.load(Ordering::Relaxed));
        (until > now).then_some(until)
    }

    /// The provider asked to hear nothing until `until`.
    pub(crate) fn rest_until(&self, until: Timestamp) {
        self.rest_until.fetch_max(until.as_millis(), Ordering::Relaxed);
    }

    /// It no longer seems to work.
    pub(crate) fn doubt(&self) {
        self.confirmed_at.store(0, Ordering::Relaxed);
    }

    /// True for whoever is to write down that it works: at first, after a doubt, and once in `every_ms`.
    pub(crate) fn is_confirmation_due(&self, now: Timestamp, every_ms: i64) -> bool {
        let last = self.confirmed_at.load(Ordering::Relaxed);
        now.as_millis() - last >= every_ms
            && self
                .confirmed_at
                .compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Connections {
    /// The line of an inbox, opened if need be. Makes no request.
    pub(crate) fn line(&self, engine: &Engine, inbox: &Inbox) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let id = inbox.config.id;
        if let Some(line) = lines.get(&id)
            && line.version == inbox.version
        {
            return line.clone();
        }
        let connection =
            inbox.channel.open(&monitoring::context_of(engine, inbox), &inbox.config).map_err(|error| {
                tracing::error!(
                    inbox.id = id.0,
                    channel = inbox.channel.info().name,
                    error = %error,
                    "an inbox cannot be opened"
                );
                error.reason
            });
        let settings = &engine.settings.outbox;
        let own_pace = connection.as_ref().ok().and_then(|connection| connection.pace());
        let line = Arc::new(Line {
            connection,
            channel: inbox.channel.info().name,
            pace: Pace::new(settings.per_inbox_per_second, own_pace),
            breaker: Breaker::new(settings.breaker_failures, settings.breaker_open_ms),
            templates: RememberedTemplates::default(),
            version: inbox.version,
            rest_until: AtomicI64::new(0),
            confirmed_at: AtomicI64::new(0),
        });
        lines.insert(id, line.clone());
        line
    }

    /// Until when the breaker of each open line is open; `None` where it is closed.
    pub(crate) fn breakers(&self) -> Vec<(InboxId, Option<Timestamp>)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|(inbox, line)| (*inbox, line.breaker.open_until())).collect()
    }

    /// True once in a while per inbox: the moment to note that a webhook came in.
    pub(crate) fn is_touch_due(&self, inbox: InboxId, now: Timestamp) -> bool {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let last = touched.entry(inbox).or_default();
        if now.as_millis() - last.load(Ordering::Relaxed) < TOUCH_EVERY_MS {
            return false;
        }
        last.store(now.as_millis(), Ordering::Relaxed);
        true
    }
}
