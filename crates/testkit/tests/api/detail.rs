use serde_json::{Value, json};

use crate::desk::{Desk, desks};

async fn reply(desk: &Desk, id: &Value, text: &str) -> Value {
    let call = desk.server.post(&format!("/admin/inbox/{id}/messages")).bearer(&desk.agent);
    call.json(&json!({ "content": text })).send().await.ok(201)
}

#[tokio::test]
async fn opening_a_conversation_shows_its_messages_and_marks_them_as_read() {
    for desk in desks().await {
        for n in 0..3 {
            desk.write("6281390045512", "Sari", &format!("wamid.{n}"), -50 + n, &format!("{n}")).await;
        }
        let id = desk.conversation("Sari").await["id"].clone();
        assert_eq!(desk.get(&format!("/api/v1/conversations/{id}")).await["unread_count"], 3);
        let (_, seq) = desk.events_after(0).await;
        let detail = desk.get(&format!("/admin/inbox/{id}")).await;
        assert_eq!(detail["conversation"]["id"], id);
        assert_eq!(detail["conversation"]["unread_count"], 0);
        assert_eq!(
            detail["messages"]["meta"],
            json!({ "current_page": 1, "last_page": 1, "per_page": 50, "total": 3 })
        );
        let rows = detail["messages"]["data"].as_array().unwrap();
        assert_eq!(rows.iter().map(|m| m["content"].as_str().unwrap()).collect::<Vec<_>>(), ["0", "1", "2"]);
        let row = &rows[0];
        assert_eq!(
            *row,
            json!({
                "id": row["id"], "conversation_id": id, "customer_id": detail["conversation"]["customer_id"],
                "inbox_id": detail["conversation"]["inbox"]["id"], "direction": "inbound", "sender_type": "customer",
                "sender_name": "Sari", "sender_id": null, "kind": "text", "content": "0", "media_url": null,
                "media_type": null, "attachments": [], "payload": {}, "reply_to": null, "forwarded": false,
                "reactions": [], "status": "received", "status_error": null, "platform_message_id": "wamid.0",
                "client_key": null, "edited_at": null, "read_at": "2026-01-15T08:00:00Z", "deleted_at": null,
                "created_at": "2026-01-15T07:59:10Z", "stored_at": "2026-01-15T08:00:00Z",
                "updated_at": "2026-01-15T08:00:00Z",
            })
        );
        assert_eq!(desk.events_after(seq).await.0, ["conversation_updated"]);
        let read_marks = "SELECT COUNT(*) FROM outbox WHERE kind = 'read'";
        assert_eq!(desk.server.database.number(read_marks).await, 1, "the customer is told once");
        desk.get(&format!("/admin/inbox/{id}")).await;
        assert_eq!(desk.server.database.number(read_marks).await, 1);
        assert_eq!(desk.events_after(seq).await.0.len(), 1, "nothing to read, nothing to tell");
        let page = desk.get(&format!("/admin/inbox/{id}?per_page=2&page=2")).await;
        assert_eq!(
            page["messages"]["meta"],
            json!({ "current_page": 2, "last_page": 2, "per_page": 2, "total": 3 })
        );
        assert_eq!(page["messages"]["data"][0]["content"], "2");
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_leaves_a_conversation_unread() {
    use frontdesk_model::user::{Ability, Role};
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "hello").await;
        let id = desk.conversation("Sari").await["id"].clone();
        let user = desk.server.user("watcher@example.org", Role::Agent).await;
        let token = desk.server.token(&user, &[Ability::InboxRead]).await;
        let seen = desk.server.get(&format!("/admin/inbox/{id}")).bearer(&token).send().await.ok(200);
        assert_eq!(seen["conversation"]["unread_count"], 1);
    }
}

