//! Each rule that every account starts with fires when what it watches for is so for as long as it says, and not before;
//! and its alert ends when it is over. The clock is moved by hand.

use frontdesk_engine::monitoring::{evaluate, note_send};
use frontdesk_provider_http::Outcome;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::SECOND_NUMBER;
use frontdesk_testkit::server::START;
use serde_json::json;

use crate::ground::{Ground, call, grounds};

/// Makes something happen every ten seconds, looks at the rules each time, and tells after how long `rule` first fired.
async fn fires_after(ground: &Ground, rule: &str, secs: i64, happen: impl AsyncFn(&Ground)) -> Option<i64> {
    for passed in 0..secs / 10 {
        happen(ground).await;
        ground.pass(10).await;
        if ground.firing().await.iter().any(|name| name == rule) {
            return Some(passed * 10);
        }
    }
    None
}

/// After how long without what made it fire the alert ended.
async fn ends_after(ground: &Ground, rule: &str, secs: i64, happen: impl AsyncFn(&Ground)) -> Option<i64> {
    for passed in 0..secs / 10 {
        happen(ground).await;
        ground.pass(10).await;
        if !ground.firing().await.iter().any(|name| name == rule) {
            return Some(passed * 10);
        }
    }
    None
}

/// Fires about `secs` after the beginning (a third of it may be without data), ends once it is over, and is history.
async fn fires_and_ends(
    ground: &Ground,
    rule: &str,
    secs: i64,
    bad: impl AsyncFn(&Ground),
    good: impl AsyncFn(&Ground),
) {
    let kind = ground.server.database.kind;
    let fired = fires_after(ground, rule, 2 * secs, bad).await;
    let fired = fired.unwrap_or_else(|| panic!("{rule} does not fire on {kind}"));
    assert!((secs / 3..=secs).contains(&fired), "{rule} fired after {fired} s on {kind}");
    let ended = ends_after(ground, rule, 2 * secs.max(60) + 30, good).await;
    assert!(ended.is_some_and(|after| after >= 10), "{rule} on {kind}: {ended:?}");
    let history = ground.get("alerts?state=resolved").await;
    let alert = history["data"].as_array().unwrap().iter().find(|a| a["rule"] == rule).unwrap().clone();
    assert_eq!(
        (alert["state"].as_str(), alert["inbox_id"].as_i64()),
        (Some("resolved"), Some(ground.inbox.0))
    );
    assert!(alert["resolved_at"].as_str() > alert["fired_at"].as_str(), "{alert}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_high_error_rate_fires_after_five_minutes() {
    for ground in grounds().await {
        let (bad, good) =
            (async |g: &Ground| g.calls(10, 2, 50).await, async |g: &Ground| g.calls(10, 0, 50).await);
        fires_and_ends(&ground, "high_error_rate", 300, bad, good).await;
        assert!(
            !ground.get("alerts?state=all").await.to_string().contains("critical_error_rate"),
            "20 % is not 25 %"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_error_rate_fires_after_a_minute() {
    for ground in grounds().await {
        let (bad, good) =
            (async |g: &Ground| g.calls(10, 3, 50).await, async |g: &Ground| g.calls(10, 0, 50).await);
        fires_and_ends(&ground, "critical_error_rate", 60, bad, good).await;
        assert!(
            !ground.get("alerts?state=all").await.to_string().contains("high_error_rate"),
            "not for five minutes"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answers_fire_after_five_minutes_and_very_slow_ones_after_three() {
    for ground in grounds().await {
        let good = async |g: &Ground| g.calls(3, 0, 200).await;
        fires_and_ends(
            &ground,
            "slow_response_time",
            300,
            async |g: &Ground| g.calls(3, 0, 5_500).await,
            good,
        )
        .await;
        assert_eq!(ground.firing().await, [""; 0], "5.5 s are slow, not very slow");
        ground.pass(400).await;
        let bad = async |g: &Ground| g.calls(3, 0, 11_000).await;
        fires_and_ends(&ground, "very_slow_response_time", 180, bad, good).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_rate_limit_hits_within_five_minutes_fire() {
    for ground in grounds().await {
        for n in 0..5 {
            assert_eq!(ground.firing().await, [""; 0], "{n} hits");
            let (outcome, limited) =
                if n % 2 == 0 { (Outcome::Throttled, false) } else { (Outcome::Ok, true) };
            ground.record(&call(outcome, 20, limited)).await;
            ground.calls(50, 0, 20).await;
            ground.pass(20).await;
        }
        assert_eq!(ground.firing().await, ["rate_limit_hits"]);
        ground.pass(60).await;
        assert_eq!(ground.firing().await, ["rate_limit_hits"], "they were hit within five minutes");
        ground.pass(300).await;
        assert_eq!(ground.firing().await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_fail_fire_after_five_minutes() {
    for ground in grounds().await {
        // Nobody has the second number here: its webhooks are genuine and for no inbox.
        let deliver = async |g: &Ground, number: &str| {
            let id = format!("wamid.{}", rand::random::<u64>());
            let body =
                bodies::text(number, Person::named("6281390045512", "Sari"), &id, START.as_secs(), "hi");
            g.server.deliver(bodies::bytes(&body)).await;
        };
        let bad = async |g: &Ground| {
            deliver(g, SECOND_NUMBER).await;
        };
        let fired = fires_after(&ground, "webhook_failures", 600, bad).await;
        assert!(fired.is_some_and(|after| (100..=300).contains(&after)), "{fired:?}");
        let alert = ground.get("alerts").await["data"][0].clone();
        assert_eq!(alert["inbox_id"], json!(null), "they were nobody's: {alert}");
        let ended = ends_after(&ground, "webhook_failures", 700, async |_: &Ground| {}).await;
        assert!(ended.is_some_and(|after| after >= 290), "silence is no proof at once: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_that_fail_fire_after_five_minutes() {
    for ground in grounds().await {
        let send = |outcomes: &'static [&'static str]| {
            async move |g: &Ground| {
                for outcome in outcomes {
                    note_send(&g.server.engine, g.server.account, g.inbox, outcome);
                }
            }
        };
        let bad = send(&["sent", "sent", "sent", "sent", "failed"]);
        fires_and_ends(&ground, "message_send_failures", 300, bad, send(&["sent"])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_fires_is_not_fired_again_by_anyone() {
    for ground in grounds().await {
        let second = ground.server.second_engine().await;
        for _ in 0..10 {
            ground.calls(10, 5, 50).await;
            ground.pass(10).await;
            evaluate::evaluate(&second).await.unwrap();
        }
        let all = ground.get("alerts?state=all").await;
        let critical = all["data"].as_array().unwrap().iter().filter(|a| a["rule"] == "critical_error_rate");
        assert_eq!(critical.count(), 1, "{all}");
        let alert = &all["data"][0];
        assert_eq!(alert["summary"].as_str().unwrap().split(": ").next(), Some("Critical Error Rate"));
        assert_eq!((alert["severity"].as_str(), alert["threshold"].as_f64()), (Some("critical"), Some(0.25)));
        assert_eq!(ground.get("health").await["inboxes"][0]["status"], "unhealthy");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_ends_with_its_rule_and_with_its_inbox() {
    for ground in grounds().await {
        let bad = async |g: &Ground| g.calls(10, 5, 50).await;
        fires_after(&ground, "critical_error_rate", 120, bad).await.unwrap();
        let path = "/api/v1/monitoring/alerts/rules/critical_error_rate";
        ground.server.delete(path).bearer(&ground.token).send().await.ok(204);
        bad(&ground).await;
        ground.pass(10).await;
        assert_eq!(ground.firing().await, [""; 0]);

        fires_after(&ground, "high_error_rate", 600, bad).await.unwrap();
        let inbox = format!("/api/v1/inboxes/{}", ground.inbox);
        ground.server.delete(&inbox).bearer(&ground.token).send().await.ok(204);
        ground.pass(10).await;
        assert_eq!(ground.firing().await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_inbox_is_not_hidden_by_good_ones() {
    for ground in grounds().await {
        let other = ground.server.connect(ground.server.account, "whatsapp_cloud", SECOND_NUMBER, &[]).await;
        let good = Ground { inbox: other, server: ground.server, token: ground.token };
        let bad_inbox = ground.inbox;
        for _ in 0..8 {
            good.calls(100, 0, 20).await;
            let book = frontdesk_engine::inboxes::book(&good.server.engine).await.unwrap();
            let context =
                frontdesk_engine::monitoring::context_of(&good.server.engine, book.find(bad_inbox).unwrap());
            context.recorder.record(&call(Outcome::Ambiguous, 30_000, false));
            good.pass(10).await;
        }
        let alerts = good.get("alerts").await;
        let critical = alerts["data"].as_array().unwrap().iter().find(|a| a["rule"] == "critical_error_rate");
        assert_eq!(critical.unwrap()["inbox_id"], json!(bad_inbox.0));
        assert!(alerts["data"].as_array().unwrap().iter().all(|a| a["inbox_id"] == json!(bad_inbox.0)));
        let health = good.get("health").await;
        assert_eq!(health["status"], "degraded", "{health}");
    }
}
