//! Typed client and webhook types for Meta's Graph API: WhatsApp Cloud, Messenger, Instagram.

pub mod signature;
pub mod webhook;

pub use signature::{SIGNATURE_HEADER, verify_signature, verify_subscription};
