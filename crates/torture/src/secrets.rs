//! Nothing secret in files, logs or tables; nothing of customers in logs.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::program::{ACCESS_TOKEN, APP_SECRET, PASSWORD, PUSHER_SECRET, VERIFY_TOKEN};
use crate::provider::{MARK, NUMBERS};
use crate::report::Report;
use crate::scene::Scene;

/// Searches everything that a run left behind.
pub async fn search(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let token = scene.agent.token().split_once('|').map_or("", |(_, secret)| secret);
    ensure!(!token.is_empty(), "a token has a secret part");
    let secrets = [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, PASSWORD, PUSHER_SECRET, token];
    let tables = scene.database.everything().await?;
    ensure!(tables.contains(MARK), "the search finds what is there");
    for secret in secrets {
        let found = tables.contains(secret) || tables.contains(&hex::encode(secret));
        report.expect(!found, || format!("{secret} is in the database"));
    }
    for file in files_below(scene.folder.path())? {
        let bytes = std::fs::read(&file)?;
        for secret in secrets {
            report.expect(!contains(&bytes, secret), || format!("{secret} is in {}", file.display()));
        }
    }
    for node in &scene.nodes {
        let log = std::fs::read(node.log())?;
        ensure!(contains(&log, "Ready"), "the log is there");
        for private in [MARK, NUMBERS] {
            let line = log.split(|byte| *byte == b'\n').find(|line| contains(line, private));
            let line = line.map(String::from_utf8_lossy);
            report.expect(line.is_none(), || {
                format!("the log tells of customers: {}", line.unwrap_or_default())
            });
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files_below(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}
