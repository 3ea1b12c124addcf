//! Brings files from the providers, some at once, with retries.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_channels::contract::MediaError;
use frontdesk_store::attachments::{self, AttachmentRow, AttachmentState, Fetched};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::{StoreError, Topic, messages};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::sniff::sniff;
use crate::{Engine, inboxes, workers};

/// Looks again at least this often.
const MAX_SLEEP: Duration = Duration::from_secs(2);
/// A fetch may take this long before another node may try.
const LEASE_MS: i64 = 300_000;
/// A fetch that takes longer gives its place to others: an inbox whose provider hangs keeps no file of another waiting.
const SLOW: Duration = Duration::from_secs(5);
/// Waits between tries: soon at first, then hourly; providers keep files for days.
const LADDER_MS: [i64; 6] = [2_000, 10_000, 60_000, 300_000, 1_800_000, 3_600_000];
/// After this many tries (about a day) the file is given up.
const MAX_TRIES: i64 = 30;

/// Takes the files a former self was fetching, without waiting for its leases. Only where one process has the database
/// to itself, which is so on SQLite.
pub(crate) async fn take_over(engine: &Engine) -> Result<(), StoreError> {
    if engine.store.is_postgres() {
        return Ok(());
    }
    engine.store.write(attachments::release_all).await
}

/// Works until shutdown, then finishes what it holds.
pub(crate) async fn run(engine: Engine) {
    let limit = engine.settings.media.concurrency.max(1);
    let places = Arc::new(Semaphore::new(limit));
    let fetches = TaskTracker::new();
    let mut bell = engine.store.signals().listen(Topic::Media);
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        let place = tokio::select! {
            () = engine.shutdown.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let Ok(place) = place else { return };
        match claim(&engine).await {
            Ok(Some((token, file))) => {
                let engine = engine.clone();
                fetches.spawn(async move {
                    let fetch = carry_out(&engine, &file, &token);
                    tokio::pin!(fetch);
                    if tokio::time::timeout(SLOW, &mut fetch).await.is_err() {
                        drop(place);
                        fetch.await;
                    }
                });
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the files to fetch could not be read"
                );
            }
        }
        drop(place);
        tokio::select! {
            () = engine.shutdown.cancelled() => {}
            () = workers::rung(&mut bell) => {}
            () = tokio::time::sleep(MAX_SLEEP) => {}
        }
    }
    fetches.close();
    fetches.wait().await;
}

async fn carry_out(engine: &Engine, file: &AttachmentRow, token: &str) {
    if let Err(error) = fetch(engine, file, token).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(attachment.id = file.id.0, error, "the outcome of a fetch could not be written");
    }
}

async fn claim(engine: &Engine) -> Result<Option<(String, AttachmentRow)>, StoreError> {
    let now = engine.clock.now();
    let due = engine.store.read(attachments::next_due).await?;
    if due.is_none_or(|at| at > now) {
        return Ok(None);
    }
    let token = format!("{}:{:016x}", engine.node_id, rand::random::<u64>());
    let claimed = token.clone();
    let rows =
        engine.store.write(move |tx| attachments::claim(tx, now, now.plus_ms(LEASE_MS), &claimed, 1)).await?;
    Ok(rows.into_iter().next().map(|row| (token, row)))
}

async fn fetch(engine: &Engine, file: &AttachmentRow, token: &str) -> Result<(), StoreError> {
    match bring(engine, file, token).await {
        Ok(()) => Ok(()),
        Err(Problem::Store(error)) => Err(error),
        Err(Problem::Final(state, reason)) => {
            tracing::warn!(attachment.id = file.id.0, reason, "a file cannot be had");
            finish(engine, file, token, Ending::GaveUp(state, reason)).await
        }
        Err(Problem::Later(reason)) if file.attempts < MAX_TRIES => {
            let rung = usize::try_from(file.attempts - 1).unwrap_or(0).min(LADDER_MS.len() - 1);
            let (file, token, due) =
                (file.clone(), token.to_owned(), engine.clock.now().plus_ms(LADDER_MS[rung]));
            let retry = move |tx: &mut frontdesk_store::Tx<'_>| {
                attachments::retry_at(tx, file.account_id, file.id, &token, due, &reason)
            };
            engine.store.write(retry).await
        }
        Err(Problem::Later(reason)) => {
            finish(engine, file, token, Ending::GaveUp(AttachmentState::Failed, reason)).await
        }
    }
}

