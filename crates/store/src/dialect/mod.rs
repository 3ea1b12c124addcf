//! The only places where the two databases differ in how they are reached.

pub mod job;
pub mod neighbours;
pub mod numbering;
pub mod postgres;
pub mod sqlite;
pub mod statistics;
