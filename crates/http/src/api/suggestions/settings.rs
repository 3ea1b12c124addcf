//! The language model an account has its drafts from.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::suggest::drafts::settings::{
    self, DraftSettings, DraftSettingsError, DraftState, KeyChange, NewDraftSettings,
};
use frontdesk_model::Timestamp;
use frontdesk_routes::{Gather, routes};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::auth::AdminUser;
use crate::error::ApiError;
use crate::input::JsonBody;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(get_suggestion_settings, save_suggestion_settings))
}

/// The language model an account has its drafts from. Off by default: then nothing leaves this server.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(examples(json!({ "enabled": true, "base_url": "https://api.openai.com/v1", "host": "api.openai.com", "model": "gpt-4o-mini",
    "has_key": true, "timeout_ms": 20000, "monthly_tokens": 1000000, "fallback": true, "paused_until": null, "trouble": null,
    "usage": { "month": "2026-01", "calls": 12, "tokens": 4810 } })))]
struct SuggestionSettings {
    enabled: bool,
    base_url: String,
    /// Where what customers write goes.
    #[schema(required = true)]
    host: Option<String>,
    model: String,
    /// Whether a key is kept. It is never shown.
    has_key: bool,
    timeout_ms: i64,
    monthly_tokens: i64,
    fallback: bool,
    /// Nobody is asked until then.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    /// What was wrong last, as a code of errors; null when it works.
    #[schema(required = true)]
    trouble: Option<String>,
    usage: SuggestionUsage,
}

/// What was used in a month (UTC).
#[derive(Serialize, utoipa::ToSchema)]
struct SuggestionUsage {
    month: String,
    calls: i64,
    tokens: i64,
}

impl From<DraftState> for SuggestionSettings {
    fn from(state: DraftState) -> Self {
        let host = state.settings.host();
        let DraftSettings { enabled, base_url, model, timeout_ms, monthly_tokens, fallback } = state.settings;
        Self {
            enabled,
            base_url,
            host,
            model,
            has_key: state.has_key,
            timeout_ms,
            monthly_tokens,
            fallback,
            paused_until: state.paused_until,
            trouble: state.trouble,
            usage: SuggestionUsage {
                month: state.month,
                calls: state.usage.calls,
                tokens: state.usage.tokens,
            },
        }
    }
}

/// What is to hold.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "enabled": true, "base_url": "https://api.openai.com/v1", "model": "gpt-4o-mini", "api_key": "sk-…",
    "timeout_ms": 20000, "monthly_tokens": 1000000, "fallback": true, "confirm_host": "api.openai.com" })))]
struct SaveSuggestionSettings {
    enabled: bool,
    /// Where an API compatible with OpenAI's begins. Private addresses only where the operator lists them.
    #[schema(max_length = 500)]
    base_url: String,
    #[schema(max_length = 200)]
    model: String,
    /// Absent: stays, unless the host changes; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    api_key: Option<Option<SecretString>>,
    /// Time for a whole answer.
    #[serde(default = "default_timeout")]
    #[schema(minimum = 1000, maximum = 60000, required = false)]
    timeout_ms: i64,
    /// Tokens of a month (UTC) at most.
    #[schema(minimum = 0)]
    monthly_tokens: i64,
    /// Whether the team's own replies are shown when it fails.
    #[serde(default = "yes")]
    #[schema(required = false)]
    fallback: bool,
    /// The host of `base_url`, as a sign that what customers write may go there. Needed while `enabled`.
    confirm_host: Option<String>,
}

fn given<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Option<SecretString>>, D::Error> {
    Option::<SecretString>::deserialize(reader).map(Some)
}

fn default_timeout() -> i64 {
    DraftSettings::default().timeout_ms
}

fn yes() -> bool {
    true
}

impl From<SaveSuggestionSettings> for NewDraftSettings {
    fn from(body: SaveSuggestionSettings) -> Self {
        let SaveSuggestionSettings {
            enabled,
            base_url,
            model,
            api_key,
            timeout_ms,
            monthly_tokens,
            fallback,
            confirm_host,
        } = body;
        Self {
            settings: DraftSettings { enabled, base_url, model, timeout_ms, monthly_tokens, fallback },
            key: match api_key {
                None => KeyChange::Keep,
                Some(None) => KeyChange::Remove,
                Some(Some(key)) => KeyChange::Set(key),
            },
            confirmed_host: confirm_host,
        }
    }
}

/// Shows the language model that writes drafts, and what was used of it.
#[utoipa::path(get, path = "/api/v1/suggestions/settings", tag = "inbox", security(("token" = ["admin"])),
    responses((status = 200, body = SuggestionSettings)))]
async fn get_suggestion_settings(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
) -> Result<Json<SuggestionSettings>, ApiError> {
    Ok(Json(settings::get(&state.engine, caller.account_id).await?.into()))
}

/// Settles which language model writes drafts, as a whole. A pause is over then.
#[utoipa::path(put, path = "/api/v1/suggestions/settings", tag = "inbox", security(("token" = ["admin"])),
    request_body = SaveSuggestionSettings, responses((status = 200, body = SuggestionSettings)))]
async fn save_suggestion_settings(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<SaveSuggestionSettings>,
) -> Result<Json<SuggestionSettings>, ApiError> {
    settings::save(&state.engine, caller.actor(), body.into()).await?;
    Ok(Json(settings::get(&state.engine, caller.account_id).await?.into()))
}

impl From<DraftSettingsError> for ApiError {
    fn from(error: DraftSettingsError) -> Self {
        match error {
            DraftSettingsError::Invalid(fields) => Self::invalid_fields(fields),
            DraftSettingsError::Store(error) => error.into(),
            DraftSettingsError::Vault(_) => Self::internal(error),
        }
    }
}
