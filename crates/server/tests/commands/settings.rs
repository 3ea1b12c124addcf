//! Wrong settings and wrong usage: exit code 2, a sentence on stderr, nothing on stdout, no secret anywhere.

use crate::program::Place;

#[test]
fn wrong_settings_end_with_2_and_a_sentence() {
    let mut place = Place::new();
    std::fs::write(place.path("wrong.toml"), "[outbox]\nconcurency = 4\n").unwrap();
    let ended = place.run(&["serve", "--config", "wrong.toml"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let expected = "frontdesk: wrong.toml: there is no setting called outbox.concurency; did you mean outbox.concurrency?\n";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", expected));

    let ended = place.run(&["migrate", "--config", "missing.toml"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("missing.toml cannot be read\n  because: No such file"),
        "{}",
        ended.stderr
    );

    place.set("FRONTDESK_LISTEN", "everywhere");
    let ended = place.run(&["serve"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.starts_with("frontdesk: FRONTDESK_LISTEN: server.listen must be an address with a port")
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    let place = Place::new();
    for arguments in [
        &["sing"][..],
        &["inbox", "add", "pigeon_post", "--name", "Loft"],
        &["token", "create", "--email", "nobody@example.org"],
        &["replay"],
        &["user", "create", "--email", "a@b.c", "--name", "A"],
    ] {
        let ended = place.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.is_empty());
    }
}

#[test]
fn a_key_that_is_no_key_ends_with_2_and_is_not_shown() {
    let mut place = Place::new();
    place.set("FRONTDESK_SECRET_KEY", "hunter2");
    let ended = place.run(&["serve"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("64 hex digits") && !ended.stderr.contains("hunter2"));
}

#[test]
fn the_version_and_help_go_to_stdout() {
    let place = Place::new();
    let version = place.get(&["--version"]);
    assert_eq!(version, format!("frontdesk {}\n", env!("CARGO_PKG_VERSION")));
    assert!(
        place.get(&["--help"]).contains("Exit codes: 0 done, 2 wrong usage or settings, 1 anything else.")
    );
}
