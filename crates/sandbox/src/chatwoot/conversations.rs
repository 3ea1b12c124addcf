//! Threads: lists, status, priority, who is in charge, labels.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::filter::{self, Condition};
use super::refusal::Refusal;
use super::state::{Conversation, Sender};
use super::turn::Turn;
use super::{contacts, messages, shape};

const STATUSES: [&str; 4] = ["open", "resolved", "pending", "snoozed"];
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

/// What a list asks for, except who is in charge.
fn wanted(turn: &Turn<'_>, call: &Call, conversation: &Conversation) -> bool {
    let status = call.param("status").unwrap_or("open");
    let number = |name| call.number(name);
    let labels: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "labels").map(|(_, label)| label.as_str()).collect();
    let contact_inbox = turn.account.contact_inboxes.get(&conversation.contact_inbox_id);
    let source = contact_inbox.map(|found| found.source_id.as_str());
    (status == "all" || conversation.status == status)
        && number("inbox_id").is_none_or(|id| conversation.inbox_id == id)
        && number("team_id").is_none_or(|id| conversation.team_id == Some(id))
        && (labels.is_empty() || conversation.labels.iter().any(|label| labels.contains(&label.as_str())))
        && call.param("source_id").is_none_or(|wanted| source == Some(wanted))
        && call.param("q").is_none_or(|word| {
            let word = word.to_lowercase();
            conversation
                .messages
                .iter()
                .filter_map(|message| message.content.as_ref())
                .any(|content| content.to_lowercase().contains(&word))
        })
}

fn counts<'a>(turn: &Turn<'_>, found: impl Iterator<Item = &'a Conversation>) -> Value {
    let (mut mine, mut assigned, mut all) = (0, 0, 0);
    for conversation in found {
        all += 1;
        assigned += i64::from(conversation.assignee_id.is_some());
        mine += i64::from(conversation.assignee_id == Some(turn.agent.id));
    }
    json!({
        "mine_count": mine, "assigned_count": assigned, "unassigned_count": all - assigned, "all_count": all,
    })
}

pub(super) fn list(turn: &Turn<'_>, call: &Call) -> Value {
    let shown = |found: Vec<&Conversation>| -> Vec<Value> {
        found.into_iter().map(|found| shape::conversation(turn.account, found, turn.base_url)).collect()
    };
    if let Some(seconds) = call.number("updated_within") {
        let since = turn.now - seconds.saturating_mul(1_000);
        let changed = turn.account.conversations.values().filter(|found| found.updated_at_ms >= since);
        let mut changed: Vec<_> = changed.collect();
        changed.sort_by_key(|found| std::cmp::Reverse(found.last_activity_at_ms));
        let meta = counts(turn, changed.iter().copied());
        return json!({"data": {"meta": meta, "payload": shown(changed)}});
    }
    let mut found: Vec<&Conversation> =
        turn.account.conversations.values().filter(|found| wanted(turn, call, found)).collect();
    let meta = counts(turn, found.iter().copied());
    match call.param("assignee_type") {
        Some("me") => found.retain(|conversation| conversation.assignee_id == Some(turn.agent.id)),
        Some("unassigned") => found.retain(|conversation| conversation.assignee_id.is_none()),
        Some("assigned") => found.retain(|conversation| conversation.assignee_id.is_some()),
        _ => {}
    }
    match call.param("sort_by") {
        Some("created_at_asc") => found.sort_by_key(|found| (found.created_at_ms, found.display_id)),
        Some("created_at_desc") => {
            found.sort_by_key(|found| std::cmp::Reverse((found.created_at_ms, found.display_id)));
        }
        Some("last_activity_at_asc") => {
            found.sort_by_key(|found| (found.last_activity_at_ms, found.display_id))
        }
        _ => found.sort_by_key(|found| std::cmp::Reverse((found.last_activity_at_ms, found.display_id))),
    }
    let page = found.into_iter().skip(call.page() * turn.per_page).take(turn.per_page).collect();
    json!({"data": {"meta": meta, "payload": shown(page)}})
}

