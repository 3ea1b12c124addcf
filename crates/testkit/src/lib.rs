//! Test server, builders and the suites that need the whole product. Top of the dependency graph.

pub mod call;
pub mod database;
pub mod server;
pub mod stage;
