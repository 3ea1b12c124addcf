use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::{Value, json};

use crate::{SITI, desks};

#[tokio::test]
async fn the_dashboard_says_what_waits_and_how_fast_we_answer() {
    for desk in desks().await {
        let empty = desk.get("/api/crm/dashboard").await;
        assert_eq!((&empty["success"], &empty["summary"]["total_sessions"]), (&json!(true), &json!(1)));
        assert_eq!(empty["summary"]["first_response_median_secs"], Value::Null);
        assert_eq!(empty["summary"]["waiting_longest_secs"], Value::Null);

        desk.write(SITI, "Siti", "wamid.1", 0, "halo").await;
        desk.write("6281390045577", "Budi", "wamid.2", 60, "pagi").await;
        desk.server.clock.advance_ms(300_000);
        let due = json!({ "text": "Call", "due_at": "2020-01-01T00:00:00Z" });
        desk.post(&format!("/api/crm/contacts/{SITI}/reminders"), due, 201).await;
        let waiting = desk.get("/api/crm/dashboard").await;
        let session = &waiting["sessions"][0];
        assert_eq!(
            (&session["active_chats"], &session["session_id"]),
            (&json!(2), &json!(frontdesk_testkit::meta::NUMBER))
        );
        assert!(session["last_activity"].is_string());
        let summary = &waiting["summary"];
        assert_eq!((&summary["total_active_chats"], &summary["reminders_due"]), (&json!(2), &json!(1)));
        assert_eq!(summary["waiting_longest_secs"], 300);

        desk.post("/api/crm/messages/send", json!({ "phone": SITI, "message": "Halo!" }), 200).await;
        let chat = desk.get("/api/crm/inbox?search=siti").await["conversations"][0]["id"].clone();
        desk.post(&format!("/api/crm/inbox/{}/read", chat.as_str().unwrap()), json!({}), 200).await;
        let answered = desk.get("/api/crm/dashboard").await["summary"].clone();
        assert_eq!(
            (&answered["first_response_median_secs"], &answered["total_active_chats"]),
            (&json!(300), &json!(1))
        );
        assert_eq!(answered["waiting_longest_secs"], 240, "who was answered waits no longer");
        let mine = desk.get("/api/crm/dashboard?user=me").await["summary"].clone();
        assert_eq!((&mine["total_active_chats"], &mine["reminders_due"]), (&json!(0), &json!(0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_template_goes_out_filled_in_or_not_at_all() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("whatsapp").await;
        let contact = format!("SELECT contact_id FROM conversations WHERE id = {}", thread.id);
        let phone = format!("id:{}", stage.database.number(&contact).await);
        let send = async |body: Value| stage.call("POST", "/api/crm/messages/template", body).await;
        let (status, refusal) = send(json!({ "phone": phone, "template_id": "nothing_such" })).await;
        assert_eq!((status, refusal["errors"]["template_id"].is_array()), (422, true), "{refusal}");
        let (status, refusal) = send(json!({ "phone": phone, "template_id": "order_update" })).await;
        assert_eq!(
            (status, refusal["errors"].as_object().map(|errors| errors.len())),
            (422, Some(2)),
            "{refusal}"
        );
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM outbox").await, 0, "nothing is stored before");
        let body = json!({ "phone": phone, "template_id": "order_update", "variables": ["A-17", "besok"] });
        let (status, sent) = send(body).await;
        assert_eq!((status, &sent["success"]), (200, &json!(true)), "{sent}");
        stage.arrives(frontdesk_testkit::stage::id_of(&sent["data"])).await;
    }
}
