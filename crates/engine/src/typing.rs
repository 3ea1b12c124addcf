//! A customer began or stopped typing: told to pages and programs at once, kept nowhere.

use frontdesk_model::InboxId;
use frontdesk_store::{StoreError, contacts, conversations};

use crate::webhooks::passing;
use crate::{Engine, inboxes};

/// Tells that whoever has this number began or stopped typing. Somebody unknown here is told to webhooks alone.
pub async fn tell(engine: &Engine, inbox: InboxId, from: &str, is_typing: bool) -> Result<(), StoreError> {
    let Some(account) = inboxes::book(engine).await?.find(inbox).map(|inbox| inbox.config.account_id) else {
        return Ok(());
    };
    let phone = format!("+{}", from.trim_start_matches('+'));
    let found = engine
        .store
        .read(move |tx| {
            let mut known = contacts::other_side::find_many_by_phone(tx, account, [phone.as_str()])?;
            let Some(contact) = known.remove(&phone) else { return Ok(None) };
            let Some(contact) = contacts::find(tx, account, contact)? else { return Ok(None) };
            let talk = conversations::find_by_contact(tx, account, inbox, contact.id)?;
            Ok::<_, StoreError>(talk.map(|talk| (talk, contact.phone)))
        })
        .await?;
    if let Some((conversation, phone)) = found {
        engine.realtime().announce_typing(account, conversation, phone.as_deref(), is_typing);
    }
    passing::tell_typing(engine, inbox, from, is_typing).await
}
