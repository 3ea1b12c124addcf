//! Where an import stands, as it is kept with its run.

use frontdesk_model::{ContactId, ConversationId, MessageId, Timestamp};
use frontdesk_store::sync_runs::SyncRunRow;
use serde::{Deserialize, Serialize};

use super::{ImportOptions, Tally};
use crate::bridge::jobs::{Job, our_lane};

const DAY_MS: i64 = 86_400_000;

/// Where an import stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// When it began: what fell quiet before comes first, in that order, so that the list there is in the order of ours.
    pub until_ms: i64,
    /// From when on.
    pub since_ms: i64,
    /// The newest message when it began: newer ones are the bridge's.
    pub head: MessageId,
    /// All has been counted.
    pub counted: bool,
    pub place: Place,
    /// Conversations of which there is more.
    pub open: Vec<Open>,
    /// What is queued.
    pub queued: Vec<Queued>,
    pub contacts: Tally,
    pub messages: Tally,
}

/// How far the conversations have been gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Those that fell quiet before the beginning are done: now those in which something happens meanwhile, by id.
    pub moved: bool,
    /// After this moment (not of those in which something happens meanwhile), and this conversation.
    pub at_ms: i64,
    pub after: i64,
    /// There are no more.
    pub over: bool,
}

/// A conversation of which there is more, after a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    pub conversation: ConversationId,
    pub at_ms: i64,
    pub after: MessageId,
}

/// What is queued of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queued {
    pub conversation: ConversationId,
    /// With whom it is, when they are to be brought over.
    pub person: Option<ContactId>,
    pub messages: Vec<MessageId>,
}

impl Cursor {
    /// At the beginning.
    pub fn new(wanted: ImportOptions, head: MessageId, now: Timestamp) -> Self {
        let since = wanted.days.map_or(0, |days| now.as_millis() - i64::from(days) * DAY_MS);
        Self {
            until_ms: now.as_millis(),
            since_ms: since.max(0),
            head,
            counted: false,
            place: Place::default(),
            open: Vec::new(),
            queued: Vec::new(),
            contacts: Tally::default(),
            messages: Tally::default(),
        }
    }

    /// Where a run stands; `None` before its first step.
    pub fn of(run: &SyncRunRow) -> Option<Self> {
        serde_json::from_str(run.cursor.as_deref()?).ok()
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From when on.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_millis(self.since_ms)
    }

    /// When it began.
    pub fn until(&self) -> Timestamp {
        Timestamp::from_millis(self.until_ms)
    }
}

impl Queued {
    /// The jobs, in order, each under the key that it has however often it is queued.
    pub fn jobs(&self) -> Vec<(String, Job)> {
        let conversation = self.conversation;
        let person = self.person.map(|_| (person_key(conversation), Job::Person { conversation }));
        let history = self.messages.iter().map(|id| (history_key(*id), Job::History { message: *id }));
        let settle =
            (!self.messages.is_empty()).then(|| (format!("z{conversation}"), Job::Settle { conversation }));
        person.into_iter().chain(history).chain(settle).collect()
    }

    /// In which they are done one after the other.
    pub fn lane(&self) -> String {
        our_lane(self.conversation)
    }
}

/// The key of the job that brings the contact of a conversation over.
pub(super) fn person_key(conversation: ConversationId) -> String {
    format!("p{conversation}")
}

/// The key of the job that shows a message from before the bridge.
pub(super) fn history_key(message: MessageId) -> String {
    format!("h{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_as_it_was_kept_whatever_else_stands_beside_it() {
        let wanted = ImportOptions { dry_run: false, days: Some(2), contacts: true, messages: true };
        let mut cursor = Cursor::new(wanted, MessageId(9), Timestamp::from_millis(3 * DAY_MS));
        assert_eq!(cursor.since_ms, DAY_MS);
        cursor.open.push(Open { conversation: ConversationId(1), at_ms: 5, after: MessageId(2) });
        let mut kept: serde_json::Value = serde_json::from_str(&cursor.to_json()).unwrap();
        kept["failures"] = 3.into();
        let back: Cursor = serde_json::from_value(kept).unwrap();
        assert_eq!((back.head, back.open), (cursor.head, cursor.open));
    }

    #[test]
    fn the_contact_comes_before_the_messages_and_the_rest_is_settled_after_them() {
        let queued = Queued {
            conversation: ConversationId(7),
            person: Some(ContactId(3)),
            messages: vec![MessageId(1), MessageId(2)],
        };
        let keys: Vec<String> = queued.jobs().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["p7", "h1", "h2", "z7"]);
    }
}
