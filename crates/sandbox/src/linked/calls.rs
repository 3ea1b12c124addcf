//! What a linked server asks of its phone.

use std::time::Duration;

use serde_json::{Value, json};

use super::events::lid;
use crate::chat::{Author, ChatEntry, ChatMedia, Progress};
use crate::customer::NewCustomer;
use crate::faults::{Fault, FaultScope, FaultStage};
use crate::graph::progress;
use crate::inbox::Inbox;
use crate::misbehaviour;
use crate::phone_number::digits;
use crate::sandbox::Sandbox;

/// How long a customer sees that the business types, in milliseconds.
const TYPING_MS: i64 = 10_000;

/// Why there is no answer.
pub(crate) enum Unanswered {
    /// Refused with this.
    Refused(Value),
    /// The connection ends.
    Cut,
}

fn refused(code: &str, message: &str, lasting: bool) -> Unanswered {
    Unanswered::Refused(json!({ "code": code, "message": message, "lasting": lasting }))
}

/// Answers a call.
pub(crate) async fn answer(
    sandbox: &Sandbox,
    inbox: &Inbox,
    what: &str,
    args: &Value,
) -> Result<Value, Unanswered> {
    let scope = if what == "send" { FaultScope::Messages } else { FaultScope::All };
    let draw = |stage| sandbox.draw_fault(inbox.channel, stage, scope);
    misbehaviour::delay(draw(FaultStage::Delay)).await;
    match draw(FaultStage::Answer) {
        None => carry_out(sandbox, inbox, what, args),
        Some(Fault::CutAfter) => {
            let _done = carry_out(sandbox, inbox, what, args);
            Err(Unanswered::Cut)
        }
        Some(Fault::LateAnswer { late_ms }) => {
            let answered = carry_out(sandbox, inbox, what, args);
            tokio::time::sleep(Duration::from_millis(late_ms)).await;
            answered
        }
        Some(Fault::TooManyRequests { retry_after_s }) => Err(Unanswered::Refused(json!({
            "code": "RATE_LIMITED", "message": "Too many messages; wait.", "retry_after_ms": retry_after_s.saturating_mul(1_000),
        }))),
        Some(Fault::InternalError | Fault::Unavailable) => {
            Err(refused("UNAVAILABLE", "WhatsApp could not take it now.", false))
        }
        Some(Fault::ErrorCode { code, .. }) => Err(refused(&code.to_string(), "WhatsApp refused it.", true)),
        Some(_) => Err(Unanswered::Cut),
    }
}

