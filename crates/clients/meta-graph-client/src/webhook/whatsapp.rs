//! WhatsApp Cloud API: the value of `messages` and `smb_message_echoes`.
//!
//! Route by [`Metadata::phone_number_id`]. Match a contact to a message by `wa_id` or `user_id`, never
//! by position. A customer with a username may have no phone: then `from` and `wa_id` are absent and
//! only the business-scoped user id (`ID.1349...`) is there; in older bodies it is the other way round.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde_json::value::RawValue;

use super::tolerant::RawList;
pub use super::whatsapp_content::*;
use super::{Item, Problem, ReadError, UnixMillis, items, readable, tolerant};

/// What happened at one phone number.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    /// Whose number. Absent only in malformed bodies.
    pub metadata: Option<Metadata>,
    /// The customers who wrote, as far as Meta names them.
    pub contacts: Vec<Item<'a, Contact>>,
    /// What customers wrote.
    pub messages: Vec<Item<'a, Message>>,
    /// What became of messages we sent.
    pub statuses: Vec<Item<'a, Status>>,
    /// What the business wrote in the phone app (coexistence): outgoing lines of ours.
    pub message_echoes: Vec<Item<'a, Message>>,
    /// Errors of the number as a whole.
    pub errors: Vec<Item<'a, ErrorNotice>>,
}

/// Which of our numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// For people; digits, as `6281211002200`.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub display_phone_number: Option<String>,
    /// The id to route by.
    #[serde(deserialize_with = "tolerant::id")]
    pub phone_number_id: String,
}

/// A customer as Meta names them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Contact {
    /// Phone digits. Absent when the customer writes under a username.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub wa_id: Option<String>,
    /// Business-scoped user id, since April 2026.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub user_id: Option<String>,
    /// Its parent for linked business portfolios.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub parent_user_id: Option<String>,
    /// What they call themselves.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub profile: Option<Profile>,
}

/// What a customer calls themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Profile {
    /// Display name.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub name: Option<String>,
    /// WhatsApp username.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub username: Option<String>,
}

/// One message of a customer, or an echo of one of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// `wamid....`: unique for ever, the key against duplicates. `unnamed:...`, made of what it says, where none came.
    pub id: String,
    /// Sender's phone digits; the business number in an echo.
    pub from: Option<String>,
    /// Sender's business-scoped user id.
    pub from_user_id: Option<String>,
    /// Receiver's phone digits; only in an echo.
    pub to: Option<String>,
    /// When it was written.
    pub timestamp: Option<UnixMillis>,
    /// The `type` as it came; where none came, the name of the part that is there.
    pub kind: String,
    /// What it answers, or that it was forwarded.
    pub context: Option<Context>,
    /// The ad or post it came from.
    pub referral: Option<Referral>,
    /// The group it was written in: not a conversation with one person.
    pub group_id: Option<String>,
    /// Why WhatsApp does not pass on the content (`unsupported`).
    pub errors: Vec<ErrorNotice>,
    /// What it says.
    pub content: Content,
}

/// A message without its content.
#[derive(Deserialize)]
struct Head {
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    from: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    from_user_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    to: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    timestamp: Option<UnixMillis>,
    #[serde(default, rename = "type", deserialize_with = "tolerant::optional")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    context: Option<Context>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    referral: Option<Referral>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    group_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::list")]
    errors: Vec<ErrorNotice>,
}

/// What a message refers to.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Context {
    /// Who wrote the message that is answered.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub from: Option<String>,
    /// Its id; it may be one we never saw.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// It was forwarded.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub forwarded: Option<bool>,
    /// It was forwarded many times.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub frequently_forwarded: Option<bool>,
    /// The catalogue product asked about.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub referred_product: Option<ReferredProduct>,
}

impl Context {
    /// Forwarded, often or not.
    pub fn is_forwarded(&self) -> bool {
        self.forwarded == Some(true) || self.frequently_forwarded == Some(true)
    }
}

