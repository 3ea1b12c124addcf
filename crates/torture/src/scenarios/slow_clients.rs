//! Thousands of clients that send one byte at a time, while others are to be served as ever.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::Trial;

/// A byte so often.
const PACE: Duration = Duration::from_secs(1);
/// A head that is not complete by then ends the connection (`server.header_timeout_ms`), give or take.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(15);
/// 99 of 100 others are answered within this time meanwhile.
const OTHERS: Duration = Duration::from_millis(500);
const MORE_MEMORY: u64 = 64 * 1024 * 1024;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan::default()).await?;
    let (clients, port) = (trial.pick(500, 2_000), scene.nodes[0].port());
    let memory = scene.nodes[0].memory()?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 50, replies_per_second: 10 });
    let mut slow = JoinSet::new();
    for number in 0..clients {
        slow.spawn(dribble(port, number % 2 == 0));
    }
    let mut others = Vec::new();
    let began = Instant::now();
    let mut most = memory;
    while began.elapsed() < trial.pick(Duration::from_secs(4), Duration::from_secs(11)) {
        let asked = Instant::now();
        scene.agent.get("/api/v1/conversations?limit=20").await?;
        others.push(asked.elapsed());
        most = most.max(scene.nodes[0].memory()?);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    others.sort_unstable();
    let slowest = others[(others.len() * 99).div_ceil(100) - 1];
    report.expect(slowest <= OTHERS, || format!("others waited {slowest:.1?} (99 of 100)"));
    report.expect(most < memory + MORE_MEMORY, || format!("memory grew by {} KiB", (most - memory) / 1024));
    let mut late = 0;
    while let Some(lasted) = slow.join_next().await {
        late += usize::from(lasted?? > CUT_OFF_WITHIN);
    }
    report.expect(late == 0, || format!("{late} slow clients were not cut off within {CUT_OFF_WITHIN:?}"));
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    report.size = format!("{clients} slow clients, {} other requests", others.len());
    report.figure(format!("others: 99 of 100 within {slowest:.0?}; memory +{} KiB", (most - memory) / 1024));
    scene.close(report).await
}

/// Sends a head that never ends, or says nothing at all; how long the server put up with it.
async fn dribble(port: u16, speaks: bool) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await?;
    let mut answer = [0; 256];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => match read {
                Ok(0) | Err(_) => return Ok(began.elapsed()),
                Ok(_) => {} // it may be told that it was too slow
            },
            () = tokio::time::sleep(PACE) => {
                if speaks && stream.write_all(b"x").await.is_err() {
                    return Ok(began.elapsed());
                }
            }
        }
        if began.elapsed() > CUT_OFF_WITHIN * 2 {
            return Ok(began.elapsed());
        }
    }
}
