//! WhatsApp Cloud API: sending, read marks, numbers, templates, subscriptions.

pub mod account;
pub mod outgoing;
pub mod template;

use frontdesk_provider_http::CallError;
use serde::{Deserialize, Serialize};

pub use outgoing::{Content, Interactive, MediaSource, OutgoingMessage, Recipient};

use crate::{
    GraphClient,
    client::{read, usage},
    error::{GraphCallError, Usage},
    webhook::tolerant,
};

/// A message Meta accepted. Accepted is not delivered: statuses follow by webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// `wamid....`
    pub id: String,
    /// The receiver's digits as WhatsApp writes them; can differ from what was asked for (Brazil,
    /// Argentina, Mexico).
    pub wa_id: Option<String>,
    /// The receiver's business-scoped user id.
    pub user_id: Option<String>,
    /// `accepted`, `held_for_quality_assessment`, ...; often absent.
    pub status: Option<String>,
    /// How much of the limits is used up.
    pub usage: Usage,
}

#[derive(Deserialize)]
struct SendAnswer {
    #[serde(default, deserialize_with = "tolerant::list")]
    contacts: Vec<SendContact>,
    messages: Vec<SendMessage>,
}

#[derive(Deserialize)]
struct SendContact {
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    wa_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct SendMessage {
    #[serde(deserialize_with = "tolerant::id")]
    id: String,
    #[serde(default, deserialize_with = "tolerant::optional")]
    message_status: Option<String>,
}

#[derive(Serialize)]
struct MarkRead<'a> {
    messaging_product: &'static str,
    status: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typing_indicator: Option<TypingIndicator>,
}

#[derive(Serialize)]
struct TypingIndicator {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl GraphClient {
    /// Sends a WhatsApp message, once. There is no idempotency key: on an uncertain error wait for a
    /// status with our `reference` before thinking of a second try.
    pub async fn send_whatsapp(
        &self,
        phone_number_id: &str,
        message: &OutgoingMessage,
    ) -> Result<Sent, GraphCallError> {
        let answer = self.post("whatsapp_send", &[phone_number_id, "messages"], &message.request()).await?;
        let SendAnswer { contacts, messages } = read(&answer)?;
        let Some(message) = messages.into_iter().next() else {
            return Err(CallError::Unreadable("the answer names no message".into()).into());
        };
        let contact = contacts.into_iter().next();
        Ok(Sent {
            id: message.id,
            status: message.message_status,
            wa_id: contact.as_ref().and_then(|contact| contact.wa_id.clone()),
            user_id: contact.and_then(|contact| contact.user_id),
            usage: usage(&answer),
        })
    }

    /// Marks a customer's message, and all before it, as read. `typing` also shows the customer that an
    /// answer is being written, until it comes or for 25 s.
    pub async fn mark_whatsapp_read(
        &self,
        phone_number_id: &str,
        message_id: &str,
        typing: bool,
    ) -> Result<(), GraphCallError> {
        let body = MarkRead {
            messaging_product: "whatsapp",
            status: "read",
            message_id,
            typing_indicator: typing.then_some(TypingIndicator { kind: "text" }),
        };
        self.post_for_success("whatsapp_mark_read", &[phone_number_id, "messages"], &body).await
    }
}
