//! The flow: what happens, in order.
//!
//! In: [`intake`] takes a raw webhook, keeps it and applies it in one durable transaction.
//! Out: [`replies`] stores a message with its outbox row; [`outbox`] claims and sends it.
//! Each module is a set of functions that take the [`Engine`]; SQL stands in `store`, networks in `channels`.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod caller;
pub mod inboxes;
pub mod limits;
pub mod passwords;
pub mod sessions;
pub mod settings;
pub mod tokens;
pub mod users;
pub mod vault;

use std::sync::Arc;

use frontdesk_channels::contract::ChannelContext;
use frontdesk_model::SharedClock;
use frontdesk_store::Store;
use tokio_util::sync::CancellationToken;

use crate::access::AccessCache;
use crate::inboxes::InboxBooks;
use crate::passwords::PasswordDesk;
use crate::settings::EngineSettings;
use crate::vault::Vault;

/// Everything the flow stands on. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Engine {
    state: Arc<EngineState>,
}

/// The parts, and what the engine keeps in memory beside them.
struct EngineState {
    parts: EngineParts,
    access: AccessCache,
    inboxes: InboxBooks,
    passwords: PasswordDesk,
}

/// What [`Engine`] is made of.
pub struct EngineParts {
    /// The database.
    pub store: Store,
    /// Tells the time.
    pub clock: SharedClock,
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
    /// Puts the parts together. Starts nothing: see `workers`.
    pub fn new(parts: EngineParts) -> Self {
        let (access, inboxes) = (AccessCache::new(&parts.store), InboxBooks::new(&parts.store));
        let state = EngineState { parts, access, inboxes, passwords: PasswordDesk::default() };
        Self { state: Arc::new(state) }
    }
}

impl std::ops::Deref for Engine {
    type Target = EngineParts;
    fn deref(&self) -> &EngineParts {
        &self.state.parts
    }
}
