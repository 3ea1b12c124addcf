//! What others run for the same work, where `scripts/bench-peers` installed it.

pub mod node_red;

use std::path::PathBuf;

use tempfile::TempDir;

use crate::bench::Bench;
use crate::process::Process;

/// Another's server that runs.
pub struct Peer {
    /// Where it listens.
    pub address: String,
    /// The process.
    pub process: Process,
    _folder: TempDir,
}

/// Where a peer's program is, when it was installed.
pub fn installed(bench: &Bench, program: impl Fn(&std::path::Path) -> PathBuf) -> Option<PathBuf> {
    bench.peers.as_deref().map(program).filter(|found| found.exists())
}
