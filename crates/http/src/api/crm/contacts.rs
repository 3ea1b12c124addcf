//! Donors: who they are and what they come to.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::crm::Key;
use frontdesk_engine::crm::profile::{self, Donor, DonorChanges, Metrics, Profile};
use frontdesk_engine::views::{ContactView, Viewer};
use frontdesk_model::Timestamp;
use frontdesk_routes::{Gather, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::donations::Donation;
use super::notes::Note;
use super::reminders::Reminder;
use crate::api::envelope::EnvelopeRefusal;
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{JsonBody, Word};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(get_donor, change_donor))
}

/// Somebody, as the chat and as a donor. Of a number that nobody has here: nulls and zeros.
#[derive(Serialize, utoipa::ToSchema)]
struct DonorProfile {
    /// True.
    success: bool,
    /// Who networks say it is.
    #[schema(required = true)]
    whatsapp: Option<ContactView>,
    #[schema(required = true)]
    donatur: Option<Donatur>,
    metrics: Metrics,
}

/// What was noted of a donor: the newest twenty of each.
#[derive(Serialize, utoipa::ToSchema)]
struct Donatur {
    id: i64,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(required = true)]
    phone: Option<String>,
    #[schema(required = true)]
    email: Option<String>,
    /// Wants no messages.
    opted_out: bool,
    /// Fields of one's own and of other programs.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    custom_fields: Map<String, Value>,
    donations: Vec<Donation>,
    notes: Vec<Note>,
    /// Those that are not done.
    reminders: Vec<Reminder>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl Donatur {
    fn of(donor: Donor, now: Timestamp) -> Self {
        Self {
            id: donor.contact.id.0,
            name: donor.contact.name,
            phone: donor.contact.phone,
            email: donor.contact.email,
            opted_out: donor.opted_out,
            custom_fields: donor.custom_fields,
            donations: donor.donations.into_iter().map(|row| Donation::of(row, now)).collect(),
            notes: donor.notes.into_iter().map(Note::from).collect(),
            reminders: donor.reminders.into_iter().map(Reminder::from).collect(),
            created_at: donor.contact.created_at,
        }
    }
}

/// Shows a donor with metrics, gifts, notes and reminders.
#[utoipa::path(get, path = "/api/crm/contacts/{phone}", tag = "crm", security(("token" = ["inbox:read"])),
    params(("phone" = String, Path, description = "A number in any notation, or `id:12`")),
    responses((status = 200, body = DonorProfile),
        (status = 422, body = EnvelopeRefusal, description = "That is no number")))]
async fn get_donor(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(phone): Word,
) -> Result<Json<DonorProfile>, ApiError> {
    show(&state, caller.account_id, Key::parse(&phone)).await
}

/// What is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "custom_fields": { "city": "Bandung", "old_field": null }, "opted_out": false })))]
struct ChangeDonor {
    /// Fields to set: a text, a number, true or false. Null takes one away, what is absent stays.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    custom_fields: Map<String, Value>,
    /// Wants no messages, or wants them again.
    opted_out: Option<bool>,
}

/// Changes what is noted of a donor. Name and e-mail: `PATCH /api/v1/contacts/{id}`.
#[utoipa::path(patch, path = "/api/crm/contacts/{phone}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("phone" = String, Path)), request_body = ChangeDonor, responses((status = 200, body = DonorProfile)))]
async fn change_donor(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(phone): Word,
    JsonBody(body): JsonBody<ChangeDonor>,
) -> Result<Json<DonorProfile>, ApiError> {
    let key = Key::parse(&phone);
    let changes = DonorChanges { custom_fields: body.custom_fields, opted_out: body.opted_out };
    profile::change(&state.engine, caller.actor(), key.clone(), changes).await?;
    show(&state, caller.account_id, key).await
}

async fn show(
    state: &HttpState,
    account: frontdesk_model::AccountId,
    key: Key,
) -> Result<Json<DonorProfile>, ApiError> {
    let Profile { donor, metrics } = profile::show(&state.engine, account, key).await?;
    let whatsapp = match &donor {
        None => None,
        Some(donor) => {
            let (viewer, id) = (Viewer::new(&state.engine).await?, donor.contact.id);
            state.engine.store.read(move |tx| viewer.contact(tx, account, id)).await?
        }
    };
    let now = state.engine.clock.now();
    let donatur = donor.map(|donor| Donatur::of(donor, now));
    Ok(Json(DonorProfile { success: true, whatsapp, donatur, metrics }))
}
