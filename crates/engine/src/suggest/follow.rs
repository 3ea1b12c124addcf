//! From the event log to pairs. An account's place in the log moves in the transaction that changes its pairs: each event
//! is looked at once, whatever dies when, and on however many nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use frontdesk_model::{AccountId, ContactId, ConversationId, Timestamp};
use frontdesk_store::events::{self, EventKind};
use frontdesk_store::suggest_pairs::{self, Learned, News};
use frontdesk_store::{StoreError, Topic, Tx, conversations, crm};

use super::pairing::{self, ANSWER_MS};
use crate::Engine;
use crate::crm::quick_replies::MAX_TEXTS;

/// Events looked at together.
const SLICE: i64 = 500;
/// Events that teach nothing are passed over by one transaction up to so many.
const FAR: i64 = 10_000;
/// Conversations read anew by one transaction.
const WALKED: i64 = 20;
/// Lines of a conversation that are looked at around what happened, and when it is read anew.
const LINES: i64 = 2_000;
/// Accounts looked at before the next look.
const ACCOUNTS: i64 = 100;
/// Pairs without a message taken away by one transaction.
const HOMELESS: i64 = 1_000;
/// Looks again at least this often, should a bell be lost.
const MAX_SLEEP: Duration = Duration::from_secs(2);
/// Rests between two looks: nobody waits for what is learned.
const REST: Duration = Duration::from_millis(250);
/// A turn of ours is no longer than this: what is written now may belong to one that began before.
const TURN_MS: i64 = 60 * 60_000;

/// Follows the log until the engine stops.
pub(crate) async fn run(engine: Engine) {
    let mut bell = engine.store.signals().listen(Topic::Events);
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        if let Err(error) = catch_up(&engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "nothing could be learned for suggestions"
            );
        }
        super::put_away_idle(&engine);
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            () = tokio::time::sleep(REST) => {}
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            _ = bell.changed() => {}
            () = tokio::time::sleep(MAX_SLEEP) => {}
        }
    }
}

/// Learns what there is to learn now.
pub async fn catch_up(engine: &Engine) -> Result<(), StoreError> {
    engine.store.number_events().await?;
    for account in engine.store.read(|tx| suggest_pairs::behind(tx, ACCOUNTS)).await? {
        catch_up_with(engine, account).await?;
    }
    Ok(())
}

