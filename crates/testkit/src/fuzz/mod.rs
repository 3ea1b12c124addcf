//! What every reader of outside bytes has to hold, whatever the bytes: one function per reader.
//!
//! `fuzz/` lets libFuzzer invent the bytes; `tests/fuzz_seeds.rs` gives the same functions the recorded bodies, the
//! seeds under `fuzz/seeds` and whatever once broke one. To add a reader: a function here, its line in [`TARGETS`], a
//! file in `fuzz/fuzz_targets` with its `[[bin]]`, and a folder of seeds; a test fails until all four are there.

#![expect(clippy::unwrap_used, reason = "a broken promise is a failed test")]

mod answers;
mod desk;
mod doors;
mod names;
mod sockets;

use std::sync::OnceLock;

use crate::server::TestServer;

/// Feeds bytes to a reader and panics when it does not keep its promises.
pub type Target = fn(&[u8]);

/// Every reader by the name of its fuzz target.
pub const TARGETS: [(&str, Target); 12] = [
    ("webhook", doors::webhook),
    ("signature", doors::signature),
    ("challenge", doors::challenge),
    ("pusher_frame", sockets::frame),
    ("pusher_request", sockets::request),
    ("cursor", names::cursor),
    ("phone", names::phone),
    ("address", names::address),
    ("media", names::media),
    ("search", desk::search),
    ("http_request", desk::request),
    ("provider_error", answers::error),
];

/// Feeds bytes to the target of this name.
///
/// # Panics
/// When there is none of this name, or the reader breaks a promise.
pub fn feed(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(n, _)| *n == name).unwrap().1;
    target(bytes);
}

/// The servers of the targets that need one, made once.
struct Stage {
    runtime: tokio::runtime::Runtime,
    servers: Vec<TestServer>,
    token: String,
}

/// One runtime and a server on every database, with every recorded message on it.
fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (servers, token) = runtime.block_on(async {
            let servers = TestServer::on_all(crate::meta::settings()).await;
            let mut token = String::new();
            for server in &servers {
                server.connect_all().await;
                for fixture in crate::meta::fixtures() {
                    server.webhook(fixture.body).send().await;
                }
                token = server.admin_token().await;
            }
            (servers, token)
        });
        Stage { runtime, servers, token }
    })
}

/// The bytes in front of the first line feed, and those behind it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|b| *b == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}
