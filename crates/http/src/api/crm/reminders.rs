//! Reminders about donors.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_engine::crm::Key;
use frontdesk_engine::crm::reminders::{self, ReminderChanges, Wanted, Which};
use frontdesk_model::crm::reminder::Repeat;
use frontdesk_model::{ReminderId, Timestamp, UserId};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::crm::reminders::{Place, ReminderRow, START};
use serde::{Deserialize, Serialize};

use super::{Listed, RemovedDonorThing};
use crate::api::conversations::given;
use crate::api::envelope::Success;
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::{Ids, JsonBody, Query, Word};
use crate::paging::{PageQuery, Position};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(list_donor_reminders, add_reminder))
        .routes(routes!(list_reminders))
        .routes(routes!(change_reminder, remove_reminder))
        .routes(routes!(finish_reminder))
}

/// Something to come back to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Reminder {
    id: i64,
    contact_id: i64,
    text: String,
    /// For when it is set; of one that repeats and went off, for when it had been.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// Where its days are.
    time_zone: String,
    repeat: Repeat,
    /// Whose it is; null: everybody's.
    #[schema(required = true)]
    assignee_id: Option<i64>,
    /// When it goes off; null when it does not any more.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next_at: Option<Timestamp>,
    /// When it went off.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    fired_at: Option<Timestamp>,
    /// It went off late: it was due while the server was away.
    was_due: bool,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    done_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<ReminderRow> for Reminder {
    fn from(row: ReminderRow) -> Self {
        Self {
            id: row.id.0,
            contact_id: row.contact_id.0,
            text: row.text,
            due_at: row.due_at,
            time_zone: row.time_zone,
            repeat: row.repeat,
            assignee_id: row.assignee_id.map(|id| id.0),
            next_at: row.next_at,
            fired_at: row.fired_at,
            was_due: row.was_due,
            done_at: row.done_at,
            created_at: row.created_at,
        }
    }
}

/// Something to be reminded of.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "text": "Ask about the orphanage visit", "due_at": "2026-12-01T02:00:00Z", "repeat": "monthly" })))]
struct AddReminder {
    #[serde(alias = "note")]
    #[schema(min_length = 1, max_length = 1000)]
    text: String,
    /// One that is over goes off at once.
    #[serde(alias = "remind_at")]
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// Where its days are, `Asia/Jakarta`; absent: the account's.
    time_zone: Option<String>,
    /// Absent: it comes once.
    repeat: Option<Repeat>,
    /// Absent: everybody's.
    assignee_id: Option<i64>,
}

/// Sets a reminder about a donor. Whoever has the number is made when nobody has.
///
/// When it goes off, open pages hear `ReminderDue` on `private-account.{id}`; `?state=due` lists it until it is done.
#[utoipa::path(post, path = "/api/crm/contacts/{phone}/reminders", tag = "crm", security(("token" = ["inbox:write"])),
    params(("phone" = String, Path)), request_body = AddReminder, responses((status = 201, body = Success<Reminder>)))]
async fn add_reminder(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Word(phone): Word,
    JsonBody(body): JsonBody<AddReminder>,
) -> Result<(StatusCode, Json<Success<Reminder>>), ApiError> {
    let wanted = Wanted {
        text: body.text,
        due_at: body.due_at,
        time_zone: body.time_zone,
        repeat: body.repeat.unwrap_or(Repeat::None),
        assignee: body.assignee_id.map(UserId),
    };
    let row = reminders::add(&state.engine, caller.actor(), Key::parse(&phone), wanted).await?;
    Ok((StatusCode::CREATED, Success::of(row.into())))
}

/// Which page of reminders.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RemindersPage {
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Which reminders of all.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RemindersQuery {
    /// `open`: those that are not done; `due`: those of them whose time has come.
    #[param(inline)]
    state: Option<WhichReminders>,
    /// `me`: only one's own.
    #[param(inline)]
    assignee: Option<Whose>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}\\.[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Rows wanted.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum WhichReminders {
    Open,
    Due,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Whose {
    Me,
    All,
}

/// Lists the reminders about a donor by their times.
#[utoipa::path(get, path = "/api/crm/contacts/{phone}/reminders", tag = "crm", security(("token" = ["inbox:read"])),
    params(("phone" = String, Path), RemindersPage), responses((status = 200, body = Listed<Reminder>)))]
