//! The flow: what happens, in order.
//!
//! In: [`intake`] takes a raw webhook, keeps it and applies it in one durable transaction.
//! Out: [`replies`] stores a message with its outbox row; [`outbox`] claims and sends it.
//! Each module is a set of functions that take the [`Engine`]; SQL stands in `store`, networks in `channels`.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod bridge;
pub mod caller;
pub mod chatwoot;
mod connections;
pub mod contacts;
pub mod conversations;
pub mod crm;
mod custom_fields;
pub mod erase;
pub mod inboxes;
pub mod intake;
pub mod limits;
pub mod linked;
pub mod media;
pub mod monitoring;
pub mod origin;
mod outbox;
pub mod own_password;
pub mod passwords;
mod polling;
pub mod realtime;
pub mod replies;
mod retention;
pub mod search_index;
pub mod sessions;
pub mod settings;
pub mod suggest;
pub mod sync;
pub mod tokens;
pub mod turn;
pub mod typing;
pub mod users;
pub mod vault;
pub mod views;
mod watch;
pub mod web_tokens;
pub mod webhooks;
pub mod workers;

use std::sync::{Arc, Weak};

use frontdesk_channels::contract::ChannelContext;
use frontdesk_model::SharedClock;
use frontdesk_store::Store;
use tokio_util::sync::CancellationToken;

use crate::access::AccessCache;
use crate::bridge::Bridges;
use crate::chatwoot::Chatwoot;
use crate::connections::Connections;
use crate::inboxes::InboxBooks;
use crate::intake::IntakeQueue;
use crate::limits::RequestCounter;
use crate::linked::Linked;
use crate::media::MediaStore;
use crate::monitoring::Monitoring;
use crate::passwords::PasswordDesk;
use crate::realtime::Realtime;
use crate::settings::EngineSettings;
use crate::suggest::Shelf;
use crate::suggest::drafts::Stacks;
use crate::sync::clients::Clients;
use crate::sync::webhook::Questions;
use crate::vault::Vault;
use crate::webhooks::Webhooks;

/// Everything the flow stands on. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Engine {
    state: Arc<EngineState>,
}

/// An [`Engine`] that does not keep it alive.
#[derive(Clone)]
pub(crate) struct WeakEngine(Weak<EngineState>);

impl WeakEngine {
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(|state| Engine { state })
    }
}

/// The parts, and what the engine keeps in memory beside them.
struct EngineState {
    parts: EngineParts,
    access: AccessCache,
    bridges: Bridges,
    chatwoot: Chatwoot,
    inboxes: InboxBooks,
    passwords: PasswordDesk,
    connections: Connections,
    intake: IntakeQueue,
    linked: Linked,
    request_counter: RequestCounter,
    monitoring: Monitoring,
    realtime: Realtime,
    shelf: Shelf,
    draft_stacks: Stacks,
    sync_clients: Clients,
    sync_questions: Questions,
    webhooks: Webhooks,
}

/// What [`Engine`] is made of.
pub struct EngineParts {
    /// The database.
    pub store: Store,
    /// Tells the time.
    pub clock: SharedClock,
    /// Where files are kept.
    pub media: MediaStore,
    /// What the settings file says.
    pub settings: EngineSettings,
    /// Seals and opens secrets.
    pub vault: Vault,
    /// What channels need.
    pub channels: ChannelContext,
    /// This process among the nodes on one database; new at each start.
    pub node_id: String,
    /// Cancelled when the process is to stop: workers finish what they hold and end.
    pub shutdown: CancellationToken,
}

impl Engine {
    /// Puts the parts together and opens the intake. Everything else that goes on in the background starts with
    /// [`workers::spawn`]. To be called within a tokio runtime.
    pub fn new(parts: EngineParts) -> Self {
        let (access, inboxes) = (AccessCache::new(&parts.store), InboxBooks::new(&parts.store));
        let (intake, intake_workers) = IntakeQueue::new(parts.store.is_postgres());
        let (request_counter, requests) = RequestCounter::new();
        let realtime = Realtime::new(&parts);
        let chatwoot = Chatwoot::new(&parts, &realtime);
        let state = EngineState {
            parts,
            access,
            bridges: Bridges::default(),
            chatwoot,
            inboxes,
            passwords: PasswordDesk::default(),
            connections: Connections::default(),
            intake,
            linked: Linked::default(),
            request_counter,
            monitoring: Monitoring::default(),
            realtime,
            shelf: Shelf::default(),
            draft_stacks: Stacks::default(),
            sync_clients: Clients::default(),
            sync_questions: Questions::default(),
            webhooks: Webhooks::default(),
        };
        let engine = Self { state: Arc::new(state) };
        intake::spawn(&engine, intake_workers);
        limits::spawn(&engine, requests);
        engine
    }

    /// The media store of this node.
    pub fn media(&self) -> &MediaStore {
        &self.state.parts.media
    }

    pub(crate) fn intake(&self) -> &IntakeQueue {
        &self.state.intake
    }

    pub(crate) fn request_counter(&self) -> &RequestCounter {
        &self.state.request_counter
    }

    pub(crate) fn chatwoot(&self) -> &Chatwoot {
        &self.state.chatwoot
    }

    pub(crate) fn sync_clients(&self) -> &Clients {
        &self.state.sync_clients
    }

    pub(crate) fn bridges(&self) -> &Bridges {
        &self.state.bridges
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.state.shelf
    }

    pub(crate) fn draft_stacks(&self) -> &Stacks {
        &self.state.draft_stacks
    }

    pub(crate) fn sync_questions(&self) -> &Questions {
        &self.state.sync_questions
    }

    pub(crate) fn linked(&self) -> &Linked {
        &self.state.linked
    }

    /// The same engine, without keeping it: for what it keeps itself.
    pub(crate) fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.state))
    }

    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.state.webhooks
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.state.connections
    }

    /// What this node sees of the inboxes.
    pub fn monitoring(&self) -> &Monitoring {
        &self.state.monitoring
    }

    /// Live updates: the sockets of this process.
    pub fn realtime(&self) -> &Realtime {
        &self.state.realtime
    }
}

impl std::ops::Deref for Engine {
    type Target = EngineParts;
    fn deref(&self) -> &EngineParts {
        &self.state.parts
    }
}
