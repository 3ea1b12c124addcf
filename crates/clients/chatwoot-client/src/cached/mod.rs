//! Reads that are kept.
//!
//! - **Fresh** answers come from memory. **Stale** ones too, at once, while one request fetches them anew in the background.
//! - Many who miss the same at once cause **one** request.
//! - What was invalidated (own writes, webhooks, another node) is never handed out again, nor is what a request brings that
//!   had begun before.
//! - Memory is bounded in bytes of answers; the least used go first.

mod flights;
mod stamps;
mod writes;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    ChatwootClient, ChatwootError, ConversationQuery, MessageQuery, Page, WebhookEvent,
    event::Event,
    model::{Account, Agent, Contact, Conversation, Inbox, Label, Message},
};
use flights::Flights;
use stamps::Stamps;

/// Answers fetched at a time when many are wanted beforehand.
const PRELOAD_AT_A_TIME: usize = 4;
/// Conversations that [`CachedChatwoot::preload_frequent_data`] fetches anew.
const FREQUENT: usize = 50;
/// Nothing is kept longer, whatever the settings say.
const LONGEST_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// What keeping an answer costs beside its JSON, roughly.
const WEIGHT_FACTOR: usize = 2;

/// What an invalidation is about. Everything kept that has to do with it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "tag", content = "id")]
pub enum Tag {
    /// A conversation and its messages.
    Conversation(i64),
    /// A contact, and the conversations that show it.
    Contact(i64),
    /// The account, its inboxes, labels, agents.
    Account,
    /// All.
    All,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Conversation(i64),
    Messages(i64, MessageQuery),
    Contact(i64),
    Account,
    Inboxes,
    Labels,
    Agents,
}

#[derive(Debug, Clone)]
enum Kept {
    Conversation(Arc<Conversation>),
    Messages(Arc<Page<Message>>),
    Contact(Arc<Contact>),
    Account(Arc<Account>),
    Inboxes(Arc<Vec<Inbox>>),
    Labels(Arc<Vec<Label>>),
    Agents(Arc<Vec<Agent>>),
}

/// An answer with all that decides how long it holds.
#[derive(Debug)]
struct Entry {
    kept: Kept,
    tags: Vec<Tag>,
    /// When the request for it began, in the count of invalidations.
    began: u64,
    fetched_at: Instant,
    weight: u32,
    reads: AtomicU32,
}

/// Who hears of invalidations, to pass them to other nodes.
type Listener = Arc<dyn Fn(Tag) + Send + Sync>;

/// A [`ChatwootClient`] that keeps what it reads. Cheap to clone; clones keep the same.
#[derive(Clone)]
pub struct CachedChatwoot(Arc<Inner>);

struct Inner {
    client: ChatwootClient,
    entries: moka::sync::Cache<Key, Arc<Entry>>,
    flights: Flights,
    stamps: Stamps,
    listener: Option<Listener>,
    hits: AtomicU64,
    stale_hits: AtomicU64,
    misses: AtomicU64,
}

/// How the cache fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CacheStats {
    /// Answers from memory, fresh ones.
    pub hits: u64,
    /// Answers from memory, stale ones.
    pub stale_hits: u64,
    /// Answers that had to be waited for.
    pub misses: u64,
    /// Share of answers from memory, 0 to 100; 0 if there were none at all.
    pub hit_rate_percentage: f64,
    /// Answers kept, roughly.
    pub entries: u64,
    /// Their size in bytes, roughly.
    pub size_bytes: u64,
    /// The most bytes that are kept.
    pub max_bytes: u64,
    /// Invalidations so far.
    pub invalidations: u64,
}

impl CachedChatwoot {
    /// Keeps nothing yet. How long and how much is in the client's settings.
    pub fn new(client: ChatwootClient) -> Self {
        Self::build(client, None)
    }

    /// The same with somebody who hears of every [`Self::invalidate`]: with many nodes, it has the others call
    /// [`Self::invalidate_here`].
    pub fn with_listener(client: ChatwootClient, listener: impl Fn(Tag) + Send + Sync + 'static) -> Self {
        Self::build(client, Some(Arc::new(listener)))
    }

