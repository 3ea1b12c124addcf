//! From a signed webhook to what the API shows: nothing lost, nothing twice, whatever the order.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod extremes;
mod fixtures;
mod green;
mod left_out;
mod order;
mod people;
mod replay;
mod routing;
mod statuses;
