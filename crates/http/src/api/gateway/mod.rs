//! The API of a WhatsApp gateway: programs sign in, link phones as sessions, and write and read through them. Every answer
//! is `{success, data, message}`.
//!
//! | file | what |
//! |---|---|
//! | [`login`] | `POST /api/v1/auth/login` |
//! | [`sessions`] | `/api/v1/sessions`, `/api/v1/sessions/{session_id}` and what links a phone |
//! | [`code`] | a code as JSON, PNG, SVG or text |
//! | [`chats`], [`messages`], [`contacts`] | what is written and read through a session |
//!
//! What links a phone is for linked phones, found by [`sessions::session_of`]. Chats, messages and contacts are there for any
//! inbox: [`session`] finds it by the name its people gave the session, or as its provider calls it. Chats are conversations,
//! numbers are written as digits with their country code, and read in whatever notation.

mod chats;
pub(crate) mod code;
mod contacts;
mod login;
mod media;
mod messages;
mod session;
pub(crate) mod sessions;

use frontdesk_engine::linked::SessionError;
use frontdesk_routes::Gather;
use serde::Serialize;

use super::envelope;
use crate::error::{ApiError, ErrorCode};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .merge(login::routes())
        .merge(sessions::routes())
        .merge(chats::routes())
        .merge(messages::routes())
        .merge(contacts::routes())
        .map(|router| router.layer(axum::middleware::from_fn(envelope::refuse_in_detail)))
}

/// One page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ToldPage<T> {
    /// True.
    success: bool,
    data: Vec<T>,
    /// What was done, for people.
    message: &'static str,
    /// Give it back to go on; null where there is no more.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        let in_state = |state: frontdesk_model::linked::SessionState, sentence: String| {
            Self::new(ErrorCode::Conflict, sentence)
                .with_detail("state", state.as_str())
                .with_detail("status", state.status().as_str())
        };
        match error {
            SessionError::NotFound => Self::not_found("session"),
            SessionError::Invalid(fields) => {
                Self::invalid_fields(fields.into_iter().map(|field| (field.key, field.message)))
            }
            SessionError::State(state) => {
                in_state(state, format!("The session is {state}: there is no code to scan."))
            }
            SessionError::NoCode(state) => {
                let shown = state.connection(None).message;
                in_state(state, format!("There is no code yet: {shown} Ask again in a moment."))
            }
            SessionError::Session(error) => {
                Self::new(ErrorCode::Conflict, error.shown).with_detail("reason", error.code)
            }
            SessionError::Vault(error) => Self::internal(error),
            SessionError::Store(error) => error.into(),
        }
    }
}
