//! What Chatwoot tells of conversations. It tells once or never, in any order, and of one message several times; so each time it
//! is a reason to ask how the conversation is now, and a run applies the answer in the same way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use frontdesk_chatwoot_client::{ErrorCode, Event, WebhookEvent};
use frontdesk_model::SyncConnectionId;
use frontdesk_model::sync::SyncEntity;
use frontdesk_store::external_entity_maps::{self as maps, EntityMap};
use frontdesk_store::sync_connections::{self, SyncConnectionRow};
use frontdesk_store::{StoreError, Tx};

use super::apply::Source;
use super::claim::Stop;
use super::{clients, mirrors, thread};
use crate::{Engine, inboxes};

/// A conversation there.
type Thread = (SyncConnectionId, i64);

/// Conversations that are asked about; whether something was told of one since that began.
#[derive(Default)]
pub(super) struct Looks(Mutex<HashMap<Thread, bool>>);

impl Looks {
    /// True for whoever is to ask; who does already asks once more.
    fn begin(&self, thread: Thread) -> bool {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match looks.get_mut(&thread) {
            Some(again) => {
                *again = true;
                false
            }
            None => {
                looks.insert(thread, false);
                true
            }
        }
    }

    /// True when something was told meanwhile: then it is to be asked once more.
    fn goes_on(&self, thread: Thread) -> bool {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let again = looks.get_mut(&thread).is_some_and(std::mem::take);
        if !again {
            looks.remove(&thread);
        }
        again
    }
}

/// Has a conversation looked at of which something was told, when its inbox is shown here.
pub(super) async fn take(
    engine: &Engine,
    row: &SyncConnectionRow,
    event: &WebhookEvent,
) -> Result<(), StoreError> {
    let inbox = match &event.event {
        Event::MessageCreated(told) | Event::MessageUpdated(told) => {
            told.conversation.as_ref().and_then(|found| found.inbox_id).or(told.message.inbox_id)
        }
        Event::ConversationCreated(found)
        | Event::ConversationUpdated(found)
        | Event::ConversationStatusChanged(found) => found.inbox_id,
        // That somebody types is over before it could be shown.
        _ => return Ok(()),
    };
    let Some(number) = event.conversation_id() else { return Ok(()) };
    let Some(source) = super::webhook::source_of(row, SyncEntity::Conversations) else { return Ok(()) };
    if let Some(inbox) = inbox
        && mirrors::known(engine, row, inbox).await?.is_none()
    {
        return Ok(());
    }
    let thread = (row.id, number);
    if engine.sync_questions().threads.begin(thread) {
        let (engine, row) = (engine.clone(), row.clone());
        tokio::spawn(async move {
            loop {
                look_noted(&engine, &row, &source, number).await;
                if !engine.sync_questions().threads.goes_on(thread) {
                    return;
                }
            }
        });
    }
    Ok(())
}

/// Looks in the background: Chatwoot waits five seconds for the answer to its webhook.
async fn look_noted(engine: &Engine, row: &SyncConnectionRow, source: &Source, number: i64) {
    let Some(_place) = engine.sync_questions().place() else {
        tracing::warn!(
            sync.connection = row.id.0,
            "too much happened at once: the next pull learns of the rest"
        );
        return;
    };
    match look(engine, row, source, number).await {
        Ok(()) | Err(Stop::Lost | Stop::Cancelled | Stop::Shutdown) => {}
        Err(error @ Stop::Remote(_)) => tracing::info!(
            sync.connection = row.id.0,
            error = &error as &dyn std::error::Error,
            "a conversation could not be asked about; the next pull does"
        ),
        Err(error @ Stop::Store(_)) => tracing::warn!(
            sync.connection = row.id.0,
            error = &error as &dyn std::error::Error,
            "what happened in a conversation could not be stored; the next pull looks at it again"
        ),
    }
}

async fn look(engine: &Engine, row: &SyncConnectionRow, source: &Source, number: i64) -> Result<(), Stop> {
    let Ok(client) = clients::for_row(engine, row) else { return Ok(()) };
    let found = match client.get_conversation(number).await {
        Err(error) if error.code() == ErrorCode::NotFound => {
            return Ok(note_gone(engine, source, number).await?);
        }
        found => found?,
    };
    let Some(remote) = found.inbox_id else { return Ok(()) };
    let Some(inbox) = mirrors::known(engine, row, remote).await? else { return Ok(()) };
    let book = inboxes::book(engine).await?;
    let mut newest = 0;
    loop {
        let fetched = thread::fetch(engine, &client, source, found.clone(), true).await?;
        let more = fetched.more && fetched.newest() > newest;
        newest = fetched.newest();
        let (source, book, now) = (source.clone(), book.clone(), engine.clock.now());
        let became = engine
            .store
            .write(move |tx| -> Result<_, StoreError> {
                sync_connections::lock(tx, source.shelf.account, source.connection)?;
                thread::take_over(tx, &source, &book, inbox, &fetched, now)
            })
            .await?;
        if let thread::Became::Refused(why) = became {
            tracing::info!(sync.connection = row.id.0, why, "a conversation was not taken over");
            return Ok(());
        }
        if !more {
            return Ok(());
        }
    }
}

/// What was deleted there stays here.
async fn note_gone(engine: &Engine, source: &Source, number: i64) -> Result<(), StoreError> {
    let (source, now) = (source.clone(), engine.clock.now());
    let gone = move |tx: &mut Tx<'_>| {
        sync_connections::lock(tx, source.shelf.account, source.connection)?;
        let known = maps::find_many(tx, &source.shelf, &[source.external_id(number)])?;
        let gone: Vec<EntityMap> =
            known.into_iter().map(|map| EntityMap { deleted_at: Some(now), ..map }).collect();
        maps::save_many(tx, &gone, now)
    };
    engine.store.write(gone).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_news_at_once_the_last_is_never_missed() {
        let looks = Looks::default();
        let thread = (SyncConnectionId(1), 7);
        assert!(looks.begin(thread));
        assert!(!looks.begin(thread) && !looks.begin(thread), "somebody asks already");
        assert!(looks.begin((SyncConnectionId(1), 8)), "another one");
        assert!(looks.goes_on(thread), "once more, for both");
        assert!(!looks.goes_on(thread));
        assert!(looks.begin(thread), "and from the beginning");
    }
}
