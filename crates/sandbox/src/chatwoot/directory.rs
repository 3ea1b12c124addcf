//! The account itself, inboxes, agents, labels, teams, canned responses, definitions of attributes, webhooks.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::refusal::Refusal;
use super::shape;
use super::state::{Agent, Inbox, Things, Webhook};
use super::turn::Turn;

/// Events that a webhook may subscribe to.
const EVENTS: [&str; 11] = [
    "conversation_status_changed",
    "conversation_updated",
    "conversation_created",
    "contact_created",
    "contact_updated",
    "message_created",
    "message_updated",
    "webwidget_triggered",
    "inbox_created",
    "inbox_updated",
    "conversation_typing_on",
];

pub(super) fn account(turn: &Turn<'_>, version: &str) -> Value {
    let mut shown = json!({
        "id": turn.account.id, "name": turn.account.name, "locale": "en", "domain": "acme.test",
        "support_email": "help@acme.test", "status": "active", "features": {}, "settings": {},
        "cache_keys": {"label": "0", "inbox": "0", "team": "0"}, "custom_attributes": {},
        "created_at": "2026-01-05T09:00:00.000Z", "latest_chatwoot_version": version,
    });
    if let Value::Object(shown) = &mut shown {
        shown.extend(turn.account.settings.clone());
    }
    shown
}

pub(super) fn change_account(turn: &mut Turn<'_>, call: &Call, version: &str) -> Result<Value, Refusal> {
    turn.admin()?;
    if let Some(name) = call.text("name") {
        turn.account.name = name;
    }
    for name in ["locale", "domain", "support_email"] {
        if let Some(value) = call.body.get(name) {
            turn.account.settings.insert(name.to_owned(), value.clone());
        }
    }
    Ok(account(turn, version))
}

/// The caller, with secrets in it as the real one has.
pub(super) fn profile(agent: &Agent, accounts: Vec<Value>) -> Value {
    json!({
        "id": agent.id, "name": agent.name, "available_name": agent.name, "display_name": null,
        "email": agent.email, "uid": agent.email, "provider": "email", "type": null, "avatar_url": "",
        "access_token": "profile-access-token", "pubsub_token": "profile-pubsub-token", "confirmed": true,
        "account_id": accounts.first().and_then(|account| account.get("id")), "role": agent.role,
        "inviter_id": null, "hmac_identifier": "", "message_signature": null, "ui_settings": {},
        "custom_attributes": {}, "accounts": accounts,
    })
}

pub(super) fn inboxes(turn: &Turn<'_>) -> Value {
    let admin = turn.admin().is_ok();
    let inboxes = turn.account.inboxes.values().map(|inbox| shape::inbox(inbox, admin));
    json!({"payload": inboxes.collect::<Vec<_>>()})
}

pub(super) fn inbox(turn: &Turn<'_>, id: i64) -> Result<Value, Refusal> {
    let inbox = turn.account.inboxes.get(&id).ok_or(Refusal::NotFound)?;
    Ok(shape::inbox(inbox, turn.admin().is_ok()))
}

