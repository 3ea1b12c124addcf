//! A hundred sessions in one process, each linked, each sending and receiving.

use frontdesk_channels::contract::SessionDriver as _;
use frontdesk_model::outbound::OutboundBody;
use frontdesk_whatsapp_native::endpoint::Endpoint;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::mock::Mock;
use crate::stage::{SARI, Stage, outbound};

const SESSIONS: usize = 100;
/// How many are linked at the same time.
const AT_ONCE: usize = 10;
/// What one may take, the mock's end of the line and its keys in memory included.
const MAX_KB: u64 = 2_048;

/// Memory of this process that is in use and no file's, in kilobytes.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_sessions_take_less_than_two_megabytes_each() {
    let mock = Mock::start().await;
    mock.person(SARI).await;
    let number = |i: usize| format!("62813{i:08}");
    let mut stages = Vec::new();
    for i in 0..SESSIONS {
        mock.person(&number(i)).await;
        stages.push(Stage::at(mock.clone(), Endpoint::default()).await);
    }
    let before = resident_kb();
    let one = |i: usize| {
        let (stage, mock, number) = (&stages[i], &mock, number(i));
        async move {
            stage.link(&number).await;
            stage.driver.send(&outbound(OutboundBody::Text(format!("from {i}")))).await.expect("it is taken");
            let words = wa::Message { conversation: Some(format!("to {i}")), ..Default::default() };
            mock.write(SARI, &number, &words).await;
            assert_eq!(stage.stored_message().await.content.text, Some(format!("to {i}")));
        }
    };
    for first in (0..SESSIONS).step_by(AT_ONCE) {
        futures_util::future::join_all((first..SESSIONS.min(first + AT_ONCE)).map(one)).await;
    }
    let each = resident_kb().saturating_sub(before) / SESSIONS as u64;
    println!("{SESSIONS} sessions: {each} kB each, both ends of the line and the keys among them");
    assert!(each <= MAX_KB, "{each} kB for each session");
    for stage in &stages {
        stage.driver.stop().await;
    }
}
