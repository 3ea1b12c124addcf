//! Where the API inbox of a bridge delivers: checked, kept as a job, answered. Chatwoot delivers once or never.

use frontdesk_chatwoot_client::event::{self, Event, EventError};
use frontdesk_chatwoot_client::{WebhookRejection, WebhookSettings, WebhookVerifier};
use frontdesk_store::bridges::{self, BridgeRow};
use frontdesk_store::{StoreError, bridge_links};
use secrecy::SecretString;

use super::jobs::{Job, queue, their_lane};
use super::{answer, mirror, setup};
use crate::caller::Actor;
use crate::chatwoot::webhook::WebhookHeaders;
use crate::monitoring::CHATWOOT;
use crate::monitoring::webhooks::{Body, note_body, note_refused};
use crate::vault::VaultError;
use crate::{Engine, conversations};

/// Where Chatwoot delivers for bridges; the key follows.
pub const PATH: &str = "/api/v1/sync/chatwoot/webhook/";
/// The largest body.
pub const MAX_BYTES: usize = 1_048_576;

/// A webhook that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryRefused {
    /// No bridge has this key.
    #[error("there is no such address")]
    NotFound,
    /// It is not genuine, not fresh, or too large.
    #[error(transparent)]
    Rejected(#[from] WebhookRejection),
    /// It says nothing that can be read.
    #[error(transparent)]
    Unreadable(#[from] EventError),
    /// The secret does not open.
    #[error("the secret of the bridge cannot be used")]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the webhook could not be kept")]
    Store(#[from] StoreError),
}

/// Takes one webhook; false when it told nothing new.
///
/// Errors: [`DeliveryRefused`].
pub async fn receive(
    engine: &Engine,
    key: &str,
    headers: WebhookHeaders<'_>,
    body: &[u8],
) -> Result<bool, DeliveryRefused> {
    let wanted = key.to_owned();
    let bridge = engine.store.read(move |tx| bridges::find_by_webhook_key(tx, &wanted)).await?;
    let bridge = bridge.ok_or(DeliveryRefused::NotFound)?;
    check(engine, &bridge, headers, body).inspect_err(|rejection| {
        metrics::counter!("frontdesk_webhooks_refused_total", "door" => PATH).increment(1);
        tracing::warn!(door = PATH, bridge.id = bridge.id.0, reason = %rejection, "a webhook was refused");
        note_refused(engine, Some((bridge.account_id, CHATWOOT)));
    })?;
    let event = event::parse(body)?;
    let is_new = match job_of(&bridge, &event.event) {
        Some((lane, key, job)) => keep(engine, &bridge, lane, key, job).await?,
        None => {
            show_typing(engine, &bridge, &event.event).await;
            false
        }
    };
    let state = if is_new { "applied" } else { "ignored" };
    metrics::counter!("frontdesk_webhooks_total", "door" => PATH, "state" => state).increment(1);
    note_body(engine, bridge.account_id, CHATWOOT, &Body::Told("bridge"));
    Ok(is_new)
}

/// An inbox of Chatwoot before 4.13 signs nothing: then its address alone speaks for it, and nothing it says is believed.
fn check(
    engine: &Engine,
    bridge: &BridgeRow,
    headers: WebhookHeaders<'_>,
    body: &[u8],
) -> Result<(), DeliveryRefused> {
    let Some(sealed) = &bridge.secret else { return Ok(()) };
    let secret = setup::open_secret(&engine.vault, bridge.account_id, sealed)?;
    let secrets = vec![SecretString::from(String::from_utf8_lossy(&secret).into_owned())];
    let verifier = WebhookVerifier::new(WebhookSettings { secrets, ..WebhookSettings::default() });
    let WebhookHeaders { signature, timestamp, delivery } = headers;
    verifier.verify(body, signature, timestamp, delivery, engine.clock.now().as_secs())?;
    Ok(())
}

/// What is to be done about an event: in which lane, under which key.
fn job_of(bridge: &BridgeRow, event: &Event) -> Option<(String, String, Job)> {
    let is_ours = |inbox: Option<i64>| inbox.is_none_or(|inbox| Some(inbox) == bridge.remote_inbox_id);
    match event {
        Event::MessageCreated(told) | Event::MessageUpdated(told) => {
            let message = &told.message;
            let conversation = message.conversation_id?;
            let inbox = told.conversation.as_ref().and_then(|found| found.inbox_id).or(message.inbox_id);
            let lane = their_lane(conversation);
            if message.is_deleted() {
                let job = Job::Deleted { message: message.id };
                return is_ours(inbox).then(|| (lane, format!("d{}", message.id), job));
            }
            if !is_ours(inbox) || !answer::is_answer(message) {
                return None;
            }
            if matches!(event, Event::MessageUpdated(_)) {
                let job = Job::Retried { conversation, message: message.id };
                return Some((lane, format!("y{}", message.id), job));
            }
            let written = bridge.secret.is_some().then(|| serde_json::to_value(message).ok()).flatten();
            let job = Job::Answer { conversation, message: message.id, written };
            Some((lane, answer_key(message.id), job))
        }
        Event::ConversationStatusChanged(found) if is_ours(found.inbox_id) => {
            let told_at = found.updated_at.map_or(0, |at| at.0);
            let key = format!("s{}-{told_at}", found.id);
            Some((their_lane(found.id), key, Job::Moved { conversation: found.id }))
        }
        _ => None,
    }
}

/// The key of the job that sends what was written there: the same whether it was delivered or fetched.
pub(super) fn answer_key(message: i64) -> String {
    format!("m{message}")
}

async fn keep(
    engine: &Engine,
    bridge: &BridgeRow,
    lane: String,
    key: String,
    job: Job,
) -> Result<bool, StoreError> {
    let (account, id, now) = (bridge.account_id, bridge.id, engine.clock.now());
    let is_new = engine
        .store
        .write(move |tx| {
            // What is linked was done, however often it is told.
            if let Job::Answer { message, .. } = &job
                && !bridge_links::find_by_remote(tx, account, id, *message)?.is_empty()
            {
                return Ok(false);
            }
            // Chatwoot tells of every tick that we have set there.
            if let Job::Retried { message, .. } = &job {
                let links = bridge_links::find_by_remote(tx, account, id, *message)?;
                if !links.is_empty() && !links.iter().any(mirror::is_told_failed) {
                    return Ok(false);
                }
            }
            queue(tx, (account, id), &lane, &key, &job, now)
        })
        .await?;
    engine.bridges().work.notify_one();
    Ok(is_new)
}

/// Shows the customer that somebody there types. A courtesy: nothing is kept of it.
async fn show_typing(engine: &Engine, bridge: &BridgeRow, event: &Event) {
    let Event::TypingOn(typing) = event else { return };
    let is_agent = typing.user.as_ref().is_some_and(|user| !user.is_contact());
    if typing.is_private || !is_agent {
        return;
    }
    let (account, id, remote) = (bridge.account_id, bridge.id, typing.conversation.id);
    let found = engine.store.read(move |tx| bridge_links::find_thread(tx, account, id, remote)).await;
    if let Ok(Some(thread)) = found
        && let Err(error) =
            conversations::show_typing(engine, Actor::server(account), thread.conversation_id).await
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "typing was not shown");
    }
}
