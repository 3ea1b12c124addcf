//! What customers do with their phones: write, react, edit, unsend, open a chat, go silent, change their number.

pub mod action;
mod green;
mod linked;
mod messaging;
mod whatsapp;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::chat::{Author, ChatEntry, ChatMedia, Progress};
use crate::clock::{HOUR_MS, TimeMs};
use crate::customer::Customer;
use crate::graph::{progress, whatsapp as graph_whatsapp};
use crate::inbox::Inbox;
use crate::linked::events as linked_events;
use crate::media::{StoredMedia, find_sample};
use crate::sandbox::Sandbox;
use crate::webhooks::Event;
use crate::world::CustomerError;

use action::{CustomerAction, CustomerMessage, FileSource};

/// Why a customer could not do that.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PhoneError {
    /// No such customer.
    #[error("there is no such customer")]
    NoCustomer,
    /// No such inbox.
    #[error("there is no such inbox")]
    NoInbox,
    /// No such message in this chat.
    #[error("there is no such message in this chat")]
    NoMessage,
    /// No such sample or uploaded file.
    #[error("there is no such sample or uploaded file")]
    NoFile,
    /// This network has no such thing.
    #[error("{channel} has no such kind of message")]
    NotOnChannel {
        /// Network asked.
        channel: Channel,
    },
    /// Only one's own messages can be edited or unsent.
    #[error("only the customer's own messages can be edited or unsent")]
    NotOwn,
    /// The new number is somebody's.
    #[error(transparent)]
    Customer(#[from] CustomerError),
}

/// What a customer's action became.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Written {
    /// The provider's id of the message or event: what the webhook carries.
    pub message_id: String,
}

/// What both networks need to turn an action into an event.
pub(crate) struct Draft<'a> {
    sandbox: &'a Sandbox,
    inbox: &'a Inbox,
    customer: &'a Customer,
    message_id: &'a str,
    reply_to: Option<&'a str>,
    media: Option<&'a StoredMedia>,
    target: Option<&'a ChatEntry>,
}

/// A chat line to add, if the action is one, and the webhook.
pub(crate) struct Drafted {
    entry: Option<ChatEntry>,
    event: Option<Event>,
}

/// Does what a customer does: changes the chat, opens the window, sends the webhook.
///
/// Errors: [`PhoneError`]; nothing is changed then.
pub fn act(sandbox: &Sandbox, customer_id: &str, message: &CustomerMessage) -> Result<Written, PhoneError> {
    let (inbox, customer) = find(sandbox, customer_id, &message.inbox_id)?;
    let target = match message.action.target() {
        Some(id) => Some(find_entry(sandbox, &customer, &inbox, id)?),
        None => None,
    };
    if message.action.changes_own() && target.as_ref().is_some_and(|entry| entry.author != Author::Customer) {
        return Err(PhoneError::NotOwn);
    }
    let media = match message.action.file() {
        Some(source) => Some(keep_file(sandbox, &inbox, source)?),
        None => None,
    };
    let message_id = sandbox.world().message_id(inbox.channel, customer.whatsapp_address(), Author::Customer);
    let draft = Draft {
        sandbox,
        inbox: &inbox,
        customer: &customer,
        message_id: &message_id,
        reply_to: message.reply_to.as_deref(),
        media: media.as_ref(),
        target: target.as_ref(),
    };
    let drafted = match inbox.channel {
        Channel::WhatsappCloud => whatsapp::draft(&draft, &message.action)?,
        Channel::Messenger | Channel::Instagram => messaging::draft(&draft, &message.action)?,
        Channel::GreenApi => green::draft(&draft, &message.action)?,
        Channel::LinkedWhatsapp => linked::draft(&draft, &message.action)?,
        Channel::Chatwoot | Channel::Openai => {
            return Err(PhoneError::NotOnChannel { channel: inbox.channel });
        }
    };
    let named = drafted.event.as_ref().and_then(|event| event.message_ids.first().cloned());
    apply(sandbox, &inbox, &customer, &message.action, drafted);
    Ok(Written { message_id: named.unwrap_or(message_id) })
}

