use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::green;
use frontdesk_testkit::meta::APP_SECRET;
use frontdesk_testkit::meta::{DOOR, NUMBER, settings, sign};
use frontdesk_testkit::server::TestServer;
use futures_util::stream;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LIMIT: usize = 4 * 1024 * 1024;

/// A whole body with a message of its own, filled up with spaces.
fn body_of(size: usize) -> Bytes {
    let id = format!("wamid.{size}");
    let text = bodies::text(NUMBER, Person::named("6281390045512", "Sari"), &id, 1_768_460_000, "hi");
    let mut whole = text.to_string().into_bytes();
    whole.resize(size, b' ');
    whole.into()
}

async fn logged(server: &TestServer) -> i64 {
    server.database.number("SELECT COUNT(*) FROM webhook_logs").await
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        for (size, status) in [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 2, 413)] {
            let answer = server.webhook(body_of(size)).send().await;
            assert_eq!(answer.status, status, "{size}: {}", answer.text());
            if status == 413 {
                answer.refused(413, "PAYLOAD_TOO_LARGE");
            }
        }
        assert_eq!(logged(&server).await, 2, "{}", server.database.kind);
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_counted_as_it_comes() {
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        for (size, status) in [(LIMIT, 200), (LIMIT + 1, 413)] {
            let whole = body_of(size);
            let signature = sign(&whole, APP_SECRET);
            let chunks: Vec<Result<Bytes, std::io::Error>> =
                whole.chunks(65_000).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
            let call = server.post(DOOR).header("x-hub-signature-256", signature);
            let answer = call.body(Body::from_stream(stream::iter(chunks))).send().await;
            assert_eq!(answer.status, status, "{}", answer.text());
        }
        let chunks: Vec<Result<Bytes, std::io::Error>> =
            vec![Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("the line broke"))];
        let broken = server.post(DOOR).body(Body::from_stream(stream::iter(chunks))).send().await;
        broken.refused(400, "BAD_REQUEST");
        assert_eq!(logged(&server).await, 1);
    }
}

#[tokio::test]
async fn a_wrong_length_or_a_compressed_body_is_refused_before_it_is_read() {
    for server in TestServer::on_all(settings()).await {
        let body = body_of(1000);
        let huge = server.webhook(body.clone()).header("content-length", "99999999999").send().await;
        huge.refused(413, "PAYLOAD_TOO_LARGE");
        for encoding in ["gzip", "br", "deflate", "zstd", "gzip, identity", "GZIP", "nonsense"] {
            let answer = server.webhook(body.clone()).header("content-encoding", encoding).send().await;
            answer.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let twice = server.webhook(body.clone()).header("content-encoding", "identity");
        twice.header("content-encoding", "gzip").send().await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(logged(&server).await, 0);
        for encoding in ["identity", "Identity"] {
            let plain = server.webhook(body.clone()).header("content-encoding", encoding).send().await;
            assert_eq!(plain.status, 200);
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_or_lies_about_the_length_harms_nobody() {
    for server in TestServer::on_all(settings()).await {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = server.router().into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await });
        let body = body_of(600);
        let signature = sign(&body, APP_SECRET);
        let head = |length: &str| {
            format!(
                "POST {DOOR} HTTP/1.1\r\nhost: a\r\nx-hub-signature-256: {signature}\r\nconnection: close\r\n{length}\r\n\r\n"
            )
        };
        for (length, sent) in [
            ("content-length: 6000", &body[..]),
            ("content-length: 100", &body[..]),
            ("content-length: -1", &body[..]),
            ("content-length: 600\r\ncontent-length: 10", &body[..]),
            ("content-length: 10\r\ntransfer-encoding: chunked", b"5\r\n{\"a\":\r\nzz\r\n".as_slice()),
            ("transfer-encoding: chunked", b"ffffffffffffffff1\r\n{}\r\n0\r\n\r\n".as_slice()),
            ("transfer-encoding: chunked", b"5\r\n{\"a\":".as_slice()),
        ] {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(head(length).as_bytes()).await.unwrap();
            let _ = socket.write_all(sent).await; // it may have been hung up on
            let _ = socket.shutdown().await;
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                !answer.starts_with("HTTP/1.1 5") && !answer.starts_with("HTTP/1.1 2"),
                "{length}: {answer}"
            );
        }
        assert_eq!(logged(&server).await, 0, "nothing was stored");
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(head("content-length: 600").as_bytes()).await.unwrap();
        socket.write_all(&body).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        serving.abort();
    }
}

#[tokio::test]
async fn green_apis_webhooks_may_be_as_large_as_the_setting_says() {
    const SET: usize = 64 * 1024;
    for (set, limit) in [(None, 5 * 1024 * 1024), (Some(SET), SET)] {
        let mut settings = green::settings();
        settings.engine.doors.green_api_max_body_bytes = set;
        for server in TestServer::on_all(settings).await {
            let words = green::token_of(green::INSTANCE);
            server.connect_instance(server.account, green::INSTANCE, &[("webhook_token", &words)]).await;
            for (size, status) in [(limit, 200), (limit + 1, 413)] {
                let body = json!({"typeWebhook": "stateInstanceChanged", "timestamp": size,
                    "instanceData": {"idInstance": green::INSTANCE.parse::<u64>().unwrap()},
                    "stateInstance": "authorized"});
                let mut body = body.to_string().into_bytes();
                body.resize(size, b' ');
                let answer = server.green_webhook(&words, body).send().await;
                assert_eq!(answer.status, status, "{size}: {}", answer.text());
                if status == 413 {
                    answer.refused(413, "PAYLOAD_TOO_LARGE");
                }
            }
            assert_eq!(logged(&server).await, 1, "{}", server.database.kind);
        }
    }
}
