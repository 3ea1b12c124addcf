//! The door: every route, the live socket, the embedded web inbox.
//!
//! Read [`mod@router`] first. To add an endpoint: a handler with `#[utoipa::path]` in the file of its noun under
//! [`api`], named in that file's `routes()`. Who may call it stands in its `security` and in the extractor it takes
//! ([`auth`]); a test walks [`router::endpoints`] and checks that both say the same.

pub mod address;
pub mod api;
pub mod auth;
pub mod error;
mod headers;
mod health;
pub mod input;
pub mod openapi;
pub mod paging;
pub mod rate;
pub mod router;
mod short_paths;
mod socket;
mod socket_threads;
pub mod state;
mod totals;
mod trace;
mod web_app;
mod webhooks;

pub use router::router;
pub use state::{HttpSettings, HttpState};
