//! What a WhatsApp message says, by its `type`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ReadError, tolerant};

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// `text`
    Text(Text),
    /// `image`
    Image(Media),
    /// `video`
    Video(Media),
    /// `audio`: a voice message when `voice` is true, else a file. `voice` in bodies of the old API
    Audio(Media),
    /// `document`
    Document(Media),
    /// `sticker`
    Sticker(Media),
    /// `location`
    Location(Location),
    /// `contacts`
    Contacts(Vec<ContactCard>),
    /// `button`: the quick reply of a template
    Button(Button),
    /// `interactive`: an answer to buttons, a list or a flow
    Interactive(Interactive),
    /// `reaction`: not a line of the conversation
    Reaction(Reaction),
    /// `order`
    Order(Order),
    /// `system`: the customer's number or id changed
    System(System),
    /// `unsupported`: WhatsApp does not pass on what it was; `errors` say why
    Unsupported(Unsupported),
    /// `edit`: another message says something else now
    Edit(Edit),
    /// `revoke`: another message was taken back
    Revoke(Revoke),
    /// A type that is not read: `request_welcome`, `unknown`, types of tomorrow.
    Other,
    /// The type is known, its part is absent (an `interactive` without content occurs).
    Missing,
    /// The type is known, its part is malformed.
    Unreadable(ReadError),
}

/// Reads the part named like the type.
pub(super) fn read_content(message: &str, kind: &str) -> Content {
    fn part<'a, T: Deserialize<'a>>(message: &'a str, kind: &str, content: fn(T) -> Content) -> Content {
        match tolerant::field(message, kind) {
            Ok(Some(value)) => content(value),
            Ok(None) => Content::Missing,
            Err(error) => Content::Unreadable(error.into()),
        }
    }
    match kind {
        "text" => part(message, kind, Content::Text),
        "image" => part(message, kind, Content::Image),
        "video" => part(message, kind, Content::Video),
        "audio" => part(message, kind, Content::Audio),
        "voice" => part(message, kind, |media| Content::Audio(Media { voice: Some(true), ..media })),
        "document" => part(message, kind, Content::Document),
        "sticker" => part(message, kind, Content::Sticker),
        "location" => part(message, kind, Content::Location),
        "contacts" => part(message, kind, |Cards(cards)| Content::Contacts(cards)),
        "button" => part(message, kind, Content::Button),
        "interactive" => part(message, kind, Content::Interactive),
        "reaction" => part(message, kind, Content::Reaction),
        "order" => part(message, kind, Content::Order),
        "system" => part(message, kind, Content::System),
        "revoke" => part(message, kind, Content::Revoke),
        "edit" => part(message, kind, |edit: RawEdit<'_>| Content::Edit(edit.read())),
        "unsupported" => match part(message, kind, Content::Unsupported) {
            // The part is new; older bodies have only `errors`.
            Content::Missing => Content::Unsupported(Unsupported::default()),
            content => content,
        },
        _ => Content::Other,
    }
}

/// The type of a message that does not tell it: its part has the same name.
pub(super) fn kind_by_part(message: &str) -> String {
    const KINDS: [&str; 17] = [
        "text",
        "image",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
        "location",
        "contacts",
        "button",
        "interactive",
        "reaction",
        "order",
        "system",
        "edit",
        "revoke",
        "unsupported",
    ];
    let names = tolerant::names(message);
    KINDS.into_iter().find(|kind| names.contains(*kind)).unwrap_or_default().to_owned()
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Text {
    /// Up to 4096 characters.
    pub body: String,
}

/// A file. Fetch it soon: the id lives 7 days, the URL minutes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Media {
    /// For the two-step download; absent only in malformed bodies.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// As `audio/ogg; codecs=opus`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub mime_type: Option<String>,
    /// Base64, while the download's first step writes hex: compare decoded.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub sha256: Option<String>,
    /// Text beside it.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub caption: Option<String>,
    /// Documents only.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub filename: Option<String>,
    /// Audio only: recorded as a voice message.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub voice: Option<bool>,
    /// Stickers only.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub animated: Option<bool>,
    /// Short-lived download address; needs the token.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub url: Option<String>,
}

/// A place. Also what we send.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Location {
    /// Degrees, north positive.
    #[serde(deserialize_with = "tolerant::amount")]
    pub latitude: f64,
    /// Degrees, east positive.
    #[serde(deserialize_with = "tolerant::amount")]
    pub longitude: f64,
    /// What the place is called.
    #[serde(default, deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address.
    #[serde(default, deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its page; incoming only.
    #[serde(default, deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[derive(Deserialize)]
struct Cards(#[serde(deserialize_with = "tolerant::list")] Vec<ContactCard>);

/// A contact card. Also what we send; then the name needs one part beside `formatted_name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ContactCard {
    /// Whose card.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub name: Option<ContactName>,
    /// Phones; may lack.
    #[serde(deserialize_with = "tolerant::list", skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<ContactPhone>,
    /// E-mail addresses.
    #[serde(deserialize_with = "tolerant::list", skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<ContactEmail>,
    /// Where they work.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub org: Option<ContactOrganisation>,
    /// The whole card; on answers to a request for contact details.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub vcard: Option<String>,
}

/// A name on a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ContactName {
    /// As shown.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub formatted_name: Option<String>,
    /// Given name.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
}

