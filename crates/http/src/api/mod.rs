//! The JSON API: one file per noun, each with its routes, requests, answers and handlers.

pub mod audit;
pub mod channels;
pub mod inboxes;
pub mod session;
pub mod tokens;
pub mod users;
