//! The `frontdesk` program: settings, wiring, commands.
//!
//! [`settings`] reads what the operator says, [`wiring`] builds a server of it, [`commands`] is the command line.
//! It is a library so that the tests can start the same server within their own process.

mod body_pace;
pub mod commands;
mod data_lock;
mod first_inbox;
mod listener;
mod logging;
pub mod metrics;
mod native;
mod secret_key;
pub mod settings;
mod signals;
mod traces;
pub mod wiring;
