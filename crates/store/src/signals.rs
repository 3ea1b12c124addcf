//! Waking those who wait for work, after the commit that made it, on every node.

use std::sync::Arc;

use tokio::sync::watch;

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// New events to push.
    Events,
    /// Messages to send.
    Outbox,
    /// Files to fetch.
    Media,
    /// Linked sessions to start, stop or ask something.
    Sessions,
    /// Passing realtime messages of another node.
    Relays,
    /// Inboxes were added, changed or removed, or an account erased messages.
    Inboxes,
    /// Someone's access ended or changed: cached sign-ins and tokens no longer hold.
    Access,
    /// Runs of a sync to carry out, or ended ones.
    Sync,
}

impl Topic {
    /// Every topic, in the order of its bit.
    pub const ALL: [Self; 8] = [
        Self::Events,
        Self::Outbox,
        Self::Media,
        Self::Sessions,
        Self::Relays,
        Self::Inboxes,
        Self::Access,
        Self::Sync,
    ];
}

/// A set of topics, as one byte; also the payload of PostgreSQL's NOTIFY.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TopicSet(u8);

impl TopicSet {
    pub(crate) fn insert(&mut self, topic: Topic) {
        self.0 |= 1 << topic as u8;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Everything: after a lost connection nobody knows what was missed.
    pub(crate) fn all() -> Self {
        Self(u8::MAX)
    }

    fn contains(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u8) != 0
    }
}

/// The bells of one node.
#[derive(Clone)]
pub struct Signals {
    bells: Arc<[watch::Sender<u64>; 8]>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self { bells: Arc::new(std::array::from_fn(|_| watch::Sender::new(0))) }
    }

    /// A receiver that changes whenever there may be work on `topic`. A change is a hint, not a promise.
    pub fn listen(&self, topic: Topic) -> watch::Receiver<u64> {
        self.bells[topic as usize].subscribe()
    }

    pub(crate) fn ring(&self, topics: TopicSet) {
        for topic in Topic::ALL {
            if topics.contains(topic) {
                self.bells[topic as usize].send_modify(|n| *n += 1);
            }
        }
    }
}
