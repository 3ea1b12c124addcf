//! What Chatwoot shows of its things: in answers (times in unix seconds, kinds of messages as numbers) and in webhooks
//! (times as text, kinds as words).

use serde_json::{Map, Value, json};

use super::state::{Account, Agent, Attachment, Contact, ContactInbox, Conversation, Inbox, Message, Sender};
use crate::clock::{SECOND_MS, TimeMs};

/// Kinds of messages as words, by number.
const MESSAGE_TYPES: [&str; 4] = ["incoming", "outgoing", "activity", "template"];
/// Unread messages are never counted further.
const UNREAD_MAX: usize = 10;

pub(super) fn seconds(ms: TimeMs) -> i64 {
    ms.div_euclid(SECOND_MS)
}

/// As conversations show when they were changed: with a fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
pub(super) fn fraction(ms: TimeMs) -> f64 {
    ms as f64 / 1_000.0
}

pub(super) fn iso(ms: TimeMs) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|time| format!("{time:.3}")).unwrap_or_default()
}

pub(super) fn account_ref(account: &Account) -> Value {
    json!({"id": account.id, "name": account.name})
}

pub(super) fn agent(account: &Account, agent: &Agent) -> Value {
    json!({
        "id": agent.id, "account_id": account.id, "availability_status": "online", "auto_offline": true,
        "confirmed": true, "email": agent.email, "available_name": agent.name, "name": agent.name,
        "role": agent.role, "thumbnail": "", "custom_role_id": null,
    })
}

pub(super) fn inbox(inbox: &Inbox, for_admin: bool) -> Value {
    let mut shown = json!({
        "id": inbox.id, "avatar_url": "", "channel_id": inbox.id, "name": inbox.name,
        "channel_type": inbox.channel_type, "greeting_enabled": false, "greeting_message": null,
        "working_hours_enabled": false, "enable_email_collect": true, "csat_survey_enabled": false,
        "enable_auto_assignment": true, "auto_assignment_config": {}, "out_of_office_message": null,
        "working_hours": [], "timezone": "UTC", "allow_messages_after_resolved": true,
        "lock_to_single_conversation": inbox.lock_to_single_conversation, "sender_name_type": "friendly",
        "business_name": null, "webhook_url": inbox.webhook_url, "inbox_identifier": inbox.inbox_identifier,
        "hmac_mandatory": false, "provider": null,
    });
    if let Value::Object(shown) = &mut shown {
        shown.extend(inbox.settings.clone());
        if for_admin {
            shown.insert("hmac_token".to_owned(), json!(inbox.hmac_token));
            shown.insert("secret".to_owned(), json!(inbox.secret));
        }
    }
    shown
}

fn inbox_of_contact(inbox: &Inbox) -> Value {
    json!({
        "id": inbox.id, "avatar_url": "", "channel_id": inbox.id, "name": inbox.name,
        "channel_type": inbox.channel_type, "provider": null,
    })
}

pub(super) fn contact_inbox(account: &Account, found: &ContactInbox) -> Value {
    let inbox = account.inboxes.get(&found.inbox_id).map(inbox_of_contact);
    json!({"source_id": found.source_id, "inbox": inbox})
}

pub(super) fn contact(account: &Account, contact: &Contact, with_inboxes: bool) -> Value {
    let mut shown = json!({
        "additional_attributes": contact.additional_attributes, "availability_status": "offline",
        "email": contact.email, "id": contact.id, "name": contact.name, "phone_number": contact.phone_number,
        "blocked": contact.blocked, "identifier": contact.identifier, "thumbnail": contact.avatar_url,
        "custom_attributes": contact.custom_attributes, "created_at": seconds(contact.created_at_ms),
    });
    if let Some(at) = contact.last_activity_at_ms {
        shown["last_activity_at"] = json!(seconds(at));
    }
    if with_inboxes {
        let inboxes = account.contact_inboxes.values().filter(|found| found.contact_id == contact.id);
        shown["contact_inboxes"] = inboxes.map(|found| contact_inbox(account, found)).collect();
    }
    shown
}

fn sender(account: &Account, message: &Message) -> Value {
    match message.sender {
        Sender::Nobody => Value::Null,
        Sender::Contact(id) => account.contacts.get(&id).map_or(Value::Null, |found| {
            let mut shown = contact(account, found, false);
            shown["type"] = json!("contact");
            shown
        }),
        Sender::Agent(id) => account.agents.get(&id).map_or(Value::Null, |agent| {
            json!({
                "id": agent.id, "name": agent.name, "available_name": agent.name, "avatar_url": "",
                "type": "user", "availability_status": "online", "thumbnail": "",
            })
        }),
    }
}

