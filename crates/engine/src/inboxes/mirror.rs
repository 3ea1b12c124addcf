//! Inboxes that a sync makes: they show what is in an inbox of another program, and have the sync's credentials.

use frontdesk_channels::contract::Channel;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState, InboxSettings};
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_store::inboxes::{self, InboxConfigRow, InboxRow, NewInboxRow};
use frontdesk_store::{StoreError, Tx};

use super::{InboxError, form, open, seal, store_state};
use crate::vault::Vault;

/// The longest name of an inbox.
const MAX_NAME: usize = 100;

/// An inbox as the sync knows it.
#[derive(Clone)]
pub(crate) struct Mirror {
    pub account: AccountId,
    pub channel: &'static dyn Channel,
    /// What it is called there: its name here until people give it another.
    pub name: String,
    pub settings: InboxSettings,
}

/// Where it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It is filled.
    Here(InboxId),
    /// People switched it off: nothing comes in until they switch it on.
    Off,
    /// People removed it: it stays away.
    Removed,
}

/// Finds the inbox, or makes it, and gives it the credentials that hold now. Writes nothing when all is so already.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    vault: &Vault,
    mirror: &Mirror,
    now: Timestamp,
) -> Result<Stands, InboxError> {
    let name = tidy_name(&mirror.name);
    let filled = form::fill(mirror.channel, &name, mirror.settings.clone()).map_err(InboxError::Invalid)?;
    let channel = mirror.channel.info().name;
    if let Some(row) = inboxes::find_by_route(tx, channel, &filled.route_key)? {
        if row.config.account_id != mirror.account {
            return Ok(Stands::Removed); // no route of one account is another's: see the sync's `place`
        }
        return renew(tx, vault, row, &filled.open, &filled.secret, now);
    }
    if inboxes::was_removed(tx, mirror.account, channel, &filled.route_key)? {
        return Ok(Stands::Removed);
    }
    let state = working();
    let row = NewInboxRow {
        account_id: mirror.account,
        channel,
        name: &filled.name,
        route_key: &filled.route_key,
        settings: &filled.open,
        state: &state,
    };
    let id = inboxes::insert(tx, row, now)?;
    let sealed = seal(vault, id, &filled.secret)?;
    inboxes::set_secrets(tx, mirror.account, id, &sealed)?;
    Ok(Stands::Here(id))
}

fn renew(
    tx: &mut Tx<'_>,
    vault: &Vault,
    row: InboxRow,
    open_settings: &InboxSettings,
    secret: &InboxSettings,
    now: Timestamp,
) -> Result<Stands, InboxError> {
    let id = row.config.id;
    let known = open(vault, id, &row.config.sealed_secrets).unwrap_or_default();
    if row.config.settings == *open_settings && known == *secret {
        return Ok(if row.config.enabled { Stands::Here(id) } else { Stands::Off });
    }
    let account = row.config.account_id;
    let mut config = row.config;
    // Without credentials it was the removal of its connection that switched it off, and nobody's will.
    config.enabled = config.enabled || known.is_empty();
    config.settings = open_settings.clone();
    config.sealed_secrets = seal(vault, id, secret)?;
    inboxes::update(tx, &config, now)?;
    if !config.enabled {
        return Ok(Stands::Off);
    }
    store_state(tx, account, id, &working(), now)?;
    Ok(Stands::Here(id))
}

/// The inboxes of a channel in an account whose place begins so.
pub(crate) fn of_place(
    tx: &mut Tx<'_>,
    account: AccountId,
    channel: &'static dyn Channel,
    place: &str,
) -> Result<Vec<InboxConfigRow>, StoreError> {
    let mut rows = inboxes::list_configs(tx)?;
    rows.retain(|row| {
        row.account_id == account && row.channel == channel.info().name && row.route_key.starts_with(place)
    });
    Ok(rows)
}

/// Takes the credentials from the inboxes whose place begins so: their connection was removed. What is in them stays.
pub(crate) fn cut_off(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account: AccountId,
    channel: &'static dyn Channel,
    place: &str,
    now: Timestamp,
) -> Result<(), InboxError> {
    for mut row in of_place(tx, account, channel, place)? {
        row.sealed_secrets = seal(vault, row.id, &InboxSettings::new())?;
        row.enabled = false;
        inboxes::update(tx, &row, now)?;
        let state = ConnectionState::new(ConnectionCode::Paused, "Its connection was removed.")
            .with_action("Connect it again to write here.");
        store_state(tx, account, row.id, &state, now)?;
    }
    Ok(())
}

fn working() -> ConnectionState {
    ConnectionState::new(ConnectionCode::Connected, "It is kept in step.")
}

/// One line, as long as a name may be.
fn tidy_name(name: &str) -> String {
    let line: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_NAME).collect();
    let line = line.trim();
    if line.is_empty() { "Chatwoot".to_owned() } else { line.to_owned() }
}
