//! Chatwoot: the account there that the settings name, with one client for the whole process that keeps what it reads.
//!
//! It is the first account's, as the realtime application of the settings is: to all others there is none. Its calls are
//! heard by monitoring ([`calls`]). What one node invalidates the others forget too: the client tells [`Realtime`], whose
//! relay carries it. [`webhook`] takes what Chatwoot tells.

pub(crate) mod calls;
pub mod settings;
pub mod webhook;

use std::sync::{Arc, OnceLock};

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_provider_http::SetupError;
use frontdesk_store::StoreError;
use frontdesk_store::accounts as account_rows;

pub use frontdesk_chatwoot_client::event::EventError;
pub use frontdesk_chatwoot_client::{
    CacheStats, CachedChatwoot, ChatwootClient, ChatwootError, Contact, ContactChanges, Conversation,
    ErrorCode, Health, Message, MessageQuery, MessageType, NewContact, NewConversation, NewMessage,
    NewWebhook, Page, Stats, Tag, WebhookRejection,
};

use self::calls::ChatwootCalls;
use self::settings::ChatwootSettings;
use crate::monitoring::meter::Meter;
use crate::realtime::Realtime;
use crate::realtime::note::Note;
use crate::{Engine, EngineParts, accounts};

/// Why an account has no Chatwoot.
#[derive(Debug, thiserror::Error)]
pub enum ChatwootAbsent {
    /// None is configured, or it is another account's. Both are told alike.
    #[error(
        "Chatwoot is not connected to this account. Set CHATWOOT_URL and CHATWOOT_API_TOKEN on the server: they connect \
         its first account."
    )]
    NotConfigured,
    /// It is configured and can never be called.
    #[error("Chatwoot cannot be called: {0}.")]
    Unusable(String),
    /// Whose it is could not be read.
    #[error("the first account could not be read")]
    Store(#[from] StoreError),
}

/// The Chatwoot of this process.
pub(crate) struct Chatwoot {
    client: Option<Result<CachedChatwoot, String>>,
    calls: Arc<ChatwootCalls>,
    /// Known as soon as somebody asks.
    owner: Arc<OnceLock<AccountId>>,
}

impl Chatwoot {
    /// Makes the client that the settings ask for. Nothing is called yet.
    pub(crate) fn new(parts: &EngineParts, realtime: &Realtime) -> Self {
        let calls = Arc::new(ChatwootCalls::new(parts.clock.clone(), parts.channels.recorder.clone()));
        let owner = Arc::new(OnceLock::new());
        let client = parts.settings.chatwoot.clone().map(|settings| {
            let tell = teller(realtime.clone(), owner.clone());
            connect(settings, calls.clone(), tell).map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "Chatwoot cannot be called");
                reason(error)
            })
        });
        Self { client, calls, owner }
    }

    fn client(&self) -> Option<&CachedChatwoot> {
        self.client.as_ref()?.as_ref().ok()
    }

    /// Another node says that this no longer holds.
    pub(crate) fn forget(&self, tag: Tag) {
        if let Some(client) = self.client() {
            client.invalidate_here(tag);
        }
    }

    /// Its meter, and until when its breaker is open; `None` until something was called.
    pub(crate) fn breaker(&self, now: Timestamp) -> Option<(Arc<Meter>, Option<Timestamp>)> {
        let (meter, client) = (self.calls.meter()?, self.client()?);
        Some((meter, calls::open_until(client.client().breaker_state(), now)))
    }
}

/// The Chatwoot of an account.
///
/// Errors: [`ChatwootAbsent`] when it has none.
pub async fn of(engine: &Engine, account: AccountId) -> Result<&CachedChatwoot, ChatwootAbsent> {
    let chatwoot = engine.chatwoot();
    let client = chatwoot.client.as_ref().ok_or(ChatwootAbsent::NotConfigured)?;
    if owner(engine).await? != Some(account) {
        return Err(ChatwootAbsent::NotConfigured);
    }
    client.as_ref().map_err(|reason| ChatwootAbsent::Unusable(reason.clone()))
}

/// Whether an account has one. One that can never be called counts.
///
/// Errors: whose it is could not be read.
pub async fn is_of(engine: &Engine, account: AccountId) -> Result<bool, StoreError> {
    Ok(engine.chatwoot().client.is_some() && owner(engine).await? == Some(account))
}

/// The first account, whose the Chatwoot of the settings is; from now on its calls are counted as that account's.
async fn owner(engine: &Engine) -> Result<Option<AccountId>, StoreError> {
    let chatwoot = engine.chatwoot();
    if let Some(owner) = chatwoot.owner.get() {
        return Ok(Some(*owner));
    }
    let found = engine.store.read(|tx| account_rows::find_by_name(tx, accounts::DEFAULT_NAME)).await?;
    let Some(account) = found.map(|account| account.id) else { return Ok(None) };
    chatwoot.calls.count_into(engine.monitoring().meter(account, crate::monitoring::CHATWOOT));
    Ok(Some(*chatwoot.owner.get_or_init(|| account)))
}

/// A client by itself, without a cache: for looking whether the settings work.
///
/// Errors: why it can never be called.
pub fn probe(settings: ChatwootSettings) -> Result<ChatwootClient, String> {
    ChatwootClient::new(settings).map_err(reason)
}

fn connect(
    settings: ChatwootSettings,
    calls: Arc<ChatwootCalls>,
    tell: impl Fn(Tag) + Send + Sync + 'static,
) -> Result<CachedChatwoot, SetupError> {
    Ok(CachedChatwoot::with_listener(ChatwootClient::with_recorder(settings, calls)?, tell))
}

/// Tells the other nodes what no longer holds. Nothing is invalidated before it is known whose Chatwoot it is.
fn teller(realtime: Realtime, owner: Arc<OnceLock<AccountId>>) -> impl Fn(Tag) + Send + Sync + 'static {
    move |tag| {
        let Some(owner) = owner.get() else { return };
        if !realtime.tell(*owner, || Note::Chatwoot(tag)) {
            tracing::warn!("Other nodes may show what is old in Chatwoot: too much waits to be told to them");
        }
    }
}

fn reason(error: SetupError) -> String {
    match error {
        SetupError::BaseUrl { source, .. } => format!(
            "its address cannot be used: {source}; a private address has to be listed under \
             providers.allow_private_hosts"
        ),
        error @ SetupError::Client { .. } => error.to_string(),
    }
}