#[tokio::test]
async fn ids_that_are_none_are_refused_and_unknown_ones_are_not_found() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "hello").await;
        let id = desk.conversation("Sari").await["id"].clone();
        for (method, path, body) in [
            ("GET", "/admin/inbox/ID", Value::Null),
            ("POST", "/admin/inbox/ID/messages", json!({ "content": "x" })),
            ("POST", "/admin/inbox/ID/status", json!({ "status": "closed" })),
            ("PATCH", "/admin/inbox/ID/messages/1/read", Value::Null),
            ("DELETE", "/admin/inbox/ID/messages/1", Value::Null),
            ("POST", "/admin/inbox/ID/messages/1/retry", Value::Null),
            ("GET", "/api/v1/conversations/ID", Value::Null),
            ("PATCH", "/api/v1/conversations/ID", json!({ "starred": true })),
            ("POST", "/api/v1/conversations/ID/read", Value::Null),
            ("POST", "/api/v1/conversations/ID/typing", Value::Null),
            ("GET", "/api/v1/messages/ID/deliveries", Value::Null),
            ("POST", "/api/v1/attachments/ID/fetch", Value::Null),
        ] {
            for (strange, status, code) in [
                ("abc", 400, "BAD_REQUEST"),
                ("1.5", 400, "BAD_REQUEST"),
                ("999", 404, "NOT_FOUND"),
                ("-1", 404, "NOT_FOUND"),
            ] {
                let call = desk.server.call(method, &path.replace("ID", strange)).bearer(&desk.agent);
                let call = if body.is_null() { call } else { call.json(&body) };
                call.send().await.refused(status, code);
            }
        }
        for message in ["999", "-5"] {
            let path = format!("/admin/inbox/{id}/messages/{message}");
            desk.server.delete(&path).bearer(&desk.agent).send().await.refused(404, "NOT_FOUND");
            desk.server
                .patch(&format!("{path}/read"))
                .bearer(&desk.agent)
                .send()
                .await
                .refused(404, "NOT_FOUND");
        }
        let wrong = desk.server.delete(&format!("/admin/inbox/{id}/messages/x")).bearer(&desk.agent);
        wrong.send().await.refused(400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn one_message_is_marked_as_read_and_the_others_stay_unread() {
    for desk in desks().await {
        for n in 0..3 {
            desk.write("6281390045512", "Sari", &format!("wamid.{n}"), -50 + n, &format!("{n}")).await;
        }
        let id = desk.conversation("Sari").await["id"].clone();
        let rows = desk.get(&format!("/api/v1/conversations/{id}/messages")).await["data"].clone();
        let (_, seq) = desk.events_after(0).await;
        desk.server.clock.advance_ms(60_000);
        let path = format!("/admin/inbox/{id}/messages/{}/read", rows[1]["id"]);
        let read = desk.server.patch(&path).bearer(&desk.agent).send().await.ok(200);
        assert_eq!(
            (read["read_at"].as_str(), read["content"].as_str()),
            (Some("2026-01-15T08:01:00Z"), Some("1"))
        );
        assert_eq!(read["updated_at"], "2026-01-15T08:01:00Z");
        assert_eq!(desk.get(&format!("/api/v1/conversations/{id}")).await["unread_count"], 2);
        desk.server.clock.advance_ms(60_000);
        let again = desk.server.patch(&path).bearer(&desk.agent).send().await.ok(200);
        assert_eq!(again["read_at"], "2026-01-15T08:01:00Z", "when it was read first");
        assert_eq!(desk.events_after(seq).await.0, ["conversation_updated"]);
        let ours = reply(&desk, &id, "an answer").await;
        let path = format!("/admin/inbox/{id}/messages/{}/read", ours["id"]);
        let ours = desk.server.patch(&path).bearer(&desk.agent).send().await.ok(200);
        assert_eq!(ours["read_at"], Value::Null, "only the customer reads ours");
    }
}

#[tokio::test]
async fn a_deleted_message_leaves_a_tombstone_and_a_trace() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.0", -50, "my secret").await;
        desk.write("6281390045512", "Sari", "wamid.1", -40, "the rest").await;
        let id = desk.conversation("Sari").await["id"].clone();
        let rows = desk.get(&format!("/api/v1/conversations/{id}/messages")).await["data"].clone();
        let path = format!("/admin/inbox/{id}/messages/{}", rows[0]["id"]);
        let (_, seq) = desk.events_after(0).await;
        let gone = desk.server.delete(&path).bearer(&desk.agent).send().await;
        assert_eq!((gone.status, gone.text().as_str()), (204, ""));
        desk.server.delete(&path).bearer(&desk.agent).send().await.refused(404, "NOT_FOUND");
        desk.server.patch(&format!("{path}/read")).bearer(&desk.agent).send().await.refused(404, "NOT_FOUND");
        let told = desk.events_after(seq).await.0;
        assert_eq!(told, ["message_updated", "conversation_updated"]);
        let conversation = desk.get(&format!("/api/v1/conversations/{id}")).await;
        assert_eq!(conversation["unread_count"], 1, "{}", desk.server.database.kind);
        let rows = desk.get(&format!("/api/v1/conversations/{id}/messages")).await["data"].clone();
        assert_eq!((&rows[0]["content"], rows[0]["kind"].as_str()), (&Value::Null, Some("text")));
        assert_eq!(rows[0]["deleted_at"], "2026-01-15T08:00:00Z");
        assert!(!rows.to_string().contains("my secret"));
        let kept = "SELECT COUNT(*) FROM messages WHERE content = 'my secret'";
        assert_eq!(desk.server.database.number(kept).await, 1, "for the audit");
        let trail = desk.server.get("/api/v1/audit").bearer(&desk.admin).send().await.ok(200);
        assert_eq!(trail["data"][0]["action"], "message.deleted");
        assert_eq!(trail["data"][0]["subject_id"], rows[0]["id"]);

        let queued = reply(&desk, &id, "a mistake").await;
        let path = format!("/admin/inbox/{id}/messages/{}", queued["id"]);
        assert_eq!(desk.server.delete(&path).bearer(&desk.agent).send().await.status, 204);
        let waiting = "SELECT COUNT(*) FROM outbox WHERE kind = 'message'";
        assert_eq!(desk.server.database.number(waiting).await, 0, "what was deleted in time is not sent");
    }
}

