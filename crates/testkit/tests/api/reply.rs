use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desk::{Desk, desks};

/// A desk with one open conversation.
async fn open() -> Vec<(Desk, String)> {
    let mut ready = Vec::new();
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.0", -50, "hello").await;
        let id = desk.conversation("Sari").await["id"].clone();
        ready.push((desk, format!("/admin/inbox/{id}/messages")));
    }
    ready
}

#[tokio::test]
async fn a_reply_is_stored_queued_and_shown_as_documented() {
    for (desk, path) in open().await {
        let (_, seq) = desk.events_after(0).await;
        desk.server.clock.advance_ms(1000);
        let body = json!({ "content": "Thank you for reaching out!  " });
        let answer = desk.server.post(&path).bearer(&desk.agent).json(&body).send().await;
        let reply = answer.ok(201);
        assert_eq!(answer.header("x-ratelimit-remaining"), "9999");
        let conversation = desk.conversation("Sari").await;
        assert_eq!(
            reply,
            json!({
                "id": reply["id"], "conversation_id": conversation["id"], "customer_id": conversation["customer_id"],
                "inbox_id": conversation["inbox"]["id"], "direction": "outbound", "sender_type": "admin",
                "sender_name": "agent", "sender_id": desk.agent_id, "kind": "text",
                "content": "Thank you for reaching out!", "media_url": null, "media_type": null, "attachments": [],
                "payload": {}, "reply_to": null, "forwarded": false, "reactions": [], "status": "queued",
                "status_error": null, "platform_message_id": null, "client_key": null, "edited_at": null,
                "read_at": null, "deleted_at": null, "created_at": "2026-01-15T08:00:01Z",
                "stored_at": "2026-01-15T08:00:01Z", "updated_at": "2026-01-15T08:00:01Z",
            })
        );
        assert_eq!(conversation["last_message_at"], "2026-01-15T08:00:01Z");
        assert_eq!(conversation["last_message"]["id"], reply["id"]);
        assert_eq!(conversation["unread_count"], 1, "an answer does not read for you");
        assert_eq!(desk.events_after(seq).await.0, ["message_received"]);
        assert_eq!(desk.server.database.number("SELECT COUNT(*) FROM outbox").await, 1);
        let attempts = desk.get(&format!("/api/v1/messages/{}/deliveries", reply["id"])).await;
        assert_eq!(attempts, json!({ "data": [] }));
    }
}

#[tokio::test]
async fn empty_content_is_told_in_the_documented_words() {
    let both = json!(["The content field is required.", "The content field must be at least 1 characters."]);
    for (desk, path) in open().await {
        let send = async |body: &Value| desk.server.post(&path).bearer(&desk.agent).json(body).send().await;
        for content in ["", " ", "\n\t  \r\n", "\u{3000}\u{a0}", "\u{2003}"] {
            let refused = send(&json!({ "content": content })).await.refused(422, "VALIDATION_ERROR");
            assert_eq!(refused["message"], "The given data was invalid.");
            assert_eq!(refused["errors"], json!({ "content": both }), "{content:?}");
        }
        for body in [json!({}), json!({ "content": null })] {
            let refused = send(&body).await.refused(422, "VALIDATION_ERROR");
            assert_eq!(refused["errors"]["content"][0], "The content field is required.", "{body}");
        }
        for content in [json!(7), json!([]), json!({}), json!(true)] {
            let refused = send(&json!({ "content": content })).await.refused(422, "VALIDATION_ERROR");
            assert_eq!(refused["errors"]["content"], json!(["The content field must be a string."]));
        }
        let refused = send(&json!({ "content": "a\u{0}b" })).await.refused(422, "VALIDATION_ERROR");
        assert!(refused["errors"]["content"].is_array());
        assert_eq!(desk.server.database.number("SELECT COUNT(*) FROM outbox").await, 0);
    }
}

#[tokio::test]
async fn two_thousand_characters_fit_and_one_more_does_not() {
    for (desk, path) in open().await {
        let send = async |content: String| {
            desk.server.post(&path).bearer(&desk.agent).json(&json!({ "content": content })).send().await
        };
        for letter in ["x", "é", "👍"] {
            send(letter.repeat(2000)).await.ok(201);
            let refused = send(letter.repeat(2001)).await.refused(422, "VALIDATION_ERROR");
            let sentence = "The content field must not be greater than 2000 characters.";
            assert_eq!(refused["errors"], json!({ "content": [sentence] }));
        }
        send(format!("{}{}", "x".repeat(2000), " ".repeat(50))).await.ok(201);
        desk.write_meta("instagram", "0815", "i_1", -10, "hi").await;
        let all = desk.get("/admin/inbox?platform=instagram").await;
        let instagram = format!("/admin/inbox/{}/messages", all["data"][0]["id"]);
        let body = json!({ "content": "é".repeat(501) });
        let refused = desk.server.post(&instagram).bearer(&desk.agent).json(&body).send().await;
        let refused = refused.refused(422, "VALIDATION_ERROR");
        assert!(refused["errors"]["content"][0].as_str().unwrap().contains("1000 bytes"), "{refused}");
    }
}