pub(super) fn create_inbox(turn: &mut Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    turn.admin()?;
    let channel = call.object("channel").unwrap_or_default();
    let kind = channel.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind != "api" {
        return Err(Refusal::Unprocessable(format!("only inboxes of type api are imitated, not '{kind}'")));
    }
    let name = call.text("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::Invalid("Name can't be blank".to_owned(), vec!["name"]))?;
    let id = turn.next_id();
    let url = channel.get("webhook_url").and_then(Value::as_str).map(ToOwned::to_owned);
    let made = Inbox::api(id, &name, url, turn.ids);
    turn.account.inboxes.insert(id, made);
    change_inbox(turn, id, call)
}

pub(super) fn change_inbox(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    turn.admin()?;
    let inbox = turn.account.inboxes.get_mut(&id).ok_or(Refusal::NotFound)?;
    if let Some(name) = call.text("name") {
        inbox.name = name;
    }
    let channel = call.object("channel").unwrap_or_default();
    if let Some(url) = channel.get("webhook_url") {
        inbox.webhook_url = url.as_str().map(ToOwned::to_owned);
    }
    inbox.lock_to_single_conversation =
        call.flag("lock_to_single_conversation").unwrap_or(inbox.lock_to_single_conversation);
    for name in ["greeting_enabled", "greeting_message", "enable_auto_assignment", "timezone"] {
        if let Some(value) = call.body.get(name) {
            inbox.settings.insert(name.to_owned(), value.clone());
        }
    }
    self::inbox(turn, id)
}

pub(super) fn reset_secret(turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.admin()?;
    let secret = turn.ids.chatwoot_token();
    turn.account.inboxes.get_mut(&id).ok_or(Refusal::NotFound)?.secret = secret;
    inbox(turn, id)
}

pub(super) fn delete_inbox(turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.admin()?;
    turn.account.inboxes.remove(&id).ok_or(Refusal::NotFound)?;
    Ok(json!({"message": "Your inbox deletion request will be processed in some time."}))
}

pub(super) fn members(turn: &Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.account.inboxes.get(&id).ok_or(Refusal::NotFound)?;
    Ok(json!({"payload": agents(turn)}))
}

pub(super) fn agents(turn: &Turn<'_>) -> Value {
    turn.account.agents.values().map(|agent| shape::agent(turn.account, agent)).collect()
}

pub(super) fn create_agent(turn: &mut Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    turn.admin()?;
    let field = |name: &'static str| call.text(name).ok_or_else(|| Refusal::missing(name));
    let (name, email) = (field("name")?, field("email")?);
    let id = turn.next_id();
    let role = call.text("role").unwrap_or_else(|| "agent".to_owned());
    let agent = Agent { id, name, email, role };
    let shown = shape::agent(turn.account, &agent);
    turn.account.agents.insert(id, agent);
    Ok(shown)
}

pub(super) fn change_agent(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    turn.admin()?;
    let agent = turn.account.agents.get_mut(&id).ok_or(Refusal::NotFound)?;
    agent.role = call.text("role").unwrap_or_else(|| agent.role.clone());
    let agent = agent.clone();
    Ok(shape::agent(turn.account, &agent))
}

pub(super) fn delete_agent(turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.admin()?;
    turn.account.agents.remove(&id).map(|_| Value::Null).ok_or(Refusal::NotFound)
}

/// A list of plain things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Labels,
    Teams,
    Canned,
    Definitions,
}

impl Shelf {
    pub fn of(segment: &str) -> Option<Self> {
        match segment {
            "labels" => Some(Self::Labels),
            "teams" => Some(Self::Teams),
            "canned_responses" => Some(Self::Canned),
            "custom_attribute_definitions" => Some(Self::Definitions),
            _ => None,
        }
    }

    fn things<'t>(self, turn: &'t mut Turn<'_>) -> &'t mut Things {
        match self {
            Self::Labels => &mut turn.account.labels,
            Self::Teams => &mut turn.account.teams,
            Self::Canned => &mut turn.account.canned_responses,
            Self::Definitions => &mut turn.account.attribute_definitions,
        }
    }

    /// The name that wraps a body, and the field that it cannot lack.
    fn body(self) -> (&'static str, &'static str) {
        match self {
            Self::Labels => ("label", "title"),
            Self::Teams => ("team", "name"),
            Self::Canned => ("canned_response", "short_code"),
            Self::Definitions => ("custom_attribute_definition", "attribute_key"),
        }
    }

    pub fn list(self, turn: &mut Turn<'_>) -> Value {
        let items: Vec<Value> = self.things(turn).iter().map(|(id, thing)| shown(*id, thing)).collect();
        if self == Self::Labels { json!({"payload": items}) } else { json!(items) }
    }

    pub fn read(self, turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
        self.things(turn).get(&id).map(|thing| shown(id, thing)).ok_or(Refusal::NotFound)
    }