/// Learns what there is to learn from one account. What is to be done is found out by reading: who writes has no time for
/// that, and most events teach nothing.
pub(super) async fn catch_up_with(engine: &Engine, account: AccountId) -> Result<(), StoreError> {
    while !engine.shutdown.is_cancelled() {
        let Some(piece) = engine.store.read(move |tx| next_piece(tx, account)).await? else { return Ok(()) };
        let now = engine.clock.now();
        if !engine.store.write(move |tx| carry_out(tx, account, &piece, now)).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// A piece of work.
enum Piece {
    Begin,
    /// Some of the log was forgotten unread.
    BeginAnew,
    /// What happened after one event up to another.
    Follow {
        after: i64,
        until: i64,
        news: Vec<News>,
    },
    /// Conversations after this one are to be read anew.
    Walk(ConversationId),
}

fn next_piece(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Piece>, StoreError> {
    let Some(progress) = suggest_pairs::progress(tx, account)? else { return Ok(Some(Piece::Begin)) };
    let (after, head) = (progress.event_cursor, events::last_seq(tx, account)?);
    if after >= head {
        return Ok(progress.walked_until.map(Piece::Walk));
    }
    // What was forgotten unread is made up for by reading everything.
    if progress.walked_until.is_none() && events::first_seq(tx, account)? > after + 1 {
        return Ok(Some(Piece::BeginAnew));
    }
    let (mut until, mut news) = (after, Vec::new());
    while news.is_empty() && until < head.min(after + FAR) {
        let from = until;
        until = head.min(from + SLICE);
        news = suggest_pairs::news(tx, account, from, until)?;
    }
    Ok(Some(Piece::Follow { after, until, news }))
}

/// Does a piece of work; false when another node is at it.
fn carry_out(tx: &mut Tx<'_>, account: AccountId, piece: &Piece, now: Timestamp) -> Result<bool, StoreError> {
    match piece {
        Piece::Begin => suggest_pairs::begin(tx, account).map(|()| true),
        Piece::BeginAnew => suggest_pairs::begin_anew(tx, account).map(|()| true),
        Piece::Follow { after, until, news } => {
            let is_ours = suggest_pairs::move_cursor(tx, account, *after, *until)?;
            if is_ours {
                learn_from(tx, account, news, now)?;
            }
            Ok(is_ours)
        }
        Piece::Walk(from) => walk(tx, account, *from, now),
    }
}

fn learn_from(tx: &mut Tx<'_>, account: AccountId, news: &[News], now: Timestamp) -> Result<(), StoreError> {
    let mut changes = Changes::new(account, now);
    let mut touched: BTreeMap<ConversationId, Vec<Timestamp>> = BTreeMap::new();
    let mut contacts: BTreeSet<ContactId> = BTreeSet::new();
    for news in news {
        sort_news(tx, account, news, &mut touched, &mut contacts, &mut changes)?;
    }
    for (conversation, mut times) in touched {
        times.sort_unstable();
        // Moments far from each other are looked at apart.
        for span in times.chunk_by(|a, b| b.millis_since(*a) <= ANSWER_MS) {
            let (Some(first), Some(last)) = (span.first(), span.last()) else { continue };
            changes.learn(tx, conversation, *first, *last)?;
        }
    }
    changes.write(tx)?;
    for contact in contacts {
        suggest_pairs::touch_of_contact(tx, account, contact)?;
    }
    Ok(())
}

fn sort_news(
    tx: &mut Tx<'_>,
    account: AccountId,
    news: &News,
    touched: &mut BTreeMap<ConversationId, Vec<Timestamp>>,
    contacts: &mut BTreeSet<ContactId>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let number = || news.data.as_deref().and_then(|data| data.trim_matches('"').parse::<i64>().ok());
    match news.kind {
        EventKind::ContactUpdated => contacts.extend(number().map(ContactId)),
        EventKind::ConversationMerged => {
            if let Some(stays) = number().map(ConversationId) {
                contacts.extend(conversations::find(tx, account, stays)?.map(|row| row.contact_id));
            }
        }
        _ => match (news.now_in, news.message) {
            (Some((conversation, at)), _) => touched.entry(conversation).or_default().push(at),
            (None, Some(message)) => changes.gone.push(message.0),
            (None, None) => {}
        },
    }
    Ok(())
}

/// Reads the next conversations anew; the texts to answer with before the first.
fn walk(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ConversationId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = suggest_pairs::conversations(tx, account, from, WALKED)?;
    if !suggest_pairs::move_walk(tx, account, from, found.last().copied())? {
        return Ok(false);
    }
    let mut changes = Changes::new(account, now);
    if from.0 == 0 {
        for row in crm::quick_replies::list(tx, account, MAX_TEXTS)? {
            changes.saved.push(suggest_pairs::of_quick_reply(&row));
        }
    }
    for conversation in &found {
        changes.learn(
            tx,
            *conversation,
            Timestamp::from_millis(i64::MIN / 2),
            Timestamp::from_millis(i64::MAX / 2),
        )?;
    }
    if found.is_empty() {
        changes.gone = suggest_pairs::homeless(tx, account, HOMELESS)?;
    }
    changes.write(tx)?;
    Ok(true)
}

/// What becomes of the pairs of an account.
struct Changes {
    account: AccountId,
    now: Timestamp,
    saved: Vec<Learned>,
    gone: Vec<i64>,
}

impl Changes {
    fn new(account: AccountId, now: Timestamp) -> Self {
        Self { account, now, saved: Vec::new(), gone: Vec::new() }
    }

    /// Compares what a conversation teaches with what was learned from it, for the answers that what happened from `first`
    /// to `last` may concern.
    fn learn(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<(), StoreError> {
        let place = (self.account, conversation);
        let from = first.plus_ms(-TURN_MS);
        let until = last.plus_ms(ANSWER_MS);
        let lines = suggest_pairs::thread(tx, place, (from.plus_ms(-ANSWER_MS - TURN_MS), until), LINES)?;
        // Of a longer conversation the oldest lines were left out: what they taught stays.
        let is_cut = i64::try_from(lines.len()).unwrap_or(i64::MAX) >= LINES;
        let from = match lines.first() {
            Some(oldest) if is_cut => from.max(oldest.sent_at.plus_ms(TURN_MS)),
            _ => from,
        };
        let known = suggest_pairs::learned(tx, place, (from, until), LINES)?;
        let mut known: HashMap<i64, Learned> = known.into_iter().map(|pair| (pair.id, pair)).collect();
        for pair in pairing::pairs(&lines).into_iter().filter(|pair| pair.said_at >= from) {
            if known.remove(&pair.id).as_ref() != Some(&pair) {
                self.saved.push(pair);
            }
        }
        self.gone.extend(known.into_keys());
        Ok(())
    }

    fn write(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.saved.is_empty() && self.gone.is_empty() {
            return Ok(());
        }
        let version = suggest_pairs::next_version(tx, self.account)?;
        suggest_pairs::remove(tx, self.account, &self.gone, version, self.now)?;
        for pair in &self.saved {
            suggest_pairs::save(tx, self.account, pair, version)?;
        }
        Ok(())
    }
}
