//! Green API over the wire, in the words of its reference: what the client crate does not ask for.

use serde_json::{Value, json};

use crate::stage::Stage;

const ID: &str = "1101000001";

async fn instance(stage: &Stage) {
    let inbox = json!({"id": "hotel", "channel": "green_api", "name": "Hotel", "account_id": ID, "access_token": "T"});
    stage.set("POST", "/inboxes", inbox).await;
    let on = ["incomingWebhook", "outgoingWebhook", "outgoingAPIMessageWebhook", "stateWebhook"];
    let settings: Value =
        on.into_iter().map(|name| (name.to_owned(), json!("yes"))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(call(stage, "POST", "setSettings", settings).await, (200, json!({"saveSettings": true})));
}

async fn call(stage: &Stage, verb: &str, method: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/green/waInstance{ID}/{method}/T", stage.url);
    let request = stage.http.request(verb.parse().unwrap(), url);
    let request = if body.is_null() { request } else { request.json(&body) };
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn hello() -> Value {
    json!({"chatId": "15550100002@c.us", "message": "Hello"})
}

#[tokio::test]
async fn methods_are_found_in_any_case_and_only_with_their_verb() {
    let stage = Stage::start().await;
    instance(&stage).await;
    for method in ["sendMessage", "SendMessage", "sendmessage"] {
        let (status, answer) = call(&stage, "POST", method, hello()).await;
        assert!(status == 200 && answer["idMessage"].as_str().unwrap().starts_with("3EB0"), "{answer}");
    }
    assert_eq!(call(&stage, "GET", "sendMessage", Value::Null).await.0, 404);
    assert_eq!(call(&stage, "POST", "getStateInstance", json!({})).await.0, 404);
    assert_eq!(call(&stage, "POST", "sendButtons", hello()).await.0, 404, "withdrawn by WhatsApp");
    assert_eq!(call(&stage, "POST", "sendTyping", hello()).await, (200, Value::String(String::new())));
}

#[tokio::test]
async fn wrong_tokens_and_instances_are_refused_before_anything_else() {
    let stage = Stage::start().await;
    instance(&stage).await;
    let ask = async |path: &str| {
        stage.http.get(format!("{}/green/{path}", stage.url)).send().await.unwrap().status()
    };
    assert_eq!(ask(&format!("waInstance{ID}/getStateInstance/T")).await, 200);
    assert_eq!(ask(&format!("waInstance{ID}/getStateInstance/wrong")).await, 401);
    assert_eq!(ask(&format!("waInstance{ID}/getStateInstance/")).await, 401);
    assert_eq!(ask("waInstance7/getStateInstance/T").await, 403);
    assert_eq!(
        ask("waInstance108144372211905/getStateInstance/T").await,
        403,
        "that is a number of the Cloud API"
    );
    assert_eq!(ask("elsewhere").await, 404);
    let calls = stage.set("GET", "/api-calls", Value::Null).await.to_string();
    assert!(!calls.contains("/T\"") && !calls.contains("wrong"), "tokens are not recorded: {calls}");
}

#[tokio::test]
async fn bodies_that_are_none_are_named() {
    let stage = Stage::start().await;
    instance(&stage).await;
    for (method, body, said) in [
        ("sendMessage", json!({"chatId": "15550100002@c.us"}), "message"),
        ("sendMessage", json!({"chatId": "+1 555", "message": "x"}), "chatId"),
        ("sendMessage", json!({"chatId": "15550100002@c.us", "message": "x".repeat(20_001)}), "20000"),
        ("sendLocation", json!({"chatId": "15550100002@c.us", "latitude": "40"}), "latitude"),
        (
            "sendContact",
            json!({"chatId": "15550100002@c.us", "contact": {"phoneContact": "+1", "firstName": "A"}}),
            "phoneContact",
        ),
        (
            "sendPoll",
            json!({"chatId": "15550100002@c.us", "message": "?", "options": [{"optionName": "a"}, {"optionName": "a"}]}),
            "options",
        ),
        ("setSettings", json!({"incomingWebhook": true}), "incomingWebhook"),
        ("setSettings", json!({"delaySendMessagesMilliseconds": 1}), "delaySendMessagesMilliseconds"),
        ("checkWhatsapp", json!({"phoneNumber": 123}), "11 to 16"),
    ] {
        let (status, answer) = call(&stage, "POST", method, body).await;
        assert_eq!(status, 400, "{method}");
        assert!(answer.to_string().contains(said), "{method}: {answer}");
    }
    assert_eq!(stage.set("GET", "/deliveries", Value::Null).await["data"], json!([]));
}

#[tokio::test]
async fn what_waits_for_a_phone_goes_out_in_order_when_it_signs_in() {
    let stage = Stage::start().await;
    instance(&stage).await;
    stage.set("PATCH", "/green/hotel", json!({"state": "notAuthorized"})).await;
    for text in ["one", "two"] {
        let body = json!({"chatId": "15550100002@c.us", "message": text});
        assert_eq!(call(&stage, "POST", "sendMessage", body).await.0, 200);
    }
    let (_, queue) = call(&stage, "GET", "showMessagesQueue", Value::Null).await;
    assert_eq!((&queue[0]["type"], &queue[1]["body"]["message"]), (&json!("sendMessage"), &json!("two")));
    stage.set("PATCH", "/green/hotel", json!({"state": "authorized"})).await;
    let mut told = Vec::new();
    for _ in 0..8 {
        let (_, notification) = call(&stage, "GET", "receiveNotification", Value::Null).await;
        let (receipt, body) = (&notification["receiptId"], &notification["body"]);
        told.push(match body["typeWebhook"].as_str().unwrap() {
            "stateInstanceChanged" => body["stateInstance"].as_str().unwrap().to_owned(),
            "outgoingAPIMessageReceived" => {
                body["messageData"]["extendedTextMessageData"]["text"].as_str().unwrap().to_owned()
            }
            _ => body["status"].as_str().unwrap().to_owned(),
        });
        let url = format!("{}/green/waInstance{ID}/deleteNotification/T/{receipt}", stage.url);
        let deleted: Value = stage.http.delete(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(deleted, json!({"result": true, "reason": ""}));
    }
    told.sort();
    assert_eq!(told, ["authorized", "delivered", "delivered", "notAuthorized", "one", "sent", "sent", "two"]);
}

#[tokio::test]
async fn a_number_without_whatsapp_and_a_phone_without_power() {
    let stage = Stage::start().await;
    instance(&stage).await;
    let (off, gone) =
        (stage.customer("Off", "15550100002").await, stage.customer("Gone", "15550100003").await);
    stage.set("PATCH", &format!("/customers/{off}"), json!({"online": false})).await;
    stage.set("PATCH", &format!("/customers/{gone}"), json!({"on_whatsapp": false})).await;
    let mut statuses = Vec::new();
    for phone in ["15550100003", "15550100002"] {
        call(&stage, "POST", "sendMessage", json!({"chatId": format!("{phone}@c.us"), "message": "x"})).await;
    }
    stage.sandbox.webhooks().wait_idle(std::time::Duration::from_secs(5)).await;
    let mut take = || {
        stage.sandbox.green("hotel", |instance| {
            let waiting = instance.waiting_notifications();
            statuses.extend(waiting.iter().filter_map(|body| body["status"].as_str().map(ToOwned::to_owned)));
        });
        std::mem::take(&mut statuses)
    };
    let mut first = take();
    first.sort();
    assert_eq!(first, ["noAccount", "sent"]);
    stage.set("PATCH", &format!("/customers/{off}"), json!({"online": true})).await;
    assert!(take().contains(&"delivered".to_owned()));
}

#[tokio::test]
async fn any_notification_can_be_queued_as_it_is() {
    let stage = Stage::start().await;
    instance(&stage).await;
    let call_in = json!({"typeWebhook": "incomingCall", "instanceData": {"idInstance": 1}, "from": "1@c.us", "status": "offer"});
    stage.set("POST", "/green/hotel/notifications", call_in.clone()).await;
    let (_, notification) = call(&stage, "GET", "receiveNotification", Value::Null).await;
    assert_eq!(notification["body"], call_in);
    let view = stage.set("GET", "/green/hotel", Value::Null).await;
    assert_eq!((&view["waiting_notifications"], &view["state"]), (&json!(1), &json!("authorized")));
    assert_eq!(
        stage.control("GET", "/green/whatsapp", Value::Null).await.0,
        404,
        "an inbox of another channel"
    );
    stage.set("POST", "/reset", Value::Null).await;
    let view = stage.set("GET", "/green/hotel", Value::Null).await;
    assert_eq!(
        (&view["waiting_notifications"], &view["settings"]["incomingWebhook"]),
        (&json!(0), &json!("yes"))
    );
}

#[tokio::test]
async fn what_is_written_on_the_business_phone_is_told() {
    let stage = Stage::start().await;
    instance(&stage).await;
    call(&stage, "POST", "setSettings", json!({"outgoingMessageWebhook": "yes"})).await;
    let written = stage
        .set(
            "POST",
            "/green/hotel/phone-messages",
            json!({"chat_id": "15550100002@c.us", "text": "From the phone"}),
        )
        .await;
    let (_, notification) = call(&stage, "GET", "receiveNotification", Value::Null).await;
    assert_eq!(notification["body"]["typeWebhook"], "outgoingMessageReceived");
    assert_eq!(notification["body"]["idMessage"], written["message_id"]);
}
