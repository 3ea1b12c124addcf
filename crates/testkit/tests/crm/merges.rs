use serde_json::{Value, json};

use crate::{Desk, SITI, desks};

const OTHER: &str = "6281390045577";

/// Siti writes and gives under two numbers.
async fn twice(desk: &Desk) -> (Value, Value) {
    desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
    desk.write(OTHER, "Siti Aminah", "wamid.2", 10, "nomor baru").await;
    desk.server.clock.advance_ms(60_000);
    desk.give(SITI, 100_000).await;
    desk.give(OTHER, 250_000).await;
    desk.post(&format!("/api/crm/contacts/{OTHER}/notes"), json!({ "note": "Moved to Bandung" }), 201).await;
    let due = json!({ "text": "Call", "due_at": "2027-02-01T00:00:00Z" });
    desk.post(&format!("/api/crm/contacts/{OTHER}/reminders"), due, 201).await;
    (profile(desk, SITI).await, profile(desk, OTHER).await)
}

async fn profile(desk: &Desk, who: &str) -> Value {
    desk.get(&format!("/api/crm/contacts/{who}")).await
}

/// What undoing has to bring back: everything but the moments.
fn remembered(profile: &Value) -> Value {
    let donor = &profile["donatur"];
    let ids = |list: &Value| -> Vec<Value> {
        list.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    };
    json!({ "id": donor["id"], "name": donor["name"], "phone": donor["phone"], "email": donor["email"],
        "custom_fields": donor["custom_fields"], "opted_out": donor["opted_out"], "donations": ids(&donor["donations"]),
        "notes": ids(&donor["notes"]), "reminders": ids(&donor["reminders"]),
        "lifetime": profile["metrics"]["lifetime_value"], "count": profile["metrics"]["donation_count"] })
}

/// The words of each chat by the name of its customer.
async fn chats(desk: &Desk) -> Vec<(Value, Vec<Value>)> {
    let mut all = Vec::new();
    for chat in desk.get("/api/crm/inbox").await["conversations"].as_array().unwrap() {
        let messages = desk.get(&format!("/api/crm/inbox/{}", chat["id"].as_str().unwrap())).await;
        let words = messages["messages"].as_array().unwrap().iter().map(|m| m["message"].clone()).collect();
        all.push((chat["name"].clone(), words));
    }
    all
}

#[tokio::test]
async fn two_numbers_of_one_person_become_one_donor_and_two_again() {
    for desk in desks().await {
        let (first, second) = twice(&desk).await;
        let before = chats(&desk).await;
        let body = json!({ "keep": SITI, "merge": OTHER, "fields": { "name": "merge" } });
        let merge = desk.post("/api/crm/contacts/merge", body.clone(), 201).await["data"].clone();
        assert_eq!(
            (&merge["contact_id"], &merge["merged_id"]),
            (&first["donatur"]["id"], &second["donatur"]["id"])
        );

        let one = profile(&desk, OTHER).await;
        assert_eq!(
            (&one["donatur"]["id"], &one["donatur"]["name"]),
            (&first["donatur"]["id"], &json!("Siti Aminah"))
        );
        assert_eq!(one["donatur"]["phone"], "+6281390045512", "the number of the one that stays is shown");
        assert_eq!(
            (&one["metrics"]["lifetime_value"], &one["metrics"]["donation_count"]),
            (&json!(350_000), &json!(2))
        );
        assert_eq!(one["donatur"]["notes"][0]["note"], "Moved to Bandung");
        assert_eq!(one["donatur"]["reminders"][0]["text"], "Call");
        let by_old_id = profile(&desk, &format!("id:{}", second["donatur"]["id"])).await;
        assert_eq!(by_old_id["donatur"]["id"], first["donatur"]["id"], "old ids lead to the one that stays");
        assert_eq!(chats(&desk).await, [(json!("Siti Aminah"), vec![json!("halo"), json!("nomor baru")])]);
        let call = desk.server.post("/api/crm/contacts/merge").bearer(&desk.agent).json(&body);
        call.send().await.refused(422, "VALIDATION_ERROR");

        // What came since stays with the one that was kept.
        desk.give(OTHER, 5_000).await;
        let undo = format!("/api/crm/merges/{}/undo", merge["id"]);
        let undone = desk.post(&undo, json!({}), 200).await;
        assert!(undone["data"]["undone_at"].is_string());
        let mut expected = remembered(&first);
        expected["lifetime"] = json!(105_000);
        expected["count"] = json!(2);
        let now = profile(&desk, SITI).await;
        let mut now = remembered(&now);
        now["donations"].as_array_mut().unwrap().remove(0);
        assert_eq!(now, expected, "{}", desk.server.database.kind);
        assert_eq!(
            remembered(&profile(&desk, OTHER).await),
            remembered(&second),
            "{}",
            desk.server.database.kind
        );
        assert_eq!(chats(&desk).await, before);
        desk.server.post(&undo).bearer(&desk.agent).send().await.refused(409, "CONFLICT");

        // Each number is heard where it belongs.
        desk.write(OTHER, "Siti Aminah", "wamid.3", 120, "lagi").await;
        let after = chats(&desk).await;
        assert_eq!(after[0], (json!("Siti Aminah"), vec![json!("nomor baru"), json!("lagi")]));
        assert_eq!(after[1].1, [json!("halo")]);
    }
}

#[tokio::test]
async fn merges_are_undone_from_the_last_one_back_and_not_for_ever() {
    for desk in desks().await {
        let third = "6281390045588";
        for phone in [SITI, OTHER, third] {
            desk.give(phone, 1_000).await;
        }
        let merge = async |keep: &str, merge: &str| {
            let body = json!({ "keep": keep, "merge": merge });
            desk.post("/api/crm/contacts/merge", body, 201).await["data"]["id"].clone()
        };
        let first = merge(SITI, OTHER).await;
        let second = merge(SITI, third).await;
        let undo = |id: &Value| format!("/api/crm/merges/{id}/undo");
        desk.server.post(&undo(&first)).bearer(&desk.agent).send().await.refused(409, "CONFLICT");
        desk.post(&undo(&second), json!({}), 200).await;
        assert_eq!(profile(&desk, third).await["metrics"]["lifetime_value"], 1_000);
        let listed = desk.get("/api/crm/merges").await;
        assert_eq!((&listed["data"][0]["id"], &listed["data"][1]["id"]), (&second, &first));
        desk.server.clock.advance_ms(31 * 86_400_000);
        desk.server.post(&undo(&first)).bearer(&desk.agent).send().await.refused(409, "CONFLICT");
        frontdesk_engine::crm::catch_up(&desk.server.engine).await.unwrap();
        assert_eq!(desk.get("/api/crm/merges").await["data"], json!([]), "what cannot be undone is not kept");
    }
}
