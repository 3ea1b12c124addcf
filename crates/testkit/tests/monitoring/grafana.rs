//! What the dashboard for Grafana draws is told at `/metrics`; and the settings that come with monitoring are read.

use std::collections::BTreeSet;

use frontdesk_server::metrics;
use frontdesk_server::settings::{Environment, Settings};
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../../docs/grafana/frontdesk.json");

/// The names of the figures it draws.
fn drawn() -> BTreeSet<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut names = BTreeSet::new();
    for target in targets {
        let words = target["expr"].as_str().unwrap().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        names.extend(words.filter(|word| word.starts_with("frontdesk_")).map(str::to_owned));
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_the_dashboard_draws_is_told_to_prometheus() {
    let recorder = metrics::recorder().unwrap();
    let names = drawn();
    assert!(names.len() > 10, "{names:?}");
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let id = stage.say(&thread, "hello").await;
        stage.arrives(id).await;
        // One that has to wait for its turn, and whose provider has words of its own for its webhooks.
        stage.add_instance("hotel", &[("rate_limit_per_second", "1")]).await;
        let thread = stage.thread("hotel").await;
        for text in ["one", "two"] {
            let id = stage.say(&thread, text).await;
            stage.arrives(id).await;
        }
        until("everything drawn is told", || async {
            let figures = recorder.render();
            let is_told = |name: &String| figures.lines().any(|line| line.starts_with(name.as_str()));
            names.iter().all(is_told).then_some(())
        })
        .await;
    }
}

#[test]
fn a_mail_server_is_set_by_file_or_environment() {
    let plain = Settings::load(None, &Environment::of([])).unwrap();
    assert!(plain.mail.host.is_empty() && plain.retention.alert_days == 90);
    let set = |from| {
        Settings::load(
            None,
            &Environment::of([
                ("FRONTDESK_MAIL_HOST", "smtp.example.org"),
                ("FRONTDESK_MAIL_PASSWORD", "hush"),
                ("FRONTDESK_MAIL_ENCRYPTION", "tls"),
                ("FRONTDESK_MAIL_FROM", from),
            ]),
        )
    };
    let settings = set("Frontdesk <alerts@example.org>").unwrap();
    assert_eq!(settings.for_engine().mail.password, "hush");
    assert!(!format!("{settings:?}").contains("hush"), "secrets are not shown");
    assert!(set("nobody").unwrap_err().to_string().contains("mail.from"));
}