async fn list_donor_reminders(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(phone): Word,
    Query(query): Query<RemindersPage>,
) -> Result<Json<Listed<Reminder>>, ApiError> {
    let (limit, after) = page(query.cursor, query.limit)?;
    let key = Key::parse(&phone);
    let rows = reminders::of_person(&state.engine, caller.account_id, key, after, limit + 1).await?;
    Ok(listed(rows, limit))
}

/// Lists the reminders of the account that are not done, by their times.
#[utoipa::path(get, path = "/api/crm/reminders", tag = "crm", security(("token" = ["inbox:read"])),
    params(RemindersQuery), responses((status = 200, body = Listed<Reminder>)))]
async fn list_reminders(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(query): Query<RemindersQuery>,
) -> Result<Json<Listed<Reminder>>, ApiError> {
    let (limit, after) = page(query.cursor, query.limit)?;
    let which = match query.state {
        Some(WhichReminders::Due) => Which::Due,
        Some(WhichReminders::Open) | None => Which::Open,
    };
    let assignee = match query.assignee {
        Some(Whose::Me) => Some(caller.user_id),
        Some(Whose::All) | None => None,
    };
    let account = caller.account_id;
    let rows = reminders::list(&state.engine, account, which, assignee, after, limit + 1).await?;
    Ok(listed(rows, limit))
}

fn page(cursor: Option<String>, limit: Option<i64>) -> Result<(i64, Place), ApiError> {
    let limit = PageQuery { cursor: None, limit }.limit()?;
    let Some(cursor) = cursor else { return Ok((limit, START)) };
    let Position { at_ms, id } = Position::decode(&cursor, "cursor")?;
    Ok((limit, (Timestamp::from_millis(at_ms), ReminderId(id))))
}

fn listed(rows: Vec<ReminderRow>, limit: i64) -> Json<Listed<Reminder>> {
    let position = |row: &ReminderRow| Position { at_ms: row.due_at.as_millis(), id: row.id.0 };
    Listed::by_time(rows, limit, position, Reminder::from)
}

/// What changes of a reminder. What is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
struct ChangeReminder {
    #[serde(alias = "note")]
    #[schema(min_length = 1, max_length = 1000)]
    text: Option<String>,
    /// Given another time it goes off anew, also when it was done.
    #[serde(alias = "remind_at")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    time_zone: Option<String>,
    repeat: Option<Repeat>,
    /// Null: everybody's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    assignee_id: Option<Option<i64>>,
}

/// Changes a reminder.
#[utoipa::path(patch, path = "/api/crm/reminders/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), request_body = ChangeReminder, responses((status = 200, body = Success<Reminder>)))]
async fn change_reminder(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ReminderId>,
    JsonBody(body): JsonBody<ChangeReminder>,
) -> Result<Json<Success<Reminder>>, ApiError> {
    let changes = ReminderChanges {
        text: body.text,
        due_at: body.due_at,
        time_zone: body.time_zone,
        repeat: body.repeat,
        assignee: body.assignee_id.map(|id| id.map(UserId)),
    };
    let row = reminders::change(&state.engine, caller.actor(), id, changes).await?;
    Ok(Success::of(row.into()))
}

/// Marks a reminder as done. One that repeats comes again at its next time.
#[utoipa::path(post, path = "/api/crm/reminders/{id}/done", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<Reminder>)))]
async fn finish_reminder(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ReminderId>,
) -> Result<Json<Success<Reminder>>, ApiError> {
    let row = reminders::set_done(&state.engine, caller.actor(), id).await?;
    Ok(Success::of(row.into()))
}

/// Removes a reminder.
#[utoipa::path(delete, path = "/api/crm/reminders/{id}", tag = "crm", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path)), responses((status = 200, body = Success<RemovedDonorThing>)))]
async fn remove_reminder(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ReminderId>,
) -> Result<Json<Success<RemovedDonorThing>>, ApiError> {
    reminders::remove(&state.engine, caller.actor(), id).await?;
    Ok(RemovedDonorThing::of(id.0))
}
