//! Where the examples go: the Chatwoot that the environment names, or a fake one in this process.

use std::error::Error;

use frontdesk_chatwoot_client::ChatwootSettings;
use frontdesk_provider_http::AddressPolicy;
use frontdesk_sandbox::{Sandbox, SandboxSettings};

/// Settings of the one of the environment, else of a fake one.
pub async fn settings() -> Result<ChatwootSettings, Box<dyn Error>> {
    if let Ok(settings) = ChatwootSettings::from_env() {
        return Ok(settings);
    }
    let (router, sandbox) = Sandbox::new(SandboxSettings::default())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    sandbox.set_public_url(&url);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut settings = ChatwootSettings::new(format!("{url}/chatwoot").parse()?, "any".into(), 1);
    settings.addresses = AddressPolicy::with_loopback();
    Ok(settings)
}
