//! Phones that are linked to this server itself: making sessions, linking, asking, ending them.
//!
//! | file | what it is for |
//! |---|---|
//! | [`supervisor`] | which sessions this node holds; starts and stops their keepers |
//! | [`keeper`] | one session: its lease, its driver, its events, what is asked of it |
//! | [`note`] | writing down how far a session is, and telling everyone |
//! | [`backoff`] | when one that dropped comes back |
//! | [`pacing`] | whom a session may write to now: networks ban numbers that write to many strangers |
//! | [`desk`], [`keys`] | what channels need: the sessions of all nodes, and a place for what drivers keep |
//! | [`live`] | codes and typing on their way to sockets |
//!
//! A session is a row beside its inbox, which says what it shows; the node that holds its lease writes it. Other nodes ask
//! that one through the database ([`desk`]).

mod backoff;
pub(crate) mod desk;
mod keeper;
mod keys;
mod live;
mod note;
pub(crate) mod pacing;
pub mod settings;
mod supervisor;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_channels::contract::{
    Channel, FieldError, SendError, SessionAnswer, SessionDriver, SessionQuestion,
};
use frontdesk_channels::registry::CHANNELS;
use frontdesk_model::linked::SessionState;
use frontdesk_model::{AccountId, InboxId, Timestamp, UserId};
use frontdesk_store::linked_sessions::{self, LinkedSessionRow, NewLinkedSession};
use frontdesk_store::{StoreError, Topic, Tx, linked_commands, linked_keys};

use crate::caller::Actor;
use crate::inboxes::{self, InboxError, NewInbox};
use crate::vault::VaultError;
use crate::webhooks::endpoints::{NewWebhook, WebhookError};
use crate::{Engine, webhooks};

pub(crate) use supervisor::run;

/// A code is on its way for so long before people are told to ask again.
const CODE_PATIENCE: Duration = Duration::from_secs(5);

/// The sessions of this node.
#[derive(Default)]
pub(crate) struct Linked {
    held: Mutex<HashMap<InboxId, Held>>,
    elsewhere: Mutex<Vec<InboxId>>,
}

/// A session that this node holds.
#[derive(Clone)]
struct Held {
    driver: Arc<dyn SessionDriver>,
    is_connected: bool,
}

impl Linked {
    fn held(&self) -> MutexGuard<'_, HashMap<InboxId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver of a session that this node holds, whatever its state.
    fn driver(&self, inbox: InboxId) -> Option<Arc<dyn SessionDriver>> {
        self.held().get(&inbox).map(|held| held.driver.clone())
    }

    /// The same, if it is connected.
    fn connected(&self, inbox: InboxId) -> Option<Arc<dyn SessionDriver>> {
        self.held().get(&inbox).filter(|held| held.is_connected).map(|held| held.driver.clone())
    }

    fn set_connected(&self, inbox: InboxId, is_connected: bool) {
        if let Some(held) = self.held().get_mut(&inbox) {
            held.is_connected = is_connected;
        }
    }

    /// Inboxes whose session another node holds: what they send, that node sends.
    pub(crate) fn elsewhere(&self) -> Vec<InboxId> {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether an inbox may send from this node now.
    pub(crate) fn place_of(&self, inbox: InboxId) -> Place {
        match self.held().get(&inbox) {
            Some(held) if held.is_connected => Place::Here,
            Some(_) => Place::NotConnected,
            None if self.elsewhere().contains(&inbox) => Place::Elsewhere,
            None => Place::NotConnected,
        }
    }
}

/// Where a session works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this node.
    Here,
    /// On another one.
    Elsewhere,
    /// Nowhere at present.
    NotConnected,
}

