//! Typed client and webhook types for WhatsApp session gateways: one session of one server per client.
//!
//! | file | what it is for |
//! |---|---|
//! | [`client`] | the client of one session; the calls are in [`calls`] |
//! | [`access`] | how the server knows us: a token, or an e-mail and password that tokens are had for |
//! | [`answer`] | what the server answers, read in any of the ways it is written |
//! | [`error`] | what went wrong, and whether a message may have gone out |
//! | [`webhook`] | what the server posts to us |
//! | [`signature`] | whether a webhook is genuine |
//!
//! **A send is not a delivery.** Its answer means that the server took the message; what became of it comes as
//! [`webhook::Event::Status`]. A send without an answer may have gone out: [`GatewayCallError::certain`]. Every send carries an
//! `Idempotency-Key`; a server that says so ([`answer::Session::idempotent_sends`]) sends a key it knows no second time.

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

pub mod access;
pub mod answer;
pub mod calls;
pub mod client;
pub mod error;
pub mod signature;
mod tolerant;
pub mod webhook;

pub use access::Access;
pub use client::{GatewayClient, provider_settings};
pub use error::{GatewayCallError, Refusal, RefusalKind};
