//! Whether webhooks are taken as fast when there is much already.

use crate::bench::Bench;
use crate::floors::Floor;
use crate::load::closed_loop::ClosedLoop;
use crate::load::fill::fill;
use crate::product::{Database, Product};
use crate::table::{Reading, Table};
use crate::webhook;

const RATE: &str = "per second";
const P99: &str = "p99 ms";

/// Each database: empty, and after each of the sizes; a floor on an empty database is measured beside it every time, to
/// tell what the machine does meanwhile.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Taking webhooks, with much history",
        &format!(
            "As above, {} customers, after so many messages. The floor beside it begins empty every time and tells how the \
             machine's own speed moved meanwhile. `÷ floor` is of the same minute.",
            bench.sizes.customers
        ),
    );
    for database in bench.databases() {
        let product = bench.product(database, &[]).await?;
        let done = grow(bench, &mut table, database, &product).await;
        bench.remove(product, database).await?;
        done?;
        if let [first, .., last] = bench.sizes.history[..] {
            let (first, last) = (name(database, first), name(database, last));
            table.at_least(&last, &first, RATE, 0.8);
            table.at_least(&last, &first, "÷ floor", 0.8);
        }
    }
    Ok(table)
}

fn name(database: Database, messages: u64) -> String {
    format!("Frontdesk, {}, after {messages}", database.name())
}

async fn grow(bench: &Bench, table: &mut Table, database: Database, product: &Product) -> anyhow::Result<()> {
    let process = product.start().await?;
    let mut there = 0;
    for messages in &bench.sizes.history {
        if *messages > there {
            fill(product, messages - there, bench.sizes.customers).await?;
            there = *messages;
        }
        let base = match database {
            Database::Sqlite => Floor::SqliteFull,
            Database::Postgres => Floor::PgGroup,
        };
        let name = name(database, *messages);
        bench
            .alternate(table, &[(name, ())], async |_: &()| {
                let floor = bench.floor(base).await?;
                let (floor_rate, _) = measure(bench, &floor.address, Floor::PATH).await?;
                floor.stop(bench).await?;
                let (rate, p99) = measure(bench, product.address(), webhook::PATH).await?;
                Ok(Reading::default()
                    .with(RATE, rate)
                    .with(P99, p99)
                    .with("floor per second", floor_rate)
                    .with("÷ floor", rate / floor_rate)
                    .with("RSS MiB", process.resident_mib()))
            })
            .await?;
    }
    process.stop().await
}

async fn measure(bench: &Bench, address: &str, path: &str) -> anyhow::Result<(f64, f64)> {
    let load = ClosedLoop {
        address: address.to_owned(),
        path: path.to_owned(),
        customers: bench.sizes.customers,
        warm_up: bench.warm_up,
        measured: bench.measured,
    };
    let mut outcome = load.run().await?;
    if let Some(refusal) = &outcome.first_refusal {
        anyhow::bail!("{} webhooks were not taken; the first: {refusal}", outcome.refused);
    }
    Ok((outcome.per_second(&load), outcome.latencies.percentile_ms(0.99)))
}
