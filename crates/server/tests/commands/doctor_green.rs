//! The table of troubles in `docs/channels/green-api.md`: each is put in at the fake Green API or in the figures, and the
//! doctor says so in the words of the table.

use serde_json::{Value, json};

use crate::hotel::{Hotel, TOKEN, WEBHOOK_TOKEN};
use crate::program::request;

impl Hotel {
    /// Changes what the instance has stored.
    fn set(&self, setting: &str, value: &str) {
        self.sandbox.green("hotel", |instance| instance.settings.insert(setting.to_owned(), json!(value)));
    }

    fn sql(&self, statement: &str) {
        rusqlite::Connection::open(self.place.database()).unwrap().execute(statement, []).unwrap();
    }

    /// Figures of a node: what happened just now.
    fn figures(&self, account: i64, inbox: i64, counts: &Value) {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let slot = now - now % 10_000;
        self.sql(&format!(
            "INSERT INTO metric_slots (account_id, span_secs, slot_at, inbox_id, node_id, counts)
             VALUES ({account}, 10, {slot}, {inbox}, 'node', '{counts}')"
        ));
    }

    /// What the doctor complains of, but for what this place is not about.
    fn complaints(&self) -> Vec<Value> {
        let ended = self.place.run(&["doctor", "--json"]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
        assert!(!ended.stdout.contains(TOKEN) && !ended.stdout.contains(WEBHOOK_TOKEN), "{}", ended.stdout);
        let others = ["address", "reach", "disk", "clock"];
        let findings = report["findings"].as_array().unwrap().iter();
        let complaints =
            findings.filter(|f| f["level"] != "ok" && !others.contains(&f["check"].as_str().unwrap()));
        complaints.cloned().collect()
    }

    /// Exactly this is what the doctor complains of, and it says what to do.
    fn expect(&self, level: &str, check: &str, words: &str) {
        let complaints = self.complaints();
        let [complaint] = complaints.as_slice() else { panic!("not one complaint: {complaints:#?}") };
        assert_eq!(
            (&complaint["level"], &complaint["check"]),
            (&json!(level), &json!(check)),
            "{complaint:#}"
        );
        assert!(complaint["message"].as_str().unwrap().contains(words), "{complaint:#}");
        assert!(!complaint["action"].as_str().unwrap().is_empty(), "{complaint:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_works_and_delivers_here_gets_no_complaint() {
    let hotel = Hotel::open().await;
    assert_eq!(hotel.complaints(), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_and_a_wrong_instance_are_failures() {
    let hotel = Hotel::open().await;
    hotel.sandbox.world().inboxes.get_mut("hotel").unwrap().access_token = Some("another".to_owned());
    hotel.expect("fail", "inboxes", "Hotel Senja (green_api 1): The token is not this instance's");
    hotel.sandbox.world().inboxes.get_mut("hotel").unwrap().account_id = "1101000009".to_owned();
    hotel.expect("fail", "inboxes", "Hotel Senja (green_api 1): ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_not_authorised_or_restricted_is_told() {
    use frontdesk_sandbox::green::InstanceState;
    let hotel = Hotel::open().await;
    for (state, level, words) in [
        (InstanceState::NotAuthorized, "fail", "No phone is linked to the instance."),
        (InstanceState::Blocked, "warn", "WhatsApp banned the number."),
        (InstanceState::YellowCard, "warn", "WhatsApp restricts sending for a while"),
        (InstanceState::SleepMode, "warn", "The phone is switched off"),
        (InstanceState::Starting, "warn", "The instance is starting"),
    ] {
        hotel.sandbox.green("hotel", |instance| instance.state = state);
        hotel.expect(level, "inboxes", words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_go_elsewhere_or_bring_the_wrong_token_are_failures() {
    let hotel = Hotel::open().await;
    let ours = hotel.sandbox.green("hotel", |instance| instance.setting("webhookUrl").to_owned());
    assert_eq!(ours, "http://127.0.0.1:1/api/v1/webhooks/green-api");
    hotel.set("webhookUrl", "");
    hotel.expect("fail", "delivery", "Green API has no address to deliver webhooks to.");
    hotel.set("webhookUrl", "https://old.example.org/hook?key=hidden");
    hotel.expect(
        "fail",
        "delivery",
        "Green API delivers webhooks to https://old.example.org/hook, not here.",
    );
    hotel.set("webhookUrl", &ours);
    hotel.set("webhookUrlToken", "another");
    hotel.expect("fail", "delivery", "sends another webhook token than this inbox expects");
    hotel.set("webhookUrlToken", WEBHOOK_TOKEN);
    hotel.set("incomingWebhook", "no");
    hotel.expect("fail", "delivery", "Settings of the instance differ: incomingWebhook.");
    // It has only looked; what sets it right is the check.
    hotel.place.get(&["inbox", "check", "--id", "1"]);
    assert_eq!(hotel.complaints(), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_does_not_answer_is_a_failure() {
    let hotel = Hotel::open().await;
    hotel.place.get(&["inbox", "remove", "--id", "1"]);
    hotel.connect("http://127.0.0.1:1");
    hotel.expect("fail", "inboxes", "Green API cannot be reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_were_refused_are_told() {
    let mut hotel = Hotel::open().await;
    let mut serving = hotel.place.serve();
    let (head, _) = request(&serving, "POST", "/api/v1/webhooks/green-api", "", "{\"typeWebhook\":\"x\"}");
    assert!(head.starts_with("HTTP/1.1 401") || head.starts_with("HTTP/1.1 403"), "{head}");
    serving.stop();
    // The server has told Green API that it is at this address; the figures are what is looked at here.
    hotel.expect("warn", "refused", "1 webhooks in the last hour were refused or for no inbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_figures_of_the_last_hour_show_is_told() {
    let hotel = Hotel::open().await;
    for (level, check, words, counts) in [
        ("warn", "limits", "a limit made 7 calls wait", json!({ "limit_hits": 7 })),
        (
            "warn",
            "errors",
            "30 % of 10 calls failed in the last hour: 2 provider_fault, 1 rejected",
            json!({ "outcomes": { "ok": 7, "provider_fault": 2, "rejected": 1 } }),
        ),
        (
            "warn",
            "messages",
            "40 % of the attempts to send did not succeed",
            json!({ "sent": 3, "failed": 2 }),
        ),
        (
            "warn",
            "webhooks",
            "2 of 9 webhooks could not be used",
            json!({ "webhooks": 9, "webhook_errors": 2 }),
        ),
        ("fail", "breaker", "its provider keeps failing", json!({ "breaker_until": 9_000_000_000_000_i64 })),
    ] {
        hotel.figures(1, 1, &counts);
        hotel.expect(level, check, words);
        hotel.sql("DELETE FROM metric_slots");
    }
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    hotel.sql(&format!(
        "INSERT INTO outbox (account_id, inbox_id, conversation_id, kind, state, due_at, created_at, updated_at)
         VALUES (1, 1, 1, 'message', 'queued', {now}, {}, {now})",
        now - 600_000
    ));
    hotel.expect("warn", "queue", "Hotel Senja (green_api 1): 1 wait to be sent, the oldest for 10 min");
}