/// A session could not be made, found or asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no such session in this account.
    #[error("there is no such session")]
    NotFound,
    /// The input is wrong; one sentence per field.
    #[error("the session's data are not valid")]
    Invalid(Vec<FieldError>),
    /// It is in a state that does not allow this.
    #[error("the session is {0}")]
    State(SessionState),
    /// No code came in time.
    #[error("no code came in time")]
    NoCode(SessionState),
    /// The session refused or did not answer.
    #[error("the session did not do it")]
    Session(#[source] SendError),
    /// A secret could not be sealed or opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the session could not be stored")]
    Store(#[from] StoreError),
}

impl From<WebhookError> for SessionError {
    fn from(error: WebhookError) -> Self {
        let wrong = |message: String| FieldError { key: "webhook_url".to_owned(), message };
        match error {
            WebhookError::NotFound(_) => Self::NotFound,
            WebhookError::Invalid(fields) => {
                let told = fields
                    .into_iter()
                    .map(|(_, sentence)| sentence.replace("url field", "webhook_url field"));
                Self::Invalid(told.map(wrong).collect())
            }
            WebhookError::Conflict(sentence) => Self::Invalid(vec![wrong(sentence)]),
            WebhookError::Vault(error) => Self::Vault(error),
            WebhookError::Store(error) => Self::Store(error),
        }
    }
}

impl From<InboxError> for SessionError {
    fn from(error: InboxError) -> Self {
        match error {
            InboxError::Invalid(fields) => Self::Invalid(fields),
            InboxError::NotFound => Self::NotFound,
            InboxError::Vault(error) => Self::Vault(error),
            InboxError::Store(error) => Self::Store(error),
        }
    }
}

/// A session to make.
pub struct NewSession {
    /// What programs call it; unique within the account.
    pub session_id: String,
    /// The name for people; the session's own when there is none.
    pub name: Option<String>,
    /// Where its webhooks are to go.
    pub webhook_url: Option<String>,
}

/// A session with what goes on in it.
pub struct Session {
    /// The session.
    pub row: LinkedSessionRow,
    /// Conversations with something unread.
    pub active_chats: i64,
    /// What signs its webhooks, shown this once: when it was made.
    pub webhook_secret: Option<String>,
}

impl Session {
    /// As it is at this moment: a connected session that no node holds any more is being brought back.
    fn seen_at(mut self, now: Timestamp) -> Self {
        if self.row.state == SessionState::Connected && self.row.owner_at(now).is_none() {
            self.row.state = SessionState::Reconnecting;
        }
        self
    }
}

/// A code that waits to be scanned or typed. As good as a password: never logged.
pub struct Code {
    /// What it says.
    pub text: String,
    /// [`SessionState::Qr`], [`SessionState::Code`] or [`SessionState::Challenge`].
    pub state: SessionState,
    /// Which one it is, from 1.
    pub attempt: i64,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Makes a session with its inbox, in the actor's account. It is connected at once, so that a code to scan is there when
/// somebody asks.
pub async fn create(engine: &Engine, actor: Actor, new: NewSession) -> Result<Session, SessionError> {
    let account = actor.account_id;
    let channel = the_channel().ok_or(SessionError::NotFound)?;
    let sessions = channel.sessions().ok_or(SessionError::NotFound)?;
    let taken = new.session_id.clone();
    if engine.store.read(move |tx| linked_sessions::find_by_name(tx, account, &taken)).await?.is_some() {
        return Err(SessionError::Invalid(vec![name_taken()]));
    }
    let inbox = NewInbox {
        channel: channel.info().name.to_owned(),
        name: new.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| new.session_id.clone()),
        settings: sessions.settings_for(&new.session_id, None),
    };
    let made = inboxes::create(engine, actor, inbox).await.map_err(|error| match error {
        // Twins that came together: the second is told what the first would have been.
        InboxError::Invalid(fields) => SessionError::Invalid(fields.into_iter().map(session_field).collect()),
        error => error.into(),
    })?;
    let (id, now) = (made.config.id, engine.clock.now());
    let Some(url) = new.webhook_url else { return get(engine, account, id).await };
    let webhook = NewWebhook { url: url.clone(), inbox: Some(id), ..NewWebhook::default() };
    let webhook = match webhooks::endpoints::create(engine, actor, webhook).await {
        Ok(made) => made,
        Err(error) => {
            inboxes::delete(engine, actor, id).await?;
            return Err(error.into());
        }
    };
    engine.store.write(move |tx| linked_sessions::set_webhook(tx, account, id, Some(&url), now)).await?;
    Ok(Session { webhook_secret: Some(webhook.secret), ..get(engine, account, id).await? })
}

/// The first channel with sessions: what programs make by name alone.
fn the_channel() -> Option<&'static dyn Channel> {
    CHANNELS.iter().copied().find(|channel| channel.sessions().is_some())
}

fn name_taken() -> FieldError {
    FieldError { key: "session_id".to_owned(), message: "The session id has already been taken.".to_owned() }
}

/// A wrong field of the inbox, as makers of sessions know it.
fn session_field(field: FieldError) -> FieldError {
    let key = field.key.strip_prefix("settings.").unwrap_or(&field.key).to_owned();
    if field.message.contains("already connected") { name_taken() } else { FieldError { key, ..field } }
}

