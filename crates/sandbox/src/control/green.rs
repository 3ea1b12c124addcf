//! Instances of Green API: what their owner does on the phone and in the console, and what it knows of them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Body;
use super::error::{ControlError, ControlErrorBody};
use crate::channel::Channel;
use crate::green::{InstanceState, delivery, events, queue};
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;
use crate::webhooks::EventClass;

/// An instance.
#[derive(Serialize, ToSchema)]
pub(super) struct InstanceView {
    /// Inbox that it is.
    inbox_id: String,
    /// `stateInstance`.
    state: InstanceState,
    /// As `getSettings` gives them.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// Messages that wait to be sent.
    waiting_messages: usize,
    /// Notifications that wait to be delivered or polled.
    waiting_notifications: usize,
    /// How often the picture to scan was asked for.
    qr_shown: u64,
    /// `setSettings` says that it saved, and saves nothing.
    loses_settings: bool,
    /// Checks of numbers that the tariff still allows.
    checks_left: Option<u32>,
}

/// What can be changed about an instance; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InstancePatch {
    /// Another state, as if the phone signed in (`authorized`), was banned (`blocked`), lost power… The instance tells.
    state: Option<InstanceState>,
    /// `setSettings` says that it saved, and saves nothing.
    loses_settings: Option<bool>,
    /// Checks of numbers that the tariff still allows.
    checks_left: Option<u32>,
}

fn find(sandbox: &Sandbox, inbox_id: &str) -> Result<Inbox, ControlError> {
    let inbox = sandbox.world().inboxes.get(inbox_id).cloned();
    inbox
        .filter(|inbox| inbox.channel == Channel::GreenApi)
        .ok_or(ControlError::NotFound { what: "instance of Green API" })
}

/// One instance.
#[utoipa::path(get, path = "/green/{inbox_id}", tag = "green", params(("inbox_id" = String, Path)),
    responses((status = 200, description = "Done", body = InstanceView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
) -> Result<Json<InstanceView>, ControlError> {
    find(&sandbox, &inbox_id)?;
    Ok(Json(sandbox.green(&inbox_id, |instance| InstanceView {
        inbox_id: inbox_id.clone(),
        state: instance.state,
        settings: instance.settings.clone(),
        waiting_messages: instance.outgoing.len(),
        waiting_notifications: instance.notifications.len(),
        qr_shown: instance.qr_shown,
        loses_settings: instance.loses_settings,
        checks_left: instance.checks_left,
    })))
}

/// Changes an instance: scans the QR code, bans it, takes its quota away.
#[utoipa::path(patch, path = "/green/{inbox_id}", tag = "green", params(("inbox_id" = String, Path)),
    request_body = InstancePatch,
    responses((status = 200, description = "Done", body = InstanceView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(patch): Body<InstancePatch>,
) -> Result<Json<InstanceView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    sandbox.green(&inbox_id, |instance| {
        instance.loses_settings = patch.loses_settings.unwrap_or(instance.loses_settings);
        instance.checks_left = patch.checks_left.or(instance.checks_left);
    });
    if let Some(state) = patch.state {
        queue::change_state(&sandbox, &inbox, state);
    }
    read(State(sandbox), Path(inbox_id)).await
}

/// Something written on the instance's own phone.
#[derive(Deserialize, ToSchema)]
pub(super) struct PhoneMessage {
    /// To whom, as `15550100002@c.us`.
    chat_id: String,
    /// What it says.
    text: String,
}

/// A message's id.
#[derive(Serialize, ToSchema)]
pub(super) struct WrittenOnPhone {
    /// `idMessage` of the notification.
    message_id: String,
}

/// Writes on the instance's own phone; `outgoingMessageReceived` follows.
#[utoipa::path(post, path = "/green/{inbox_id}/phone-messages", tag = "green", params(("inbox_id" = String, Path)),
    request_body = PhoneMessage,
    responses((status = 201, description = "Made", body = WrittenOnPhone),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn write(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(message): Body<PhoneMessage>,
) -> Result<(StatusCode, Json<WrittenOnPhone>), ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    let (message_id, customer_id) = {
        let mut world = sandbox.world();
        let phone = message.chat_id.trim_end_matches("@c.us");
        let customer_id = world.find_by_phone(phone).map(|customer| customer.id.clone());
        (world.ids.green_id(), customer_id.unwrap_or_default())
    };
    let data = json!({"typeMessage": "textMessage", "textMessageData": {"textMessage": message.text}});
    let now = sandbox.clock().now();
    let mut flat = events::flattened("outgoing", &message_id, &message.chat_id, now, &data);
    flat["sendByApi"] = json!(false);
    sandbox.green(&inbox_id, |instance| instance.note(flat));
    let ids = (message_id.as_str(), false);
    sandbox.tell(events::outgoing(&sandbox, &inbox, &customer_id, &message.chat_id, ids, &data));
    Ok((StatusCode::CREATED, Json(WrittenOnPhone { message_id })))
}

/// Queues any notification, exactly as given: calls, quotas, kinds of tomorrow. Switches of the settings do not apply.
#[utoipa::path(post, path = "/green/{inbox_id}/notifications", tag = "green", params(("inbox_id" = String, Path)),
    request_body = Object,
    responses((status = 202, description = "Queued"),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn notify(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(body): Body<Map<String, Value>>,
) -> Result<StatusCode, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    let id = body.get("idMessage").and_then(Value::as_str).unwrap_or_default().to_owned();
    let event = events::event(&inbox, "", EventClass::Message, &id, Value::Object(body));
    delivery::queue_as_is(&sandbox, event);
    Ok(StatusCode::ACCEPTED)
}
