//! Sync with programs that hold the same people: connections and their runs, in the shape that their integrators know,
//! `{success, data}`. Names of fields are in camelCase here, ids are texts (`conn_12`).
//!
//! Everybody who reads the inbox sees how things are; administrators connect and run.

mod bridges;
mod connections;
mod runs;
mod told;

use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::state::HttpState;

pub(crate) use told::{SyncErrorBody, refuse_in_shape};

pub(crate) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .merge(connections::routes())
        .merge(bridges::routes())
        .merge(runs::routes())
        .layer(axum::middleware::from_fn(refuse_in_shape))
}

/// An answer.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Success<T> {
    /// True.
    success: bool,
    data: T,
}

impl<T> Success<T> {
    pub(crate) fn of(data: T) -> axum::Json<Self> {
        axum::Json(Self { success: true, data })
    }
}
