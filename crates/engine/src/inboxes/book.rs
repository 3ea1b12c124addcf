//! All inboxes of this server in memory, with their secrets opened.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use frontdesk_channels::contract::{Channel, Door, DoorKeys, DoorSecret, RoutedEvent, VerifiedBy};
use frontdesk_channels::registry::{doors, find_channel};
use frontdesk_model::inbox::InboxConfig;
use frontdesk_model::{AccountId, InboxId};
use frontdesk_store::inboxes::{self, InboxConfigRow};
use frontdesk_store::{Store, StoreError, Topic, Tx, erased_messages};
use tokio::sync::{Mutex, watch};

use super::open;
use crate::Engine;
use crate::settings::DoorSettings;
use crate::vault::Vault;

/// An inbox, ready to be opened.
pub struct Inbox {
    /// What its channel needs, secrets included.
    pub config: InboxConfig,
    /// Its channel.
    pub channel: &'static dyn Channel,
    /// The name people gave it.
    pub name: String,
    /// How the provider's webhooks name it.
    pub route_key: String,
    /// False when people switched it off: it receives and does not send.
    pub enabled: bool,
    /// Rises with every change: a connection opened for an older one is to be replaced.
    pub version: i64,
}

impl Inbox {
    /// What people and programs call it: its session, else as its provider does.
    pub fn called(&self) -> &str {
        self.channel.called(&self.config.settings).unwrap_or(&self.route_key)
    }
}

/// The inboxes behind what a channel's webhooks name.
type Routes = HashMap<(&'static str, String), Vec<Arc<Inbox>>>;

/// All inboxes as of one moment.
pub struct InboxBook {
    by_id: HashMap<InboxId, Arc<Inbox>>,
    by_route: Routes,
    by_shared_route: Routes,
    by_channel: HashMap<&'static str, Vec<Arc<Inbox>>>,
    door_keys: HashMap<&'static str, Arc<DoorKeys>>,
    have_erased: HashSet<AccountId>,
}

impl InboxBook {
    /// One inbox, of whatever account.
    pub fn find(&self, id: InboxId) -> Option<&Arc<Inbox>> {
        self.by_id.get(&id)
    }

    /// The inboxes an event of a webhook is for: the one of this route, or else all that share it.
    pub fn find_by_route(&self, channel: &'static str, route: &str) -> &[Arc<Inbox>] {
        let key = (channel, route.to_owned());
        self.by_route.get(&key).or_else(|| self.by_shared_route.get(&key)).map_or(&[], Vec::as_slice)
    }

    /// The inboxes an event is for. One that names none is for the only inbox of its channel that `verified_by` vouches for.
    pub fn find_for(&self, event: &RoutedEvent, verified_by: VerifiedBy, keys: &DoorKeys) -> &[Arc<Inbox>] {
        if !event.route.is_empty() {
            return self.find_by_route(event.channel, &event.route);
        }
        let of_channel = self.by_channel.get(event.channel).map_or(&[][..], Vec::as_slice);
        let is_vouched = |inbox: &Arc<Inbox>| keys.vouch_for(verified_by, inbox.config.id);
        match of_channel.iter().position(is_vouched) {
            Some(at) if !of_channel[at + 1..].iter().any(is_vouched) => &of_channel[at..=at],
            _ => &[],
        }
    }

    /// Every inbox, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Inbox>> {
        self.by_id.values()
    }

    /// What the door at `path` checks requests against.
    pub fn door_keys(&self, path: &str) -> Option<&Arc<DoorKeys>> {
        self.door_keys.get(path)
    }

    /// True when messages of this account were erased: only then is each new one compared with them.
    pub(crate) fn has_erased(&self, account: AccountId) -> bool {
        self.have_erased.contains(&account)
    }
}

/// The latest book and the number of bells rung when it was begun.
pub(crate) struct InboxBooks {
    latest: Mutex<Option<(u64, Arc<InboxBook>)>>,
    bell: watch::Receiver<u64>,
}

impl InboxBooks {
    pub(crate) fn new(store: &Store) -> Self {
        Self { latest: Mutex::new(None), bell: store.signals().listen(Topic::Inboxes) }
    }

