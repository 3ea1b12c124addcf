//! Messenger and Instagram.

use serde_json::{Value, json};

use crate::stage::{INSTAGRAM, PAGE, Stage};

fn events(webhooks: &[Value]) -> Vec<Value> {
    webhooks.iter().flat_map(|body| body["entry"][0]["messaging"].as_array().unwrap().clone()).collect()
}

fn text_to(id: &str, text: &str) -> Value {
    json!({"recipient": {"id": id}, "messaging_type": "RESPONSE", "message": {"text": text, "metadata": "msg:7"}})
}

#[tokio::test]
async fn a_text_is_echoed_delivered_and_read() {
    let stage = Stage::start().await;
    let (customer, psid) = stage.scoped_customer("messenger").await;
    let (status, answer) = stage.graph("me/messages", text_to(&psid, "Halo")).await;
    assert_eq!((status, &answer["recipient_id"]), (200, &json!(psid)));
    let mid = answer["message_id"].clone();
    let told = events(&stage.webhooks().await);
    assert_eq!(told[0]["message"]["is_echo"], true);
    assert_eq!((&told[0]["message"]["mid"], &told[0]["message"]["metadata"]), (&mid, &json!("msg:7")));
    assert_eq!(told[0]["sender"]["id"], PAGE);
    assert_eq!(told[1]["delivery"]["mids"], json!([mid]));
    stage.set("POST", &format!("/customers/{customer}/chats/messenger/open"), Value::Null).await;
    let told = events(&stage.webhooks().await);
    assert!(told[0]["read"]["watermark"].is_i64());
}

#[tokio::test]
async fn instagram_tells_the_message_that_was_seen() {
    let stage = Stage::start().await;
    let (customer, igsid) = stage.scoped_customer("instagram").await;
    let (_, answer) = stage.graph(&format!("{INSTAGRAM}/messages"), text_to(&igsid, "Halo")).await;
    stage.set("POST", &format!("/customers/{customer}/chats/instagram/open"), Value::Null).await;
    let webhooks = stage.webhooks().await;
    assert_eq!(webhooks[0]["object"], "instagram");
    let told = events(&webhooks);
    assert_eq!(told.last().unwrap()["read"], json!({"mid": answer["message_id"]}));
    assert!(told.iter().all(|event| event.get("delivery").is_none()));
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let stage = Stage::start().await;
    let (_, psid) = stage.scoped_customer("messenger").await;
    let (_, igsid) = {
        let customer = stage.customer("Ina", "6281999000111").await;
        stage.act(&customer, json!({"inbox_id": "instagram", "kind": "text", "text": "x"})).await;
        let view = stage.set("GET", &format!("/customers/{customer}"), Value::Null).await;
        (customer, view["scoped_ids"]["instagram"].as_str().unwrap().to_owned())
    };
    let replies: Vec<Value> =
        (0..14).map(|n| json!({"content_type": "text", "title": n.to_string(), "payload": "p"})).collect();
    let both = json!({"text": "x", "attachment": {"type": "image", "payload": {"url": "https://x"}}});
    let table = [
        (PAGE, json!({"message": {"text": "x"}}), 100, None),
        (PAGE, text_to("1", "x"), 100, Some(2_018_001)),
        (PAGE, text_to(&psid, ""), 100, None),
        (PAGE, text_to(&psid, &"é".repeat(2001)), 100, None),
        (PAGE, json!({"recipient": {"id": psid}, "message": both}), 100, None),
        (
            PAGE,
            json!({"recipient": {"id": psid}, "message": {"text": "x", "quick_replies": replies}}),
            100,
            None,
        ),
        (
            PAGE,
            json!({"recipient": {"id": psid}, "message": {"attachment": {"type": "image", "payload": {"url": "x"}}}}),
            100,
            Some(2_018_074),
        ),
        (PAGE, json!({"recipient": {"id": psid}, "sender_action": "dance"}), 100, None),
        (
            PAGE,
            json!({"recipient": {"id": psid}, "messaging_type": "MESSAGE_TAG", "message": {"text": "x"}}),
            100,
            None,
        ),
        (INSTAGRAM, text_to(&igsid, &"é".repeat(501)), 100, Some(2_534_038)),
    ];
    for (account, body, code, subcode) in table {
        let (status, answer) = stage.graph(&format!("{account}/messages"), body.clone()).await;
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_i64(), error["error_subcode"].as_i64()),
            (400, Some(code), subcode),
            "{body}: {answer}"
        );
    }
    let fits = text_to(&psid, &"é".repeat(2000));
    assert_eq!(stage.graph(&format!("{PAGE}/messages"), fits).await.0, 200);
    let fits = text_to(&igsid, &"é".repeat(500));
    assert_eq!(stage.graph(&format!("{INSTAGRAM}/messages"), fits).await.0, 200);
}

