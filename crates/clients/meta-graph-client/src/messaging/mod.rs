//! Messenger and Instagram: sending, sender actions, profiles, connection check.
//!
//! The paths are the same for a Page, for Instagram by Facebook Login (both on `graph.facebook.com`) and
//! for Instagram by Instagram Login (`graph.instagram.com`): the base URL of the HTTP stack decides.

pub mod outgoing;
pub mod profile;

use frontdesk_provider_http::CallError;
use serde::Deserialize;

pub use outgoing::{
    Attachment, AttachmentKind, AttachmentSource, Body, MessagingMessage, MessagingType, QuickReply,
    SenderAction,
};

use crate::{
    GraphClient,
    client::{read, usage},
    error::{GraphCallError, Usage},
    webhook::tolerant,
};

/// A message Meta took. Its echo has the same id and can come before this answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The `mid`.
    pub message_id: String,
    /// PSID or IGSID.
    pub recipient_id: Option<String>,
    /// The attachment's id, if it was marked reusable.
    pub attachment_id: Option<String>,
    /// How much of the limits is used up.
    pub usage: Usage,
}

#[derive(Deserialize)]
struct SendAnswer {
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    message_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    recipient_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    attachment_id: Option<String>,
}

impl GraphClient {
    /// Sends a message, once. `sender_id` is the Page or Instagram account, or `me`.
    pub async fn send_messaging(
        &self,
        sender_id: &str,
        message: &MessagingMessage,
    ) -> Result<Sent, GraphCallError> {
        let answer = self.post("messaging_send", &[sender_id, "messages"], &message.request()).await?;
        let sent: SendAnswer = read(&answer)?;
        let Some(message_id) = sent.message_id else {
            return Err(CallError::Unreadable("the answer names no message".into()).into());
        };
        Ok(Sent {
            message_id,
            recipient_id: sent.recipient_id,
            attachment_id: sent.attachment_id,
            usage: usage(&answer),
        })
    }

    /// Shows the customer something that is no message: typing, seen, a reaction.
    pub async fn send_sender_action(
        &self,
        sender_id: &str,
        recipient_id: &str,
        action: &SenderAction,
    ) -> Result<(), GraphCallError> {
        let body = action.request(recipient_id);
        self.post("messaging_sender_action", &[sender_id, "messages"], &body).await.map(drop)
    }
}
