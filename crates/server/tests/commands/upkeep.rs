//! Users, tokens, inboxes, schema.

use serde_json::json;

use crate::program::Place;

#[test]
fn users_are_added_listed_and_refused() {
    let place = Place::new();
    place.add_admin();
    let create = [
        "user",
        "create",
        "--email",
        "Ben@Example.org",
        "--name",
        "Ben",
        "--role",
        "agent",
        "--password-stdin",
    ];
    assert_eq!(place.get_with(&create, "another long password\n"), "2\n");
    let twice = place.run_with(&create, "another long password\n");
    assert_eq!(twice.code, Some(2));
    assert!(twice.stderr.contains("email: The email has already been taken."), "{}", twice.stderr);
    let short = place.run_with(
        &["user", "create", "--email", "eve@example.org", "--name", "Eve", "--password-stdin"],
        "short",
    );
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(short.stderr.contains("password: "), "{}", short.stderr);

    place.get(&["user", "disable", "--email", "ben@example.org"]);
    let listed = place.get_json(&["user", "list", "--json"]);
    let shown: Vec<_> =
        listed.as_array().unwrap().iter().map(|u| (&u["email"], &u["role"], &u["disabled"])).collect();
    assert_eq!(
        json!(shown),
        json!([["ada@example.org", "admin", false], ["ben@example.org", "agent", true]])
    );
    let last = place.run(&["user", "disable", "--email", "ada@example.org"]);
    assert_eq!(last.code, Some(2));
    assert!(last.stderr.contains("The last administrator cannot be disabled."), "{}", last.stderr);
}

#[test]
fn a_token_is_printed_alone_and_can_be_revoked() {
    let place = Place::new();
    place.add_admin();
    let printed = place.get(&[
        "token",
        "create",
        "--email",
        "ada@example.org",
        "--name",
        "CI",
        "--ability",
        "inbox:read",
    ]);
    let (id, secret) = printed.strip_suffix('\n').unwrap().split_once('|').unwrap();
    assert!(secret.len() >= 40 && secret.chars().all(|c| c.is_ascii_alphanumeric()), "{printed:?}");
    let listed = place.get_json(&["token", "list", "--json"]);
    assert_eq!(listed[0]["abilities"], json!(["inbox:read"]));
    assert!(!listed.to_string().contains(secret));

    place.get(&["token", "revoke", "--id", id]);
    assert_eq!(place.get_json(&["token", "list", "--json"]), json!([]));
    assert_eq!(place.run(&["token", "revoke", "--id", id]).code, Some(2));
    let wrong = place.run(&["token", "create", "--email", "ada@example.org", "--ability", "everything"]);
    assert_eq!(wrong.code, Some(2));
}

#[test]
fn an_inbox_is_added_with_secrets_from_file_and_stdin_and_never_shows_them() {
    let mut place = Place::new();
    place.set("FRONTDESK_PUBLIC_URL", "https://inbox.example.org/");
    std::fs::write(place.path("token.txt"), "EAAsecretfromfile\n").unwrap();
    let added = place.get_json(&[
        "inbox",
        "add",
        "whatsapp_cloud",
        "--name",
        "Front office",
        "--set",
        "phone_number_id=108144372211905",
        "--set",
        "business_account_id=215589313241560883",
        "--set",
        "access_token=@token.txt",
    ]);
    assert_eq!(added["webhook_url"], "https://inbox.example.org/api/webhooks/messages");
    assert_eq!(added["settings"]["phone_number_id"], "108144372211905");
    let second = place.get_with(
        &["inbox", "add", "messenger", "--name", "Page", "--set", "page_id=1042", "--set", "access_token=-"],
        "EAAsecretfromstdin\n",
    );
    assert!(second.contains("\"channel\": \"messenger\""));
    let listed = place.get(&["inbox", "list", "--json"]);
    assert!(listed.contains("Front office") && !listed.contains("EAAsecret"), "{listed}");

    // At rest either: neither database nor log hold the words.
    for file in crate::program::files(&place.data()) {
        let bytes = std::fs::read(place.data().join(&file)).unwrap();
        assert!(!bytes.windows(9).any(|part| part == b"EAAsecret"), "{file} holds a secret");
    }

    let twice = place.run_with(
        &["inbox", "add", "messenger", "--name", "Again", "--set", "page_id=1042", "--set", "access_token=-"],
        "EAAother",
    );
    assert_eq!(twice.code, Some(2), "{twice:?}");
    assert!(twice.stderr.contains("already connected") && !twice.stderr.contains("EAAother"));
    let missing = place.run(&["inbox", "add", "messenger", "--name", "Page", "--set", "page_id=1043"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("access_token field is required"), "{}", missing.stderr);

    let fields = place.get_json(&["inbox", "fields", "whatsapp_cloud", "--json"]);
    let token = fields["fields"].as_array().unwrap().iter().find(|f| f["key"] == "access_token").unwrap();
    assert_eq!((&token["secret"], &token["required"]), (&json!(true), &json!(true)));
}

#[test]
fn migrating_twice_changes_nothing_and_a_newer_schema_is_refused() {
    let place = Place::new();
    assert!(place.get(&["migrate"]).starts_with("schema 0 -> "));
    assert!(place.get(&["migrate"]).contains("nothing to do"));
    let database = rusqlite::Connection::open(place.database()).unwrap();
    database.execute("INSERT INTO schema_migrations VALUES (9999, '9999_future', 0)", []).unwrap();
    drop(database);
    for arguments in [&["migrate"][..], &["serve"], &["user", "list"]] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("the database has schema 9999"), "{}", ended.stderr);
    }
}

#[test]
fn a_database_is_not_opened_with_another_key() {
    let mut place = Place::new();
    place.add_admin();
    place.set("FRONTDESK_SECRET_KEY", &"ab".repeat(32));
    let ended = place.run(&["user", "list"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("the secret key is not the one this database was made with"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_webhook_log_entry_that_does_not_exist_is_not_replayed() {
    let place = Place::new();
    let ended = place.run(&["replay", "--id", "7"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("the webhook log has no entry 7"), "{}", ended.stderr);
    assert_eq!(place.get_json(&["replay", "--failed"]), json!({ "applied": 0, "remaining": 0 }));
}
