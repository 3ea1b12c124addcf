//! `grep green_api` and `grep ERROR` over the log, at its usual level, find what went wrong in a channel.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::Channel;
use frontdesk_testkit::database::sqlite_database;
use frontdesk_testkit::log::Log;
use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::{Value, json};

const UNLIMITED: [(&str, &str); 2] = [("rate_limit_per_second", "0"), ("rate_limit_per_minute", "0")];

/// What `grep ERROR | grep WORD` finds.
fn errors(log: &Log, word: &str) -> Vec<Value> {
    log.grep(word).into_iter().filter(|line| line["level"] == "ERROR").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_channel_finds_its_troubles_and_error_those_that_are_final() {
    let log = Log::start("info");
    let stage = Stage::on(sqlite_database().await, StageSettings::default()).await;
    stage.add_instance("hotel", &UNLIMITED).await;
    let (guest, other) = (stage.thread("hotel").await, stage.thread("whatsapp").await);

    // What is tried again is a warning.
    stage.fault(Channel::GreenApi, json!({"fault": "internal_error", "next": 1}));
    let id = stage.say(&guest, "Good morning").await;
    stage.arrives(id).await;
    let tried = log.says("green_api", "a send did not succeed").await;
    assert!(tried.iter().any(|line| line["level"] == "WARN" && line["span"]["channel"] == "green_api"));
    assert!(errors(&log, "a send").is_empty(), "nothing failed for good");

    // What failed for good is an error, and only of its channel.
    stage.fault(Channel::GreenApi, json!({"fault": "error_code", "code": 400, "next": 1}));
    let id = stage.say(&guest, "Is this right?").await;
    stage.reaches(id, MessageStatus::Failed).await;
    log.says("green_api", "a send failed for good").await;
    let found = errors(&log, "green_api");
    assert!(found.iter().any(|line| line["message"] == "a send failed for good"), "{found:#?}");
    stage.fault(Channel::WhatsappCloud, json!({"fault": "error_code", "code": 131_026, "next": 1}));
    let id = stage.say(&other, "Hello").await;
    stage.reaches(id, MessageStatus::Failed).await;
    log.says("whatsapp_cloud", "a send failed for good").await;
    assert!(errors(&log, "whatsapp_cloud").iter().all(|line| !line.to_string().contains("green_api")));

    // A webhook with the wrong token.
    let url = format!("{}/api/v1/webhooks/green-api", stage.nodes[0].url);
    let body = json!({"typeWebhook": "stateInstanceChanged", "instanceData": {"idInstance": 1}});
    let call = reqwest::Client::new().post(url).bearer_auth("guess").json(&body);
    assert_eq!(call.send().await.unwrap().status().as_u16(), 403);
    log.says("green_api", "a webhook was refused").await;

    // An inbox that is polled, whose provider does not answer.
    stage.add_instance("polled", &[("mode", "polling")]).await;
    stage.fault(Channel::GreenApi, json!({"fault": "internal_error", "rate": 1.0, "scope": "all"}));
    let lines = log.says("green_api", "an inbox could not be polled").await;
    let line = lines.iter().find(|line| line["message"] == "an inbox could not be polled").unwrap();
    assert_eq!(line["channel"], "green_api", "{line}");
}
