//! What Green API knows of an instance beyond its inbox.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use utoipa::ToSchema;

use crate::clock::{DAY_MS, TimeMs};

/// Messages that a journal remembers.
const JOURNAL_CAPACITY: usize = 2_000;
/// Switches of the settings, all off on a new instance.
const SWITCHES: [&str; 14] = [
    "markIncomingMessagesReaded",
    "markIncomingMessagesReadedOnReply",
    "outgoingWebhook",
    "outgoingMessageWebhook",
    "outgoingAPIMessageWebhook",
    "incomingWebhook",
    "stateWebhook",
    "keepOnlineStatus",
    "pollMessageWebhook",
    "incomingCallWebhook",
    "outgoingCallWebhook",
    "editedMessageWebhook",
    "deletedMessageWebhook",
    "autoTyping",
];

/// `stateInstance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum InstanceState {
    /// Nobody is signed in.
    NotAuthorized,
    /// Works.
    Authorized,
    /// Banned.
    Blocked,
    /// The phone is unreachable.
    SleepMode,
    /// Being started.
    Starting,
    /// Sending is restricted.
    YellowCard,
}

/// A message that waits to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) message_id: String,
    pub(crate) method: &'static str,
    pub(crate) body: Value,
    pub(crate) chat_id: String,
    pub(crate) customer_id: String,
    pub(crate) doomed: Option<i64>,
    pub(crate) queued_at_ms: TimeMs,
    /// It is on its way, and leaves the queue when it is sent.
    pub(crate) started: bool,
}

/// A notification that waits to be delivered or polled.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) receipt_id: i64,
    pub(crate) body: Value,
    pub(crate) message_ids: Vec<String>,
    pub(crate) at_ms: TimeMs,
}

/// What Green API knows of an instance beyond its inbox.
#[derive(Debug)]
pub struct GreenInstance {
    /// Its state.
    pub state: InstanceState,
    /// Its settings, as `getSettings` gives them.
    pub settings: Map<String, Value>,
    /// `setSettings` says that it saved, and saves nothing.
    pub loses_settings: bool,
    /// Checks of numbers that the tariff still allows; `None`: any number.
    pub checks_left: Option<u32>,
    pub(crate) outgoing: VecDeque<Waiting>,
    pub(crate) notifications: VecDeque<Notification>,
    pub(crate) last_receipt_id: i64,
    /// The queue of notifications is being delivered to its URL.
    pub(crate) delivering: bool,
    pub(crate) arrived: Arc<Notify>,
    pub(crate) journal: VecDeque<Value>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) contacts: BTreeMap<String, Map<String, Value>>,
    pub(crate) qr_shown: u64,
    pub(crate) cleared_webhooks_at_ms: Option<TimeMs>,
}

/// A group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) subject: String,
    pub(crate) created_at_ms: TimeMs,
    /// People in it, and whether each is an admin.
    pub(crate) members: BTreeMap<String, bool>,
}

/// An instance that is signed in, with everything switched off.
impl Default for GreenInstance {
    fn default() -> Self {
        let texts = ["webhookUrl", "webhookUrlToken"].map(|name| (name.to_owned(), json!("")));
        let switches = SWITCHES.map(|name| (name.to_owned(), json!("no")));
        let pause = ("delaySendMessagesMilliseconds".to_owned(), json!(1_000));
        Self {
            state: InstanceState::Authorized,
            settings: texts.into_iter().chain([pause]).chain(switches).collect(),
            loses_settings: false,
            checks_left: None,
            outgoing: VecDeque::new(),
            notifications: VecDeque::new(),
            last_receipt_id: 0,
            delivering: false,
            arrived: Arc::default(),
            journal: VecDeque::new(),
            groups: BTreeMap::new(),
            contacts: BTreeMap::new(),
            qr_shown: 0,
            cleared_webhooks_at_ms: None,
        }
    }
}

impl GreenInstance {
    /// A text of the settings.
    #[must_use]
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether this kind of notification is wanted. News of messages that will never arrive always are.
    pub(crate) fn wants(&self, body: &Value) -> bool {
        let on = |name: &str| self.setting(name) == "yes";
        let message = body["messageData"]["typeMessage"].as_str().unwrap_or_default();
        let of_message = match message {
            "editedMessage" => on("editedMessageWebhook"),
            "deletedMessage" => on("deletedMessageWebhook"),
            "pollUpdateMessage" => on("pollMessageWebhook"),
            _ => true,
        };
        match body["typeWebhook"].as_str().unwrap_or_default() {
            "incomingMessageReceived" => on("incomingWebhook") && of_message,
            "outgoingMessageReceived" => on("outgoingMessageWebhook") && of_message,
            "outgoingAPIMessageReceived" => on("outgoingAPIMessageWebhook"),
            "outgoingMessageStatus" => {
                let status = body["status"].as_str().unwrap_or_default();
                on("outgoingWebhook") || matches!(status, "failed" | "noAccount")
            }
            "stateInstanceChanged" => on("stateWebhook"),
            "incomingCall" => on("incomingCallWebhook"),
            "outgoingCall" => on("outgoingCallWebhook"),
            _ => true,
        }
    }

    /// Bodies of the notifications that wait, oldest first.
    #[must_use]
    pub fn waiting_notifications(&self) -> Vec<&Value> {
        self.notifications.iter().map(|notification| &notification.body).collect()
    }

    /// Remembers a message in its flat form.
    pub(crate) fn note(&mut self, message: Value) {
        if self.journal.len() >= JOURNAL_CAPACITY {
            self.journal.pop_front();
        }
        self.journal.push_back(message);
    }

    pub(crate) fn noted_mut(&mut self, message_id: &str) -> Option<&mut Value> {
        self.journal.iter_mut().rev().find(|message| message["idMessage"] == message_id)
    }

    /// Forgets what happened; settings and state stay.
    pub(crate) fn start_over(&mut self) {
        self.outgoing.clear();
        self.notifications.clear();
        self.journal.clear();
        self.groups.clear();
        self.contacts.clear();
        self.qr_shown = 0;
    }

    /// Green API keeps both queues for a day.
    pub(crate) fn forget_expired(&mut self, now: TimeMs) {
        self.notifications.retain(|notification| now - notification.at_ms < DAY_MS);
        self.outgoing.retain(|waiting| now - waiting.queued_at_ms < DAY_MS);
    }
}

impl InstanceState {
    /// As Green API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAuthorized => "notAuthorized",
            Self::Authorized => "authorized",
            Self::Blocked => "blocked",
            Self::SleepMode => "sleepMode",
            Self::Starting => "starting",
            Self::YellowCard => "yellowCard",
        }
    }
}
