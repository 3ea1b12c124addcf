//! The thread with a contact in one inbox.

use serde::Serialize;
use utoipa::ToSchema;

use crate::Timestamp;
use crate::capabilities::ReplyWindow;

crate::words! {
    /// Whether a conversation wants attention.
    pub enum ConversationStatus {
        /// Open: replies possible.
        Active = "active",
        /// Put away but replies possible.
        Archived = "archived",
        /// Finished: no replies until reopened; a message of the customer reopens it.
        Closed = "closed",
    }
}

/// Whether free text may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
#[schema(as = ReplyWindow)]
pub enum WindowState {
    /// The channel has no window.
    None {
        /// Always absent.
        #[schema(value_type = Option<String>, format = DateTime, required = true)]
        expires_at: Option<Timestamp>,
    },
    /// Free text is possible until the given moment.
    Open {
        /// When it closes.
        #[schema(value_type = Option<String>, format = DateTime, required = true)]
        expires_at: Option<Timestamp>,
    },
    /// Only what the channel allows outside the window.
    Closed {
        /// When it closed; absent when the customer never wrote.
        #[schema(value_type = Option<String>, format = DateTime, required = true)]
        expires_at: Option<Timestamp>,
    },
}

impl WindowState {
    /// The state at `now` for a customer whose newest message is of `last_inbound_at`.
    pub fn at(window: Option<ReplyWindow>, last_inbound_at: Option<Timestamp>, now: Timestamp) -> Self {
        let Some(window) = window else { return Self::None { expires_at: None } };
        let expires_at = last_inbound_at.map(|at| at.plus_ms(window.duration_ms));
        match expires_at {
            Some(end) if end > now => Self::Open { expires_at },
            _ => Self::Closed { expires_at },
        }
    }

    /// True when free text may be sent.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_closes_exactly_when_its_time_is_over() {
        let day = Some(ReplyWindow { duration_ms: 86_400_000, extended_ms: None });
        let wrote = Timestamp::from_secs(1_000_000);
        let at = |secs: i64| WindowState::at(day, Some(wrote), Timestamp::from_secs(1_000_000 + secs));
        assert!(at(86_399).is_open());
        assert!(!at(86_400).is_open());
        assert!(!WindowState::at(day, None, wrote).is_open());
        assert!(WindowState::at(None, None, wrote).is_open());
    }
}