#[tokio::test]
async fn a_closed_conversation_takes_no_reply_and_an_archived_one_does() {
    for (desk, path) in open().await {
        let status = path.replace("/messages", "/status");
        let set = async |word: &str| {
            desk.server
                .post(&status)
                .bearer(&desk.agent)
                .json(&json!({ "status": word }))
                .send()
                .await
                .ok(200);
        };
        let send = async || {
            desk.server.post(&path).bearer(&desk.agent).json(&json!({ "content": "x" })).send().await
        };
        set("closed").await;
        send().await.refused(409, "CONVERSATION_CLOSED");
        set("archived").await;
        send().await.ok(201);
    }
}

#[tokio::test]
async fn outside_the_window_only_a_template_goes_out() {
    let template = json!({ "template": { "name": "order_update", "language": "en_US", "components": [
        { "type": "body", "parameters": [{ "type": "text", "text": "4472" }, { "type": "text", "text": "today" }] }] } });
    for (desk, path) in open().await {
        let send = async |body: &Value| desk.server.post(&path).bearer(&desk.agent).json(body).send().await;
        desk.server.clock.advance_ms(86_400_000 - 50_001);
        send(&json!({ "content": "just in time" })).await.ok(201);
        desk.server.clock.advance_ms(2);
        let refused = send(&json!({ "content": "too late" })).await.refused(422, "WINDOW_CLOSED");
        assert_eq!(refused["details"], json!({ "expired_at": "2026-01-16T07:59:10Z", "templates": true }));
        assert_eq!(refused.get("errors"), None, "no field is wrong");
        let conversation = desk.conversation("Sari").await;
        assert_eq!(
            conversation["reply_window"],
            json!({ "state": "closed", "expires_at": "2026-01-16T07:59:10Z" })
        );
        let sent = send(&template).await.ok(201);
        assert_eq!(
            (sent["kind"].as_str(), sent["content"].as_str()),
            (Some("template"), Some("4472 · today"))
        );
        assert_eq!(sent["payload"]["template"]["name"], "order_update");
        for wrong in [json!({ "type": "template" }), json!({ "template": { "name": "", "language": "en" } })]
        {
            let refused = send(&wrong).await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"]["template"].is_array(), "{refused}");
        }
        desk.write("6281390045512", "Sari", "wamid.late", 86_400, "I am back").await;
        send(&json!({ "content": "welcome back" })).await.ok(201);
    }
}

#[tokio::test]
async fn one_key_is_one_message_however_often_and_at_once() {
    for (desk, path) in open().await {
        for key in ["header", "body"] {
            let (_, seq) = desk.events_after(0).await;
            let mut sent = tokio::task::JoinSet::new();
            for _ in 0..5 {
                use tower::ServiceExt;
                let body = match key {
                    "header" => json!({ "content": format!("once {key}") }),
                    _ => json!({ "content": format!("once {key}"), "client_key": key }),
                };
                let mut request = axum::http::Request::post(path.as_str())
                    .header("authorization", format!("Bearer {}", desk.agent))
                    .header("content-type", "application/json");
                if key == "header" {
                    request = request.header("idempotency-key", key);
                }
                let request = request.body(axum::body::Body::from(body.to_string())).unwrap();
                let router = desk.server.router();
                sent.spawn(async move {
                    let response = router.oneshot(request).await.unwrap();
                    let status = response.status().as_u16();
                    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
                    (status, serde_json::from_slice::<Value>(&body).unwrap()["id"].as_i64().unwrap())
                });
            }
            let mut answers = sent.join_all().await;
            answers.sort_unstable();
            let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
            assert_eq!(statuses, [200, 200, 200, 200, 201], "{}", desk.server.database.kind);
            assert_eq!(answers.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len(), 1);
            assert_eq!(desk.events_after(seq).await.0, ["message_received"]);
        }
        assert_eq!(desk.server.database.number("SELECT COUNT(*) FROM outbox").await, 2);
        let send = async |key: &str, content: &str| {
            let call = desk.server.post(&path).bearer(&desk.agent).header("idempotency-key", key);
            call.json(&json!({ "content": content })).send().await
        };
        let first = send("header", "once header").await.ok(200);
        assert_eq!(
            send("header", "once header  \n").await.ok(200)["id"],
            first["id"],
            "the same text as it is stored"
        );
        let conflict = send("header", "something else").await.refused(409, "IDEMPOTENCY_CONFLICT");
        assert_eq!(conflict["details"]["message_id"], first["id"]);
        let status = path.replace("/messages", "/status");
        let close = desk.server.post(&status).bearer(&desk.agent).json(&json!({ "status": "closed" }));
        close.send().await.ok(200);
        assert_eq!(send("header", "once header").await.ok(200)["id"], first["id"], "what was sent was sent");
        for key in ["", "  ", "é", &"x".repeat(201)] {
            send(key, "x").await;
            let refused = send(key, "x").await;
            assert!(matches!(refused.status, 409 | 422), "{key}: {}", refused.text());
        }
    }
}

