//! Inboxes: connecting, changing and disconnecting accounts on channels, and what every node knows of them.
//!
//! Secrets are sealed for the row they stand in and opened only into the [`InboxBook`], which each node keeps in
//! memory until [`frontdesk_store::Topic::Inboxes`] rings.

mod book;
mod form;
mod link;
pub(crate) mod mirror;
mod templates;

use frontdesk_channels::contract::{Channel, Connection, FieldError};
use frontdesk_channels::registry::find_channel;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState, InboxConfig, InboxSettings};
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::inboxes::{self, InboxRow, NewInboxRow};
use frontdesk_store::{StoreError, Tx, bridges, linked_sessions, outbox};
use serde_json::{Value, json};

pub(crate) use book::InboxBooks;
pub use book::{Inbox, InboxBook};
pub use form::SettingChange;
pub use link::{LinkError, is_reachable, link_step, restart, sign_out};
pub(crate) use templates::Remembered as RememberedTemplates;
pub use templates::templates;

use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::vault::{Vault, VaultError};
use crate::{Engine, bridge, linked, monitoring, watch, webhooks};
use form::FilledForm;

/// An inbox to connect.
pub struct NewInbox {
    /// The channel's name.
    pub channel: String,
    /// The name people give it.
    pub name: String,
    /// The channel's fields, secret ones included.
    pub settings: InboxSettings,
}

/// What to change about an inbox; `None` leaves it.
#[derive(Default)]
pub struct InboxChanges {
    /// Another name.
    pub name: Option<String>,
    /// Fields to change; those not named stay.
    pub settings: Vec<(String, SettingChange)>,
    /// False stops sending and checking.
    pub enabled: Option<bool>,
}

/// An inbox could not be connected, changed or checked.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The input is wrong; one sentence per field.
    #[error("the inbox's data are not valid")]
    Invalid(Vec<FieldError>),
    /// There is no such inbox in this account.
    #[error("there is no such inbox")]
    NotFound,
    /// A secret could not be sealed or opened.
    #[error("the secrets of the inbox cannot be used")]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the inbox could not be stored")]
    Store(#[from] StoreError),
}

/// Connects an inbox in the actor's account. Its provider is not asked here, see [`check`].
pub async fn create(engine: &Engine, actor: Actor, new: NewInbox) -> Result<InboxRow, InboxError> {
    let channel = find_channel(&new.channel).filter(|channel| !channel.info().mirrored).ok_or_else(|| {
        InboxError::Invalid(vec![form::error("channel", "The selected channel is invalid.")])
    })?;
    let form = form::fill(channel, &new.name, new.settings).map_err(InboxError::Invalid)?;
    let driver = driver_of(engine, channel, &form.open)?;
    let route_key = within_account(channel, actor.account_id, &form.route_key);
    let (cloned, now) = (engine.clone(), engine.clock.now());
    let stored = engine.store.write(move |tx| -> Result<_, InboxError> {
        let state = ConnectionState::new(ConnectionCode::Connecting, "Not checked yet.");
        let row = NewInboxRow {
            account_id: actor.account_id,
            channel: channel.info().name,
            name: &form.name,
            route_key: &route_key,
            settings: &form.open,
            state: &state,
        };
        let id = inboxes::insert(tx, row, now)?;
        let config = InboxConfig {
            id,
            account_id: actor.account_id,
            channel: channel.info().name.to_owned(),
            settings: form.open.clone(),
        };
        linked::insert(tx, channel, &config, driver, actor.user_id, now)?;
        let sealed = seal(&cloned.vault, id, &form.secret)?;
        inboxes::set_secrets(tx, actor.account_id, id, &sealed)?;
        let details = json!({ "channel": channel.info().name, "name": form.name });
        record(tx, actor, "inbox.created", id, Some(&details), now)?;
        inboxes::find(tx, actor.account_id, id)?.ok_or(InboxError::NotFound)
    });
    stored.await.map_err(|error| route_taken(error, channel))
}