    pub fn create(self, turn: &mut Turn<'_>, call: &Call) -> Result<Value, Refusal> {
        let (wrapper, required) = self.body();
        let fields = call.wrapped(wrapper);
        if fields.get(required).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Refusal::Invalid(format!("{required} can't be blank"), vec![required]));
        }
        if self.things(turn).values().any(|thing| thing.get(required) == fields.get(required)) {
            return Err(Refusal::taken(required, required));
        }
        let id = turn.next_id();
        self.things(turn).insert(id, fields);
        self.read(turn, id)
    }

    pub fn change(self, turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
        let fields = call.wrapped(self.body().0);
        self.things(turn).get_mut(&id).ok_or(Refusal::NotFound)?.extend(fields);
        self.read(turn, id)
    }

    pub fn delete(self, turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
        self.things(turn).remove(&id).map(|_| Value::Null).ok_or(Refusal::NotFound)
    }
}

fn shown(id: i64, thing: &Map<String, Value>) -> Value {
    let mut shown = thing.clone();
    shown.insert("id".to_owned(), json!(id));
    Value::Object(shown)
}

fn webhook(turn: &Turn<'_>, webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id, "name": webhook.name, "url": webhook.url, "account_id": turn.account.id,
        "subscriptions": webhook.subscriptions, "secret": webhook.secret,
    })
}

pub(super) fn webhooks(turn: &Turn<'_>) -> Result<Value, Refusal> {
    turn.admin()?;
    let webhooks: Vec<Value> = turn.account.webhooks.values().map(|found| webhook(turn, found)).collect();
    Ok(json!({"payload": {"webhooks": webhooks}}))
}

pub(super) fn put_webhook(turn: &mut Turn<'_>, id: Option<i64>, call: &Call) -> Result<Value, Refusal> {
    turn.admin()?;
    let fields = call.wrapped("webhook");
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let events = fields.get("subscriptions").and_then(Value::as_array).map(|events| {
        events
            .iter()
            .filter_map(Value::as_str)
            .map(ToOwned::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    });
    let known = |event: &String| EVENTS.contains(&event.as_str()) || event == "conversation_typing_off";
    if events.as_ref().is_some_and(|events| events.is_empty() || !events.iter().all(known)) {
        return Err(Refusal::Invalid("Subscriptions Invalid events".to_owned(), vec!["subscriptions"]));
    }
    let url = text("url");
    if url.as_ref().is_some_and(|url| !url.starts_with("http")) || (id.is_none() && url.is_none()) {
        return Err(Refusal::Invalid("Url is invalid".to_owned(), vec!["url"]));
    }
    let in_use = |found: &Webhook| Some(&found.url) == url.as_ref() && Some(found.id) != id;
    if turn.account.webhooks.values().any(in_use) {
        return Err(Refusal::taken("url", "Url"));
    }
    let id = match id {
        Some(id) if turn.account.webhooks.contains_key(&id) => id,
        Some(_) => return Err(Refusal::NotFound),
        None => {
            let id = turn.next_id();
            let all = EVENTS.iter().map(|event| (*event).to_owned()).collect();
            let secret = turn.ids.chatwoot_token();
            let made = Webhook { id, url: String::new(), name: None, subscriptions: all, secret };
            turn.account.webhooks.insert(id, made);
            id
        }
    };
    let found = turn.account.webhooks.get_mut(&id).ok_or(Refusal::NotFound)?;
    found.url = url.unwrap_or_else(|| found.url.clone());
    found.name = text("name").or(found.name.take());
    found.subscriptions = events.unwrap_or_else(|| found.subscriptions.clone());
    let found = turn.account.webhooks.get(&id).ok_or(Refusal::NotFound)?;
    Ok(json!({"payload": {"webhook": webhook(turn, found)}}))
}

pub(super) fn delete_webhook(turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.admin()?;
    turn.account.webhooks.remove(&id).map(|_| Value::Null).ok_or(Refusal::NotFound)
}