    /// The book as of now: read again only after a bell. Those who come meanwhile wait for it.
    pub(crate) async fn open(&self, engine: &Engine) -> Result<Arc<InboxBook>, StoreError> {
        let mut latest = self.latest.lock().await;
        let rung = *self.bell.borrow();
        if let Some((at, book)) = &*latest
            && *at == rung
        {
            return Ok(book.clone());
        }
        let book = read_book(engine).await?;
        *latest = Some((rung, book.clone()));
        Ok(book)
    }

    /// The book read again although no bell rang: another node's may still be on its way.
    pub(crate) async fn reopen(&self, engine: &Engine) -> Result<Arc<InboxBook>, StoreError> {
        let mut latest = self.latest.lock().await;
        let rung = *self.bell.borrow();
        let book = read_book(engine).await?;
        *latest = Some((rung, book.clone()));
        Ok(book)
    }
}

async fn read_book(engine: &Engine) -> Result<Arc<InboxBook>, StoreError> {
    let read =
        |tx: &mut Tx<'_>| Ok::<_, StoreError>((inboxes::list_configs(tx)?, erased_messages::accounts(tx)?));
    let (rows, have_erased) = engine.store.read(read).await?;
    Ok(Arc::new(InboxBook { have_erased, ..write_book(&engine.vault, &engine.settings.doors, rows) }))
}

fn write_book(vault: &Vault, settings: &DoorSettings, rows: Vec<InboxConfigRow>) -> InboxBook {
    let mut book = InboxBook {
        by_id: HashMap::new(),
        by_route: HashMap::new(),
        by_shared_route: HashMap::new(),
        by_channel: HashMap::new(),
        door_keys: HashMap::new(),
        have_erased: HashSet::new(),
    };
    for inbox in rows.into_iter().filter_map(|row| read_inbox(vault, row)).map(Arc::new) {
        let channel = inbox.channel.info().name;
        book.by_route.entry((channel, inbox.route_key.clone())).or_default().push(inbox.clone());
        if let Some(shared) = inbox.channel.shared_route_key(&inbox.config.settings) {
            book.by_shared_route.entry((channel, shared)).or_default().push(inbox.clone());
        }
        book.by_channel.entry(channel).or_default().push(inbox.clone());
        book.by_id.insert(inbox.config.id, inbox);
    }
    for door in doors() {
        let of_door =
            book.by_id.values().filter(|i| i.channel.door().is_some_and(|d| d.path() == door.path()));
        let keys = collect_keys(door, settings, of_door);
        book.door_keys.insert(door.path(), Arc::new(keys));
    }
    book
}

/// An inbox whose secrets do not open is left out: the others go on.
fn read_inbox(vault: &Vault, row: InboxConfigRow) -> Option<Inbox> {
    let Some(channel) = find_channel(&row.channel) else {
        tracing::warn!(inbox.id = %row.id, channel = row.channel, "this program does not know the channel of an inbox");
        return None;
    };
    let secrets = match open(vault, row.id, &row.sealed_secrets) {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::error!(inbox.id = %row.id, error = %error, "an inbox cannot be used");
            return None;
        }
    };
    let mut settings = row.settings;
    settings.extend(secrets);
    Some(Inbox {
        config: InboxConfig { id: row.id, account_id: row.account_id, channel: row.channel, settings },
        channel,
        name: row.name,
        route_key: row.route_key,
        enabled: row.enabled,
        version: row.version,
    })
}

/// The keys of a door: those of the settings file, then those of its inboxes.
fn collect_keys<'a>(
    door: &dyn Door,
    settings: &DoorSettings,
    inboxes: impl Iterator<Item = &'a Arc<Inbox>>,
) -> DoorKeys {
    let mut keys = door.server_keys(settings);
    for inbox in inboxes {
        let own = inbox.channel.own_keys(&inbox.config.settings);
        let secret =
            own.secret.map(|secret| DoorSecret::of_inbox(secret, inbox.config.id, inbox.route_key.clone()));
        keys.secrets.extend(secret);
        keys.verify_tokens.extend(own.verify_token);
    }
    keys
}
