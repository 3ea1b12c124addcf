//! Everything moves from one database to another and is the same there.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::postgres::{client, make_schema};
use crate::program::{Place, Serving, cookie_of, request};

/// Later than any test, so that no worker takes a made-up row for work.
const FAR: i64 = 4_000_000_000_000;

/// A demo that has run: customers, conversations, files, sealed credentials. Then a row for every table that is still
/// empty, made from its columns, so that a table of tomorrow is in it too.
fn filled() -> (Place, String) {
    let mut place = Place::new();
    let mut demo = place.start(&["demo", "--listen", "127.0.0.1:0"]);
    let password = demo.wait_for_line("Password:");
    let database = Connection::open(place.database()).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    demo.until("six conversations with their files", || {
        count("SELECT COUNT(*) FROM conversations") == 6
            && count("SELECT COUNT(*) FROM attachments WHERE state = 'ready'") > 0
            && count("SELECT COUNT(*) FROM attachments WHERE state = 'pending'") == 0
            && count("SELECT COUNT(*) FROM outbox") == 0
    });
    demo.stop();
    let mut tables = database
        .prepare(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
             AND name NOT LIKE 'sqlite_%' AND name NOT IN ('schema_migrations', 'messages_fts_progress', 'media_chunks')",
        )
        .unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        if count(&format!("SELECT COUNT(*) FROM {table}")) == 0 {
            fill(&database, &table);
        }
    }
    (place, password)
}

fn fill(database: &Connection, table: &str) {
    let mut columns = database.prepare("SELECT name, type FROM pragma_table_xinfo (?1)").unwrap();
    let columns: Vec<(String, String)> = columns
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    for number in 1..=2 {
        let values = columns.iter().map(|(name, kind)| match (table, name.as_str(), kind.as_str()) {
            ("outbox", "state", _) => "'queued'".to_owned(),
            ("nodes", "seen_at", _) => "1".to_owned(),
            // One row for each account.
            ("crm_settings" | "suggest_progress" | "suggest_settings", "account_id", _) => {
                (900 + number).to_string()
            }
            (_, "account_id", _) => "1".to_owned(),
            (_, name, "BIGINT" | "INTEGER")
                if name.ends_with("_at") || name.contains("until") || name == "window_start" =>
            {
                FAR.to_string()
            }
            (_, _, "BIGINT" | "INTEGER") => (900 + number).to_string(),
            (_, _, "DOUBLE PRECISION") => format!("{number}.5"),
            (_, _, "BOOLEAN") => (number - 1).to_string(),
            (_, _, "BLOB") => format!("x'00ff0{number}'"),
            (_, name, "TEXT") => format!("'{name} {number}: žluťoučký kůň 你好 🦓 ''\"\\'"),
            (_, name, kind) => panic!("{table}.{name} is {kind}: say here what to put in"),
        });
        let values: Vec<String> = values.collect();
        let (names, values) = (names.join(", "), values.join(", "));
        database.execute(&format!("INSERT INTO {table} ({names}) VALUES ({values})"), []).unwrap();
    }
}

fn url_of(place: &Place) -> String {
    format!("sqlite://{}", place.database().display())
}

fn search(serving: &Serving, cookie: &str, word: &str) -> usize {
    let (head, body) = request(serving, "GET", &format!("/api/v1/conversations?q={word}"), cookie, "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head} {body}");
    serde_json::from_str::<Value>(&body).unwrap()["data"].as_array().unwrap().len()
}

fn sign_in(serving: &Serving, password: &str) -> String {
    let login = json!({ "email": "ada@example.org", "password": password }).to_string();
    let (head, _) = request(serving, "POST", "/api/v1/session", "", &login);
    cookie_of(&head)
}

