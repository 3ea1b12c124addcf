//! Writing first: to a number, in the conversation that is there or that begins with it.

use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::customer::NewCustomer;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of, sample};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/messages";

async fn hotels() -> Vec<(Stage, i64)> {
    let mut ready = Vec::new();
    for stage in Stage::on_all(StageSettings::default()).await {
        let inbox = stage
            .add_instance("hotel", &[("rate_limit_per_second", "0"), ("rate_limit_per_minute", "0")])
            .await;
        ready.push((stage, inbox.0));
    }
    ready
}

/// A guest with a phone who has not written.
fn guest(stage: &Stage, phone: &str) -> String {
    let new: NewCustomer = serde_json::from_value(json!({ "name": "Guest", "phone": phone })).unwrap();
    stage.sandbox.world().add_customer(new).unwrap().id
}

async fn count(stage: &Stage, table: &str) -> i64 {
    stage.database.number(&format!("SELECT COUNT(*) FROM {table}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotel_writes_first_and_the_guests_answer_stands_below() {
    for (stage, inbox) in hotels().await {
        let guest = guest(&stage, "6281390045512");
        let body = json!({ "inbox_id": inbox, "phone": "+62 813-9004-5512", "name": "Sari", "content": "Your room is ready" });
        let (status, first) = stage.call("POST", PATH, body).await;
        assert_eq!(status, 201, "{first}");
        stage.reaches(id_of(&first), MessageStatus::Delivered).await;
        let conversation = &first["conversation_id"];
        let body = json!({ "inbox_id": inbox, "phone": "006281390045512", "name": "Other", "content": "Breakfast is until ten" });
        let (status, second) = stage.call("POST", PATH, body).await;
        assert_eq!((status, &second["conversation_id"]), (201, conversation), "{second}");
        stage.reaches(id_of(&second), MessageStatus::Delivered).await;
        let answer = stage.act(&guest, "hotel", json!({ "kind": "text", "text": "Thank you" }));
        let answer = stage.received("hotel", &stage.scoped("hotel", &guest, &answer)).await;
        assert_eq!(json!(answer.conversation_id.0), *conversation);
        let (_, shown) =
            stage.call("GET", &format!("/api/v1/conversations/{conversation}"), Value::Null).await;
        assert_eq!(
            (&shown["customer"]["name"], &shown["customer"]["phone"]),
            (&json!("Sari"), &json!("+6281390045512")),
            "{shown}"
        );
        assert_eq!((count(&stage, "contacts").await, count(&stage, "conversations").await), (1, 1));
        let texts: Vec<_> = stage.delivered("hotel").into_iter().filter_map(|d| d.text).collect();
        assert_eq!(texts, ["Your room is ready", "Breakfast is until ten"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_message_to_one_new_guest_however_often_at_once() {
    for (stage, inbox) in hotels().await {
        guest(&stage, "6281390045512");
        let body = json!({ "inbox_id": inbox, "phone": "6281390045512", "content": "Welcome", "client_key": "booking-1" });
        let calls = (0..5).map(|_| stage.call("POST", PATH, body.clone()));
        let answers = futures_util::future::join_all(calls).await;
        let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 201], "{answers:?}");
        assert!(answers.iter().all(|(_, answer)| answer["id"] == answers[0].1["id"]));
        assert_eq!((count(&stage, "contacts").await, count(&stage, "conversations").await), (1, 1));
        stage.reaches(id_of(&answers[0].1), MessageStatus::Delivered).await;
        assert_eq!(stage.delivered("hotel").len(), 1);
        let other = json!({ "inbox_id": inbox, "phone": "6281390045512", "content": "Goodbye", "client_key": "booking-1" });
        assert_eq!(stage.call("POST", PATH, other).await.1["code"], "IDEMPOTENCY_CONFLICT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_be_the_first_message() {
    for (stage, inbox) in hotels().await {
        guest(&stage, "6281390045512");
        let inbox = inbox.to_string();
        let fields = [("inbox_id", inbox.as_str()), ("phone", "+6281390045512"), ("content", "Your booking")];
        let file = ("booking.pdf", "application/pdf", sample("invoice.pdf"));
        let (status, sent) = stage.send_form(PATH, &fields, &[file]).await;
        assert_eq!((status, &sent["kind"]), (201, &json!("document")), "{sent}");
        stage.reaches(id_of(&sent), MessageStatus::Delivered).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_free_text_needs_an_open_window_the_first_message_is_a_template() {
    for (stage, _) in hotels().await {
        guest(&stage, "6281390045512");
        let inbox = stage.inbox("whatsapp").await.0;
        let to = |more: Value| {
            let mut body = json!({ "inbox_id": inbox, "phone": "6281390045512" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let (status, refused) = stage.call("POST", PATH, to(json!({ "content": "Hello" }))).await;
        assert_eq!((status, &refused["code"]), (422, &json!("WINDOW_CLOSED")), "{refused}");
        assert_eq!(refused["details"], json!({ "expired_at": null, "templates": true }));
        assert_eq!(
            (count(&stage, "contacts").await, count(&stage, "conversations").await),
            (0, 0),
            "nothing is left behind"
        );
        let template =
            json!({ "type": "template", "template": { "name": "hello_world", "language": "en_US" } });
        let (status, sent) = stage.call("POST", PATH, to(template)).await;
        assert_eq!(status, 201, "{sent}");
        stage.reaches(id_of(&sent), MessageStatus::Delivered).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_to_is_refused_by_field_and_leaves_nothing() {
    for (stage, hotel) in hotels().await {
        let messenger = stage.inbox("messenger").await.0;
        for (body, field) in [
            (json!({ "inbox_id": hotel, "phone": "0812345678", "content": "x" }), "phone"),
            (json!({ "inbox_id": hotel, "phone": "reception", "content": "x" }), "phone"),
            (json!({ "inbox_id": hotel, "phone": "+62 813 ext 5", "content": "x" }), "phone"),
            (json!({ "inbox_id": hotel, "content": "x" }), "phone"),
            (json!({ "phone": "6281390045512", "content": "x" }), "inbox_id"),
            (json!({ "inbox_id": "one", "phone": "6281390045512", "content": "x" }), "inbox_id"),
            (json!({ "inbox_id": hotel, "phone": "6281390045512" }), "content"),
            (
                json!({ "inbox_id": hotel, "phone": "6281390045512", "content": "x", "name": "n".repeat(121) }),
                "name",
            ),
            (json!({ "inbox_id": messenger, "phone": "6281390045512", "content": "x" }), "inbox_id"),
            (
                json!({ "inbox_id": hotel, "phone": "6281390045512", "reaction": { "message_id": 1, "emoji": "👍" } }),
                "reaction",
            ),
        ] {
            let (status, refused) = stage.call("POST", PATH, body.clone()).await;
            assert_eq!((status, refused["errors"][field].is_array()), (422, true), "{body}: {refused}");
        }
        let (status, refused) = stage
            .call("POST", PATH, json!({ "inbox_id": 9_999, "phone": "6281390045512", "content": "x" }))
            .await;
        assert_eq!((status, &refused["code"]), (404, &json!("NOT_FOUND")), "{refused}");
        assert_eq!((count(&stage, "contacts").await, count(&stage, "outbox").await), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_conversation_is_named_and_stays_closed() {
    for (stage, inbox) in hotels().await {
        guest(&stage, "6281390045512");
        let body = json!({ "inbox_id": inbox, "phone": "6281390045512", "content": "Welcome" });
        let (_, first) = stage.call("POST", PATH, body.clone()).await;
        let id = &first["conversation_id"];
        stage.call("POST", &format!("/admin/inbox/{id}/status"), json!({ "status": "closed" })).await;
        let (status, refused) = stage.call("POST", PATH, body).await;
        assert_eq!((status, &refused["code"]), (409, &json!("CONVERSATION_CLOSED")));
        assert_eq!(refused["details"]["conversation_id"], *id);
    }
}
