use frontdesk_engine::caller::Actor;
use frontdesk_engine::{erase, suggest};
use frontdesk_model::ContactId;
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::SECOND_NUMBER;
use frontdesk_testkit::server::START;
use serde_json::{Value, json};

use crate::{Desk, desks, teach, texts};

const PHONE: &str = "6281390000000";
const ASKING: &str = "6281390045512";

async fn parcel(desk: &Desk) -> Vec<String> {
    let shown = desk.suggest(desk.conversation(ASKING).await).await;
    texts(&shown)
}

#[tokio::test]
async fn a_deleted_an_edited_and_a_failed_answer_are_followed() {
    for desk in desks().await {
        desk.write(PHONE, "Ana", -60, "is breakfast included").await;
        let conversation = desk.conversation(PHONE).await;
        let path = format!("/admin/inbox/{conversation}/messages");
        let body = json!({ "content": "Breakfast is included in every room." });
        let sent = desk.server.post(&path).bearer(&desk.agent).json(&body).send().await.ok(201);
        desk.learn().await;
        desk.write(ASKING, "Siti", 60, "is breakfast included?").await;
        assert_eq!(parcel(&desk).await, ["Breakfast is included in every room."]);
        let message = format!("/admin/inbox/{conversation}/messages/{}", sent["id"]);
        desk.server.delete(&message).bearer(&desk.agent).send().await.ok(204);
        assert_eq!(parcel(&desk).await, Vec::<String>::new(), "at once, whatever was learned");
        desk.learn().await;
        assert_eq!(desk.pairs(desk.server.account).await, 0);
        assert_eq!(parcel(&desk).await, Vec::<String>::new());

        let failing = json!({ "content": "Breakfast is from seven on the terrace." });
        let sent = desk.server.post(&path).bearer(&desk.agent).json(&failing).send().await.ok(201);
        desk.learn().await;
        assert_eq!(desk.pairs(desk.server.account).await, 1);
        let id = &sent["id"];
        let fail = format!("UPDATE messages SET status = 'failed', status_rank = 4 WHERE id = {id};");
        desk.server.database.script(&fail).await;
        let account = desk.server.account;
        let message = frontdesk_model::MessageId(id.as_i64().unwrap());
        desk.server
            .engine
            .store
            .write(move |tx| {
                tx.emit(frontdesk_store::events::NewEvent {
                    account_id: account,
                    kind: frontdesk_store::events::EventKind::MessageStatusUpdated,
                    conversation_id: Some(frontdesk_model::ConversationId(conversation)),
                    message_id: Some(message),
                    data: None,
                });
                Ok::<_, frontdesk_store::StoreError>(())
            })
            .await
            .unwrap();
        desk.learn().await;
        assert_eq!(desk.pairs(desk.server.account).await, 0);
    }
}

#[tokio::test]
async fn the_order_in_which_messages_come_changes_nothing() {
    for desk in desks().await {
        desk.answer(PHONE, 60, "Breakfast is included in every room.").await;
        desk.learn().await;
        assert_eq!(desk.pairs(desk.server.account).await, 0);
        desk.write(PHONE, "Ana", 0, "is breakfast included").await;
        desk.learn().await;
        assert_eq!(desk.pairs(desk.server.account).await, 1);
        desk.learn().await;
        desk.write(ASKING, "Siti", 60, "is breakfast included?").await;
        assert_eq!(parcel(&desk).await, ["Breakfast is included in every room."]);
    }
}