fn carry_out(sandbox: &Sandbox, inbox: &Inbox, what: &str, args: &Value) -> Result<Value, Unanswered> {
    let now = sandbox.clock().now();
    match what {
        "send" => send(sandbox, inbox, args),
        "find_sent" => {
            let customer_id = customer_of(sandbox, args)?;
            let mut world = sandbox.world();
            let mut sent = world.chat_mut(&customer_id, &inbox.id).entries.iter();
            let found = sent.find(|entry| {
                entry.author == Author::Business
                    && entry.reference.is_some()
                    && entry.reference.as_deref() == args["reference"].as_str()
            });
            Ok(json!({ "id": found.map(|entry| entry.id.clone()) }))
        }
        "edit" | "revoke" => {
            let customer_id = customer_of(sandbox, args)?;
            let id = args["target"].as_str().unwrap_or_default();
            let mut world = sandbox.world();
            let chat = world.chat_mut(&customer_id, &inbox.id);
            let entry = chat.find_mut(id).filter(|entry| entry.author == Author::Business);
            let entry = entry.ok_or_else(|| refused("NO_MESSAGE", "There is no such message.", true))?;
            if what == "edit" {
                entry.text = args["text"].as_str().map(ToOwned::to_owned);
                entry.edits += 1;
            } else {
                (entry.deleted, entry.text, entry.media) = (true, None, None);
            }
            drop(world);
            sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
            Ok(json!({}))
        }
        "read" => {
            let customer_id = customer_of(sandbox, args)?;
            let ids: Vec<&str> =
                args["ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let mut world = sandbox.world();
            let chat = world.chat_mut(&customer_id, &inbox.id);
            let newest = ids.iter().filter_map(|id| chat.find(id)).map(|entry| entry.at_ms).max();
            for entry in &mut chat.entries {
                if entry.author == Author::Customer && newest.is_some_and(|newest| entry.at_ms <= newest) {
                    entry.progress = Progress::Read;
                }
            }
            drop(world);
            sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
            Ok(json!({}))
        }
        "chatstate" => {
            let customer_id = customer_of(sandbox, args)?;
            let until = (args["state"] != "paused").then_some(now + TYPING_MS);
            sandbox.world().chat_mut(&customer_id, &inbox.id).business_typing_until_ms = until;
            sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
            Ok(json!({}))
        }
        "check" => {
            let phones = args["phones"].as_array().cloned().unwrap_or_default();
            let world = sandbox.world();
            let check = |phone: &Value| {
                let phone = phone.as_str().unwrap_or_default();
                let known = world.find_by_phone(phone);
                let registered = known
                    .map_or(world.settings.limits.create_unknown_customers, |customer| customer.on_whatsapp);
                json!({ "phone": phone, "registered": registered, "lid": known.map(lid) })
            };
            Ok(json!({ "numbers": phones.iter().map(check).collect::<Vec<_>>() }))
        }
        "picture" => {
            let customer_id = customer_of(sandbox, args)?;
            Ok(json!({ "url": format!("{}/sandbox/faces/{customer_id}.png", sandbox.public_url()) }))
        }
        "contact" => match customer_of(sandbox, args) {
            Err(_) => Ok(json!({ "contact": null })),
            Ok(id) => {
                let world = sandbox.world();
                let customer = world.customers.get(&id).filter(|customer| customer.on_whatsapp);
                let shown = customer.map(|customer| {
                    json!({ "name": customer.name, "about": "Available", "phone": customer.phone,
                        "lid": lid(customer), "business": false })
                });
                Ok(json!({ "contact": shown }))
            }
        },
        "logout" => Ok(json!({})),
        _ => Err(refused("UNKNOWN", "The phone does not know this.", true)),
    }
}

/// The customer of a chat.
fn customer_of(sandbox: &Sandbox, args: &Value) -> Result<String, Unanswered> {
    find_customer(sandbox, args["chat"].as_str().unwrap_or_default())
        .ok_or_else(|| refused("NO_CHAT", "There is no such chat.", true))
}

fn find_customer(sandbox: &Sandbox, chat: &str) -> Option<String> {
    let world = sandbox.world();
    match chat.split_once('@')? {
        (_, "lid") => world
            .customers
            .values()
            .find(|customer| lid(customer) == chat)
            .map(|customer| customer.id.clone()),
        (phone, _) => world.find_by_phone(phone).map(|customer| customer.id.clone()),
    }
}

fn send(sandbox: &Sandbox, inbox: &Inbox, args: &Value) -> Result<Value, Unanswered> {
    let chat = args["chat"].as_str().unwrap_or_default();
    let number = chat.strip_suffix("@s.whatsapp.net").unwrap_or_default();
    let customer_id = match find_customer(sandbox, chat) {
        Some(id) => id,
        None if digits(number).len() >= 5 && sandbox.world().settings.limits.create_unknown_customers => {
            let new = NewCustomer {
                name: format!("+{number}"),
                phone: Some(number.to_owned()),
                ..NewCustomer::default()
            };
            let made = sandbox.world().add_customer(new);
            made.map_err(|error| refused("NO_ACCOUNT", &error.to_string(), true))?.id
        }
        None => return Err(refused("NO_ACCOUNT", "The number is not on WhatsApp.", true)),
    };
    let known = sandbox.world().customers.get(&customer_id).cloned();
    if !known.is_some_and(|customer| customer.on_whatsapp) {
        return Err(refused("NO_ACCOUNT", "The number is not on WhatsApp.", true));
    }
    let content = &args["content"];
    let kind = content["type"].as_str().unwrap_or_default();
    if kind == "reaction" {
        return react(sandbox, inbox, &customer_id, content);
    }
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let id = world.ids.green_id();
    let text = content["text"].as_str().or(content["caption"].as_str()).map(ToOwned::to_owned);
    let mut entry = ChatEntry::new(id.clone(), Author::Business, kind, text, now);
    entry.media = content["media_id"].as_str().map(|media| ChatMedia {
        media_id: Some(media.to_owned()),
        url: format!("/control/media/{media}"),
        mime_type: content["mime_type"].as_str().map(ToOwned::to_owned),
        file_name: content["file_name"].as_str().map(ToOwned::to_owned),
    });
    entry.content = content.clone();
    entry.reply_to = args["reply_to"].as_str().map(ToOwned::to_owned);
    entry.reference = args["reference"].as_str().map(ToOwned::to_owned);
    world.deliver(inbox, &customer_id, entry, args.clone());
    drop(world);
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    progress::start(sandbox, inbox, &customer_id, &id, None);
    Ok(json!({ "id": id }))
}

fn react(sandbox: &Sandbox, inbox: &Inbox, customer_id: &str, content: &Value) -> Result<Value, Unanswered> {
    let mut world = sandbox.world();
    let id = world.ids.green_id();
    let chat = world.chat_mut(customer_id, &inbox.id);
    let target = chat.find_mut(content["target"].as_str().unwrap_or_default());
    target
        .ok_or_else(|| refused("NO_MESSAGE", "There is no such message.", true))?
        .react(Author::Business, content["emoji"].as_str());
    drop(world);
    sandbox.changed("chat", Some(customer_id), Some(&inbox.id));
    Ok(json!({ "id": id }))
}
