//! What is measured, one file each.

mod backlog;
mod fan_out;
mod flat;
mod ingest;
mod outbox;
mod page;
mod start;
mod suggest;

use clap::ValueEnum;

use crate::bench::Bench;
use crate::table::Table;

/// A scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Webhooks taken per second
    Ingest,
    /// The same with much history
    Flat,
    /// List, conversation and search with much history
    Page,
    /// Live updates to many sockets
    FanOut,
    /// Replies through a slow provider
    Outbox,
    /// Replies suggested from many
    Suggest,
    /// Start, memory, size
    Start,
}

impl Scenario {
    /// Measures it.
    pub async fn run(self, bench: &Bench) -> anyhow::Result<Table> {
        match self {
            Self::Ingest => ingest::run(bench).await,
            Self::Flat => flat::run(bench).await,
            Self::Page => page::run(bench).await,
            Self::FanOut => fan_out::run(bench).await,
            Self::Outbox => outbox::run(bench).await,
            Self::Suggest => suggest::run(bench).await,
            Self::Start => start::run(bench).await,
        }
    }
}
