//! SQLite and PostgreSQL behind one set of functions.
//!
//! SQL lives in this crate and nowhere else: one file per noun, each with its statements at the top and plain
//! functions below that take a [`Tx`]. A transaction is a closure handed to [`Store::read`] or [`Store::write`]; the
//! engine composes several functions in one. The closure runs on a thread where it may block: the one writer thread
//! of SQLite (which commits all waiting transactions with one fsync) or a worker holding a PostgreSQL connection.
//!
//! To add a noun: a table in the next migration of both databases, a file here, its statements in
//! `statements!` so that the tests prepare them on both.

#[macro_use]
mod db;

pub mod accounts;
pub mod alert_deliveries;
pub mod alert_rules;
pub mod alert_targets;
pub mod alerts;
pub mod api_tokens;
pub mod attachments;
pub mod audit;
pub mod bridge_history;
pub mod bridge_jobs;
pub mod bridge_links;
pub mod bridges;
pub mod contacts;
pub mod conversations;
pub mod crm;
pub mod deliveries;
mod dialect;
pub mod erased_messages;
pub mod erasures;
mod error;
pub mod events;
pub mod external_entity_maps;
pub mod inboxes;
pub mod leases;
pub mod linked_commands;
pub mod linked_keys;
pub mod linked_sessions;
pub mod linked_strangers;
pub mod media_chunks;
pub mod message_status;
pub mod messages;
pub mod metric_slots;
mod migrations;
pub mod nodes;
pub mod outbox;
pub mod pending_updates;
pub mod presence_members;
pub mod rate_limits;
pub mod reaction_sends;
pub mod reactions;
pub mod relays;
pub mod search_index;
pub mod send_turns;
pub mod server_settings;
pub mod sessions;
mod signals;
pub mod sqlite_file;
mod store;
pub mod suggest_pairs;
pub mod suggest_settings;
pub mod sync_connections;
pub mod sync_runs;
pub mod transfer;
pub mod users;
pub mod webhook_deliveries;
pub mod webhook_endpoints;
pub mod webhook_logs;
pub mod webhook_sends;

pub use db::row::{Columns, FromRow};
pub use db::statement::Statement;
pub use db::tx::Tx;
pub use db::value::{FromValue, ToValue, Value};
pub use error::StoreError;
pub use migrations::{LATEST_SCHEMA, MigrationReport};
pub use signals::{Signals, Topic};
pub use store::{Store, StoreSettings};

/// Every SQL statement of this crate by file and name: for the test that prepares them on both databases.
pub fn statements() -> Vec<(&'static str, &'static str, Statement)> {
    let files = [
        ("accounts", accounts::STATEMENTS),
        ("alert_deliveries", alert_deliveries::STATEMENTS),
        ("alert_rules", alert_rules::STATEMENTS),
        ("alert_targets", alert_targets::STATEMENTS),
        ("alerts", alerts::STATEMENTS),
        ("api_tokens", api_tokens::STATEMENTS),
        ("attachments", attachments::STATEMENTS),
        ("audit", audit::STATEMENTS),
        ("bridge_history", bridge_history::STATEMENTS),
        ("bridge_jobs", bridge_jobs::STATEMENTS),
        ("bridge_links", bridge_links::STATEMENTS),
        ("bridges", bridges::STATEMENTS),
        ("contacts", contacts::STATEMENTS),
        ("newcomers", contacts::NEWCOMERS),
        ("other_side", contacts::OTHER_SIDE),
        ("conversations", conversations::STATEMENTS),
        ("conversations/other_side", conversations::OTHER_SIDE),
        ("crm/dashboard", crm::dashboard::STATEMENTS),
        ("crm/donations", crm::donations::STATEMENTS),
        ("crm/donor_figures", crm::donor_figures::STATEMENTS),
        ("crm/donors", crm::donors::STATEMENTS),
        ("crm/merges", crm::merges::STATEMENTS),
        ("crm/notes", crm::notes::STATEMENTS),
        ("crm/opt_outs", crm::opt_outs::STATEMENTS),
        ("crm/quick_replies", crm::quick_replies::STATEMENTS),
        ("crm/reminders", crm::reminders::STATEMENTS),
        ("crm/settings", crm::settings::STATEMENTS),
        ("crm/talk", crm::talk::STATEMENTS),
        ("crm/welcomes", crm::welcomes::STATEMENTS),
        ("deliveries", deliveries::STATEMENTS),
        ("erased_messages", erased_messages::STATEMENTS),
        ("erasures", erasures::STATEMENTS),
        ("events", events::STATEMENTS),
        ("external_entity_maps", external_entity_maps::STATEMENTS),
        ("inboxes", inboxes::STATEMENTS),
        ("leases", leases::STATEMENTS),
        ("linked_commands", linked_commands::STATEMENTS),
        ("linked_keys", linked_keys::STATEMENTS),
        ("linked_sessions", linked_sessions::STATEMENTS),
        ("linked_strangers", linked_strangers::STATEMENTS),
        ("media_chunks", media_chunks::STATEMENTS),
        ("message_status", message_status::STATEMENTS),
        ("messages", messages::STATEMENTS),
        ("metric_slots", metric_slots::STATEMENTS),
        ("nodes", nodes::STATEMENTS),
        ("outbox", outbox::STATEMENTS),
        ("pending_updates", pending_updates::STATEMENTS),
        ("presence_members", presence_members::STATEMENTS),
        ("rate_limits", rate_limits::STATEMENTS),
        ("reaction_sends", reaction_sends::STATEMENTS),
        ("reactions", reactions::STATEMENTS),
        ("relays", relays::STATEMENTS),
        ("search_index", search_index::STATEMENTS),
        ("send_turns", send_turns::STATEMENTS),
        ("server_settings", server_settings::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("suggest_pairs", suggest_pairs::STATEMENTS),
        ("suggest_settings", suggest_settings::STATEMENTS),
        ("sync_connections", sync_connections::STATEMENTS),
        ("sync_runs", sync_runs::STATEMENTS),
        ("transfer/catalog", transfer::catalog::STATEMENTS),
        ("transfer/rows", transfer::rows::STATEMENTS),
        ("users", users::STATEMENTS),
        ("webhook_deliveries", webhook_deliveries::STATEMENTS),
        ("webhook_endpoints", webhook_endpoints::STATEMENTS),
        ("webhook_logs", webhook_logs::STATEMENTS),
        ("webhook_sends", webhook_sends::STATEMENTS),
    ];
    files.into_iter().flat_map(|(file, all)| all.iter().map(move |(name, sql)| (file, *name, *sql))).collect()
}
