//! A customer's chat with one inbox, as the customer's phone shows it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::{HOUR_MS, TimeMs};

/// Entries kept per chat; older ones scroll out.
const CHAT_CAPACITY: usize = 500;

/// Who wrote an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Customer,
    /// The business: an agent's reply that came through the provider.
    Business,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Taken by the provider.
    Accepted,
    /// On its way to the phone.
    Sent,
    /// Will not arrive.
    Failed,
    /// On the phone.
    Delivered,
    /// Seen.
    Read,
}

/// A file in a chat.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChatMedia {
    /// Id at the provider, when it was uploaded there.
    pub media_id: Option<String>,
    /// Where a browser finds it: `/control/media/{id}` or the link that the business sent.
    pub url: String,
    /// MIME type as far as known.
    pub mime_type: Option<String>,
    /// File name, for documents.
    pub file_name: Option<String>,
}

/// A reaction to an entry.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChatReaction {
    /// Who reacted.
    pub author: Author,
    /// The emoji.
    pub emoji: String,
}

/// One message in a chat.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChatEntry {
    /// The provider's message id.
    pub id: String,
    /// Who wrote it.
    pub author: Author,
    /// Kind of content: `text`, `image`, `interactive`, `template`…
    pub kind: String,
    /// Text, caption or one line that sums it up.
    pub text: Option<String>,
    /// Its file.
    pub media: Option<ChatMedia>,
    /// Further content in the provider's own words (location, buttons, contacts…).
    #[schema(value_type = Object)]
    pub content: Value,
    /// Id of the entry that this one answers.
    pub reply_to: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: TimeMs,
    /// How far it came. For a customer's message: `read` once the business marked it so.
    pub progress: Progress,
    /// Why it failed: the provider's error code.
    pub error_code: Option<i64>,
    /// The business' own reference (`biz_opaque_callback_data` or `metadata`).
    pub reference: Option<String>,
    /// Reactions, at most one per side.
    pub reactions: Vec<ChatReaction>,
    /// How often it was edited.
    pub edits: u32,
    /// Unsent: content is gone.
    pub deleted: bool,
    /// Number of this message in the list of deliveries.
    #[serde(skip)]
    pub delivery_seq: Option<u64>,
}

impl ChatEntry {
    /// A new entry without media, reply or reactions.
    #[must_use]
    pub fn new(id: String, author: Author, kind: &str, text: Option<String>, at_ms: TimeMs) -> Self {
        Self {
            id,
            author,
            kind: kind.to_owned(),
            text,
            media: None,
            content: Value::Null,
            reply_to: None,
            at_ms,
            progress: if author == Author::Customer { Progress::Sent } else { Progress::Accepted },
            error_code: None,
            reference: None,
            reactions: Vec::new(),
            edits: 0,
            deleted: false,
            delivery_seq: None,
        }
    }

    /// Sets or, with `None`, takes away one side's reaction.
    pub fn react(&mut self, author: Author, emoji: Option<&str>) {
        self.reactions.retain(|reaction| reaction.author != author);
        if let Some(emoji) = emoji.filter(|emoji| !emoji.is_empty()) {
            self.reactions.push(ChatReaction { author, emoji: emoji.to_owned() });
        }
    }
}

/// A customer's chat with one inbox.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Chat {
    /// Messages, oldest first.
    #[schema(value_type = Vec<ChatEntry>)]
    pub entries: VecDeque<ChatEntry>,
    /// The customer's last message, which opened the reply window. Moved back by `silence`.
    pub last_customer_message_ms: Option<TimeMs>,
    /// The chat is on the customer's screen: what arrives is read at once.
    pub open: bool,
    /// The business shows "typing…" until then.
    pub business_typing_until_ms: Option<TimeMs>,
    /// The customer types (control API; Meta sends no webhook for it).
    pub customer_typing: bool,
    /// Pair-rate allowance: messages left, and when it was counted.
    #[serde(skip)]
    pub pair_allowance: Option<(f64, TimeMs)>,
}

impl Chat {
    /// Adds an entry at the end.
    pub fn push(&mut self, entry: ChatEntry) {
        if self.entries.len() >= CHAT_CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The entry with this provider id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&ChatEntry> {
        self.entries.iter().rev().find(|entry| entry.id == id)
    }

    /// The entry with this provider id, to change it.
    pub fn find_mut(&mut self, id: &str) -> Option<&mut ChatEntry> {
        self.entries.iter_mut().rev().find(|entry| entry.id == id)
    }

    /// Whether the customer wrote within the last `hours`.
    #[must_use]
    pub fn wrote_within(&self, hours: u32, now: TimeMs) -> bool {
        self.last_customer_message_ms.is_some_and(|at| now - at < TimeMs::from(hours) * HOUR_MS)
    }

    /// Takes one message from the pair-rate allowance; false when there is none left.
    pub fn take_pair_allowance(&mut self, burst: u32, refill_ms: u64, now: TimeMs) -> bool {
        let (left, counted_at) = self.pair_allowance.unwrap_or((f64::from(burst), now));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few hours fit an f64 exactly")]
        let refilled = (now - counted_at).max(0) as f64 / refill_ms.max(1) as f64;
        let available = (left + refilled).min(f64::from(burst));
        let granted = available >= 1.0;
        self.pair_allowance = Some((if granted { available - 1.0 } else { available }, now));
        granted
    }

    /// Marks business messages that are on their way as at least `progress`; returns the ids that moved, oldest first.
    pub fn advance_business(&mut self, progress: Progress) -> Vec<String> {
        let waiting = |entry: &&mut ChatEntry| {
            entry.author == Author::Business
                && entry.progress < progress
                && entry.progress >= Progress::Sent
                && entry.progress != Progress::Failed
        };
        self.entries
            .iter_mut()
            .filter(waiting)
            .map(|entry| {
                entry.progress = progress;
                entry.id.clone()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_closes_to_the_millisecond() {
        let chat = Chat { last_customer_message_ms: Some(1_000), ..Chat::default() };
        assert!(chat.wrote_within(24, 1_000 + 24 * HOUR_MS - 1));
        assert!(!chat.wrote_within(24, 1_000 + 24 * HOUR_MS));
        assert!(!Chat::default().wrote_within(24, 0));
    }

    #[test]
    fn pair_allowance_refills_with_time() {
        let mut chat = Chat::default();
        assert!(chat.take_pair_allowance(2, 6_000, 0));
        assert!(chat.take_pair_allowance(2, 6_000, 0));
        assert!(!chat.take_pair_allowance(2, 6_000, 5_999));
        assert!(chat.take_pair_allowance(2, 6_000, 6_000));
    }

    #[test]
    fn failed_messages_never_become_delivered() {
        let mut chat = Chat::default();
        for (id, progress) in [("a", Progress::Sent), ("b", Progress::Failed), ("c", Progress::Accepted)] {
            let mut entry = ChatEntry::new(id.to_owned(), Author::Business, "text", None, 0);
            entry.progress = progress;
            chat.push(entry);
        }
        assert_eq!(chat.advance_business(Progress::Delivered), ["a"]);
    }
}
