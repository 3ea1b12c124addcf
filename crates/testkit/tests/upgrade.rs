//! A database of an earlier version becomes the newest with every row, and a program of before works on meanwhile.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use frontdesk_store::{LATEST_SCHEMA, transfer};
use frontdesk_testkit::database::{TestDatabase, databases_without_schema};
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::{Value, json};

/// The schema of the first version, which never changes any more.
const FIRST: [(&str, &str); 2] = [
    ("sqlite", include_str!("../../store/src/migrations/sqlite/0001_start.sql")),
    ("postgres", include_str!("../../store/src/migrations/postgres/0001_start.sql")),
];

/// Messages in the database: few in the tests of every day. `UPGRADE_MESSAGES=100000` for a large one.
fn messages() -> i64 {
    std::env::var("UPGRADE_MESSAGES").map_or(2_000, |number| number.parse().unwrap())
}

async fn of_the_first_version(database: &TestDatabase, messages: i64) {
    let (_, schema) = FIRST.iter().find(|(kind, _)| *kind == database.kind).unwrap();
    database.script(schema).await;
    let contacts = messages / 10;
    let secret = if database.kind == "sqlite" { "x'00ff'" } else { "'\\x00ff'" };
    database
        .script(&format!(
            "CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL);
             INSERT INTO schema_migrations VALUES (1, '0001_start', 1);
             INSERT INTO accounts (id, name, event_seq, realtime_app_id, realtime_key, realtime_secret, created_at)
                VALUES (1, 'Hotel', {messages}, 'a', 'k', {secret}, 1);
             INSERT INTO inboxes (id, account_id, channel, name, route_key, settings, secrets, state_code, state_message,
                    state_since, created_at, updated_at)
                VALUES (1, 1, 'messenger', 'Page', '1', '{{}}', {secret}, 'connected', '', 1, 1, 1);
             INSERT INTO contacts (id, account_id, name, phone, search_text, created_at, updated_at)
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {contacts})
                SELECT i, 1, 'Zoë ' || i, '+62813' || i, 'zoe ' || i, i, i FROM n;
             INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at)
                SELECT 1, 'phone', phone, id, 1 FROM contacts;
             INSERT INTO conversations (id, account_id, inbox_id, contact_id, thread, status, last_message_at, created_at,
                    updated_at)
                SELECT id, 1, 1, id, phone, 'active', id, 1, 1 FROM contacts;
             INSERT INTO messages (account_id, inbox_id, conversation_id, contact_id, direction, sender_type, kind, content,
                    remote_id, status, status_rank, sent_at, created_at, updated_at)
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {messages})
                SELECT 1, 1, 1 + i % {contacts}, 1 + i % {contacts}, 'inbound', 'customer', 'text',
                    'Is room ' || i || ' free? 你好', 'mid.' || i, 'delivered', 4, i, i, i FROM n;
             INSERT INTO events (account_id, seq, kind, conversation_id, message_id, created_at)
                SELECT 1, id, 'message_received', conversation_id, id, 1 FROM messages;
             INSERT INTO webhook_logs (account_id, door, body_hash, body, state, created_at)
                VALUES (1, 'meta', {secret}, {secret}, 'applied', 1);"
        ))
        .await;
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