/// A phone on a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ContactPhone {
    /// As written on the card.
    #[serde(deserialize_with = "tolerant::optional_id", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Its WhatsApp digits, if it has WhatsApp.
    #[serde(deserialize_with = "tolerant::optional_id", skip_serializing_if = "Option::is_none")]
    pub wa_id: Option<String>,
    /// `CELL`, `WORK`, ...
    #[serde(
        rename = "type",
        deserialize_with = "tolerant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
}

/// An e-mail address on a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ContactEmail {
    /// The address.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `WORK`, `HOME`, ...
    #[serde(
        rename = "type",
        deserialize_with = "tolerant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
}

/// A workplace on a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ContactOrganisation {
    /// The company.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The role in it.
    #[serde(deserialize_with = "tolerant::optional", skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A template's quick reply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Button {
    /// What we attached to it.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub payload: Option<String>,
    /// What it says.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub text: Option<String>,
}

/// An answer to something interactive. `kind` says which one of the others is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Interactive {
    /// `button_reply`, `list_reply`, `nfm_reply`, `call_permission_reply`, ...; it can be missing.
    #[serde(rename = "type", deserialize_with = "tolerant::optional")]
    pub kind: Option<String>,
    /// A pressed button.
    #[serde(deserialize_with = "tolerant::optional")]
    pub button_reply: Option<Choice>,
    /// A chosen row.
    #[serde(deserialize_with = "tolerant::optional")]
    pub list_reply: Option<Choice>,
    /// A filled-in flow.
    #[serde(deserialize_with = "tolerant::optional")]
    pub nfm_reply: Option<FlowReply>,
}

/// A pressed button or chosen row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Choice {
    /// What we attached to it.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// What it says.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// The row's second line.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub description: Option<String>,
}

/// A filled-in flow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FlowReply {
    /// `flow`, `address_message`, ...
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub name: Option<String>,
    /// What the customer sees, as `Sent`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub body: Option<String>,
    /// The answers: JSON *in a string*, and not always valid.
    #[serde(default, deserialize_with = "tolerant::json_text")]
    pub response_json: Option<String>,
}

/// A reaction to one message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reaction {
    /// To which one.
    #[serde(deserialize_with = "tolerant::id")]
    pub message_id: String,
    /// The emoji. Empty or absent takes the reaction back: see [`Reaction::emoji`].
    #[serde(default, deserialize_with = "tolerant::optional")]
    emoji: Option<String>,
}

impl Reaction {
    /// The emoji; `None` = the reaction is taken back.
    pub fn emoji(&self) -> Option<&str> {
        self.emoji.as_deref().filter(|emoji| !emoji.is_empty())
    }
}

/// An order from the catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Order {
    /// The catalogue.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub catalog_id: Option<String>,
    /// What the customer wrote beside it.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub text: Option<String>,
    /// What is ordered.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub product_items: Vec<OrderItem>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OrderItem {
    /// The business's own id of the product.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub product_retailer_id: Option<String>,
    /// How many.
    #[serde(default, deserialize_with = "tolerant::optional_amount")]
    pub quantity: Option<f64>,
    /// Price of one.
    #[serde(default, deserialize_with = "tolerant::optional_amount")]
    pub item_price: Option<f64>,
    /// As `IDR`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub currency: Option<String>,
}

/// A change of the customer's number or id. Comes without `contacts`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct System {
    /// `user_changed_number`, `user_changed_user_id`, older `customer_changed_number`,
    /// `customer_identity_changed`.
    #[serde(default, rename = "type", deserialize_with = "tolerant::optional")]
    pub kind: Option<String>,
    /// A sentence for people.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub body: Option<String>,
    /// The new phone digits.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub wa_id: Option<String>,
    /// The new phone digits, in older bodies.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub new_wa_id: Option<String>,
    /// The new business-scoped user id.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub user_id: Option<String>,
    /// The old one.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub previous_user_id: Option<String>,
}

/// Something WhatsApp does not pass on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Unsupported {
    /// What it was, as `poll_creation`.
    #[serde(default, rename = "type", deserialize_with = "tolerant::optional")]
    pub kind: Option<String>,
}

/// Another message says something else now (coexistence numbers).
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Which one.
    pub original_message_id: String,
    /// The type of what it says now.
    pub kind: String,
    /// What it says now.
    pub content: Box<Content>,
}

#[derive(Deserialize)]
struct RawEdit<'a> {
    #[serde(deserialize_with = "tolerant::id")]
    original_message_id: String,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

impl RawEdit<'_> {
    fn read(self) -> Edit {
        let message = self.message.map_or("{}", RawValue::get);
        let kind: String = tolerant::field(message, "type").ok().flatten().unwrap_or_default();
        let content = match kind.as_str() {
            // An edit of an edit does not occur, and would let a body choose our stack's depth.
            "edit" => Content::Other,
            "" => Content::Missing,
            kind => read_content(message, kind),
        };
        Edit { original_message_id: self.original_message_id, kind, content: Box::new(content) }
    }
}

/// Another message was taken back (coexistence numbers).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Revoke {
    /// Which one.
    #[serde(deserialize_with = "tolerant::id")]
    pub original_message_id: String,
}
