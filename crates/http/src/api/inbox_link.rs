//! Inboxes behind which a phone stands: linking it, signing it out; and asking whether a number is on the network.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_channels::contract::LinkStep;
use frontdesk_engine::inboxes::{self, LinkError};
use frontdesk_model::InboxId;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::auth::AdminUser;
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{Ids, JsonBody};
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(get_link, unlink_phone))
        .routes(routes!(restart_link))
        .routes(routes!(check_number))
}

/// What has to be done to link a phone.
#[derive(Serialize, utoipa::ToSchema)]
struct PhoneLink {
    /// `scan` the picture, `wait`, or nothing: `linked`.
    step: LinkProgress,
    /// The picture to scan, as a `data:` address. Ask again every few seconds: it changes.
    #[schema(required = true)]
    picture: Option<String>,
    /// Why one has to wait, for people.
    #[schema(required = true)]
    message: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum LinkProgress {
    /// Scan the picture with the phone.
    Scan,
    /// Ask again later.
    Wait,
    /// The phone is linked.
    Linked,
}

/// A number to look up.
#[derive(Deserialize, utoipa::ToSchema)]
struct NumberToCheck {
    /// With its country code, however written.
    #[schema(min_length = 5, max_length = 40, example = "+1 555 010 0002")]
    phone: String,
}

/// Whether a number is on the network.
#[derive(Serialize, utoipa::ToSchema)]
struct CheckedNumber {
    phone: String,
    reachable: bool,
}

/// Tells what has to be done to link the phone of an inbox.
#[utoipa::path(get, path = "/api/v1/inboxes/{id}/link", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 200, body = PhoneLink),
        (status = 409, body = ErrorBody, description = "Its channel has no such thing, it is off, or the provider refused")))]
async fn get_link(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
) -> Result<Json<PhoneLink>, ApiError> {
    Ok(Json(match inboxes::link_step(&state.engine, caller.account_id, id).await? {
        LinkStep::Scan(png) => {
            let picture = format!("data:image/png;base64,{}", STANDARD.encode(png));
            PhoneLink { step: LinkProgress::Scan, picture: Some(picture), message: None }
        }
        LinkStep::Wait(why) => PhoneLink { step: LinkProgress::Wait, picture: None, message: Some(why) },
        LinkStep::Linked => PhoneLink { step: LinkProgress::Linked, picture: None, message: None },
    }))
}

/// Signs the phone of an inbox out.
#[utoipa::path(delete, path = "/api/v1/inboxes/{id}/link", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 204),
        (status = 409, body = ErrorBody, description = "Its channel has no such thing, it is off, or the provider refused")))]
async fn unlink_phone(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
) -> Result<StatusCode, ApiError> {
    inboxes::sign_out(&state.engine, caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts the provider's side of an inbox anew: for one that hangs.
#[utoipa::path(post, path = "/api/v1/inboxes/{id}/link/restart", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), responses((status = 204),
        (status = 409, body = ErrorBody, description = "Its channel has no such thing, it is off, or the provider refused")))]
async fn restart_link(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
) -> Result<StatusCode, ApiError> {
    inboxes::restart(&state.engine, caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks whether a number can be written to through an inbox. Providers count such questions.
#[utoipa::path(post, path = "/api/v1/inboxes/{id}/check-number", tag = "inboxes", security(("token" = ["admin"])),
    params(("id" = i64, Path)), request_body = NumberToCheck, responses((status = 200, body = CheckedNumber),
        (status = 409, body = ErrorBody, description = "Its channel has no such thing, it is off, or the provider refused")))]
async fn check_number(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Ids(id): Ids<InboxId>,
    JsonBody(body): JsonBody<NumberToCheck>,
) -> Result<Json<CheckedNumber>, ApiError> {
    let reachable = inboxes::is_reachable(&state.engine, caller.account_id, id, &body.phone).await?;
    Ok(Json(CheckedNumber { phone: body.phone, reachable }))
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Inbox(error) => error.into(),
            LinkError::NotPossible => {
                Self::new(ErrorCode::Conflict, "This inbox cannot do that at present.".to_owned())
            }
            LinkError::Provider(error) => Self::new(ErrorCode::Conflict, error.shown),
        }
    }
}
