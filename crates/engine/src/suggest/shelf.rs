//! The indexes in memory: one for each account that asks, as many as fit, the one that was asked longest ago goes first.
//!
//! Before each question an index takes up the changes committed since the last: they have rising numbers, so every node
//! follows by itself and none has to be told. That of an account that has not asked for long is made anew beside the questions: whoever
//! asks waits for it a moment, and is then answered from what has been read, the newest replies first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::StoreError;
use frontdesk_store::suggest_pairs::{self, PairRow, Progress};
use frontdesk_suggest::{Index, Pair};
use tokio::runtime::Handle;
use tokio::sync::{RwLock, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::Engine;

/// Pairs read at once: some milliseconds of work, for which questions wait.
const PAGE: i64 = 250;
/// Changes that are looked through before a question is answered from an index that has not caught up with them.
const CHANGED: i64 = 2_000;
const MINUTE_MS: i64 = 60_000;

/// The indexes of this node.
pub(crate) struct Shelf {
    books: Mutex<HashMap<AccountId, Arc<Book>>>,
    asked: AtomicI64,
    /// One index learns at a time, a page each in turn: many accounts that begin to ask at once leave the others a processor.
    learning: Semaphore,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { books: Mutex::default(), asked: AtomicI64::default(), learning: Semaphore::new(1) }
    }
}

/// What one account has learned.
#[derive(Default)]
struct Book {
    read: Arc<RwLock<Option<Read>>>,
    /// Held by the one that brings it up to date.
    renewing: Arc<tokio::sync::Mutex<()>>,
    pairs: AtomicUsize,
    last_asked: AtomicI64,
    last_asked_at: AtomicI64,
}

/// An index and how far it follows.
struct Read {
    index: Index,
    version: i64,
    /// While older pairs are still to be read: those before this.
    unread: Option<(Timestamp, i64)>,
}

/// Asks the index of an account. Where it is not up to date it is brought there first, for as long as anybody may wait.
pub(super) async fn ask<T, F>(engine: &Engine, account: AccountId, question: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&Index) -> T + Send + 'static,
{
    let until = Instant::now() + Duration::from_millis(engine.settings.suggestions.wait_ms);
    let book = engine.shelf().book(account, engine.clock.now());
    let progress = engine.store.read(move |tx| suggest_pairs::progress(tx, account)).await?;
    if let Some(progress) = progress
        && !book.is_at(progress.version).await
        && let Ok(turn) = timeout_at(until, Arc::clone(&book.renewing).lock_owned()).await
        && !book.is_at(progress.version).await
    {
        // It goes on when nobody waits for it any more.
        let (engine, book) = (engine.clone(), Arc::clone(&book));
        let runtime = Handle::current();
        // All of it on one thread, which is none that serves others: what an allocator keeps, it keeps for each thread apart.
        let renewing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let renewed = runtime.block_on(renew(&engine, account, &book, progress));
            if let Err(error) = &renewed {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "an index of suggestions could not be read"
                );
            }
            renewed
        });
        if let Ok(renewed) = timeout_at(until, renewing).await {
            renewed.map_err(|_| StoreError::Panicked)??;
        }
    }
    let guard = Arc::clone(&book.read).read_owned().await;
    let may_answer = match (guard.as_ref(), progress) {
        (Some(read), Some(progress)) => read.holds_nothing_changed(engine, account, progress).await?,
        _ => false,
    };
    // Milliseconds of work: not on a thread that serves others.
    let answering = tokio::task::spawn_blocking(move || {
        let empty = Index::new();
        question(guard.as_ref().filter(|_| may_answer).map_or(&empty, |read| &read.index))
    });
    answering.await.map_err(|_| StoreError::Panicked)
}

/// Brings an index to where the account's pairs were at `progress`, or further.
async fn renew(
    engine: &Engine,
    account: AccountId,
    book: &Arc<Book>,
    progress: Progress,
) -> Result<(), StoreError> {
    let most = engine.settings.suggestions.pairs_in_memory;
    book.begin(progress, most).await;
    while let Some(before) = book.unread().await {
        if !engine.goes_on_reading(account, book) {
            return Ok(());
        }
        let rows = engine.store.read(move |tx| suggest_pairs::page(tx, account, before, PAGE)).await?;
        let next = rows.last().map(|last| (last.learned.said_at, last.learned.id));
        book.take_up(engine, account, rows, |read| {
            read.unread = next.filter(|_| read.index.len() < most);
        })
        .await;
        // What is taken away meanwhile does not wait until all is read.
        follow(engine, account, book, progress).await?;
    }
    follow(engine, account, book, progress).await
}

/// Takes up what has changed since; all that had at `progress` is known then.
async fn follow(
    engine: &Engine,
    account: AccountId,
    book: &Arc<Book>,
    progress: Progress,
) -> Result<(), StoreError> {
    let mut after = (book.version().await, i64::MAX);
    while engine.goes_on_reading(account, book) {
        let rows = engine.store.read(move |tx| suggest_pairs::changes(tx, account, after, PAGE)).await?;
        // All changes of one number were committed together, but a page may end among them.
        let Some(last) = rows.last().map(|last| (last.changed, last.learned.id)) else {
            book.reached(progress.version).await;
            return Ok(());
        };
        after = last;
        book.take_up(engine, account, rows, |read| read.version = last.0).await;
    }
    Ok(())
}

