//! Phones that a business links to its server: scan, type, go offline, get banned, log out.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Body;
use super::error::{ControlError, ControlErrorBody};
use crate::channel::Channel;
use crate::clock::{SECOND_MS, TimeMs};
use crate::inbox::Inbox;
use crate::linked::events;
use crate::linked::phone::{self, LinkRefusal};
use crate::sandbox::Sandbox;
use crate::webhooks::EventClass;

/// A phone.
#[derive(Serialize, ToSchema)]
pub(super) struct PhoneView {
    /// The inbox of the sandbox that it is.
    inbox_id: String,
    /// Its number, digits.
    phone: String,
    /// Its owner.
    name: String,
    /// A server is linked to it.
    linked: bool,
    /// That server is connected.
    connected: bool,
    /// What that server calls the session.
    session: Option<String>,
    /// Out of reach.
    offline: bool,
    /// Banned until then.
    banned_until_ms: Option<TimeMs>,
    /// Wants a proof before it is linked: `{"proof": "ok"}`.
    wants_proof: bool,
    /// Events that its server has not acknowledged.
    unacknowledged: usize,
    /// Events that its server has acknowledged.
    acknowledged: u64,
}

/// A server that waits for a phone.
#[derive(Serialize, ToSchema)]
pub(super) struct WaitingView {
    /// What it calls the session.
    session: String,
    /// What it shows to be scanned.
    code: Option<String>,
    /// What it shows to be typed.
    pairing_code: Option<String>,
    /// On the phone of this number, digits.
    pairing_phone: Option<String>,
}

/// All phones, and who waits for one.
#[derive(Serialize, ToSchema)]
pub(super) struct LinkedView {
    /// Phones.
    phones: Vec<PhoneView>,
    /// Servers that show a code.
    waiting: Vec<WaitingView>,
}

fn show(sandbox: &Sandbox, inbox: &Inbox) -> PhoneView {
    let mut world = sandbox.world();
    let phone = world.linked.phones.entry(inbox.id.clone()).or_default();
    PhoneView {
        inbox_id: inbox.id.clone(),
        phone: inbox.account_id.clone(),
        name: inbox.name.clone(),
        linked: phone.is_linked(),
        connected: phone.is_connected(),
        session: phone.session.clone(),
        offline: phone.offline,
        banned_until_ms: phone.banned_until_ms,
        wants_proof: phone.wants_proof,
        unacknowledged: phone.unacknowledged(),
        acknowledged: phone.acknowledged,
    }
}

fn find(sandbox: &Sandbox, inbox_id: &str) -> Result<Inbox, ControlError> {
    let inbox = sandbox.world().inboxes.get(inbox_id).cloned();
    inbox
        .filter(|inbox| inbox.channel == Channel::LinkedWhatsapp)
        .ok_or(ControlError::NotFound { what: "linked phone" })
}

/// Phones, and servers that wait for one.
#[utoipa::path(get, path = "/linked", tag = "linked", responses((status = 200, description = "Done", body = LinkedView)))]
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<LinkedView> {
    let inboxes: Vec<Inbox> = {
        let world = sandbox.world();
        world.inboxes.values().filter(|inbox| inbox.channel == Channel::LinkedWhatsapp).cloned().collect()
    };
    let phones = inboxes.iter().map(|inbox| show(&sandbox, inbox)).collect();
    let world = sandbox.world();
    let waiting = world.linked.waiting.values().map(|waiting| WaitingView {
        session: waiting.session.clone(),
        code: waiting.code.clone(),
        pairing_code: waiting.pairing.as_ref().map(|(_, code)| code.clone()),
        pairing_phone: waiting.pairing.as_ref().map(|(phone, _)| phone.clone()),
    });
    Json(LinkedView { waiting: waiting.collect(), phones })
}

/// A phone to add.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewPhone {
    /// Its id in the sandbox; its number when absent.
    #[serde(default)]
    inbox_id: Option<String>,
    /// Its number, in any spelling.
    phone: String,
    /// Its owner.
    #[serde(default)]
    name: Option<String>,
}

/// Adds a phone.
#[utoipa::path(post, path = "/linked", tag = "linked", request_body = NewPhone,
    responses((status = 201, description = "Made", body = PhoneView),
        (status = 409, description = "Id or number is taken", body = ControlErrorBody)))]
pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Body(new): Body<NewPhone>,
) -> Result<(StatusCode, Json<PhoneView>), ControlError> {
    let inbox = phone_inbox(new.inbox_id, &new.phone, new.name)
        .ok_or_else(|| ControlError::Invalid("this is no number".to_owned()))?;
    let taken = {
        let mut world = sandbox.world();
        let same = |other: &Inbox| other.id == inbox.id || other.account_id == inbox.account_id;
        let taken = world.inboxes.values().any(same);
        if !taken {
            world.inboxes.insert(inbox.id.clone(), inbox.clone());
        }
        taken
    };
    if taken {
        return Err(ControlError::Conflict("another inbox has this id or number".to_owned()));
    }
    Ok((StatusCode::CREATED, Json(show(&sandbox, &inbox))))
}

/// A phone as an inbox of the sandbox.
fn phone_inbox(id: Option<String>, phone: &str, name: Option<String>) -> Option<Inbox> {
    let digits = crate::phone_number::digits(phone);
    (digits.len() >= 5).then(|| {
        Inbox::linked_phone(
            id.as_deref().unwrap_or(&digits),
            &digits,
            name.as_deref().unwrap_or("Linked phone"),
        )
    })
}

