//! The calls of [`crate::ChatwootClient`], by noun.

pub mod contacts;
pub mod conversations;
pub mod directory;
pub mod files;
pub mod messages;