/// A product of the business's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReferredProduct {
    /// The catalogue.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub catalog_id: Option<String>,
    /// The business's own id of the product.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub product_retailer_id: Option<String>,
}

/// The ad or post a customer came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Referral {
    /// `ad` or `post`.
    #[serde(deserialize_with = "tolerant::optional")]
    pub source_type: Option<String>,
    /// Its id.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub source_id: Option<String>,
    /// Its address.
    #[serde(deserialize_with = "tolerant::optional")]
    pub source_url: Option<String>,
    /// Its headline.
    #[serde(deserialize_with = "tolerant::optional")]
    pub headline: Option<String>,
    /// Its text.
    #[serde(deserialize_with = "tolerant::optional")]
    pub body: Option<String>,
    /// `image` or `video`.
    #[serde(deserialize_with = "tolerant::optional")]
    pub media_type: Option<String>,
    /// Its picture.
    #[serde(deserialize_with = "tolerant::optional")]
    pub image_url: Option<String>,
    /// Its video.
    #[serde(deserialize_with = "tolerant::optional")]
    pub video_url: Option<String>,
    /// Its preview.
    #[serde(deserialize_with = "tolerant::optional")]
    pub thumbnail_url: Option<String>,
    /// Click id for conversion reports.
    #[serde(deserialize_with = "tolerant::optional")]
    pub ctwa_clid: Option<String>,
}

/// What became of one of our messages.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Status {
    /// The message's `wamid`. May be one that another app sent, or arrive before our send returned.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: String,
    /// How far it came.
    #[serde(deserialize_with = "status_kind")]
    pub status: StatusKind,
    /// When.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub timestamp: Option<UnixMillis>,
    /// Phone digits of the receiver, or the group.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub recipient_id: Option<String>,
    /// Business-scoped user id of the receiver.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub recipient_user_id: Option<String>,
    /// `individual` or `group`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub recipient_type: Option<String>,
    /// Which member of the group.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub recipient_participant_id: Option<String>,
    /// Our own reference, given when sending: the safest correlation.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub biz_opaque_callback_data: Option<String>,
    /// What it cost.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub pricing: Option<Pricing>,
    /// The billing conversation; mostly gone since mid-2025.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub conversation: Option<BillingConversation>,
    /// Why it failed.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub errors: Vec<ErrorNotice>,
}

/// How far a message came. Arrives in any order, and may skip steps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// Accepted by WhatsApp's servers.
    Sent,
    /// On the receiver's device.
    Delivered,
    /// Seen.
    Read,
    /// A voice message was listened to.
    Played,
    /// It will not arrive; see the errors.
    Failed,
    /// The receiver deleted it (older texts).
    Deleted,
    /// A notice beside a delivery (older texts).
    Warning,
    /// A status of tomorrow.
    #[serde(untagged)]
    Other(String),
}

/// Relays write the words in capitals.
fn status_kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<StatusKind, D::Error> {
    let word = Cow::<str>::deserialize(deserializer)?.to_ascii_lowercase();
    StatusKind::deserialize(word.into_deserializer())
}

/// What a message cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pricing {
    /// Whether it is billed.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub billable: Option<bool>,
    /// `PMP` (per message) or `CBP` (per conversation).
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub pricing_model: Option<String>,
    /// `regular`, `free_customer_service`, `free_entry_point`.
    #[serde(default, rename = "type", deserialize_with = "tolerant::optional")]
    pub kind: Option<String>,
    /// `utility`, `marketing`, `service`, ...
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub category: Option<String>,
}

/// A billing conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BillingConversation {
    /// Its id.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// When it ends.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub expiration_timestamp: Option<UnixMillis>,
}

