//! The demo's Chatwoot: connected as a person would do it, with a webhook made there, a customer who wrote there, and one of
//! our inboxes shown in it.

use std::net::SocketAddr;

use anyhow::Context;
use frontdesk_engine::bridge::BridgeSettings;
use frontdesk_engine::bridge::setup::{self, NewBridgeOf};
use frontdesk_engine::caller::Actor;
use frontdesk_engine::chatwoot::{
    self, ChatwootClient, NewContact, NewConversation, NewMessage, NewWebhook, webhook,
};
use frontdesk_engine::sync::SyncProvider;
use frontdesk_engine::sync::connections::{self, NewConnection};
use frontdesk_engine::{Engine, accounts, inboxes};
use frontdesk_model::InboxId;
use frontdesk_sandbox::Sandbox;
use secrecy::SecretString;

use crate::settings::{Environment, Settings};

/// The account and the inbox that the fake Chatwoot has from the start.
const ACCOUNT: i64 = 1;
const INBOX: i64 = 1;
/// What is told of; the rest of Chatwoot's events says nothing of what is kept.
const EVENTS: [&str; 7] = [
    "message_created",
    "message_updated",
    "conversation_created",
    "conversation_updated",
    "conversation_status_changed",
    "contact_created",
    "contact_updated",
];

/// Sets the fake Chatwoot up in place of whatever the operator has, and has it deliver to the server.
pub async fn connect(
    settings: &mut Settings,
    sandbox: &Sandbox,
    server: SocketAddr,
    token: &SecretString,
) -> anyhow::Result<ChatwootClient> {
    settings.chatwoot = Settings::load(None, &Environment::default())?.chatwoot;
    settings.chatwoot.url = Some(format!("{}/chatwoot", sandbox.public_url()).parse()?);
    settings.chatwoot.api_token = Some(token.clone());
    settings.chatwoot.account_id = ACCOUNT;
    let wanted = settings.for_engine().chatwoot.context("the fake Chatwoot has no address")?;
    let client = chatwoot::probe(wanted).map_err(anyhow::Error::msg)?;
    let new = NewWebhook {
        url: format!("http://{server}{}", webhook::PATH),
        name: Some("Frontdesk".to_owned()),
        subscriptions: EVENTS.map(str::to_owned).to_vec(),
    };
    let made = client.create_webhook(&new).await.context("the fake Chatwoot took no webhook")?;
    settings.chatwoot.webhook.secrets = made.secret.into_iter().collect();
    Ok(client)
}

/// Connects it for sync too, and shows the first of our inboxes in it; returns the name of that inbox.
pub async fn bridge(engine: &Engine, sandbox: &Sandbox, token: &SecretString) -> anyhow::Result<String> {
    let account = accounts::bootstrap(engine).await?.id;
    let actor = Actor::server(account);
    let new = NewConnection {
        provider: SyncProvider::Chatwoot,
        name: None,
        api_key: token.clone(),
        remote_account: ACCOUNT.to_string(),
        api_url: Some(format!("{}/chatwoot", sandbox.public_url())),
        webhook_secrets: Vec::new(),
        schedule: None,
    };
    let connection = connections::create(engine, actor, new).await?.row.id;
    let inbox =
        inboxes::list(engine, account, InboxId(0), 1).await?.pop().context("the demo has no inbox")?;
    let settings = BridgeSettings { signature: true, ..BridgeSettings::default() };
    let new = NewBridgeOf { connection, inbox: inbox.config.id, name: None, settings };
    setup::create(engine, actor, new).await?;
    Ok(inbox.config.name)
}

/// Lets a customer write there; returns the conversation.
pub async fn write(client: &ChatwootClient) -> anyhow::Result<i64> {
    let contact = NewContact {
        name: Some("Ana Souza".to_owned()),
        email: Some("ana@example.org".to_owned()),
        phone_number: Some("+5511987654321".to_owned()),
        inbox_id: Some(INBOX),
        ..NewContact::default()
    };
    let contact = client.create_contact(&contact).await?.contact;
    let conversation =
        NewConversation { inbox_id: Some(INBOX), contact_id: Some(contact.id), ..NewConversation::default() };
    let conversation = client.create_conversation(&conversation).await?;
    client.create_message(conversation.id, &NewMessage::incoming("Oi! Meu pedido já saiu?")).await?;
    Ok(conversation.id)
}
