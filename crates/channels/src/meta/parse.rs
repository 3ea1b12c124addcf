//! One body of Meta's to the events of three channels. Pure.
//!
//! Shape: `{"object", "entry": [...]}`, everything in arrays, of several accounts at once.
//! Units: seconds or milliseconds, as strings or numbers; ours are milliseconds.
//! Errors: only what is no Graph webhook at all. A part that cannot be read becomes `Unreadable` (or an `Unsupported`
//! message, when it names its sender) and costs no other part.

use frontdesk_meta_graph_client::webhook::{self, ChangeValue, Entry, Item, Object, ReadError};
use frontdesk_model::inbound::InboundEvent;

use super::{messaging, surrogates};
use crate::contract::{ParseError, RoutedEvent};
use crate::{instagram, messenger, whatsapp_cloud};

/// The events of one body, in its order.
pub(super) fn parse(body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
    let body = surrogates::mend(body);
    let webhook = webhook::parse(&body).map_err(|error| ParseError::Malformed(error.to_string()))?;
    let mut events = Events::default();
    match webhook.object {
        Object::WhatsApp => {
            for entry in webhook.entries {
                events.to(whatsapp_cloud::NAME, "");
                if let Some(entry) = events.readable("entry", entry) {
                    read_whatsapp(entry, &mut events);
                }
            }
        }
        Object::Page => read_messaging(&messenger::NETWORK, webhook.entries, &mut events),
        Object::Instagram => read_messaging(&instagram::NETWORK, webhook.entries, &mut events),
        Object::Other(name) => events.ignore(format!("a webhook about \"{}\"", short(&name))),
    }
    Ok(events.routed)
}

/// All of WhatsApp comes as changes. What concerns no single number has the route of the business account.
fn read_whatsapp(entry: Entry<'_>, events: &mut Events) {
    events.to(whatsapp_cloud::NAME, &whatsapp_cloud::account_route(&entry.id));
    if entry.changes.is_empty() {
        events.ignore("an entry without changes");
    }
    for change in entry.changes {
        events.to(whatsapp_cloud::NAME, &whatsapp_cloud::account_route(&entry.id));
        whatsapp_cloud::inbound::read_change(change, events);
    }
}

fn read_messaging(
    network: &'static messaging::Network,
    entries: Vec<Item<'_, Entry<'_>>>,
    events: &mut Events,
) {
    for entry in entries {
        events.to(network.channel, "");
        let Some(entry) = events.readable("entry", entry) else { continue };
        events.to(network.channel, &entry.id);
        if entry.messaging.is_empty() && entry.standby.is_empty() && entry.changes.is_empty() {
            events.ignore("an entry without events");
        }
        let mut reader = messaging::inbound::Reader { network, account: &entry.id, time: entry.time, events };
        // Another app holds the thread: what the customer says is shown all the same.
        for event in entry.messaging.into_iter().chain(entry.standby) {
            reader.read_item(event);
        }
        for change in entry.changes {
            let Some(change) = reader.events.readable("change", change) else { continue };
            match change.value {
                ChangeValue::Messaging(event) => reader.read_event(*event, None),
                _ => reader.events.ignore(format!("a change of the field \"{}\"", short(&change.field))),
            }
        }
    }
}

/// Ids of numbers, pages and accounts have 20 digits at most.
const MAX_ROUTE_BYTES: usize = 255;

/// Gathers the events of a body. What follows goes where [`Events::to`] last said.
#[derive(Debug, Default)]
pub(crate) struct Events {
    routed: Vec<RoutedEvent>,
    channel: &'static str,
    route: String,
}

impl Events {
    /// Says for whom the next events are. A route longer than any id is nobody's: each event would repeat it.
    pub(crate) fn to(&mut self, channel: &'static str, route: &str) {
        self.channel = channel;
        let route = if route.len() <= MAX_ROUTE_BYTES { route } else { "" };
        route.clone_into(&mut self.route);
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, event: InboundEvent) {
        self.routed.push(RoutedEvent { channel: self.channel, route: self.route.clone(), event });
    }

    /// Adds that something is of no consequence here.
    pub(crate) fn ignore(&mut self, what: impl Into<String>) {
        self.push(InboundEvent::Ignored { what: what.into() });
    }

    /// Adds that a part could not be read.
    pub(crate) fn unreadable(&mut self, part: &str, error: &ReadError) {
        self.push(InboundEvent::Unreadable { what: format!("{part}: {error}") });
    }

    /// The item if it could be read; else notes that it could not.
    pub(crate) fn readable<T>(&mut self, part: &str, item: Item<'_, T>) -> Option<T> {
        item.read.map_err(|error| self.unreadable(part, &error)).ok()
    }
}

/// A provider's word as far as it is shown: whoever writes it chooses its length.
pub(crate) fn short(word: &str) -> &str {
    word.char_indices().nth(64).map_or(word, |(end, _)| &word[..end])
}
