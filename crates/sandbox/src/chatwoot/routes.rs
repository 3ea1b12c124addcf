//! The table of routes below an account.

use serde_json::{Value, json};

use super::call::Call;
use super::directory::{self, Shelf};
use super::refusal::Refusal;
use super::turn::Turn;
use super::{contacts, conversations, messages};

/// Answers `{verb} /api/v1/accounts/{id}/{rest}`.
pub(super) fn answer(
    turn: &mut Turn<'_>,
    call: &Call,
    rest: &[&str],
    version: &str,
) -> Result<Value, Refusal> {
    match rest {
        [] => match call.verb.as_str() {
            "GET" => Ok(directory::account(turn, version)),
            "PATCH" => directory::change_account(turn, call, version),
            _ => Err(Refusal::NoRoute),
        },
        ["contacts", rest @ ..] => people(turn, call, rest),
        ["conversations", rest @ ..] => threads(turn, call, rest),
        ["inboxes", rest @ ..] => inboxes(turn, call, rest),
        ["agents", rest @ ..] => agents(turn, call, rest),
        ["webhooks", rest @ ..] => webhooks(turn, call, rest),
        ["inbox_members", inbox] => match call.verb.as_str() {
            "GET" => directory::members(turn, number(inbox)?),
            _ => Err(Refusal::NoRoute),
        },
        ["actions", "contact_merge"] if call.verb == "POST" => contacts::merge(turn, call),
        [shelf, rest @ ..] => {
            let shelf = Shelf::of(shelf).ok_or(Refusal::NoRoute)?;
            match (call.verb.as_str(), rest) {
                ("GET", []) => Ok(shelf.list(turn)),
                ("POST", []) => shelf.create(turn, call),
                ("GET", [id]) => shelf.read(turn, number(id)?),
                ("PATCH" | "PUT", [id]) => shelf.change(turn, number(id)?, call),
                ("DELETE", [id]) => shelf.delete(turn, number(id)?),
                _ => Err(Refusal::NoRoute),
            }
        }
    }
}

fn number(segment: &str) -> Result<i64, Refusal> {
    segment.parse().map_err(|_| Refusal::NotFound)
}

fn people(turn: &mut Turn<'_>, call: &Call, rest: &[&str]) -> Result<Value, Refusal> {
    match (call.verb.as_str(), rest) {
        ("GET", []) => Ok(contacts::list(turn, call)),
        ("POST", []) => contacts::create(turn, call),
        ("GET", ["search"]) => contacts::search(turn, call),
        ("POST", ["filter"]) => contacts::filter(turn, call),
        ("GET", [id]) => contacts::read(turn, number(id)?),
        ("PUT" | "PATCH", [id]) => contacts::update(turn, number(id)?, call),
        ("DELETE", [id]) => contacts::delete(turn, number(id)?),
        ("GET", [id, "conversations"]) => contacts::conversations(turn, number(id)?),
        ("GET", [id, "labels"]) => contacts::labels(turn, number(id)?, None),
        ("POST", [id, "labels"]) => contacts::labels(turn, number(id)?, Some(call)),
        ("POST", [id, "contact_inboxes"]) => contacts::add_inbox(turn, number(id)?, call),
        ("GET", [id, "contactable_inboxes"]) => contacts::contactable(turn, number(id)?),
        ("POST", [id, "destroy_custom_attributes"]) => contacts::destroy_attributes(turn, number(id)?, call),
        _ => Err(Refusal::NoRoute),
    }
}

