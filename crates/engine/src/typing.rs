//! A customer began or stopped typing: told to pages and programs at once, kept nowhere.

use frontdesk_model::InboxId;
use frontdesk_model::contact::Identity;
use frontdesk_store::{StoreError, contacts, conversations};

use crate::webhooks::passing;
use crate::{Engine, inboxes};

/// Tells that whoever goes by one of these names, the best first, began or stopped typing. Somebody unknown here is told to
/// webhooks alone.
pub async fn tell(
    engine: &Engine,
    inbox: InboxId,
    names: &[Identity],
    is_typing: bool,
) -> Result<(), StoreError> {
    let Some(from) = names.first().map(|name| name.value.clone()) else { return Ok(()) };
    let Some(account) = inboxes::book(engine).await?.find(inbox).map(|inbox| inbox.config.account_id) else {
        return Ok(());
    };
    let names = names.to_vec();
    let found = engine
        .store
        .read(move |tx| {
            let asked = names.iter().map(|name| (account, name));
            let Some(id) = contacts::find_many_by_identity(tx, asked)?.into_values().next() else {
                return Ok(None);
            };
            let Some(contact) = contacts::find(tx, account, id)? else { return Ok(None) };
            let talk = conversations::find_by_contact(tx, account, inbox, contact.id)?;
            Ok::<_, StoreError>(talk.map(|talk| (talk, contact.phone)))
        })
        .await?;
    if let Some((conversation, phone)) = found {
        engine.realtime().announce_typing(account, conversation, phone.as_deref(), is_typing);
    }
    passing::tell_typing(engine, inbox, &from, is_typing).await
}
