//! How notifications come here: by webhook, which Green API has to be told, or by asking for them.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_green_api_client::methods::account::Settings;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use url::{Host, Url};

use super::errors::{check_failed, send_error};
use super::outbound::Instance;
use crate::contract::{Delivery, DeliveryTarget, Polled, Polling, SendError};

/// How long one question waits for a notification.
const POLL: Duration = Duration::from_secs(20);

/// Everything that the channel reads, delivered to `url`, or handed out when that is empty.
fn wanted(url: String, token: Option<String>) -> Settings {
    let on = Some(true);
    Settings {
        webhook_url: Some(url),
        webhook_url_token: token,
        incoming_webhook: on,
        outgoing_webhook: on,
        outgoing_message_webhook: on,
        outgoing_api_message_webhook: on,
        state_webhook: on,
        poll_message_webhook: on,
        incoming_call_webhook: on,
        outgoing_call_webhook: on,
        edited_message_webhook: on,
        deleted_message_webhook: on,
        ..Settings::default()
    }
}

#[async_trait]
impl Delivery for Instance {
    /// Changed settings restart the instance, so that nothing is changed without need. Green API has said "saved"
    /// without saving (issue 1096 of its tracker): what it has stored is what counts.
    async fn arrange(&self, target: &DeliveryTarget) -> Result<(), ConnectionState> {
        let wanted = self.wanted(target)?;
        let failed = |error| check_failed(&error);
        if wanted.missing_in(&self.ask().get_settings().await.map_err(failed)?).is_empty() {
            return Ok(());
        }
        let saved = self.ask().set_settings(&wanted).await.map_err(failed)?;
        let missing = wanted.missing_in(&self.ask().get_settings().await.map_err(failed)?);
        if saved && missing.is_empty() {
            return Ok(());
        }
        Err(degraded(
            format!("Green API did not keep these settings of the instance: {}.", missing.join(", ")),
            "It is tried again. If it lasts, set them in the Green API console.",
        ))
    }

    async fn inspect(&self, target: &DeliveryTarget) -> Result<(), ConnectionState> {
        let wanted = self.wanted(target)?;
        let stored = self.ask().get_settings().await.map_err(|error| check_failed(&error))?;
        match difference(&wanted, &stored) {
            None => Ok(()),
            Some(message) => Err(degraded(message, SET_IT)),
        }
    }
}

/// What sets an instance right that delivers elsewhere.
const SET_IT: &str =
    "Check this inbox (Check now on the page, or `frontdesk inbox check`): that sets the instance.";

/// What is wrong with the settings of an instance, for people.
fn difference(wanted: &Settings, stored: &Settings) -> Option<String> {
    let missing = wanted.missing_in(stored);
    let address = stored.webhook_url.as_deref().unwrap_or_default();
    Some(match missing.as_slice() {
        [] => return None,
        ["webhookUrl", ..] if wanted.webhook_url.as_deref() == Some("") => {
            format!(
                "Green API delivers to {}, so that nothing is left to be fetched.",
                without_query(address)
            )
        }
        ["webhookUrl", ..] if address.is_empty() => {
            "Green API has no address to deliver webhooks to.".to_owned()
        }
        ["webhookUrl", ..] => format!("Green API delivers webhooks to {}, not here.", without_query(address)),
        ["webhookUrlToken", ..] => {
            "Green API sends another webhook token than this inbox expects: its webhooks are refused."
                .to_owned()
        }
        names => format!("Settings of the instance differ: {}.", names.join(", ")),
    })
}

/// An address as it may be shown: people have put secrets into what follows the path.
fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

impl Instance {
    /// What the instance is to be set to; refuses what cannot work.
    fn wanted(&self, target: &DeliveryTarget) -> Result<Settings, ConnectionState> {
        if self.is_polled() {
            return Ok(wanted(String::new(), None));
        }
        self.check_target(target)?;
        Ok(wanted(target.url.clone(), target.token.clone()))
    }

    /// Refuses what cannot work before the instance is set to it.
    fn check_target(&self, target: &DeliveryTarget) -> Result<(), ConnectionState> {
        if target.token.is_none() {
            return Err(degraded(
                "Nothing tells genuine webhooks from others, so that they are refused.".to_owned(),
                "Enter a webhook token for this inbox: any words without spaces.",
            ));
        }
        if is_loopback(&target.url) && !self.api_is_loopback() {
            return Err(degraded(
                format!("Green API cannot reach this server at {}.", target.url),
                "Set FRONTDESK_PUBLIC_URL to the address this server has on the internet, or choose polling.",
            ));
        }
        Ok(())
    }
}

pub(super) fn is_loopback(url: &str) -> bool {
    match Url::parse(url).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => name.eq_ignore_ascii_case("localhost"),
        Ok(Some(Host::Ipv4(address))) => address.is_loopback() || address.is_unspecified(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback() || address.is_unspecified(),
        _ => false,
    }
}

fn degraded(message: String, action: &str) -> ConnectionState {
    ConnectionState::new(ConnectionCode::Degraded, message).with_action(action)
}

#[async_trait]
impl Polling for Instance {
    async fn next(&self) -> Result<Option<Polled>, SendError> {
        let next = self.ask().receive_notification(POLL).await.map_err(send_error)?;
        Ok(next.map(|notification| Polled {
            receipt: notification.receipt_id.to_string(),
            body: Bytes::from(notification.raw.get().to_owned()),
        }))
    }

    async fn done(&self, receipt: &str) -> Result<(), SendError> {
        // One that is gone already was taken by somebody else; it is stored all the same.
        let Ok(receipt) = receipt.parse() else { return Ok(()) };
        self.ask().delete_notification(receipt).await.map(drop).map_err(send_error)
    }
}