#[tokio::test]
async fn a_human_agent_may_write_for_seven_days() {
    let stage = Stage::start().await;
    let (customer, psid) = stage.scoped_customer("messenger").await;
    stage.set("POST", &format!("/customers/{customer}/chats/messenger/silence"), json!({"hours": 24})).await;
    let (_, answer) = stage.graph("me/messages", text_to(&psid, "x")).await;
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["error_subcode"]),
        (&json!(10), &json!(2_018_278))
    );
    let mut tagged = text_to(&psid, "x");
    tagged["messaging_type"] = json!("MESSAGE_TAG");
    tagged["tag"] = json!("HUMAN_AGENT");
    assert_eq!(stage.graph("me/messages", tagged.clone()).await.0, 200);
    stage.set("POST", &format!("/customers/{customer}/chats/messenger/silence"), json!({"hours": 144})).await;
    assert_eq!(stage.graph("me/messages", tagged).await.1["error"]["code"], 10);
}

#[tokio::test]
async fn customers_write_in_metas_shapes() {
    let stage = Stage::start().await;
    let (budi, _) = stage.scoped_customer("messenger").await;
    let act = async |mut action: Value, inbox: &str| {
        action["inbox_id"] = json!(inbox);
        stage.act(&budi, action).await;
        events(&stage.webhooks().await).remove(0)
    };
    let image = act(json!({"kind": "image"}), "messenger").await;
    let url = image["message"]["attachments"][0]["payload"]["url"].as_str().unwrap();
    let bytes = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    assert!(bytes.starts_with(b"\xff\xd8\xff"), "a link without bearer");
    let mid = image["message"]["mid"].clone();
    let postback = act(json!({"kind": "postback", "title": "Mulai", "payload": "GO"}), "messenger").await;
    assert_eq!(
        (&postback["postback"]["title"], &postback["postback"]["payload"]),
        (&json!("Mulai"), &json!("GO"))
    );
    let quick = act(json!({"kind": "quick_reply", "title": "Merah", "payload": "RED"}), "messenger").await;
    assert_eq!(quick["message"]["quick_reply"]["payload"], "RED");
    let react = act(json!({"kind": "reaction", "message_id": mid, "emoji": "❤"}), "messenger").await;
    assert_eq!(react["reaction"], json!({"mid": mid, "action": "react", "reaction": "love", "emoji": "❤"}));
    let edit = act(json!({"kind": "edit", "message_id": mid, "text": "baru"}), "messenger").await;
    assert_eq!(edit["message_edit"], json!({"mid": mid, "text": "baru", "num_edit": 1}));
    let unsend = act(json!({"kind": "unsend", "message_id": mid}), "messenger").await;
    assert_eq!(unsend["message"], json!({"mid": mid, "is_deleted": true}));
    let story = act(json!({"kind": "story_reply", "text": "keren!"}), "instagram").await;
    assert!(story["message"]["reply_to"]["story"]["url"].is_string());
    let mention = act(json!({"kind": "story_mention"}), "instagram").await;
    assert_eq!(mention["message"]["attachments"][0]["type"], "story_mention");
}

#[tokio::test]
async fn profiles_are_told() {
    let stage = Stage::start().await;
    let (_, psid) = stage.scoped_customer("messenger").await;
    let (status, profile) = stage.graph_get(&format!("{psid}?fields=first_name,last_name")).await;
    assert_eq!((status, profile), (200, json!({"id": psid, "first_name": "Budi", "last_name": "Santoso"})));
    assert_eq!(stage.graph_get("123456").await.1["error"]["error_subcode"], 33);
    assert_eq!(stage.graph_get(PAGE).await.1["name"], "Kopi Senja");
}
