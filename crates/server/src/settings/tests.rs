use std::io::Write;

use frontdesk_engine::chatwoot::settings::ChatwootSettings as ChatwootClientSettings;
use frontdesk_engine::settings::EngineSettings;

use super::layers::{EXAMPLE, Layers};
use super::*;

fn load(file: &str, environment: &Environment) -> Result<Settings, SettingsError> {
    let mut written = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    written.write_all(file.as_bytes()).unwrap();
    Settings::load(Some(written.path()), environment)
}

/// The error's text, with the file's name shortened.
fn refusal(file: &str, environment: &Environment) -> String {
    let text = load(file, environment).unwrap_err().to_string();
    match text.split_once(".toml") {
        Some((_, rest)) => format!("file{rest}"),
        None => text,
    }
}

fn defaults() -> Settings {
    Settings::load(None, &Environment::default()).unwrap()
}

/// `deny_unknown_fields` and the absence of `serde(default)` make this fail when either side has a setting more.
#[test]
fn the_example_and_the_structs_have_the_same_settings() {
    let settings = defaults();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    for path in Layers::defaults().unwrap().keys() {
        let mut without: toml::Table = EXAMPLE.parse().unwrap();
        let (section, key) = path.rsplit_once('.').unwrap();
        let section =
            section.split('.').fold(&mut without, |table, part| table[part].as_table_mut().unwrap());
        section.remove(key).unwrap();
        let read = Settings::deserialize(toml::Value::Table(without));
        assert!(read.is_err(), "{path} is optional: the struct must not have a default of its own");
    }
}

#[test]
fn every_setting_of_the_example_is_explained() {
    let mut explained = false;
    for line in EXAMPLE.lines() {
        let is_setting = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_setting || explained, "no comment above: {line}");
        // Settings that belong together may share one explanation.
        explained = line.starts_with('#') || (is_setting && explained);
    }
}

#[test]
fn the_engines_own_defaults_are_those_of_the_example() {
    assert_eq!(format!("{:?}", defaults().for_engine()), format!("{:?}", EngineSettings::default()));
}

