//! Files up and down.

use frontdesk_meta_graph_client::{
    GraphCallError,
    media::{Upload, sha256_matches},
    messaging::AttachmentKind,
};
use frontdesk_provider_http::{CallError, DownloadLimits};

use crate::fake::{Fake, answer, answer_with, ok};

fn info(url: &str) -> String {
    format!(
        r#"{{"messaging_product":"whatsapp","url":{url:?},"mime_type":"audio/ogg","sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","file_size":"5","id":"12"}}"#
    )
}

fn upload() -> Upload {
    Upload {
        file_name: "a.png".to_owned(),
        mime_type: "image/png".to_owned(),
        body: "PNGBYTES".into(),
        size_bytes: 8,
    }
}

const LIMIT: DownloadLimits = DownloadLimits { max_bytes: 1000, timeout: None };

#[tokio::test]
async fn a_whatsapp_file_is_fetched_in_two_steps_with_the_token() {
    let fake = Fake::start([]).await;
    fake.then(ok(info(&fake.url("/bytes?hash=1"))));
    fake.then(answer_with(200, "content-type", "audio/ogg", "hello"));
    let mut file = Vec::new();
    let (info, download) = fake.client().download_whatsapp_media("12", LIMIT, &mut file).await.unwrap();
    assert_eq!((file.as_slice(), info.file_size, download.size_bytes), (&b"hello"[..], Some(5), 5));
    assert_eq!(sha256_matches(info.sha256.as_deref().unwrap(), &download.sha256), Some(true));
    assert_eq!(fake.lines(), ["GET /graph/v26.0/12", "GET /bytes?hash=1"]);
    assert!(fake.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer TOKEN")));
}

#[tokio::test]
async fn an_expired_address_is_asked_for_once_more() {
    let fake = Fake::start([]).await;
    fake.then(ok(info(&fake.url("/old"))));
    fake.then(answer(404, ""));
    fake.then(ok(info(&fake.url("/new"))));
    fake.then(ok("hello"));
    let mut file = Vec::new();
    fake.client().download_whatsapp_media("12", LIMIT, &mut file).await.unwrap();
    assert_eq!(file, b"hello");
    assert_eq!(fake.lines(), ["GET /graph/v26.0/12", "GET /old", "GET /graph/v26.0/12", "GET /new"]);

    let fake = Fake::start([]).await;
    for path in ["/old", "/new"] {
        fake.then(ok(info(&fake.url(path))));
        fake.then(answer(404, ""));
    }
    fake.client().download_whatsapp_media("12", LIMIT, &mut file).await.unwrap_err();
    assert_eq!(fake.lines().len(), 4, "not for ever");
}

#[tokio::test]
async fn the_token_never_goes_to_a_foreign_host() {
    let thief = Fake::start([]).await;
    let fake = Fake::start([]).await;
    for url in [
        thief.url("/x"),
        "https://evilfbcdn.net/x".to_owned(),
        "https://lookaside.fbsbx.com.evil.example/x".to_owned(),
        "http://scontent.fbcdn.net/x".to_owned(),
        "https://cdninstagram.com/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "not a url".to_owned(),
    ] {
        fake.then(ok(info(&url)));
        let error = fake.client().download_whatsapp_media("12", LIMIT, &mut Vec::new()).await.unwrap_err();
        assert!(matches!(error, GraphCallError::ForeignHost), "{url}: {error:?}");
    }
    assert!(thief.lines().is_empty());
    // A redirect from the right host is not followed either.
    fake.then(ok(info(&fake.url("/bytes"))));
    fake.then(answer_with(302, "location", thief.url("/x"), ""));
    let error = fake.client().download_whatsapp_media("12", LIMIT, &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, GraphCallError::Http(CallError::Redirect { .. })));
    assert!(thief.lines().is_empty());
}

#[tokio::test]
async fn a_file_that_is_too_large_is_cut_off() {
    let fake = Fake::start([]).await;
    fake.then(ok(info(&fake.url("/bytes"))));
    fake.then(crate::fake::Script::Endless);
    let mut file = Vec::new();
    let error = fake.client().download_whatsapp_media("12", LIMIT, &mut file).await.unwrap_err();
    assert!(matches!(error, GraphCallError::Http(CallError::TooLarge { max_bytes: 1000 })));
    assert!(file.len() <= 1000);
}

#[tokio::test]
async fn attachments_are_fetched_without_the_token_and_redirects_are_checked() {
    let fake = Fake::start([]).await;
    fake.then(answer_with(302, "location", "/moved", ""));
    fake.then(ok("hello"));
    let mut file = Vec::new();
    fake.client().download_attachment(&fake.url("/a"), LIMIT, &mut file).await.unwrap();
    assert_eq!(file, b"hello");
    assert_eq!(fake.lines(), ["GET /a", "GET /moved"]);
    assert!(fake.seen().iter().all(|seen| seen.header("authorization").is_none()));

    let inward = Fake::start([]).await;
    fake.then(answer_with(302, "location", inward.url("/"), ""));
    let error = fake.client().download_attachment(&fake.url("/a"), LIMIT, &mut file).await.unwrap_err();
    assert!(matches!(error, GraphCallError::ForeignHost));
    for _ in 0..9 {
        fake.then(answer_with(302, "location", "/loop", ""));
    }
    fake.client().download_attachment(&fake.url("/a"), LIMIT, &mut file).await.unwrap_err();
    assert_eq!(fake.lines().len(), 2 + 1 + 4, "three redirects at most");
    assert!(inward.lines().is_empty());
}

#[tokio::test]
async fn files_are_uploaded_as_forms() {
    let fake = Fake::start([ok(r#"{"id":"99"}"#), ok(r#"{"attachment_id":"77"}"#)]).await;
    let client = fake.client();
    assert_eq!(client.upload_whatsapp_media("106", upload()).await.unwrap(), "99");
    let id = client.upload_attachment("104", AttachmentKind::Image, upload()).await.unwrap();
    assert_eq!(id, "77");
    assert_eq!(fake.lines(), ["POST /graph/v26.0/106/media", "POST /graph/v26.0/104/message_attachments"]);
    let forms: Vec<String> =
        fake.seen().iter().map(|seen| String::from_utf8(seen.body.to_vec()).unwrap()).collect();
    for part in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp",
        "name=\"type\"\r\n\r\nimage/png",
        "name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNGBYTES",
    ] {
        assert!(forms[0].contains(part), "{part}");
    }
    assert!(
        forms[1].contains(r#"{"attachment":{"payload":{"is_reusable":true},"type":"image"}}"#),
        "{}",
        forms[1]
    );
    assert!(
        forms[1].contains("name=\"filedata\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNGBYTES")
    );
}
