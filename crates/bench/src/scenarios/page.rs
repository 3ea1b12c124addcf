//! What a person waits for: the list, a conversation, a search, in an inbox with much in it.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::bench::Bench;
use crate::figures::Latencies;
use crate::load::fill::fill;
use crate::load::http::Connection;
use crate::product::{Database, Product};
use crate::table::{Reading, Table};
use crate::words::{self, Chance};

const P95: &str = "p95 ms";
/// Requests of each kind and round; fewer when they take long.
const ASKED: usize = 300;

/// What is asked.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The list, its first page.
    List,
    /// The list, the page after another one.
    Further,
    /// The list with page numbers and a total.
    Numbered,
    /// One conversation.
    Detail,
    /// The newest messages of one.
    Thread,
    /// Two words.
    Search,
}

const KINDS: [(Kind, &str, f64); 6] = [
    (Kind::List, "list, 50 rows", 20.0),
    (Kind::Further, "list, the next 50", 20.0),
    (Kind::Numbered, "list with page numbers and total", 20.0),
    (Kind::Detail, "conversation", 20.0),
    (Kind::Thread, "its messages", 20.0),
    (Kind::Search, "search of two words", 150.0),
];

/// Each database, filled once.
pub async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let (conversations, messages) = (bench.sizes.conversations, bench.sizes.messages);
    let mut table = Table::new(
        "The inbox page",
        &format!(
            "{conversations} conversations, {messages} messages; one client that asks for one thing after the other, each \
             time for another conversation or other words. Words are as frequent as in real texts: some searches find \
             ten thousands, some nothing."
        ),
    );
    for database in bench.databases() {
        let product = bench.product(database, &[]).await?;
        let done = look(bench, &mut table, database, &product).await;
        bench.remove(product, database).await?;
        done?;
        for (_, kind, bar) in KINDS {
            table.at_most(&name(database, kind), P95, bar);
        }
    }
    Ok(table)
}

fn name(database: Database, kind: &str) -> String {
    format!("{}, {kind}", database.name())
}

async fn look(bench: &Bench, table: &mut Table, database: Database, product: &Product) -> anyhow::Result<()> {
    let process = product.start().await?;
    fill(product, bench.sizes.messages, bench.sizes.conversations).await?;
    product.findable().await?;
    let mut connection = product.connection();
    let places = places(product, &mut connection).await?;
    let kinds: Vec<(String, Kind)> =
        KINDS.iter().map(|(kind, label, _)| (name(database, label), *kind)).collect();
    bench
        .alternate(table, &kinds, async |kind| {
            let mut connection = product.connection();
            let mut chance = Chance(1);
            let mut times = Latencies::default();
            let begun = Instant::now();
            // The first ones find nothing in memory; they do not count.
            for turn in 0..ASKED + 10 {
                let path = path(*kind, &places, &mut chance);
                let request = product.get_request(&path);
                let asked = Instant::now();
                let status = connection.status(&request).await?;
                if status != 200 {
                    bail!("{path} was answered {status}");
                }
                if turn >= 10 {
                    times.add(asked.elapsed());
                }
                if begun.elapsed() > bench.measured.max(Duration::from_secs(2)) * 2 && turn >= 30 {
                    break;
                }
            }
            Ok(Reading::default()
                .with("p50 ms", times.percentile_ms(0.5))
                .with(P95, times.percentile_ms(0.95))
                .with("asked", times.count() as f64))
        })
        .await?;
    process.stop().await
}

/// Ids of conversations and cursors of pages, from all over the list.
struct Places {
    conversations: Vec<i64>,
    cursors: Vec<String>,
}

async fn places(product: &Product, connection: &mut Connection) -> anyhow::Result<Places> {
    let mut places = Places { conversations: Vec::new(), cursors: Vec::new() };
    let mut cursor = String::new();
    loop {
        let page = product.get(connection, &format!("/api/v1/conversations?limit=200{cursor}")).await?;
        let rows = page["data"].as_array().context("a page without data")?;
        places.conversations.extend(rows.iter().filter_map(|row| row["id"].as_i64()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        places.cursors.push(cursor.clone());
    }
    if places.cursors.is_empty() {
        bail!("there are too few conversations for a second page");
    }
    Ok(places)
}

fn path(kind: Kind, places: &Places, chance: &mut Chance) -> String {
    let conversation = pick(&places.conversations, chance);
    match kind {
        Kind::List => "/api/v1/conversations?limit=50".to_owned(),
        Kind::Further => format!("/api/v1/conversations?limit=50{}", pick(&places.cursors, chance)),
        Kind::Numbered => format!("/admin/inbox?per_page=20&page={}", 1 + chance.below(20)),
        Kind::Detail => format!("/api/v1/conversations/{conversation}"),
        Kind::Thread => format!("/api/v1/conversations/{conversation}/messages?limit=50"),
        Kind::Search => {
            let [first, second] = words::searched(chance.next());
            format!("/api/v1/conversations?limit=50&q={first}%20{second}")
        }
    }
}

fn pick<'a, T>(all: &'a [T], chance: &mut Chance) -> &'a T {
    let place = chance.below(all.len() as u64);
    &all[usize::try_from(place).unwrap_or(0)]
}
