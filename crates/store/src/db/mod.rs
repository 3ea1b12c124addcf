//! The thin layer that lets one SQL text and one function run on both drivers.

#[macro_use]
pub mod statement;
#[macro_use]
pub mod value;
pub mod row;
pub mod tx;
