use frontdesk_engine::crm;
use serde_json::{Value, json};

use crate::{Desk, SITI, desks};

async fn keep(desk: &Desk, shortcut: &str, content: &str) -> Value {
    let body = json!({ "shortcut": shortcut, "content": content });
    desk.post("/api/crm/quick-replies", body, 201).await["data"].clone()
}

#[tokio::test]
async fn a_quick_reply_goes_out_filled_in() {
    for desk in desks().await {
        desk.write(SITI, "Siti Aminah", "wamid.1", 0, "halo").await;
        desk.give(SITI, 250_000).await;
        let text = keep(&desk, "/Thanks", "{{first_name|kak}}: {{lifetime_value}}, {{gift}}").await;
        assert_eq!(
            (&text["shortcut"], &text["variables"]),
            (&json!("thanks"), &json!(["first_name", "lifetime_value", "gift"]))
        );
        let body = json!({ "phone": SITI, "template_id": text["id"], "variables": { "gift": "a book" } });
        let sent = desk.post("/api/crm/messages/quick-reply", body, 200).await;
        assert_eq!(
            (&sent["success"], &sent["data"]["content"]),
            (&json!(true), &json!("Siti: IDR 250000, a book"))
        );
    }
}

#[tokio::test]
async fn a_variable_without_a_value_is_refused_before_anything_is_stored() {
    for desk in desks().await {
        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        let text = keep(&desk, "gift", "{{gift}} {{custom.city}}").await;
        let body = json!({ "phone": SITI, "template_id": text["id"] });
        let call = desk.server.post("/api/crm/messages/quick-reply").bearer(&desk.agent).json(&body);
        let refusal = call.send().await.refused(422, "VALIDATION_ERROR");
        let fields: Vec<&String> = refusal["errors"].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["variables.custom.city", "variables.gift"]);
        let stored = "SELECT COUNT(*) FROM messages WHERE direction = 'outbound'";
        assert_eq!(desk.server.database.number(stored).await, 0);
        let unknown = json!({ "phone": SITI, "template_id": 999 });
        let call = desk.server.post("/api/crm/messages/quick-reply").bearer(&desk.agent).json(&unknown);
        assert!(call.send().await.refused(422, "VALIDATION_ERROR")["errors"]["template_id"].is_array());
    }
}

#[tokio::test]
async fn texts_that_could_not_be_sent_are_not_kept() {
    for desk in desks().await {
        keep(&desk, "hi", "Hi").await;
        for (body, field) in [
            (json!({ "shortcut": "a", "content": "{{name" }), "content"),
            (json!({ "shortcut": "a", "content": "{{#if x}}" }), "content"),
            (json!({ "shortcut": "a b", "content": "x" }), "shortcut"),
            (json!({ "shortcut": "HI", "content": "x" }), "shortcut"),
            (json!({ "shortcut": "", "content": "x" }), "shortcut"),
        ] {
            let call = desk.server.post("/api/crm/quick-replies").bearer(&desk.agent).json(&body);
            let refusal = call.send().await.refused(422, "VALIDATION_ERROR");
            assert!(refusal["errors"][field].is_array(), "{body}: {refusal}");
        }
        let id = &keep(&desk, "bye", "Bye").await["id"];
        let path = format!("/api/crm/quick-replies/{id}");
        let call = desk.server.patch(&path).bearer(&desk.agent).json(&json!({ "shortcut": "hi" }));
        call.send().await.refused(422, "VALIDATION_ERROR");
        desk.server.delete(&path).bearer(&desk.agent).send().await.ok(200);
        assert_eq!(desk.get("/api/crm/quick-replies").await["data"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_note_keeps_what_it_said_and_belongs_to_its_author() {
    for desk in desks().await {
        let path = format!("/api/crm/contacts/{SITI}/notes");
        let note = desk.post(&path, json!({ "note": " Likes tea " }), 201).await["data"].clone();
        assert_eq!(note["note"], "Likes tea");
        desk.post(&path, json!({ "note": "Pinned", "pinned": true }), 201).await;
        let one = format!("/api/crm/notes/{}", note["id"]);
        let change = desk.server.patch(&one).bearer(&desk.agent).json(&json!({ "note": "Likes coffee" }));
        change.send().await.ok(200);
        let edits = desk.get(&format!("{one}/edits")).await;
        assert_eq!(
            (&edits["data"][0]["note"], &edits["data"][0]["version"]),
            (&json!("Likes tea"), &json!(1))
        );
        let listed = desk.get(&path).await;
        assert_eq!(
            (&listed["data"][0]["note"], &listed["data"][1]["note"]),
            (&json!("Pinned"), &json!("Likes coffee"))
        );

        use frontdesk_model::user::{Ability, Role};
        let other = desk.server.user("other@example.org", Role::Agent).await;
        let other = desk.server.token(&other, &[Ability::All]).await;
        desk.server.delete(&one).bearer(&other).send().await.refused(403, "UNAUTHORIZED");
        desk.server.delete(&one).bearer(&desk.admin).send().await.ok(200);
        desk.server.get(&format!("{one}/edits")).bearer(&desk.agent).send().await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn donors_are_found_by_what_was_noted_of_them() {
    const OTHER: &str = "6281390045599";
    for desk in desks().await {
        let note = async |phone: &str, text: &str| {
            let path = format!("/api/crm/contacts/{phone}/notes");
            desk.post(&path, json!({ "note": text }), 201).await["data"]["id"].clone()
        };
        let first = note(SITI, "Prefers São Paulo's café, calls after five").await;
        note(SITI, "Drinks tea").await;
        note(OTHER, "Drinks coffee").await;
        let found = async |words: &str| {
            let listed = desk.get(&format!("/api/crm/contacts?q={words}")).await;
            let phones = listed["data"].as_array().unwrap().iter().map(|donor| donor["phone"].clone());
            phones.collect::<Vec<_>>()
        };
        let siti = json!("+6281390045512");
        assert_eq!(found("sao%20CAFE").await, std::slice::from_ref(&siti));
        assert_eq!(found("drinks").await.len(), 2);
        assert!(found("cafe%20drinks").await.is_empty(), "all words in one note");
        assert_eq!(found("").await.len(), 2);

        let path = format!("/api/crm/notes/{first}");
        let change = desk.server.patch(&path).bearer(&desk.agent).json(&json!({ "note": "Calls at noon" }));
        change.send().await.ok(200);
        assert!(found("cafe").await.is_empty());
        assert_eq!(found("noon").await, std::slice::from_ref(&siti));
        desk.server.database.script("UPDATE contact_notes SET search_text = NULL").await;
        assert!(found("noon").await.is_empty(), "as a version before would have stored it");
        crm::catch_up(&desk.server.engine).await.unwrap();
        assert_eq!(found("noon").await, [siti]);
    }
}

#[tokio::test]
async fn who_writes_a_number_as_at_home_hears_which_setting_lacks() {
    for desk in desks().await {
        let sentence = async |phone: &str| {
            let path = format!("/api/crm/contacts/{phone}");
            let refused = desk.server.get(&path).bearer(&desk.agent).send().await;
            refused.refused(422, "VALIDATION_ERROR")["errors"]["phone"][0].as_str().unwrap().to_owned()
        };
        assert!(sentence("081390045512").await.contains("calling_code"));
        assert!(!sentence("abc").await.contains("calling_code"));
        desk.settle(json!({ "calling_code": "62" })).await;
        desk.get("/api/crm/contacts/081390045512").await;
        assert!(!sentence("abc").await.contains("calling_code"));
    }
}
