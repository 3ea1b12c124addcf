//! Conversations from Chatwoot to here: page after page in the order of making, what is new in several asked for ahead, each
//! applied with the place where it ends.

use std::collections::BTreeSet;

use frontdesk_chatwoot_client::{ChatwootClient, ChatwootError, Conversation, ConversationQuery, Page};
use frontdesk_model::Timestamp;
use frontdesk_model::sync::{SyncCause, SyncDirection, SyncEntity};
use frontdesk_store::StoreError;
use frontdesk_store::sync_connections::SyncConnectionRow;
use frontdesk_store::sync_runs;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::apply::{self, Source};
use super::claim::{Claim, Stop};
use super::mirrors::{self, Mirrors, Obstacle};
use super::thread;
use crate::{Engine, inboxes};

/// Conversations asked about ahead.
const AHEAD: usize = 4;
/// What happened shortly before the last run is looked at again: clocks differ, and what is being written is not seen.
const OVERLAP_MS: i64 = 600_000;
/// A run by itself looks no further back: after that all are looked at.
const LONGEST_MS: i64 = 30 * 86_400_000;

/// Where a run goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The page, from 1.
    page: u32,
    /// Conversations on the pages before.
    seen: i64,
    /// Those of this page that are done.
    done: BTreeSet<i64>,
    /// Only what changed since then, all on one page; in milliseconds.
    since_ms: Option<i64>,
}

impl Cursor {
    /// A run that a person asks for looks at all; one by itself at what changed since the last that came to its end.
    async fn begin(engine: &Engine, claim: &Claim) -> Result<Self, StoreError> {
        let all = Self { page: 1, ..Self::default() };
        let (run, now) = (&claim.run, engine.clock.now());
        if run.cause != SyncCause::Schedule {
            return Ok(all);
        }
        let (account, connection) = (run.account_id, run.connection_id);
        let (entity, pull) = (SyncEntity::Conversations, SyncDirection::Pull);
        let last = engine
            .store
            .read(move |tx| sync_runs::last_completed(tx, account, connection, entity, pull))
            .await?;
        let since = last.map(|at| at.plus_ms(-OVERLAP_MS));
        let since = since.filter(|since| now.millis_since(*since) < LONGEST_MS);
        Ok(Self { since_ms: since.map(Timestamp::as_millis), ..all })
    }

    async fn list(
        &self,
        client: &ChatwootClient,
        now: Timestamp,
    ) -> Result<Page<Conversation>, ChatwootError> {
        match self.since_ms {
            Some(since_ms) => {
                let seconds = u64::try_from((now.as_millis() - since_ms).max(0) / 1_000).unwrap_or_default();
                client.conversations_updated_within(seconds + 1).await
            }
            None => {
                let query = ConversationQuery {
                    sort_by: Some("created_at_asc".to_owned()),
                    page: Some(self.page),
                    ..ConversationQuery::default()
                };
                client.list_conversations(&query).await
            }
        }
    }
}

/// Pulls conversations, from where the run stands.
pub(super) async fn pull(
    engine: &Engine,
    claim: &mut Claim,
    client: &ChatwootClient,
    source: &Source,
    row: &SyncConnectionRow,
) -> Result<(), Obstacle> {
    let mirrors = mirrors::ensure(engine, claim, client, row).await?;
    let known: Option<Cursor> = claim.run.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut cursor = match known {
        Some(cursor) if cursor.page > 0 => cursor,
        _ => Cursor::begin(engine, claim).await.map_err(Stop::from)?,
    };
    loop {
        let page = claim.waiting(cursor.list(client, engine.clock.now())).await?.map_err(Stop::from)?;
        let (total, number) = (page.count("all_count"), cursor.page);
        let (here, unreadable) = (page.data.len() + page.unreadable, page.unreadable);
        let passed_over = take_page(engine, claim, client, source, &mirrors, page, &mut cursor).await?;
        cursor.seen += i64::try_from(here).unwrap_or(0);
        let is_last =
            cursor.since_ms.is_some() || here == 0 || total.is_some_and(|total| cursor.seen >= total);
        cursor.page += 1;
        cursor.done.clear();
        let text = serde_json::to_string(&cursor).unwrap_or_default();
        claim
            .step(text, move |_, counts, _| {
                counts.total = total.or(counts.total);
                counts.skipped += passed_over;
                for _ in 0..unreadable {
                    apply::note_error(counts, format!("Page {number}: a conversation cannot be read"));
                }
                Ok(())
            })
            .await?;
        if is_last {
            return Ok(());
        }
    }
}

/// Takes over what a page holds. Says how many of its conversations are in inboxes that are not pulled, bridged ones among them.
async fn take_page(
    engine: &Engine,
    claim: &mut Claim,
    client: &ChatwootClient,
    source: &Source,
    mirrors: &Mirrors,
    page: Page<Conversation>,
    cursor: &mut Cursor,
) -> Result<i64, Stop> {
    let book = inboxes::book(engine).await?;
    let mut wanted = page.data;
    // What happened first is taken over first, whatever the order of the answer.
    wanted.sort_by_key(|found| (found.last_activity_at.map_or(0, |at| at.0), found.id));
    let all = wanted.len();
    wanted.retain(|found| found.inbox_id.is_some_and(|inbox| mirrors.contains_key(&inbox)));
    let passed_over = i64::try_from(all - wanted.len()).unwrap_or(0);
    wanted.retain(|found| !cursor.done.contains(&found.id));
    let fetch = |found: Conversation| thread::fetch(engine, client, source, found, false);
    let mut fetched = std::pin::pin!(stream::iter(wanted).map(fetch).buffered(AHEAD));
    while let Some(next) = claim.waiting(fetched.next()).await? {
        let mut part = next?;
        loop {
            let (found, more, newest) = (part.conversation.clone(), part.more, part.newest());
            let Some(inbox) = found.inbox_id.and_then(|inbox| mirrors.get(&inbox)).copied() else { break };
            if !more {
                cursor.done.insert(found.id);
            }
            let text = serde_json::to_string(&*cursor).unwrap_or_default();
            let (from, book, number) = (source.clone(), book.clone(), found.id);
            claim
                .step(text, move |tx, counts, now| {
                    let became = thread::take_over(tx, &from, &book, inbox, &part, now)?;
                    thread::count(counts, number, became);
                    Ok(())
                })
                .await?;
            if !more {
                break;
            }
            part = claim.waiting(thread::fetch(engine, client, source, found, true)).await??;
            if part.newest() <= newest {
                // It is not taken over, so that there is no rest of it either.
                cursor.done.insert(number);
                break;
            }
        }
    }
    Ok(passed_over)
}