/// Why a file is not here.
enum Problem {
    /// It never will be.
    Final(AttachmentState, String),
    /// Perhaps later.
    Later(String),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn bring(engine: &Engine, file: &AttachmentRow, token: &str) -> Result<(), Problem> {
    let gone = |reason: &str| Problem::Final(AttachmentState::Failed, reason.to_owned());
    let source = file.source.as_ref().ok_or_else(|| gone("The provider did not say where the file is."))?;
    let inbox_id = file.inbox_id.ok_or_else(|| gone("The file belongs to no inbox."))?;
    let book = inboxes::book(engine).await?;
    let inbox = book.find(inbox_id).ok_or_else(|| gone("The inbox of this file was removed."))?;
    let line = engine.connections().line(engine, inbox);
    let connection = line.connection.as_ref().map_err(|reason| Problem::Later(reason.clone()))?;
    let kept = |error: super::MediaStoreError| Problem::Later(format!("The file could not be kept: {error}"));
    let scratch = engine.media().scratch().await.map_err(kept)?;
    let max_bytes = engine.settings.media.max_bytes;
    let fetched =
        connection.fetch_media(source, &scratch.path, max_bytes).await.map_err(|error| match error {
            MediaError::TooLarge { .. } => Problem::Final(AttachmentState::TooLarge, error.to_string()),
            MediaError::Gone(reason) => Problem::Final(AttachmentState::Failed, reason),
            MediaError::Unavailable(reason) => Problem::Later(reason),
        })?;
    let claimed = fetched.mime_type.as_deref().or(source.mime_type.as_deref());
    let (mime_type, kind) = sniff(&scratch.path, claimed, Some(file.kind))
        .await
        .map_err(|error| Problem::Later(format!("The file could not be read back: {error}")))?;
    let key = engine.media().keep(file.account_id, scratch, &fetched.sha256).await.map_err(kept)?;
    let size_bytes = i64::try_from(fetched.size_bytes).unwrap_or(i64::MAX);
    let ending = Ending::Here { key, size_bytes, sha256: fetched.sha256, mime_type, kind };
    Ok(finish(engine, file, token, ending).await?)
}

enum Ending {
    Here {
        key: String,
        size_bytes: i64,
        sha256: String,
        mime_type: String,
        kind: frontdesk_model::content::MediaKind,
    },
    GaveUp(AttachmentState, String),
}

async fn finish(
    engine: &Engine,
    file: &AttachmentRow,
    token: &str,
    ending: Ending,
) -> Result<(), StoreError> {
    let (file, token) = (file.clone(), token.to_owned());
    engine
        .store
        .write(move |tx| {
            let account = file.account_id;
            let changed = match &ending {
                Ending::Here { key, size_bytes, sha256, mime_type, kind } => {
                    let fetched =
                        Fetched { storage_key: key, size_bytes: *size_bytes, sha256, mime_type, kind: *kind };
                    attachments::finish(tx, account, file.id, &token, &fetched)?
                }
                Ending::GaveUp(state, reason) => {
                    attachments::give_up(tx, account, file.id, &token, *state, reason)?
                }
            };
            let message = match file.message_id {
                Some(id) if changed => messages::find(tx, account, id)?,
                _ => None,
            };
            if let Some(message) = message {
                tx.emit(NewEvent {
                    account_id: account,
                    kind: EventKind::MessageUpdated,
                    conversation_id: Some(message.conversation_id),
                    message_id: Some(message.id),
                    data: None,
                });
            }
            Ok(())
        })
        .await
}