/// Opens (or closes) a chat on the customer's screen; opening reads what arrived.
///
/// Errors: [`PhoneError`] for unknown ids.
pub fn open(sandbox: &Sandbox, customer_id: &str, inbox_id: &str, open: bool) -> Result<(), PhoneError> {
    let (inbox, customer) = find(sandbox, customer_id, inbox_id)?;
    sandbox.world().chat_mut(&customer.id, &inbox.id).open = open;
    if open && customer.online {
        progress::arrive(sandbox, &inbox, &customer.id);
        progress::read(sandbox, &inbox, &customer.id);
    }
    Ok(())
}

/// The phone was turned on: everything that waited arrives, opened chats are read.
pub fn came_online(sandbox: &Sandbox, customer_id: &str) {
    let chats: Vec<(String, bool)> = sandbox
        .world()
        .chats_of(customer_id)
        .map(|(inbox_id, chat)| (inbox_id.to_owned(), chat.open))
        .collect();
    for (inbox_id, open) in chats {
        let Some(inbox) = sandbox.world().inboxes.get(&inbox_id).cloned() else { continue };
        progress::arrive(sandbox, &inbox, customer_id);
        if open {
            progress::read(sandbox, &inbox, customer_id);
        }
    }
}

/// Moves the customer's last message back by `hours`, as if they had been silent so long.
///
/// Errors: [`PhoneError`] for unknown ids.
pub fn silence(sandbox: &Sandbox, customer_id: &str, inbox_id: &str, hours: u32) -> Result<(), PhoneError> {
    let (inbox, customer) = find(sandbox, customer_id, inbox_id)?;
    let mut world = sandbox.world();
    let chat = world.chat_mut(&customer.id, &inbox.id);
    chat.last_customer_message_ms =
        chat.last_customer_message_ms.map(|at| at - TimeMs::from(hours) * HOUR_MS);
    drop(world);
    sandbox.changed("chat", Some(customer_id), Some(inbox_id));
    Ok(())
}

/// Gives the customer another number; every WhatsApp inbox that knows them is told.
///
/// Errors: [`PhoneError`] when the customer is unknown or the number taken.
pub fn change_number(sandbox: &Sandbox, customer_id: &str, phone: &str) -> Result<Customer, PhoneError> {
    let changed = sandbox.world().change_number(customer_id, phone)?;
    let (before, after) = changed.ok_or(PhoneError::NoCustomer)?;
    let inboxes: Vec<Inbox> = {
        let world = sandbox.world();
        let known = world.chats_of(customer_id).filter_map(|(inbox_id, _)| world.inboxes.get(inbox_id));
        known.filter(|inbox| inbox.channel == Channel::WhatsappCloud).cloned().collect()
    };
    for inbox in inboxes {
        let message_id =
            sandbox.world().message_id(inbox.channel, before.whatsapp_address(), Author::Customer);
        let content = whatsapp::number_change(&before, &after);
        sandbox.tell(graph_whatsapp::events::message(sandbox, &inbox, &before, &message_id, content, false));
    }
    for inbox in linked_to(sandbox, customer_id) {
        linked_events::mapping(sandbox, &inbox, &before, &after);
    }
    sandbox.changed("customer", Some(customer_id), None);
    Ok(after)
}

/// The linked phones that know a customer.
fn linked_to(sandbox: &Sandbox, customer_id: &str) -> Vec<Inbox> {
    let world = sandbox.world();
    let known = world.chats_of(customer_id).filter_map(|(inbox_id, _)| world.inboxes.get(inbox_id));
    known.filter(|inbox| inbox.channel == Channel::LinkedWhatsapp).cloned().collect()
}

