//! The program as scripts and packagers use it: names, exit codes, what goes to stdout and what to stderr.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backup;
mod demo;
mod doctor;
mod doctor_green;
mod hotel;
mod migrate_database;
mod postgres;
mod program;
mod serve;
mod settings;
mod suggest_eval;
mod suggest_rebuild;
mod sync;
mod traces;
mod upkeep;
