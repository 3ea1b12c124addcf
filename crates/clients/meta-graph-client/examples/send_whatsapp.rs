//! Sends a text: `cargo run --example send_whatsapp -- PHONE_NUMBER_ID RECEIVER TEXT`, the token in
//! `META_ACCESS_TOKEN`, another server than Meta's in `META_GRAPH_URL`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use frontdesk_meta_graph_client::{
    GRAPH_BASE_URL, GraphAccount, GraphClient, Product, client, decide,
    whatsapp::{OutgoingMessage, Recipient},
};
use frontdesk_provider_http::{AddressPolicy, ProviderHttp, install_crypto};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    install_crypto();
    let [number, receiver, text] = env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "usage")?;
    let base_url = env::var("META_GRAPH_URL").unwrap_or_else(|_| GRAPH_BASE_URL.to_owned());
    let mut settings = client::provider_settings(base_url.parse()?);
    settings.addresses = AddressPolicy::with_loopback();
    let token = env::var("META_ACCESS_TOKEN")?;
    let graph = GraphClient::new(ProviderHttp::new(settings)?, GraphAccount::new("example", token.into()));
    let message = OutgoingMessage::text(Recipient::Phone(receiver), text);
    match graph.send_whatsapp(&number, &message).await {
        Ok(sent) => println!("accepted as {}", sent.id),
        Err(error) => println!("{error}: {}", decide(Product::WhatsApp, &error, 1).advice),
    }
    Ok(())
}
