use serde_json::{Value, json};

use crate::{get, stages};

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_comes_with_its_contact_and_from_memory_the_second_time() {
    for stage in stages().await {
        let (id, message) = stage.write_in_chatwoot("+5511987654321", "Hi, is my order out?").await;
        for _ in 0..3 {
            let (status, answer) = get(&stage, &format!("/conversations/{id}")).await;
            assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
            let conversation = &answer["conversation"];
            assert_eq!((&conversation["id"], &conversation["status"]), (&json!(id), &json!("open")));
            assert_eq!(conversation["contact"]["name"], "Ana Souza");
            assert_eq!(conversation["messages"][0]["id"], json!(message));
        }
        assert_eq!(stage.chatwoot_requests("GET", &format!("/conversations/{id}")), 1);
        let (_, cache) = get(&stage, "/cache").await;
        assert_eq!((&cache["hits"], &cache["misses"]), (&json!(2), &json!(1)), "{cache}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_messages_is_met_and_those_before_one_are_found() {
    for stage in stages().await {
        let mut ids = Vec::new();
        let mut conversation = 0;
        for place in 0..45 {
            let (id, message) = stage.write_in_chatwoot("+5511987654321", &format!("{place}")).await;
            (conversation, _) = (id, ids.push(message));
        }
        let texts = |answer: &Value| -> Vec<String> {
            let messages = answer["messages"].as_array().unwrap();
            messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
        };
        let path = format!("/conversations/{conversation}/messages");
        let (status, newest) = get(&stage, &path).await;
        assert_eq!((status, texts(&newest).len()), (200, 20), "{newest}");
        let (_, more) = get(&stage, &format!("{path}?limit=43")).await;
        assert_eq!((texts(&more)[0].as_str(), texts(&more).len()), ("2", 43));
        let (_, older) = get(&stage, &format!("{path}?limit=3&before_id={}", ids[40])).await;
        assert_eq!(texts(&older), ["37", "38", "39"]);
        assert_eq!(older["messages"][0]["message_type"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_through_us_is_seen_at_once() {
    for stage in stages().await {
        let (id, _) = stage.write_in_chatwoot("+5511987654321", "Hi").await;
        let path = format!("/conversations/{id}/messages");
        get(&stage, &path).await;
        let body = json!({ "content": "Olá! Como posso ajudar?", "message_type": "outgoing", "content_type": "text" });
        let (status, answer) = stage.call("POST", &format!("/api/v1/chatwoot{path}"), body).await;
        assert_eq!((status, &answer["success"]), (201, &json!(true)), "{answer}");
        assert_eq!(answer["message"]["content"], "Olá! Como posso ajudar?");
        let (_, seen) = get(&stage, &path).await;
        assert_eq!(seen["messages"].as_array().unwrap().len(), 2);
        assert_eq!(seen["messages"][1]["id"], answer["message"]["id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_made_found_and_changed() {
    for stage in stages().await {
        let new = json!({ "name": "João Silva", "email": "joao@example.com", "phone_number": "+5511999999999", "account_id": 1 });
        let (status, made) = stage.call("POST", "/api/v1/chatwoot/contacts", new.clone()).await;
        assert_eq!((status, &made["success"]), (201, &json!(true)), "{made}");
        let id = made["contact"]["id"].as_i64().unwrap();
        let (_, shown) = get(&stage, &format!("/contacts/{id}")).await;
        assert_eq!(shown["contact"]["email"], "joao@example.com");
        let (status, found) = get(&stage, "/contacts/search?q=Silva").await;
        assert_eq!((status, &found["contacts"][0]["id"]), (200, &json!(id)), "{found}");
        let path = format!("/api/v1/chatwoot/contacts/{id}");
        let changes = json!({ "name": "João S.", "email": "", "custom_attributes": { "plan": "pro" } });
        let (status, changed) = stage.call("PATCH", &path, changes).await;
        assert_eq!(status, 200, "{changed}");
        let (_, shown) = get(&stage, &format!("/contacts/{id}")).await;
        let contact = &shown["contact"];
        assert_eq!((&contact["name"], &contact["email"]), (&json!("João S."), &Value::Null));
        assert_eq!(contact["custom_attributes"]["plan"], "pro");
        let (status, again) = stage.call("POST", "/api/v1/chatwoot/contacts", new).await;
        assert_eq!((status, &again["error_code"]), (409, &json!("CONFLICT")), "{again}");
    }
}
