//! Much history in little time: webhooks of many messages, through the same front door as all others.

use std::time::Instant;

use crate::clock;
use crate::product::Product;
use crate::progress;
use crate::webhook::Message;

/// Messages of one webhook. Meta puts up to a thousand into one.
const PER_BODY: u64 = 250;
/// Webhooks under way at once.
const LANES: u64 = 8;
/// The messages spread over so much time before now.
const SPAN_SECS: u64 = 20 * 3600;

/// Brings in `count` messages of `customers` customers in turn, and waits until all are applied.
pub async fn fill(product: &Product, count: u64, customers: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let before = product.applied().await?;
    let start = clock::now_secs() - SPAN_SECS;
    let mut lanes = Vec::new();
    for lane in 0..LANES {
        lanes.push(async move {
            let mut connection = product.connection();
            let mut next = lane * PER_BODY;
            while next < count {
                let messages: Vec<Message> = (next..count.min(next + PER_BODY))
                    .map(|turn| Message {
                        at_secs: start + turn * SPAN_SECS / count,
                        ..Message::of(turn % customers)
                    })
                    .collect();
                product.deliver(&mut connection, &messages).await?;
                next += LANES * PER_BODY;
            }
            anyhow::Ok(())
        });
    }
    futures_util::future::try_join_all(lanes).await?;
    let applied = product.settled(before + count).await?;
    anyhow::ensure!(applied == before + count, "{applied} messages are there instead of {}", before + count);
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    progress::note(format_args!("filled with {count} messages of {customers} customers, {rate:.0}/s"));
    Ok(())
}
