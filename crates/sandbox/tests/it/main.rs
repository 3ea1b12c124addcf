//! The sandbox over real HTTP: a business that calls it and receives its webhooks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod stage;

mod chatwoot;
mod control;
mod faults;
mod green;
mod load;
mod media;
mod messenger;
mod webhooks;
mod whatsapp_refusals;
mod whatsapp_send;
mod whatsapp_write;