#[tokio::test]
async fn a_status_is_set_told_and_audited_and_another_word_is_a_bad_request() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.0", -50, "hello").await;
        let id = desk.conversation("Sari").await["id"].clone();
        let path = format!("/admin/inbox/{id}/status");
        let set = async |body: Value| desk.server.post(&path).bearer(&desk.agent).json(&body).send().await;
        for status in ["archived", "closed", "active"] {
            let (_, seq) = desk.events_after(0).await;
            desk.server.clock.advance_ms(1000);
            let answer = set(json!({ "status": status })).await.ok(200);
            assert_eq!(answer, json!({ "id": id, "status": status, "updated_at": answer["updated_at"] }));
            assert_eq!(desk.events_after(seq).await.0, ["conversation_status_changed"]);
            set(json!({ "status": status })).await.ok(200);
            assert_eq!(desk.events_after(seq).await.0.len(), 1, "the same again is no change");
        }
        for word in ["open", "", "CLOSED", " closed", "deleted"] {
            let refused = set(json!({ "status": word })).await.refused(400, "VALIDATION_ERROR");
            assert_eq!(refused["errors"]["status"], json!(["The selected status is invalid."]));
            assert_eq!(refused["message"], "The given data was invalid.");
        }
        for body in
            [json!({}), json!({ "status": null }), json!({ "status": 7 }), json!({ "status": ["closed"] })]
        {
            let answer = set(body.clone()).await;
            assert!(answer.status == 400 || answer.status == 422, "{body}: {}", answer.text());
            assert!(answer.json()["errors"]["status"].is_array(), "{body}: {}", answer.text());
        }
        set(json!({ "status": "closed" })).await.ok(200);
        let (_, seq) = desk.events_after(0).await;
        desk.write("6281390045512", "Sari", "wamid.1", -40, "one more thing").await;
        assert_eq!(
            desk.get(&format!("/api/v1/conversations/{id}")).await["status"],
            "active",
            "it opens again"
        );
        let told = desk.events_after(seq).await.0;
        assert_eq!(told, ["message_received", "conversation_status_changed"]);
    }
}

#[tokio::test]
async fn stars_labels_and_assignees_are_changed_one_by_one() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.0", -50, "hello").await;
        let id = desk.conversation("Sari").await["id"].clone();
        let path = format!("/api/v1/conversations/{id}");
        let change =
            async |body: Value| desk.server.patch(&path).bearer(&desk.agent).json(&body).send().await;
        assert_eq!(change(json!({ "starred": true })).await.ok(200)["starred"], true);
        let assigned = change(json!({ "assignee_id": desk.agent_id })).await.ok(200);
        assert_eq!(assigned["assignee"], json!({ "id": desk.agent_id, "name": "agent" }));
        assert_eq!(assigned["starred"], true);
        let labelled = change(json!({ "labels": ["vip", " vip ", "", "late"] })).await.ok(200);
        assert_eq!(labelled["labels"], json!(["vip", "late"]));
        assert_eq!(change(json!({ "assignee_id": null })).await.ok(200)["assignee"], Value::Null);
        for (body, field) in [
            (json!({ "assignee_id": 999 }), "assignee_id"),
            (json!({ "assignee_id": "x" }), "assignee_id"),
            (json!({ "labels": ["x".repeat(41)] }), "labels"),
            (json!({ "labels": (0..21).map(|n| n.to_string()).collect::<Vec<_>>() }), "labels"),
            (json!({ "starred": "yes" }), "starred"),
        ] {
            let refused = change(body.clone()).await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].is_array(), "{body}: {refused}");
        }
        assert_eq!(desk.get(&path).await["labels"], json!(["vip", "late"]));
    }
}

#[tokio::test]
async fn a_conversation_marked_as_unread_is_unread_until_it_is_read_again() {
    for desk in desks().await {
        desk.write("628111000222", "Sari", "wamid.u1", -9, "first").await;
        desk.write("628111000222", "Sari", "wamid.u2", -8, "second").await;
        let id = desk.conversation("Sari").await["id"].clone();
        let mark = async |word: &str| {
            let call = desk.server.post(&format!("/api/v1/conversations/{id}/{word}")).bearer(&desk.agent);
            call.send().await.ok(200)["unread_count"].clone()
        };
        assert_eq!(mark("unread").await, 2, "what is unread stays so");
        assert_eq!(mark("read").await, 0);
        let (_, before) = desk.events_after(0).await;
        assert_eq!(mark("unread").await, 1);
        let (kinds, last) = desk.events_after(before).await;
        assert_eq!(kinds, ["conversation_updated"]);
        assert_eq!(mark("unread").await, 1);
        assert_eq!(desk.events_after(last).await.0.len(), 0, "nothing changed");
        assert_eq!(desk.get("/api/v1/conversations?unread=true").await["data"].as_array().unwrap().len(), 1);
        assert_eq!(mark("read").await, 0);
        let nobodys = desk.server.post("/api/v1/conversations/4711/unread").bearer(&desk.agent);
        nobodys.send().await.refused(404, "NOT_FOUND");
    }
}
