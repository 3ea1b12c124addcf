//! News of alerts: signed, at least once, tried again, and never to an address inside.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use frontdesk_engine::monitoring::delivery;
use frontdesk_engine::monitoring::settings::{MailEncryption, MailSettings};
use frontdesk_testkit::database::databases;
use frontdesk_testkit::meta::settings;
use frontdesk_testkit::server::TestServer;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::ground::{Ground, ground_on, grounds};

const TARGETS: &str = "/api/v1/monitoring/alerts/targets";

/// Somebody who listens to news: what came, and what to answer.
#[derive(Clone, Default)]
pub struct Listener {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Listener {
    pub async fn open(&self) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=1", socket.local_addr().unwrap());
        let router = Router::new().fallback(hear).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        url
    }

    pub fn heard(&self) -> Vec<(HeaderMap, String)> {
        self.heard.lock().unwrap().clone()
    }
}

async fn hear(State(listener): State<Listener>, headers: HeaderMap, body: String) -> StatusCode {
    listener.heard.lock().unwrap().push((headers, body));
    let answer = listener.answers.lock().unwrap().pop().unwrap_or(204);
    StatusCode::from_u16(answer).unwrap()
}

pub async fn listen_at(ground: &Ground, url: &str) -> String {
    let body = json!({ "webhook_url": url });
    let targets = ground.server.call("PUT", TARGETS).bearer(&ground.token).json(&body).send().await.ok(200);
    targets["webhook_secret"].as_str().unwrap_or_default().to_owned() // shown when it is made
}

