//! Typed client and webhook types for Meta's Graph API: WhatsApp Cloud, Messenger, Instagram.
//!
//! | file | what it is for |
//! |---|---|
//! | [`webhook`] | what Meta posts to us, every kind, item by item |
//! | [`signature`] | whether it is genuine; the challenge of a subscription |
//! | [`client`] | the client of one connected account |
//! | [`whatsapp`] | WhatsApp: sending, read marks, numbers, templates |
//! | [`messaging`] | Messenger and Instagram: sending, sender actions, profiles |
//! | [`media`] | files up and down |
//! | [`error`], [`decision`] | what went wrong, and what to do about it |

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

pub mod client;
pub mod decision;
pub mod error;
pub mod media;
pub mod messaging;
pub mod signature;
pub mod webhook;
pub mod whatsapp;

pub use client::{GRAPH_BASE_URL, GRAPH_VERSION, GraphAccount, GraphClient, INSTAGRAM_BASE_URL, Page};
pub use decision::{Decision, Product, Retry, Scope, decide};
pub use error::{GraphCallError, GraphError, Usage};
pub use signature::{SIGNATURE_HEADER, verify_signature, verify_subscription};
