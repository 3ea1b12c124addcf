//! What one run of a scenario is given.

use std::path::PathBuf;

use crate::database::Kind;

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Seconds: among the other tests.
    Quick,
    /// As long as the figures of docs/reliability.md ask.
    Full,
}

/// One run of a scenario.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The program under torture.
    pub binary: PathBuf,
    /// A program of an earlier version, where one is at hand.
    pub old: Option<PathBuf>,
    /// What it stores in.
    pub kind: Kind,
    /// How much.
    pub size: Size,
}

impl Trial {
    /// One figure for each size.
    pub fn pick<T>(&self, quick: T, full: T) -> T {
        match self.size {
            Size::Quick => quick,
            Size::Full => full,
        }
    }
}
