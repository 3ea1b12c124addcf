//! The native driver against a WhatsApp of our own: no network, no phone. What only WhatsApp's real servers do (limits, bans, their
//! moods) is not here; docs/channels/linked-whatsapp.md lists what to try by hand.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod keys;
mod linking;
mod many;
mod media;
mod messages;
mod mock;
mod stage;
mod store;
