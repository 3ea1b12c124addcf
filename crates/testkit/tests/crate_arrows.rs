//! Who may depend on whom. A new crate or a new arrow is a decision: it needs a line here and an ADR.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Every crate of ours with the crates of ours it may use; ARCHITECTURE.md draws the same.
const ARROWS: [(&str, &[&str]); 18] = [
    // Client crates know nothing of Frontdesk and could be published alone.
    ("provider-http", &[]),
    ("meta-graph-client", &["provider-http"]),
    ("green-api-client", &["provider-http"]),
    ("chatwoot-client", &["provider-http"]),
    ("whatsapp-gateway-client", &["provider-http"]),
    ("model", &[]),
    // Pure: finds answers among answers; whose they are it is told.
    ("suggest", &[]),
    // Pure: how routes are gathered, with or without what describes them.
    ("routes", &[]),
    (
        "channels",
        &[
            "model",
            "provider-http",
            "meta-graph-client",
            "green-api-client",
            "chatwoot-client",
            "whatsapp-gateway-client",
        ],
    ),
    ("store", &["model"]),
    // provider-http for its own outgoing calls: webhooks about alerts. chatwoot-client: sync and bridge do more there than a channel does.
    // suggest: whose pairs it finds answers among, the engine decides.
    ("engine", &["model", "suggest", "store", "channels", "provider-http", "chatwoot-client"]),
    // May read from the store; every write goes through the engine.
    ("http", &["model", "store", "channels", "engine", "routes"]),
    // Stands on the providers' wire types alone: a fake that used our own code would repeat our mistakes.
    ("sandbox", &["provider-http", "meta-graph-client", "routes"]),
    // A driver of a channel, apart for its licence and its size; the binary has it with a feature alone.
    ("whatsapp-native", &["model", "channels"]),
    // The binary wires everything together.
    (
        "server",
        &[
            "model",
            "suggest",
            "store",
            "channels",
            "engine",
            "http",
            "sandbox",
            "provider-http",
            "meta-graph-client",
            "whatsapp-native",
        ],
    ),
    // Knows the program from outside alone: no inside may be measured in its place.
    ("bench", &[]),
    // Looks at the program from outside: processes, HTTP, and the database as a file or server.
    ("torture", &["sandbox"]),
    // The suites stand on top and may look at everything.
    (
        "testkit",
        &[
            "model",
            "store",
            "channels",
            "engine",
            "http",
            "sandbox",
            "server",
            "provider-http",
            "meta-graph-client",
        ],
    ),
];

/// The arrows as cargo sees them, for use and build; those of tests point where they like but not in circles.
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().other_options(["--offline".to_owned()]).exec().unwrap();
    let short = |name: &str| name.strip_prefix("frontdesk-").map(str::to_owned);
    metadata
        .packages
        .iter()
        .map(|package| {
            let name =
                short(&package.name).unwrap_or_else(|| panic!("{} has no frontdesk- name", package.name));
            let used = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .filter_map(|dependency| short(&dependency.name));
            (name, used.collect())
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_only_as_drawn() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let found = arrows();
    for (from, uses) in &found {
        let Some(allowed) = allowed.get(from.as_str()) else {
            panic!("the crate {from} is new: draw its arrows here and in ARCHITECTURE.md, with an ADR");
        };
        for to in uses {
            assert!(allowed.contains(&to.as_str()), "{from} must not depend on {to}");
        }
    }
    for name in allowed.keys() {
        assert!(found.contains_key(*name), "the crate {name} is drawn but does not exist");
    }
}

#[test]
fn only_the_store_and_the_floors_know_a_database_driver() {
    let metadata = MetadataCommand::new().no_deps().other_options(["--offline".to_owned()]).exec().unwrap();
    for package in &metadata.packages {
        for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            let driver =
                ["rusqlite", "tokio-postgres", "deadpool", "deadpool-postgres", "sqlx", "postgres-types"];
            let may = ["frontdesk-store", "frontdesk-testkit", "frontdesk-bench", "frontdesk-torture"]
                .contains(&package.name.as_str());
            assert!(
                may || !driver.contains(&dependency.name.as_str()),
                "{} uses {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn the_native_driver_is_in_no_build_that_does_not_ask_for_it() {
    let metadata = MetadataCommand::new().no_deps().other_options(["--offline".to_owned()]).exec().unwrap();
    let feature = "linked-whatsapp";
    for package in &metadata.packages {
        let asks = package.features.get("default").is_some_and(|on| on.iter().any(|name| name == feature));
        assert!(!asks, "{} has {feature} on by default", package.name);
        for dependency in &package.dependencies {
            let is_test = dependency.kind == DependencyKind::Development;
            if dependency.name == "frontdesk-whatsapp-native" {
                assert!(dependency.optional, "{} always has the native driver", package.name);
            }
            let of_whatsapp = dependency.name == "whatsapp-rust";
            assert!(!of_whatsapp || package.name.as_str() == "frontdesk-whatsapp-native", "{}", package.name);
            let is_dangerous = dependency.features.iter().any(|name| name.starts_with("danger"));
            assert!(is_test || !is_dangerous, "{} trusts a server that nobody vouched for", package.name);
        }
    }
}
