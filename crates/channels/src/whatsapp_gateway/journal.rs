//! What became of a send whose answer was lost: the chat lists what the gateway took.

use async_trait::async_trait;
use frontdesk_model::RemoteId;
use frontdesk_model::message::MessageKind;
use frontdesk_whatsapp_gateway_client::answer::ListedMessage;

use super::chats;
use super::errors::send_error;
use super::outbound::RemoteSession;
use crate::contract::{Journal, SendError, SentOnce};

/// Messages looked through.
const LISTED: u32 = 100;
/// Clocks differ, and a message waits for its turn.
const BEFORE_MS: i64 = 30_000;

#[async_trait]
impl Journal for RemoteSession {
    async fn find_sent(&self, message: &SentOnce) -> Result<Vec<RemoteId>, SendError> {
        let chat = chats::find(self.ask(), &message.to).await.map_err(send_error)?;
        let mut listed = self.ask().messages(&chat, LISTED).await.map_err(send_error)?;
        if let Some(known) = listed.iter().find(|noted| is_ours(noted, message)) {
            return Ok(vec![RemoteId::new(&known.id)]);
        }
        listed.retain(|noted| may_be(noted, message));
        listed.sort_by_key(|noted| noted.at_ms);
        Ok(listed.into_iter().map(|noted| RemoteId(noted.id)).collect())
    }

    /// A server that says so sends a reference it knows no second time.
    async fn takes_once(&self) -> bool {
        self.ask().status().await.is_ok_and(|session| session.idempotent_sends)
    }
}

/// The gateway tells our own reference.
fn is_ours(noted: &ListedMessage, message: &SentOnce) -> bool {
    noted.client_key.as_ref().is_some_and(|key| *key == message.client_ref)
}

/// It says the same, was written then, and is not known as another message of ours.
fn may_be(noted: &ListedMessage, message: &SentOnce) -> bool {
    let text = message.text.as_deref().unwrap_or_default();
    let said = noted.text.as_deref().unwrap_or_default();
    let kind = noted.kind.as_deref().unwrap_or("text").to_ascii_lowercase();
    let says_the_same = match message.kind {
        MessageKind::Text => said == text,
        MessageKind::Image | MessageKind::Video | MessageKind::Document => {
            kind == message.kind.as_str() && (said == text || text.is_empty())
        }
        MessageKind::Audio | MessageKind::Voice => matches!(kind.as_str(), "audio" | "voice" | "ptt"),
        MessageKind::Location => kind == "location",
        MessageKind::Contacts => matches!(kind.as_str(), "contact" | "contacts"),
        _ => false,
    };
    noted.from_me
        && noted.client_key.is_none()
        && says_the_same
        && noted.at_ms.is_some_and(|at| at >= message.at.as_millis() - BEFORE_MS)
}
