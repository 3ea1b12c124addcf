//! What waits at Green API.

use serde::Deserialize;
use serde_json::Value;

use crate::{GreenClient, client::NO_BODY, error::GreenCallError, method, webhook::lenient};

#[derive(Deserialize)]
pub(crate) struct Count {
    pub(crate) count: u64,
}

/// A message that waits to be sent.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaitingMessage {
    /// Its id, as the send was answered.
    #[serde(rename = "messageID", alias = "idMessage", deserialize_with = "lenient::scalar")]
    pub message_id: Option<String>,
    /// The method it was sent with.
    #[serde(rename = "type", alias = "typeMessage", deserialize_with = "lenient::scalar")]
    pub method: Option<String>,
    /// The request, as it was sent.
    pub body: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cleared {
    is_cleared: bool,
    #[serde(default, deserialize_with = "lenient::scalar")]
    reason: Option<String>,
}

/// Was a queue emptied?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearing {
    /// It is empty.
    pub cleared: bool,
    /// Why not: the queue of notifications can be emptied once a minute.
    pub reason: Option<String>,
}

impl From<Cleared> for Clearing {
    fn from(cleared: Cleared) -> Self {
        Self { cleared: cleared.is_cleared, reason: cleared.reason.filter(|reason| !reason.is_empty()) }
    }
}

impl GreenClient {
    /// How many messages wait to be sent.
    pub async fn get_messages_count(&self) -> Result<u64, GreenCallError> {
        Ok(self.call::<Count>(&method::GET_MESSAGES_COUNT, NO_BODY).await?.count)
    }

    /// Which messages wait to be sent.
    pub async fn show_messages_queue(&self) -> Result<Vec<WaitingMessage>, GreenCallError> {
        self.call(&method::SHOW_MESSAGES_QUEUE, NO_BODY).await
    }

    /// Forgets the messages that wait to be sent.
    pub async fn clear_messages_queue(&self) -> Result<Clearing, GreenCallError> {
        Ok(self.call::<Cleared>(&method::CLEAR_MESSAGES_QUEUE, NO_BODY).await?.into())
    }

    /// Forgets the notifications that wait to be delivered; once a minute.
    pub async fn clear_webhooks_queue(&self) -> Result<Clearing, GreenCallError> {
        Ok(self.call::<Cleared>(&method::CLEAR_WEBHOOKS_QUEUE, NO_BODY).await?.into())
    }
}
