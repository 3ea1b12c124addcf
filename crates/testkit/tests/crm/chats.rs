use serde_json::{Value, json};

use crate::{SITI, desks};

#[tokio::test]
async fn chats_show_the_donor_beside_the_message() {
    for desk in desks().await {
        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        desk.write("6281390045577", "Budi", "wamid.2", 10, "pagi").await;
        desk.give(SITI, 250_000).await;
        let chats = desk.get("/api/crm/inbox?filter=all&search=&limit=50").await;
        let (budi, siti) = (&chats["conversations"][0], &chats["conversations"][1]);
        assert_eq!(budi["name"], "Budi");
        let giftless = json!({ "lifetime_value": 0, "donation_count": 0, "avg_donation": null, "last_donation": null,
            "segment": "New" });
        for (field, value) in giftless.as_object().unwrap() {
            assert_eq!(&budi["donatur"][field], value, "{field}: the first contact is always New");
        }
        assert_eq!((&siti["last_message"], &siti["phone"]), (&json!("halo"), &json!("+6281390045512")));
        assert_eq!(
            (&siti["donatur"]["lifetime_value"], &siti["donatur"]["segment"]),
            (&json!(250_000), &json!("New"))
        );
        let page = desk.get("/api/crm/inbox?limit=1").await;
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = desk.get(&format!("/api/crm/inbox?limit=1&cursor={cursor}")).await;
        assert_eq!((&rest["conversations"][0]["name"], &rest["next_cursor"]), (&json!("Siti"), &Value::Null));
        let found = desk.get("/api/crm/inbox?search=pagi").await;
        assert_eq!(found["conversations"].as_array().unwrap().len(), 1);
        let call = desk.server.get("/api/crm/inbox?filter=mine").bearer(&desk.agent);
        call.send().await.refused(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_chat_is_read_starred_and_answered() {
    for desk in desks().await {
        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        let id = desk.get("/api/crm/inbox?filter=unread").await["conversations"][0]["id"].clone();
        let chat = format!("/api/crm/inbox/{}", id.as_str().unwrap());
        let read = desk.post(&format!("{chat}/read"), json!({}), 200).await;
        assert_eq!((&read["success"], &read["data"]["unread_count"]), (&json!(true), &json!(0)));
        let star = desk.post(&format!("{chat}/star"), json!({}), 200).await;
        assert_eq!(star["data"]["is_starred"], true);
        assert_eq!(desk.get("/api/crm/inbox?filter=starred").await["conversations"][0]["id"], id);
        desk.post(&format!("{chat}/star"), json!({}), 200).await;
        assert_eq!(desk.get("/api/crm/inbox?filter=starred").await["conversations"], json!([]));

        let body = json!({ "phone": SITI, "message": "Test message", "type": "text" });
        let sent = desk.post("/api/crm/messages/send", body, 200).await;
        assert_eq!((&sent["success"], &sent["data"]["chat_id"]), (&json!(true), &id));
        let messages = desk.get(&chat).await;
        assert_eq!(messages["data"], messages["messages"], "each client reads its own");
        let both: Vec<&Value> =
            messages["messages"].as_array().unwrap().iter().map(|m| &m["direction"]).collect();
        assert_eq!(both, ["incoming", "outgoing"]);
        assert_eq!(messages["messages"][1]["message"], "Test message");
    }
}

#[tokio::test]
async fn who_wants_no_messages_gets_none_and_counts_half() {
    for desk in desks().await {
        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        let before = desk.give(SITI, 250_000).await["metrics"]["engagement_score"].as_i64().unwrap();
        let contact = format!("/api/crm/contacts/{SITI}");
        let change = json!({ "opted_out": true, "custom_fields": { "city": "Bandung", "age": 41 } });
        let profile = desk.server.patch(&contact).bearer(&desk.agent).json(&change).send().await.ok(200);
        assert_eq!(profile["donatur"]["custom_fields"], json!({ "city": "Bandung", "age": 41 }));
        let after = profile["metrics"]["engagement_score"].as_i64().unwrap();
        assert!((before / 2..=before / 2 + 1).contains(&after), "{before} {after}");
        let body = json!({ "phone": SITI, "message": "hi" });
        let call = desk.server.post("/api/crm/messages/send").bearer(&desk.agent).json(&body);
        call.send().await.refused(422, "VALIDATION_ERROR");
        let change = json!({ "opted_out": false, "custom_fields": { "age": null } });
        let profile = desk.server.patch(&contact).bearer(&desk.agent).json(&change).send().await.ok(200);
        assert_eq!(profile["donatur"]["custom_fields"], json!({ "city": "Bandung" }));
        desk.post("/api/crm/messages/send", json!({ "phone": SITI, "message": "hi" }), 200).await;
    }
}

#[tokio::test]
async fn who_is_erased_leaves_nothing_behind() {
    for desk in desks().await {
        desk.give(SITI, 250_000).await;
        let contact = format!("/api/crm/contacts/{SITI}");
        desk.post(&format!("{contact}/notes"), json!({ "note": "x" }), 201).await;
        let due = json!({ "text": "x", "due_at": "2026-02-01T00:00:00Z" });
        desk.post(&format!("{contact}/reminders"), due, 201).await;
        let id = desk.get(&contact).await["donatur"]["id"].clone();
        desk.server.delete(&format!("/api/v1/contacts/{id}")).bearer(&desk.admin).send().await.ok(204);
        for table in
            ["donations", "contact_notes", "contact_note_edits", "reminders", "donor_figures", "opt_outs"]
        {
            let left = desk.server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await;
            assert_eq!(left, 0, "{table}");
        }
        assert_eq!(desk.get(&contact).await["donatur"], Value::Null);
    }
}
