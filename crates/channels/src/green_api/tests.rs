//! Every body becomes the events of its snapshot.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::door::GreenDoor;
use crate::contract::{Door, RoutedEvent};

/// The bodies of the client, and those kept here.
fn folders() -> [PathBuf; 2] {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    [here.join("../clients/green-api-client/fixtures"), here.join("src/green_api/fixtures")]
}

fn bodies() -> Vec<(String, Vec<u8>)> {
    let files = folders().into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut bodies: Vec<(String, Vec<u8>)> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    bodies.sort();
    bodies
}

fn events(body: &[u8]) -> Vec<RoutedEvent> {
    GreenDoor.parse(body).unwrap()
}

#[test]
fn every_body_becomes_the_events_of_its_snapshot() {
    let bodies = bodies();
    assert!(bodies.len() >= 39, "{}", bodies.len());
    let names: BTreeSet<&String> = bodies.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), bodies.len(), "a name stands twice");
    for (name, body) in &bodies {
        insta::assert_debug_snapshot!(name.as_str(), events(body));
    }
}

#[test]
fn every_kind_of_notification_and_of_message_has_a_body() {
    let text: String = bodies().iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect();
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    for kind in frontdesk_green_api_client::webhook::KINDS {
        assert!(packed.contains(&format!("\"typeWebhook\":\"{kind}\"")), "{kind}");
    }
    for kind in frontdesk_green_api_client::webhook::MESSAGE_KINDS {
        assert!(packed.contains(&format!("\"typeMessage\":\"{kind}\"")), "{kind}");
    }
}
