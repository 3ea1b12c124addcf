//! Erasing one customer: everything they wrote and everything that tells who they are, wherever it is kept.
//!
//! Noted first, then done in small steps that hold nobody up; an interrupted erasure is gone on with by the retention
//! worker. What stays: the audit trail, with ids alone, and copies made elsewhere (backups, the provider).

use frontdesk_model::{AccountId, ContactId, ConversationId, WebhookLogId};
use frontdesk_store::{StoreError, erasures, events};

use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::conversations::ConversationError;
use crate::turn::Turn;
use crate::{Engine, media};

/// Messages taken away by one transaction.
pub(crate) const SLICE: i64 = 200;
/// Raw bodies read at once: each may have some megabytes.
const BODIES: i64 = 50;
/// Numbers of events looked through by one transaction.
const EVENTS: i64 = 20_000;

/// Erases a contact. Returns when it is done; it is done also when the caller goes away meanwhile.
pub async fn erase(engine: &Engine, actor: Actor, contact: ContactId) -> Result<(), ConversationError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            if !erasures::note(tx, account, contact, now)? {
                return Err(ConversationError::NotFound);
            }
            let deed = Deed { action: "contact.erased", subject_type: "contact", subject_id: contact.0 };
            Ok(audit::record(tx, actor, deed, None, now)?)
        })
        .await?;
    let engine = engine.clone();
    let done = tokio::spawn(async move { carry_out(&engine, account, contact).await });
    Ok(done.await.map_err(|_| StoreError::Panicked)??)
}

/// Goes on with what was interrupted.
pub(crate) async fn resume(engine: &Engine, turn: &mut Turn) -> Result<(), StoreError> {
    loop {
        let open = engine.store.read(|tx| erasures::list(tx, 100)).await?;
        if open.is_empty() {
            return Ok(());
        }
        for (account, contact) in open {
            if !turn.goes_on().await? {
                return Ok(());
            }
            carry_out(engine, account, contact).await?;
        }
    }
}

async fn carry_out(engine: &Engine, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    let store = &engine.store;
    let names = store.read(move |tx| erasures::names(tx, account, contact)).await?;
    let seen = empty_bodies(engine, account, &names, WebhookLogId(0)).await?;
    for conversation in store.read(move |tx| erasures::conversations(tx, account, contact)).await? {
        store.write(move |tx| erasures::stop_sending(tx, account, conversation)).await?;
        forget_event_data(engine, account, conversation).await?;
        while store.write(move |tx| erasures::remove_messages(tx, account, conversation, SLICE)).await? {}
    }
    store.write(move |tx| erasures::finish(tx, account, contact)).await?;
    // What came while this went on.
    empty_bodies(engine, account, &names, seen).await?;
    media::sweep_discarded(engine).await
}

/// Empties every raw body after `after` that holds one of the names; returns the last one looked at. A body that tells
/// of several customers goes as a whole: what it said of the others is stored already.
async fn empty_bodies(
    engine: &Engine,
    account: AccountId,
    names: &[String],
    mut after: WebhookLogId,
) -> Result<WebhookLogId, StoreError> {
    loop {
        let page = engine.store.read(move |tx| erasures::bodies_after(tx, account, after, BODIES)).await?;
        let Some((last, _)) = page.last() else { return Ok(after) };
        after = *last;
        let holds = |body: &Vec<u8>| names.iter().any(|name| erasures::contains(body, name.as_bytes()));
        let hits: Vec<_> = page.into_iter().filter(|(_, body)| holds(body)).collect();
        if !hits.is_empty() {
            engine.store.write(move |tx| erasures::empty_bodies(tx, account, &hits)).await?;
        }
    }
}

async fn forget_event_data(
    engine: &Engine,
    account: AccountId,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    let store = &engine.store;
    store.number_events().await?;
    let (first, last) = store
        .read(move |tx| {
            Ok::<_, StoreError>((events::first_seq(tx, account)?, events::last_seq(tx, account)?))
        })
        .await?;
    let mut after = first - 1;
    while after < last {
        let until = after + EVENTS;
        store.write(move |tx| erasures::forget_event_data(tx, account, conversation, after, until)).await?;
        after = until;
    }
    Ok(())
}
