//! The real program, killed again and again in the middle of its work: what it acknowledged is there, once, and no
//! secret of its owner lies about.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod database;
mod killing;
mod program;
mod traffic;