fn find(sandbox: &Sandbox, customer_id: &str, inbox_id: &str) -> Result<(Inbox, Customer), PhoneError> {
    let world = sandbox.world();
    let inbox = world.inboxes.get(inbox_id).cloned().ok_or(PhoneError::NoInbox)?;
    let customer = world.customers.get(customer_id).cloned().ok_or(PhoneError::NoCustomer)?;
    Ok((inbox, customer))
}

fn find_entry(
    sandbox: &Sandbox,
    customer: &Customer,
    inbox: &Inbox,
    id: &str,
) -> Result<ChatEntry, PhoneError> {
    let world = sandbox.world();
    let chat = world.find_chat(&customer.id, &inbox.id);
    chat.and_then(|chat| chat.find(id)).cloned().ok_or(PhoneError::NoMessage)
}

/// A copy of the sample or uploaded file under an id of its own, as the provider makes one per message.
fn keep_file(sandbox: &Sandbox, inbox: &Inbox, source: &FileSource) -> Result<StoredMedia, PhoneError> {
    let mut world = sandbox.world();
    let uploaded =
        source.media_id.as_deref().map(|id| world.media.find(id).cloned().ok_or(PhoneError::NoFile));
    let (mime_type, name, bytes) = match uploaded.transpose()? {
        Some(media) => (media.mime_type, media.file_name, media.bytes),
        None => {
            let sample = find_sample(&source.sample).ok_or(PhoneError::NoFile)?;
            (sample.mime_type.to_owned(), Some(sample.name), sample.bytes)
        }
    };
    let media = StoredMedia {
        id: world.ids.decimal(16),
        inbox_id: inbox.id.clone(),
        mime_type,
        file_name: source.file_name.clone().or(name),
        bytes,
        stored_at_ms: sandbox.clock().now(),
    };
    world.media.put(media.clone());
    Ok(media)
}

fn apply(sandbox: &Sandbox, inbox: &Inbox, customer: &Customer, action: &CustomerAction, drafted: Drafted) {
    let now = sandbox.clock().now();
    let mut world = sandbox.world();
    let chat = world.chat_mut(&customer.id, &inbox.id);
    if action.opens_window() {
        chat.last_customer_message_ms = Some(now);
        chat.customer_typing = false;
    }
    if let Some(entry) = action.target().and_then(|id| chat.find_mut(id)) {
        change_target(entry, action);
    }
    if let Some(entry) = drafted.entry {
        chat.push(entry);
    }
    drop(world);
    if let Some(event) = drafted.event {
        sandbox.tell(event);
    }
    sandbox.changed("chat", Some(&customer.id), Some(&inbox.id));
}

fn change_target(entry: &mut ChatEntry, action: &CustomerAction) {
    match action {
        CustomerAction::Reaction { emoji, .. } => entry.react(Author::Customer, Some(emoji)),
        CustomerAction::Unreact { .. } => entry.react(Author::Customer, None),
        CustomerAction::Edit { text, .. } => {
            entry.text = Some(text.clone());
            entry.edits += 1;
        }
        CustomerAction::Unsend { .. } => {
            entry.deleted = true;
            entry.text = None;
            entry.media = None;
            entry.content = Value::Null;
        }
        _ => {}
    }
}

impl Draft<'_> {
    /// A line in the customer's chat.
    fn line(&self, kind: &str, text: Option<&str>, content: Value) -> ChatEntry {
        let at_ms = self.sandbox.clock().now();
        let mut entry = ChatEntry::new(
            self.message_id.to_owned(),
            Author::Customer,
            kind,
            text.map(ToOwned::to_owned),
            at_ms,
        );
        entry.content = content;
        entry.reply_to = self.reply_to.map(ToOwned::to_owned);
        entry.progress = Progress::Sent;
        entry.media = self.media.map(|media| ChatMedia {
            media_id: Some(media.id.clone()),
            url: format!("/control/media/{}", media.id),
            mime_type: Some(media.mime_type.clone()),
            file_name: media.file_name.clone(),
        });
        entry
    }
}
