//! One id leads from a request to the send it asked for, and from a delivery of a provider to what it brought.

use frontdesk_sandbox::Channel;
use frontdesk_testkit::log::Log;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, until};
use serde_json::{Value, json};

fn place(lines: &[Value], message: &str) -> usize {
    lines
        .iter()
        .position(|l| l["message"] == message)
        .unwrap_or_else(|| panic!("no {message:?} in {lines:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_is_on_the_lines_of_a_request_its_queue_its_calls_and_its_outcome() {
    let log = Log::start("info,frontdesk=debug");
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let kind = stage.database.kind;
        let thread = stage.thread("whatsapp").await;

        // From the delivery of a provider to the message it brought.
        let message = stage.received("whatsapp", &thread.first).await;
        let stored =
            log.says(&format!("\"message.id\":{}", message.id), "a customer's message is stored").await;
        let brought_by =
            stored[place(&stored, "a customer's message is stored")]["span"]["request.id"].clone();
        let delivery = log.says(brought_by.as_str().unwrap(), "Answered").await;
        let answered = &delivery[place(&delivery, "Answered")];
        assert_eq!(answered["span"]["route"], "/api/webhooks/messages", "{answered}");

        // From a request to its send; the first try fails, and the next one is as well known.
        stage.fault(Channel::WhatsappCloud, json!({ "fault": "unavailable", "next": 1 }));
        if kind == "postgres" {
            stage.add_node().await; // whoever sends it, it has the id from the database
        }
        let id = format!("booking-2041-{kind}");
        let url = format!("{}/admin/inbox/{}/messages", stage.nodes[0].url, thread.id);
        let request = reqwest::Client::new().post(url).bearer_auth(&stage.token).header("x-request-id", &id);
        let answer = request.json(&json!({ "content": "Your room is ready." })).send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"], id.as_str());
        let ours = id_of(&answer.json().await.unwrap());
        stage.arrives(ours).await;
        let ended = |lines: &[Value], outcome: &str| {
            lines.iter().position(|l| l["message"] == "a send ended" && l["outcome"] == outcome)
        };
        let lines = until("the log says that it was sent", || async {
            let lines = log.grep(&id);
            ended(&lines, "sent").is_some().then_some(lines)
        })
        .await;
        place(&lines, "Answered");
        let queued = &lines[place(&lines, "a reply was queued")];
        assert!(queued["message.ids"].to_string().contains(&ours.to_string()), "{queued}");
        let called = place(&lines, "Provider call ended");
        let (retried, sent) = (ended(&lines, "retry").unwrap(), ended(&lines, "sent").unwrap());
        assert!(called < retried && retried < sent, "{kind}: {lines:#?}");
        let calls = lines.iter().filter(|l| l["message"] == "Provider call ended").count();
        assert!(calls >= 2, "{lines:#?}");
        for line in &lines[called..] {
            if line["message"] != "Answered" {
                let spans = line["spans"].as_array().unwrap();
                assert!(spans.iter().any(|span| span["request.id"] == id.as_str()), "{line}");
            }
        }
        let phone = stage.chat(&thread.customer).replace("@c.us", "");
        assert!(!phone.is_empty() && log.grep(&phone).is_empty() && log.grep("room is ready").is_empty());
    }
}
