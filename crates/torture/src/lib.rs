//! Tortures the real program from outside: fake providers and agents make promises come about, something is broken
//! meanwhile, and afterwards a ledger compares what was promised with what is there.
//!
//! A scenario is a file in [`scenarios`] and a line in its list. It gets a [`Trial`] (which program, which database,
//! how much), builds its [`Scene`], breaks something, and returns a [`Report`]. The same scenarios run at full size in
//! `make torture` and in a quick form in the server's tests.
//!
//! Nothing here uses the product's own code: what it looks at is processes, HTTP, and the database as a file or server.

pub mod agent;
pub mod balancer;
pub mod database;
pub mod disk;
pub mod ledger;
pub mod program;
pub mod provider;
pub mod report;
pub mod scenarios;
pub mod scene;
pub mod secrets;
pub mod socket;
pub mod traffic;
pub mod trial;

pub use ledger::Ledger;
pub use report::Report;
pub use scene::Scene;
pub use trial::{Size, Trial};