pub(super) fn attachment(account: &Account, message: &Message, file: &Attachment, base_url: &str) -> Value {
    let extension = file.file_name.rsplit_once('.').map(|(_, extension)| extension);
    json!({
        "id": file.id, "message_id": message.id, "file_type": file.file_type, "account_id": account.id,
        "extension": extension, "content_type": file.content_type, "thumb_url": "",
        "data_url": format!("{base_url}/rails/active_storage/blobs/redirect/{}/{}", file.media_id, file.file_name),
        "file_size": file.file_size, "width": null, "height": null,
    })
}

/// A message as answers show it.
pub(super) fn message(
    account: &Account,
    conversation: &Conversation,
    message: &Message,
    base_url: &str,
) -> Value {
    let mut shown = json!({
        "id": message.id, "content": message.content, "inbox_id": conversation.inbox_id,
        "conversation_id": conversation.display_id, "message_type": message.message_type,
        "content_type": message.content_type, "status": message.status,
        "content_attributes": message.content_attributes, "created_at": seconds(message.created_at_ms),
        "private": message.private, "source_id": message.source_id,
    });
    match sender(account, message) {
        Value::Null => {}
        sender => shown["sender"] = sender,
    }
    if !message.attachments.is_empty() {
        let files = message.attachments.iter();
        shown["attachments"] = files.map(|file| attachment(account, message, file, base_url)).collect();
    }
    shown
}

fn unread(conversation: &Conversation) -> usize {
    let seen = conversation.agent_last_seen_at_ms;
    let unread = |message: &&Message| message.message_type == 0 && message.created_at_ms > seen;
    conversation.messages.iter().rev().filter(unread).take(UNREAD_MAX).count()
}

fn meta(account: &Account, conversation: &Conversation) -> Value {
    let sender = account.contacts.get(&conversation.contact_id).map(|found| contact(account, found, false));
    let assignee = conversation.assignee_id.and_then(|id| account.agents.get(&id));
    let team = conversation.team_id.and_then(|id| {
        let mut team = account.teams.get(&id)?.clone();
        team.insert("id".to_owned(), json!(id));
        Some(team)
    });
    let inbox = account.inboxes.get(&conversation.inbox_id);
    json!({
        "sender": sender, "channel": inbox.map(|inbox| &inbox.channel_type),
        "assignee": assignee.map(|found| agent(account, found)),
        "assignee_type": assignee.map(|_| "User"), "team": team, "hmac_verified": false,
    })
}

/// A conversation as answers show it: with its last message only.
pub(super) fn conversation(account: &Account, conversation: &Conversation, base_url: &str) -> Value {
    let last = conversation.messages.last().map(|last| message(account, conversation, last, base_url));
    json!({
        "meta": meta(account, conversation), "id": conversation.display_id,
        "messages": last.clone().into_iter().collect::<Vec<_>>(), "account_id": account.id,
        "uuid": conversation.uuid, "additional_attributes": conversation.additional_attributes,
        "agent_last_seen_at": seconds(conversation.agent_last_seen_at_ms), "assignee_last_seen_at": 0,
        "can_reply": true, "contact_last_seen_at": 0, "custom_attributes": conversation.custom_attributes,
        "inbox_id": conversation.inbox_id, "labels": conversation.labels, "muted": conversation.muted,
        "snoozed_until": conversation.snoozed_until, "status": conversation.status,
        "created_at": seconds(conversation.created_at_ms), "updated_at": fraction(conversation.updated_at_ms),
        "timestamp": seconds(conversation.last_activity_at_ms),
        "first_reply_created_at": conversation.first_reply_created_at_ms.map_or(0, seconds),
        "unread_count": unread(conversation), "last_non_activity_message": last,
        "last_activity_at": seconds(conversation.last_activity_at_ms), "priority": conversation.priority,
        "waiting_since": seconds(conversation.waiting_since_ms), "sla_policy_id": null,
    })
}

/// A contact as webhooks show it; it has no `type`.
fn contact_in_event(account: &Account, contact: &Contact) -> Value {
    json!({
        "account": account_ref(account), "additional_attributes": contact.additional_attributes,
        "avatar": contact.avatar_url, "custom_attributes": contact.custom_attributes, "email": contact.email,
        "id": contact.id, "identifier": contact.identifier, "name": contact.name,
        "phone_number": contact.phone_number, "thumbnail": contact.avatar_url, "blocked": contact.blocked,
    })
}

