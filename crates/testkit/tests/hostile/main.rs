//! Whoever sends whatever: refused with a sentence, or kept; never a 5xx, never a word in another's inbox.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod door;
mod injections;
mod malformed;
mod replays;
mod routes;
mod signatures;
mod sizes;
mod tenants;
mod writes;
