//! The inbox that the settings describe: connected when the server starts, so that the environment alone is enough.

use anyhow::Context;
use frontdesk_engine::Engine;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, InboxChanges, InboxError, NewInbox, SettingChange};
use frontdesk_model::{AccountId, InboxId};
use secrecy::ExposeSecret;

use crate::settings::GatewaySettings;

/// The channel of it.
const CHANNEL: &str = "whatsapp_gateway";

/// Connects the session that the settings name. An inbox that is connected to it already gets what the settings now say, and
/// stays named, switched off and routed as people left it.
pub async fn connect(engine: &Engine, account: AccountId, settings: &GatewaySettings) -> anyhow::Result<()> {
    let GatewaySettings {
        api_url: Some(url),
        api_token: Some(token),
        session_id: Some(session),
        webhook_secret,
    } = settings
    else {
        return Ok(());
    };
    let actor = Actor::server(account);
    let url = url.as_str().trim_end_matches('/');
    let mut filled = vec![("api_url", url), ("token", token.expose_secret()), ("session_id", session)];
    filled.extend(webhook_secret.as_ref().map(|secret| ("webhook_secret", secret.expose_secret())));
    let book = inboxes::book(engine).await?;
    let known = book.all().find(|inbox| {
        let config = &inbox.config;
        config.account_id == account
            && config.channel == CHANNEL
            && config.settings.get("session_id").is_some_and(|id| id == session)
            && config.settings.get("api_url").is_some_and(|at| at.trim_end_matches('/') == url)
    });
    let Some(known) = known else {
        let settings = filled.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let new = NewInbox { channel: CHANNEL.to_owned(), name: format!("WhatsApp {session}"), settings };
        return match inboxes::create(engine, actor, new).await {
            Ok(_) => Ok(()),
            // Another node starts at the same moment and was first, or it is another account's.
            Err(InboxError::Invalid(fields)) => {
                let why: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
                tracing::warn!(reason = why.join(" "), "the inbox of WHATSAPP_API_URL was not connected");
                Ok(())
            }
            Err(error) => Err(error).context("the inbox of WHATSAPP_API_URL could not be connected"),
        };
    };
    let is_so =
        |(key, value): &(&str, &str)| known.config.settings.get(*key).is_some_and(|held| held == value);
    let changed: Vec<_> = filled
        .iter()
        .filter(|(key, _)| *key != "api_url" && *key != "session_id")
        .filter(|field| !is_so(field))
        .map(|(key, value)| ((*key).to_owned(), SettingChange::Set((*value).to_owned())))
        .collect();
    if !changed.is_empty() {
        let id: InboxId = known.config.id;
        let changes = InboxChanges { settings: changed, ..InboxChanges::default() };
        let updated = inboxes::update(engine, actor, id, changes).await;
        updated.context("the inbox of WHATSAPP_API_URL could not be changed")?;
    }
    Ok(())
}
