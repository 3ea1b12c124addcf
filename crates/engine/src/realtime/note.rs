//! What nodes tell each other through the `relays` table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hub::Whose;
use super::protocol::Frame;
use crate::chatwoot::Tag;

/// Something one node tells the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Send this frame to a channel.
    Frame {
        /// The channel.
        channel: String,
        /// The whole frame.
        frame: String,
        /// The socket that must not get it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        except: Option<String>,
    },
    /// Close sockets.
    Terminate(Whose),
    /// A socket was authenticated by another node than the one that holds it.
    Remember {
        /// The socket.
        socket_id: String,
        /// As whom.
        whose: Vec<Whose>,
    },
    /// How many sockets of yours listen on the channels that start with `prefix`?
    Ask {
        /// Returned with the answer.
        question: String,
        /// Of the names.
        prefix: String,
    },
    /// The answer of one node.
    Answer {
        /// Which.
        question: String,
        /// Sockets by channel.
        channels: BTreeMap<String, usize>,
    },
    /// What is kept of this in Chatwoot no longer holds.
    Chatwoot(Tag),
}

impl Note {
    /// A frame for a channel.
    pub fn frame(channel: &str, frame: &Frame, except: Option<&str>) -> Self {
        Self::Frame {
            channel: channel.to_owned(),
            frame: String::from_utf8_lossy(frame).into_owned(),
            except: except.map(str::to_owned),
        }
    }

    /// The text of [`Note::frame`] as it is stored.
    pub fn text_of_frame(channel: &str, frame: &Frame) -> String {
        // Text in, text out: this cannot fail, and nodes pass over what they do not understand.
        serde_json::to_string(&Self::frame(channel, frame, None)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::protocol;

    #[test]
    fn what_no_longer_holds_is_named_in_words_that_stay() {
        for (tag, text) in [
            (Tag::Conversation(12), r#"{"chatwoot":{"tag":"conversation","id":12}}"#),
            (Tag::Account, r#"{"chatwoot":{"tag":"account"}}"#),
            (Tag::All, r#"{"chatwoot":{"tag":"all"}}"#),
        ] {
            let note = Note::Chatwoot(tag);
            assert_eq!(serde_json::to_string(&note).unwrap(), text);
            assert_eq!(serde_json::from_str::<Note>(text).unwrap(), note);
        }
    }

    #[test]
    fn a_note_reads_back_as_it_was_written() {
        let frame = protocol::event("x", "private-a", "{\"text\":\"ünïcode \\u0000\"}");
        let text = Note::text_of_frame("private-a", &frame);
        assert!(!text.contains('\0'), "PostgreSQL keeps no NUL");
        assert_eq!(serde_json::from_str::<Note>(&text).unwrap(), Note::frame("private-a", &frame, None));
    }
}
