//! What the figures were measured on: without it they mean nothing to anyone else.

use std::path::Path;
use std::process::Command;

use crate::clock;
use crate::postgres::Postgres;

/// One paragraph: date, machine, databases, program.
pub async fn describe(binary: &Path, folder: &Path, postgres: Option<&Postgres>) -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "an unknown processor".to_owned());
    let memory_kib: f64 = field("/proc/meminfo", "MemTotal")
        .and_then(|value| value.split(' ').next()?.parse().ok())
        .unwrap_or(f64::NAN);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let disk = said("stat", &["-f", "-c", "%T", &folder.display().to_string()]);
    let program = said(&binary.display().to_string(), &["--version"]);
    let postgres = match postgres {
        Some(server) => server.describe().await?,
        None => "no PostgreSQL".to_owned(),
    };
    Ok(format!(
        "{}, {cores} cores of {processor}, {:.0} GiB of memory, Linux {}, {disk}; SQLite {}, {postgres}; {program}. \
         The load generator runs on the same cores. Load average at the start: {load}.",
        clock::today(),
        memory_kib / 1024.0 / 1024.0,
        kernel.trim(),
        rusqlite::version(),
    ))
}

/// The value of the first line `name: value` in a file of `/proc`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map_or_else(|_| "unknown".to_owned(), |done| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