pub(super) fn meta(turn: &Turn<'_>, call: &Call) -> Value {
    json!({"meta": counts(turn, turn.account.conversations.values().filter(|found| wanted(turn, call, found)))})
}

pub(super) fn filter(turn: &Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    let conditions = Condition::read(call)?;
    let fields = |conversation: &Conversation| {
        let mut fields = conversation.custom_attributes.clone();
        fields.extend(Map::from_iter([
            ("status".to_owned(), json!(conversation.status)),
            ("assignee_id".to_owned(), json!(conversation.assignee_id)),
            ("inbox_id".to_owned(), json!(conversation.inbox_id)),
            ("team_id".to_owned(), json!(conversation.team_id)),
            ("contact_id".to_owned(), json!(conversation.contact_id)),
            ("display_id".to_owned(), json!(conversation.display_id)),
            ("priority".to_owned(), json!(conversation.priority)),
            ("labels".to_owned(), json!(conversation.labels)),
            ("created_at".to_owned(), json!(shape::seconds(conversation.created_at_ms))),
            ("last_activity_at".to_owned(), json!(shape::seconds(conversation.last_activity_at_ms))),
        ]));
        fields
    };
    let found: Vec<&Conversation> = turn
        .account
        .conversations
        .values()
        .filter(|conversation| filter::matches(&conditions, &fields(conversation)))
        .collect();
    let mut meta = counts(turn, found.iter().copied());
    if let Value::Object(meta) = &mut meta {
        meta.remove("assigned_count");
    }
    let page = found.into_iter().skip(call.page() * turn.per_page).take(turn.per_page);
    let shown: Vec<Value> =
        page.map(|found| shape::conversation(turn.account, found, turn.base_url)).collect();
    Ok(json!({"meta": meta, "payload": shown}))
}

pub(super) fn read(turn: &Turn<'_>, id: i64) -> Result<Value, Refusal> {
    let found = turn.account.conversations.get(&id).ok_or(Refusal::NotFound)?;
    Ok(shape::conversation(turn.account, found, turn.base_url))
}

pub(super) fn create(turn: &mut Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    let source_id = call.text("source_id");
    let by_source = source_id.as_ref().and_then(|source| {
        let inbox_id = call.integer("inbox_id");
        turn.account
            .contact_inboxes
            .values()
            .find(|found| found.source_id == *source && inbox_id.is_none_or(|id| found.inbox_id == id))
            .map(|found| (found.id, found.contact_id, found.inbox_id))
    });
    let (contact_inbox_id, contact_id, inbox_id) = match by_source {
        Some(found) => found,
        None => {
            let inbox_id = call.integer("inbox_id").ok_or(Refusal::NotFound)?;
            let contact_id = call.integer("contact_id").ok_or(Refusal::NotFound)?;
            turn.contact(contact_id)?;
            (contacts::enter(turn, contact_id, inbox_id, source_id)?, contact_id, inbox_id)
        }
    };
    let locked = turn.account.inboxes.get(&inbox_id).is_some_and(|inbox| inbox.lock_to_single_conversation);
    let existing = turn
        .account
        .conversations
        .values()
        .rev()
        .find(|found| locked && found.contact_id == contact_id && found.inbox_id == inbox_id);
    let id = match existing.map(|found| found.display_id) {
        Some(id) => id,
        None => begin(turn, contact_inbox_id, call.text("status"))?,
    };
    let conversation = turn.conversation(id)?;
    conversation.assignee_id = call.integer("assignee_id").or(conversation.assignee_id);
    conversation.team_id = call.integer("team_id").or(conversation.team_id);
    conversation.custom_attributes.extend(call.object("custom_attributes").unwrap_or_default());
    conversation.additional_attributes.extend(call.object("additional_attributes").unwrap_or_default());
    turn.tell_conversation("conversation_created", id, &[]);
    if let Some(message) = call.object("message") {
        messages::write(turn, id, &message, &[], Sender::Agent(turn.agent.id))?;
    }
    read(turn, id)
}

