//! Letters about alerts, handed to the mail server of the settings.

use std::time::Duration;

use frontdesk_store::alert_deliveries::AlertDelivery;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde_json::Value;

use super::Tried;
use crate::Engine;
use crate::monitoring::settings::{MailEncryption, MailSettings};

/// How long the mail server may take for each step.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) async fn send(engine: &Engine, delivery: &AlertDelivery) -> Tried {
    let settings = &engine.settings.mail;
    if settings.host.is_empty() {
        return Tried::refused("No mail server is set.", None, true);
    }
    let letter = match letter(settings, delivery, &engine.settings.public_url) {
        Ok(letter) => letter,
        Err(error) => return Tried::refused(format!("The letter cannot be written: {error}"), None, true),
    };
    let transport = match transport(settings) {
        Ok(transport) => transport,
        Err(error) => return Tried::refused(format!("The mail server cannot be used: {error}"), None, false),
    };
    match transport.send(letter).await {
        Ok(_) => Tried { taken: true, is_final: true, http_status: None, error: None },
        Err(error) => Tried::refused(crate::intake::error_chain(&error), None, error.is_permanent()),
    }
}

fn transport(
    settings: &MailSettings,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let tls = match settings.encryption {
        MailEncryption::None => Tls::None,
        MailEncryption::Starttls => Tls::Required(TlsParameters::new(settings.host.clone())?),
        MailEncryption::Tls => Tls::Wrapper(TlsParameters::new(settings.host.clone())?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port)
        .tls(tls)
        .timeout(Some(TIMEOUT));
    Ok(if settings.username.is_empty() {
        builder.build()
    } else {
        builder.credentials(Credentials::new(settings.username.clone(), settings.password.clone())).build()
    })
}

fn letter(
    settings: &MailSettings,
    delivery: &AlertDelivery,
    public_url: &str,
) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
    let news: Value = serde_json::from_str(&delivery.body)?;
    let alert = &news["data"];
    let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
    let state = match delivery.event.as_str() {
        "alert.fired" => format!("ALERT ({})", text("severity")),
        "alert.resolved" => "Resolved".to_owned(),
        _ => "Test".to_owned(),
    };
    let over = alert["resolved_at"].as_str().map(|at| format!("Over:  {at}\n")).unwrap_or_default();
    let body = format!(
        "{}\n\nInbox: {}\nFired: {}\n{over}\n{public_url}/monitoring\n",
        text("summary"),
        text("inbox_name"),
        text("fired_at"),
    );
    Ok(Message::builder()
        .from(settings.from.parse()?)
        .to(delivery.address.parse()?)
        .subject(format!("[Frontdesk] {state}: {}, {}", text("title"), text("inbox_name")))
        .header(ContentType::TEXT_PLAIN)
        .body(body)?)
}
