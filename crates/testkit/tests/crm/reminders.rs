use frontdesk_engine::crm;
use serde_json::{Value, json};

use crate::{Desk, SITI, desks};

async fn due(desk: &Desk) -> Vec<Value> {
    crm::catch_up(&desk.server.engine).await.unwrap();
    desk.get("/api/crm/reminders?state=due").await["data"].as_array().unwrap().clone()
}

async fn remind(desk: &Desk, body: Value) -> Value {
    desk.post(&format!("/api/crm/contacts/{SITI}/reminders"), body, 201).await["data"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_goes_off_once_whatever_nodes_there_are() {
    for desk in desks().await {
        let set = remind(&desk, json!({ "text": "Call back", "due_at": "2026-01-15T09:00:00Z" })).await;
        assert_eq!(due(&desk).await, Vec::<Value>::new());
        desk.server.clock.advance_ms(3_600_000);
        let other = desk.server.second_engine().await;
        let both = tokio::join!(crm::catch_up(&desk.server.engine), crm::catch_up(&other));
        both.0.unwrap();
        both.1.unwrap();
        let now = due(&desk).await;
        assert_eq!((now.len(), &now[0]["id"]), (1, &set["id"]));
        assert_eq!((&now[0]["was_due"], &now[0]["next_at"]), (&json!(false), &Value::Null));
        let fired = now[0]["fired_at"].clone();
        desk.server.clock.advance_ms(60_000);
        assert_eq!(due(&desk).await[0]["fired_at"], fired, "not again");
        desk.post(&format!("/api/crm/reminders/{}/done", set["id"]), json!({}), 200).await;
        assert_eq!(due(&desk).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn what_was_missed_goes_off_once_as_was_due_and_comes_again() {
    for desk in desks().await {
        let body = json!({ "text": "Ask", "due_at": "2026-01-15T09:00:00Z", "repeat": "daily" });
        let set = remind(&desk, body).await;
        desk.server.clock.advance_ms(3 * 86_400_000 + 7_200_000); // the 18th at ten
        let now = due(&desk).await;
        assert_eq!(now.len(), 1);
        assert_eq!(
            (&now[0]["due_at"], &now[0]["next_at"], &now[0]["was_due"]),
            (&json!("2026-01-18T09:00:00Z"), &json!("2026-01-19T09:00:00Z"), &json!(true))
        );
        desk.post(&format!("/api/crm/reminders/{}/done", set["id"]), json!({}), 200).await;
        assert_eq!(due(&desk).await, Vec::<Value>::new());
        desk.server.clock.advance_ms(86_400_000);
        let again = due(&desk).await;
        assert_eq!((again.len(), &again[0]["done_at"]), (1, &Value::Null), "done was the one before");
    }
}

#[tokio::test]
async fn wrong_reminders_are_refused_by_field() {
    for desk in desks().await {
        let path = format!("/api/crm/contacts/{SITI}/reminders");
        let at = "2026-01-15T09:00:00Z";
        for (body, field) in [
            (json!({ "text": " ", "due_at": at }), "text"),
            (json!({ "text": "x", "due_at": "soon" }), "due_at"),
            (json!({ "text": "x", "due_at": at, "repeat": "hourly" }), "repeat"),
            (json!({ "text": "x", "due_at": at, "time_zone": "Mars/Olympus" }), "time_zone"),
            (json!({ "text": "x", "due_at": at, "assignee_id": 999 }), "assignee_id"),
        ] {
            let refusal = desk.server.post(&path).bearer(&desk.agent).json(&body).send().await;
            let refusal = refusal.refused(422, "VALIDATION_ERROR");
            assert!(refusal["errors"][field].is_array(), "{field}: {refusal}");
        }
        assert_eq!(desk.get(&path).await["data"], json!([]));
    }
}
