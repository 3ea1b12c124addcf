//! Approved templates: listed as the provider has them, remembered, and sent as they are listed.

use frontdesk_sandbox::Channel;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of};
use serde_json::{Value, json};

fn named<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let found = answer["data"].as_array().unwrap().iter().find(|template| template["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} among {answer}"))
}

/// How often the provider was asked.
fn asked(stage: &Stage) -> usize {
    let world = stage.sandbox.world();
    world.api_calls.iter().filter(|call| call.entry.path.ends_with("/message_templates")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_sent_as_it_is_listed() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let path = format!("/api/v1/inboxes/{}/templates", stage.inbox("whatsapp").await.0);
        let (status, listed) = stage.call("GET", &path, Value::Null).await;
        assert_eq!(status, 200, "{listed}");
        let order = named(&listed, "order_update");
        assert_eq!(order["body"]["variables"].as_array().unwrap().len(), 2);
        assert_eq!(order["buttons"][0]["title"], "Lacak");
        assert_eq!(named(&listed, "photo_offer")["header"]["kind"], "image");
        assert_eq!(named(&listed, "appointment_reminder")["named"], true);
        assert!(!listed.to_string().contains("spring_sale"), "a paused template cannot be sent: {listed}");

        let parameters: Vec<_> = order["body"]["variables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|variable| json!({ "type": "text", "text": format!("for {}", variable["name"]) }))
            .collect();
        let reply = json!({ "template": { "name": order["name"], "language": order["language"],
            "components": [{ "type": "body", "parameters": parameters }] } });
        stage.arrives(id_of(&stage.reply(&thread, reply).await)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_is_asked_once_and_anew_when_someone_wants_to() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let path = format!("/api/v1/inboxes/{}/templates", stage.inbox("whatsapp").await.0);
        for _ in 0..3 {
            assert_eq!(stage.call("GET", &path, Value::Null).await.0, 200);
        }
        assert_eq!(asked(&stage), 1);
        stage.clock.advance_ms(60_000);
        assert_eq!(stage.call("GET", &format!("{path}?anew=true"), Value::Null).await.0, 200);
        assert_eq!(asked(&stage), 2);
        stage.clock.advance_ms(6 * 60_000);
        assert_eq!(stage.call("GET", &path, Value::Null).await.0, 200);
        assert_eq!(asked(&stage), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_are_none_or_the_provider_refuses_that_is_said() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let messenger = format!("/api/v1/inboxes/{}/templates", stage.inbox("messenger").await.0);
        assert_eq!(stage.call("GET", &messenger, Value::Null).await.0, 409);
        stage.fault(Channel::WhatsappCloud, json!({"fault": "internal_error", "rate": 1.0, "scope": "all"}));
        let whatsapp = format!("/api/v1/inboxes/{}/templates", stage.inbox("whatsapp").await.0);
        let (status, answer) = stage.call("GET", &whatsapp, Value::Null).await;
        assert_eq!((status, &answer["code"]), (409, &json!("CONFLICT")));
        stage.heal();
        assert_eq!(stage.call("GET", &whatsapp, Value::Null).await.0, 200, "a refusal is not remembered");
    }
}
