//! What an account says about its donors.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::crm::settings;
use frontdesk_model::crm::money::{Currency, Rates};
use frontdesk_model::crm::score::ScorePreset;
use frontdesk_model::crm::segment::SegmentSet;
use frontdesk_model::crm::settings::{CrmSettings, Welcome};
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};

use crate::api::envelope::Success;
use crate::auth::{AdminUser, InboxReader};
use crate::error::ApiError;
use crate::input::JsonBody;
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(get_crm_settings, save_crm_settings))
}

/// By what donors are counted, and what newcomers hear.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CrmSettings, examples(json!({ "currency": "IDR", "time_zone": "Asia/Jakarta", "calling_code": "62", "rates": { "USD": 15500 },
    "vip_floor": 10000000, "score_cap": null, "score_preset": "default", "segments": "seed",
    "welcome": { "enabled": true, "text": "Halo {{first_name|kak}}! Terima kasih telah menghubungi kami." } })))]
struct Settings {
    /// Of the figures.
    #[schema(value_type = String, pattern = "^[A-Za-z]{3}$")]
    currency: Currency,
    /// Where days begin and end, by its name in the tz database.
    time_zone: String,
    /// What stands before numbers written without a country.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, pattern = "^[1-9][0-9]{0,2}$")]
    calling_code: Option<String>,
    /// What one unit of other currencies is worth, kept by hand. Gifts in others are shown by themselves.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, f64>)]
    rates: Rates,
    /// From which lifetime value on a donor is VIP at least, in minor units. With twenty donors it is at least what nine of
    /// ten do not exceed; with fewer, and without this, nobody is.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, minimum = 1)]
    vip_floor: Option<i64>,
    /// The amount within 24 months that counts in full for the score, in minor units; null: taken from the donors.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, minimum = 1)]
    score_cap: Option<i64>,
    score_preset: ScorePreset,
    segments: SegmentSet,
    welcome: CrmWelcome,
}

/// The first answer, by itself: to people who write for the first time.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
struct CrmWelcome {
    enabled: bool,
    /// Its variables need a default.
    #[schema(max_length = 2000)]
    text: String,
}

impl From<CrmSettings> for Settings {
    fn from(settings: CrmSettings) -> Self {
        let CrmSettings {
            currency,
            time_zone,
            calling_code,
            rates,
            vip_floor,
            score_cap,
            score_preset,
            segments,
            welcome,
        } = settings;
        let welcome = CrmWelcome { enabled: welcome.enabled, text: welcome.text };
        Self {
            currency,
            time_zone,
            calling_code,
            rates,
            vip_floor,
            score_cap,
            score_preset,
            segments,
            welcome,
        }
    }
}

impl From<Settings> for CrmSettings {
    fn from(settings: Settings) -> Self {
        let Settings {
            currency,
            time_zone,
            calling_code,
            rates,
            vip_floor,
            score_cap,
            score_preset,
            segments,
            welcome,
        } = settings;
        let welcome = Welcome { enabled: welcome.enabled, text: welcome.text };
        Self {
            currency,
            time_zone,
            calling_code,
            rates,
            vip_floor,
            score_cap,
            score_preset,
            segments,
            welcome,
        }
    }
}

/// Shows by what donors are counted.
#[utoipa::path(get, path = "/api/crm/settings", tag = "crm", security(("token" = ["inbox:read"])),
    responses((status = 200, body = Success<Settings>)))]
async fn get_crm_settings(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
) -> Result<Json<Success<Settings>>, ApiError> {
    let settings = settings::get(&state.engine, caller.account_id).await?;
    Ok(Success::of(settings.into()))
}

/// Settles by what donors are counted, as a whole. Their figures follow within seconds, of very many within minutes.
#[utoipa::path(put, path = "/api/crm/settings", tag = "crm", security(("token" = ["admin"])),
    request_body = Settings, responses((status = 200, body = Success<Settings>)))]
async fn save_crm_settings(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<Settings>,
) -> Result<Json<Success<Settings>>, ApiError> {
    settings::save(&state.engine, caller.actor(), body.into()).await?;
    let settings = settings::get(&state.engine, caller.account_id).await?;
    Ok(Success::of(settings.into()))
}
