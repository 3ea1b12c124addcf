//! Who has a number: what is known here, and whether the network knows it. A number that nobody has here is no error.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use frontdesk_engine::crm::{self, Key};
use frontdesk_engine::inboxes::{self, Inbox};
use frontdesk_engine::views::{ContactView, Viewer};
use frontdesk_model::{AccountId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::StoreError;
use frontdesk_store::conversations::ConversationRow;
use serde::Serialize;

use super::session;
use crate::api::envelope::{EnvelopeRefusal, Told};
use crate::auth::{InboxReader, InboxWriter};
use crate::error::ApiError;
use crate::input::Ids;
use crate::state::HttpState;

/// A network that takes longer to answer is not waited for.
const ASK_FOR: Duration = Duration::from_secs(10);

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(get_session_contact))
        .routes(routes!(check_session_contact))
        .routes(routes!(get_session_contact_picture))
}

/// Whoever has a number.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionContact {
    /// Digits with the country code.
    #[schema(required = true)]
    phone: Option<String>,
    /// Somebody with this number is known here.
    exists: bool,
    #[schema(required = true)]
    name: Option<String>,
    /// The same as `name`.
    #[schema(required = true)]
    push_name: Option<String>,
    #[schema(required = true)]
    email: Option<String>,
    /// Signed address of their picture.
    #[schema(required = true)]
    picture: Option<String>,
    /// The chat of this session with them.
    #[schema(required = true)]
    chat_id: Option<String>,
    unread_count: i64,
    is_starred: bool,
    /// When they last wrote here.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_seen: Option<Timestamp>,
}

/// What is found behind a number.
struct Found {
    /// With its plus; `None` for a contact without a number.
    phone: Option<String>,
    view: Option<ContactView>,
    chat: Option<ConversationRow>,
}

impl Found {
    fn digits(&self) -> Option<String> {
        self.phone.as_deref().map(session::digits)
    }

    fn picture(&self, state: &HttpState) -> Option<String> {
        let path = self.view.as_ref()?.avatar_url.as_deref()?;
        Some(session::absolute(state, path))
    }
}

async fn find(state: &HttpState, account: AccountId, inbox: &Inbox, name: &str) -> Result<Found, ApiError> {
    if name.contains('\0') {
        return Err(ApiError::invalid("phone", "The phone field must be a number."));
    }
    let key = Key::parse(session::person(name));
    let (phone, contact) = crm::people::look_up(&state.engine, account, key.clone()).await?;
    let Some(contact) = contact else { return Ok(Found { phone, view: None, chat: None }) };
    let chat = crm::chats::known(&state.engine, account, key, inbox.config.id).await?;
    let viewer = Viewer::new(&state.engine).await?;
    let view = state.engine.store.read(move |tx| viewer.contact(tx, account, contact.id)).await;
    let view = view.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Found { phone, view, chat })
}

/// Shows what is known of whoever has a number.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/contacts/{phone}", tag = "gateway",
    security(("token" = ["inbox:read"])), params(("session_id" = String, Path), ("phone" = String, Path)),
    responses((status = 200, body = Told<SessionContact>),
        (status = 422, body = EnvelopeRefusal, description = "That is no number")))]
async fn get_session_contact(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids((id, phone)): Ids<(String, String)>,
) -> Result<Json<Told<SessionContact>>, ApiError> {
    let inbox = session::find(&state, caller.account_id, &id).await?;
    let found = find(&state, caller.account_id, &inbox, &phone).await?;
    let (phone, picture) = (found.digits(), found.picture(&state));
    let name = found.view.as_ref().map(|view| view.name.clone());
    let data = SessionContact {
        phone,
        exists: found.view.is_some(),
        push_name: name.clone(),
        name,
        email: found.view.as_ref().and_then(|view| view.email.clone()),
        picture,
        chat_id: found.chat.as_ref().map(|chat| chat.id.to_string()),
        unread_count: found.chat.as_ref().map_or(0, |chat| chat.unread_count),
        is_starred: found.chat.as_ref().is_some_and(|chat| chat.starred),
        last_seen: found.view.as_ref().and_then(|view| view.last_seen_at),
    };
    Ok(Told::of(data, "Success"))
}

/// Whether a number is on the network.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionNumber {
    /// Digits with the country code.
    #[schema(required = true)]
    phone: Option<String>,
    /// It can be written to.
    registered: bool,
    /// The same as `registered`.
    exists: bool,
    /// The network was asked; else it is known from what was written here.
    checked: bool,
}

/// Asks whether a number is on the network of a session. Networks count such questions.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/contacts/{phone}/check", tag = "gateway",
    security(("token" = ["inbox:write"])), params(("session_id" = String, Path), ("phone" = String, Path)),
    responses((status = 200, body = Told<SessionNumber>),
        (status = 422, body = EnvelopeRefusal, description = "That is no number")))]
async fn check_session_contact(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids((id, phone)): Ids<(String, String)>,
) -> Result<Json<Told<SessionNumber>>, ApiError> {
    let (account, engine) = (caller.account_id, &state.engine);
    let inbox = session::find(&state, account, &id).await?;
    let found = find(&state, account, &inbox, &phone).await?;
    let digits = found.digits();
    let asked = match &digits {
        Some(digits) => {
            let asking = inboxes::is_reachable(engine, account, inbox.config.id, digits);
            tokio::time::timeout(ASK_FOR, asking).await.ok().and_then(Result::ok)
        }
        None => None,
    };
    let wrote_here = found.chat.as_ref().is_some_and(|chat| chat.last_inbound_at.is_some());
    let registered = asked.unwrap_or(wrote_here);
    let data = SessionNumber { phone: digits, registered, exists: registered, checked: asked.is_some() };
    Ok(Told::of(data, "Success"))
}

/// Somebody's picture.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionPicture {
    #[schema(required = true)]
    phone: Option<String>,
    /// Signed address; null when there is none.
    #[schema(required = true)]
    url: Option<String>,
    /// The same as `url`.
    #[schema(required = true)]
    picture: Option<String>,
}

/// Shows the picture of whoever has a number.
#[utoipa::path(get, path = "/api/v1/sessions/{session_id}/contacts/{phone}/picture", tag = "gateway",
    security(("token" = ["inbox:read"])), params(("session_id" = String, Path), ("phone" = String, Path)),
    responses((status = 200, body = Told<SessionPicture>),
        (status = 422, body = EnvelopeRefusal, description = "That is no number")))]
async fn get_session_contact_picture(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Ids((id, phone)): Ids<(String, String)>,
) -> Result<Json<Told<SessionPicture>>, ApiError> {
    let inbox = session::find(&state, caller.account_id, &id).await?;
    let found = find(&state, caller.account_id, &inbox, &phone).await?;
    let url = found.picture(&state);
    Ok(Told::of(SessionPicture { phone: found.digits(), picture: url.clone(), url }, "Success"))
}
