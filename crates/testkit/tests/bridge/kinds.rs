//! Places, contact cards and edits, which Chatwoot has no form for.

use frontdesk_testkit::stage::until;
use serde_json::json;

use crate::{bridge, messages, shows, stages};

#[tokio::test(flavor = "multi_thread")]
async fn places_cards_and_edits_are_told_in_words() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        let place = json!({ "kind": "location", "latitude": -6.2, "longitude": 106.8, "name": "Kantor",
            "address": "Jl. Sudirman 1" });
        stage.act(&thread.customer, "whatsapp", place);
        let card = json!({ "kind": "contacts", "contacts": [{ "name": "Budi", "phone": "+62812000111" }] });
        stage.act(&thread.customer, "whatsapp", card);
        let begins = async |words: &str| {
            until(&format!("{words:?} is shown"), || async {
                messages(&stage, &bridge)
                    .into_iter()
                    .find(|message| message.content.as_deref().is_some_and(|text| text.starts_with(words)))
            })
            .await
        };
        let place = begins("📍 Kantor\nJl. Sudirman 1\n").await;
        assert!(place.content.unwrap().contains("mlat=-6.2&mlon=106.8"));
        assert!(begins("👤 Budi\n").await.content.unwrap().contains("62812000111"));

        let edit = json!({ "kind": "edit", "message_id": thread.first, "text": "Halo semua" });
        stage.act(&thread.customer, "whatsapp", edit);
        let edit = begins("✏️ Edited: Halo semua").await;
        let first = messages(&stage, &bridge)[0].id;
        assert_eq!(edit.content_attributes["in_reply_to"], first, "it answers what was edited");
        assert_eq!(messages(&stage, &bridge).len(), 4, "each once");
    }
}