/// A customer writes a word that nobody wrote before.
fn receive(place: &Place, serving: &Serving, word: &str) {
    let inboxes = place.get_json(&["inbox", "list", "--json"]);
    let whatsapp = inboxes.as_array().unwrap().iter().find(|i| i["channel"] == "whatsapp_cloud").unwrap();
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
        "field": "messages", "value": { "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "1", "phone_number_id": whatsapp["settings"]["phone_number_id"] },
            "contacts": [{ "wa_id": "6281390045512", "profile": { "name": "Sri" } }],
            "messages": [{ "from": "6281390045512", "id": format!("wamid.{word}"), "timestamp": "1793260800",
                "type": "text", "text": { "body": word } }] } }] }] });
    let header = "x\r\nAuthorization: Bearer relayed";
    let answer = request(serving, "POST", "/api/webhooks/messages", header, &body.to_string());
    assert!(answer.0.starts_with("HTTP/1.1 200"), "{answer:?}");
}

/// Where the page would fetch the file of some message.
fn address_of_a_file(database: &Connection, serving: &Serving, cookie: &str) -> String {
    let sql = "SELECT m.conversation_id FROM attachments a JOIN messages m ON m.id = a.message_id WHERE a.state = 'ready'";
    let conversation: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let (_, body) = request(serving, "GET", &path, cookie, "");
    let (_, rest) = body.split_once("/media/").unwrap();
    format!("/media/{}", rest.split('"').next().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_postgresql_and_back_whole() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
        assert!(std::env::var_os("CI").is_none(), "TEST_DATABASE_URL must be set in CI");
        return;
    };
    let target = make_schema(&server, "move").await;
    let (mut place, password) = filled();
    let source = url_of(&place);
    let before = Connection::open(place.database()).unwrap();
    let number = |sql: &str| before.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let (last_message, last_event) =
        (number("SELECT MAX(id) FROM messages"), number("SELECT event_seq FROM accounts WHERE id = 1"));

    // Not while anybody may write.
    let mut serving = place.serve();
    let refused = place.run(&["migrate-database", &source, &target]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("a server is running"), "{}", refused.stderr);
    serving.stop();
    before.execute("INSERT INTO nodes VALUES ('elsewhere', ?1, ?1)", [FAR]).unwrap();
    let refused = place.run(&["migrate-database", &source, &target]);
    assert!(refused.stderr.contains("stop every node first"), "{}", refused.stderr);
    before.execute("UPDATE nodes SET seen_at = 1", []).unwrap();
    // The server carried out what was noted to be erased.
    if number("SELECT COUNT(*) FROM erasures") == 0 {
        fill(&before, "erasures");
    }

    // Not with another key, and not from a schema that this program would have to change first.
    place.set("FRONTDESK_SECRET_KEY", &"ab".repeat(32));
    let refused = place.run(&["migrate-database", &source, &target]);
    assert!(refused.stderr.contains("the secret key is not the one"), "{}", refused.stderr);
    place.unset("FRONTDESK_SECRET_KEY");
    before.execute("INSERT INTO schema_migrations VALUES (9999, '9999_future', 0)", []).unwrap();
    let refused = place.run(&["migrate-database", &source, &target]);
    assert!(refused.stderr.contains("schema 9999"), "{}", refused.stderr);
    before.execute("DELETE FROM schema_migrations WHERE number = 9999", []).unwrap();
    let latest = number("SELECT MAX(number) FROM schema_migrations");
    before.execute("UPDATE schema_migrations SET number = number - 100", []).unwrap();
    let refused = place.run(&["migrate-database", &source, &target]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("frontdesk migrate"), "{}", refused.stderr);
    before.execute("UPDATE schema_migrations SET number = number + 100", []).unwrap();
    assert_eq!(number("SELECT MAX(number) FROM schema_migrations"), latest);

    // Broken off in the middle of the rows: the target stays empty, and the next try goes through.
    place.set("DATABASE_URL", &target);
    place.get(&["migrate"]);
    place.unset("DATABASE_URL");
    let mut beside = client(&target).await;
    let blocking = beside.transaction().await.unwrap();
    blocking.batch_execute("LOCK TABLE messages IN EXCLUSIVE MODE").await.unwrap();
    let broken = place.run(&["migrate-database", &source, &target]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stderr.contains("as empty as before"), "{}", broken.stderr);
    blocking.rollback().await.unwrap();
    let one = async |sql: &str| beside.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
    assert_eq!(one("SELECT COUNT(*) FROM contacts").await, 0);

    let printed = place.get(&["migrate-database", &source, &target]);
    assert!(printed.contains("messages  ") && !printed.contains("DIFFERENT"), "{printed}");
    let tables = printed.lines().filter(|line| line.ends_with("same")).count();
    assert!(tables > 20 && !printed.contains("  0  "), "{printed}");
    assert!(printed.contains("files are kept in the database"), "{printed}");
    let files = number(
        "SELECT COUNT(DISTINCT storage_key) FROM attachments WHERE storage_key NOT LIKE 'storage_key%'",
    );
    assert_eq!(one("SELECT COUNT(DISTINCT storage_key) FROM media_chunks").await, files);
    let again = place.run(&["migrate-database", &source, &target]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("the target is not empty"), "{}", again.stderr);

    // The server goes on there: people sign in and search, the next message has the next number.
    place.set("DATABASE_URL", &target).set("WHATSAPP_WEBHOOK_TOKEN", "relayed");
    std::fs::rename(place.data().join("media"), place.path("elsewhere")).unwrap();
    let mut serving = place.serve();
    let cookie = sign_in(&serving, &password);
    let word: String = before
        .query_row("SELECT content FROM messages WHERE direction = 'inbound' AND kind = 'text' AND length(content) > 8 LIMIT 1", [], |row| row.get(0))
        .unwrap();
    let word = word.split(|c: char| !c.is_ascii_alphabetic()).find(|w| w.len() > 3).unwrap().to_owned();
    assert!(search(&serving, &cookie, &word) > 0, "{word}");
    receive(&place, &serving, "wolkenkratzer");
    assert_eq!(one("SELECT MAX(id) FROM messages").await, last_message + 1);
    let numbered = async || one("SELECT event_seq FROM accounts WHERE id = 1").await > last_event;
    serving.until("the new event has its number, which it gets after the commit", || {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(numbered()))
    });
    assert_eq!(one("SELECT COUNT(*) - COUNT(DISTINCT seq) FROM events WHERE account_id = 1").await, 0);
    assert_eq!(search(&serving, &cookie, "wolkenkratzer"), 1);
    let path = address_of_a_file(&before, &serving, &cookie);
    let (head, _) = request(&serving, "GET", &path, &cookie, "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serving.stop();

    // And back, with what came meanwhile.
    place.unset("DATABASE_URL");
    let home = format!("sqlite://{}", place.path("home/frontdesk.db").display());
    let printed = place.get(&["migrate-database", &target, &home]);
    assert!(!printed.contains("DIFFERENT") && printed.contains("files are kept in /"), "{printed}");
    place.set("DATABASE_URL", &home);
    let mut serving = place.serve();
    let cookie = sign_in(&serving, &password);
    assert_eq!(search(&serving, &cookie, "wolkenkratzer"), 1);
    serving.stop();
}

#[test]
fn what_cannot_be_moved_is_refused_with_a_word_on_what_to_do() {
    let place = Place::new();
    let to = format!("sqlite://{}", place.path("new.db").display());
    let nowhere = place.run(&["migrate-database", &url_of(&place), &to]);
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.stderr.contains("there is no database at"), "{}", nowhere.stderr);
    assert!(!place.database().exists(), "looking for it must not make it");
    place.add_admin();
    let source = url_of(&place);
    let same = place.run(&["migrate-database", &source, &source]);
    assert_eq!(same.code, Some(2), "{same:?}");
    let foreign = Connection::open(place.path("foreign.db")).unwrap();
    foreign.execute("CREATE TABLE t (x VARCHAR(3))", []).unwrap();
    let refused = place.run(&[
        "migrate-database",
        &source,
        &format!("sqlite://{}", place.path("foreign.db").display()),
    ]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("no database of Frontdesk"), "{}", refused.stderr);
    // From file to file it works too.
    assert!(place.get(&["migrate-database", &source, &to]).contains("users"));
}
