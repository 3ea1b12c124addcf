//! Linked phones: WhatsApp accounts on phones that a business links to its own server, by scanning what that shows.
//!
//! A server opens a websocket at `/phones/socket` and says hello: with the key that links it to a phone, or without one, and
//! then it is shown codes to scan. [`phone`] is a phone and what it keeps for the linked server; [`socket`] the connection,
//! [`calls`] what is asked over it, [`events`] what is told, each by a number and again until it is acknowledged.
//!
//! A phone is an inbox of channel `linked_whatsapp`: `account_id` and `display_phone_number` are its number. It is steered by
//! `/control/linked`: scan, type a code, go offline, get banned, log out.

pub(crate) mod calls;
pub(crate) mod events;
pub mod phone;
pub(crate) mod socket;

use axum::Router;
use axum::routing::get;

use crate::sandbox::Sandbox;
pub use phone::{LinkedPhone, LinkedWorld};

/// Everything below `/phones`.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new().route("/socket", get(socket::open)).with_state(sandbox)
}
