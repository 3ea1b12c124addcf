//! The demo's Chatwoot: connected as a person would do it, with a webhook made there, and a customer who wrote there.

use std::net::SocketAddr;

use anyhow::Context;
use frontdesk_engine::chatwoot::{
    self, ChatwootClient, NewContact, NewConversation, NewMessage, NewWebhook, webhook,
};
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
