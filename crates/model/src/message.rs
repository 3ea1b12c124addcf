//! One entry in a conversation: its direction, who wrote it, its kind and how far it has come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Defines an enum that is stored and sent as one fixed word per variant, and described as those words in the API.
#[macro_export]
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident { $($(#[doc = $meaning:literal])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[doc = $meaning])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in the database and in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl $crate::utoipa::ToSchema for $name {}

        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::Schema> {
                let meanings = [$(concat!("- `", $word, "`:", $($meaning),*)),+];
                $crate::message::describe_words(concat!($($doc),*), &meanings, Self::ALL.iter().map(|w| w.as_str()))
            }
        }
    };
}

/// The schema of an enum made by [`words!`](crate::words): its words, and what each of them means.
pub fn describe_words<'a>(
    about: &str,
    meanings: &[&str],
    words: impl Iterator<Item = &'a str>,
) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::Type::String)
        .description(Some(format!("{}\n\n{}", about.trim(), meanings.join("\n"))))
        .enum_values(Some(words.map(str::to_owned)))
        .into()
}

words! {
    /// Which way a message went.
    pub enum Direction {
        /// From the customer to us.
        Inbound = "inbound",
        /// From us to the customer, from here or from another app of ours (an echo).
        Outbound = "outbound",
    }
}

words! {
    /// Who wrote a message.
    pub enum SenderType {
        /// The person outside.
        Customer = "customer",
        /// One of our people.
        Admin = "admin",
        /// The network or Frontdesk itself.
        System = "system",
    }
}

words! {
    /// What a message holds. The details stand in its payload.
    pub enum MessageKind {
        /// Plain text.
        Text = "text",
        /// A picture, perhaps with a caption.
        Image = "image",
        /// A film, perhaps with a caption.
        Video = "video",
        /// An audio file.
        Audio = "audio",
        /// A voice note recorded in the chat.
        Voice = "voice",
        /// Any other file.
        Document = "document",
        /// A sticker.
        Sticker = "sticker",
        /// A place.
        Location = "location",
        /// One or more contact cards.
        Contacts = "contacts",
        /// The customer pressed a button.
        ButtonReply = "button_reply",
        /// The customer chose from a list.
        ListReply = "list_reply",
        /// The customer filled in a flow.
        FlowReply = "flow_reply",
        /// Buttons or a list sent by us.
        Interactive = "interactive",
        /// A template approved by the provider.
        Template = "template",
        /// An order from a catalogue.
        Order = "order",
        /// A button of a Messenger or Instagram menu.
        Postback = "postback",
        /// The customer came through an advert or link.
        Referral = "referral",
        /// An answer to our story.
        StoryReply = "story_reply",
        /// We were mentioned in a story.
        StoryMention = "story_mention",
        /// A shared post or reel.
        Share = "share",
        /// A notice of the network: a changed number, for example.
        System = "system",
        /// A call.
        Call = "call",
        /// A kind we do not know; kept raw and replayable.
        Unsupported = "unsupported",
    }
}

words! {
    /// How far a message has come. Declared in rank order: the state of an outgoing message is the
    /// maximum of all it was ever told, so the order in which news arrives does not matter.
    pub enum MessageStatus {
        /// Written by the customer (the only status of an inbound message).
        Received = "received",
        /// Committed, waiting to be sent.
        Queued = "queued",
        /// A request to the provider has begun.
        Sending = "sending",
        /// We do not know whether it arrived: the answer was lost. Never sent again blindly.
        Unknown = "unknown",
        /// The provider accepted it.
        Sent = "sent",
        /// It will not arrive; the error says why.
        Failed = "failed",
        /// It reached the customer's device.
        Delivered = "delivered",
        /// The customer saw it.
        Read = "read",
        /// The customer listened to it.
        Played = "played",
    }
}

impl MessageStatus {
    /// The status after news `other` arrived: whichever ranks higher.
    #[must_use]
    pub fn merged_with(self, other: Self) -> Self {
        self.max(other)
    }

    /// Rank stored beside the word, so that the database can compare.
    pub const fn rank(self) -> i64 {
        self as i64
    }
}

words! {
    /// How one attempt to send a message ended.
    pub enum DeliveryOutcome {
        /// The provider took it.
        Sent = "sent",
        /// It did not work; it is tried again.
        Retry = "retry",
        /// It will not arrive.
        Failed = "failed",
        /// The answer was lost.
        Unknown = "unknown",
    }
}

/// Why a message failed, in the provider's code and in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusError {
    /// The provider's code (`131047`) or ours (`TIMEOUT`).
    pub code: String,
    /// A sentence an agent can act on.
    pub message: String,
    /// What helps: `template`, `retry`, `reconnect`; absent when nothing does.
    #[schema(required = true)]
    pub action: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_status_does_not_depend_on_the_order_of_arrival() {
        use MessageStatus::*;
        let news = [Queued, Sent, Failed, Delivered, Read];
        // all 120 orders, by Heap's algorithm
        fn permute(k: usize, items: &mut [MessageStatus], seen: &mut Vec<MessageStatus>) {
            if k == 1 {
                seen.push(items.iter().fold(MessageStatus::Queued, |s, n| s.merged_with(*n)));
                return;
            }
            for i in 0..k {
                permute(k - 1, items, seen);
                let other = if k.is_multiple_of(2) { i } else { 0 };
                items.swap(other, k - 1);
            }
        }
        let mut seen = Vec::new();
        permute(5, &mut news.clone(), &mut seen);
        assert_eq!(seen.len(), 120);
        assert!(seen.iter().all(|s| *s == Read));
    }

    #[test]
    fn a_late_sent_does_not_clear_failed_but_delivery_does() {
        assert_eq!(MessageStatus::Failed.merged_with(MessageStatus::Sent), MessageStatus::Failed);
        assert_eq!(MessageStatus::Failed.merged_with(MessageStatus::Delivered), MessageStatus::Delivered);
    }
}
