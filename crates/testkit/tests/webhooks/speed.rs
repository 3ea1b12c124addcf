//! How soon a text is told. A measurement: `--run-ignored all a_text_is_told_in_time --no-capture` prints it.

use std::time::{Duration, Instant};

use frontdesk_engine::workers;
use serde_json::json;

use crate::receiver::Receiver;
use crate::{SITI, grounds};

const TEXTS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: it depends on the machine"]
async fn a_text_is_told_in_time() {
    for ground in grounds().await {
        let receiver = Receiver::default();
        ground.listen(&receiver, json!({})).await;
        let running = workers::spawn(&ground.server.engine);
        let mut times = Vec::with_capacity(TEXTS);
        for n in 0..TEXTS {
            let began = Instant::now();
            ground.writes(SITI, &format!("wamid.{n}"), "How soon?").await;
            let heard = tokio::time::timeout(Duration::from_secs(10), receiver.hears(n + 1));
            assert!(heard.await.is_ok(), "text {n} was not told");
            times.push(began.elapsed());
        }
        times.sort_unstable();
        println!(
            "{}: p50 {:?}, p95 {:?}",
            ground.server.database.kind,
            times[TEXTS / 2],
            times[TEXTS * 95 / 100]
        );
        ground.server.engine.shutdown.cancel();
        running.stopped().await;
        assert!(times[TEXTS / 2] < Duration::from_millis(500), "{:?}", times[TEXTS / 2]);
    }
}
