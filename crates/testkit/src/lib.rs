//! Test server, builders and the suites that need the whole product. Top of the dependency graph.

pub mod abyss;
pub mod bodies;
pub mod call;
pub mod database;
pub mod fuzz;
pub mod green;
pub mod log;
pub mod meta;
pub mod server;
pub mod size;
pub mod snapshot;
pub mod stage;
