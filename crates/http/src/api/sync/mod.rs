//! Sync with programs that hold the same people: connections and their runs, in the shape that their integrators know,
//! `{success, data}`. Names of fields are in camelCase here, ids are texts (`conn_12`).
//!
//! Everybody who reads the inbox sees how things are; administrators connect and run.

mod bridges;
mod connections;
mod runs;

use frontdesk_routes::Gather;

use super::envelope;
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .merge(connections::routes())
        .merge(bridges::routes())
        .merge(runs::routes())
        .map(|router| router.layer(axum::middleware::from_fn(envelope::refuse)))
}
