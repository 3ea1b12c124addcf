//! What conversations, people and messages of Chatwoot are called here.
//!
//! Chatwoot counts them. A bare number would be found in anything that is searched for it, so what stands for a person or a
//! thread says what it is.

use frontdesk_model::RemoteId;
use frontdesk_model::contact::{Identity, IdentityKind};

/// The attribute of a message of ours by which it is known when it comes back.
pub const REFERENCE: &str = "frontdesk_ref";

const THREAD: &str = "chatwoot-conversation-";

/// What a conversation is called, by the number that Chatwoot's addresses show.
pub fn thread(conversation: i64) -> String {
    format!("{THREAD}{conversation}")
}

/// The number of a conversation, from what it is called.
pub fn conversation_of(thread: &str) -> Option<i64> {
    thread.strip_prefix(THREAD)?.parse().ok()
}

/// What a person is called; `external_id` tells several Chatwoots apart.
pub fn identity(external_id: &str) -> Identity {
    Identity::new(IdentityKind::Chatwoot, format!("chatwoot-contact-{external_id}"))
}

/// What a message is called. Its number is its own in the whole of a Chatwoot.
pub fn message(id: i64) -> RemoteId {
    RemoteId(id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_found_by_what_it_is_called() {
        assert_eq!(conversation_of(&thread(123)), Some(123));
        for other in ["123", "chatwoot-conversation-", "chatwoot-conversation-x", "chatwoot-contact-1"] {
            assert_eq!(conversation_of(other), None, "{other}");
        }
    }
}
