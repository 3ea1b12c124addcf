//! What the fake Chatwoot knows: accounts, and in each inboxes, people, conversations.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::clock::TimeMs;
use crate::ids::IdMaker;

/// Fields that people may add as they like.
pub type Attributes = Map<String, Value>;

/// Who calls with which token, and what the server's operator set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChatwootSettings {
    /// Access tokens and the agents they belong to. Empty: any non-empty token is the administrator's (agent 1).
    pub tokens: BTreeMap<String, i64>,
    /// Requests a minute of the clock before rack-attack answers 429 `Retry later`; `null`: it is off.
    pub requests_per_minute: Option<u32>,
    /// Searches of contacts a minute of the clock and account before 429; `null`: no limit.
    pub searches_per_minute: Option<u32>,
    /// Conversations on a page (`CONVERSATION_RESULTS_PER_PAGE`).
    pub conversations_per_page: usize,
    /// The version it says it is. Before 4.11.2 webhooks are not signed.
    pub version: String,
    /// Webhooks are signed (4.11.2 and later) or not.
    pub signs: bool,
    /// How long a webhook's answer is waited for, in milliseconds (`WEBHOOK_TIMEOUT`).
    pub webhook_timeout_ms: u64,
    /// `GET /api` says that Redis or the database fails.
    pub services_failing: bool,
}

impl Default for ChatwootSettings {
    fn default() -> Self {
        Self {
            tokens: BTreeMap::new(),
            requests_per_minute: Some(3_000),
            searches_per_minute: Some(100),
            conversations_per_page: 25,
            version: "4.16.2".to_owned(),
            signs: true,
            webhook_timeout_ms: 5_000,
            services_failing: false,
        }
    }
}

/// A person who answers.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its id, the same in every account.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// `administrator` or `agent`.
    pub role: String,
}

/// Somebody outside.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// Its id.
    pub id: i64,
    /// Its name; may be empty.
    pub name: String,
    /// Its address, in lower case.
    pub email: Option<String>,
    /// `+` and digits.
    pub phone_number: Option<String>,
    /// The id that another system gave it.
    pub identifier: Option<String>,
    /// Picture.
    pub avatar_url: String,
    /// Its messages are dropped.
    pub blocked: bool,
    /// Attributes that the server keeps.
    pub additional_attributes: Attributes,
    /// Attributes that people define.
    pub custom_attributes: Attributes,
    /// Labels.
    pub labels: Vec<String>,
    /// When it was made.
    pub created_at_ms: TimeMs,
    /// When it was changed.
    pub updated_at_ms: TimeMs,
    /// When it last wrote.
    pub last_activity_at_ms: Option<TimeMs>,
}

/// A contact within an inbox.
#[derive(Debug, Clone)]
pub struct ContactInbox {
    /// Its id.
    pub id: i64,
    /// Who.
    pub contact_id: i64,
    /// Where.
    pub inbox_id: i64,
    /// The contact's name in the channel.
    pub source_id: String,
    /// When it was made.
    pub created_at_ms: TimeMs,
}

/// A connected channel.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `Channel::Api`, `Channel::Whatsapp`…
    pub channel_type: String,
    /// API inboxes: where its events go.
    pub webhook_url: Option<String>,
    /// Signs its webhooks.
    pub secret: String,
    /// Signs the identifiers of contacts, not webhooks.
    pub hmac_token: String,
    /// Names the inbox in the public API.
    pub inbox_identifier: String,
    /// One conversation per contact.
    pub lock_to_single_conversation: bool,
    /// Other settings, as they were set.
    pub settings: Attributes,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Nobody: activity, echo.
    Nobody,
    /// A contact.
    Contact(i64),
    /// An agent.
    Agent(i64),
}

/// A file of a message.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its id.
    pub id: i64,
    /// `image`, `audio`, `video` or `file`.
    pub file_type: &'static str,
    /// Id on the shelf of files.
    pub media_id: String,
    /// Its name.
    pub file_name: String,
    /// Its type.
    pub content_type: String,
    /// Its size in bytes.
    pub file_size: usize,
}

/// One entry of a conversation.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: i64,
    /// 0 incoming, 1 outgoing, 2 activity, 3 template.
    pub message_type: i64,
    /// What it says.
    pub content: Option<String>,
    /// `text`, `input_select`…
    pub content_type: String,
    /// Deleted, in reply to, items…
    pub content_attributes: Attributes,
    /// Not for the contact.
    pub private: bool,
    /// `sent`, `delivered`, `read` or `failed`.
    pub status: String,
    /// Id in the channel. Not unique.
    pub source_id: Option<String>,
    /// Who wrote it.
    pub sender: Sender,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// When it was made.
    pub created_at_ms: TimeMs,
    /// When it was changed.
    pub updated_at_ms: TimeMs,
}

