//! Chatwoot: what it holds, kept for a while, in the shape that its integrators know: `{success, conversation}`, or
//! `{success: false, error, error_code}` with the status that belongs to the code.
//!
//! Everybody who reads the inbox reads this; who answers there writes here; what is kept is cleared by administrators.

mod contacts;
mod conversations;
mod failure;
mod status;
mod webhook;

use frontdesk_routes::Gather;

use crate::state::HttpState;

pub(crate) use failure::ChatwootErrorBody;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .merge(conversations::routes())
        .merge(contacts::routes())
        .merge(status::routes())
        .merge(webhook::routes())
}
