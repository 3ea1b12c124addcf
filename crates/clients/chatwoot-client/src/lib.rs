//! Typed, cached client and webhook types for Chatwoot's Application API.
//!
//! | file | what it is for |
//! |---|---|
//! | [`client`] | the client of one account; the calls are below [`calls`] |
//! | [`cached`] | the same reads, kept: stale while fetched anew, one request for many who ask, invalidation |
//! | [`model`] | what Chatwoot knows, as it writes it |
//! | [`webhook`], [`event`] | whether a webhook is genuine, and what it says |
//! | [`error`] | what went wrong, in ten codes |
//! | [`health`] | health and figures |
//! | [`envelope`] | one unwrap for the five shapes of answers |
//! | [`settings`], [`endpoints`] | settings, and the environment's names for them |
//!
//! **Chatwoot has no idempotency keys**, so nothing that creates is repeated blindly: see
//! [`ChatwootClient::create_message`]. **Its webhooks come once or never**: reconcile with
//! [`ChatwootClient::conversations_updated_within`] and [`calls::messages::MessageQuery::after`].

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

pub mod cached;
pub mod calls;
pub mod client;
pub mod endpoints;
pub mod envelope;
pub mod error;
pub mod event;
pub mod filter;
pub mod health;
pub mod model;
mod sanitise;
pub mod settings;
pub mod time;
mod tolerant;
pub mod webhook;

pub use cached::{CacheStats, CachedChatwoot, Tag};
pub use calls::{
    contacts::ContactQuery,
    conversations::{Assigned, ConversationQuery},
    files::Upload,
    messages::MessageQuery,
};
pub use client::ChatwootClient;
pub use envelope::Page;
pub use error::{ChatwootError, ErrorCode};
pub use event::{Event, WebhookEvent};
pub use filter::Filter;
pub use health::{Health, Stats};
pub use model::*;
pub use settings::{CacheSettings, ChatwootSettings, SettingsError, WebhookSettings};
pub use time::Timestamp;
pub use webhook::{WebhookRejection, WebhookVerifier};
