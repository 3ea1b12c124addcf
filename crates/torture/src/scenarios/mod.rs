//! The scenarios. A new one is a file here, a line in [`ALL`], a line in docs/reliability.md and a quick test in
//! the server's `tests/torture.rs`.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;

use crate::database::Kind;
use crate::report::Report;
use crate::trial::{Size, Trial};

mod backup;
mod bridged;
mod chained;
mod database_restarted;
mod disk_full;
mod double_click;
mod first_start;
mod hostile_bodies;
mod idle_sockets;
mod interrupted_send;
mod killing;
mod locked;
mod node_paused;
mod nodes_killed;
mod order;
mod outage;
mod power_loss;
mod repeats;
mod rolling_upgrade;
mod searches;
mod sign_in;
mod slow_clients;
mod soak;
mod sockets;
mod sync_killed;
mod upgrade_killed;

/// What a scenario gives when it is run.
pub type Running = Pin<Box<dyn Future<Output = anyhow::Result<Report>> + Send>>;

/// A way to torture the program.
pub struct Scenario {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What is done, in half a sentence.
    pub about: &'static str,
    /// What it is run on.
    pub kinds: &'static [Kind],
    /// What its quick form is run on among the tests: one where the other would show nothing new.
    pub quick: &'static [Kind],
    /// It is broken off after so many seconds at full size.
    pub limit_secs: u64,
    run: fn(Trial) -> Running,
}

const BOTH: &[Kind] = &[Kind::Sqlite, Kind::Postgres];
const SQLITE: &[Kind] = &[Kind::Sqlite];
const POSTGRES: &[Kind] = &[Kind::Postgres];
/// It needs what tests do not have.
const NONE: &[Kind] = &[];
/// A quick form is broken off after this time.
const QUICK_LIMIT: Duration = Duration::from_secs(280);

/// One line of the list.
macro_rules! scenarios {
    ($($name:ident on $kinds:ident, quick $quick:ident within $limit_secs:literal: $about:literal;)+) => {
        /// All scenarios.
        pub const ALL: &[Scenario] = &[$(Scenario {
            name: stringify!($name),
            about: $about,
            kinds: $kinds,
            quick: $quick,
            limit_secs: $limit_secs,
            run: |trial| Box::pin($name::run(trial)),
        }),+];
    };
}

scenarios! {
    killing on BOTH, quick BOTH within 1800: "kill -9 at random moments, restarted at once";
    power_loss on SQLITE, quick SQLITE within 1200: "power lost at random writes and syncs; what was not synced is gone";
    interrupted_send on BOTH, quick SQLITE within 300: "killed between the provider's answer and our commit";
    nodes_killed on POSTGRES, quick POSTGRES within 600: "several nodes, one killed every few seconds";
    node_paused on POSTGRES, quick POSTGRES within 600: "one of several nodes stands still for longer than its leases";
    database_restarted on POSTGRES, quick POSTGRES within 600: "PostgreSQL crashes and comes back under load";
    outage on BOTH, quick SQLITE within 300: "the provider answers 503 for long, then works again";
    disk_full on SQLITE, quick SQLITE within 300: "the disk runs full under load and has room again";
    locked on BOTH, quick BOTH within 300: "another process holds the database's lock";
    backup on SQLITE, quick SQLITE within 300: "backups under load, each restored elsewhere";
    bridged on BOTH, quick BOTH within 900: "killed while an inbox is shown in a Chatwoot and its history imported";
    chained on BOTH, quick BOTH within 900: "two programs in a chain, a linked phone and a client of its gateway, either one killed";
    repeats on BOTH, quick POSTGRES within 600: "every webhook ten times, in disorder, with kills in between";
    double_click on BOTH, quick POSTGRES within 300: "every reply asked for five times at once, with kills in between";
    order on BOTH, quick SQLITE within 600: "long queues while the provider fails at random";
    sockets on BOTH, quick POSTGRES within 300: "browsers that lose their sockets and catch up";
    slow_clients on SQLITE, quick SQLITE within 120: "thousands of clients that send a byte at a time, nothing, or do not read";
    searches on BOTH, quick SQLITE within 600: "searches and pages made to be expensive, on many messages";
    idle_sockets on SQLITE, quick SQLITE within 300: "thousands of sockets that only listen";
    hostile_bodies on BOTH, quick SQLITE within 300: "signed nonsense and bodies that are too large";
    sign_in on BOTH, quick SQLITE within 300: "thousands of guesses at passwords";
    first_start on BOTH, quick POSTGRES within 300: "killed while it makes its schema";
    upgrade_killed on BOTH, quick BOTH within 900: "killed in the middle of an upgrade of the database";
    sync_killed on BOTH, quick SQLITE within 900: "killed while people are pulled from a Chatwoot";
    rolling_upgrade on POSTGRES, quick NONE within 600: "nodes of an older version are replaced one after the other";
    soak on BOTH, quick SQLITE within 14400: "ordinary traffic for long";
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// Runs it, within its time.
    ///
    /// Errors: it could not be carried out; what it finds is in the report.
    pub async fn run(&self, trial: Trial) -> anyhow::Result<Report> {
        let limit = match trial.size {
            Size::Quick => QUICK_LIMIT,
            Size::Full => Duration::from_secs(self.limit_secs),
        };
        // In a task of its own: a panic ends the run, not the table.
        let mut running = tokio::task::JoinSet::new();
        running.spawn((self.run)(trial));
        let ended = tokio::time::timeout(limit, running.join_next()).await;
        ended.with_context(|| format!("it takes longer than {limit:?}"))?.context("it was started")??
    }
}
