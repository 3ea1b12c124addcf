//! A code that waits, in the form that was asked for.

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use frontdesk_channels::linked_whatsapp::qr;
use frontdesk_engine::linked::Code;
use frontdesk_model::Timestamp;
use frontdesk_model::linked::SessionState;
use serde::{Deserialize, Serialize};

use crate::api::envelope::Told;
use crate::error::ApiError;

/// The form of a code.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CodeFormat {
    /// JSON with everything.
    Json,
    /// A picture.
    Png,
    /// A picture of lines.
    Svg,
    /// What the picture says.
    Raw,
}

/// How to ask for a code.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CodeQuery {
    /// The form; absent: `png` where `Accept` says `image/png`, `svg` where it says `image/svg+xml`, else `json`.
    #[param(inline)]
    pub(crate) format: Option<CodeFormat>,
}

/// A code that waits.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ShownCode {
    /// What the picture says; null where a pairing code or a proof is waited for.
    #[schema(required = true)]
    qr: Option<String>,
    /// The same, by the name that some clients know.
    #[schema(required = true)]
    qr_code: Option<String>,
    /// The picture, PNG, as a `data:` address.
    #[schema(required = true)]
    image: Option<String>,
    /// To be typed on the phone.
    #[schema(required = true)]
    code: Option<String>,
    /// What the network says of the proof that it wants.
    #[schema(required = true, value_type = Option<Object>)]
    challenge: Option<serde_json::Value>,
    /// `qr`, `code` or `challenge`.
    state: SessionState,
    /// Ask again then: another code follows.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Which code it is, from 1. After the last one the session rests until somebody asks again.
    attempt: i64,
}

impl ShownCode {
    pub(crate) fn of(code: &Code) -> Result<Self, ApiError> {
        let text = |state| (code.state == state).then(|| code.text.clone());
        let qr = text(SessionState::Qr);
        let image = qr.as_deref().map(qr::data_uri).transpose().map_err(ApiError::internal)?;
        Ok(Self {
            qr_code: qr.clone(),
            qr,
            image,
            code: text(SessionState::Code),
            challenge: text(SessionState::Challenge).and_then(|text| serde_json::from_str(&text).ok()),
            state: code.state,
            expires_at: code.expires_at,
            attempt: code.attempt,
        })
    }
}

/// The code in the form asked for. Codes are not to be kept by anybody on the way.
pub(crate) fn answer(code: &Code, query: &CodeQuery, headers: &HeaderMap) -> Result<Response, ApiError> {
    let accepts = |kind: &str| {
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with(kind))
    };
    let wanted = query.format.unwrap_or(match () {
        () if accepts("image/png") => CodeFormat::Png,
        () if accepts("image/svg+xml") => CodeFormat::Svg,
        () => CodeFormat::Json,
    });
    // What is no picture is told as JSON, whatever was asked for.
    let format = if code.state == SessionState::Qr { wanted } else { CodeFormat::Json };
    let mut response = match format {
        CodeFormat::Json => Told::of(ShownCode::of(code)?, "Scan this with the phone.").into_response(),
        CodeFormat::Png => of_kind("image/png", qr::png(&code.text).map_err(ApiError::internal)?),
        CodeFormat::Svg => of_kind("image/svg+xml", qr::svg(&code.text).map_err(ApiError::internal)?),
        CodeFormat::Raw => of_kind("text/plain; charset=utf-8", code.text.clone()),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn of_kind(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
