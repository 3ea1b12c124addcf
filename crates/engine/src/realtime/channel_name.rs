//! What the name of a channel says about it.

/// The prefix of the channel that carries events to one signed-in user.
pub const USER_CHANNEL: &str = "#server-to-user-";
/// The public channel of the inbox.
pub const PUBLIC_INBOX: &str = "inbox";
/// The private channel every user of an account may listen on.
pub const PRIVATE_INBOX: &str = "private-inbox";

const MAX_LENGTH: usize = 200;

/// What a channel asks of those who subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// Nothing.
    Public,
    /// A signature.
    Private,
    /// A signature; the data can be read only by those who hold the channel's key.
    Encrypted,
    /// A signature over who one is; the others are told.
    Presence,
    /// To be signed in as the user it belongs to.
    User,
}

impl ChannelKind {
    /// The kind of a channel, by the beginning of its name.
    pub fn of(name: &str) -> Self {
        if name.starts_with("private-encrypted-") {
            Self::Encrypted
        } else if name.starts_with("private-") {
            Self::Private
        } else if name.starts_with("presence-") {
            Self::Presence
        } else if name.starts_with(USER_CHANNEL) {
            Self::User
        } else {
            Self::Public
        }
    }

    /// True when subscribers may send events to each other.
    pub fn takes_client_events(self) -> bool {
        matches!(self, Self::Private | Self::Presence)
    }
}

/// True when a channel keeps its last event for those who come later.
pub fn is_cached(name: &str) -> bool {
    ["cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// True for a name of 1 to 200 of the characters Pusher allows.
pub fn is_valid(name: &str) -> bool {
    let rest = name.strip_prefix(USER_CHANNEL).unwrap_or(name);
    !rest.is_empty()
        && name.len() <= MAX_LENGTH
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-=@,.;".contains(&b))
}

/// The private channel of an account.
pub fn of_account(account: frontdesk_model::AccountId) -> String {
    format!("private-account.{account}")
}

/// The conversation of `presence-conversation.{id}`.
pub fn conversation_of(name: &str) -> Option<frontdesk_model::ConversationId> {
    let id = name.strip_prefix("presence-conversation.")?;
    if !id.bytes().all(|b| b.is_ascii_digit()) || id.starts_with('0') {
        return None;
    }
    id.parse().ok().map(frontdesk_model::ConversationId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_decides_the_kind() {
        let kinds = [
            ("inbox", ChannelKind::Public, false),
            ("cache-prices", ChannelKind::Public, true),
            ("private-inbox", ChannelKind::Private, false),
            ("private-cache-x", ChannelKind::Private, true),
            ("private-encrypted-x", ChannelKind::Encrypted, false),
            ("private-encrypted-cache-x", ChannelKind::Encrypted, true),
            ("presence-room", ChannelKind::Presence, false),
            ("presence-cache-room", ChannelKind::Presence, true),
            ("#server-to-user-7", ChannelKind::User, false),
        ];
        for (name, kind, cached) in kinds {
            assert_eq!((ChannelKind::of(name), is_cached(name)), (kind, cached), "{name}");
            assert!(is_valid(name), "{name}");
        }
    }

    #[test]
    fn names_of_strange_characters_or_lengths_are_refused() {
        let long = "a".repeat(201);
        for name in ["", "a b", "a/b", "#x", "#server-to-user-", "é", "a\n", "a:b", &long] {
            assert!(!is_valid(name), "{name:?}");
        }
        assert!(is_valid(&"a".repeat(200)));
        assert!(is_valid("presence-a_B-1=@,.;"));
    }

    #[test]
    fn only_a_plain_number_names_a_conversation() {
        assert_eq!(conversation_of("presence-conversation.12").map(|c| c.0), Some(12));
        for name in [
            "presence-conversation.",
            "presence-conversation.012",
            "presence-conversation.-1",
            "presence-conversation.1.2",
            "private-conversation.1",
            "presence-conversation.99999999999999999999",
        ] {
            assert_eq!(conversation_of(name), None, "{name}");
        }
    }
}
