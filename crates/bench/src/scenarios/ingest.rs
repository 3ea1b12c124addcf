//! Signed webhooks of one message each, as fast as they are answered.

use std::path::PathBuf;

use super::backlog::Backlog;
use crate::bench::Bench;
use crate::floors::Floor;
use crate::load::closed_loop::{CONNECTIONS, ClosedLoop, Outcome};
use crate::peers::{self, node_red};
use crate::product::Database;
use crate::table::{Reading, Table};
use crate::webhook;

const RATE: &str = "per second";

/// Who is measured.
enum Contestant {
    Floor(Floor),
    NodeRed(PathBuf),
    Product { database: Database, customers: u64 },
}

/// Floors, and the product with one customer and with many.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Taking webhooks",
        &format!(
            "{CONNECTIONS} kept connections, each sends the next webhook when it has the answer to the last; one message of \
             about 100 characters each, signed, ids never repeated. Everybody gets the same bodies. 200 comes after the \
             commit is on disk (`http_hmac` keeps nothing). `not applied` counts acknowledged messages that the API does \
             not show afterwards; `backlog` is the longest time from a 200 until the API shows that message, probed five \
             times a second."
        ),
    );
    let many = bench.sizes.customers;
    let mut contestants = vec![floor(Floor::Hmac), floor(Floor::SqliteFull)];
    if bench.postgres.is_some() {
        contestants.push(floor(Floor::PgGroup));
    }
    match peers::installed(bench, node_red::program) {
        Some(program) => contestants.push((node_red::NAME.to_owned(), Contestant::NodeRed(program))),
        None => table.note(format!("{}: not installed (`scripts/bench-peers`)", node_red::NAME)),
    }
    for database in bench.databases() {
        for customers in [1, many] {
            contestants.push((name(database, customers), Contestant::Product { database, customers }));
        }
    }
    bench.alternate(&mut table, &contestants, async |contestant| measure(bench, contestant).await).await?;
    for (database, base, bar) in
        [(Database::Sqlite, Floor::SqliteFull, 0.5), (Database::Postgres, Floor::PgGroup, 0.35)]
    {
        for customers in [1, many] {
            table.at_least(&name(database, customers), base.name(), RATE, bar);
            table.at_most(&name(database, customers), "p99 ms", 50.0);
        }
    }
    for customers in [1, many] {
        table.at_least(&name(Database::Sqlite, customers), node_red::NAME, RATE, 5.0);
    }
    Ok(table)
}

fn floor(floor: Floor) -> (String, Contestant) {
    (floor.name().to_owned(), Contestant::Floor(floor))
}

fn name(database: Database, customers: u64) -> String {
    let who = if customers == 1 { "one customer".to_owned() } else { format!("{customers} customers") };
    format!("Frontdesk, {}, {who}", database.name())
}

async fn measure(bench: &Bench, contestant: &Contestant) -> anyhow::Result<Reading> {
    match contestant {
        Contestant::Floor(floor) => {
            let running = bench.floor(*floor).await?;
            let load = load(bench, &running.address, Floor::PATH, bench.sizes.customers);
            let mut outcome = load.run().await?;
            let reading = reading(&load, &mut outcome)?.with("RSS MiB", running.process.resident_mib());
            running.stop(bench).await?;
            Ok(reading)
        }
        Contestant::NodeRed(program) => {
            let peer = node_red::start(bench, program).await?;
            let load = load(bench, &peer.address, Floor::PATH, bench.sizes.customers);
            let mut outcome = load.run().await?;
            let reading = reading(&load, &mut outcome)?.with("RSS MiB", peer.process.resident_mib());
            peer.process.stop().await?;
            Ok(reading)
        }
        Contestant::Product { database, customers } => {
            let product = bench.product(*database, &[]).await?;
            let process = product.start().await?;
            let load = load(bench, product.address(), webhook::PATH, *customers);
            let backlog = Backlog::watch(&product).await?;
            let mut outcome = load.run().await?;
            let probes = backlog.end().await?;
            let acknowledged = outcome.acknowledged + probes.sent;
            let applied = product.settled(acknowledged).await?;
            let reading = reading(&load, &mut outcome)?
                .with("RSS MiB", process.resident_mib())
                .with("not applied", acknowledged as f64 - applied as f64)
                .with("backlog ms", probes.longest.as_secs_f64() * 1_000.0);
            process.stop().await?;
            bench.remove(product, *database).await?;
            Ok(reading)
        }
    }
}

fn load(bench: &Bench, address: &str, path: &str, customers: u64) -> ClosedLoop {
    ClosedLoop {
        address: address.to_owned(),
        path: path.to_owned(),
        customers,
        warm_up: bench.warm_up,
        measured: bench.measured,
    }
}

fn reading(load: &ClosedLoop, outcome: &mut Outcome) -> anyhow::Result<Reading> {
    if let Some(refusal) = &outcome.first_refusal {
        anyhow::bail!("{} of its webhooks were not taken; the first: {refusal}", outcome.refused);
    }
    Ok(Reading::default()
        .with(RATE, outcome.per_second(load))
        .with("p50 ms", outcome.latencies.percentile_ms(0.5))
        .with("p99 ms", outcome.latencies.percentile_ms(0.99)))
}
