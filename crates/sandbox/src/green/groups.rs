//! Groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Call;
use super::instance::Group;
use super::refusal::Refusal;
use super::sends::checked_chat;
use super::{events, files};
use crate::clock::SECOND_MS;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Answers what is about groups; `None`: it is not.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    if call.verb != axum::http::Method::POST {
        return None;
    }
    Some(match call.method.as_str() {
        "creategroup" => create(sandbox, inbox, call),
        "updategroupname" => call.required("groupName").and_then(|name| {
            change(sandbox, inbox, call, |group| name.clone_into(&mut group.subject))
                .map(|()| json!({"updateGroupName": true}))
        }),
        "getgroupdata" => data(sandbox, inbox, call),
        "addgroupparticipant" => member(sandbox, inbox, call, "addParticipant", |group, who| {
            group.members.entry(who).or_insert(false);
        }),
        "removegroupparticipant" => member(sandbox, inbox, call, "removeParticipant", |group, who| {
            group.members.remove(&who);
        }),
        "setgroupadmin" => member(sandbox, inbox, call, "setGroupAdmin", |group, who| {
            group.members.insert(who, true);
        }),
        "removeadmin" => member(sandbox, inbox, call, "removeAdmin", |group, who| {
            group.members.insert(who, false);
        }),
        "setgrouppicture" => picture(sandbox, inbox, call),
        "leavegroup" => leave(sandbox, inbox, call),
        _ => return None,
    })
}

fn create(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let name = call.required("groupName")?;
    let people = call.body.get("chatIds").and_then(Value::as_array).cloned().unwrap_or_default();
    let people: Result<Vec<String>, Refusal> =
        people.iter().filter_map(Value::as_str).map(checked_chat).collect();
    let mut members: BTreeMap<String, bool> = people?.into_iter().map(|person| (person, false)).collect();
    if members.is_empty() {
        return Err(Refusal::invalid("'chatIds' must contain at least 1 item"));
    }
    members.insert(events::own_chat(inbox), true);
    let id = format!("120363{}@g.us", sandbox.world().ids.decimal(12));
    let group = Group { subject: name.to_owned(), created_at_ms: sandbox.clock().now(), members };
    sandbox.green(&inbox.id, |instance| instance.groups.insert(id.clone(), group));
    let link = invite_link(&id);
    Ok(json!({"created": true, "chatId": id, "groupInviteLink": link}))
}

fn invite_link(id: &str) -> String {
    format!("https://chat.whatsapp.com/{}", id.trim_end_matches("@g.us"))
}

fn change<T>(
    sandbox: &Sandbox,
    inbox: &Inbox,
    call: &Call,
    act: impl FnOnce(&mut Group) -> T,
) -> Result<T, Refusal> {
    let id = checked_chat(call.required("groupId")?)?;
    sandbox
        .green(&inbox.id, |instance| instance.groups.get_mut(&id).map(act))
        .ok_or_else(|| Refusal::bad_request("item-not-found"))
}

fn member(
    sandbox: &Sandbox,
    inbox: &Inbox,
    call: &Call,
    answer: &str,
    act: impl FnOnce(&mut Group, String),
) -> Result<Value, Refusal> {
    let who = checked_chat(call.required("participantChatId")?)?;
    change(sandbox, inbox, call, |group| act(group, who))?;
    let mut done = json!({});
    done[answer] = json!(true);
    Ok(done)
}

fn data(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let group = change(sandbox, inbox, call, |group| group.clone())?;
    let (id, own) = (call.required("groupId")?, events::own_chat(inbox));
    let participants: Vec<Value> = group
        .members
        .iter()
        .map(|(who, admin)| json!({"id": who, "isAdmin": admin, "isSuperAdmin": *who == own}))
        .collect();
    let created = group.created_at_ms / SECOND_MS;
    Ok(json!({
        "groupId": id, "owner": own, "subject": group.subject, "creation": created, "participants": participants,
        "subjectTime": created, "subjectOwner": own, "groupInviteLink": invite_link(id),
    }))
}

fn picture(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    change(sandbox, inbox, call, |_group| ())?;
    let media = files::keep_upload(sandbox, inbox, call)?;
    Ok(json!({"setGroupPicture": true, "urlAvatar": files::file_url(sandbox, &media), "reason": ""}))
}

fn leave(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let id = checked_chat(call.required("groupId")?)?;
    let left = sandbox.green(&inbox.id, |instance| instance.groups.remove(&id));
    left.map(|_group| json!({"leaveGroup": true})).ok_or_else(|| Refusal::bad_request("item-not-found"))
}
