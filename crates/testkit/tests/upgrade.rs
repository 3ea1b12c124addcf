//! A database of an earlier version becomes the newest with every row, and a program of before works on meanwhile.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use frontdesk_store::{LATEST_SCHEMA, transfer};
use frontdesk_testkit::database::{TestDatabase, databases_without_schema};
use frontdesk_testkit::size;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::{Value, json};

/// The schema of the first version, which never changes any more.
const FIRST: [(&str, &str); 2] = [
    ("sqlite", include_str!("../../store/src/migrations/sqlite/0001_start.sql")),
    ("postgres", include_str!("../../store/src/migrations/postgres/0001_start.sql")),
];

/// What it is filled with; the tool that kills upgrades fills its own with it too.
const FILL: &str = include_str!("../../torture/src/first_version.sql");

/// Messages in the database: few in the tests of every day. `UPGRADE_MESSAGES=1000000` for as many as one likes.
fn messages() -> i64 {
    std::env::var("UPGRADE_MESSAGES").map_or(size::pick(2_000, 100_000), |number| number.parse().unwrap())
}

async fn of_the_first_version(database: &TestDatabase, messages: i64) {
    let (_, schema) = FIRST.iter().find(|(kind, _)| *kind == database.kind).unwrap();
    database.script(schema).await;
    let contacts = messages / 10;
    let secret = if database.kind == "sqlite" { "x'00ff'" } else { "'\\x00ff'" };
    let fill = FILL
        .replace("{messages}", &messages.to_string())
        .replace("{contacts}", &contacts.to_string())
        .replace("{secret}", secret);
    database.script(&fill).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_first_version_is_the_same_in_the_newest() {
    for database in databases_without_schema().await {
        of_the_first_version(&database, messages()).await;
        let store = &database.store;
        assert_eq!(store.schema_version().await.unwrap(), 1);
        let tables = transfer::tables(store).await.unwrap();
        let before = transfer::fingerprints(store, &tables).await.unwrap();
        let rows: u64 = before.iter().map(|(_, print)| print.rows).sum();
        assert!(rows > u64::try_from(messages()).unwrap() * 2, "{before:?}");
        let done = store.migrate().await.unwrap();
        assert_eq!((done.from, done.to), (1, LATEST_SCHEMA));
        let after = transfer::fingerprints(store, &tables).await.unwrap();
        assert_eq!(after, before, "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_breaks_off_leaves_the_old_schema_and_can_be_made_again() {
    for database in databases_without_schema().await {
        of_the_first_version(&database, 100).await;
        let store = &database.store;
        let tables = transfer::tables(store).await.unwrap();
        let before = transfer::fingerprints(store, &tables).await.unwrap();
        // The last thing that the last migration does fails: what came before it must go too.
        database.script("ALTER TABLE schema_migrations RENAME COLUMN applied_at TO elsewhere").await;
        store.migrate().await.unwrap_err();
        database.script("ALTER TABLE schema_migrations RENAME COLUMN elsewhere TO applied_at").await;
        assert_eq!(store.schema_version().await.unwrap(), 1);
        assert_eq!(transfer::tables(store).await.unwrap(), tables, "{}", database.kind);
        assert_eq!(transfer::fingerprints(store, &tables).await.unwrap(), before);
        store.migrate().await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), LATEST_SCHEMA);
    }
}

/// What a later version may do to the schema while this one runs: add, and nothing else.
const LATER: &str = "
    ALTER TABLE messages ADD COLUMN future TEXT;
    ALTER TABLE conversations ADD COLUMN future BIGINT NOT NULL DEFAULT 7;
    ALTER TABLE outbox ADD COLUMN future BIGINT;
    ALTER TABLE webhook_logs ADD COLUMN future TEXT;
    CREATE TABLE future (account_id BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (account_id, id));
    CREATE INDEX messages_future ON messages (account_id, future);
    INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, '9999_future', 1);";

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_works_on_when_another_has_added_to_the_schema() {
    for stage in Stage::on_all(StageSettings::default()).await {
        // Everything was used before, so that every statement is prepared for the old tables.
        let thread = stage.thread("whatsapp").await;
        stage.arrives(stage.say(&thread, "before").await).await;
        let search = async || {
            let (status, found) = stage.call("GET", "/api/v1/conversations?q=halo", Value::Null).await;
            assert_eq!(status, 200, "{found}");
            found["data"].as_array().unwrap().len()
        };
        assert_eq!(search().await, 1);

        stage.database.script(LATER).await;

        let next = stage.thread("whatsapp").await;
        stage.arrives(stage.say(&next, "after").await).await;
        stage.arrives(stage.say(&thread, "after").await).await;
        until("both are found", || async { (search().await == 2).then_some(()) }).await;
        let change = json!({ "starred": true });
        let path = format!("/api/v1/conversations/{}", thread.id);
        assert_eq!(stage.call("PATCH", &path, change).await.0, 200);
        let (status, events) = stage.call("GET", "/api/v1/events?after=0&limit=500", Value::Null).await;
        assert_eq!(status, 200, "{events}");
        // A start of this version on it would be refused.
        let refused = stage.database.store.migrate().await.unwrap_err();
        assert!(refused.to_string().contains("9999"), "{refused}");
    }
}
