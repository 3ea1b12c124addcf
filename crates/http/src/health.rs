//! Whether the server lives, is ready, and how it does.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::LATEST_SCHEMA;
use serde::Serialize;

use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// Whether the server can do its work.
#[derive(Serialize, utoipa::ToSchema)]
struct Readiness {
    /// True when requests can be answered.
    ready: bool,
    /// `ok`, `unreachable`, or `migrating` while the schema is not the one of this program.
    database: &'static str,
    /// The schema found in the database.
    #[schema(required = true)]
    schema: Option<i64>,
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
async fn healthz() -> &'static str {
    "ok"
}

/// Requests can be answered: the database is there and has the schema of this program.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn readyz(State(state): State<HttpState>) -> (StatusCode, Json<Readiness>) {
    let found = state.engine.store.schema_version().await;
    let (ready, database) = match &found {
        Ok(schema) if *schema == LATEST_SCHEMA => (!state.engine.shutdown.is_cancelled(), "ok"),
        Ok(_) => (false, "migrating"),
        Err(error) => {
            tracing::warn!(error = error as &dyn std::error::Error, "The database does not answer");
            (false, "unreachable")
        }
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database, schema: found.ok() }))
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
async fn metrics(State(state): State<HttpState>) -> Response {
    let figures = (state.settings.render_metrics)();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], figures).into_response()
}
