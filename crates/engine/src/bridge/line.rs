//! A bridge ready to be used: its row, its settings, the client of its connection.

use frontdesk_channels::contract::Markup;
use frontdesk_chatwoot_client::ChatwootClient;
use frontdesk_model::{AccountId, BridgeId, MessageId};
use frontdesk_store::bridges::{self, BridgeRow};
use frontdesk_store::messages::MessageRow;

use super::settings::BridgeSettings;
use super::trouble::Trouble;
use crate::{Engine, inboxes, sync};

/// What we write there has an id that begins so.
const SOURCE_PREFIX: &str = "frontdesk-";
/// What was written there has a client key that begins so.
const KEY_PREFIX: &str = "chatwoot-";

/// A bridge ready to be used.
pub(super) struct Line {
    pub(super) bridge: BridgeRow,
    pub(super) settings: BridgeSettings,
    pub(super) client: ChatwootClient,
    /// The inbox there.
    pub(super) remote_inbox: i64,
    /// How texts of our inbox are marked up.
    pub(super) markup: Markup,
}

impl Line {
    pub(super) fn account(&self) -> AccountId {
        self.bridge.account_id
    }

    /// The client key of what was written there: not to be guessed, as nobody knows the address of the webhook.
    pub(super) fn client_key(&self, engine: &Engine, conversation: i64, message: i64) -> String {
        format!("{}{conversation}-{message}", self.key_prefix(engine))
    }

    /// Conversation and message there, when a message of ours was written there.
    pub(super) fn written_there(&self, engine: &Engine, message: &MessageRow) -> Option<(i64, i64)> {
        let key = message.client_key.as_deref()?.strip_prefix(&self.key_prefix(engine))?;
        // Of a message with several files, all but the first have a number behind.
        let key = key.split('\u{1f}').next()?;
        let (conversation, message) = key.split_once('-')?;
        Some((conversation.parse().ok()?, message.parse().ok()?))
    }

    fn key_prefix(&self, engine: &Engine) -> String {
        let signed = engine.vault.sign("bridges.client_key", &self.bridge.webhook_key);
        format!("{KEY_PREFIX}{}-", signed.get(..16).unwrap_or_default())
    }
}

/// What a message of ours is called there; `what` is the message itself, or something told of it.
pub(super) fn source_id(message: MessageId, what: &str) -> String {
    format!("{SOURCE_PREFIX}{message}{what}")
}

/// True for what we have written there.
pub(super) fn is_ours(source_id: &str) -> bool {
    source_id.starts_with(SOURCE_PREFIX)
}

/// Opens a bridge.
///
/// Errors: it is gone or not set up, its connection is gone, the database failed.
pub(super) async fn open(engine: &Engine, account: AccountId, id: BridgeId) -> Result<Line, Trouble> {
    let row = engine.store.read(move |tx| bridges::find(tx, account, id)).await?;
    let row = row.ok_or_else(|| Trouble::Refused("the bridge is gone".to_owned()))?;
    of_row(engine, row).await
}

/// The same for a row that was read already.
pub(super) async fn of_row(engine: &Engine, bridge: BridgeRow) -> Result<Line, Trouble> {
    let Some(remote_inbox) = bridge.remote_inbox_id else {
        return Err(Trouble::People("The bridge is not set up yet: switch it on again.".to_owned()));
    };
    let client = sync::clients::of(engine, bridge.account_id, bridge.connection_id)
        .await
        .map_err(Trouble::connection)?;
    let book = inboxes::book(engine).await?;
    let markup = book.find(bridge.inbox_id).map_or(Markup::Plain, |inbox| inbox.channel.markup());
    let settings = BridgeSettings::parse(&bridge.settings);
    Ok(Line { bridge, settings, client, remote_inbox, markup })
}
