//! The bodies Meta posts to a webhook, exactly as it writes them.
//!
//! ```text
//! {"object": "...", "entry": [ Entry ]}
//! Entry = {"id", "time", "changes": [ Change ]}                      WhatsApp; comments; dashboard test
//!       | {"id", "time", "messaging" | "standby": [ Event ]}         Messenger, Instagram
//! Change = {"field": "...", "value": {...}}
//! ```
//!
//! Every array may hold many items, of several accounts. The envelope is read leniently and each item
//! by itself: one that cannot be read is an [`Item`] whose `read` is an error, beside its raw text, and
//! costs no other. To add a kind of content: a variant in [`whatsapp::Content`] or
//! [`messaging::EventContent`], a line where it is chosen, a fixture.
//!
//! The text is scanned, never turned into a tree: nesting of any depth passes over without recursion
//! until a typed part is read, where `serde_json` stops at 128 levels.

pub mod account;
pub mod messaging;
pub mod route;
pub(crate) mod tolerant;
pub mod whatsapp;
mod whatsapp_content;

use std::{borrow::Cow, fmt};

use serde::Deserialize;
use serde_json::value::RawValue;

use tolerant::RawList;
pub use tolerant::UnixMillis;

/// What a body is about: its `object`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// `whatsapp_business_account`
    WhatsApp,
    /// `page`: Messenger
    Page,
    /// `instagram`
    Instagram,
    /// Anything else, kept as it came.
    Other(String),
}

impl Object {
    fn from_name(name: &str) -> Self {
        match name {
            "whatsapp_business_account" => Self::WhatsApp,
            "page" => Self::Page,
            "instagram" => Self::Instagram,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The body is no webhook at all: not JSON, or without `object` and `entry`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a Graph webhook: {0}")]
pub struct EnvelopeError(#[source] ReadError);

/// Why a part could not be read. Says where, never what: the text may hold personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct ReadError {
    /// What is wrong with it.
    pub kind: ReadErrorKind,
    /// Line within the part, from 1; 0 if unknown.
    pub line: usize,
    /// Column within the part, from 1; 0 if unknown.
    pub column: usize,
}

/// What is wrong with an unreadable part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadErrorKind {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// Not JSON, or nested too deeply.
    #[error("not JSON")]
    Syntax,
    /// JSON of another shape: a wrong type, a missing field, a repeated one.
    #[error("an unexpected type or a missing field")]
    Shape,
}

impl ReadError {
    /// Something that has to be there is not.
    pub(crate) const fn missing() -> Self {
        Self { kind: ReadErrorKind::Shape, line: 0, column: 0 }
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let kind = if error.is_data() { ReadErrorKind::Shape } else { ReadErrorKind::Syntax };
        Self { kind, line: error.line(), column: error.column() }
    }
}

/// One item of a batch: its raw text, and what it reads as.
#[derive(Clone)]
pub struct Item<'a, T> {
    /// The item as it came.
    pub raw: &'a RawValue,
    /// The item read, or why it could not be.
    pub read: Result<T, ReadError>,
}

/// Without the raw text, which says the same again.
impl<T: fmt::Debug> fmt::Debug for Item<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.read {
            Ok(value) => value.fmt(f),
            Err(error) => f.debug_tuple("Unreadable").field(error).finish(),
        }
    }
}

/// An item that could not be read, for the log of such things.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// The item as it came.
    pub raw: &'a RawValue,
    /// Why it could not be read.
    pub error: ReadError,
}

/// A whole body.
#[derive(Debug, Clone)]
pub struct Webhook<'a> {
    /// What it is about.
    pub object: Object,
    /// Its entries, in order.
    pub entries: Vec<Item<'a, Entry<'a>>>,
}

/// What happened at one account.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Page id, Instagram account id, or WhatsApp Business Account id.
    pub id: String,
    /// When Meta made the entry.
    pub time: Option<UnixMillis>,
    /// Field changes: all of WhatsApp; comments; the dashboard's test form.
    pub changes: Vec<Item<'a, Change<'a>>>,
    /// Messenger and Instagram events for us.
    pub messaging: Vec<Item<'a, messaging::Event>>,
    /// Messenger and Instagram events while another app holds the thread.
    pub standby: Vec<Item<'a, messaging::Event>>,
}

/// One changed field.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// The field's name, as `messages`.
    pub field: String,
    /// What it changed to.
    pub value: ChangeValue<'a>,
}

/// What a field changed to, by field.
#[derive(Debug, Clone)]
pub enum ChangeValue<'a> {
    /// WhatsApp `messages` and `smb_message_echoes`.
    WhatsApp(Box<whatsapp::Value<'a>>),
    /// Notices about the WhatsApp account, its numbers and templates.
    Account(account::Notice),
    /// `user_preferences`: customers who stopped or resumed marketing.
    UserPreferences(Vec<Item<'a, account::UserPreference>>),
    /// The dashboard's test form of a Messenger or Instagram event.
    Messaging(Box<messaging::Event>),
    /// A field that is not read; its value is in the item's raw text.
    Other,
}

/// Reads a body. Pure: the same bytes give the same webhook.
///
/// Errors: [`EnvelopeError`] when it is not UTF-8, not JSON, or lacks `object` or `entry`. Everything
/// below is in the items.
pub fn parse(body: &[u8]) -> Result<Webhook<'_>, EnvelopeError> {
    let envelope = RawEnvelope::read(body)?;
    let object = Object::from_name(&envelope.object);
    let entries =
        envelope.entry.into_iter().map(|raw| Item { raw, read: read_entry(raw, &object) }).collect();
    Ok(Webhook { object, entries })
}

