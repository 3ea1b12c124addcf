//! Phones linked to the server itself, by the simulated driver and the sandbox's phones.

#![expect(clippy::unwrap_used, reason = "a test")]

mod chain;
mod crowd;
mod ladder;
mod life;
mod messages;
mod phones;
mod tokens;
