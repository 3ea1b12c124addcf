//! Typed client and webhook types for Green API (WhatsApp): many instances, one connection pool.
//!
//! | file | what it is for |
//! |---|---|
//! | [`webhook`] | what Green API posts to us or hands out by polling, every kind |
//! | [`authorization`] | whether a webhook is genuine |
//! | [`instance`] | one instance: id, token, hosts, limits; [`pool`]: many of them over one HTTP stack |
//! | [`client`] | the client of one instance; the calls are below [`methods`] |
//! | [`method`] | every method as data: verb, host, class of limits, whether it may be repeated |
//! | [`error`], [`decision`] | what went wrong, and what to do about it |
//! | [`chat_id`] | persons, groups and private ids |
//!
//! **The token is part of every address** (`…/waInstance{id}/{method}/{token}`). No error, no `Debug` and no log line of
//! this crate and of the stack below it shows an address; a test sends one through every kind of failure and looks.
//!
//! **A send is not a delivery.** An answer to a send means that Green API queued it; what became of it comes as
//! [`webhook::Event::Status`]. And a send without an answer may have been queued: [`GreenCallError::certain`].

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

pub mod authorization;
pub mod chat_id;
pub mod client;
pub mod decision;
pub mod error;
pub mod instance;
pub mod method;
pub mod methods;
pub mod pool;
pub mod webhook;

pub use authorization::{SIGNATURE_HEADERS, verify_signature, verify_token};
pub use chat_id::{ChatId, ChatKind, NotAPhone};
pub use client::{GREEN_API_BASE_URL, GreenClient};
pub use decision::{Decision, Retry, Scope, decide};
pub use error::{GreenCallError, Refusal, RefusalKind};
pub use instance::{Instance, InstanceLimits, InstanceState};
pub use method::{Class, Method};
pub use pool::InstancePool;
