//! The doctor finds nothing on a sound server and finds each fault put in.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::program::Place;

/// The doctor's exit code and what it found, without asking anybody outside.
fn examine(place: &Place) -> (Option<i32>, Vec<Value>) {
    let ended = place.run(&["doctor", "--json", "--offline"]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
    assert_eq!(report["ok"], ended.code == Some(0));
    (ended.code, report["findings"].as_array().unwrap().clone())
}

fn sound() -> Place {
    let mut place = Place::new();
    place.set("FRONTDESK_PUBLIC_URL", "https://inbox.example.org");
    place
        .set("META_APP_SECRET", "0123456789abcdef0123456789abcdef")
        .set("META_VERIFY_TOKEN", "a word of our choice");
    place.add_admin();
    place.get_with(
        &["inbox", "add", "messenger", "--name", "Page", "--set", "page_id=1042", "--set", "access_token=-"],
        "EAAsecret",
    );
    place
}

/// Puts a fault in and expects the doctor to say so, with advice.
fn expect(level: &str, check: &str, words: &str, fault: impl FnOnce(&mut Place)) {
    let mut place = sound();
    fault(&mut place);
    let (code, findings) = examine(&place);
    let found = findings.iter().find(|f| {
        f["level"] == level && f["check"] == check && f["message"].as_str().unwrap().contains(words)
    });
    let found = found.unwrap_or_else(|| panic!("no {level} {check} {words:?} in {findings:#?}"));
    assert!(!found["action"].as_str().unwrap().is_empty());
    assert_eq!(code, Some(if level == "fail" { 1 } else { 0 }), "{findings:#?}");
    assert!(!Value::from(findings).to_string().contains("EAAsecret"));
}

#[test]
fn a_sound_server_gets_no_complaint() {
    let (code, findings) = examine(&sound());
    assert_eq!(code, Some(0));
    let complaints: Vec<_> = findings.iter().filter(|f| f["level"] != "ok" && f["check"] != "disk").collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    for check in [
        "settings", "key", "folder", "disk", "clock", "database", "users", "media", "webhooks", "realtime",
        "listen", "address",
    ] {
        assert!(findings.iter().any(|f| f["check"] == check), "{check} was not looked at");
    }
}

#[test]
fn a_fresh_machine_is_no_failure() {
    let (code, findings) = examine(&Place::new());
    assert_eq!(code, Some(0), "{findings:#?}");
}

#[test]
fn a_key_that_others_can_read_is_a_failure() {
    expect("fail", "key", "readable by others", |place| {
        let key = place.data().join("secret.key");
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
    });
}

#[test]
fn a_missing_wrong_or_unreadable_key_is_a_failure() {
    expect("fail", "key", "is missing", |place| {
        std::fs::remove_file(place.data().join("secret.key")).unwrap()
    });
    expect("fail", "key", "not the one this database was made with", |place| {
        place.set("FRONTDESK_SECRET_KEY", &"ab".repeat(32));
    });
    expect("fail", "key", "64 hex digits", |place| {
        std::fs::write(place.data().join("secret.key"), "short").unwrap();
    });
}

#[test]
fn a_damaged_or_newer_database_is_a_failure() {
    expect("fail", "database", "frontdesk.db", |place| {
        place.get(&["backup", "copy.db"]);
        let mut bytes = std::fs::read(place.path("copy.db")).unwrap();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xa5);
        let _ = std::fs::remove_file(place.data().join("frontdesk.db-wal"));
        std::fs::write(place.database(), bytes).unwrap();
    });
    expect("fail", "database", "schema 9999", |place| {
        let database = rusqlite::Connection::open(place.database()).unwrap();
        database.execute("INSERT INTO schema_migrations VALUES (9999, '9999_future', 0)", []).unwrap();
    });
    expect("fail", "database", "cannot be reached", |place| {
        place.set("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    });
}

#[test]
fn webhooks_that_would_be_refused_are_a_failure() {
    expect("fail", "webhooks", "no app secret is set", |place| {
        place.set("META_APP_SECRET", "");
    });
    expect("warn", "webhooks", "no verify token is set", |place| {
        place.set("META_VERIFY_TOKEN", "");
    });
    expect("warn", "webhooks", "can be guessed", |place| {
        place.set("META_VERIFY_TOKEN", "hi");
    });
}

#[test]
fn an_address_that_providers_cannot_use_is_told() {
    expect("warn", "address", "this machine or network only", |place| {
        place.set("FRONTDESK_PUBLIC_URL", "");
    });
    expect("fail", "address", "is not https", |place| {
        place.set("FRONTDESK_PUBLIC_URL", "http://inbox.example.org");
    });
}

#[test]
fn an_open_public_channel_a_misspelt_variable_and_a_missing_admin_are_told() {
    expect("warn", "realtime", "realtime.public_inbox is open", |place| {
        place.set("FRONTDESK_REALTIME_PUBLIC_INBOX", "open");
    });
    expect("warn", "settings", "FRONTDESK_OUTBOX_LEASE ", |place| {
        place.set("FRONTDESK_OUTBOX_LEASE", "1");
    });
    expect("warn", "users", "no administrator", |place| {
        let database = rusqlite::Connection::open(place.database()).unwrap();
        database.execute("UPDATE users SET role = 'agent'", []).unwrap();
    });
}

#[test]
fn an_inbox_whose_provider_does_not_answer_is_a_failure() {
    let mut place = sound();
    place
        .set("META_GRAPH_URL", "http://127.0.0.1:1")
        .set("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1");
    place.set("FRONTDESK_PUBLIC_URL", "http://127.0.0.1:1");
    let ended = place.run(&["doctor"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("FAIL  inboxes     Page (messenger 1): "), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("warn  reach       http://127.0.0.1:1/healthz does not answer"),
        "{}",
        ended.stdout
    );
}

/// Answers every request with these lines, on a port of its own.
fn answering(lines: &'static str) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]); // whatever is asked
            let _ = stream.write_all(lines.as_bytes());
        }
    });
    address.to_string()
}

/// What only questions to others find: `faults` are (level, check, words, variables).
#[test]
fn what_others_tell_is_found_too() {
    let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let of_1999 = "HTTP/1.1 200 OK\r\nDate: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let expired = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 110\r\nConnection: close\r\n\r\n\
        {\"error\":{\"message\":\"Session has expired\",\"type\":\"OAuthException\",\"code\":190,\"error_subcode\":463,\"x\":\"12345\"}}";
    assert_eq!(expired.split("\r\n\r\n").nth(1).unwrap().len(), 110);
    let url = |lines| format!("http://{}", answering(lines));
    let faults = [
        ("fail", "reach", "answers 404", "FRONTDESK_PUBLIC_URL", url(gone)),
        ("fail", "clock", "s from the provider's", "META_GRAPH_URL", url(of_1999)),
        ("fail", "inboxes", "Page (messenger 1)", "META_GRAPH_URL", url(expired)),
        ("fail", "listen", "cannot be listened on", "FRONTDESK_LISTEN", answering(gone)),
    ];
    for (level, check, words, variable, value) in faults {
        let mut place = sound();
        place.set("META_GRAPH_URL", "http://127.0.0.1:1");
        place.set("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1").set(variable, &value);
        let ended = place.run(&["doctor", "--json"]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let told = |f: &&Value| {
            f["level"] == level && f["check"] == check && f["message"].as_str().unwrap().contains(words)
        };
        assert!(findings.iter().any(|f| told(&f)), "no {level} {check} {words:?} in {findings:#?}");
        assert_eq!(ended.code, Some(1));
    }
}

#[test]
fn an_older_schema_a_folder_that_is_none_and_files_elsewhere_are_told() {
    expect("warn", "database", "this program's is", |place| {
        let database = rusqlite::Connection::open(place.database()).unwrap();
        database.execute("DELETE FROM schema_migrations WHERE number > 1", []).unwrap();
    });
    expect("fail", "media", "1 of the newest 1 files are not in", |place| {
        let database = rusqlite::Connection::open(place.database()).unwrap();
        let file = "INSERT INTO attachments (account_id, kind, storage_key, state, created_at)
            VALUES (1, 'image', 'aabb', 'ready', 1)";
        database.execute(file, []).unwrap();
    });
    let mut place = sound();
    std::fs::write(place.path("file"), "").unwrap();
    let file = place.path("file");
    place.set("FRONTDESK_DATA_DIR", file.to_str().unwrap());
    let (code, findings) = examine(&place);
    assert!(findings.iter().any(|f| f["level"] == "fail" && f["check"] == "folder"), "{findings:#?}");
    assert_eq!(code, Some(1));
}

/// `/proc` is there, full, and takes no file from anyone.
#[test]
fn a_folder_that_cannot_be_written_to_and_a_full_disk_are_failures() {
    let mut place = sound();
    place.set("FRONTDESK_DATA_DIR", "/proc");
    let (code, findings) = examine(&place);
    for (check, words) in [("folder", "/proc cannot be written to"), ("disk", "0 MiB free")] {
        let told = |f: &&Value| {
            let message = f["message"].as_str().unwrap();
            f["level"] == "fail" && f["check"] == check && message.contains(words)
        };
        assert!(findings.iter().any(|f| told(&f)), "no {check} in {findings:#?}");
    }
    assert_eq!(code, Some(1));
}

#[test]
fn a_running_server_is_reached_at_its_public_address() {
    let mut place = sound();
    let mut serving = place.serve();
    place.set("FRONTDESK_PUBLIC_URL", &format!("http://{}", serving.address));
    place.set("META_GRAPH_URL", "http://127.0.0.1:1");
    let ended = place.run(&["doctor"]);
    assert!(ended.stdout.contains("/healthz answers"), "{}", ended.stdout);
    serving.stop();
}

#[test]
fn a_chatwoot_that_cannot_work_is_noticed() {
    let connected = |place: &mut Place| {
        place.set("CHATWOOT_URL", "https://chatwoot.example.org").set("CHATWOOT_API_TOKEN", "EAAsecret");
    };
    expect("warn", "chatwoot", "chatwoot.api_token is not set", |place| {
        place.set("CHATWOOT_URL", "https://chatwoot.example.org");
    });
    expect("warn", "chatwoot", "no webhook secret", connected);
    expect("warn", "chatwoot", "can be guessed", |place| {
        connected(place);
        place.set("CHATWOOT_WEBHOOK_SECRET", "short");
    });
    expect("warn", "chatwoot", "any certificate", |place| {
        connected(place);
        place.set("CHATWOOT_VERIFY_SSL", "false");
    });
    expect("fail", "chatwoot", "cannot be called", |place| {
        connected(place);
        place.set("CHATWOOT_URL", "http://10.1.2.3:3000");
    });
}

#[test]
fn a_chatwoot_that_does_not_answer_is_told_from_one_that_refuses() {
    let mut place = sound();
    place
        .set("CHATWOOT_URL", "http://127.0.0.1:1")
        .set("CHATWOOT_API_TOKEN", "EAAsecret")
        .set("CHATWOOT_API_RETRY_ATTEMPTS", "0")
        .set("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1")
        .set("META_GRAPH_URL", "http://127.0.0.1:1");
    let ended = place.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|f| f["check"] == "chatwoot" && f["level"] == "fail").unwrap();
    assert!(found["message"].as_str().unwrap().contains("SERVICE_UNAVAILABLE"), "{found}");
    assert!(found["action"].as_str().unwrap().contains("CHATWOOT_URL"), "{found}");
}
