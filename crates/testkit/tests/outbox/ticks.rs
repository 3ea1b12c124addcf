//! What the provider tells about our messages comes back as ticks and as events.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::phone;
use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_delivered_and_read_on_every_channel() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for inbox in ["whatsapp", "messenger", "instagram"] {
            let thread = stage.thread(inbox).await;
            let id = stage.say(&thread, "Good morning").await;
            // Instagram tells of reading only.
            let told = if inbox == "instagram" { MessageStatus::Sent } else { MessageStatus::Delivered };
            stage.reaches(id, told).await;
            phone::open(&stage.sandbox, &thread.customer, inbox, true).unwrap();
            let read = stage.reaches(id, MessageStatus::Read).await;
            assert!(read.read_at.is_some() && read.remote_id.is_some() && read.error.is_none());
            assert_eq!(stage.texts_of(&thread), ["Good morning"]);
            let statuses = told_statuses(&stage, id.0).await;
            assert_eq!(statuses.last().map(String::as_str), Some("read"), "{statuses:?}");
            assert!(statuses.len() >= 2, "{statuses:?}");
            let attempts = stage.attempts(id).await;
            assert_eq!(attempts.len(), 1, "{attempts:?}");
            assert_eq!((&attempts[0]["outcome"], &attempts[0]["attempt"]), (&json!("sent"), &json!(1)));
            assert!(attempts[0]["finished_at"].is_string());
            let events = stage.call("GET", "/api/v1/events?after=0&limit=200", Value::Null).await.1;
            let names: Vec<_> =
                events["data"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
            assert!(names.contains(&"MessageReceived"), "{names:?}");
        }
    }
}

/// The statuses the event stream told of a message, in order.
async fn told_statuses(stage: &Stage, id: i64) -> Vec<String> {
    let (_, events) = stage.call("GET", "/api/v1/events?after=0&limit=200", Value::Null).await;
    let events = events["data"].as_array().unwrap().clone();
    let ours = events.iter().filter(|e| e["name"] == "MessageStatusUpdated" && e["data"]["message_id"] == id);
    ours.map(|e| e["data"]["status"].as_str().unwrap().to_owned()).collect()
}
