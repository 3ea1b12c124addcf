//! What is shown in Chatwoot: files, quotes, reactions, edits, what was taken back, our own replies, who has read.

use frontdesk_model::message::MessageStatus;
use frontdesk_testkit::stage::{sample, until};
use serde_json::{Value, json};

use crate::{bridge, conversations, messages, shows, stages};

#[tokio::test(flavor = "multi_thread")]
async fn replies_from_here_are_shown_with_their_ticks_and_sent_by_nobody_again() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        let id = stage.say(&thread, "From *here*").await;
        stage.reaches(id, MessageStatus::Delivered).await;
        shows(&stage, &bridge, &["Halo", "From **here**"]).await;
        let shown = until("its tick is shown", || async {
            messages(&stage, &bridge).into_iter().find(|message| message.status == "delivered")
        })
        .await;
        assert_eq!(shown.message_type, 1);
        assert_eq!(shown.source_id, Some(format!("frontdesk-{id}")));
        assert!(shown.content_attributes["external_created_at"].is_i64());
        assert_eq!(stage.texts_of(&thread), ["From *here*"], "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_signatures_a_reply_from_here_names_who_wrote_it() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({ "signature": true })).await;
        let thread = stage.thread("whatsapp").await;
        let id = stage.say(&thread, "From here").await;
        stage.arrives(id).await;
        shows(&stage, &bridge, &["Halo", "**Ana**\nFrom here"]).await;
        assert_eq!(stage.texts_of(&thread), ["From here"], "the customer reads no name");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_places_quotes_reactions_and_what_is_taken_back_are_shown() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let thread = stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Halo"]).await;
        stage.act(&thread.customer, "whatsapp", json!({"kind": "image", "caption": "Look"}));
        let picture = until("the picture is shown", || async {
            messages(&stage, &bridge).into_iter().find(|message| !message.attachments.is_empty())
        })
        .await;
        assert_eq!((picture.content.as_deref(), picture.attachments[0].file_type), (Some("Look"), "image"));
        let conversation = conversations(&stage, &bridge)[0].display_id;

        let client = reqwest::Client::new();
        let form = reqwest::multipart::Form::new().text("content", "The bill").part(
            "attachments[]",
            reqwest::multipart::Part::bytes(sample("invoice.pdf"))
                .file_name("invoice.pdf")
                .mime_str("application/pdf")
                .unwrap(),
        );
        let url = format!("{}/api/v1/accounts/1/conversations/{conversation}/messages", stage.chatwoot_url());
        client.post(url).header("api_access_token", crate::KEY).multipart(form).send().await.unwrap();
        until("the file arrives", || async {
            stage.delivered_to(&thread).into_iter().find(|delivery| delivery.kind == "document")
        })
        .await;

        let quote = json!({ "content": "About this", "content_attributes": { "in_reply_to": picture.id } });
        let path = format!("conversations/{conversation}/messages");
        crate::ask_chatwoot(&stage, reqwest::Method::POST, &path, quote).await;
        let quoted = until("the quote arrives", || async {
            stage
                .delivered_to(&thread)
                .into_iter()
                .find(|delivery| delivery.text.as_deref() == Some("About this"))
        })
        .await;
        assert!(quoted.request["context"]["message_id"].is_string(), "{quoted:?}");

        stage.act(
            &thread.customer,
            "whatsapp",
            json!({"kind": "reaction", "message_id": thread.first, "emoji": "👍"}),
        );
        until("the reaction is shown", || async {
            messages(&stage, &bridge)
                .into_iter()
                .find(|message| message.content.as_deref() == Some("Reacted with 👍"))
        })
        .await;

        let first = messages(&stage, &bridge)[0].id;
        let (_, thread_shown) = stage.call("GET", &format!("/admin/inbox/{}", thread.id), Value::Null).await;
        let ours = thread_shown.to_string();
        assert!(ours.contains("Halo"));
        let id = stage.received("whatsapp", &thread.first).await.id;
        let (status, _) =
            stage.call("DELETE", &format!("/admin/inbox/{}/messages/{id}", thread.id), Value::Null).await;
        assert!(status < 300, "{status}");
        until("what is gone here is gone there", || async {
            let all = messages(&stage, &bridge);
            let found = all.into_iter().find(|message| message.id == first)?;
            (found.content_attributes.get("deleted") == Some(&json!(true))).then_some(())
        })
        .await;
    }
}
