//! The door as programs and pages meet it: signing in, users, tokens, inboxes, and every kind of refusal.

mod access;
mod errors;
mod inboxes;
mod limits;
mod page;
mod sessions;
mod tokens;
mod users;
