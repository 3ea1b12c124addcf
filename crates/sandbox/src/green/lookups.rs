//! Who is on WhatsApp, and what is known of them.

use serde_json::{Value, json};

use super::call::Call;
use super::events::{chat_of, private_id};
use super::instance::InstanceState;
use super::refusal::Refusal;
use super::sends::{checked_chat, checked_phone};
use crate::customer::Customer;
use crate::inbox::Inbox;
use crate::phone_number::digits;
use crate::sandbox::Sandbox;

/// What the Developer tariff allows in a month.
const CHECKS_OF_TARIFF: u32 = 100;

/// Answers what is about people; `None`: it is not.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    let answer: fn(&Sandbox, &Inbox, &Call) -> Result<Value, Refusal> =
        match (call.verb.as_str(), call.method.as_str()) {
            ("POST", "checkwhatsapp") => check,
            ("GET", "getcontacts") => contacts,
            ("POST", "getcontactinfo") => info,
            ("POST", "getavatar") => avatar,
            ("POST", "addcontact") => add,
            ("POST", "editcontact") => edit,
            ("POST", "deletecontact") => delete,
            _ => return None,
        };
    // All of these ask the phone.
    Some(match sandbox.green(&inbox.id, |instance| instance.state) {
        InstanceState::Starting => Err(Refusal::starting()),
        InstanceState::NotAuthorized | InstanceState::Blocked => Err(Refusal::not_authorized()),
        _ => answer(sandbox, inbox, call),
    })
}

fn find(sandbox: &Sandbox, chat_id: &str) -> Option<Customer> {
    let world = sandbox.world();
    match chat_id.split_once('@') {
        Some((id, "lid")) => world.customers.values().find(|customer| digits(&customer.bsuid) == id).cloned(),
        Some((phone, "c.us")) => world.find_by_phone(phone).cloned(),
        _ => None,
    }
}

fn check(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let chat_id = match call.text("chatId") {
        Some(chat_id) => checked_chat(chat_id)?,
        None => format!("{}@c.us", checked_phone(call.body.get("phoneNumber"))?),
    };
    let left = sandbox.green(&inbox.id, |instance| {
        let left = instance.checks_left;
        instance.checks_left = left.map(|left| left.saturating_sub(1));
        left
    });
    if left == Some(0) {
        return Err(Refusal::checks_used_up(CHECKS_OF_TARIFF));
    }
    let unknown_exist = sandbox.world().settings.limits.create_unknown_customers;
    Ok(match find(sandbox, &chat_id) {
        Some(customer) if customer.on_whatsapp => {
            json!({"existsWhatsapp": true, "chatId": private_id(&customer)})
        }
        Some(_) => json!({"existsWhatsapp": false}),
        None => json!({ "existsWhatsapp": unknown_exist }),
    })
}

fn contacts(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let book = sandbox.green(&inbox.id, |instance| instance.contacts.clone());
    let groups: Vec<Value> = sandbox.green(&inbox.id, |instance| {
        let groups = instance.groups.iter();
        groups
            .map(|(id, group)| json!({"id": id, "name": group.subject, "contactName": "", "type": "group"}))
            .collect()
    });
    let world = sandbox.world();
    let knows = |customer: &&Customer| {
        world.find_chat(&customer.id, &inbox.id).is_some() || book.contains_key(&chat_of(customer))
    };
    let people = world.customers.values().filter(knows).map(|customer| {
        let id = chat_of(customer);
        let name = book.get(&id).map(book_name).unwrap_or_default();
        json!({"id": id, "name": customer.name, "contactName": name, "type": "user"})
    });
    let count = call.query.get("count").and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    Ok(Value::Array(match call.query.get("group").map(String::as_str) {
        Some("true") => groups.into_iter().take(count).collect(),
        Some("false") => people.take(count).collect(),
        _ => people.chain(groups).take(count).collect(),
    }))
}

fn book_name(entry: &serde_json::Map<String, Value>) -> String {
    let part = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", part("firstName"), part("lastName")).trim().to_owned()
}

fn info(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let chat_id = checked_chat(call.required("chatId")?)?;
    let found = find(sandbox, &chat_id);
    let book = sandbox.green(&inbox.id, |instance| instance.contacts.get(&chat_id).map(book_name));
    let (name, id) = found.map_or((String::new(), chat_id), |found| (found.name.clone(), chat_of(&found)));
    Ok(json!({
        "avatar": "", "name": name, "contactName": book.unwrap_or_default(), "email": "", "category": "",
        "description": "", "products": [], "chatId": id, "lastSeen": null, "isArchive": false,
        "isDisappearing": false, "isMute": false, "messageExpiration": 0, "muteExpiration": null, "isBusiness": false,
    }))
}

fn avatar(_: &Sandbox, _: &Inbox, call: &Call) -> Result<Value, Refusal> {
    checked_chat(call.required("chatId")?)?;
    Ok(json!({"urlAvatar": "", "available": false}))
}

fn add(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    keep(sandbox, inbox, call).map(|()| json!({"addContact": true}))
}

fn edit(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    keep(sandbox, inbox, call).map(|()| json!({"editContact": true}))
}

fn keep(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<(), Refusal> {
    let chat_id = checked_chat(call.required("chatId")?)?;
    call.required("firstName")?;
    sandbox.green(&inbox.id, |instance| instance.contacts.insert(chat_id, call.body.clone()));
    Ok(())
}

fn delete(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let chat_id = checked_chat(call.required("chatId")?)?;
    let removed = sandbox.green(&inbox.id, |instance| instance.contacts.remove(&chat_id));
    Ok(json!({ "deleteContact": removed.is_some() }))
}
