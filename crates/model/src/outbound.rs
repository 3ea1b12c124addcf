//! What we want sent, in our words, before a channel turns it into a provider's request.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contact::Identity;
use crate::content::{ContactCard, Location, MediaKind, Template};
use crate::{RemoteId, Timestamp};

/// One message to send: exactly one request at the provider.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundMessage {
    /// Our reference, returned by providers that can; correlates a send whose answer was lost.
    pub client_ref: String,
    /// To whom.
    pub to: Recipient,
    /// What.
    pub body: OutboundBody,
    /// The message it answers.
    pub reply_to: Option<RemoteId>,
    /// When the customer last wrote: some channels need a tag outside their window.
    pub last_inbound_at: Option<Timestamp>,
    /// The present moment, for the same decision.
    pub now: Timestamp,
    /// Which try this is, from 1: some refusals are worth a second try only.
    pub attempt: u32,
}

/// Whom to send to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// What the provider calls the thread.
    pub thread: String,
    /// The contact's names on the network.
    pub identities: Vec<Identity>,
}

impl Recipient {
    /// The contact's name of one kind.
    pub fn identity(&self, kind: crate::contact::IdentityKind) -> Option<&str> {
        self.identities.iter().find(|i| i.kind == kind).map(|i| i.value.as_str())
    }
}

/// What to send.
#[derive(Debug, Clone, PartialEq)]
pub enum OutboundBody {
    /// Text.
    Text(String),
    /// A file with an optional caption.
    Media(OutboundMedia),
    /// An approved template.
    Template(Template),
    /// A place.
    Location(Location),
    /// Contact cards.
    Contacts(Vec<ContactCard>),
    /// Buttons or a list.
    Interactive(Interactive),
    /// A reaction to `target`; no emoji takes it back.
    Reaction {
        /// The message reacted to.
        target: RemoteId,
        /// The emoji.
        emoji: Option<String>,
    },
}

/// A file kept by us, to be uploaded or linked.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundMedia {
    /// How it is to be shown.
    pub kind: MediaKind,
    /// Where the bytes are.
    pub path: PathBuf,
    /// A public address of the same bytes, for networks that fetch files by themselves.
    pub url: Option<String>,
    /// Its type, sniffed by us.
    pub mime_type: String,
    /// The name the customer will see.
    pub file_name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Words beside it.
    pub caption: Option<String>,
}

/// Buttons or a list, in a form every channel can map to its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Interactive {
    /// Text above the choices.
    #[schema(min_length = 1, max_length = 1024)]
    pub body: String,
    /// A line above the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A line below the choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// One to three buttons; empty when it is a list.
    #[schema(max_items = 3)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<InteractiveChoice>,
    /// The label that opens the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_label: Option<String>,
    /// Up to ten rows; empty when it has buttons.
    #[schema(max_items = 10)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<InteractiveChoice>,
}

/// One button or row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InteractiveChoice {
    /// Comes back when it is chosen.
    #[schema(min_length = 1, max_length = 200)]
    pub id: String,
    /// What the customer reads.
    #[schema(min_length = 1, max_length = 24)]
    pub title: String,
    /// A second line, in lists only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
