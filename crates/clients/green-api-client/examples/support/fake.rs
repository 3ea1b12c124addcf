//! Where the examples go: Green API as the environment names it, or a fake one in this process.

use std::{env, error::Error};

use frontdesk_sandbox::{Sandbox, SandboxSettings, inbox::Inbox};
use serde_json::json;

/// A server and an instance on it.
pub struct Server {
    pub base_url: String,
    pub instance: u64,
    pub token: String,
}

/// The one of the environment, else a fake one.
pub async fn server() -> Result<Server, Box<dyn Error>> {
    if let Ok(token) = env::var("GREEN_API_TOKEN") {
        let usual = frontdesk_green_api_client::GREEN_API_BASE_URL.to_owned();
        let base_url = env::var("GREEN_API_BASE_URL").unwrap_or(usual);
        return Ok(Server { base_url, instance: 0, token });
    }
    let (router, sandbox) = Sandbox::new(SandboxSettings::default())?;
    let inbox: Inbox = serde_json::from_value(json!({
        "id": "hotel", "channel": "green_api", "name": "Hotel", "account_id": "7105000001",
    }))?;
    sandbox.world().inboxes.insert(inbox.id.clone(), inbox);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}/green", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Server { base_url, instance: 7_105_000_001, token: "any".to_owned() })
}
