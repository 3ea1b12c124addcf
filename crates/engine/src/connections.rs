//! The open connections of this node: one line per inbox, with its pace and breaker, opened when first needed and
//! again when the inbox's settings change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_channels::contract::Connection;
use frontdesk_model::{InboxId, Timestamp};

use crate::Engine;
use crate::inboxes::Inbox;
use crate::outbox::breaker::Breaker;
use crate::outbox::pace::Pace;

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
    /// How fast it may send.
    pub(crate) pace: Pace,
    /// Whether its provider answers.
    pub(crate) breaker: Breaker,
    version: i64,
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
        let connection = inbox.channel.open(&engine.channels, &inbox.config).map_err(|error| {
            tracing::error!(inbox.id = id.0, error = %error, "an inbox cannot be opened");
            error.reason
        });
        let settings = &engine.settings.outbox;
        let line = Arc::new(Line {
            connection,
            pace: Pace::per_second(settings.per_inbox_per_second),
            breaker: Breaker::new(settings.breaker_failures, settings.breaker_open_ms),
            version: inbox.version,
        });
        lines.insert(id, line.clone());
        line
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