/// A thread with a contact.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// `id` on the wire: its number within the account.
    pub display_id: i64,
    /// Its other name.
    pub uuid: String,
    /// Where.
    pub inbox_id: i64,
    /// With whom.
    pub contact_id: i64,
    /// The contact within the inbox.
    pub contact_inbox_id: i64,
    /// `open`, `resolved`, `pending` or `snoozed`.
    pub status: String,
    /// `low` to `urgent`.
    pub priority: Option<String>,
    /// Agent in charge.
    pub assignee_id: Option<i64>,
    /// Team in charge.
    pub team_id: Option<i64>,
    /// Labels.
    pub labels: Vec<String>,
    /// Attributes that people define.
    pub custom_attributes: Attributes,
    /// Attributes that the server keeps.
    pub additional_attributes: Attributes,
    /// No notifications.
    pub muted: bool,
    /// When a snoozed one comes back, in seconds.
    pub snoozed_until: Option<i64>,
    /// When an agent last looked.
    pub agent_last_seen_at_ms: TimeMs,
    /// Since when the contact waits; 0: it does not.
    pub waiting_since_ms: TimeMs,
    /// When an agent first answered.
    pub first_reply_created_at_ms: Option<TimeMs>,
    /// When it began.
    pub created_at_ms: TimeMs,
    /// When it was changed.
    pub updated_at_ms: TimeMs,
    /// When something was last written.
    pub last_activity_at_ms: TimeMs,
    /// What was written, oldest first.
    pub messages: Vec<Message>,
}

/// A subscription of an account's events.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: i64,
    /// Where events go.
    pub url: String,
    /// Its name.
    pub name: Option<String>,
    /// Which events.
    pub subscriptions: BTreeSet<String>,
    /// Signs them.
    pub secret: String,
}

/// A plain list of things with an id: labels, teams, canned responses, definitions of attributes.
pub type Things = BTreeMap<i64, Attributes>;

/// One account.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Language and other settings.
    pub settings: Attributes,
    /// Agents by id.
    pub agents: BTreeMap<i64, Agent>,
    /// Inboxes by id.
    pub inboxes: BTreeMap<i64, Inbox>,
    /// Contacts by id.
    pub contacts: BTreeMap<i64, Contact>,
    /// Contacts within inboxes, by id.
    pub contact_inboxes: BTreeMap<i64, ContactInbox>,
    /// Conversations by display id.
    pub conversations: BTreeMap<i64, Conversation>,
    /// Subscriptions by id.
    pub webhooks: BTreeMap<i64, Webhook>,
    /// Labels by id.
    pub labels: Things,
    /// Teams by id.
    pub teams: Things,
    /// Canned responses by id.
    pub canned_responses: Things,
    /// Definitions of custom attributes by id.
    pub attribute_definitions: Things,
}

/// The fake server.
#[derive(Debug)]
pub struct Chatwoot {
    /// What the control API can change.
    pub settings: ChatwootSettings,
    /// Accounts by id.
    pub accounts: BTreeMap<i64, Account>,
    pub(super) last_id: i64,
    window: (TimeMs, BTreeMap<String, u32>),
}

impl Default for Chatwoot {
    fn default() -> Self {
        let mut chatwoot = Self {
            settings: ChatwootSettings::default(),
            accounts: BTreeMap::new(),
            last_id: 100,
            window: (0, BTreeMap::new()),
        };
        chatwoot.add_account(1, "Acme", &mut IdMaker::new(None));
        chatwoot
    }
}

impl Chatwoot {
    /// The next id; ids are never used twice.
    pub fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// Makes an account with two agents (1 is an administrator), an API inbox, a team and labels.
    pub fn add_account(&mut self, id: i64, name: &str, ids: &mut IdMaker) {
        let agent = |id, name: &str, role: &str| Agent {
            id,
            name: name.to_owned(),
            email: format!("{}@acme.test", name.to_lowercase()),
            role: role.to_owned(),
        };
        let mut account = Account { id, name: name.to_owned(), ..Account::default() };
        account.agents.insert(1, agent(1, "Rui", "administrator"));
        account.agents.insert(2, agent(2, "Bia", "agent"));
        let inbox = Inbox::api(id, "Website API", None, ids);
        account.inboxes.insert(id, inbox);
        for (place, title) in ["vip", "billing"].into_iter().enumerate() {
            let id = i64::try_from(place).unwrap_or(0) + 1;
            account.labels.insert(id, thing(&[("title", title), ("color", "#1f93ff")]));
        }
        account.teams.insert(1, thing(&[("name", "sales")]));
        self.accounts.insert(id, account);
    }

    /// Counts a request against an allowance per minute of the clock. False: it is used up.
    pub fn may(&mut self, what: &str, allowed: Option<u32>, now: TimeMs) -> bool {
        let minute = now.div_euclid(60_000);
        if self.window.0 != minute {
            self.window = (minute, BTreeMap::new());
        }
        let used = self.window.1.entry(what.to_owned()).or_default();
        *used += 1;
        allowed.is_none_or(|allowed| *used <= allowed)
    }

    /// Forgets people and conversations; settings, tokens, inboxes and webhooks stay.
    pub fn start_over(&mut self) {
        self.window = (0, BTreeMap::new());
        for account in self.accounts.values_mut() {
            account.contacts.clear();
            account.contact_inboxes.clear();
            account.conversations.clear();
        }
    }
}

impl Inbox {
    /// A new API inbox.
    pub fn api(id: i64, name: &str, webhook_url: Option<String>, ids: &mut IdMaker) -> Self {
        Self {
            id,
            name: name.to_owned(),
            channel_type: "Channel::Api".to_owned(),
            webhook_url,
            secret: ids.chatwoot_token(),
            hmac_token: ids.chatwoot_token(),
            inbox_identifier: ids.chatwoot_token(),
            lock_to_single_conversation: false,
            settings: Attributes::new(),
        }
    }
}

pub(super) fn thing(fields: &[(&str, &str)]) -> Attributes {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}
