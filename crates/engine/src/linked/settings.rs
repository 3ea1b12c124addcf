//! What the settings file says of linked phones.

use serde::Deserialize;

/// Linked phones. Pacing is for drivers that reach people; see `config.example.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkedSettings {
    /// The driver of inboxes that name none; empty: the first of this build.
    pub driver: String,
    /// The phones of a sandbox; empty: there are none.
    pub simulator_url: String,
    /// How long a node has a session to itself, in milliseconds; prolonged three times as often.
    pub lease_ms: i64,
    /// The wait between two sessions that one node starts, in milliseconds.
    pub start_gap_ms: u64,
    /// The first wait before a session that dropped is brought back, in milliseconds; doubled each time.
    pub backoff_first_ms: u64,
    /// The longest such wait, in milliseconds.
    pub backoff_longest_ms: u64,
    /// After so many restarts without a minute of work in between a person has to look.
    pub restart_budget: u32,
    /// Only who wrote to us is written to.
    pub replies_only: bool,
    /// How many people who never wrote to us a session may write to in 24 hours.
    pub new_recipients_per_day: u32,
    /// The shortest wait between messages to two such people, in milliseconds.
    pub cold_gap_min_ms: u64,
    /// The longest such wait, in milliseconds; each is drawn between the two.
    pub cold_gap_max_ms: u64,
    /// The pacing holds for simulated phones too.
    pub pace_simulated: bool,
}

impl Default for LinkedSettings {
    fn default() -> Self {
        Self {
            driver: String::new(),
            simulator_url: String::new(),
            lease_ms: 30_000,
            start_gap_ms: 20,
            backoff_first_ms: 1_000,
            backoff_longest_ms: 300_000,
            restart_budget: 20,
            replies_only: false,
            new_recipients_per_day: 50,
            cold_gap_min_ms: 30_000,
            cold_gap_max_ms: 60_000,
            pace_simulated: false,
        }
    }
}
