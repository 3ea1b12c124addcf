//! The token is part of every address; nobody ever sees it.

use std::{
    error::Error,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use frontdesk_green_api_client::Instance;
use frontdesk_provider_http::CallLog;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    guest,
    stage::{Stage, TOKEN},
    text,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn shown(error: &dyn Error) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown += &format!(" {error} {error:?}");
        cause = error.source();
    }
    shown
}

// One thread, so that the subscriber of this thread hears everything.
#[tokio::test(flavor = "current_thread")]
async fn no_error_no_debug_and_no_log_line_shows_the_token() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let stage = Stage::start().await;
    let mut settings = stage.pool.http().settings().clone();
    settings.timeout = Duration::from_millis(300);
    settings.log = CallLog { calls: true, request_bodies: true, response_bodies: true };
    (settings.breaker.consecutive_failures, settings.breaker.minimum_calls) = (1_000, 1_000);
    let pool = frontdesk_green_api_client::InstancePool::new(settings).unwrap();
    let client = pool.put(Instance::new(1_101_000_001, TOKEN.into()));
    let mut all = format!("{client:?} {pool:?} {:?}", client.instance());
    for fault in [
        json!({"fault": "latency", "latency_ms": 60_000, "next": 1}),
        json!({"fault": "cut_after", "next": 1}),
        json!({"fault": "garbage", "next": 1}),
        json!({"fault": "huge_answer", "next": 1}),
        json!({"fault": "redirect", "location": format!("/elsewhere/{TOKEN}"), "next": 1}),
        json!({"fault": "error_code", "code": 400, "next": 1}),
        json!({"fault": "error_code", "code": 466, "next": 1}),
    ] {
        stage.faults(json!([fault]));
        all += &shown(&client.send_message(&text("x")).await.unwrap_err());
    }
    stage.faults(json!([]));
    client.send_message(&text("x")).await.unwrap();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for host in [
        format!("http://{}/", free.local_addr().unwrap()),
        "http://10.0.0.1/".to_owned(),
        "https://no-such-host.invalid/".to_owned(),
    ] {
        let far = Instance::new(7, TOKEN.into()).at(Some(host.parse().unwrap()), None);
        all += &shown(&pool.put(far).get_settings().await.unwrap_err());
    }
    drop(free);
    all += &String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let detailed: Vec<_> = all.lines().filter(|line| line.contains("Provider call in detail")).collect();
    assert!(
        detailed.iter().any(|line| line.contains(r#"\"message\":\"x\""#) && line.contains("idMessage")),
        "{detailed:#?}"
    );
    assert!(detailed.iter().all(|line| line.contains("duration_ms")), "{detailed:#?}");
    let phone = guest().to_string();
    let phone = phone.split('@').next().unwrap();
    assert!(!detailed.iter().any(|line| line.contains(phone)), "{detailed:#?}");
    assert!(all.contains("sendMessage"), "something was logged");
    assert!(!all.contains(TOKEN), "the token is in: …{}…", around(&all));
}

fn around(all: &str) -> String {
    let at = all.find(TOKEN).unwrap_or_default();
    all.chars().skip(at.saturating_sub(200)).take(200).collect()
}
