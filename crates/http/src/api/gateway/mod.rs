//! The API of a WhatsApp gateway, in the shape that its integrators know: `{success, data, message}`.
//!
//! A session is an inbox, by the name its people gave the session, or as its provider calls it. Chats are conversations,
//! numbers are written as digits with their country code, and read in whatever notation.

mod chats;
mod contacts;
mod media;
mod messages;
mod refusal;
mod session;

use axum::Json;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::state::HttpState;

pub(crate) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .merge(chats::routes())
        .merge(messages::routes())
        .merge(contacts::routes())
        .layer(axum::middleware::from_fn(refusal::in_shape))
}

/// An answer.
#[derive(Serialize, utoipa::ToSchema)]
struct Told<T> {
    /// True.
    success: bool,
    data: T,
    /// What was done, for people.
    message: &'static str,
}

impl<T> Told<T> {
    fn of(data: T, message: &'static str) -> Json<Self> {
        Json(Self { success: true, data, message })
    }
}

/// One page of a list.
#[derive(Serialize, utoipa::ToSchema)]
struct ToldPage<T> {
    /// True.
    success: bool,
    data: Vec<T>,
    /// What was done, for people.
    message: &'static str,
    /// Give it back to go on; null where there is no more.
    #[schema(required = true)]
    next_cursor: Option<String>,
}
