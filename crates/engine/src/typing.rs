//! A customer began or stopped typing: told to pages and programs at once, kept nowhere.

use frontdesk_model::InboxId;
use frontdesk_model::contact::Identity;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_store::{StoreError, contacts, conversations};

use crate::webhooks::passing;
use crate::{Engine, inboxes};

/// Tells of those among the events that are about typing, whichever way they came. That it could not be told is no harm.
pub(crate) async fn tell_all(
    engine: &Engine,
    inbox: InboxId,
    events: impl IntoIterator<Item = &InboundEvent>,
) {
    for event in events {
        let InboundEvent::Typing(news) = event else { continue };
        if let Err(error) = tell(engine, inbox, &news.contact.identities, news.is_typing).await {
            tracing::debug!(inbox.id = inbox.0, %error, "nobody was told that a customer types");
        }
    }
}

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
            let mut known = None;
            for name in &names {
                known = known.or(contacts::owner_now(tx, account, name)?);
            }
            let Some(id) = known else { return Ok(None) };
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