#[test]
fn a_file_overrides_the_defaults_and_the_environment_both() {
    let file = "[realtime.limits]\nmax_frame_bytes = 2048\n[outbox]\nconcurrency = 4\njitter = 0\n[server]\nlisten = \"127.0.0.1:9000\"";
    let environment = Environment::of([
        ("FRONTDESK_LISTEN", "127.0.0.1:9001"),
        ("FRONTDESK_OUTBOX_RETRY_LADDER_MS", "10, 20"),
        ("META_APP_SECRET", "one,two"),
        ("FRONTDESK_DATA_DIR", "/var/lib/frontdesk"),
        ("FRONTDESK_REALTIME_LIMITS_MAX_PRESENCE_MEMBERS", "7"),
        ("DATABASE_URL", ""),
    ]);
    let settings = load(file, &environment).unwrap();
    assert_eq!(settings.outbox.concurrency, 4);
    assert_eq!(settings.outbox.retry_ladder_ms, [10, 20]);
    let limits = &settings.realtime.limits;
    assert_eq!(
        (limits.max_frame_bytes, limits.max_presence_members, limits.pong_timeout_secs),
        (2048, 7, 30)
    );
    assert_eq!(settings.public_url(), "http://127.0.0.1:9001");
    assert_eq!(settings.for_engine().doors.meta_app_secrets, ["one", "two"]);
    assert_eq!(settings.database_url(), "sqlite:///var/lib/frontdesk/frontdesk.db");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    let none = Environment::default();
    for (file, message) in [
        (
            "[outbox]\nconcurency = 4",
            "file: there is no setting called outbox.concurency; did you mean outbox.concurrency?",
        ),
        ("listen = \"x\"", "file: there is no setting called listen; did you mean server.listen?"),
        (
            "[server]\ndata_dir = \"x\"",
            "file: there is no setting called server.data_dir; did you mean storage.data_dir?",
        ),
        ("[zzz]\nqqq = 1", "file: there is no setting called zzz.qqq"),
        ("[zzz]", "file: there is no setting called zzz"),
        (
            "[realtime.limits]\nmax_frame_byte = 1",
            "file: there is no setting called realtime.limits.max_frame_byte; did you mean realtime.limits.max_frame_bytes?",
        ),
        (
            "[outbox.lease_ms]\nx = 1",
            "file: there is no setting called outbox.lease_ms.x; did you mean outbox.lease_ms?",
        ),
        ("realtime = 1", "file: realtime must be a section, but it is 1"),
    ] {
        assert_eq!(refusal(file, &none), message);
    }
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_is_expected() {
    let none = Environment::default();
    for (file, message) in [
        (
            "[outbox]\nconcurrency = \"many\"",
            "file: outbox.concurrency must be a whole number, but it is \"many\"",
        ),
        (
            "[outbox]\nconcurrency = 0",
            "file: outbox.concurrency must be a whole number from 1 to 10000, but it is 0",
        ),
        (
            "[outbox]\nconcurrency = -1",
            "file: outbox.concurrency must be a whole number of at least 0 and not absurdly large, but it is -1",
        ),
        ("[outbox]\njitter = 7.5", "file: outbox.jitter must be a number from 0 to 1, but it is 7.5"),
        (
            "[server]\nlisten = \"here\"",
            "file: server.listen must be an address with a port, as 127.0.0.1:8080, but it is \"here\"",
        ),
        (
            "[server]\npublic_url = \"ftp://x\"",
            "file: server.public_url must be an http or https address, as https://inbox.example.org, but it is \"ftp://x\"",
        ),
        (
            "[realtime]\npublic_inbox = \"all\"",
            "file: realtime.public_inbox must be off, signed_in or open, but it is \"all\"",
        ),
        (
            "[meta]\napp_secrets = \"s3cret\"",
            "file: meta.app_secrets must be a list of texts, but it is text",
        ),
        (
            "[meta]\napp_secrets = [1]",
            "file: meta.app_secrets must be a list of texts, but it is a list of whole numbers",
        ),
        (
            "[meta]\napp_secrets = [\"s3cret",
            "file, line 2: this is not valid TOML: unclosed array, expected `]`",
        ),
    ] {
        assert_eq!(refusal(file, &none), message);
    }
    let environment = Environment::of([("FRONTDESK_OUTBOX_LEASE_MS", "soon")]);
    let error = Settings::load(None, &environment).unwrap_err().to_string();
    assert_eq!(
        error,
        "FRONTDESK_OUTBOX_LEASE_MS: outbox.lease_ms must be a whole number, but it is \"soon\""
    );
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_two_places() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"from a file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let mut environment = Environment::of([("META_APP_SECRET_FILE", path)]);
    let settings = Settings::load(None, &environment).unwrap();
    assert_eq!(settings.for_engine().doors.meta_app_secrets, ["from a file"]);

    environment.set("META_APP_SECRET", "directly");
    let error = Settings::load(None, &environment).unwrap_err().to_string();
    assert_eq!(error, "META_APP_SECRET and META_APP_SECRET_FILE set the same thing: unset one of them");

    let missing = Environment::of([("META_VERIFY_TOKEN_FILE", "/nowhere/token")]);
    let error = Settings::load(None, &missing).unwrap_err().to_string();
    assert_eq!(error, "META_VERIFY_TOKEN_FILE names /nowhere/token, which cannot be read");
}

#[test]
fn no_secret_is_shown() {
    let environment = Environment::of([
        ("DATABASE_URL", "postgres://user:hunter2@db/frontdesk"),
        ("FRONTDESK_SECRET_KEY", "hunter2"),
        ("META_APP_SECRET", "hunter2"),
        ("META_VERIFY_TOKEN", "hunter2"),
        ("WHATSAPP_WEBHOOK_TOKEN", "hunter2"),
        ("PUSHER_APP_SECRET", "hunter2"),
        ("CHATWOOT_URL", "https://chatwoot.test"),
        ("CHATWOOT_API_TOKEN", "hunter2"),
        ("CHATWOOT_WEBHOOK_SECRET", "hunter2"),
    ]);
    let settings = Settings::load(None, &environment).unwrap();
    let shown = format!("{settings:?} {:?}", settings.for_engine());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_misspelt_variable_is_noticed() {
    let environment = Environment::of([
        ("FRONTDESK_OUTBOX_LEASE", "1"),
        ("FRONTDESK_LISTEN", "127.0.0.1:1"),
        ("FRONTDESK_CONFIG", "x"),
        ("FRONTDESK_SECRET_KEY_FILE", "x"),
        ("FRONTDESK_META_APP_SECRETS_FILE", "x"),
    ]);
    let keys: Vec<String> = Layers::defaults().unwrap().keys().collect();
    assert_eq!(environment.unknown(keys.iter().map(String::as_str)), ["FRONTDESK_OUTBOX_LEASE"]);
}

/// The variables of the guide for Laravel, with its defaults.
#[test]
fn chatwoot_is_told_what_its_own_variables_say() {
    let needed = [("CHATWOOT_URL", "https://chatwoot.test"), ("CHATWOOT_API_TOKEN", "t")];
    let client = |more: &[(&str, &str)]| {
        let mut environment = Environment::of(needed);
        more.iter().for_each(|(name, value)| environment.set(name, value));
        Settings::load(None, &environment).unwrap().for_engine().chatwoot.unwrap()
    };
    let theirs = |more: &[(&str, &str)]| {
        ChatwootClientSettings::from_lookup(|name| {
            let found = needed.iter().chain(more).find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .unwrap()
    };
    let others = [
        ("CHATWOOT_ACCOUNT_ID", "7"),
        ("CHATWOOT_API_TIMEOUT", "4"),
        ("CHATWOOT_API_RETRY_ATTEMPTS", "1"),
        ("CHATWOOT_API_RETRY_DELAY", "250"),
        ("CHATWOOT_CACHE_CONVERSATION_TTL", "1"),
        ("CHATWOOT_CACHE_MESSAGES_TTL", "2"),
        ("CHATWOOT_CACHE_CONTACT_TTL", "3"),
        ("CHATWOOT_CACHE_ACCOUNT_TTL", "4"),
        ("CHATWOOT_VERIFY_SSL", "false"),
        ("CHATWOOT_USER_AGENT", "me/1"),
        ("CHATWOOT_MAX_REDIRECTS", "0"),
        ("CHATWOOT_WEBHOOK_SECRET", "one, two"),
        ("CHATWOOT_WEBHOOK_TIMESTAMP_ENABLED", "false"),
        ("WEBHOOK_MAX_PAYLOAD_SIZE", "2048"),
        ("WEBHOOK_TIMESTAMP_TOLERANCE", "8"),
        ("WEBHOOK_IDEMPOTENCY_TTL", "7"),
        ("CHATWOOT_CONVERSATIONS_ENDPOINT", "/a"),
        ("CHATWOOT_MESSAGES_ENDPOINT", "/b"),
        ("CHATWOOT_CONTACTS_ENDPOINT", "/c"),
        ("CHATWOOT_ACCOUNTS_ENDPOINT", "/d"),
    ];
    // The client reads the same names by itself: both have to come to the same.
    for variables in [&[][..], &others[..]] {
        let (ours, theirs) = (client(variables), theirs(variables));
        assert_eq!((ours.base_url, ours.account_id), (theirs.base_url, theirs.account_id));
        assert_eq!(ours.api_token.expose_secret(), theirs.api_token.expose_secret());
        assert_eq!((ours.read_timeout, ours.write_timeout), (theirs.read_timeout, theirs.write_timeout));
        assert_eq!((ours.retry_attempts, ours.retry_delay), (theirs.retry_attempts, theirs.retry_delay));
        assert_eq!((ours.requests_per_minute, ours.cache), (theirs.requests_per_minute, theirs.cache));
        assert_eq!((ours.verify_ssl, ours.user_agent), (theirs.verify_ssl, theirs.user_agent));
        assert_eq!((ours.max_redirects, ours.endpoints), (theirs.max_redirects, theirs.endpoints));
        let (ours, theirs) = (ours.webhook, theirs.webhook);
        assert_eq!(exposed_texts(&ours.secrets), exposed_texts(&theirs.secrets));
        assert_eq!(
            (ours.timestamp_enabled, ours.timestamp_tolerance, ours.max_payload_size, ours.idempotency_ttl),
            (
                theirs.timestamp_enabled,
                theirs.timestamp_tolerance,
                theirs.max_payload_size,
                theirs.idempotency_ttl
            )
        );
    }
}

fn exposed_texts(secrets: &[SecretString]) -> Vec<&str> {
    secrets.iter().map(ExposeSecret::expose_secret).collect()
}

#[test]
fn who_says_how_often_green_api_is_asked_again_means_messages_too() {
    let brief = |variables: &[(&str, &str)]| {
        let mut environment = Environment::default();
        for (name, value) in variables {
            environment.set(name, *value);
        }
        let settings = Settings::load(None, &environment).unwrap().for_channels().green_api;
        (settings.brief_retries, settings.max_retries)
    };
    assert_eq!(brief(&[]), (false, 3), "a message is tried again for a day");
    assert_eq!(brief(&[("GREEN_API_MAX_RETRIES", "3")]), (true, 3));
    let patient = [("GREEN_API_MAX_RETRIES", "5"), ("FRONTDESK_GREEN_API_RETRY", "patient")];
    assert_eq!(brief(&patient), (false, 5));
    assert_eq!(brief(&[("FRONTDESK_GREEN_API_RETRY", "brief")]), (true, 3));
    let wrong = Settings::load(None, &Environment::of([("FRONTDESK_GREEN_API_RETRY", "often")])).unwrap_err();
    assert!(wrong.to_string().contains("auto, patient or brief"), "{wrong}");
}

#[test]
fn the_largest_webhook_holds_for_green_api_and_chatwoot() {
    let limits = |variables| {
        let settings = Settings::load(None, &variables).unwrap();
        let green = settings.for_engine().doors.green_api_max_body_bytes;
        (green, settings.chatwoot.webhook.max_bytes)
    };
    assert_eq!(limits(Environment::default()), (Some(5 << 20), 1 << 20), "thumbnails fit");
    assert_eq!(limits(Environment::of([("WEBHOOK_MAX_PAYLOAD_SIZE", "2048")])), (Some(2048), 2048));
}

#[test]
fn half_a_chatwoot_is_none_and_what_is_missing_has_a_name() {
    for (set, missing) in [
        (("CHATWOOT_URL", "https://chatwoot.test"), "CHATWOOT_API_TOKEN"),
        (("CHATWOOT_API_TOKEN", "t"), "CHATWOOT_URL"),
    ] {
        let settings = Settings::load(None, &Environment::of([set])).unwrap();
        assert!(settings.for_engine().chatwoot.is_none());
        assert_eq!(settings.chatwoot.missing().map(|(_, variable)| variable), Some(missing));
    }
    assert_eq!(defaults().chatwoot.missing(), None);
    for (name, value) in [
        ("CHATWOOT_URL", "chatwoot.test"),
        ("CHATWOOT_URL", "ftp://chatwoot.test"),
        ("CHATWOOT_URL", "https://me:hunter2@chatwoot.test"),
        ("CHATWOOT_ACCOUNT_ID", "0"),
        ("CHATWOOT_API_TIMEOUT", "0"),
        ("CHATWOOT_VERIFY_SSL", "perhaps"),
        ("WEBHOOK_MAX_PAYLOAD_SIZE", "-1"),
        ("CHATWOOT_USER_AGENT", "a\nb"),
    ] {
        let error = Settings::load(None, &Environment::of([(name, value)])).unwrap_err().to_string();
        assert!(error.starts_with(name), "{error}");
    }
}