/// An error as webhooks tell it. `code` is the same as in answers to calls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ErrorNotice {
    /// What happened; see [`crate::decision`].
    #[serde(deserialize_with = "tolerant::number")]
    pub code: i64,
    /// In few words.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// In a sentence.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub message: Option<String>,
    /// More of it.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub error_data: Option<ErrorData>,
    /// More of it, in older bodies.
    #[serde(default, rename = "details", deserialize_with = "tolerant::optional")]
    pub old_details: Option<String>,
    /// Where it is documented.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub href: Option<String>,
}

impl ErrorNotice {
    /// The most telling text there is.
    pub fn details(&self) -> Option<&str> {
        let details = self.error_data.as_ref().and_then(|data| data.details.as_deref());
        let details = details.or(self.old_details.as_deref());
        details.or(self.message.as_deref()).or(self.title.as_deref())
    }
}

/// More about an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ErrorData {
    /// A sentence for people.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub details: Option<String>,
}

/// A value, its lists not looked into yet: `L` is what they are taken for.
#[derive(Deserialize)]
struct RawLists<L> {
    #[serde(default, deserialize_with = "tolerant::optional")]
    metadata: Option<Metadata>,
    contacts: Option<L>,
    messages: Option<L>,
    statuses: Option<L>,
    message_echoes: Option<L>,
    errors: Option<L>,
}

pub(super) fn read_value(raw: &RawValue) -> Result<Value<'_>, ReadError> {
    match serde_json::from_str::<RawLists<Vec<&RawValue>>>(raw.get()) {
        Ok(lists) => Ok(read_lists(lists)),
        // Something is no list, or nothing can be read at all.
        Err(_) => Ok(read_lists(serde_json::from_str::<RawLists<&RawValue>>(raw.get())?)),
    }
}

fn read_lists<'a, L: Into<RawList<'a>>>(lists: RawLists<L>) -> Value<'a> {
    Value {
        metadata: lists.metadata,
        contacts: items(lists.contacts, read_part),
        messages: items(lists.messages, read_message),
        statuses: items(lists.statuses, read_part),
        message_echoes: items(lists.message_echoes, read_message),
        errors: items(lists.errors, read_part),
    }
}

pub(super) fn read_part<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ReadError> {
    Ok(serde_json::from_str(raw.get())?)
}

/// Head first, content second: a message whose content cannot be read still has its id and sender.
fn read_message(raw: &RawValue) -> Result<Message, ReadError> {
    let head: Head = serde_json::from_str(raw.get())?;
    let kind = head.kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| kind_by_part(raw.get()));
    let content = read_content(raw.get(), &kind);
    let id = match (head.id, &content) {
        (Some(id), _) => id,
        (None, Content::Other | Content::Missing | Content::Unreadable(_)) => {
            return Err(ReadError::missing());
        }
        (None, _) => tolerant::stand_in_id(raw.get()),
    };
    Ok(Message {
        content,
        id,
        from: head.from,
        from_user_id: head.from_user_id,
        to: head.to,
        timestamp: head.timestamp,
        kind,
        context: head.context,
        referral: head.referral,
        group_id: head.group_id,
        errors: head.errors,
    })
}

impl<'a> Value<'a> {
    /// The contact that belongs to a message, if Meta named it.
    pub fn contact_of(&self, message: &Message) -> Option<&Contact> {
        self.contacts.iter().filter_map(|item| item.read.as_ref().ok()).find(|contact| {
            let same = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours == theirs;
            same(&contact.user_id, &message.from_user_id) || same(&contact.wa_id, &message.from)
        })
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem<'a>>) {
        readable(&self.contacts, found);
        readable(&self.statuses, found);
        readable(&self.errors, found);
        for messages in [&self.messages, &self.message_echoes] {
            readable(messages, found);
            found.extend(messages.iter().filter_map(|item| match &item.read {
                Ok(Message { content: Content::Unreadable(error), .. }) => {
                    Some(Problem { raw: item.raw, error: error.clone() })
                }
                _ => None,
            }));
        }
    }
}
