//! The record of donors, in the shape that its integrators know: `{success, data}`.
//!
//! People are named by their number, in whatever notation, or as `id:12`. Amounts are whole minor units of a currency.
//! Everybody who reads the inbox sees donors; whoever writes in it notes things; administrators settle the rules.

mod contacts;
mod dashboard;
mod donations;
mod donors;
pub(super) mod inbox;
mod merges;
pub(super) mod messages;
mod notes;
mod quick_replies;
mod reminders;
mod sessions;
mod settings;
mod sheets;

use frontdesk_engine::crm::CrmError;
use frontdesk_routes::Gather;
use serde::Serialize;

use super::envelope::{self, Success};
use crate::error::{ApiError, ErrorCode};
use crate::paging::Position;
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .merge(inbox::routes())
        .merge(messages::routes())
        .merge(contacts::routes())
        .merge(donors::routes())
        .merge(merges::routes())
        .merge(sheets::routes())
        .merge(donations::routes())
        .merge(notes::routes())
        .merge(reminders::routes())
        .merge(quick_replies::routes())
        .merge(sessions::routes())
        .merge(settings::routes())
        .merge(dashboard::routes())
        .map(|router| router.layer(axum::middleware::from_fn(envelope::refuse)))
}

/// One page of a list.
#[derive(Serialize, utoipa::ToSchema)]
struct Listed<T> {
    /// True.
    success: bool,
    /// The rows.
    data: Vec<T>,
    /// Give it as `cursor` to go on; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<T> Listed<T> {
    /// A page of rows ordered by time and id, asked for with one more than `limit`.
    fn by_time<R>(
        rows: Vec<R>,
        limit: i64,
        position: impl Fn(&R) -> Position,
        show: impl Fn(R) -> T,
    ) -> axum::Json<Self> {
        Self::of(rows, limit, |row| position(row).encode(), show)
    }

    /// A page of rows that were asked for with one more than `limit`.
    fn of<R>(
        mut rows: Vec<R>,
        limit: i64,
        cursor: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> axum::Json<Self> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(cursor);
        axum::Json(Self { success: true, data: rows.into_iter().map(show).collect(), next_cursor })
    }
}

/// Something that is gone.
#[derive(Serialize, utoipa::ToSchema)]
struct RemovedDonorThing {
    id: i64,
    /// True.
    deleted: bool,
}

impl RemovedDonorThing {
    fn of(id: i64) -> axum::Json<Success<Self>> {
        Success::of(Self { id, deleted: true })
    }
}

impl From<CrmError> for ApiError {
    fn from(error: CrmError) -> Self {
        match error {
            CrmError::NotFound(thing) => Self::not_found(thing),
            CrmError::Invalid(fields) => Self::invalid_fields(fields),
            CrmError::Conflict(sentence) => Self::new(ErrorCode::Conflict, sentence),
            CrmError::NotYours => {
                Self::new(ErrorCode::Unauthorized, "Only its author or an administrator may change this.")
            }
            CrmError::Store(error) => error.into(),
        }
    }
}
