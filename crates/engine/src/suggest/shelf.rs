//! The indexes in memory: one for each account that asks, as many as fit, the one that was asked longest ago goes first.
//!
//! Before each question an index takes up the changes committed since the last: they have rising numbers, so every node
//! follows by itself and none has to be told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::StoreError;
use frontdesk_store::suggest_pairs::{self, PairRow};
use frontdesk_suggest::{Index, Pair};
use tokio::sync::RwLock;

use crate::Engine;

/// Pairs read at once.
const PAGE: i64 = 2_000;

/// The indexes of this node.
#[derive(Default)]
pub(crate) struct Shelf {
    books: Mutex<HashMap<AccountId, Arc<Book>>>,
    asked: AtomicI64,
}

/// What one account has learned.
#[derive(Default)]
struct Book {
    read: Arc<RwLock<Option<Read>>>,
    pairs: AtomicUsize,
    last_asked: AtomicI64,
}

/// An index and how far it follows.
struct Read {
    index: Index,
    version: i64,
}

/// Asks the index of an account, which is made first where it has to be.
pub(super) async fn ask<T, F>(engine: &Engine, account: AccountId, question: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&Index) -> T + Send + 'static,
{
    let book = engine.shelf().book(account);
    let progress = engine.store.read(move |tx| suggest_pairs::progress(tx, account)).await?;
    let version = progress.map_or(0, |progress| progress.version);
    let forgotten = progress.map_or(0, |progress| progress.forgotten);
    let guard = Arc::clone(&book.read).read_owned().await;
    let guard = if guard.as_ref().is_some_and(|read| read.version >= version) {
        guard
    } else {
        drop(guard);
        // It is finished also when whoever asked goes away meanwhile.
        let (engine, book) = (engine.clone(), Arc::clone(&book));
        let renewing = tokio::spawn(async move { renew(&engine, account, &book, version, forgotten).await });
        renewing.await.map_err(|_| StoreError::Panicked)??
    };
    // Milliseconds of work: not on a thread that serves others.
    let answering = tokio::task::spawn_blocking(move || {
        let empty = Index::new();
        question(guard.as_ref().map_or(&empty, |read| &read.index))
    });
    answering.await.map_err(|_| StoreError::Panicked)
}

async fn renew(
    engine: &Engine,
    account: AccountId,
    book: &Arc<Book>,
    version: i64,
    forgotten: i64,
) -> Result<tokio::sync::OwnedRwLockReadGuard<Option<Read>>, StoreError> {
    let mut guard = Arc::clone(&book.read).write_owned().await;
    if guard.as_ref().is_none_or(|read| read.version < version) {
        let most = engine.settings.suggestions.pairs_in_memory;
        let mut read = match guard.take() {
            // Follows on, unless it has missed what was taken away, or has grown beyond what is kept.
            Some(read) if read.version >= forgotten && read.index.len() <= most + most / 10 => read,
            _ => load(engine, account, most, version).await?,
        };
        follow(engine, account, &mut read).await?;
        read.version = read.version.max(version);
        book.pairs.store(read.index.len(), Ordering::Relaxed);
        *guard = Some(read);
        engine.shelf().make_room(account, most);
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("frontdesk_suggestion_pairs").set(engine.shelf().held() as f64);
    }
    Ok(guard.downgrade())
}

/// Reads the newest pairs of an account.
async fn load(engine: &Engine, account: AccountId, most: usize, version: i64) -> Result<Read, StoreError> {
    let mut index = Index::new();
    let mut before = (Timestamp::from_millis(i64::MAX), i64::MAX);
    while index.len() < most {
        let rows = engine.store.read(move |tx| suggest_pairs::page(tx, account, before, PAGE)).await?;
        let Some(last) = rows.last() else { break };
        before = (last.learned.said_at, last.learned.id);
        index = take_up(index, rows).await?;
    }
    Ok(Read { index, version })
}

/// Takes up what changed since.
async fn follow(engine: &Engine, account: AccountId, read: &mut Read) -> Result<(), StoreError> {
    let mut after = (read.version, i64::MAX);
    loop {
        let rows = engine.store.read(move |tx| suggest_pairs::changes(tx, account, after, PAGE)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.changed, last.learned.id);
        let index = std::mem::take(&mut read.index);
        read.index = take_up(index, rows).await?;
        // All changes of one number were committed together, but a page may end among them.
        read.version = after.0;
    }
}

async fn take_up(mut index: Index, rows: Vec<PairRow>) -> Result<Index, StoreError> {
    let learning = tokio::task::spawn_blocking(move || {
        for row in &rows {
            if row.removed {
                index.remove(row.learned.id);
            } else {
                index.add(&pair(row));
            }
        }
        index
    });
    learning.await.map_err(|_| StoreError::Panicked)
}

fn pair(row: &PairRow) -> Pair {
    let learned = &row.learned;
    let times = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    Pair {
        id: learned.id,
        contact: row.contact.map_or(0, |contact| contact.0),
        contact_names: row.contact_name.iter().cloned().collect(),
        question: learned.question.clone(),
        before: learned.before.clone(),
        reply: learned.reply.clone(),
        said_at: learned.said_at.as_millis(),
        for_everybody: learned.id < 0,
        accepted: times(row.accepted),
        dismissed: times(row.dismissed),
    }
}

impl Shelf {
    fn book(&self, account: AccountId) -> Arc<Book> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let book = books.entry(account).or_default();
        book.last_asked.store(asked, Ordering::Relaxed);
        Arc::clone(book)
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
    fn held(&self) -> usize {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.values().map(|book| book.pairs.load(Ordering::Relaxed)).sum()
    }
}
