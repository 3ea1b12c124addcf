//! The calls, by what they are about. Paths and fields: `docs/channels/whatsapp-gateway.md` of Frontdesk.

pub mod chats;
pub mod contacts;
pub mod sending;
pub mod sessions;

pub use sending::{Card, File, FileKind, Place};
