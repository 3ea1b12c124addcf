use std::time::Duration;

use frontdesk_chatwoot_client::{MessageQuery, MessageStatus, MessageType, NewMessage, Upload};
use frontdesk_provider_http::DownloadLimits;
use serde_json::json;

use crate::stage::Stage;

fn ids(page: &frontdesk_chatwoot_client::Page<frontdesk_chatwoot_client::Message>) -> Vec<i64> {
    page.data.iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn any_limit_is_met_out_of_fixed_pages() {
    let stage = Stage::start().await;
    let id = stage.long_conversation(150).await;
    let client = stage.client();
    let all: Vec<i64> = stage.server(|server| {
        server.accounts[&1].conversations[&id].messages.iter().map(|message| message.id).collect()
    });
    for (limit, before) in [(50, None), (5, None), (20, None), (50, Some(100)), (7, Some(3)), (1_000, None)] {
        let query = MessageQuery {
            limit: Some(limit),
            before_id: before.map(|place: usize| all[place]),
            ..MessageQuery::default()
        };
        let end = before.unwrap_or(all.len());
        let expected = &all[end.saturating_sub(limit)..end];
        assert_eq!(ids(&client.get_messages(id, &query).await.unwrap()), expected, "{limit} {before:?}");
    }
    assert_eq!(ids(&client.get_messages(id, &MessageQuery::default()).await.unwrap()), all[130..]);
    for (limit, after) in [(None, 10), (Some(5), 10), (Some(500), 10), (None, 149)] {
        let query = MessageQuery { limit, ..MessageQuery::after(all[after]) };
        let end = (after + 1 + limit.unwrap_or(100)).min(all.len());
        assert_eq!(ids(&client.get_messages(id, &query).await.unwrap()), all[after + 1..end], "{limit:?}");
    }
    let between = MessageQuery { before_id: Some(all[14]), ..MessageQuery::after(all[10]) };
    assert_eq!(ids(&client.get_messages(id, &between).await.unwrap()), all[11..14]);
}

#[tokio::test]
async fn what_is_written_is_read_again() {
    let stage = Stage::start().await;
    let (id, first) = stage.customer_writes("+5511987654321", "Hi").await;
    let client = stage.client();
    let reply = NewMessage { echo_id: Some("e1".to_owned()), ..NewMessage::text("Olá!").in_reply_to(first) };
    let sent = client.create_message(id, &reply).await.unwrap();
    assert_eq!((sent.echo_id.as_deref(), sent.in_reply_to()), (Some("e1"), Some(first)));
    let note = client.create_message(id, &NewMessage::note("Care\0ful")).await.unwrap();
    assert_eq!(note.content.as_deref(), Some("Careful"), "what the database cannot keep is taken out");
    client.create_message(id, &NewMessage::incoming("And?")).await.unwrap();
    let page = client.get_messages(id, &MessageQuery::default()).await.unwrap();
    let kinds: Vec<_> =
        page.data.iter().map(|message| (message.message_type.unwrap(), message.private)).collect();
    use MessageType::{Incoming, Outgoing};
    assert_eq!(kinds, [(Incoming, false), (Outgoing, false), (Outgoing, true), (Incoming, false)]);
    assert_eq!(page.data[1].sender.as_ref().unwrap().name, "Rui");
    assert!(page.data[0].sender.as_ref().unwrap().is_contact());
    let public = MessageQuery { public_only: true, ..MessageQuery::default() };
    assert_eq!(client.get_messages(id, &public).await.unwrap().data.len(), 3);
    client.set_message_status(id, sent.id, &MessageStatus::Read, None).await.unwrap();
    let after = client.set_message_status(id, sent.id, &MessageStatus::Delivered, None).await.unwrap();
    assert_eq!(after.status, Some(MessageStatus::Read), "read is not undone");
    let failed =
        client.set_message_status(id, sent.id, &MessageStatus::Failed, Some("131047: late")).await.unwrap();
    assert_eq!(failed.external_error(), Some("131047: late"));
    assert_eq!(client.retry_message(id, sent.id).await.unwrap().status, Some(MessageStatus::Sent));
    client.delete_message(id, sent.id).await.unwrap();
    let page = client.get_messages(id, &MessageQuery::default()).await.unwrap();
    assert!(page.data[1].is_deleted() && !page.data[0].is_deleted());
}

#[tokio::test]
async fn files_go_up_and_come_down() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Send me the menu").await;
    let client = stage.client();
    let file = |name: &str, kind: &str| Upload {
        name: name.to_owned(),
        mime_type: kind.to_owned(),
        bytes: vec![7_u8; 3_000].into(),
    };
    let files = [file("menu.pdf", "application/pdf"), file("room.png", "image/png")];
    let message = NewMessage::text("Here").in_reply_to(1);
    let sent = client.create_message_with_files(id, &message, &files).await.unwrap();
    assert_eq!((sent.content.as_deref(), sent.in_reply_to()), (Some("Here"), Some(1)));
    let kinds: Vec<_> = sent.attachments.iter().map(|file| file.file_type.as_str()).collect();
    assert_eq!(kinds, ["file", "image"]);
    let mut bytes = Vec::new();
    let url = sent.attachments[0].data_url.as_deref().unwrap();
    let down = client.download(url, DownloadLimits::bytes(10_000), &mut bytes).await.unwrap();
    assert_eq!((down.size_bytes, down.content_type.as_deref()), (3_000, Some("application/pdf")));
    assert_eq!(bytes, vec![7_u8; 3_000]);
    let error = client.download(url, DownloadLimits::bytes(100), &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.error_code(), "BAD_GATEWAY");
    let mut settings = stage.settings();
    settings.max_redirects = 0;
    let strict = frontdesk_chatwoot_client::ChatwootClient::new(settings).unwrap();
    strict.download(url, DownloadLimits::bytes(10_000), &mut Vec::new()).await.unwrap_err();
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_found_and_not_written_twice() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    let message = NewMessage { source_id: Some("fd-1".to_owned()), ..NewMessage::text("once") };
    for fault in [
        json!([{"fault": "cut_after", "next": 1}]),
        json!([{"fault": "error_code", "code": 504, "next": 1}]),
        json!([{"fault": "late_answer", "late_ms": 3_000, "next": 1}]),
    ] {
        stage.faults(fault.clone());
        let mut settings = stage.settings();
        settings.write_timeout = Duration::from_millis(500);
        let client = frontdesk_chatwoot_client::ChatwootClient::new(settings).unwrap();
        let unique = NewMessage { source_id: Some(fault.to_string()), ..message.clone() };
        let sent = client.create_message(id, &unique).await.unwrap();
        assert_eq!(sent.source_id, unique.source_id, "{fault}");
    }
    assert_eq!(stage.contents(id), ["Hi", "once", "once", "once"]);
}

#[tokio::test]
async fn a_message_that_was_certainly_not_written_is_written_once_more() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    // 500: carried out or rolled back; it is not there, so it was rolled back.
    stage.faults(json!([{"fault": "internal_error", "next": 1}]));
    let message = NewMessage { source_id: Some("fd-1".to_owned()), ..NewMessage::text("once") };
    stage.client().create_message(id, &message).await.unwrap();
    assert_eq!(stage.contents(id), ["Hi", "once"]);
    // Without a reference nobody can tell.
    stage.faults(json!([{"fault": "internal_error", "next": 1}]));
    let error = stage.client().create_message(id, &NewMessage::text("lost")).await.unwrap_err();
    assert!(!error.certain() && error.is_retryable());
    assert_eq!(stage.contents(id), ["Hi", "once"]);
    // 429 comes before Chatwoot: nothing happened, whatever the message is called.
    stage.faults(json!([{"fault": "too_many_requests", "retry_after_s": 1, "next": 1}]));
    stage.client().create_message(id, &NewMessage::text("later")).await.unwrap();
    assert_eq!(stage.contents(id), ["Hi", "once", "later"]);
}
