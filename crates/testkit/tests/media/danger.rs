//! What hostile customers and forged webhooks may try with files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use frontdesk_sandbox::Channel;
use frontdesk_store::attachments::AttachmentState;
use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::json;

use crate::fetching::{address, settled};

/// A listener nobody may ever connect to.
async fn tripwire() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let touched = Arc::new(AtomicUsize::new(0));
    let count = touched.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, touched)
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_the_network_are_never_fetched() {
    let (inside, touched) = tripwire().await;
    let port = inside.rsplit_once(':').unwrap().1.to_owned();
    for stage in Stage::on_all(StageSettings::default()).await {
        for inbox in ["messenger", "instagram"] {
            let thread = stage.thread(inbox).await;
            for (n, url) in [
                "http://169.254.169.254/latest/meta-data/".to_owned(),
                format!("http://{inside}/secret"),
                format!("http://localhost:{port}/secret"),
                format!("http://[::ffff:127.0.0.1]:{port}/secret"),
                format!("http://2130706433:{port}/secret"),
                format!("http://0x7f000001:{port}/secret"),
                format!("http://0177.0.0.1:{port}/secret"),
                format!("http://127.1:{port}/secret"),
                format!("http://0.0.0.0:{port}/secret"),
                format!("http://[::1]:{port}/secret"),
                format!("http://[::]:{port}/secret"),
                format!("http://localhost.:{port}/secret"),
                format!("http://LOCALHOST:{port}/secret"),
                format!("http://127.0.0.1.:{port}/secret"),
                format!("http://１２７.0.0.1:{port}/secret"),
                format!("https://{inside}/secret"),
                format!("http://user:password@{inside}/secret"),
                format!("http:\\\\{inside}\\secret"),
                format!("gopher://{inside}/_GET"),
                "https://172.16.0.1/x.jpg".to_owned(),
                "https://192.168.1.1/x.jpg".to_owned(),
                "https://[fc00::1]/x.jpg".to_owned(),
                "https://[fe80::1]/x.jpg".to_owned(),
                format!("http://scontent.fbcdn.net@{inside}/secret"),
                format!("http://{inside}/scontent.fbcdn.net"),
                "https://10.0.0.1/x.jpg".to_owned(),
                "https://fbcdn.net.evil.example/x.jpg".to_owned(),
                "file:///etc/passwd".to_owned(),
                "ftp://127.0.0.1/x".to_owned(),
                "not an address".to_owned(),
            ]
            .into_iter()
            .enumerate()
            {
                let mid = format!("m_{inbox}_{n}");
                let raw = json!({"kind": "raw", "content": {"message": {"mid": mid,
                    "attachments": [{"type": "image", "payload": {"url": url}}]}}});
                stage.act(&thread.customer, inbox, raw);
                let file = settled(&stage, inbox, &mid).await;
                assert_eq!(file.state, AttachmentState::Failed, "{url}: {:?}", file.error);
                let said = file.error.unwrap();
                assert!(
                    !said.contains("127.0.0.1") && !said.contains("169.254"),
                    "tells of the inside: {said}"
                );
            }
        }
    }
    assert_eq!(touched.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_into_the_network_is_not_followed() {
    let (inside, touched) = tripwire().await;
    for stage in Stage::on_all(StageSettings::default()).await {
        for (inbox, channel) in [("messenger", Channel::Messenger), ("whatsapp", Channel::WhatsappCloud)] {
            let thread = stage.thread(inbox).await;
            let location = format!("http://{inside}/secret");
            stage.fault(
                channel,
                json!({"fault": "redirect", "location": location, "rate": 1.0, "scope": "media"}),
            );
            let remote = stage.act(&thread.customer, inbox, json!({"kind": "image"}));
            let message = stage.received(inbox, &remote).await;
            let account = stage.account;
            let tried = frontdesk_testkit::stage::until("it was tried", || async {
                let files = stage
                    .read(move |tx| frontdesk_store::attachments::of_message(tx, account, message.id))
                    .await;
                files.into_iter().next().filter(|f| f.error.is_some())
            });
            assert_ne!(tried.await.state, AttachmentState::Ready);
            stage.heal();
        }
    }
    assert_eq!(touched.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_claims_to_be_a_picture_is_never_shown_as_one() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let page = b"<!DOCTYPE html><html><script>alert(document.cookie)</script></html>";
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"></svg>";
        for (name, claimed, bytes) in [
            ("a.jpg", "image/jpeg", page.as_slice()),
            ("b.svg", "image/svg+xml", svg),
            ("c.png", "text/html", page),
        ] {
            let thread = stage.thread("whatsapp").await;
            let media_id = stage.provide_file(name, claimed, bytes).await;
            let remote =
                stage.act(&thread.customer, "whatsapp", json!({"kind": "image", "media_id": media_id}));
            let file = settled(&stage, "whatsapp", &remote).await;
            assert_eq!(file.state, AttachmentState::Ready);
            let answer = stage.fetch(0, &address(&stage, &file).await).await;
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-disposition").starts_with("attachment"), "{claimed}");
            let mime = header("content-type");
            assert!(mime.starts_with("text/plain") || mime.starts_with("application/octet-stream"), "{mime}");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert!(header("content-security-policy").contains("sandbox"));
        }
    }
}