/// A new conversation of a contact within an inbox; returns its id.
pub(super) fn begin(
    turn: &mut Turn<'_>,
    contact_inbox_id: i64,
    status: Option<String>,
) -> Result<i64, Refusal> {
    let found = turn.account.contact_inboxes.get(&contact_inbox_id).ok_or(Refusal::NotFound)?;
    let (contact_id, inbox_id) = (found.contact_id, found.inbox_id);
    let display_id = turn.account.conversations.keys().next_back().copied().unwrap_or(0) + 1;
    let conversation = Conversation {
        display_id,
        uuid: turn.ids.uuid(),
        inbox_id,
        contact_id,
        contact_inbox_id,
        status: status
            .filter(|status| STATUSES.contains(&status.as_str()))
            .unwrap_or_else(|| "open".to_owned()),
        priority: None,
        assignee_id: None,
        team_id: None,
        labels: Vec::new(),
        custom_attributes: Map::new(),
        additional_attributes: Map::new(),
        muted: false,
        snoozed_until: None,
        agent_last_seen_at_ms: 0,
        waiting_since_ms: turn.now,
        first_reply_created_at_ms: None,
        created_at_ms: turn.now,
        updated_at_ms: turn.now,
        last_activity_at_ms: turn.now,
        messages: Vec::new(),
    };
    turn.account.conversations.insert(display_id, conversation);
    Ok(display_id)
}

/// Changes a conversation and tells what changed.
fn change(
    turn: &mut Turn<'_>,
    id: i64,
    field: &'static str,
    act: impl FnOnce(&mut Conversation) -> (Value, Value),
) -> Result<(), Refusal> {
    let now = turn.now;
    let conversation = turn.conversation(id)?;
    let (before, after) = act(conversation);
    if before != after {
        conversation.updated_at_ms = now;
        let changed = [(field, before, after)];
        turn.tell_conversation("conversation_updated", id, &changed);
        if field == "status" {
            turn.tell_conversation("conversation_status_changed", id, &changed);
        }
    }
    Ok(())
}

pub(super) fn update(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    priority(turn, id, call)?;
    read(turn, id)
}

pub(super) fn priority(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let priority = call.text("priority").filter(|priority| !priority.is_empty() && priority != "none");
    if priority.as_ref().is_some_and(|priority| !PRIORITIES.contains(&priority.as_str())) {
        return Err(Refusal::Unprocessable("'priority' is not a valid priority".to_owned()));
    }
    change(turn, id, "priority", |found| {
        let before = std::mem::replace(&mut found.priority, priority);
        (json!(before), json!(found.priority))
    })?;
    Ok(Value::Null)
}

pub(super) fn status(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let current = turn.conversation(id)?.status.clone();
    let toggled = if current == "open" { "resolved" } else { "open" };
    let wanted = call.text("status").unwrap_or_else(|| toggled.to_owned());
    if !STATUSES.contains(&wanted.as_str()) {
        return Err(Refusal::Unprocessable(format!("'{wanted}' is not a valid status")));
    }
    let until = call.integer("snoozed_until").filter(|_| wanted == "snoozed");
    set_status(turn, id, &wanted, until)?;
    let payload =
        json!({"success": true, "conversation_id": id, "current_status": wanted, "snoozed_until": until});
    Ok(json!({"meta": {}, "payload": payload}))
}

pub(super) fn set_status(
    turn: &mut Turn<'_>,
    id: i64,
    status: &str,
    snoozed_until: Option<i64>,
) -> Result<(), Refusal> {
    change(turn, id, "status", |found| {
        found.snoozed_until = snoozed_until;
        let before = std::mem::replace(&mut found.status, status.to_owned());
        (json!(before), json!(status))
    })
}

