//! The documents name files that exist: a map that lies is worse than none.

use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 12] = [
    "ARCHITECTURE.md",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "crates/README.md",
    "docs/operations.md",
    "docs/api.md",
    "docs/reliability.md",
    "docs/security.md",
    "docs/scale.md",
    "docs/monitoring.md",
    "deploy/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Targets of links to files, as written.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.map(|target| target.split_once('#').map_or(target, |(file, _)| file)).collect()
}

/// Paths within the project that stand in `code`, whole or from a crate's name on (`engine/vault.rs`).
fn paths(text: &str) -> Vec<&str> {
    let code = text.split('`').skip(1).step_by(2);
    code.filter(|word| word.contains('/') && !word.contains([' ', '<', '…', '*', '{', ':', '=']))
        .filter(|word| word.ends_with(".rs") || word.ends_with(".md") || word.starts_with("crates/"))
        .collect()
}

fn exists(path: &str) -> bool {
    let in_crate = |start: &str| {
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        [format!("{start}/{name}/{rest}"), format!("{start}/{name}/src/{rest}")]
            .iter()
            .any(|p| root().join(p).exists())
    };
    root().join(path).exists() || in_crate("crates") || in_crate("crates/clients")
}

#[test]
fn every_file_that_a_document_names_exists() {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let folder = root().join(document).parent().unwrap().to_owned();
        let links = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        let paths = paths(&text).into_iter().filter(|path| !exists(path));
        missing.extend(links.chain(paths).map(|name| format!("{document}: {name}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_walk_is_complete_enough_to_be_followed() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let walk = text.split("### ").nth(1).unwrap();
    let named = paths(walk);
    assert!(named.len() >= 8, "{named:?}");
    assert!(text.contains("`crates/channels/src/registry.rs`"));
}
