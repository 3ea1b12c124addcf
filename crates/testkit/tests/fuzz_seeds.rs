//! What libFuzzer begins with, and what it once found, goes through the same functions here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use frontdesk_testkit::fuzz::{TARGETS, feed};
use frontdesk_testkit::meta::{APP_SECRET, fixtures, sign};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = root().join("seeds").join(target);
    std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn stems(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_reader_has_a_fuzz_target_and_seeds() {
    let named: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&root().join("fuzz_targets")), named);
    assert_eq!(stems(&root().join("seeds")), named);
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for name in &named {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is no [[bin]]");
        let target = root().join("fuzz_targets").join(name).with_extension("rs");
        assert!(std::fs::read_to_string(target).unwrap().contains(&format!("feed(\"{name}\"")), "{name}");
        assert!(!seeds(name).is_empty(), "{name} has no seeds");
    }
}

#[test]
fn every_seed_finds_its_reader_as_promised() {
    for (name, _) in TARGETS {
        for seed in seeds(name) {
            eprintln!("{}", seed.display()); // shown when it fails
            feed(name, &std::fs::read(&seed).unwrap());
        }
    }
}

#[test]
fn every_recorded_body_is_read_as_promised() {
    for fixture in fixtures() {
        feed("webhook", &fixture.body);
        let signature = sign(&fixture.body, APP_SECRET);
        feed("signature", &[signature.as_bytes(), b"\n\n", &fixture.body[..]].concat());
    }
}