/// The session of an inbox.
pub async fn get(engine: &Engine, account: AccountId, inbox: InboxId) -> Result<Session, SessionError> {
    let found =
        engine.store.read(move |tx| with_chats(tx, account, |tx| linked_sessions::find(tx, account, inbox)));
    found.await?.map(|session| session.seen_at(engine.clock.now())).ok_or(SessionError::NotFound)
}

/// The session that an account calls so.
pub async fn find(engine: &Engine, account: AccountId, session_id: &str) -> Result<Session, SessionError> {
    let name = session_id.to_owned();
    let found = engine
        .store
        .read(move |tx| with_chats(tx, account, |tx| linked_sessions::find_by_name(tx, account, &name)));
    found.await?.map(|session| session.seen_at(engine.clock.now())).ok_or(SessionError::NotFound)
}

fn with_chats(
    tx: &mut Tx<'_>,
    account: AccountId,
    find: impl FnOnce(&mut Tx<'_>) -> Result<Option<LinkedSessionRow>, StoreError>,
) -> Result<Option<Session>, StoreError> {
    let Some(row) = find(tx)? else { return Ok(None) };
    let active_chats = linked_sessions::active_chats_of(tx, account, row.inbox_id)?;
    Ok(Some(Session { row, active_chats, webhook_secret: None }))
}

/// Sessions of an account after an inbox, by inbox.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    after: InboxId,
    limit: i64,
) -> Result<Vec<Session>, SessionError> {
    let now = engine.clock.now();
    let listed = engine.store.read(move |tx| {
        let rows = linked_sessions::list(tx, account, after, limit)?;
        let chats: HashMap<InboxId, i64> = if rows.is_empty() {
            HashMap::new()
        } else {
            linked_sessions::active_chats(tx, account)?.into_iter().collect()
        };
        let sessions = rows.into_iter().map(|row| {
            let active_chats = chats.get(&row.inbox_id).copied().unwrap_or_default();
            Session { row, active_chats, webhook_secret: None }.seen_at(now)
        });
        Ok::<_, StoreError>(sessions.collect())
    });
    Ok(listed.await?)
}

/// The code that waits, asked for when there is none. One comes within a moment.
///
/// Errors: [`SessionError::State`] when a phone is linked already; [`SessionError::NoCode`] when none came in time.
pub async fn code(engine: &Engine, actor: Actor, session_id: &str) -> Result<Code, SessionError> {
    let account = actor.account_id;
    let mut bell = engine.store.signals().listen(Topic::Sessions);
    let mut session = find(engine, account, session_id).await?;
    if session.row.state.is_at_rest() {
        start(engine, actor, session_id).await?;
    }
    let until = tokio::time::Instant::now() + CODE_PATIENCE;
    loop {
        bell.mark_unchanged();
        session = find(engine, account, session_id).await?;
        if let Some(code) = waiting_code(engine, &session.row)? {
            return Ok(code);
        }
        let state = session.row.state;
        if matches!(state, SessionState::Connected | SessionState::Syncing | SessionState::Banned) {
            return Err(SessionError::State(state));
        }
        tokio::select! {
            _ = bell.changed() => {}
            () = tokio::time::sleep_until(until) => return Err(SessionError::NoCode(state)),
        }
    }
}

/// The code that waits, if one does and still holds.
pub fn waiting_code(engine: &Engine, row: &LinkedSessionRow) -> Result<Option<Code>, SessionError> {
    let (Some(sealed), Some(expires_at)) = (&row.code, row.code_expires_at) else { return Ok(None) };
    if expires_at <= engine.clock.now() {
        return Ok(None);
    }
    let text = engine.vault.open(&note::code_purpose(row.inbox_id), sealed)?;
    let text = String::from_utf8(text).map_err(|_| VaultError::Damaged)?;
    Ok(Some(Code { text, state: row.state, attempt: row.code_attempt, expires_at }))
}

/// A code to be typed on the phone of this number, in place of scanning.
pub async fn pairing_code(
    engine: &Engine,
    actor: Actor,
    session_id: &str,
    digits: &str,
) -> Result<Code, SessionError> {
    let account = actor.account_id;
    let mut bell = engine.store.signals().listen(Topic::Sessions);
    // A phone is asked for over a connection: it has to be there first.
    let shown = code(engine, actor, session_id).await?;
    ask(engine, account, session_id, SessionQuestion::PairingCode(digits.to_owned())).await?;
    let until = tokio::time::Instant::now() + CODE_PATIENCE;
    loop {
        bell.mark_unchanged();
        let session = find(engine, account, session_id).await?;
        if let Some(code) = waiting_code(engine, &session.row)?
            && code.state == SessionState::Code
        {
            return Ok(code);
        }
        tokio::select! {
            _ = bell.changed() => {}
            () = tokio::time::sleep_until(until) => return Err(SessionError::NoCode(shown.state)),
        }
    }
}

