//! Node-RED taking webhooks into SQLite with `synchronous = FULL`: three nodes, as its users put them together. The
//! insert is handed to the function node, because its own SQLite node has to be compiled.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::Peer;
use crate::bench::Bench;
use crate::floors::Floor;
use crate::process::{self, Process};
use crate::webhook;

/// As the table names it.
pub const NAME: &str = "Node-RED 4, SQLite FULL";

/// The file that starts it, below the folder of peers.
pub fn program(peers: &Path) -> std::path::PathBuf {
    peers.join("node-red/node_modules/node-red/red.js")
}

/// Starts it with a database of its own.
pub async fn start(bench: &Bench, program: &Path) -> anyhow::Result<Peer> {
    let folder = TempDir::with_prefix_in("node-red-", &bench.folder)?;
    let address = process::free_address()?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let flow = json!([
        { "id": "t", "type": "tab", "label": "bench" },
        { "id": "in", "z": "t", "type": "http in", "url": Floor::PATH, "method": "post", "skipBodyParsing": true, "wires": [["take"]] },
        { "id": "take", "z": "t", "type": "function", "func": include_str!("node_red/take.js"), "outputs": 1, "wires": [["out"]] },
        { "id": "out", "z": "t", "type": "http response", "wires": [] },
        { "id": "hi", "z": "t", "type": "http in", "url": "/healthz", "method": "get", "wires": [["out"]] },
    ]);
    std::fs::write(folder.path().join("flows.json"), flow.to_string())?;
    std::fs::write(folder.path().join("settings.js"), include_str!("node_red/settings.js"))?;
    let mut command = Command::new("node");
    command
        .arg(program)
        .arg("--userDir")
        .arg(folder.path())
        .arg("--settings")
        .arg(folder.path().join("settings.js"));
    command.arg("flows.json").current_dir(folder.path());
    command.env("BENCH_PORT", port).env("BENCH_SECRET", webhook::SECRET);
    command.env("BENCH_DATABASE", folder.path().join("bench.db"));
    // Settings live elsewhere than the modules they ask for.
    if let Some(modules) = program.parent().and_then(Path::parent) {
        command.env("NODE_PATH", modules);
    }
    let mut process = Process::start(command, "node-red", folder.path())?;
    process.ready(&address, "/healthz").await?;
    Ok(Peer { address, process, _folder: folder })
}
