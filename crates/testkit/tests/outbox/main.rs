//! The way of a reply: from the API through the queue to the provider and back as ticks, on both databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bulkhead;
mod failures;
mod files;
mod first;
mod gateway;
mod green;
mod kinds;
mod minute;
mod order;
mod outage;
mod people;
mod quotes;
mod reactions;
mod receipts;
mod templates;
mod ticks;
mod uncertain;
mod workers;
