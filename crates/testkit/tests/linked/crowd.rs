//! A hundred sessions in one process, and what they cost. Run it alone for its figures:
//! `cargo nextest run -p frontdesk-testkit --test linked a_hundred_sessions --no-capture`.

use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::{Value, json};

use crate::phones::{add_phone, scan};

const SESSIONS: usize = 100;
/// What one may cost, phone of the sandbox included.
const MAX_BYTES: u64 = 2 << 20;

/// The memory of this process that is not shared, in bytes; `None` where the system does not tell.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[tokio::test]
async fn a_hundred_sessions_cost_two_megabytes_each_at_most() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let before = memory();
        for n in 0..SESSIONS {
            let (name, number) = (format!("cs-{n:03}"), format!("62812110{n:05}"));
            add_phone(&stage, &name, &number);
            let (status, made) = stage.call("POST", "/api/v1/sessions", json!({ "session_id": name })).await;
            assert_eq!(status, 201, "{made}");
            let (status, code) = stage.call("GET", &format!("/api/v1/sessions/{name}/qr"), Value::Null).await;
            assert_eq!(status, 200, "{code}");
            scan(&stage, &name);
        }
        until("all are connected", || async {
            let (_, listed) = stage.call("GET", "/api/v1/sessions?limit=200", Value::Null).await;
            let sessions = listed["data"].as_array().unwrap();
            let connected = sessions.iter().filter(|session| session["state"] == "connected").count();
            (connected == SESSIONS).then_some(())
        })
        .await;
        let mut times = Vec::new();
        for _ in 0..40 {
            let asked = std::time::Instant::now();
            stage.call("GET", "/api/v1/sessions?limit=200", Value::Null).await;
            times.push(asked.elapsed());
        }
        times.sort();
        let (Some(before), Some(after)) = (before, memory()) else { continue };
        let each = after.saturating_sub(before) / SESSIONS as u64;
        println!(
            "{}: {} KiB for each session; GET /sessions p95 {:?}",
            stage.database.kind,
            each / 1024,
            times[37]
        );
        assert!(each <= MAX_BYTES, "{each} bytes for each session");
    }
}