/// A conversation as webhooks show it.
fn conversation_in_event(account: &Account, conversation: &Conversation) -> Value {
    let newest =
        conversation.messages.iter().rev().find(|message| !message.private && message.message_type != 2);
    let newest = newest.map(|message| {
        json!({
            "id": message.id, "content": message.content, "account_id": account.id,
            "inbox_id": conversation.inbox_id, "conversation_id": conversation.display_id,
            "message_type": message.message_type, "created_at": seconds(message.created_at_ms),
            "updated_at": iso(message.updated_at_ms), "private": message.private, "status": message.status,
            "source_id": message.source_id, "content_type": message.content_type,
            "content_attributes": message.content_attributes,
        })
    });
    let source = account.contact_inboxes.get(&conversation.contact_inbox_id).map(|found| {
        json!({
            "id": found.id, "contact_id": found.contact_id, "inbox_id": found.inbox_id,
            "source_id": found.source_id, "hmac_verified": false, "pubsub_token": "pubsub-secret",
            "created_at": iso(found.created_at_ms), "updated_at": iso(found.created_at_ms),
        })
    });
    let mut meta = meta(account, conversation);
    if meta["sender"].is_object() {
        meta["sender"]["type"] = json!("contact");
    }
    let channel = account.inboxes.get(&conversation.inbox_id).map(|inbox| &inbox.channel_type);
    json!({
        "additional_attributes": conversation.additional_attributes, "can_reply": true, "channel": channel,
        "contact_inbox": source, "id": conversation.display_id, "inbox_id": conversation.inbox_id,
        "messages": newest.into_iter().collect::<Vec<_>>(), "labels": conversation.labels, "meta": meta,
        "status": conversation.status, "custom_attributes": conversation.custom_attributes,
        "snoozed_until": conversation.snoozed_until, "unread_count": unread(conversation),
        "first_reply_created_at": conversation.first_reply_created_at_ms.map(iso),
        "priority": conversation.priority, "waiting_since": seconds(conversation.waiting_since_ms),
        "agent_last_seen_at": seconds(conversation.agent_last_seen_at_ms), "contact_last_seen_at": 0,
        "last_activity_at": seconds(conversation.last_activity_at_ms),
        "timestamp": seconds(conversation.last_activity_at_ms),
        "created_at": seconds(conversation.created_at_ms), "updated_at": fraction(conversation.updated_at_ms),
        "account": account_ref(account),
    })
}

fn named(mut body: Value, event: &str, changed: &[(&str, Value, Value)]) -> Value {
    body["event"] = json!(event);
    if !changed.is_empty() {
        let change = |(field, before, after): &(&str, Value, Value)| {
            let change = json!({"previous_value": before, "current_value": after});
            Value::Object(Map::from_iter([((*field).to_owned(), change)]))
        };
        body["changed_attributes"] = changed.iter().map(change).collect();
    }
    body
}

pub(super) fn contact_event(
    account: &Account,
    contact: &Contact,
    event: &str,
    changed: &[(&str, Value, Value)],
) -> Value {
    named(contact_in_event(account, contact), event, changed)
}

pub(super) fn conversation_event(
    account: &Account,
    conversation: &Conversation,
    event: &str,
    changed: &[(&str, Value, Value)],
) -> Value {
    named(conversation_in_event(account, conversation), event, changed)
}

pub(super) fn message_event(
    account: &Account,
    conversation: &Conversation,
    message: &Message,
    event: &str,
    base_url: &str,
) -> Value {
    let sender = match message.sender {
        Sender::Nobody => Value::Null,
        Sender::Contact(id) => {
            account.contacts.get(&id).map_or(Value::Null, |contact| contact_in_event(account, contact))
        }
        Sender::Agent(id) => account.agents.get(&id).map_or(
            Value::Null,
            |agent| json!({"id": agent.id, "name": agent.name, "email": agent.email, "type": "user"}),
        ),
    };
    let inbox = account.inboxes.get(&conversation.inbox_id);
    let kind = usize::try_from(message.message_type).ok().and_then(|kind| MESSAGE_TYPES.get(kind));
    let mut body = json!({
        "id": message.id, "content": message.content, "content_type": message.content_type,
        "content_attributes": message.content_attributes, "additional_attributes": {}, "message_type": kind,
        "private": message.private, "source_id": message.source_id, "created_at": iso(message.created_at_ms),
        "sender": sender, "inbox": inbox.map(|inbox| json!({"id": inbox.id, "name": inbox.name})),
        "conversation": conversation_in_event(account, conversation), "account": account_ref(account),
    });
    if !message.attachments.is_empty() {
        let files = message.attachments.iter();
        body["attachments"] = files.map(|file| attachment(account, message, file, base_url)).collect();
    }
    named(body, event, &[])
}

pub(super) fn typing_event(
    account: &Account,
    conversation: &Conversation,
    event: &str,
    user: &Value,
    is_private: bool,
) -> Value {
    let conversation = conversation_in_event(account, conversation);
    json!({"event": event, "user": user, "conversation": conversation, "is_private": is_private})
}

/// Who types, as webhooks show it.
pub(super) fn typist(account: &Account, sender: Sender) -> Value {
    match sender {
        Sender::Contact(id) => {
            account.contacts.get(&id).map_or(Value::Null, |contact| contact_in_event(account, contact))
        }
        Sender::Agent(id) => account.agents.get(&id).map_or(
            Value::Null,
            |agent| json!({"id": agent.id, "name": agent.name, "email": agent.email, "type": "user"}),
        ),
        Sender::Nobody => Value::Null,
    }
}