pub(super) fn typing(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    turn.conversation(id)?;
    let user = shape::typist(turn.account, Sender::Agent(turn.agent.id));
    let on = call.text("typing_status").as_deref() == Some("on");
    let event = if on { "conversation_typing_on" } else { "conversation_typing_off" };
    turn.tell_typing(event, id, &user, call.flag("is_private").unwrap_or(false));
    Ok(Value::Null)
}

pub(super) fn mute(turn: &mut Turn<'_>, id: i64, muted: bool) -> Result<Value, Refusal> {
    turn.conversation(id)?.muted = muted;
    Ok(Value::Null)
}

pub(super) fn seen(turn: &mut Turn<'_>, id: i64, unread: bool) -> Result<Value, Refusal> {
    let now = turn.now;
    let conversation = turn.conversation(id)?;
    let last = conversation.messages.iter().rev().find(|message| message.message_type == 0);
    let before_last = last.map_or(0, |message| message.created_at_ms - 1);
    conversation.agent_last_seen_at_ms = if unread { before_last } else { now };
    read(turn, id)
}

pub(super) fn attributes(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let attributes = call.object("custom_attributes").unwrap_or_default();
    change(turn, id, "custom_attributes", |found| {
        let before = std::mem::replace(&mut found.custom_attributes, attributes);
        (json!(before), json!(found.custom_attributes))
    })?;
    Ok(json!({"custom_attributes": turn.conversation(id)?.custom_attributes}))
}

pub(super) fn destroy_attributes(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let gone = call.texts("custom_attributes").unwrap_or_default();
    change(turn, id, "custom_attributes", |found| {
        let before = json!(found.custom_attributes);
        found.custom_attributes.retain(|name, _| !gone.contains(name));
        (before, json!(found.custom_attributes))
    })?;
    Ok(json!({"custom_attributes": turn.conversation(id)?.custom_attributes}))
}

pub(super) fn assign(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    turn.conversation(id)?;
    if call.body.contains_key("assignee_id") {
        let wanted = call.integer("assignee_id").filter(|id| *id != 0);
        let agent = wanted.and_then(|id| turn.account.agents.get(&id)).cloned();
        if wanted.is_some() && agent.is_none() {
            return Ok(Value::Null);
        }
        change(turn, id, "assignee_id", |found| {
            let before = std::mem::replace(&mut found.assignee_id, wanted);
            (json!(before), json!(wanted))
        })?;
        return Ok(agent.map_or(Value::Null, |agent| shape::agent(turn.account, &agent)));
    }
    let wanted = call.integer("team_id").filter(|id| *id != 0);
    let team = wanted.and_then(|id| Some((id, turn.account.teams.get(&id)?.clone())));
    if wanted.is_some() && team.is_none() {
        return Err(Refusal::NotFound);
    }
    change(turn, id, "team_id", |found| {
        let before = std::mem::replace(&mut found.team_id, wanted);
        (json!(before), json!(wanted))
    })?;
    Ok(team.map_or(Value::Null, |(id, mut team)| {
        team.insert("id".to_owned(), json!(id));
        Value::Object(team)
    }))
}

pub(super) fn labels(turn: &mut Turn<'_>, id: i64, call: Option<&Call>) -> Result<Value, Refusal> {
    if let Some(call) = call {
        let labels = call.texts("labels").ok_or_else(|| Refusal::missing("labels"))?;
        change(turn, id, "label_list", |found| {
            let before = std::mem::replace(&mut found.labels, labels);
            (json!(before), json!(found.labels))
        })?;
    }
    Ok(json!({"payload": turn.conversation(id)?.labels}))
}

pub(super) fn delete(turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.admin()?;
    turn.account.conversations.remove(&id).ok_or(Refusal::NotFound)?;
    Ok(Value::Null)
}