/// Changes an inbox of the actor's account.
pub async fn update(
    engine: &Engine,
    actor: Actor,
    inbox: InboxId,
    changes: InboxChanges,
) -> Result<InboxRow, InboxError> {
    let before = get(engine, actor.account_id, inbox).await?;
    let channel = find_channel(&before.config.channel).ok_or(InboxError::NotFound)?;
    if channel.info().mirrored && !changes.settings.is_empty() {
        let sentence = "The sync fills in what this inbox is: change its connection.";
        return Err(InboxError::Invalid(vec![form::error("settings", sentence)]));
    }
    let (cloned, now) = (engine.clone(), engine.clock.now());
    let stored = engine.store.write(move |tx| -> Result<_, InboxError> {
        let before = inboxes::find(tx, actor.account_id, inbox)?.ok_or(InboxError::NotFound)?;
        let mut settings = before.config.settings.clone();
        settings.extend(open(&cloned.vault, inbox, &before.config.sealed_secrets)?);
        form::apply(&mut settings, &changes.settings);
        let name = changes.name.as_deref().unwrap_or(&before.config.name);
        let form = form::fill(channel, name, settings).map_err(InboxError::Invalid)?;
        let mut config = before.config.clone();
        config.sealed_secrets = seal(&cloned.vault, inbox, &form.secret)?;
        let FilledForm { name, route_key, open, .. } = form;
        if let Some(session_id) = channel.sessions().and_then(|sessions| sessions.session_id(&open)) {
            let driver = driver_of(&cloned, channel, &open)?;
            linked_sessions::set_settings(tx, actor.account_id, inbox, session_id, driver, now)?;
        }
        let route_key = within_account(channel, actor.account_id, &route_key);
        (config.name, config.route_key, config.settings) = (name, route_key, open);
        config.enabled = changes.enabled.unwrap_or(config.enabled);
        inboxes::update(tx, &config, now)?;
        if config.enabled {
            outbox::wake_inbox(tx, inbox, now)?; // what waited for better credentials need not wait longer
        }
        if config.enabled != before.config.enabled || !changes.settings.is_empty() {
            let state = if config.enabled {
                ConnectionState::new(ConnectionCode::Connecting, "Not checked since it was changed.")
            } else {
                ConnectionState::new(ConnectionCode::Paused, "Switched off.")
                    .with_action("Switch it on to send again.")
            };
            store_state(tx, actor.account_id, inbox, &state, now)?;
        }
        let fields: Vec<&str> = changes.settings.iter().map(|(key, _)| key.as_str()).collect();
        let details = json!({ "name": config.name, "enabled": config.enabled, "fields": fields });
        record(tx, actor, "inbox.updated", inbox, Some(&details), now)?;
        inboxes::find(tx, actor.account_id, inbox)?.ok_or(InboxError::NotFound)
    });
    stored.await.map_err(|error| route_taken(error, channel))
}

/// Disconnects an inbox and forgets its secrets. Its conversations stay readable.
pub async fn delete(engine: &Engine, actor: Actor, inbox: InboxId) -> Result<(), InboxError> {
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| {
            if !inboxes::delete(tx, actor.account_id, inbox, now)? {
                return Err(InboxError::NotFound);
            }
            linked::remove(tx, actor.account_id, inbox)?;
            if let Some(bridge) = bridges::find_of_inbox(tx, actor.account_id, inbox)? {
                bridge::setup::forget(tx, actor.account_id, bridge.id)?;
            }
            webhooks::endpoints::forget_of_inbox(tx, actor.account_id, inbox)?;
            Ok(record(tx, actor, "inbox.deleted", inbox, None, now)?)
        })
        .await
}

/// The name of the driver that an inbox asks for; empty where its channel has no sessions.
fn driver_of(
    engine: &Engine,
    channel: &dyn Channel,
    settings: &InboxSettings,
) -> Result<&'static str, InboxError> {
    let Some(sessions) = channel.sessions() else { return Ok("") };
    match sessions.driver(&engine.channels, settings) {
        Ok(driver) => Ok(driver.name),
        Err(error) => Err(InboxError::Invalid(vec![form::error(
            "settings.driver",
            &format!("The driver field: {error}."),
        )])),
    }
}

/// The route of an inbox. Names that people give sessions are their account's own: another may give the same.
fn within_account(channel: &dyn Channel, account: AccountId, route_key: &str) -> String {
    match channel.sessions() {
        Some(_) => format!("{account}/{route_key}"),
        None => route_key.to_owned(),
    }
}

/// One inbox of an account.
pub async fn get(engine: &Engine, account: AccountId, inbox: InboxId) -> Result<InboxRow, InboxError> {
    let row = engine.store.read(move |tx| inboxes::find(tx, account, inbox)).await?;
    row.ok_or(InboxError::NotFound)
}

/// Inboxes of an account after an id.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    after: InboxId,
    limit: i64,
) -> Result<Vec<InboxRow>, StoreError> {
    engine.store.read(move |tx| inboxes::list(tx, account, after, limit)).await
}

/// Asks the provider now whether the credentials work, and stores the answer. An inbox that is switched off stays so.
pub async fn check(engine: &Engine, account: AccountId, id: InboxId) -> Result<InboxRow, InboxError> {
    let row = get(engine, account, id).await?;
    if row.config.enabled {
        let opened = book(engine).await?.find(id).cloned().map(|inbox| {
            let context = monitoring::context_of(engine, &inbox);
            inbox.channel.open(&context, &inbox.config).map(|connection| (inbox, connection))
        });
        let state = match opened {
            Some(Ok((inbox, connection))) => {
                let state = connection.check().await;
                let problem = watch::arrange(engine, &inbox, &*connection, &state).await;
                watch::worse(state, problem)
            }
            Some(Err(error)) => ConnectionState::new(ConnectionCode::Reconnect, error.reason)
                .with_action("Enter the credentials again."),
            None => secrets_lost(),
        };
        set_state(engine, account, id, state).await?;
    }
    get(engine, account, id).await
}

