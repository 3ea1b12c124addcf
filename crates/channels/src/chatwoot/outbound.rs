//! An inbox of Chatwoot: sends, marks as read, shows typing, fetches files, tells whether it works.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_chatwoot_client::{
    ChatwootClient, ChatwootSettings, MessageQuery, MessageType, NewMessage, Upload,
};
use frontdesk_model::RemoteId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState, InboxSettings};
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_provider_http::{AddressPolicy, DownloadLimits, SetupError};
use tokio::fs::File;

use super::{errors, fields, names};
use crate::contract::{
    ChannelContext, Connection, FetchedMedia, Journal, MediaError, OpenError, Receipts, Retry, SendError,
    Sent, SentOnce,
};

/// Clocks differ, and a message waits for its turn.
const BEFORE_MS: i64 = 30_000;
/// Messages among which one is looked for whose answer was lost.
const LOOKED_AT: usize = 100;

/// The connection of one inbox.
pub(super) struct MirroredInbox {
    client: ChatwootClient,
    inbox: i64,
}

impl MirroredInbox {
    /// Opens it. Makes no request.
    pub(super) fn open(context: &ChannelContext, settings: &InboxSettings) -> Result<Self, OpenError> {
        let missing =
            |what: &str| OpenError { reason: format!("the {what} is missing: the next sync fills it in") };
        let url = fields::api_url(settings).ok_or_else(|| missing("address"))?;
        let account = fields::number(settings, fields::ACCOUNT_ID).ok_or_else(|| missing("account"))?;
        let inbox = fields::number(settings, fields::INBOX_ID).ok_or_else(|| missing("inbox"))?;
        let token = fields::text(settings, fields::API_TOKEN).ok_or_else(|| missing("access token"))?;
        let mut chatwoot = ChatwootSettings::new(url, token.to_owned().into(), account);
        // The outbox decides what is tried again.
        chatwoot.retry_attempts = 0;
        chatwoot.breaker_open = Duration::from_millis(context.providers.breaker_open_ms);
        chatwoot.addresses = AddressPolicy::allowing_hosts(&context.providers.allow_private_hosts);
        let client = ChatwootClient::with_recorder(chatwoot, context.recorder.clone());
        Ok(Self { client: client.map_err(unusable)?, inbox })
    }

    async fn create(
        &self,
        conversation: i64,
        message: &OutboundMessage,
        words: Option<String>,
        files: &[Upload],
    ) -> Result<Sent, SendError> {
        // No `source_id`: Chatwoot would take it for a message that the network told it of, and send nothing.
        let mut new = NewMessage { content: words, ..NewMessage::default() };
        new.content_attributes.insert(names::REFERENCE.to_owned(), message.client_ref.clone().into());
        if let Some(answered) = message.reply_to.as_ref().and_then(|id| id.as_str().parse().ok()) {
            new = new.in_reply_to(answered);
        }
        let made = if files.is_empty() {
            self.client.create_message(conversation, &new).await
        } else {
            self.client.create_message_with_files(conversation, &new, files).await
        };
        let made = made.map_err(errors::send_error)?;
        Ok(Sent { remote_id: names::message(made.id) })
    }
}

fn unusable(error: SetupError) -> OpenError {
    let reason = match error {
        SetupError::BaseUrl { source, .. } => format!(
            "the address of Chatwoot cannot be used: {source}; a private address has to be listed under \
             providers.allow_private_hosts"
        ),
        error @ SetupError::Client { .. } => error.to_string(),
    };
    OpenError { reason }
}

fn conversation_of(to: &Recipient) -> Result<i64, SendError> {
    names::conversation_of(&to.thread)
        .ok_or_else(|| errors::cannot_carry("It is not known which conversation in Chatwoot this is."))
}

async fn upload(media: &OutboundMedia) -> Result<Upload, SendError> {
    let bytes = tokio::fs::read(&media.path).await.map_err(|error| {
        let gone = error.kind() == std::io::ErrorKind::NotFound;
        SendError {
            retry: if gone { Retry::Never } else { Retry::OnSchedule },
            code: "FILE".to_owned(),
            source: Some(Box::new(error)),
            ..errors::cannot_carry(if gone {
                "The file is no longer on this server."
            } else {
                "The file could not be read from this server's disk."
            })
        }
    })?;
    Ok(Upload { name: media.file_name.clone(), mime_type: media.mime_type.clone(), bytes: bytes.into() })
}

#[async_trait]
impl Connection for MirroredInbox {
    async fn check(&self) -> ConnectionState {
        match self.client.get_inbox(self.inbox).await {
            Ok(_) => ConnectionState::new(ConnectionCode::Connected, "Kept in step with Chatwoot."),
            Err(error) => errors::check_failed(&error),
        }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let conversation = conversation_of(&message.to)?;
        match &message.body {
            OutboundBody::Text(text) => self.create(conversation, message, Some(text.clone()), &[]).await,
            OutboundBody::Media(media) => {
                let file = upload(media).await?;
                self.create(conversation, message, media.caption.clone(), &[file]).await
            }
            OutboundBody::Template(_)
            | OutboundBody::Location(_)
            | OutboundBody::Contacts(_)
            | OutboundBody::Interactive(_)
            | OutboundBody::Reaction { .. } => {
                Err(errors::cannot_carry("Chatwoot takes texts and files from here."))
            }
        }
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        let url = media.url.as_deref().ok_or_else(|| MediaError::Gone("it has no address".to_owned()))?;
        let mut file =
            File::create(path).await.map_err(|error| MediaError::Unavailable(error.to_string()))?;
        match self.client.download(url, DownloadLimits::bytes(max_bytes), &mut file).await {
            Ok(download) => Ok(FetchedMedia {
                size_bytes: download.size_bytes,
                sha256: hex::encode(download.sha256),
                mime_type: download.content_type,
            }),
            Err(error) => {
                // What is left is a part of a file; that it cannot be removed either changes nothing.
                let _removed = tokio::fs::remove_file(path).await;
                Err(errors::media_error(&error))
            }
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(self)
    }

    fn journal(&self) -> Option<&dyn Journal> {
        Some(self)
    }
}

#[async_trait]
impl Receipts for MirroredInbox {
    async fn mark_read(&self, to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        let marked = self.client.mark_read(conversation_of(to)?).await;
        marked.map(drop).map_err(errors::send_error)
    }

    async fn typing(&self, to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        self.client.set_typing(conversation_of(to)?, true, false).await.map_err(errors::send_error)
    }
}

/// Chatwoot keeps what it took: a send whose answer was lost is found by its words among the newest messages.
#[async_trait]
impl Journal for MirroredInbox {
    async fn find_sent(&self, message: &SentOnce) -> Result<Vec<RemoteId>, SendError> {
        let query = MessageQuery { public_only: true, ..MessageQuery::newest(LOOKED_AT) };
        let newest = self.client.get_messages(conversation_of(&message.to)?, &query).await;
        let since = message.at.as_millis() - BEFORE_MS;
        let is_it = |noted: &frontdesk_chatwoot_client::Message| {
            noted.message_type == Some(MessageType::Outgoing)
                && noted.content_attributes.contains_key(names::REFERENCE)
                && noted.created_at.is_some_and(|at| at.0 >= since)
                && noted.content.as_deref().unwrap_or_default() == message.text.as_deref().unwrap_or_default()
        };
        let newest = newest.map_err(errors::send_error)?.data;
        Ok(newest.iter().filter(|noted| is_it(noted)).map(|noted| names::message(noted.id)).collect())
    }
}
