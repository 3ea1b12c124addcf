//! What became of a send whose answer was lost: Green API remembers what it took.

use std::time::Duration;

use async_trait::async_trait;
use frontdesk_green_api_client::ChatId;
use frontdesk_green_api_client::methods::journals::JournalMessage;
use frontdesk_green_api_client::webhook::Content as Said;
use frontdesk_model::RemoteId;
use frontdesk_model::message::MessageKind;

use super::compose;
use super::errors::send_error;
use super::outbound::Instance;
use crate::contract::{Journal, SendError, SentOnce};

/// Clocks differ, and a message waits for its turn.
const BEFORE_S: i64 = 30;
/// A message is not looked for among those of longer ago.
const LONGEST: Duration = Duration::from_secs(86_400);

#[async_trait]
impl Journal for Instance {
    async fn find_sent(&self, message: &SentOnce) -> Result<Vec<RemoteId>, SendError> {
        let chat = compose::chat(&message.to)?;
        let age = message.now.millis_since(message.at).max(0).unsigned_abs();
        let within = (Duration::from_millis(age) + Duration::from_secs(120)).min(LONGEST);
        let mut found = self.ask().last_outgoing_messages(within).await.map_err(send_error)?;
        found.retain(|noted| is_it(noted, message, &chat));
        found.sort_by_key(|noted| noted.timestamp);
        Ok(found.into_iter().map(|noted| RemoteId(noted.id)).collect())
    }
}

fn is_it(noted: &JournalMessage, message: &SentOnce, chat: &ChatId) -> bool {
    let since_s = message.at.as_millis() / 1000 - BEFORE_S;
    noted.send_by_api != Some(false)
        && noted.chat_id.as_deref() == Some(chat.as_str())
        && noted.timestamp.is_some_and(|at| at >= since_s)
        && has_words(&noted.content, message)
}

/// True when the content is of this kind and says this.
fn has_words(said: &Said, message: &SentOnce) -> bool {
    let text = message.text.as_deref().unwrap_or_default();
    let caption = |caption: &Option<String>| caption.as_deref().unwrap_or_default() == text;
    match (message.kind, said) {
        (MessageKind::Text, Said::Text(said)) => said.text == text,
        (MessageKind::Text, Said::ExtendedText(said) | Said::Quoted(said)) => {
            said.text.as_deref() == Some(text)
        }
        (MessageKind::Image, Said::Image(file))
        | (MessageKind::Video, Said::Video(file))
        | (MessageKind::Voice | MessageKind::Audio, Said::Audio(file) | Said::Document(file))
        | (MessageKind::Document, Said::Document(file)) => caption(&file.caption),
        (MessageKind::Location, Said::Location(_)) | (MessageKind::Contacts, Said::Contact(_)) => true,
        _ => false,
    }
}
