//! Thousands of clients that send one byte at a time, say nothing, or do not read, while others are to be served as
//! ever.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::provider::DOOR;
use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::traffic::{Load, Traffic};
use crate::trial::{Size, Trial};

/// 99 of 100 others are answered within this time meanwhile.
const OTHERS: Duration = Duration::from_millis(500);
/// What a slow client may cost in memory.
const EACH_BYTES: u64 = 96 * 1024;
/// What the others may cost beside them.
const MORE_MEMORY: u64 = 64 * 1024 * 1024;
/// At full size the program's own limits hold.
const FULL: &[(&str, &str)] = &[("FRONTDESK_SERVER_MAX_CONNECTIONS", "20000")];
/// The quick form does not wait as long.
const QUICK: &[(&str, &str)] = &[
    ("FRONTDESK_SERVER_HEADER_TIMEOUT_MS", "2000"),
    ("FRONTDESK_SERVER_BODY_TIMEOUT_MS", "2000"),
    ("FRONTDESK_SERVER_WRITE_TIMEOUT_MS", "2000"),
];
/// What a deaf client asks for, again and again: a quarter of a megabyte each, together more than the four megabytes that
/// the kernel takes for a client that does not read.
const LARGE: &[u8] = b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
const ASKED: usize = 24;

/// How a client is slow.
#[derive(Clone, Copy)]
enum Manner {
    /// Its head never ends.
    Head,
    /// It begins a head and says no more.
    Silence,
    /// Its body never ends: a byte every ten seconds, or every second.
    Body,
    /// It asks for large answers and reads none.
    Deaf,
}

const MANNERS: [Manner; 4] = [Manner::Head, Manner::Silence, Manner::Body, Manner::Deaf];

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan { set: trial.pick(QUICK, FULL), ..Plan::default() }).await?;
    // This process and the program need a handle for each; some are needed for other things.
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let clients = trial.pick(120, 8_000).min(usize::try_from(allowed.saturating_sub(500))?);
    // The slowest limit is that of a body or of writing; give or take.
    let cut_off_within = trial.pick(Duration::from_secs(60), Duration::from_secs(50));
    let pace = trial.pick(Duration::from_secs(1), Duration::from_secs(10));
    let port = scene.nodes[0].port();
    let memory = scene.nodes[0].memory()?;
    let traffic = Traffic::start(&scene, Load { webhooks_per_second: 50, replies_per_second: 10 });
    let usual = connections(&scene).await? + 20;
    let (mut slow, began) = (JoinSet::new(), Instant::now());
    for number in 0..clients {
        slow.spawn(dawdle(port, MANNERS[number % MANNERS.len()], pace, cut_off_within * 2));
    }
    let (mut others, mut most, mut open_most) = (Vec::new(), memory, 0);
    let mut cut_off = None;
    while cut_off.is_none() && began.elapsed() < cut_off_within * 2 {
        let asked = Instant::now();
        scene.agent.get("/api/v1/conversations?limit=20").await?;
        others.push(asked.elapsed());
        most = most.max(scene.nodes[0].memory()?);
        let open = connections(&scene).await?;
        open_most = open_most.max(open);
        if open <= usual && open_most > usual {
            cut_off = Some(began.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    others.sort_unstable();
    let slowest = others[(others.len() * 99).div_ceil(100) - 1];
    // A quick form runs beside other tests: only those who are held up for as long as the slow ones are found.
    let bearable = if trial.size == Size::Quick { OTHERS * 20 } else { OTHERS };
    report.expect(slowest <= bearable, || format!("others waited {slowest:.1?} (99 of 100)"));
    let (more, allowed) = (most - memory, MORE_MEMORY + EACH_BYTES * u64::try_from(clients)?);
    report.expect(more < allowed, || format!("memory grew by {} KiB", more / 1024));
    report.expect(open_most > clients / 2, || format!("only {open_most} connections were open at once"));
    report.expect(cut_off.is_some_and(|after| after <= cut_off_within), || {
        format!("the slow clients were cut off after {cut_off:?} instead of {cut_off_within:?}")
    });
    // Each is counted where operators look. Who says nothing has no head; the deaf are as many as were given up writing to.
    for (part, least) in [("head", clients / 2), ("body", clients / 4), ("answer", clients / 8)] {
        let name = format!("frontdesk_slow_clients_total{{part=\"{part}\"}} ");
        let mut counted = figure(&scene, &name).await?;
        // The last few may still be connected.
        while counted < least && began.elapsed() < cut_off_within {
            tokio::time::sleep(Duration::from_millis(50)).await;
            counted = figure(&scene, &name).await?;
        }
        report.expect(counted >= least, || format!("of {part} only {counted} are counted, not {least}"));
    }
    slow.abort_all();
    traffic.stop().await?;
    scene.settle(&mut report).await?;
    report.size = format!("{clients} slow clients of four kinds, {} other requests", others.len());
    report.figure(format!(
        "others: 99 of 100 within {slowest:.0?}; memory +{} KiB; the last one cut off after {:.1?}",
        more / 1024,
        cut_off.unwrap_or_default()
    ));
    scene.close(report).await
}

/// Connections the program has open, as it says itself.
async fn connections(scene: &Scene) -> anyhow::Result<usize> {
    figure(scene, "frontdesk_connections ").await
}

/// A figure of the program; `name` ends where the value begins.
async fn figure(scene: &Scene, name: &str) -> anyhow::Result<usize> {
    let url = format!("{}/metrics", scene.agent.url());
    let text = reqwest::Client::new().get(url).timeout(Duration::from_secs(60)).send().await?.text().await?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(value.with_context(|| format!("{name}at /metrics"))?.trim().parse()?)
}

/// One slow client, until it is cut off or has had its time.
async fn dawdle(port: u16, manner: Manner, pace: Duration, patience: Duration) -> anyhow::Result<()> {
    let mut stream = match manner {
        Manner::Deaf => {
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(4096)?;
            socket.connect(([127, 0, 0, 1], port).into()).await?
        }
        _ => TcpStream::connect(("127.0.0.1", port)).await?,
    };
    let head = format!("POST {DOOR} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{{");
    let begins: &[u8] = match manner {
        Manner::Head | Manner::Silence => b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        Manner::Body => head.as_bytes(),
        Manner::Deaf => LARGE,
    };
    stream.write_all(begins).await?;
    if matches!(manner, Manner::Deaf) {
        for _ in 1..ASKED {
            if stream.write_all(LARGE).await.is_err() {
                break;
            }
        }
        // Whoever does not read does not hear that it was cut off.
        tokio::time::sleep(patience).await;
        return Ok(());
    }
    let (began, mut answer) = (Instant::now(), [0; 256]);
    while began.elapsed() < patience {
        tokio::select! {
            read = stream.read(&mut answer) => match read {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {} // it may be told that it was too slow
            },
            () = tokio::time::sleep(pace) => {
                if !matches!(manner, Manner::Silence) && stream.write_all(b"x").await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
