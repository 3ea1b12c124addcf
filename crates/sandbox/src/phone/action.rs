//! What a customer can do in a chat, as the control API takes it.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Something a customer does in the chat with an inbox.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CustomerMessage {
    /// Inbox written to.
    pub inbox_id: String,
    /// Message that this one answers.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// What is done.
    #[serde(flatten)]
    pub action: CustomerAction,
}

/// Where a file comes from: an uploaded one if `media_id` is given, else a bundled sample.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct FileSource {
    /// File uploaded with `POST /control/media`.
    #[serde(default)]
    pub media_id: Option<String>,
    /// Name of a bundled file (`GET /control/samples`); empty: the usual one of this kind.
    #[serde(default)]
    pub sample: String,
    /// Name the customer's phone gives the file.
    #[serde(default)]
    pub file_name: Option<String>,
}

/// A contact card that a customer sends.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ContactCard {
    /// Full name.
    pub name: String,
    /// Number, in any spelling.
    pub phone: String,
}

/// What a customer does, by `kind`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CustomerAction {
    /// Writes text.
    Text {
        /// The text.
        text: String,
        /// WhatsApp: marked as forwarded.
        #[serde(default)]
        forwarded: bool,
    },
    /// Sends a picture.
    Image {
        /// Which file.
        #[serde(flatten)]
        file: FileSource,
        /// Caption.
        #[serde(default)]
        caption: Option<String>,
    },
    /// Sends a video.
    Video {
        /// Which file.
        #[serde(flatten)]
        file: FileSource,
        /// Caption.
        #[serde(default)]
        caption: Option<String>,
    },
    /// Sends an audio file.
    Audio {
        /// Which file.
        #[serde(flatten)]
        file: FileSource,
    },
    /// Records a voice message.
    Voice {
        /// Which file.
        #[serde(flatten)]
        file: FileSource,
    },
    /// Sends a document.
    Document {
        /// Which file.
        #[serde(flatten)]
        file: FileSource,
        /// Caption.
        #[serde(default)]
        caption: Option<String>,
    },
    /// Sends a sticker.
    Sticker {
        /// Which file.
        #[serde(flatten)]
        file: FileSource,
    },
    /// Sends a place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Name of the place.
        #[serde(default)]
        name: Option<String>,
        /// Its address.
        #[serde(default)]
        address: Option<String>,
    },
    /// WhatsApp: sends contact cards.
    Contacts {
        /// The cards.
        contacts: Vec<ContactCard>,
    },
    /// WhatsApp: presses a button of an interactive message.
    ButtonReply {
        /// The interactive message.
        message_id: String,
        /// Id of the button.
        id: String,
        /// Its title.
        title: String,
    },
    /// WhatsApp: picks a row of a list.
    ListReply {
        /// The interactive message.
        message_id: String,
        /// Id of the row.
        id: String,
        /// Its title.
        title: String,
        /// Its description.
        #[serde(default)]
        description: Option<String>,
    },
    /// WhatsApp: sends a filled form.
    FlowReply {
        /// The interactive message.
        message_id: String,
        /// Filled fields.
        #[schema(value_type = Object)]
        response: Map<String, Value>,
    },
    /// WhatsApp: presses a quick reply of a template.
    TemplateButton {
        /// The template message.
        message_id: String,
        /// Payload of the button.
        payload: String,
        /// Its text.
        text: String,
    },
    /// WhatsApp: orders from the catalogue.
    Order {
        /// Note to the order.
        #[serde(default)]
        text: Option<String>,
        /// Article number.
        product_retailer_id: String,
        /// How many.
        quantity: u32,
        /// Price of one.
        item_price: f64,
        /// ISO 4217 code.
        currency: String,
    },
    /// Reacts to a message.
    Reaction {
        /// The message.
        message_id: String,
        /// The emoji.
        emoji: String,
    },
    /// Takes the reaction back.
    Unreact {
        /// The message.
        message_id: String,
    },
    /// Changes an own message.
    Edit {
        /// The message.
        message_id: String,
        /// New text.
        text: String,
    },
    /// Deletes an own message for everyone.
    Unsend {
        /// The message.
        message_id: String,
    },
    /// Messenger, Instagram: presses a postback button or an ice breaker.
    Postback {
        /// Its title.
        title: String,
        /// Its payload.
        payload: String,
    },
    /// Messenger, Instagram: taps a quick reply.
    QuickReply {
        /// Its title.
        title: String,
        /// Its payload.
        payload: String,
    },
    /// Instagram: answers a story of the business.
    StoryReply {
        /// The answer.
        text: String,
    },
    /// Instagram: mentions the business in a story.
    StoryMention,
    /// Sends something that the API cannot show.
    Unsupported,
    /// Sends a message object in the provider's own words, for kinds that have no field here.
    Raw {
        /// WhatsApp: item of `messages[]` without id, from, timestamp. Messenger, Instagram: item of `messaging[]`
        /// without sender, recipient, timestamp.
        #[schema(value_type = Object)]
        content: Map<String, Value>,
    },
}

impl CustomerAction {
    /// The message that this action is about and that must exist.
    pub(crate) fn target(&self) -> Option<&str> {
        match self {
            Self::ButtonReply { message_id, .. }
            | Self::ListReply { message_id, .. }
            | Self::FlowReply { message_id, .. }
            | Self::TemplateButton { message_id, .. }
            | Self::Reaction { message_id, .. }
            | Self::Unreact { message_id }
            | Self::Edit { message_id, .. }
            | Self::Unsend { message_id } => Some(message_id),
            _ => None,
        }
    }

    /// Edit and unsend touch one's own messages only.
    pub(crate) fn changes_own(&self) -> bool {
        matches!(self, Self::Edit { .. } | Self::Unsend { .. })
    }

    /// Whether the provider counts it as a message that opens the reply window.
    pub(crate) fn opens_window(&self) -> bool {
        !matches!(self, Self::Unreact { .. } | Self::Edit { .. } | Self::Unsend { .. })
    }

    /// The file that it carries.
    pub(crate) fn file(&self) -> Option<&FileSource> {
        match self {
            Self::Image { file, .. }
            | Self::Video { file, .. }
            | Self::Audio { file }
            | Self::Voice { file }
            | Self::Document { file, .. }
            | Self::Sticker { file } => Some(file),
            _ => None,
        }
    }

    /// Fills in the usual sample of its kind when neither file nor sample is named.
    #[must_use]
    pub fn with_usual_sample(mut self) -> Self {
        let usual = match &self {
            Self::Image { .. } => "photo.jpg",
            Self::Video { .. } => "video.mp4",
            Self::Audio { .. } => "song.mp3",
            Self::Voice { .. } => "voice.ogg",
            Self::Document { .. } => "invoice.pdf",
            Self::Sticker { .. } => "sticker.webp",
            _ => return self,
        };
        if let Self::Image { file, .. }
        | Self::Video { file, .. }
        | Self::Audio { file }
        | Self::Voice { file }
        | Self::Document { file, .. }
        | Self::Sticker { file } = &mut self
            && file.sample.is_empty()
        {
            usual.clone_into(&mut file.sample);
        }
        self
    }
}
