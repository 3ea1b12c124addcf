//! Files of customers: fetched once from the provider, kept, and served by signed address from every node.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bucket;
mod bulkhead;
mod danger;
mod fetching;
mod orphans;
mod profiles;