impl Engine {
    /// Whether an index is still worth reading: the engine runs, and nobody has put it away meanwhile.
    fn goes_on_reading(&self, account: AccountId, book: &Arc<Book>) -> bool {
        !self.shutdown.is_cancelled() && self.shelf().has(account, book)
    }
}

fn pair(row: PairRow) -> Pair {
    let learned = row.learned;
    let times = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    Pair {
        id: learned.id,
        contact: row.contact.map_or(0, |contact| contact.0),
        contact_names: row.contact_name.into_iter().collect(),
        question: learned.question,
        before: learned.before,
        reply: learned.reply,
        said_at: learned.said_at.as_millis(),
        for_everybody: learned.id < 0,
        accepted: times(row.accepted),
        dismissed: times(row.dismissed),
    }
}

impl Read {
    /// Whether nothing it holds was changed or taken away since: else what was said to somebody who is erased, or was taken
    /// back, would be said again until it has caught up.
    async fn holds_nothing_changed(
        &self,
        engine: &Engine,
        account: AccountId,
        progress: Progress,
    ) -> Result<bool, StoreError> {
        let version = self.version;
        if version >= progress.version {
            return Ok(true);
        }
        if version < progress.forgotten {
            return Ok(false);
        }
        let changed =
            engine.store.read(move |tx| suggest_pairs::changed(tx, account, version, CHANGED)).await?;
        let all_seen = i64::try_from(changed.len()).is_ok_and(|seen| seen < CHANGED);
        Ok(all_seen && !changed.into_iter().any(|id| self.index.holds(id)))
    }
}

impl Book {
    /// Whether it is whole and knows every change up to `version`.
    async fn is_at(&self, version: i64) -> bool {
        self.read.read().await.as_ref().is_some_and(|read| read.unread.is_none() && read.version >= version)
    }

    async fn unread(&self) -> Option<(Timestamp, i64)> {
        self.read.read().await.as_ref().and_then(|read| read.unread)
    }

    async fn version(&self) -> i64 {
        self.read.read().await.as_ref().map_or(0, |read| read.version)
    }

    /// Goes on from what was read, unless it has missed what was taken away, or has grown beyond what is kept.
    async fn begin(&self, progress: Progress, most: usize) {
        let mut guard = self.read.write().await;
        let goes_on = guard
            .as_ref()
            .is_some_and(|read| read.version >= progress.forgotten && read.index.len() <= most + most / 10);
        if !goes_on {
            let unread = Some((Timestamp::from_millis(i64::MAX), i64::MAX));
            *guard = Some(Read { index: Index::new(), version: progress.version, unread });
        }
    }

    async fn reached(&self, version: i64) {
        if let Some(read) = self.read.write().await.as_mut() {
            read.version = read.version.max(version);
        }
    }

    /// Takes up pairs and notes how far that is. The account's questions wait meanwhile, and so does the thread.
    async fn take_up(
        &self,
        engine: &Engine,
        account: AccountId,
        rows: Vec<PairRow>,
        note: impl FnOnce(&mut Read),
    ) {
        let shelf = engine.shelf();
        // Nobody closes it.
        let _turn = shelf.learning.acquire().await.ok();
        let mut guard = self.read.write().await;
        let Some(read) = guard.as_mut() else { return };
        for row in rows {
            if row.removed {
                read.index.remove(row.learned.id);
            } else {
                read.index.add(&pair(row));
            }
        }
        note(read);
        let pairs = read.index.len();
        drop(guard);
        self.pairs.store(pairs, Ordering::Relaxed);
        shelf.make_room(account, engine.settings.suggestions.pairs_in_memory);
        shelf.gauge();
    }
}

impl Shelf {
    fn book(&self, account: AccountId, now: Timestamp) -> Arc<Book> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let book = books.entry(account).or_default();
        book.last_asked.store(asked, Ordering::Relaxed);
        book.last_asked_at.store(now.as_millis(), Ordering::Relaxed);
        Arc::clone(book)
    }

    fn has(&self, account: AccountId, book: &Arc<Book>) -> bool {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.get(&account).is_some_and(|kept| Arc::ptr_eq(kept, book))
    }

    /// Puts away those that were not asked for so long.
    pub(super) fn put_away_idle(&self, now: Timestamp, minutes: i64) {
        let before = now.plus_ms(-minutes * MINUTE_MS).as_millis();
        {
            let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
            let held = books.len();
            books.retain(|_, book| book.last_asked_at.load(Ordering::Relaxed) >= before);
            if books.len() == held {
                return;
            }
        }
        self.gauge();
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    fn gauge(&self) {
        metrics::gauge!("frontdesk_suggestion_pairs").set(self.held() as f64);
    }

    /// Puts away those that were asked longest ago until there are not more pairs than `most`; never the one just read.
    fn make_room(&self, just_read: AccountId, most: usize) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |books: &HashMap<AccountId, Arc<Book>>| -> usize {
            books.values().map(|book| book.pairs.load(Ordering::Relaxed)).sum()
        };
        while held(&books) > most {
            let oldest = books
                .iter()
                .filter(|(account, book)| **account != just_read && book.pairs.load(Ordering::Relaxed) > 0)
                .min_by_key(|(_, book)| book.last_asked.load(Ordering::Relaxed))
                .map(|(account, _)| *account);
            let Some(oldest) = oldest else { return };
            books.remove(&oldest);
        }
    }

    /// How many pairs this node holds.
    pub(super) fn held(&self) -> usize {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.values().map(|book| book.pairs.load(Ordering::Relaxed)).sum()
    }
}
