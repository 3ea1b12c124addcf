//! `frontdesk migrate`: the schema, and nothing else.

use anyhow::Context;

use super::{Surroundings, output};
use crate::wiring::open_store;

pub async fn run(surroundings: &Surroundings) -> anyhow::Result<()> {
    let store = open_store(&surroundings.settings, surroundings.clock.clone()).await?;
    let done = store.migrate().await.context("the database's schema could not be brought up to date")?;
    if done.applied.is_empty() {
        output::line(format_args!("schema {}: nothing to do", done.to))?;
    } else {
        output::line(format_args!("schema {} -> {}: {}", done.from, done.to, done.applied.join(", ")))?;
    }
    Ok(())
}