    fn build(client: ChatwootClient, listener: Option<Listener>) -> Self {
        let settings = &client.settings().cache;
        let longest =
            [settings.conversation_ttl, settings.messages_ttl, settings.contact_ttl, settings.account_ttl]
                .into_iter()
                .max()
                .unwrap_or_default();
        let entries = moka::sync::Cache::builder()
            .max_capacity(settings.max_bytes)
            .weigher(|_: &Key, entry: &Arc<Entry>| entry.weight)
            .time_to_live(longest.saturating_mul(settings.stale_factor.saturating_add(1)).min(LONGEST_KEPT))
            .build();
        Self(Arc::new(Inner {
            client,
            entries,
            flights: Flights::default(),
            stamps: Stamps::default(),
            listener,
            hits: AtomicU64::new(0),
            stale_hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }))
    }

    /// The client below, for what is not kept. Its writes invalidate nothing: see [`Self::after_write`].
    pub fn client(&self) -> &ChatwootClient {
        &self.0.client
    }

    /// A conversation.
    pub async fn get_conversation(&self, id: i64) -> Result<Arc<Conversation>, ChatwootError> {
        match self.kept(Key::Conversation(id)).await? {
            Kept::Conversation(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// Messages of a conversation; each query is kept by itself.
    pub async fn get_messages(
        &self,
        conversation_id: i64,
        query: &MessageQuery,
    ) -> Result<Arc<Page<Message>>, ChatwootError> {
        match self.kept(Key::Messages(conversation_id, query.clone())).await? {
            Kept::Messages(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// A contact.
    pub async fn get_contact(&self, id: i64) -> Result<Arc<Contact>, ChatwootError> {
        match self.kept(Key::Contact(id)).await? {
            Kept::Contact(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// The account.
    pub async fn get_account(&self) -> Result<Arc<Account>, ChatwootError> {
        match self.kept(Key::Account).await? {
            Kept::Account(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// Every inbox.
    pub async fn list_inboxes(&self) -> Result<Arc<Vec<Inbox>>, ChatwootError> {
        match self.kept(Key::Inboxes).await? {
            Kept::Inboxes(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// Every label.
    pub async fn list_labels(&self) -> Result<Arc<Vec<Label>>, ChatwootError> {
        match self.kept(Key::Labels).await? {
            Kept::Labels(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// Every agent.
    pub async fn list_agents(&self) -> Result<Arc<Vec<Agent>>, ChatwootError> {
        match self.kept(Key::Agents).await? {
            Kept::Agents(found) => Ok(found),
            _ => Err(ChatwootError::unexpected("another answer was kept")),
        }
    }

    /// From memory if it holds, else from Chatwoot.
    async fn kept(&self, key: Key) -> Result<Kept, ChatwootError> {
        let inner = &self.0;
        if let Some(entry) = inner.entries.get(&key)
            && inner.stamps.hold(&entry.tags, entry.began)
        {
            let (age, ttl) = (entry.fetched_at.elapsed(), self.ttl(&key));
            let fresh = age < ttl;
            let end = ttl.saturating_mul(inner.client.settings().cache.stale_factor.saturating_add(1));
            if fresh || age < end {
                entry.reads.fetch_add(1, Ordering::Relaxed);
                if fresh {
                    inner.hits.fetch_add(1, Ordering::Relaxed);
                } else {
                    inner.stale_hits.fetch_add(1, Ordering::Relaxed);
                    // Its outcome is for those who come later; if it fails, this one goes on until its end.
                    drop(self.fetch(key));
                }
                return Ok(entry.kept.clone());
            }
        }
        inner.misses.fetch_add(1, Ordering::Relaxed);
        self.fetch(key).await.map(|entry| entry.kept.clone())
    }

    fn ttl(&self, key: &Key) -> Duration {
        let cache = &self.0.client.settings().cache;
        match key {
            Key::Conversation(_) => cache.conversation_ttl,
            Key::Messages(..) => cache.messages_ttl,
            Key::Contact(_) => cache.contact_ttl,
            Key::Account | Key::Inboxes | Key::Labels | Key::Agents => cache.account_ttl,
        }
    }

    /// Joins the request that is under way for this, or begins one. It goes on if nobody waits for it any more.
    fn fetch(&self, key: Key) -> flights::Flight {
        let inner = &self.0;
        let now = inner.stamps.now();
        let holds = |began| inner.stamps.hold(&own_tags(&key), began);
        let (cache, wanted) = (self.clone(), key.clone());
        inner.flights.join(&key, now, holds, move || async move {
            let result = cache.ask(&wanted).await.map(|kept| Self::entry(&wanted, kept, now));
            if let Ok(entry) = &result {
                cache.put(wanted.clone(), entry);
            }
            cache.0.flights.land(&wanted, now);
            result
        })
    }

    async fn ask(&self, key: &Key) -> Result<Kept, ChatwootError> {
        let client = &self.0.client;
        Ok(match key {
            Key::Conversation(id) => Kept::Conversation(Arc::new(client.get_conversation(*id).await?)),
            Key::Messages(id, query) => Kept::Messages(Arc::new(client.get_messages(*id, query).await?)),
            Key::Contact(id) => Kept::Contact(Arc::new(client.get_contact(*id).await?)),
            Key::Account => Kept::Account(Arc::new(client.get_account().await?)),
            Key::Inboxes => Kept::Inboxes(Arc::new(client.list_inboxes().await?)),
            Key::Labels => Kept::Labels(Arc::new(client.list_labels().await?)),
            Key::Agents => Kept::Agents(Arc::new(client.list_agents().await?)),
        })
    }

    fn entry(key: &Key, kept: Kept, began: u64) -> Arc<Entry> {
        let (tags, weight) = (tags(key, &kept), weight(&kept));
        Arc::new(Entry { kept, tags, began, fetched_at: Instant::now(), weight, reads: AtomicU32::new(0) })
    }

    fn put(&self, key: Key, entry: &Arc<Entry>) {
        // What was invalidated while it was fetched is for those who waited, not for keeping.
        if self.0.stamps.hold(&entry.tags, entry.began) {
            self.0.entries.insert(key, Arc::clone(entry));
        }
    }

    /// Everything kept that has to do with this goes, here and (by the listener) on other nodes.
    pub fn invalidate(&self, tag: Tag) {
        self.invalidate_here(tag);
        if let Some(listener) = &self.0.listener {
            listener(tag);
        }
    }

    /// The same, here only: for what other nodes tell.
    pub fn invalidate_here(&self, tag: Tag) {
        self.0.stamps.raise(tag);
        if tag == Tag::All {
            self.0.entries.invalidate_all();
        }
    }

    /// Invalidates what a webhook says has changed. Returns what that was.
    pub fn handle_webhook_event(&self, event: &WebhookEvent) -> Vec<Tag> {
        let mut tags = Vec::new();
        match &event.event {
            Event::TypingOn(_) | Event::TypingOff(_) => {}
            Event::ContactCreated(contact) | Event::ContactUpdated(contact) => {
                tags.push(Tag::Contact(contact.id))
            }
            Event::Other if event.name.starts_with("inbox_") => tags.push(Tag::Account),
            _ => tags.extend(event.conversation_id().map(Tag::Conversation)),
        }
        tags.iter().for_each(|tag| self.invalidate(*tag));
        tags
    }

    /// Fetches what everybody needs: account, inboxes, labels, agents, the newest conversations. Returns the names of what
    /// came.
    pub async fn warm_cache(&self) -> Vec<&'static str> {
        let mut warmed = Vec::new();
        for (name, key) in [
            ("account", Key::Account),
            ("inboxes", Key::Inboxes),
            ("labels", Key::Labels),
            ("agents", Key::Agents),
        ] {
            if self.fetch(key).await.is_ok() {
                warmed.push(name);
            }
        }
        let now = self.0.stamps.now();
        if let Ok(page) = self.0.client.list_conversations(&ConversationQuery::default()).await {
            for conversation in page.data {
                let key = Key::Conversation(conversation.id);
                let entry = Self::entry(&key, Kept::Conversation(Arc::new(conversation)), now);
                self.put(key, &entry);
            }
            warmed.push("conversations");
        }
        warmed
    }

    /// Fetches these conversations with their newest messages, a few at a time. Returns how many came.
    pub async fn preload(&self, conversation_ids: &[i64]) -> usize {
        let keys = conversation_ids
            .iter()
            .flat_map(|id| [Key::Conversation(*id), Key::Messages(*id, MessageQuery::default())]);
        let fetched: Vec<bool> = stream::iter(keys)
            .map(|key| async move { self.fetch(key).await.is_ok() })
            .buffered(PRELOAD_AT_A_TIME)
            .collect()
            .await;
        fetched.chunks(2).filter(|both| both.iter().all(|came| *came)).count()
    }

    /// Fetches anew what was read most and no longer holds or is about to end. Returns how much of it came.
    pub async fn preload_frequent_data(&self) -> usize {
        let mut frequent: Vec<(u32, Key)> = self
            .0
            .entries
            .iter()
            .filter(|(key, entry)| {
                !self.0.stamps.hold(&entry.tags, entry.began)
                    || entry.fetched_at.elapsed() * 2 > self.ttl(key)
            })
            .map(|(key, entry)| (entry.reads.load(Ordering::Relaxed), (*key).clone()))
            .filter(|(reads, _)| *reads > 0)
            .collect();
        frequent.sort_by_key(|(reads, _)| std::cmp::Reverse(*reads));
        let keys = frequent.into_iter().take(FREQUENT).map(|(_, key)| key);
        let fetched = stream::iter(keys)
            .map(|key| async move { self.fetch(key).await.is_ok() })
            .buffered(PRELOAD_AT_A_TIME)
            .filter(|came| std::future::ready(*came))
            .count();
        fetched.await
    }

    /// Everything goes, on every node. Returns the names of what is kept at all.
    pub fn clear_all_caches(&self) -> Vec<&'static str> {
        self.invalidate(Tag::All);
        vec!["conversations", "messages", "contacts", "account", "inboxes", "labels", "agents"]
    }

    /// How the cache fares.
    pub fn cache_stats(&self) -> CacheStats {
        let inner = &self.0;
        inner.entries.run_pending_tasks();
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (hits, stale_hits, misses) = (load(&inner.hits), load(&inner.stale_hits), load(&inner.misses));
        let all = hits + stale_hits + misses;
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let rate = if all == 0 { 0.0 } else { (hits + stale_hits) as f64 * 100.0 / all as f64 };
        CacheStats {
            hits,
            stale_hits,
            misses,
            hit_rate_percentage: (rate * 100.0).round() / 100.0,
            entries: inner.entries.entry_count(),
            size_bytes: inner.entries.weighted_size(),
            max_bytes: inner.client.settings().cache.max_bytes,
            invalidations: inner.stamps.now(),
        }
    }
}

/// What a thing is invalidated by, as far as its key tells.
fn own_tags(key: &Key) -> [Tag; 1] {
    match key {
        Key::Conversation(id) | Key::Messages(id, _) => [Tag::Conversation(*id)],
        Key::Contact(id) => [Tag::Contact(*id)],
        Key::Account | Key::Inboxes | Key::Labels | Key::Agents => [Tag::Account],
    }
}

/// What an answer is invalidated by: also by whom it shows.
fn tags(key: &Key, kept: &Kept) -> Vec<Tag> {
    let mut tags = own_tags(key).to_vec();
    if let Kept::Conversation(found) = kept {
        tags.extend(found.contact.as_ref().map(|contact| Tag::Contact(contact.id)));
    }
    tags
}

fn weight(kept: &Kept) -> u32 {
    let json = match kept {
        Kept::Conversation(found) => serde_json::to_vec(&**found),
        Kept::Messages(found) => serde_json::to_vec(&**found),
        Kept::Contact(found) => serde_json::to_vec(&**found),
        Kept::Account(found) => serde_json::to_vec(&**found),
        Kept::Inboxes(found) => serde_json::to_vec(&**found),
        Kept::Labels(found) => serde_json::to_vec(&**found),
        Kept::Agents(found) => serde_json::to_vec(&**found),
    };
    let bytes = json.map_or(0, |json| json.len()).saturating_mul(WEIGHT_FACTOR) + size_of::<Entry>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl fmt::Debug for CachedChatwoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedChatwoot").field("client", &self.0.client).finish_non_exhaustive()
    }
}
