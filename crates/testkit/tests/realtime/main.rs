//! Live updates over real sockets: the protocol, several nodes on one database, and what must not get lost.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod client;
mod cluster;
mod http_api;
mod node;
mod protocol;
mod signing;
mod tail;
