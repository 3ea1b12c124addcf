//! What customers do in an inbox of Chatwoot, and people and threads by the thousand.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::shape;
use super::state::{Contact, Sender};
use super::turn::Turn;
use super::{contacts, conversations, messages, within};
use crate::sandbox::Sandbox;

/// Things that a load may ask for at most.
pub(crate) const LOAD_MAX: usize = 100_000;

/// A customer writes; contact and conversation are made where they lack. Returns conversation and message.
pub(crate) fn write(
    sandbox: &Sandbox,
    account_id: i64,
    inbox_id: i64,
    phone: &str,
    name: Option<&str>,
    text: &str,
) -> Result<(i64, i64), Refusal> {
    within(sandbox, account_id, None, |turn, _| {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let phone = format!("+{digits}");
        let known =
            turn.account.contacts.values().find(|contact| contact.phone_number.as_ref() == Some(&phone));
        let contact_id = match known.map(|contact| contact.id) {
            Some(id) => id,
            None => add(turn, name.unwrap_or(&phone), Some(phone.clone()), None),
        };
        let entered = contacts::enter(turn, contact_id, inbox_id, None)?;
        let open = turn.account.conversations.values().rev().find(|found| found.contact_inbox_id == entered);
        let id = match open.map(|found| found.display_id) {
            Some(id) => id,
            None => {
                let id = conversations::begin(turn, entered, None)?;
                turn.tell_conversation("conversation_created", id, &[]);
                id
            }
        };
        let fields = Map::from_iter([
            ("content".to_owned(), json!(text)),
            ("message_type".to_owned(), json!("incoming")),
        ]);
        let message = messages::write(turn, id, &fields, &[], Sender::Contact(contact_id))?;
        Ok((id, message))
    })
}

/// A customer begins or stops to type.
pub(crate) fn typing(sandbox: &Sandbox, account_id: i64, id: i64, on: bool) -> Result<(), Refusal> {
    within(sandbox, account_id, None, |turn, _| {
        let contact_id = turn.conversation(id)?.contact_id;
        let user = shape::typist(turn.account, Sender::Contact(contact_id));
        let event = if on { "conversation_typing_on" } else { "conversation_typing_off" };
        turn.tell_typing(event, id, &user, false);
        Ok(())
    })
}

fn add(turn: &mut Turn<'_>, name: &str, phone_number: Option<String>, email: Option<String>) -> i64 {
    let id = turn.next_id();
    let contact = Contact {
        id,
        name: name.to_owned(),
        phone_number,
        email,
        created_at_ms: turn.now,
        updated_at_ms: turn.now,
        ..Contact::default()
    };
    turn.account.contacts.insert(id, contact);
    turn.tell_contact("contact_created", id, &[]);
    id
}

/// Makes contacts, each with a conversation and messages where wanted; nobody is told.
pub(crate) fn load(
    sandbox: &Sandbox,
    account_id: i64,
    people: usize,
    with_messages: usize,
) -> Result<Value, Refusal> {
    within(sandbox, account_id, None, |turn, _| {
        let inbox_id = *turn.account.inboxes.keys().next().ok_or(Refusal::NotFound)?;
        let mut conversations_made = 0;
        for _ in 0..people {
            let number = *turn.last_id + 1;
            let phone = format!("+5511{:09}", 900_000_000 + number);
            let email = format!("person{number}@acme.test");
            let contact = add(turn, &format!("Person {number}"), Some(phone), Some(email));
            if with_messages > 0 {
                let entered = contacts::enter(turn, contact, inbox_id, None)?;
                let id = conversations::begin(turn, entered, None)?;
                conversations_made += 1;
                for place in 0..with_messages {
                    let incoming = place % 2 == 0;
                    let fields = Map::from_iter([
                        ("content".to_owned(), json!(format!("Message {place}"))),
                        ("message_type".to_owned(), json!(if incoming { "incoming" } else { "outgoing" })),
                    ]);
                    let sender = if incoming { Sender::Contact(contact) } else { Sender::Agent(1) };
                    messages::write(turn, id, &fields, &[], sender)?;
                }
            }
        }
        turn.told.clear();
        Ok(json!({"contacts": people, "conversations": conversations_made}))
    })
}
