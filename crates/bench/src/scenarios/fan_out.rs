//! Live updates to many sockets: an event passed on, and a webhook that becomes one.

use std::time::Duration;

use crate::bench::Bench;
use crate::floors::Floor;
use crate::load::publish::{Schedule, Source};
use crate::load::sockets::{Listening, Sockets};
use crate::process::Process;
use crate::product::Database;
use crate::table::{Reading, Table};

const DELIVERED: &str = "delivered per second";
const P50: &str = "p50 ms";
const P99: &str = "p99 ms";
const MISSING: &str = "missing";
const MEMORY: &str = "KiB per socket";
/// Messages a second.
const RATE: u32 = 100;
const EVENT: &str = "bench-event";
/// What the product tells of a customer's message.
const RECEIVED: &str = "NewMessageReceived";
const CUSTOMERS: u64 = 1_000;
/// How long after the last message the rest may take.
const REST: Duration = Duration::from_secs(5);

/// Who is measured.
enum Contestant {
    Floor,
    Product { database: Database, source: Source, channel: &'static str, event: &'static str },
}

const PASSED_ON: Source = Source::Event { channel: "private-bench", name: EVENT };
const RECEIVED_FROM: Source = Source::Webhook { customers: CUSTOMERS };

/// The floor, and the product with events and with webhooks.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let sockets = bench.sizes.sockets;
    let mut table = Table::new(
        "Live updates",
        &format!(
            "{sockets} sockets on one private channel, {RATE} messages a second. *Events* come through `POST \
             /apps/{{id}}/events` with 200 bytes; *webhooks* are customers' messages, stored first, then told to every \
             socket. Times count from when a message was due to be sent. The floor is a bare axum server that keeps \
             nothing and checks nothing."
        ),
    );
    let mut contestants = vec![(Floor::FanOut.name().to_owned(), Contestant::Floor)];
    for database in bench.databases() {
        let (channel, event) = ("private-bench", EVENT);
        if database == Database::Sqlite {
            let passed = Contestant::Product { database, source: PASSED_ON, channel, event };
            contestants.push((events().to_owned(), passed));
        }
        let (channel, event) = ("private-inbox", RECEIVED);
        let received = Contestant::Product { database, source: RECEIVED_FROM, channel, event };
        contestants.push((webhooks(database), received));
    }
    bench.alternate(&mut table, &contestants, async |contestant| measure(bench, contestant).await).await?;
    table.at_least(events(), Floor::FanOut.name(), DELIVERED, 0.9);
    table.at_most(events(), P99, 100.0);
    table.at_most(events(), MEMORY, 20.0);
    for name in contestants.iter().map(|(name, _)| name) {
        table.at_most(name, MISSING, 0.0);
    }
    for database in bench.databases() {
        table.at_most(&webhooks(database), P50, 20.0);
        table.at_most(&webhooks(database), P99, 150.0);
    }
    Ok(table)
}

fn events() -> &'static str {
    "Frontdesk, events"
}

fn webhooks(database: Database) -> String {
    format!("Frontdesk, webhooks, {}", database.name())
}

async fn measure(bench: &Bench, contestant: &Contestant) -> anyhow::Result<Reading> {
    match contestant {
        Contestant::Floor => {
            let floor = bench.floor(Floor::FanOut).await?;
            let listening =
                Listening { address: floor.address.clone(), channel: "private-bench", event: EVENT };
            let reading = fan_out(bench, &floor.process, listening, PASSED_ON).await?;
            floor.stop(bench).await?;
            Ok(reading)
        }
        Contestant::Product { database, source, channel, event } => {
            let product = bench.product(*database, &[]).await?;
            let process = product.start().await?;
            let listening = Listening { address: product.address().to_owned(), channel, event };
            let reading = fan_out(bench, &process, listening, *source).await?;
            process.stop().await?;
            bench.remove(product, *database).await?;
            Ok(reading)
        }
    }
}

async fn fan_out(
    bench: &Bench,
    process: &Process,
    listening: Listening,
    source: Source,
) -> anyhow::Result<Reading> {
    let count = bench.sizes.sockets;
    let address = listening.address.clone();
    let before = process.resident_kib();
    let sockets = Sockets::connect(listening, count).await?;
    let connected = process.resident_kib();

    let first = sockets.epoch().elapsed() + Duration::from_millis(50);
    let (from, until) = (first + bench.warm_up, first + bench.warm_up + bench.measured);
    sockets.count_between(from, until);
    let messages = |time: Duration| (time.as_secs_f64() * f64::from(RATE)).round();
    let all = messages(until - first) as u32;
    let schedule = Schedule { address, source, per_second: RATE, first, count: all };
    let expected = (all - u32::try_from(due_before(&schedule, from))?) as usize * count;

    let mut sending = std::pin::pin!(schedule.run(sockets.epoch()));
    let end = tokio::time::sleep_until(sockets.epoch().at(until).into());
    let sent = tokio::select! {
        done = &mut sending => Some(done),
        () = end => None,
    };
    tokio::time::sleep_until(sockets.epoch().at(until).into()).await;
    let in_time = sockets.counted();
    match sent {
        Some(done) => done?,
        None => sending.await?,
    }
    let patience = tokio::time::Instant::now() + REST;
    while sockets.counted() < expected && tokio::time::Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sockets.check()?;
    let missing = expected as f64 - sockets.counted() as f64;
    let after = process.resident_mib();
    let mut latencies = sockets.close();
    Ok(Reading::default()
        .with(DELIVERED, in_time as f64 / bench.measured.as_secs_f64())
        .with(P50, latencies.percentile_ms(0.5))
        .with(P99, latencies.percentile_ms(0.99))
        .with(MISSING, missing)
        .with(MEMORY, (connected - before) / count as f64)
        .with("RSS MiB", after))
}

/// How many messages of the schedule are due before a moment: they do not count.
fn due_before(schedule: &Schedule, moment: Duration) -> usize {
    (0..schedule.count).take_while(|number| schedule.due(*number) < moment).count()
}
