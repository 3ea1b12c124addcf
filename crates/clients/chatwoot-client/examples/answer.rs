//! Makes a contact, begins a conversation, answers in it and reads it: `cargo run --example answer`, against the Chatwoot of
//! `CHATWOOT_URL` and `CHATWOOT_API_TOKEN`, else a fake one. Its first API inbox is used, or one is made.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "support/fake.rs"]
mod fake;

use std::error::Error;

use frontdesk_chatwoot_client::{
    CachedChatwoot, ChatwootClient, MessageQuery, NewApiInbox, NewContact, NewConversation, NewMessage,
};
use frontdesk_provider_http::install_crypto;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    install_crypto();
    let cached = CachedChatwoot::new(ChatwootClient::new(fake::settings().await?)?);
    let client = cached.client();
    println!("health: {}", serde_json::to_string(&client.health_check().await)?);

    let inboxes = client.list_inboxes().await?;
    let api = inboxes.into_iter().find(|inbox| inbox.channel_type.as_deref() == Some("Channel::Api"));
    let inbox = match api {
        Some(inbox) => inbox,
        None => {
            client
                .create_api_inbox(&NewApiInbox { name: "Example".to_owned(), ..NewApiInbox::default() })
                .await?
        }
    };
    let joao = NewContact {
        name: Some("João Silva".to_owned()),
        email: Some("joao@example.com".to_owned()),
        phone_number: Some("+5511999999999".to_owned()),
        ..NewContact::default()
    };
    let contact = cached.client().create_or_update_contact(&joao).await?;
    println!("contact {}", contact.id);
    let begin = NewConversation {
        inbox_id: Some(inbox.id),
        contact_id: Some(contact.id),
        ..NewConversation::default()
    };
    let conversation = cached.create_conversation(&begin).await?;
    cached.create_message(conversation.id, &NewMessage::incoming("Is my order out?")).await?;
    cached.create_message(conversation.id, &NewMessage::text("On its way.")).await?;
    for _ in 0..2 {
        for message in &cached.get_messages(conversation.id, &MessageQuery::newest(50)).await?.data {
            let sender = message.sender.as_ref().map_or("nobody", |sender| sender.name.as_str());
            println!("{sender}: {}", message.content.as_deref().unwrap_or_default());
        }
    }
    println!("cache: {}", serde_json::to_string(&cached.cache_stats())?);
    match client.get_conversation(999_999_999).await {
        Ok(_) => println!("there is one"),
        Err(error) => println!("{}", serde_json::to_string(&error)?),
    }
    Ok(())
}