#[tokio::test]
async fn an_erased_customer_teaches_nothing_any_more_on_any_node() {
    for desk in desks().await {
        desk.exchange(PHONE, "Ana", 0, "is breakfast included", "Breakfast is included in every room.").await;
        desk.learn().await;
        desk.write(ASKING, "Siti", 60, "is breakfast included?").await;
        assert_eq!(parcel(&desk).await.len(), 1);
        let list = desk.server.get("/admin/inbox").bearer(&desk.agent).send().await.ok(200);
        let rows = list["data"].as_array().unwrap();
        let row = rows.iter().find(|row| row["customer"]["phone"] == json!(format!("+{PHONE}"))).unwrap();
        let contact = ContactId(row["customer"]["id"].as_i64().unwrap());
        let second = desk.server.second_engine().await;
        erase::erase(&second, Actor::server(desk.server.account), contact).await.unwrap();
        assert_eq!(desk.pairs(desk.server.account).await, 0);
        let left = "SELECT COUNT(*) FROM suggest_pairs WHERE question <> '' OR reply <> ''";
        assert_eq!(desk.server.database.number(left).await, 0);
        assert_eq!(parcel(&desk).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn each_node_follows_what_another_learned() {
    for desk in desks().await {
        teach(&desk).await;
        desk.write(ASKING, "Siti", 60, "is breakfast included?").await;
        assert_eq!(parcel(&desk).await, ["Breakfast is included in every room."]);
        desk.exchange(
            "6281390000099",
            "Ana",
            0,
            "is there a swimming pool",
            "The pool is open until the evening.",
        )
        .await;
        let second = desk.server.second_engine().await;
        tokio::join!(async { suggest::catch_up(&second).await.unwrap() }, async {
            suggest::catch_up(&desk.server.engine).await.unwrap()
        },);
        desk.learn().await;
        assert_eq!(desk.pairs(desk.server.account).await, 7);
        let found = desk.suggested("6281390045513", "Ana", 100, "do you have a swimming pool?").await;
        assert_eq!(found[0], "The pool is open until the evening.");
    }
}

#[tokio::test]
async fn quick_replies_are_suggested_filled_in_and_followed() {
    for desk in desks().await {
        teach(&desk).await;
        let body = json!({ "shortcut": "wifi", "title": "Wireless network password",
            "content": "Dear {{first_name|guest}}, the wireless network password is {{code}}." });
        let made =
            desk.server.post("/api/crm/quick-replies").bearer(&desk.agent).json(&body).send().await.ok(201);
        desk.write(ASKING, "Siti Aminah", 60, "what is the password of the wireless network?").await;
        let shown = desk.suggest(desk.conversation(ASKING).await).await;
        assert_eq!(texts(&shown), ["Dear Siti, the wireless network password is {{code}}."]);
        let source = &shown["items"][0]["source"];
        assert_eq!((&source["kind"], &source["shortcut"]), (&json!("quick_reply"), &json!("wifi")));
        let path = format!("/api/crm/quick-replies/{}", made["data"]["id"]);
        let change = json!({ "content": "Ask for the wireless network password at the desk." });
        desk.server.patch(&path).bearer(&desk.agent).json(&change).send().await.ok(200);
        assert_eq!(parcel(&desk).await, ["Ask for the wireless network password at the desk."]);
        desk.server.delete(&path).bearer(&desk.agent).send().await.ok(200);
        let left = parcel(&desk).await;
        assert!(left.iter().all(|text| !text.contains("wireless")), "{left:?}");
    }
}

#[tokio::test]
async fn everything_read_anew_is_the_same() {
    for desk in desks().await {
        teach(&desk).await;
        let body =
            json!({ "shortcut": "wifi", "title": "Password", "content": "The password is at the desk." });
        desk.server.post("/api/crm/quick-replies").bearer(&desk.agent).json(&body).send().await.ok(201);
        desk.write(ASKING, "Siti", 60, "where is my parcel?").await;
        let before = desk.suggest(desk.conversation(ASKING).await).await["items"].clone();
        desk.server.database.script("DELETE FROM suggest_pairs; DELETE FROM suggest_progress;").await;
        let account = desk.server.account;
        assert_eq!(suggest::rebuild(&desk.server.engine, account).await.unwrap(), 7);
        assert_eq!(suggest::rebuild(&desk.server.engine, account).await.unwrap(), 7);
        let second = desk.server.second_engine().await;
        drop(second);
        assert_eq!(desk.suggest(desk.conversation(ASKING).await).await["items"], before);
    }
}

#[tokio::test]
async fn another_accounts_answers_are_never_shown() {
    for mut desk in desks().await {
        teach(&desk).await;
        let other = desk.server.other_account("Other").await;
        desk.server.connect(other, "whatsapp_cloud", SECOND_NUMBER, &[]).await;
        let user = desk.server.user_of(other, "other@example.org", Role::Agent).await;
        desk.agent = desk.server.token(&user, &[Ability::All]).await;
        desk.number = SECOND_NUMBER;
        for question in
            ["where is my parcel", "I want a refund", "is breakfast included", "may I bring my dog"]
        {
            let phone = "6281390077777";
            let id = format!("wamid.{question}");
            let body =
                bodies::text(SECOND_NUMBER, Person::named(phone, "Eve"), &id, START.as_secs(), question);
            desk.server.deliver(bodies::bytes(&body)).await;
            desk.learn().await;
            let shown = desk.suggest(desk.conversation(phone).await).await;
            assert_eq!(shown["suggestions"], json!([]), "{question}");
        }
        let path = format!("/admin/inbox/{}/suggest-ai/feedback", desk.conversation("6281390077777").await);
        let first =
            desk.server.database.number("SELECT MIN(id) FROM suggest_pairs WHERE removed = FALSE").await;
        let body: Value = json!({ "item": format!("reply-{first}"), "action": "dismissed" });
        desk.server.post(&path).bearer(&desk.agent).json(&body).send().await.refused(404, "NOT_FOUND");
        let heard =
            desk.server.database.number("SELECT CAST(SUM(dismissed) AS BIGINT) FROM suggest_pairs").await;
        assert_eq!(heard, 0);
    }
}
