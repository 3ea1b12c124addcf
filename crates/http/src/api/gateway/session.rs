//! Finding what an address of the gateway names: a session, a chat in it.

use std::sync::Arc;

use frontdesk_engine::crm::Key;
use frontdesk_engine::inboxes::Inbox;
use frontdesk_engine::webhooks::event::bare_phone;
use frontdesk_engine::{crm, inboxes};
use frontdesk_model::{AccountId, ConversationId};
use frontdesk_store::conversations::{self, ConversationRow};

use crate::error::ApiError;
use crate::state::HttpState;

/// What WhatsApp writes behind the number of a chat.
const SUFFIXES: [&str; 2] = ["@s.whatsapp.net", "@c.us"];

/// The inbox behind a session: by the session's own name, else as its provider or we call it. 404 for another account's.
pub(super) async fn find(state: &HttpState, account: AccountId, name: &str) -> Result<Arc<Inbox>, ApiError> {
    let book = inboxes::book(&state.engine).await?;
    let here = || book.all().filter(|inbox| inbox.config.account_id == account);
    let found = here()
        .find(|inbox| inbox.called() == name)
        .or_else(|| here().find(|inbox| inbox.route_key == name || inbox.config.id.to_string() == name));
    found.cloned().ok_or_else(|| ApiError::not_found("session"))
}

/// A chat of a session, by its id or by the number it is with. 404 for another session's.
pub(super) async fn find_chat(
    state: &HttpState,
    account: AccountId,
    inbox: &Inbox,
    name: &str,
) -> Result<ConversationRow, ApiError> {
    let (inbox, unknown) = (inbox.config.id, || ApiError::not_found("chat"));
    if name.contains('\0') {
        return Err(unknown());
    }
    if let Ok(id) = name.parse().map(ConversationId) {
        let row = state.engine.store.read(move |tx| conversations::find(tx, account, id)).await?;
        if let Some(row) = row.filter(|row| row.inbox_id == inbox) {
            return Ok(row);
        }
    }
    let found = crm::chats::known(&state.engine, account, Key::parse(person(name)), inbox).await;
    found.ok().flatten().ok_or_else(unknown)
}

/// Who an address or a field names, without what WhatsApp writes behind a number.
pub(super) fn person(name: &str) -> &str {
    let name = name.trim();
    SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// A number as the gateway writes it.
pub(super) fn digits(phone: &str) -> String {
    bare_phone(phone).to_owned()
}

/// The address of a file for programs elsewhere.
pub(super) fn absolute(state: &HttpState, path: &str) -> String {
    format!("{}{path}", state.engine.settings.public_url)
}