/// What is wrong with where the provider of an inbox delivers, if anything. Changes nothing there.
pub async fn inspect_delivery(
    engine: &Engine,
    inbox: &Inbox,
    connection: &dyn Connection,
) -> Option<ConnectionState> {
    let (delivery, target) = (connection.delivery()?, watch::target(engine, inbox)?);
    delivery.inspect(&target).await.err()
}

/// Stores the state of an inbox and tells everyone, when it changed.
pub async fn set_state(
    engine: &Engine,
    account: AccountId,
    inbox: InboxId,
    state: ConnectionState,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    engine.store.write(move |tx| store_state(tx, account, inbox, &state, now)).await
}

/// As [`set_state`], unless the inbox is in a state that is younger than `state.since`.
pub(crate) async fn set_state_unless_newer(
    engine: &Engine,
    account: AccountId,
    inbox: InboxId,
    state: ConnectionState,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| {
            if is_outdated(tx, account, inbox, &state)? {
                return Ok(());
            }
            store_state(tx, account, inbox, &state, now)
        })
        .await
}

/// True when an inbox is in a state that is younger than this one.
pub(crate) fn is_outdated(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    state: &ConnectionState,
) -> Result<bool, StoreError> {
    let Some(since) = state.since else { return Ok(false) };
    let row = inboxes::find(tx, account, inbox)?;
    Ok(row.and_then(|row| row.state.since).is_some_and(|known| known > since))
}

/// As [`set_state`], within a transaction.
pub fn store_state(
    tx: &mut Tx<'_>,
    account: AccountId,
    inbox: InboxId,
    state: &ConnectionState,
    now: Timestamp,
) -> Result<(), StoreError> {
    // What a provider tells it may tell late; not of the future.
    let since = state.since.filter(|since| *since < now).unwrap_or(now);
    if inboxes::set_state(tx, account, inbox, state, since)? {
        if state.code == ConnectionCode::Connected {
            outbox::wake_inbox(tx, inbox, now)?;
        }
        let state = ConnectionState { since: Some(since), ..state.clone() };
        tx.emit(NewEvent {
            account_id: account,
            kind: EventKind::InboxStateChanged,
            conversation_id: None,
            message_id: None,
            data: Some(json!({ "inbox_id": inbox, "state": state }).to_string()),
        });
    }
    Ok(())
}

/// What this node knows of all inboxes, up to date with the last change.
pub async fn book(engine: &Engine) -> Result<std::sync::Arc<InboxBook>, StoreError> {
    engine.state.inboxes.open(engine).await
}

/// The same, read again from the database: for those who miss an inbox that another node may just have added.
pub(crate) async fn fresh_book(engine: &Engine) -> Result<std::sync::Arc<InboxBook>, StoreError> {
    engine.state.inboxes.reopen(engine).await
}

/// Where the provider delivers webhooks of this channel; `None` when it has none.
pub fn webhook_url(engine: &Engine, channel: &dyn Channel) -> Option<String> {
    channel.door().map(|door| format!("{}{}", engine.settings.public_url, door.path()))
}

fn secrets_lost() -> ConnectionState {
    ConnectionState::new(
        ConnectionCode::Reconnect,
        "The stored credentials cannot be opened: they were sealed with another FRONTDESK_SECRET_KEY.",
    )
    .with_action("Enter the credentials again.")
}

fn purpose(inbox: InboxId) -> String {
    format!("inboxes.secrets:{inbox}")
}

fn seal(vault: &Vault, inbox: InboxId, secrets: &InboxSettings) -> Result<Vec<u8>, VaultError> {
    vault.seal(&purpose(inbox), json!(secrets).to_string().as_bytes())
}

fn open(vault: &Vault, inbox: InboxId, sealed: &[u8]) -> Result<InboxSettings, VaultError> {
    let secrets = vault.open(&purpose(inbox), sealed)?;
    serde_json::from_slice(&secrets).map_err(|_| VaultError::Damaged)
}

/// The database refused a second inbox for the same number or page: say which field, and why.
fn route_taken(error: InboxError, channel: &dyn Channel) -> InboxError {
    match error {
        InboxError::Store(store) if store.is_unique_violation() => {
            InboxError::Invalid(vec![form::route_taken(channel)])
        }
        other => other,
    }
}

fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    inbox: InboxId,
    details: Option<&Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::record(tx, actor, Deed { action, subject_type: "inbox", subject_id: inbox.0 }, details, now)
}
