//! The inbox as programs and pages use it: what seed 002 documents, field by field, and the machine's side of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contacts;
mod desk;
mod detail;
mod list;
mod media;
mod operations;
mod reply;
mod search;