async fn make_it_fire(ground: &Ground) {
    for _ in 0..8 {
        ground.calls(10, 5, 20).await;
        ground.pass(10).await;
    }
    assert_eq!(ground.firing().await, ["critical_error_rate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_is_signed_as_the_standard_says() {
    for ground in grounds().await {
        let listener = Listener::default();
        let secret = listen_at(&ground, &listener.open().await).await;
        make_it_fire(&ground).await;
        delivery::deliver_due(&ground.server.engine).await.unwrap();
        let heard = listener.heard();
        let [(headers, body)] = heard.as_slice() else { panic!("{heard:?}") };
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        let expected = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
        assert_eq!(header("webhook-signature"), expected);
        assert_eq!(header("content-type"), "application/json");
        let news: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (news["type"].as_str(), news["data"]["rule"].as_str()),
            (Some("alert.fired"), Some("critical_error_rate"))
        );
        assert_eq!(news["data"]["inbox_id"], json!(ground.inbox.0));
        let log = ground.get("alerts/deliveries").await;
        assert_eq!(
            (log["data"][0]["state"].as_str(), log["data"][0]["http_status"].as_i64()),
            (Some("delivered"), Some(204))
        );
        let shown = ground.get("alerts/targets").await;
        assert_eq!(shown["webhook_secret"], json!(null), "the secret is shown once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_is_not_taken_comes_again_with_the_same_id_until_it_is() {
    for ground in grounds().await {
        let listener = Listener::default();
        *listener.answers.lock().unwrap() = vec![200, 429, 500];
        listen_at(&ground, &listener.open().await).await;
        make_it_fire(&ground).await;
        for wait_ms in [0, 5_000, 30_000] {
            ground.server.clock.advance_ms(wait_ms);
            delivery::deliver_due(&ground.server.engine).await.unwrap();
            delivery::deliver_due(&ground.server.engine).await.unwrap(); // nothing is due yet
        }
        let heard = listener.heard();
        assert_eq!(heard.len(), 3);
        assert!(
            heard
                .iter()
                .all(|(headers, body)| headers["webhook-id"] == heard[0].0["webhook-id"]
                    && *body == heard[0].1)
        );
        assert!(
            heard[2].0["webhook-timestamp"] > heard[0].0["webhook-timestamp"],
            "each try has its own time"
        );
        let log = ground.get("alerts/deliveries").await;
        assert_eq!(
            (log["data"][0]["state"].as_str(), log["data"][0]["attempts"].as_i64()),
            (Some("delivered"), Some(3))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_gone_hears_no_more_and_a_dead_address_is_given_up_after_a_day() {
    for ground in grounds().await {
        let listener = Listener::default();
        *listener.answers.lock().unwrap() = vec![410];
        listen_at(&ground, &listener.open().await).await;
        let test = format!("{TARGETS}/test");
        let sent = ground.server.post(&test).bearer(&ground.token).json(&json!({})).send().await.ok(202);
        assert_eq!(sent["deliveries"], 1);
        delivery::deliver_due(&ground.server.engine).await.unwrap();
        let log = ground.get("alerts/deliveries").await;
        assert_eq!(
            (log["data"][0]["state"].as_str(), log["data"][0]["event"].as_str()),
            (Some("failed"), Some("alert.test"))
        );

        listen_at(&ground, "http://127.0.0.1:9/nobody").await;
        ground.server.post(&test).bearer(&ground.token).json(&json!({})).send().await.ok(202);
        let mut tries = 0;
        for _ in 0..40 {
            delivery::deliver_due(&ground.server.engine).await.unwrap();
            ground.server.clock.advance_ms(3_600_000);
            tries += 1;
            if ground.get("alerts/deliveries").await["data"][0]["state"] == "failed" {
                break;
            }
        }
        let log = ground.get("alerts/deliveries").await;
        assert_eq!(
            (log["data"][0]["state"].as_str(), log["data"][0]["attempts"].as_i64()),
            (Some("failed"), Some(10))
        );
        assert!((20..=30).contains(&tries), "given up after {tries} hours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_is_not_called() {
    for ground in grounds().await {
        for url in [
            "https://10.0.0.1/hook",
            "https://169.254.169.254/latest/meta-data",
            "http://example.org/hook",
            "https://[::1]/hook",
            "ftp://example.org/",
            "https://user:secret@example.org/",
            "nonsense",
        ] {
            let body = json!({ "webhook_url": url });
            let answer = ground.server.call("PUT", TARGETS).bearer(&ground.token).json(&body).send().await;
            let refused = answer.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"]["webhook_url"].is_array(), "{url}: {refused}");
        }
        let letters = json!({ "emails": ["ops@example.org"] });
        let answer = ground.server.call("PUT", TARGETS).bearer(&ground.token).json(&letters).send().await;
        assert!(
            answer.refused(422, "VALIDATION_ERROR")["errors"]["emails"].is_array(),
            "no mail server is set"
        );
        let nowhere = ground
            .server
            .post(&format!("{TARGETS}/test"))
            .bearer(&ground.token)
            .json(&json!({}))
            .send()
            .await;
        nowhere.refused(409, "CONFLICT");
    }
}

/// A mail server that takes one letter and hands it over.
async fn mail_server() -> (u16, tokio::task::JoinHandle<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let letter = tokio::spawn(async move {
        let (stream, _) = socket.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let (mut letter, mut in_data) = (String::new(), false);
        write.write_all(b"220 mail.example.org\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer: &[u8] = match line.split_whitespace().next().unwrap_or_default() {
                "." if in_data => {
                    write.write_all(b"250 taken\r\n").await.unwrap();
                    return letter;
                }
                _ if in_data => {
                    letter.push_str(&line);
                    letter.push('\n');
                    continue;
                }
                "DATA" => {
                    in_data = true;
                    b"354 go on\r\n"
                }
                _ => b"250 fine\r\n",
            };
            letter.push_str(&line);
            letter.push('\n');
            write.write_all(answer).await.unwrap();
        }
        letter
    });
    (port, letter)
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_get_a_letter() {
    for database in databases().await {
        let (port, letter) = mail_server().await;
        let mut with_mail = settings();
        with_mail.engine.mail = MailSettings {
            host: "127.0.0.1".to_owned(),
            port,
            encryption: MailEncryption::None,
            from: "Frontdesk <alerts@example.org>".to_owned(),
            ..MailSettings::default()
        };
        let ground = ground_on(TestServer::on(database, with_mail).await).await;
        let body = json!({ "emails": ["ops@example.org", "OPS@example.org", " "] });
        let targets =
            ground.server.call("PUT", TARGETS).bearer(&ground.token).json(&body).send().await.ok(200);
        assert_eq!(
            (targets["emails"].clone(), targets["email_available"].as_bool()),
            (json!(["ops@example.org"]), Some(true))
        );
        make_it_fire(&ground).await;
        delivery::deliver_due(&ground.server.engine).await.unwrap();
        let letter = letter.await.unwrap();
        for part in [
            "RCPT TO:<ops@example.org>",
            "Critical Error Rate",
            "MAIL FROM:<alerts@example.org>",
            "/monitoring",
        ] {
            assert!(letter.contains(part), "{part}: {letter}");
        }
        assert_eq!(ground.get("alerts/deliveries").await["data"][0]["state"], "delivered");
    }
}
