//! Both databases have the same schema and understand every statement.

use std::collections::BTreeSet;

use frontdesk_store::{LATEST_SCHEMA, StoreError, Topic, Tx, statements};
use frontdesk_testkit::database::databases;
use rusqlite::config::DbConfig;
use rusqlite::types::Null;
use rusqlite::{Connection, params_from_iter};

#[tokio::test]
async fn every_statement_can_be_prepared_on_both_databases() {
    for database in databases().await {
        let mut refused = Vec::new();
        for (file, name, statement) in statements() {
            if let Err(error) = database.store.check_statement(statement).await {
                refused.push(format!("{file}::{name} on {}: {error:?}", database.kind));
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}

/// Tables with a row for each thing that ever happened.
const GROWING: [&str; 12] = [
    "messages",
    "message_edits",
    "conversations",
    "contacts",
    "contact_identities",
    "webhook_logs",
    "events",
    "deliveries",
    "attachments",
    "audit_entries",
    "webhook_sends",
    "webhook_attempts",
];

/// Statements that begin at one end all the same: they stop after a few rows, or run once an hour at most.
const READ_WHOLE: [&str; 5] = [
    "attachments::DISCARD_UNSENT",
    "audit::DELETE_OLDEST",
    "erasures::OLDEST",
    "webhook_logs::DELETE_OLDEST",
    "webhook_logs::OLDEST",
];

#[tokio::test]
async fn no_statement_reads_a_growing_table_from_end_to_end() {
    let databases = databases().await;
    let file = databases.iter().find_map(|database| database.store.sqlite_file()).unwrap();
    let connection = Connection::open(file).unwrap();
    // Of these the planner knows how many rows there are, and takes tables that it has always seen empty for larger ones.
    connection.execute_batch("ANALYZE").unwrap();
    for table in GROWING {
        let known =
            "INSERT INTO sqlite_stat1 SELECT tbl_name, name, iif(sql LIKE '% WHERE %', '20', '100000') ||
                rtrim(replace(hex(zeroblob((SELECT COUNT(*) - 1 FROM pragma_index_info(name)))), '00', ' 2000')) || ' 1'
             FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1";
        connection.execute(known, [table]).unwrap();
    }
    let connection = Connection::open(file).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    let mut indexes =
        connection.prepare("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE % WHERE %'").unwrap();
    let partial: Vec<String> = indexes.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = BTreeSet::new();
    for (file, name, statement) in statements() {
        let sql = statement.for_sqlite().replace('\n', " ");
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nothing = vec![Null; plan.parameter_count()];
        let steps = plan.query_map(params_from_iter(nothing), |row| row.get::<_, String>(3)).unwrap();
        for step in steps.map(Result::unwrap) {
            let Some(scan) = step.strip_prefix("SCAN ") else { continue };
            // An index of some rows only is read from one end when its rows are what is asked for.
            if partial.iter().any(|index| scan.ends_with(&format!("INDEX {index}"))) {
                continue;
            }
            let scanned = scan.split(' ').next().unwrap();
            let grows = |table: &str| scanned == table || sql.contains(&format!("{table} {scanned} "));
            if GROWING.into_iter().any(grows) {
                found.insert(format!("{file}::{name}"));
            }
        }
    }
    let known: BTreeSet<String> = READ_WHOLE.map(str::to_owned).into();
    assert_eq!(found, known);
}

/// What is run for each message that comes in; RETURNING and lists in a CHECK would make a table each time.
const FOR_EACH_MESSAGE: [&str; 6] = [
    "conversations::INSERT_MANY",
    "conversations::RECORD_INBOUND_MANY",
    "events::INSERT_MANY",
    "events::TAKE_NUMBERS",
    "messages::INSERT_MANY",
    "webhook_logs::KEEP_APPLIED_MANY",
];

#[tokio::test]
async fn sqlite_makes_no_table_to_store_a_message() {
    let databases = databases().await;
    let file = databases.iter().find_map(|database| database.store.sqlite_file()).unwrap();
    let connection = Connection::open(file).unwrap();
    let mut looked_at = BTreeSet::new();
    for (file, name, statement) in statements() {
        let called = format!("{file}::{name}");
        if FOR_EACH_MESSAGE.contains(&called.as_str()) {
            let mut program = connection.prepare(&format!("EXPLAIN {}", statement.for_sqlite())).unwrap();
            let nothing = vec![Null; program.parameter_count()];
            let steps = program.query_map(params_from_iter(nothing), |row| row.get::<_, String>(1)).unwrap();
            let tables = steps.map(Result::unwrap).filter(|step| step == "OpenEphemeral").count();
            assert_eq!(tables, 0, "{called}");
            looked_at.insert(called);
        }
    }
    assert_eq!(looked_at, FOR_EACH_MESSAGE.map(str::to_owned).into());
}

#[tokio::test]
async fn sqlite_refuses_words_that_no_column_knows() {
    let databases = databases().await;
    let file = databases.iter().find_map(|database| database.store.sqlite_file()).unwrap();
    let connection = Connection::open(file).unwrap();
    let insert =
        "INSERT INTO webhook_logs (account_id, door, body, state, created_at) VALUES (1, 'x', x'00', ?1, 1)";
    for state in ["pending", "applied", "failed", "unrouted", "unreadable"] {
        connection.execute(insert, [state]).unwrap();
    }
    assert!(connection.execute(insert, ["lost"]).unwrap_err().to_string().contains("CHECK"));
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    for database in databases().await {
        let again = database.store.migrate().await.unwrap();
        assert_eq!((again.from, again.to), (LATEST_SCHEMA, LATEST_SCHEMA), "{}", database.kind);
        assert!(again.applied.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_plans_for_what_is_there_seconds_after_the_first_rows() {
    const KNOWN: &str = "SELECT reltuples::BIGINT FROM pg_class WHERE oid = 'contacts'::REGCLASS";
    for database in databases().await.into_iter().filter(|database| database.kind == "postgres") {
        let rows = "INSERT INTO contacts (account_id, created_at, updated_at) SELECT 1, n, n FROM generate_series(1, 2000) n";
        database.script(rows).await;
        let began = std::time::Instant::now();
        while database.number(KNOWN).await < 2_000 {
            // Sooner than PostgreSQL looks by itself.
            assert!(began.elapsed() < std::time::Duration::from_secs(30), "nobody looked at the table");
            let something_happens = |tx: &mut Tx<'_>| {
                tx.signal(Topic::Events);
                Ok::<_, StoreError>(())
            };
            database.store.write(something_happens).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}
