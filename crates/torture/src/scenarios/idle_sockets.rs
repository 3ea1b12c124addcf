//! Thousands of sockets that only listen: what each costs, and that all of them still hear.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::socket::Socket;
use crate::trial::Trial;

/// What a socket may cost in memory.
const EACH_BYTES: u64 = 30 * 1024;
/// Opened side by side.
const SIDE_BY_SIDE: usize = 32;
/// A message is heard by all within this time.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
const SETTINGS: &[(&str, &str)] = &[
    ("FRONTDESK_SERVER_MAX_CONNECTIONS", "20000"),
    ("FRONTDESK_REALTIME_LIMITS_MAX_SOCKETS_PER_ACCOUNT", "20000"),
];

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan { set: SETTINGS, ..Plan::default() }).await?;
    // This process and the program need a handle for each; some are needed for other things.
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let wanted = trial.pick(150, 10_000).min(usize::try_from(allowed.saturating_sub(500))?);
    let before = scene.nodes[0].memory()?;
    let began = Instant::now();
    let mut sockets = Vec::with_capacity(wanted);
    let mut opening: JoinSet<anyhow::Result<Socket>> = JoinSet::new();
    for _ in 0..wanted {
        if opening.len() >= SIDE_BY_SIDE
            && let Some(opened) = opening.join_next().await
        {
            sockets.push(opened??);
        }
        let agent = scene.agent.clone();
        opening.spawn(async move { Socket::listen(&agent).await });
    }
    while let Some(opened) = opening.join_next().await {
        sockets.push(opened??);
    }
    let took = began.elapsed();
    let each = scene.nodes[0].memory()?.saturating_sub(before) / u64::try_from(wanted)?.max(1);
    report.expect(each <= EACH_BYTES, || format!("each socket costs {each} bytes"));
    let (wrote, mut hearing) = (Instant::now(), JoinSet::new());
    for mut socket in sockets {
        hearing.spawn(async move { tokio::time::timeout(HEARD_WITHIN, socket.next_number()).await.is_ok() });
    }
    scene.provider.write(&scene.ledger, scene.ledger.count_written())?;
    let mut heard = 0;
    while let Some(one) = hearing.join_next().await {
        heard += usize::from(one?);
    }
    report.expect(heard == wanted, || format!("only {heard} of {wanted} sockets heard of a message"));
    report.figure(format!("each socket costs {each} bytes; all heard within {:.2?}", wrote.elapsed()));
    scene.settle(&mut report).await?;
    report.size = format!("{wanted} sockets, opened in {took:.1?}");
    scene.close(report).await
}
