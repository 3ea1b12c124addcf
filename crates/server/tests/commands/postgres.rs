//! The commands on PostgreSQL, when `TEST_DATABASE_URL` names a server.

use serde_json::Value;

use crate::program::Place;

/// A schema of its own on the server: as good as a database of its own.
pub async fn make_schema(server: &str, name: &str) -> String {
    let schema = format!("commands_{name}_{}", std::process::id());
    let config: tokio_postgres::Config = server.parse().unwrap();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client
        .batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"))
        .await
        .unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    format!("{server}{separator}options=-csearch_path%3D{schema}")
}

/// A connection of the test's own.
pub async fn client(url: &str) -> tokio_postgres::Client {
    let config: tokio_postgres::Config = url.parse().unwrap();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn commands_work_on_postgresql_and_backups_are_left_to_its_own_tools() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
        assert!(std::env::var_os("CI").is_none(), "TEST_DATABASE_URL must be set in CI");
        return;
    };
    let mut place = Place::new();
    place.set("DATABASE_URL", &make_schema(&server, "all").await);
    place.add_admin();
    place.get(&["token", "create", "--email", "ada@example.org"]);
    let report: Value = place.get_json(&["doctor", "--json", "--offline"]);
    let complaints: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|f| f["level"] == "fail").collect();
    assert!(complaints.is_empty(), "{complaints:#?}");

    let mut serving = place.serve();
    serving.stop();
    for command in ["backup", "restore"] {
        let refused = place.run(&[command, "copy.db"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("pg_dump"), "{}", refused.stderr);
    }
}
