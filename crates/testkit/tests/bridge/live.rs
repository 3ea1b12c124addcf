//! What happens on one side is seen on the other.

use frontdesk_testkit::stage::until;
use serde_json::json;

use crate::{answer, bridge, conversations, messages, shows, stages};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_answered_in_chatwoot_and_the_ticks_come_back() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({ "signature": true })).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let shown = messages(&stage, &bridge).remove(0);
        assert_eq!((shown.message_type, shown.private), (0, false));
        let conversation = conversations(&stage, &bridge)[0].display_id;
        let id = answer(&stage, conversation, "**Olá!** How can I help?").await;
        until("the answer arrives", || async {
            (stage.texts_of(&thread) == ["*Rui*\n*Olá!* How can I help?"]).then_some(())
        })
        .await;
        until("Chatwoot shows that it arrived", || async {
            let all = messages(&stage, &bridge);
            let message = all.into_iter().find(|message| message.id == id)?;
            (message.status == "delivered").then_some(())
        })
        .await;
        assert_eq!(messages(&stage, &bridge).len(), 2, "nothing came back as an echo");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_first_messages_at_once_are_one_contact_and_one_conversation() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        for number in 1..10 {
            stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": format!("No. {number}")}));
        }
        until("all are shown", || async { (messages(&stage, &bridge).len() == 10).then_some(()) }).await;
        assert_eq!(conversations(&stage, &bridge).len(), 1);
        let contact = conversations(&stage, &bridge)[0].contact_id;
        let world = stage.sandbox.world();
        let name = world.chatwoot.accounts[&1].contacts[&contact].name.clone();
        let same = world.chatwoot.accounts[&1].contacts.values().filter(|found| found.name == name);
        assert_eq!(same.count(), 1);
    }
}