/// The outermost object, its entries not looked into yet.
#[derive(Deserialize)]
struct RawEnvelope<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow)]
    entry: Vec<&'a RawValue>,
}

impl<'a> RawEnvelope<'a> {
    fn read(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        let text = std::str::from_utf8(body).map_err(|error| {
            EnvelopeError(ReadError {
                kind: ReadErrorKind::Encoding,
                line: 0,
                column: error.valid_up_to() + 1,
            })
        })?;
        serde_json::from_str(text).map_err(|error| EnvelopeError(error.into()))
    }
}

/// An entry, its lists not looked into yet: `L` is what they are taken for.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, L: Deserialize<'de>"))]
struct RawEntry<'a, L> {
    #[serde(borrow, default)]
    id: Option<tolerant::IdText<'a>>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    time: Option<UnixMillis>,
    #[serde(default)]
    changes: Option<L>,
    #[serde(default)]
    messaging: Option<L>,
    #[serde(default)]
    standby: Option<L>,
}

/// A change, its value not looked into yet.
#[derive(Deserialize)]
struct RawChange<'a> {
    /// What it is about; relays leave it out beside messages.
    #[serde(borrow, default)]
    field: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

fn read_entry<'a>(raw: &'a RawValue, object: &Object) -> Result<Entry<'a>, ReadError> {
    match serde_json::from_str::<RawEntry<'a, Vec<&RawValue>>>(raw.get()) {
        Ok(entry) => Ok(read_lists_of_entry(entry, object)),
        // Something is no list, or nothing can be read at all.
        Err(_) => {
            let entry: RawEntry<'a, &RawValue> = serde_json::from_str(raw.get())?;
            Ok(read_lists_of_entry(entry, object))
        }
    }
}

fn read_lists_of_entry<'a, L: Into<RawList<'a>>>(entry: RawEntry<'a, L>, object: &Object) -> Entry<'a> {
    Entry {
        id: entry.id.map(|id| id.0.into_owned()).unwrap_or_default(),
        time: entry.time,
        changes: items(entry.changes, |raw| read_change(raw, object)),
        messaging: items(entry.messaging, messaging::read_event),
        standby: items(entry.standby, messaging::read_event),
    }
}

fn read_change<'a>(raw: &'a RawValue, object: &Object) -> Result<Change<'a>, ReadError> {
    let change: RawChange<'a> = serde_json::from_str(raw.get())?;
    let field = change.field.unwrap_or_default();
    let value = match (object, change.value) {
        (_, None) | (Object::Other(_), _) => ChangeValue::Other,
        (Object::WhatsApp, Some(value)) => match &*field {
            "messages" | "smb_message_echoes" | "" => {
                ChangeValue::WhatsApp(Box::new(whatsapp::read_value(value)?))
            }
            "user_preferences" => ChangeValue::UserPreferences(account::read_user_preferences(value)?),
            field => account::read_notice(field, value)?.map_or(ChangeValue::Other, ChangeValue::Account),
        },
        (Object::Page | Object::Instagram, Some(value)) if messaging::is_messaging_field(&field) => {
            ChangeValue::Messaging(Box::new(messaging::read_event(value)?))
        }
        (Object::Page | Object::Instagram, Some(_)) => ChangeValue::Other,
    };
    Ok(Change { field: field.into_owned(), value })
}

/// Reads each item of a list by itself. An object in its place is the only item; anything else is one unreadable item.
fn items<'a, T>(
    list: Option<impl Into<RawList<'a>>>,
    read: impl Fn(&'a RawValue) -> Result<T, ReadError>,
) -> Vec<Item<'a, T>> {
    let raws = match list.map(Into::into) {
        None => return Vec::new(),
        Some(RawList::Items(raws)) => raws,
        Some(RawList::Text(list)) => match tolerant::raw_items(list) {
            Ok(raws) => raws,
            Err(error) => return vec![Item { raw: list, read: Err(error.into()) }],
        },
    };
    raws.into_iter().map(|raw| Item { raw, read: read(raw) }).collect()
}

impl<'a> Webhook<'a> {
    /// Everything in the body that could not be read: items of a batch, and the contents of items
    /// whose ids could be read.
    pub fn problems(&self) -> Vec<Problem<'a>> {
        let mut found = Vec::new();
        for entry in readable(&self.entries, &mut found) {
            for change in readable(&entry.changes, &mut found) {
                match &change.value {
                    ChangeValue::WhatsApp(value) => {
                        value.problems(&mut found);
                    }
                    ChangeValue::UserPreferences(preferences) => {
                        readable(preferences, &mut found);
                    }
                    ChangeValue::Account(_) | ChangeValue::Messaging(_) | ChangeValue::Other => {}
                }
            }
            for events in [&entry.messaging, &entry.standby] {
                readable(events, &mut found);
                found.extend(events.iter().filter_map(|item| {
                    let error = item.read.as_ref().ok()?.content.error()?.clone();
                    Some(Problem { raw: item.raw, error })
                }));
            }
        }
        found
    }
}

/// The items that could be read; the others go to `found`.
fn readable<'i, 'a, T>(items: &'i [Item<'a, T>], found: &mut Vec<Problem<'a>>) -> Vec<&'i T> {
    let mut good = Vec::with_capacity(items.len());
    for item in items {
        match &item.read {
            Ok(value) => good.push(value),
            Err(error) => found.push(Problem { raw: item.raw, error: error.clone() }),
        }
    }
    good
}
