//! Signing an inbox in with its phone, and asking who is on its network: what people ask of a provider at the moment.

use std::sync::Arc;

use frontdesk_channels::contract::{Connection, LinkStep, SendError};
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::{AccountId, InboxId};
use frontdesk_store::StoreError;

use super::{InboxError, book, check, get, record};
use crate::Engine;
use crate::caller::Actor;
use crate::connections::Line;

/// A question or wish that a provider did not fulfil.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The inbox cannot be used.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// Its channel has no such thing.
    #[error("the channel of this inbox cannot do that")]
    NotPossible,
    /// The provider refused or did not answer.
    #[error("the provider did not do it")]
    Provider(#[from] SendError),
}

impl From<StoreError> for LinkError {
    fn from(error: StoreError) -> Self {
        Self::Inbox(error.into())
    }
}

/// What has to be done to link a phone. An inbox whose phone was linked meanwhile is checked, so that everyone hears.
pub async fn link_step(engine: &Engine, account: AccountId, id: InboxId) -> Result<LinkStep, LinkError> {
    let connection = open(engine, account, id).await?;
    let step = connection.linking().ok_or(LinkError::NotPossible)?.step().await?;
    if step == LinkStep::Linked && get(engine, account, id).await?.state.code != ConnectionCode::Connected {
        check(engine, account, id).await?;
    }
    Ok(step)
}

/// Signs the phone out.
pub async fn sign_out(engine: &Engine, actor: Actor, id: InboxId) -> Result<(), LinkError> {
    let connection = open(engine, actor.account_id, id).await?;
    connection.linking().ok_or(LinkError::NotPossible)?.sign_out().await?;
    note(engine, actor, "inbox.signed_out", id).await
}

/// Starts the provider's side anew.
pub async fn restart(engine: &Engine, actor: Actor, id: InboxId) -> Result<(), LinkError> {
    let connection = open(engine, actor.account_id, id).await?;
    connection.linking().ok_or(LinkError::NotPossible)?.restart().await?;
    note(engine, actor, "inbox.restarted", id).await
}

/// Whether a number can be written to on the network of this inbox.
pub async fn is_reachable(
    engine: &Engine,
    account: AccountId,
    id: InboxId,
    phone: &str,
) -> Result<bool, LinkError> {
    let connection = open(engine, account, id).await?;
    let directory = connection.directory().ok_or(LinkError::NotPossible)?;
    Ok(directory.is_reachable(phone).await?)
}

async fn open(engine: &Engine, account: AccountId, id: InboxId) -> Result<Arc<dyn Connection>, LinkError> {
    line(engine, account, id).await?.connection.clone().map_err(|_reason| LinkError::NotPossible)
}

pub(super) async fn line(engine: &Engine, account: AccountId, id: InboxId) -> Result<Arc<Line>, LinkError> {
    get(engine, account, id).await?;
    let book = book(engine).await?;
    let inbox = book.find(id).filter(|inbox| inbox.enabled).ok_or(LinkError::NotPossible)?;
    Ok(engine.connections().line(engine, inbox))
}

async fn note(engine: &Engine, actor: Actor, action: &'static str, id: InboxId) -> Result<(), LinkError> {
    let now = engine.clock.now();
    engine.store.write(move |tx| record(tx, actor, action, id, None, now)).await?;
    check(engine, actor.account_id, id).await?;
    Ok(())
}
