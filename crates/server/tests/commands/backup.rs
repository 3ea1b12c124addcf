//! Backups are taken while the server runs and put in place elsewhere.

use std::sync::mpsc::TryRecvError;

use rusqlite::Connection;
use serde_json::Value;

use crate::program::{Place, files};

fn emails(place: &Place) -> Vec<String> {
    let listed: Value = place.get_json(&["user", "list", "--json"]);
    listed.as_array().unwrap().iter().map(|u| u["email"].as_str().unwrap().to_owned()).collect()
}

/// Rows of the writer, as another process sees them.
fn rows(place: &Place) -> i64 {
    let connection = Connection::open(place.database()).unwrap();
    let count = "SELECT COUNT(*) FROM server_settings WHERE name LIKE 'row %'";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

fn take_key(from: &Place, to: &Place) {
    std::fs::create_dir_all(to.data()).unwrap();
    std::fs::copy(from.data().join("secret.key"), to.data().join("secret.key")).unwrap();
}

#[test]
fn a_backup_taken_while_serving_is_restored_elsewhere() {
    let mut place = Place::new();
    place.add_admin();
    let mut serving = place.serve();
    std::fs::create_dir_all(place.data().join("media/1")).unwrap();
    std::fs::write(place.data().join("media/1/voice"), "voice").unwrap();

    // Somebody keeps writing meanwhile. What was committed before a backup began must be in it.
    let database = place.database();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let connection = Connection::open(database).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        for number in 1.. {
            let name = format!("row {number}");
            connection.execute("INSERT INTO server_settings (name, value) VALUES (?1, '')", [name]).unwrap();
            if matches!(stopped.try_recv(), Err(TryRecvError::Disconnected)) {
                break;
            }
        }
    });
    while rows(&place) == 0 {
        std::thread::yield_now();
    }
    let before_archive = rows(&place);
    let printed = place.get(&["backup", "all.tar"]);
    assert!(printed.starts_with("all.tar ("), "{printed}");
    let before_copy = rows(&place);
    place.get(&["backup", "alone.db"]);
    drop(stop);
    writer.join().unwrap();
    assert!(before_copy > before_archive && rows(&place) > before_copy, "nobody wrote meanwhile");

    let again = place.run(&["backup", "alone.db"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);

    for (file, committed) in [("all.tar", before_archive), ("alone.db", before_copy)] {
        let mut elsewhere = Place::new();
        take_key(&place, &elsewhere);
        let backup = place.path(file);
        elsewhere.get(&["restore", backup.to_str().unwrap()]);
        let restored = Connection::open(elsewhere.database()).unwrap();
        let check: String = restored.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        drop(restored);
        assert!(rows(&elsewhere) >= committed, "{file}");
        assert_eq!(emails(&elsewhere), ["ada@example.org"]);
        let has_media = elsewhere.data().join("media/1/voice").exists();
        assert_eq!(has_media, file == "all.tar");
        elsewhere.serve().stop();
    }
    serving.stop();
}

#[test]
fn a_restore_keeps_what_was_there_and_only_goes_over_it_when_told() {
    let place = Place::new();
    place.add_admin();
    place.get(&["backup", "old.db"]);
    place.get_with(
        &["user", "create", "--email", "ben@example.org", "--name", "Ben", "--password-stdin"],
        "another long password",
    );

    let refused = place.run(&["restore", "old.db"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(emails(&place).len(), 2);

    place.get(&["restore", "old.db", "--force"]);
    assert_eq!(emails(&place), ["ada@example.org"]);
    let kept = files(&place.data());
    assert!(kept.iter().any(|name| name.starts_with("frontdesk.db.before-restore-")), "{kept:?}");
}

#[test]
fn a_restore_waits_for_no_one_while_a_server_runs() {
    let mut place = Place::new();
    place.add_admin();
    place.get(&["backup", "copy.db"]);
    let mut serving = place.serve();
    let refused = place.run(&["restore", "copy.db", "--force"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("a server is running"), "{}", refused.stderr);
    serving.stop();
    place.get(&["restore", "copy.db", "--force"]);
}

#[test]
fn a_damaged_foreign_or_newer_backup_is_refused_and_nothing_is_changed() {
    let place = Place::new();
    place.add_admin();
    place.get(&["backup", "copy.db"]);

    let mut bytes = std::fs::read(place.path("copy.db")).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    std::fs::write(place.path("damaged.db"), bytes).unwrap();
    std::fs::write(place.path("text.db"), "no database").unwrap();
    let foreign = Connection::open(place.path("foreign.db")).unwrap();
    foreign.execute("CREATE TABLE t (x)", []).unwrap();
    std::fs::copy(place.path("copy.db"), place.path("newer.db")).unwrap();
    let newer = Connection::open(place.path("newer.db")).unwrap();
    newer.execute("INSERT INTO schema_migrations VALUES (9999, '9999_future', 0)", []).unwrap();
    drop((foreign, newer));

    for file in ["damaged.db", "text.db", "foreign.db", "newer.db", "nowhere.db"] {
        let refused = place.run(&["restore", file, "--force"]);
        assert_eq!(refused.code, Some(1), "{file}: {refused:?}");
        assert!(refused.stderr.contains(file), "{file}: {}", refused.stderr);
        assert_eq!(emails(&place), ["ada@example.org"], "{file}");
    }
}