/// Has a session connected, from now on.
pub async fn start(engine: &Engine, actor: Actor, session_id: &str) -> Result<Session, SessionError> {
    let session = find(engine, actor.account_id, session_id).await?;
    want(engine, actor.account_id, session.row.inbox_id, true).await?;
    find(engine, actor.account_id, session_id).await
}

/// Closes the connection of a session and opens it again.
pub async fn restart(engine: &Engine, actor: Actor, session_id: &str) -> Result<Session, SessionError> {
    let session = find(engine, actor.account_id, session_id).await?;
    let (account, inbox) = (actor.account_id, session.row.inbox_id);
    want(engine, account, inbox, true).await?;
    if session.row.owner_at(engine.clock.now()).is_some() {
        ask(engine, account, session_id, SessionQuestion::Restart).await?;
    }
    find(engine, account, session_id).await
}

/// Unlinks the phone, and removes the session with its inbox. Conversations stay readable.
pub async fn delete(engine: &Engine, actor: Actor, session_id: &str) -> Result<(), SessionError> {
    let session = find(engine, actor.account_id, session_id).await?;
    if session.row.owner_at(engine.clock.now()).is_some() {
        // A phone out of reach forgets us by itself after a while; the session is gone either way.
        if let Err(error) = ask(engine, actor.account_id, session_id, SessionQuestion::Logout).await {
            tracing::info!(inbox.id = session.row.inbox_id.0, error = %error, "a phone could not be told that it was unlinked");
        }
    }
    Ok(inboxes::delete(engine, actor, session.row.inbox_id).await?)
}

/// From now on a user writes with this session unless they say otherwise.
pub async fn switch(
    engine: &Engine,
    account: AccountId,
    user: UserId,
    session_id: &str,
) -> Result<Session, SessionError> {
    let session = find(engine, account, session_id).await?;
    let inbox = session.row.inbox_id;
    engine.store.write(move |tx| linked_sessions::switch(tx, account, user, inbox)).await?;
    Ok(session)
}

/// What a user calls the session they write with unless they say otherwise.
pub async fn active(engine: &Engine, account: AccountId, user: UserId) -> Result<Option<String>, StoreError> {
    let row = engine.store.read(move |tx| linked_sessions::active(tx, account, user)).await?;
    Ok(row.map(|row| row.session_id))
}

/// Asks a session something, on whatever node it is.
pub async fn ask(
    engine: &Engine,
    account: AccountId,
    session_id: &str,
    question: SessionQuestion,
) -> Result<SessionAnswer, SessionError> {
    let session = find(engine, account, session_id).await?;
    desk::ask(engine, account, session.row.inbox_id, question).await.map_err(SessionError::Session)
}

/// Says whether a session is to be connected.
async fn want(engine: &Engine, account: AccountId, inbox: InboxId, wanted: bool) -> Result<(), StoreError> {
    let now = engine.clock.now();
    engine.store.write(move |tx| linked_sessions::set_wanted(tx, account, inbox, wanted, now)).await
}

/// Adds the session beside an inbox that was just added, where its channel has such.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    channel: &dyn Channel,
    inbox: &frontdesk_model::inbox::InboxConfig,
    driver: &str,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(session_id) = channel.sessions().and_then(|sessions| sessions.session_id(&inbox.settings))
    else {
        return Ok(());
    };
    let new = NewLinkedSession {
        inbox_id: inbox.id,
        account_id: inbox.account_id,
        session_id,
        user_id: user,
        driver,
        webhook_url: None,
        wanted: true,
    };
    linked_sessions::insert(tx, new, now)
}

/// Removes what belongs to the session of an inbox that is being removed.
pub(crate) fn remove(tx: &mut Tx<'_>, account: AccountId, inbox: InboxId) -> Result<(), StoreError> {
    linked_sessions::delete(tx, account, inbox)?;
    linked_keys::clear(tx, inbox)?;
    linked_commands::delete_of_inbox(tx, inbox)
}
