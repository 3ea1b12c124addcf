//! How long a restart takes, and what the program needs while nothing happens.

use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::load::fill::fill;
use crate::product::Product;
use crate::table::{Reading, Table};

const FIRST: &str = "first 200, ms";
const IDLE: &str = "idle RSS MiB";
const SIZE: &str = "program MiB";
/// How long nothing happens before memory is read.
const REST: Duration = Duration::from_secs(3);

/// Each database, with some history.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let messages = bench.sizes.restarted;
    let mut table = Table::new(
        "Starting",
        &format!(
            "From the start of the process to the first 200 of `/readyz`, on a database with {messages} messages; memory \
             after {} quiet seconds.",
            REST.as_secs()
        ),
    );
    let mut products = Vec::new();
    for database in bench.databases() {
        let product = bench.product(database, &[]).await?;
        let process = product.start().await?;
        fill(&product, messages, bench.sizes.customers).await?;
        process.stop().await?;
        products.push((format!("Frontdesk, {}", database.name()), (database, product)));
    }
    bench.alternate(&mut table, &products, async |(_, product)| measure(bench, product).await).await?;
    for (name, (database, product)) in products {
        table.at_most(&name, FIRST, 100.0);
        table.at_most(&name, IDLE, 30.0);
        table.at_most(&name, SIZE, 40.0);
        bench.remove(product, database).await?;
    }
    Ok(table)
}

async fn measure(bench: &Bench, product: &Product) -> anyhow::Result<Reading> {
    let begun = Instant::now();
    let process = product.start().await?;
    let first = begun.elapsed();
    tokio::time::sleep(REST).await;
    let idle = process.resident_mib();
    process.stop().await?;
    let size = std::fs::metadata(&bench.binary)?.len();
    Ok(Reading::default()
        .with(FIRST, first.as_secs_f64() * 1_000.0)
        .with(IDLE, idle)
        .with(SIZE, size as f64 / 1024.0 / 1024.0))
}