fn threads(turn: &mut Turn<'_>, call: &Call, rest: &[&str]) -> Result<Value, Refusal> {
    match (call.verb.as_str(), rest) {
        ("GET", []) => Ok(conversations::list(turn, call)),
        ("POST", []) => conversations::create(turn, call),
        ("GET", ["meta"]) => Ok(conversations::meta(turn, call)),
        ("POST", ["filter"]) => conversations::filter(turn, call),
        ("GET", [id]) => conversations::read(turn, number(id)?),
        ("PATCH", [id]) => conversations::update(turn, number(id)?, call),
        ("DELETE", [id]) => conversations::delete(turn, number(id)?),
        ("POST", [id, "toggle_status"]) => conversations::status(turn, number(id)?, call),
        ("POST", [id, "toggle_priority"]) => conversations::priority(turn, number(id)?, call),
        ("POST", [id, "toggle_typing_status"]) => conversations::typing(turn, number(id)?, call),
        ("POST", [id, "mute"]) => conversations::mute(turn, number(id)?, true),
        ("POST", [id, "unmute"]) => conversations::mute(turn, number(id)?, false),
        ("POST", [id, "update_last_seen"]) => conversations::seen(turn, number(id)?, false),
        ("POST", [id, "unread"]) => conversations::seen(turn, number(id)?, true),
        ("POST", [id, "custom_attributes"]) => conversations::attributes(turn, number(id)?, call),
        ("POST", [id, "destroy_custom_attributes"]) => {
            conversations::destroy_attributes(turn, number(id)?, call)
        }
        ("POST", [id, "assignments"]) => conversations::assign(turn, number(id)?, call),
        ("GET", [id, "labels"]) => conversations::labels(turn, number(id)?, None),
        ("POST", [id, "labels"]) => conversations::labels(turn, number(id)?, Some(call)),
        ("GET", [id, "reporting_events"]) => {
            turn.conversation(number(id)?)?;
            Ok(json!([]))
        }
        ("GET", [id, "messages"]) => messages::list(turn, number(id)?, call),
        ("POST", [id, "messages"]) => messages::create(turn, number(id)?, call),
        ("PATCH" | "PUT", [id, "messages", message]) => {
            messages::update(turn, number(id)?, number(message)?, call)
        }
        ("DELETE", [id, "messages", message]) => messages::delete(turn, number(id)?, number(message)?),
        ("POST", [id, "messages", message, "retry"]) => messages::retry(turn, number(id)?, number(message)?),
        _ => Err(Refusal::NoRoute),
    }
}

fn inboxes(turn: &mut Turn<'_>, call: &Call, rest: &[&str]) -> Result<Value, Refusal> {
    match (call.verb.as_str(), rest) {
        ("GET", []) => Ok(directory::inboxes(turn)),
        ("POST", []) => directory::create_inbox(turn, call),
        ("GET", [id]) => directory::inbox(turn, number(id)?),
        ("PATCH" | "PUT", [id]) => directory::change_inbox(turn, number(id)?, call),
        ("DELETE", [id]) => directory::delete_inbox(turn, number(id)?),
        ("POST", [id, "reset_secret"]) => directory::reset_secret(turn, number(id)?),
        _ => Err(Refusal::NoRoute),
    }
}

fn agents(turn: &mut Turn<'_>, call: &Call, rest: &[&str]) -> Result<Value, Refusal> {
    match (call.verb.as_str(), rest) {
        ("GET", []) => Ok(directory::agents(turn)),
        ("POST", []) => directory::create_agent(turn, call),
        ("PATCH" | "PUT", [id]) => directory::change_agent(turn, number(id)?, call),
        ("DELETE", [id]) => directory::delete_agent(turn, number(id)?),
        _ => Err(Refusal::NoRoute),
    }
}

fn webhooks(turn: &mut Turn<'_>, call: &Call, rest: &[&str]) -> Result<Value, Refusal> {
    match (call.verb.as_str(), rest) {
        ("GET", []) => directory::webhooks(turn),
        ("POST", []) => directory::put_webhook(turn, None, call),
        ("PATCH" | "PUT", [id]) => directory::put_webhook(turn, Some(number(id)?), call),
        ("DELETE", [id]) => directory::delete_webhook(turn, number(id)?),
        _ => Err(Refusal::NoRoute),
    }
}
