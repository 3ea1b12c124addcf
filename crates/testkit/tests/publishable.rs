//! The client crates know nothing of Frontdesk and could be published: what a registry asks of them is there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

const CLIENTS: [&str; 5] = [
    "frontdesk-provider-http",
    "frontdesk-green-api-client",
    "frontdesk-whatsapp-gateway-client",
    "frontdesk-meta-graph-client",
    "frontdesk-chatwoot-client",
];

fn clients() -> Vec<Package> {
    let metadata = MetadataCommand::new().no_deps().other_options(["--offline".to_owned()]).exec().unwrap();
    let packages = metadata.packages.into_iter();
    let clients: Vec<_> = packages.filter(|package| CLIENTS.contains(&package.name.as_str())).collect();
    assert_eq!(clients.len(), CLIENTS.len());
    clients
}

#[test]
fn clients_say_what_a_registry_asks() {
    for client in clients() {
        let name = &client.name;
        assert_eq!(client.publish, None, "{name} may be published");
        assert!(client.description.is_some() && client.license.is_some(), "{name}");
        assert!(client.repository.is_some(), "{name}");
        assert!(client.readme().is_some_and(|readme| readme.is_file()), "{name} has a README");
        assert!((1..=5).contains(&client.keywords.len()) && !client.categories.is_empty(), "{name}");
        assert!(client.keywords.iter().all(|word| word.len() <= 20), "{name}: {:?}", client.keywords);
        for dependency in client.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            let is_versioned = dependency.req.to_string() != "*";
            assert!(is_versioned, "{name} names {} by path alone", dependency.name);
        }
    }
}

#[test]
fn clients_can_be_packed() {
    for client in clients() {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let packed = Command::new(cargo)
            .args(["package", "--list", "--offline", "--allow-dirty", "--package", client.name.as_str()])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .output()
            .unwrap();
        let files = String::from_utf8(packed.stdout).unwrap();
        assert!(packed.status.success(), "{}: {}", client.name, String::from_utf8_lossy(&packed.stderr));
        for file in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(files.lines().any(|line| line == file), "{}: no {file} in\n{files}", client.name);
        }
    }
}
