//! Sends a text and shows what becomes of it: `cargo run --example send_text -- INSTANCE PHONE TEXT`, the token in
//! `GREEN_API_TOKEN`, another server than Green API's in `GREEN_API_BASE_URL`. Without a token a fake one is started.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "support/fake.rs"]
mod fake;

use std::{env, error::Error, time::Duration};

use frontdesk_green_api_client::{
    ChatId, Instance, InstancePool, client, decide,
    methods::{account::Settings, sending::SendMessage},
    webhook::Event,
};
use frontdesk_provider_http::{AddressPolicy, install_crypto};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    install_crypto();
    let server = fake::server().await?;
    let mut settings = client::provider_settings(server.base_url.parse()?);
    settings.addresses = AddressPolicy::with_loopback();
    let pool = InstancePool::new(settings)?;
    let mut arguments = env::args().skip(1);
    let id = arguments.next().map_or(Ok(server.instance), |id| id.parse())?;
    let phone = arguments.next().unwrap_or_else(|| "+1 555 010 0002".to_owned());
    let said = arguments.next().unwrap_or_else(|| "Your room is ready.".to_owned());
    let hotel = pool.put(Instance::new(id, server.token.into()));

    println!("state: {}", hotel.get_state_instance().await?.as_str());
    let wanted = Settings { outgoing_webhook: Some(true), ..Settings::default() };
    hotel.set_settings(&wanted).await?;
    match hotel.send_message(&SendMessage::new(ChatId::of_phone(&phone)?, said)).await {
        Ok(queued) => println!("queued as {}", queued.id_message),
        Err(error) => println!("{error}: {}", decide(&error).advice),
    }
    while let Some(notification) = hotel.receive_notification(Duration::from_secs(5)).await? {
        if let Ok(webhook) = notification.webhook()
            && let Event::Status(status) = webhook.event
        {
            println!("status: {}", status.status.unwrap_or_default());
        }
        hotel.delete_notification(notification.receipt_id).await?;
    }
    Ok(())
}
