//! What is erased, and what is forgotten after a time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ages;
mod erase;
