//! Replies suggested from many: how long one asks, how soon what was answered is suggested, what it takes of memory.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::bench::Bench;
use crate::clock;
use crate::figures::Latencies;
use crate::process::Process;
use crate::product::{Database, Product};
use crate::progress;
use crate::table::{Reading, Table};
use crate::webhook::{self, Message};
use crate::words;

const P95: &str = "p95 ms";
const FIRST: &str = "first ms";
const LEARNED: &str = "learned s";
const MEMORY: &str = "memory MB";
/// Messages of one webhook.
const PER_BODY: u64 = 250;
/// Exchanges of one customer: an hour lies between them.
const EACH: u64 = 10;
/// Questions asked; fewer when they take long.
const ASKED: usize = 200;
/// What was answered must be learned at the latest after this.
const LEARNING: Duration = Duration::from_secs(600);

/// Each database, filled once.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let pairs = bench.sizes.pairs;
    let mut table = Table::new(
        "Suggested replies",
        &format!(
            "{pairs} questions of customers, each answered; one client that asks for suggestions in one conversation after the \
             other. {FIRST}: the first question after a start, when nothing is in memory. {LEARNED}: from the last answer until all \
             are learned, fill and all. {MEMORY}: how much more the program holds than before it was first asked."
        ),
    );
    for database in bench.databases() {
        let limits = [("FRONTDESK_LIMITS_SUGGEST_PER_MINUTE", "1000000".to_owned())];
        let product = bench.product(database, &limits).await?;
        let done = look(bench, &mut table, database, &product).await;
        bench.remove(product, database).await?;
        done?;
        table.at_most(database.name(), P95, 30.0);
        table.at_most(database.name(), FIRST, 300.0);
        table.at_most(database.name(), MEMORY, 100.0);
    }
    Ok(table)
}

async fn look(bench: &Bench, table: &mut Table, database: Database, product: &Product) -> anyhow::Result<()> {
    let pairs = bench.sizes.pairs;
    let process = product.start().await?;
    let begun = Instant::now();
    fill(product, pairs).await?;
    learned(product, pairs).await?;
    let learned = begun.elapsed();
    progress::note(format_args!("{pairs} answers learned in {:.0} s", learned.as_secs_f64()));
    process.stop().await?;
    let contestants = [(database.name().to_owned(), ())];
    bench
        .alternate(table, &contestants, async |()| {
            let process = product.start().await?;
            let read = ask(bench, product, &process, pairs).await?;
            process.stop().await?;
            Ok(read.with(LEARNED, learned.as_secs_f64()))
        })
        .await
}

/// Every customer asks something each hour and is answered a minute later, on the phone.
async fn fill(product: &Product, pairs: u64) -> anyhow::Result<()> {
    let mut connection = product.connection();
    let start = clock::now_secs() - (EACH + 1) * 3_600;
    let customers = pairs.div_ceil(EACH);
    let all: Vec<u64> = (0..pairs).collect();
    for some in all.chunks(usize::try_from(PER_BODY)?) {
        let asked: Vec<Message> = some
            .iter()
            .map(|turn| Message {
                at_secs: start + turn / customers * 3_600,
                ..Message::of(turn % customers)
            })
            .collect();
        product.deliver(&mut connection, &asked).await?;
        // Twenty questions of a kind are answered alike.
        let answered: Vec<Message> = asked
            .iter()
            .map(|asked| Message {
                number: webhook::next_number(),
                at_secs: asked.at_secs + 60,
                text: words::text(asked.number / 20).replace(" no ", " thank you for asking, it is number "),
                ..asked.clone()
            })
            .collect();
        product.deliver_echoes(&mut connection, &answered).await?;
    }
    Ok(())
}

/// Asks until everything is learned and in memory.
async fn learned(product: &Product, pairs: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut connection = product.connection();
    let conversations = conversations(product, 1).await?;
    let path = path(*conversations.first().context("there is no conversation")?);
    loop {
        product.get(&mut connection, &path).await?;
        let held = held(product).await?;
        if held >= pairs {
            return Ok(());
        }
        ensure!(begun.elapsed() < LEARNING, "{held} pairs are there instead of {pairs}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn ask(bench: &Bench, product: &Product, process: &Process, pairs: u64) -> anyhow::Result<Reading> {
    let conversations = conversations(product, ASKED).await?;
    let before = process.resident_mib();
    let mut connection = product.connection();
    let begun = Instant::now();
    product.get(&mut connection, &path(conversations[0])).await?;
    let first = begun.elapsed();
    learned(product, pairs).await?;
    // While that was waited for, the server may have closed the first one.
    let mut connection = product.connection();
    let mut times = Latencies::default();
    let begun = Instant::now();
    for (turn, conversation) in conversations.iter().cycle().take(ASKED).enumerate() {
        let request = product.get_request(&path(*conversation));
        let asked = Instant::now();
        let status = connection.status(&request).await?;
        ensure!(status == 200, "suggestions were answered {status}");
        times.add(asked.elapsed());
        if begun.elapsed() > bench.measured * 4 && turn >= 30 {
            break;
        }
    }
    Ok(Reading::default()
        .with("p50 ms", times.percentile_ms(0.5))
        .with(P95, times.percentile_ms(0.95))
        .with(FIRST, first.as_secs_f64() * 1_000.0)
        .with(MEMORY, process.resident_mib() - before))
}

fn path(conversation: i64) -> String {
    format!("/admin/inbox/{conversation}/suggest-ai?count=3&engine=local")
}

/// So many conversations at most, the latest.
async fn conversations(product: &Product, most: usize) -> anyhow::Result<Vec<i64>> {
    let path = format!("/api/v1/conversations?limit={}", most.min(200));
    let page = product.get(&mut product.connection(), &path).await?;
    let rows = page["data"].as_array().context("a page without data")?;
    let found: Vec<i64> = rows.iter().filter_map(|row| row["id"].as_i64()).collect();
    ensure!(!found.is_empty(), "there is no conversation");
    Ok(found)
}

/// Pairs in memory, as the program counts them.
async fn held(product: &Product) -> anyhow::Result<u64> {
    let (_, text) = product.connection().send(&product.get_request("/metrics")).await?;
    let text = String::from_utf8_lossy(&text);
    let value = text.lines().find_map(|line| line.strip_prefix("frontdesk_suggestion_pairs "));
    Ok(value.map_or(Ok(0), str::parse)?)
}
