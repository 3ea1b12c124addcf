//! Chatwoot: what it holds, kept for a while, in the shape that its integrators know: `{success, conversation}`, or
//! `{success: false, error, error_code}` with the status that belongs to the code.
//!
//! Everybody who reads the inbox reads this; who answers there writes here; what is kept is cleared by administrators.

mod contacts;
mod conversations;
mod failure;
mod status;
mod webhook;

use utoipa_axum::router::OpenApiRouter;

use crate::state::HttpState;

pub(crate) use failure::ChatwootErrorBody;

pub(crate) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .merge(conversations::routes())
        .merge(contacts::routes())
        .merge(status::routes())
        .merge(webhook::routes())
}