/// One phone.
#[utoipa::path(get, path = "/linked/{inbox_id}", tag = "linked", params(("inbox_id" = String, Path)),
    responses((status = 200, description = "Done", body = PhoneView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
) -> Result<Json<PhoneView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    Ok(Json(show(&sandbox, &inbox)))
}

/// What changes about a phone; absent fields stay.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PhonePatch {
    /// Out of reach, or back.
    offline: Option<bool>,
    /// Bans the number for so many seconds; 0 ends a ban.
    ban_seconds: Option<u32>,
    /// Wants a proof before it is linked.
    wants_proof: Option<bool>,
}

/// Takes a phone out of reach, bans its number, has it want a proof.
#[utoipa::path(patch, path = "/linked/{inbox_id}", tag = "linked", params(("inbox_id" = String, Path)),
    request_body = PhonePatch,
    responses((status = 200, description = "Done", body = PhoneView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(patch): Body<PhonePatch>,
) -> Result<Json<PhoneView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    if let Some(wants_proof) = patch.wants_proof {
        sandbox.world().linked.phones.entry(inbox_id.clone()).or_default().wants_proof = wants_proof;
    }
    if let Some(offline) = patch.offline {
        phone::set_offline(&sandbox, &inbox_id, offline);
    }
    if let Some(seconds) = patch.ban_seconds {
        phone::ban(&sandbox, &inbox_id, TimeMs::from(seconds) * SECOND_MS);
    }
    Ok(Json(show(&sandbox, &inbox)))
}

/// Which code is scanned.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Scan {
    /// What the picture says; absent: the newest that any server shows.
    code: Option<String>,
    /// Only of the server that calls its session so.
    session: Option<String>,
}

fn refused(refusal: LinkRefusal) -> ControlError {
    ControlError::Conflict(refusal.to_string())
}

/// Scans a QR code with this phone.
#[utoipa::path(post, path = "/linked/{inbox_id}/scan", tag = "linked", params(("inbox_id" = String, Path)),
    request_body = Scan,
    responses((status = 200, description = "Done", body = PhoneView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody),
        (status = 409, description = "No server shows this code, or the phone cannot", body = ControlErrorBody)))]
pub(super) async fn scan(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(scan): Body<Scan>,
) -> Result<Json<PhoneView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    phone::scan(&sandbox, &inbox, scan.code.as_deref(), scan.session.as_deref()).map_err(refused)?;
    Ok(Json(show(&sandbox, &inbox)))
}

/// A code that is typed.
#[derive(Deserialize, ToSchema)]
pub(super) struct TypedCode {
    /// The code, with or without its dash.
    code: String,
}

/// Types a pairing code on this phone.
#[utoipa::path(post, path = "/linked/{inbox_id}/code", tag = "linked", params(("inbox_id" = String, Path)),
    request_body = TypedCode,
    responses((status = 200, description = "Done", body = PhoneView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody),
        (status = 409, description = "No server shows this code for this number", body = ControlErrorBody)))]
pub(super) async fn type_code(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(typed): Body<TypedCode>,
) -> Result<Json<PhoneView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    phone::type_code(&sandbox, &inbox, &typed.code).map_err(refused)?;
    Ok(Json(show(&sandbox, &inbox)))
}

/// Logs the linked server out, as on the phone.
#[utoipa::path(post, path = "/linked/{inbox_id}/logout", tag = "linked", params(("inbox_id" = String, Path)),
    responses((status = 200, description = "Done", body = PhoneView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn log_out(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
) -> Result<Json<PhoneView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    phone::log_out(&sandbox, &inbox_id);
    Ok(Json(show(&sandbox, &inbox)))
}

/// Cuts the connection of the linked server once.
#[utoipa::path(post, path = "/linked/{inbox_id}/drop", tag = "linked", params(("inbox_id" = String, Path)),
    responses((status = 200, description = "Done", body = PhoneView),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn cut(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
) -> Result<Json<PhoneView>, ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    phone::drop_connection(&sandbox, &inbox_id);
    Ok(Json(show(&sandbox, &inbox)))
}

/// Something its owner writes on the phone.
#[derive(Deserialize, ToSchema)]
pub(super) struct OwnerMessage {
    /// To which customer of the sandbox.
    customer_id: String,
    /// What it says.
    text: String,
}

/// A message's id.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnerWrote {
    /// The id that the server hears.
    message_id: String,
}

/// Writes on the phone itself; the linked server hears of it.
#[utoipa::path(post, path = "/linked/{inbox_id}/phone-messages", tag = "linked", params(("inbox_id" = String, Path)),
    request_body = OwnerMessage,
    responses((status = 201, description = "Made", body = OwnerWrote),
        (status = 404, description = "Nothing has this id", body = ControlErrorBody)))]
pub(super) async fn write(
    State(sandbox): State<Sandbox>,
    Path(inbox_id): Path<String>,
    Body(message): Body<OwnerMessage>,
) -> Result<(StatusCode, Json<OwnerWrote>), ControlError> {
    let inbox = find(&sandbox, &inbox_id)?;
    let customer = sandbox.world().customers.get(&message.customer_id).cloned();
    let customer = customer.ok_or(ControlError::NotFound { what: "customer" })?;
    let message_id = sandbox.world().ids.green_id();
    let mut event = events::about(&sandbox, &customer, "message");
    event["id"] = json!(message_id);
    event["from_me"] = json!(true);
    event["name"] = json!(null);
    event["content"] = json!({ "type": "text", "text": message.text });
    sandbox.tell(events::event(&inbox, &customer.id, EventClass::Message, &message_id, event));
    Ok((StatusCode::CREATED, Json(OwnerWrote { message_id })))
}
