//! Which conversation there is which of ours: begun anew, begun there, made one here; and what is done in it there.

use frontdesk_model::AccountId;
use frontdesk_sandbox::Channel;
use frontdesk_sandbox::customer::NewCustomer;
use frontdesk_store::messages::{self as rows, MessageRow};
use frontdesk_store::{contacts, conversations as threads};
use frontdesk_testkit::stage::{Stage, Thread, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{answer, ask_chatwoot, bridge, conversations, remote_inbox, shows, stages, texts};

async fn status_of(stage: &Stage, thread: &Thread) -> Value {
    stage.call("GET", &format!("/api/v1/conversations/{}", thread.id), Value::Null).await.1["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_multiple_what_comes_after_it_was_resolved_begins_another() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({ "conversations": "multiple" })).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let first = conversations(&stage, &bridge)[0].clone();
        let path = format!("conversations/{}/toggle_status", first.display_id);
        ask_chatwoot(&stage, Method::POST, &path, json!({ "status": "resolved" })).await;
        until("it is closed here", || async { (status_of(&stage, &thread).await == "closed").then_some(()) })
            .await;
        stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "Something else"}));
        shows(&stage, &bridge, &["Halo", "Something else"]).await;
        let all = conversations(&stage, &bridge);
        assert_eq!(all.len(), 2);
        let second = all.iter().find(|found| found.display_id != first.display_id).unwrap();
        assert_eq!(second.contact_id, first.contact_id, "one contact");
        assert_eq!(all.iter().find(|found| found.display_id == first.display_id).unwrap().status, "resolved");
        answer(&stage, second.display_id, "In the second").await;
        until("it arrives", || async { (stage.texts_of(&thread) == ["In the second"]).then_some(()) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_begun_there_is_written_first_and_answered_in() {
    for stage in stages().await {
        stage.add_instance("hotel", &[]).await;
        let bridge = bridge(&stage, "hotel", json!({})).await;
        let new: NewCustomer =
            serde_json::from_value(json!({ "name": "Guest", "phone": "6281377001122" })).unwrap();
        let customer = stage.sandbox.world().add_customer(new).unwrap().id;
        let new = json!({ "name": "Guest", "phone_number": "+6281377001122" });
        let made = ask_chatwoot(&stage, Method::POST, "contacts", new).await;
        let contact = made["payload"]["contact"]["id"].as_i64().unwrap();
        let new = json!({ "inbox_id": remote_inbox(&bridge), "contact_id": contact });
        let conversation =
            ask_chatwoot(&stage, Method::POST, "conversations", new).await["id"].as_i64().unwrap();
        answer(&stage, conversation, "Your room is ready").await;
        let got = || stage.delivered("hotel").into_iter().filter(|one| one.customer_id == customer);
        until("it arrives", || async {
            got().any(|one| one.text.as_deref() == Some("Your room is ready")).then_some(())
        })
        .await;
        stage.act(&customer, "hotel", json!({"kind": "text", "text": "Coming"}));
        shows(&stage, &bridge, &["Your room is ready", "Coming"]).await;
        assert_eq!(conversations(&stage, &bridge).len(), 1, "it is answered where it was begun");
        assert_eq!(got().count(), 1, "sent once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_that_become_one_here_stay_answerable_there() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let both = stage.threads("whatsapp", 2).await;
        shows(&stage, &bridge, &["Halo", "Halo"]).await;
        let account = stage.account;
        let contact_of = async |thread: &Thread| {
            let id = thread.id;
            stage.read(move |tx| threads::find(tx, account, id)).await.unwrap().contact_id
        };
        let (winner, loser) = (contact_of(&both[0]).await, contact_of(&both[1]).await);
        let now = frontdesk_model::clock::Clock::now(stage.clock.as_ref());
        let merge = move |tx: &mut frontdesk_store::Tx<'_>| contacts::merge(tx, account, loser, winner, now);
        stage.database.store.write(merge).await.unwrap();
        let last = stage.act(&both[1].customer, "whatsapp", json!({"kind": "text", "text": "Still me"}));
        stage.received("whatsapp", &last).await;
        shows(&stage, &bridge, &["Halo", "Halo", "Still me"]).await;
        let all = conversations(&stage, &bridge);
        assert_eq!(all.len(), 2, "no third begins");
        for (number, there) in all.iter().enumerate() {
            answer(&stage, there.display_id, &format!("Answer {number}")).await;
        }
        until("both answers arrive", || async {
            let sent = stage.delivered("whatsapp").into_iter().filter_map(|one| one.text);
            let mut sent: Vec<String> = sent.collect();
            sent.sort();
            (sent == ["Answer 0", "Answer 1"]).then_some(())
        })
        .await;
        assert_eq!(texts(&stage, &bridge).len(), 5, "nothing came back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_there_is_shown_to_the_customer() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let conversation = conversations(&stage, &bridge)[0].display_id;
        let path = format!("conversations/{conversation}/toggle_typing_status");
        ask_chatwoot(&stage, Method::POST, &path, json!({ "typing_status": "on" })).await;
        until("the customer sees it", || async {
            let world = stage.sandbox.world();
            let chat = world.find_chat(&thread.customer, "whatsapp").unwrap();
            chat.business_typing_until_ms.is_some_and(|at| at > stage.sandbox.clock().now()).then_some(())
        })
        .await;
    }
}

/// A message of ours by what it says.
async fn saying(stage: &Stage, thread: &Thread, text: &'static str) -> Option<MessageRow> {
    let (account, id): (AccountId, _) = (stage.account, thread.id);
    let all = stage.read(move |tx| rows::list_before(tx, account, id, None, 20)).await;
    all.into_iter().find(|row| row.content.as_deref() == Some(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_there_is_hidden_here_and_not_sent_when_it_still_waits() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let conversation = conversations(&stage, &bridge)[0].display_id;
        let delete = async |id: i64| {
            let path = format!("conversations/{conversation}/messages/{id}");
            ask_chatwoot(&stage, Method::DELETE, &path, Value::Null).await;
        };
        let sent = answer(&stage, conversation, "Already there").await;
        until("it arrives", || async { (stage.texts_of(&thread) == ["Already there"]).then_some(()) }).await;
        delete(sent).await;
        until("it is hidden here", || async {
            saying(&stage, &thread, "Already there").await.filter(|row| row.deleted_at.is_some())
        })
        .await;

        stage.fault(Channel::WhatsappCloud, json!({"fault": "unavailable", "rate": 1.0, "scope": "all"}));
        let waits = answer(&stage, conversation, "Never mind").await;
        until("it waits here", || saying(&stage, &thread, "Never mind")).await;
        delete(waits).await;
        until("it is hidden here too", || async {
            saying(&stage, &thread, "Never mind").await.filter(|row| row.deleted_at.is_some())
        })
        .await;
        stage.heal();
        answer(&stage, conversation, "The last word").await;
        until("what follows arrives", || async {
            (stage.texts_of(&thread).last().map(String::as_str) == Some("The last word")).then_some(())
        })
        .await;
        assert_eq!(stage.texts_of(&thread), ["Already there", "The last word"]);
    }
}
