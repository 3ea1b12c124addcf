//! Where the webhooks of a session go. The API has a word for it only when a session is made.

use async_trait::async_trait;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_whatsapp_gateway_client::RefusalKind;
use frontdesk_whatsapp_gateway_client::answer::Session;
use url::Url;

use super::account::is_loopback;
use super::errors::check_failed;
use super::outbound::RemoteSession;
use crate::contract::{Delivery, DeliveryTarget};

#[async_trait]
impl Delivery for RemoteSession {
    async fn arrange(&self, target: &DeliveryTarget) -> Result<(), ConnectionState> {
        self.check_target(target)?;
        match self.ask().status().await {
            Ok(session) => goes_to(&session, target),
            Err(error) if error.is(RefusalKind::NotFound) => {
                let secret = self.clients().webhook_secret.as_deref();
                let made = self.ask().create_session(Some(&target.url), secret).await;
                made.map(drop).map_err(|error| check_failed(&error))
            }
            Err(error) => Err(check_failed(&error)),
        }
    }

    async fn inspect(&self, target: &DeliveryTarget) -> Result<(), ConnectionState> {
        self.check_target(target)?;
        let session = self.ask().status().await.map_err(|error| check_failed(&error))?;
        goes_to(&session, target)
    }
}

impl RemoteSession {
    /// Refuses what cannot work.
    fn check_target(&self, target: &DeliveryTarget) -> Result<(), ConnectionState> {
        if target.token.is_none() {
            return Err(degraded(
                "Nothing tells genuine webhooks from others, so that they are refused.".to_owned(),
                "Enter the webhook secret that the gateway shows for this session.",
            ));
        }
        if Url::parse(&target.url).is_ok_and(|url| is_loopback(&url)) && !self.clients().is_local {
            return Err(degraded(
                format!("The gateway cannot reach this server at {}.", target.url),
                "Set FRONTDESK_PUBLIC_URL to the address this server has on the internet.",
            ));
        }
        Ok(())
    }
}

/// Looks where the webhooks of a session go, as far as its server tells. It may have several receivers.
fn goes_to(session: &Session, target: &DeliveryTarget) -> Result<(), ConnectionState> {
    let path =
        |url: &str| Url::parse(url).map(|url| (url.origin().ascii_serialization(), url.path().to_owned()));
    let same = |url: &String| match (path(url), path(&target.url)) {
        (Ok(there), Ok(here)) => there.0 == here.0 && here.1.ends_with(there.1.trim_start_matches("/api")),
        _ => false,
    };
    match &session.webhook_url {
        Some(url) if !same(url) => Err(degraded(
            format!("The gateway delivers webhooks of the session to {}, not here.", without_query(url)),
            "Enter the address of this server's webhook for the session on the gateway.",
        )),
        _ => Ok(()),
    }
}

/// An address as it may be shown: people have put secrets into what follows the path.
fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

fn degraded(message: String, action: &str) -> ConnectionState {
    ConnectionState::new(ConnectionCode::Degraded, message).with_action(action)
}
