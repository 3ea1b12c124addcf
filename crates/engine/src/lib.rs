//! The flow: what happens, in order.
//!
//! In: [`intake`] takes a raw webhook, keeps it and applies it in one durable transaction.
//! Out: [`replies`] stores a message with its outbox row; [`outbox`] claims and sends it.
//! Each module is a set of functions that take the [`Engine`]; SQL stands in `store`, networks in `channels`.

pub mod settings;
pub mod vault;

use std::sync::Arc;

use frontdesk_channels::contract::ChannelContext;
use frontdesk_model::SharedClock;
use frontdesk_store::Store;
use tokio_util::sync::CancellationToken;

use crate::settings::EngineSettings;
use crate::vault::Vault;

/// Everything the flow stands on. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<EngineParts>,
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
        Self { parts: Arc::new(parts) }
    }
}

impl std::ops::Deref for Engine {
    type Target = EngineParts;
    fn deref(&self) -> &EngineParts {
        &self.parts
    }
}
