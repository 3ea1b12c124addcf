use serde_json::{Value, json};

use crate::desk::desks;

#[tokio::test]
async fn a_contacts_card_shows_who_they_are_and_where_they_write() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "hello").await;
        let conversation = desk.conversation("Sari").await;
        let id = conversation["customer_id"].clone();
        let card = desk.get(&format!("/api/v1/contacts/{id}")).await;
        assert_eq!(
            card,
            json!({
                "id": id, "name": "Sari", "email": null, "phone": "+6281390045512", "avatar_url": null,
                "custom_fields": {},
                "identities": [{ "kind": "phone", "value": "+6281390045512" }],
                "conversations": [{ "id": conversation["id"], "inbox": conversation["inbox"], "platform": "whatsapp",
                    "status": "active", "last_message_at": "2026-01-15T07:59:10Z" }],
                "first_seen_at": "2026-01-15T08:00:00Z", "last_seen_at": "2026-01-15T07:59:10Z",
                "created_at": "2026-01-15T08:00:00Z",
            })
        );
        for (path, status, code) in
            [("/api/v1/contacts/999", 404, "NOT_FOUND"), ("/api/v1/contacts/x", 400, "BAD_REQUEST")]
        {
            desk.server.get(path).bearer(&desk.agent).send().await.refused(status, code);
        }
    }
}

#[tokio::test]
async fn a_name_an_agent_gave_stays_until_they_take_it_back() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "hello").await;
        let id = desk.conversation("Sari").await["customer_id"].clone();
        let path = format!("/api/v1/contacts/{id}");
        let change =
            async |body: Value| desk.server.patch(&path).bearer(&desk.agent).json(&body).send().await;
        let (_, seq) = desk.events_after(0).await;
        let card = change(json!({ "name": "  Mrs Wulandari ", "email": " Sari@Example.ORG " })).await.ok(200);
        assert_eq!(
            (card["name"].as_str(), card["email"].as_str()),
            (Some("Mrs Wulandari"), Some("sari@example.org"))
        );
        assert_eq!(desk.events_after(seq).await.0, ["contact_updated"]);
        desk.write("6281390045512", "Sari on holiday", "wamid.2", -40, "hello").await;
        assert_eq!(desk.get(&path).await["name"], "Mrs Wulandari");
        let card = change(json!({ "email": null })).await.ok(200);
        assert_eq!((&card["name"], &card["email"]), (&json!("Mrs Wulandari"), &Value::Null));
        assert_eq!(change(json!({})).await.ok(200)["name"], "Mrs Wulandari");
        assert_eq!(
            change(json!({ "name": "" })).await.ok(200)["name"],
            "+6281390045512",
            "until the network tells it"
        );
        desk.write("6281390045512", "Sari again", "wamid.3", -30, "hello").await;
        assert_eq!(desk.get(&path).await["name"], "Sari again");

        for (body, field) in [
            (json!({ "name": "x".repeat(121) }), "name"),
            (json!({ "email": "nonsense" }), "email"),
            (json!({ "email": "a@b\u{0}.org" }), "email"),
            (json!({ "name": 7 }), "name"),
            (json!({ "email": [] }), "email"),
        ] {
            let refused = change(body.clone()).await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].is_array(), "{body}: {refused}");
        }
        let absent =
            desk.server.patch("/api/v1/contacts/999").bearer(&desk.agent).json(&json!({ "name": "x" }));
        absent.send().await.refused(404, "NOT_FOUND");
        let trail = desk.server.get("/api/v1/audit").bearer(&desk.admin).send().await.ok(200);
        assert_eq!(trail["data"][0]["action"], "contact.updated");
    }
}

#[tokio::test]
async fn what_people_note_in_fields_of_a_contact_is_merged_and_what_another_program_says_stays() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "hello").await;
        let id = desk.conversation("Sari").await["customer_id"].clone();
        let known = "UPDATE contacts SET custom_fields = '{\"chatwoot_id\":77}'";
        desk.server.database.script(&format!("{known} WHERE id = {id}")).await;
        let path = format!("/api/v1/contacts/{id}");
        let change =
            async |body: Value| desk.server.patch(&path).bearer(&desk.agent).json(&body).send().await;
        let fields = json!({ "custom_fields": { "city": "Bandung", "visits": 3, "vip": true } });
        let card = change(fields).await.ok(200);
        assert_eq!(
            card["custom_fields"],
            json!({ "chatwoot_id": 77, "city": "Bandung", "visits": 3, "vip": true })
        );
        let card =
            change(json!({ "custom_fields": { "vip": null, "visits": 4, "never": null } })).await.ok(200);
        let left = json!({ "chatwoot_id": 77, "city": "Bandung", "visits": 4 });
        assert_eq!((&card["custom_fields"], &card["name"]), (&left, &json!("Sari")));
        for (body, field) in [
            (json!({ "chatwoot_id": 78 }), "custom_fields.chatwoot_id"),
            (json!({ "City": "x" }), "custom_fields.City"),
            (json!({ "city": ["x"] }), "custom_fields.city"),
            (json!({ "city": "x".repeat(501) }), "custom_fields.city"),
            ((0..50).map(|n| (format!("f{n}"), json!(n))).collect(), "custom_fields"),
        ] {
            let refused = change(json!({ "custom_fields": body })).await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].is_array(), "{field}: {refused}");
        }
        assert_eq!(desk.get(&path).await["custom_fields"], left, "what is refused changes nothing");
    }
}
