//! The client over real HTTP against the fake Chatwoot of the sandbox.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cached;
mod contacts;
mod conversations;
mod directory;
mod faults;
mod messages;
mod stage;
mod webhooks;
