//! What a channel can carry, as data with limits: the engine refuses early, the page greys out.

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::MediaKind;

/// What an inbox can send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Capabilities {
    /// The longest text.
    pub text_max: TextLimit,
    /// The longest caption beside a file, in characters; 0 when the channel sends them apart.
    pub caption_max: usize,
    /// The files it takes.
    pub attachments: Vec<AttachmentLimit>,
    /// When free text is possible; `None` for always.
    #[schema(required = true)]
    pub reply_window: Option<ReplyWindow>,
    /// Approved templates outside the window.
    pub templates: bool,
    /// Reactions to a message.
    pub reactions: bool,
    /// The emoji it can react with; empty for any.
    pub reaction_emojis: Vec<String>,
    /// Answers that quote a message.
    pub reply_to: bool,
    /// A place.
    pub location: bool,
    /// Contact cards.
    pub contacts: bool,
    /// Buttons and lists.
    pub interactive: bool,
    /// Telling the customer that we read.
    pub read_receipts: bool,
    /// Showing the customer that we type.
    pub typing: bool,
}

impl Capabilities {
    /// True when one can react with this emoji (the invisible mark that asks for a coloured picture is ignored).
    pub fn takes_reaction(&self, emoji: &str) -> bool {
        let plain = |emoji: &str| emoji.trim_end_matches('\u{fe0f}').to_owned();
        self.reactions
            && (self.reaction_emojis.is_empty()
                || self.reaction_emojis.iter().any(|known| plain(known) == plain(emoji)))
    }
}

/// A limit on text and the unit in which the provider counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextLimit {
    /// The largest count.
    pub count: usize,
    /// What is counted.
    pub unit: TextUnit,
}

impl TextLimit {
    /// How long `text` is in this unit.
    pub fn measure(self, text: &str) -> usize {
        match self.unit {
            TextUnit::Characters => text.chars().count(),
            TextUnit::Bytes => text.len(),
        }
    }
}

crate::words! {
    /// How a provider counts text.
    pub enum TextUnit {
        /// Unicode scalar values.
        Characters = "characters",
        /// Bytes of UTF-8.
        Bytes = "bytes",
    }
}

/// Which files of one kind a channel takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttachmentLimit {
    /// The kind they are shown as.
    pub kind: MediaKind,
    /// The MIME types; empty for any.
    pub mime_types: Vec<String>,
    /// The largest size.
    pub max_bytes: u64,
}

impl AttachmentLimit {
    /// True when the kind takes this MIME type (parameters after `;` are ignored).
    pub fn takes(&self, mime: &str) -> bool {
        let mime = mime.split(';').next().unwrap_or(mime).trim();
        self.mime_types.is_empty() || self.mime_types.iter().any(|m| m.eq_ignore_ascii_case(mime))
    }
}

/// How long after the customer's last message free text is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WindowLength)]
pub struct ReplyWindow {
    /// Milliseconds after the customer's last message.
    pub duration_ms: i64,
    /// Milliseconds up to which a person (not a program) may still answer under a tag, where the channel has one.
    #[schema(required = true)]
    pub extended_ms: Option<i64>,
}
