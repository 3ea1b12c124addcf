//! Where to write to whoever has a number.

use std::cmp::Reverse;

use frontdesk_model::{AccountId, InboxId};
use frontdesk_store::conversations::ConversationRow;
use frontdesk_store::crm::{opt_outs, settings};
use frontdesk_store::{Tx, conversations};

use super::CrmError;
use super::people::{self, Key};
use crate::inboxes::{Inbox, InboxBook};
use crate::replies::{Recipient, To};
use crate::{Engine, inboxes};

/// Where to write to somebody: their conversation with the newest message, in an inbox that is still here; without one the
/// first inbox that can write to strangers. `session` names the inbox, by its id or as its provider calls it.
///
/// Errors: 422 naming `phone` when they want no messages or nothing reaches them, `session_id` for an unknown inbox.
pub async fn find(
    engine: &Engine,
    account: AccountId,
    key: Key,
    session: Option<String>,
) -> Result<To, CrmError> {
    let book = inboxes::book(engine).await?;
    engine.store.read(move |tx| find_in(tx, &book, account, &key, session.as_deref())).await
}

fn find_in(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    account: AccountId,
    key: &Key,
    session: Option<&str>,
) -> Result<To, CrmError> {
    let (settings, _) = settings::get(tx, account)?;
    let is_meant = |inbox: &Inbox| session.is_none_or(|name| is_called(inbox, name));
    let here = book.all().filter(|inbox| inbox.config.account_id == account && is_meant(inbox));
    let mut here: Vec<_> = here.collect();
    if here.is_empty() && session.is_some() {
        return Err(CrmError::invalid("session_id", "The selected session_id is invalid."));
    }
    let contact = people::find(tx, account, key, &settings)?;
    if let Some(contact) = &contact {
        if opt_outs::is_out(tx, account, contact.id)? {
            return Err(CrmError::invalid("phone", "This person wants no messages."));
        }
        let talks = conversations::of_contact(tx, account, contact.id)?;
        let here = talks.into_iter().filter(|talk| book.find(talk.inbox_id).is_some_and(|i| is_meant(i)));
        if let Some(talk) = here.max_by_key(|talk| (talk.last_message_at, talk.id)) {
            return Ok(To::Conversation(talk.id));
        }
    }
    let phone = match (key, contact) {
        (Key::Phone(text), _) => people::read_phone(text, &settings)?,
        (Key::Contact(_), contact) => contact.and_then(|contact| contact.phone).ok_or_else(unreachable)?,
    };
    here.sort_unstable_by_key(|inbox| (Reverse(inbox.enabled), inbox.config.id));
    let digits = phone.trim_start_matches('+');
    let able = here.into_iter().find(|inbox| inbox.channel.stranger(digits).is_some());
    let inbox = able.ok_or_else(unreachable)?.config.id;
    Ok(To::Recipient(Recipient { inbox, phone, name: None }))
}

/// The conversation that an inbox has with somebody, if there is one.
pub async fn known(
    engine: &Engine,
    account: AccountId,
    key: Key,
    inbox: InboxId,
) -> Result<Option<ConversationRow>, CrmError> {
    engine
        .store
        .read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let Some(contact) = people::find(tx, account, &key, &settings)? else { return Ok(None) };
            let Some(id) = conversations::find_by_contact(tx, account, inbox, contact.id)? else {
                return Ok(None);
            };
            Ok(conversations::find(tx, account, id)?)
        })
        .await
}

fn is_called(inbox: &Inbox, name: &str) -> bool {
    inbox.called() == name || inbox.route_key == name || inbox.config.id.to_string() == name
}

fn unreachable() -> CrmError {
    CrmError::invalid("phone", "No inbox can write to this person first: they have to write.")
}