#[tokio::test]
async fn keys_of_different_lengths_are_checked_before_anything_is_stored() {
    for (desk, path) in open().await {
        for key in [String::new(), "x".repeat(201)] {
            let body = json!({ "content": "x", "client_key": key });
            let refused = desk.server.post(&path).bearer(&desk.agent).json(&body).send().await;
            assert!(refused.refused(422, "VALIDATION_ERROR")["errors"]["client_key"].is_array());
        }
        let body = json!({ "content": "x", "client_key": "x".repeat(200) });
        desk.server.post(&path).bearer(&desk.agent).json(&body).send().await.ok(201);
    }
}

#[tokio::test]
async fn a_colleague_who_was_faster_is_noticed_and_may_be_overruled() {
    for (desk, path) in open().await {
        let send = async |body: &Value| desk.server.post(&path).bearer(&desk.agent).json(body).send().await;
        let thread = path.replace("/admin/inbox", "/api/v1/conversations");
        let seen = desk.get(&thread).await["data"][0]["id"].clone();
        let first = send(&json!({ "content": "first", "last_seen_message_id": seen })).await.ok(201);
        let late = json!({ "content": "second", "last_seen_message_id": seen });
        let refused = send(&late).await.refused(409, "NEWER_MESSAGES");
        let newer = refused["details"]["messages"].as_array().unwrap();
        assert_eq!((newer.len(), &newer[0]["id"]), (1, &first["id"]));
        assert_eq!(
            (newer[0]["content"].as_str(), newer[0]["sender_name"].as_str()),
            (Some("first"), Some("agent"))
        );
        let mut forced = late.clone();
        forced["force"] = json!(true);
        let second = send(&forced).await.ok(201);
        send(&json!({ "content": "third", "last_seen_message_id": second["id"] })).await.ok(201);
        desk.write("6281390045512", "Sari", "wamid.1", 10, "customers do not count").await;
        let fourth = desk.get(&thread).await["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["content"] == "third")
            .count();
        assert_eq!(fourth, 1);
    }
}

#[tokio::test]
async fn a_reply_may_quote_a_message_of_its_own_conversation_only() {
    for (desk, path) in open().await {
        let send = async |body: &Value| desk.server.post(&path).bearer(&desk.agent).json(body).send().await;
        let thread = path.replace("/admin/inbox", "/api/v1/conversations");
        let asked = desk.get(&thread).await["data"][0].clone();
        let quoted = send(&json!({ "content": "to that", "reply_to_message_id": asked["id"] })).await.ok(201);
        assert_eq!(quoted["reply_to"]["id"], asked["id"]);
        assert_eq!(
            (&quoted["reply_to"]["content"], &quoted["reply_to"]["sender_name"]),
            (&json!("hello"), &json!("Sari"))
        );
        desk.write("14155550100", "Ann", "wamid.ann", -10, "hi").await;
        let other = desk.conversation("Ann").await["last_message"]["id"].clone();
        for id in [other, json!(999)] {
            let refused = send(&json!({ "content": "x", "reply_to_message_id": id })).await;
            assert!(refused.refused(422, "VALIDATION_ERROR")["errors"]["reply_to_message_id"].is_array());
        }
    }
}

#[tokio::test]
async fn places_contacts_and_buttons_are_checked_before_they_are_queued() {
    for (desk, path) in open().await {
        let send = async |body: &Value| desk.server.post(&path).bearer(&desk.agent).json(body).send().await;
        let place = json!({ "location": { "latitude": -6.1754, "longitude": 106.8272, "name": "Monas" } });
        let sent = send(&place).await.ok(201);
        assert_eq!((sent["kind"].as_str(), sent["content"].as_str()), (Some("location"), Some("Monas")));
        let buttons =
            json!({ "interactive": { "body": "Which?", "buttons": [{ "id": "a", "title": "A" }] } });
        let sent = send(&buttons).await.ok(201);
        assert_eq!((sent["kind"].as_str(), sent["content"].as_str()), (Some("interactive"), Some("Which?")));
        for (body, field) in [
            (json!({ "location": { "latitude": 91.0, "longitude": 0.0 } }), "location"),
            (json!({ "location": { "latitude": 0.0 } }), "location.longitude"),
            (json!({ "location": "here" }), "location"),
            (json!({ "type": "location" }), "location"),
            (json!({ "type": "contacts" }), "contacts"),
            (json!({ "type": "interactive" }), "interactive"),
            (json!({ "type": "poll" }), "type"),
            (json!({ "interactive": { "body": "", "buttons": [] } }), "interactive"),
            (
                json!({ "interactive": { "body": "x", "buttons": [{ "id": "a", "title": "A" }, { "id": "a", "title": "B" }] } }),
                "interactive",
            ),
            (json!({ "content": "x", "attachments": [999] }), "attachments"),
            (json!({ "content": "x", "attachments": (0..11).collect::<Vec<_>>() }), "attachments"),
        ] {
            let refused = send(&body).await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].is_array(), "{body}: {refused}");
        }
    }
}
