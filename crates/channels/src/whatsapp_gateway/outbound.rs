//! One session: sends, marks as read, fetches files, tells whether it works.

use std::path::Path;

use async_trait::async_trait;
use frontdesk_model::RemoteId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::ConnectionState;
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_provider_http::DownloadLimits;
use frontdesk_whatsapp_gateway_client::answer::Accepted;
use frontdesk_whatsapp_gateway_client::calls::sending::{File as SentFile, Letter};
use frontdesk_whatsapp_gateway_client::client::Upload;
use frontdesk_whatsapp_gateway_client::{GatewayCallError, GatewayClient};
use tokio::fs::File;

use super::account::Clients;
use super::{CAPABILITIES, chats, compose, errors, state};
use crate::contract::{
    Connection, Delivery, Directory, FetchedMedia, Journal, Linking, MediaAddress, MediaError, Profile,
    Profiles, Receipts, Retry, RetryPlan, SendError, SendPace, Sent,
};

/// Messages of a chat that are looked through for a file.
const LISTED: u32 = 100;

/// The connection of one session.
#[derive(Debug)]
pub(super) struct RemoteSession {
    clients: Clients,
}

impl RemoteSession {
    pub(super) fn new(clients: Clients) -> Self {
        Self { clients }
    }

    /// The client that asks.
    pub(super) fn ask(&self) -> &GatewayClient {
        &self.clients.ask
    }

    pub(super) fn clients(&self) -> &Clients {
        &self.clients
    }

    async fn send_media(
        &self,
        letter: Letter<'_>,
        media: &OutboundMedia,
    ) -> Result<Result<Accepted, GatewayCallError>, SendError> {
        let kind = compose::file_kind(media)?;
        let bytes = tokio::fs::read(&media.path).await.map_err(unreadable)?;
        let upload = Upload {
            file_name: media.file_name.clone(),
            mime_type: media.mime_type.clone(),
            bytes: bytes.into(),
        };
        let is_voice = media.kind == frontdesk_model::content::MediaKind::Voice;
        let file = SentFile { kind, upload: &upload, caption: media.caption.as_deref(), is_voice };
        Ok(self.clients.send.send_file(letter, &file).await)
    }

    async fn download(&self, url: &str, path: &Path, max_bytes: u64) -> Result<FetchedMedia, MediaError> {
        let mut file =
            File::create(path).await.map_err(|error| MediaError::Unavailable(error.to_string()))?;
        let limits = DownloadLimits::bytes(max_bytes);
        match self.ask().download(url, limits, &mut file).await {
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

    /// The address of a message's file as its chat has it now: the first one may have expired, or come too early.
    async fn address_anew(&self, media: &MediaRef) -> Result<Option<String>, MediaError> {
        let Some((id, chat)) = media.remote_id.as_deref().and_then(|id| id.split_once(' ')) else {
            return Ok(None);
        };
        let listed = self.ask().messages(chat, LISTED).await;
        let listed = listed.map_err(|error| errors::media_error(&error))?;
        Ok(listed.into_iter().find(|message| message.id == id).and_then(|message| message.media_url))
    }
}

fn unreadable(error: std::io::Error) -> SendError {
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
}

#[async_trait]
impl Connection for RemoteSession {
    async fn check(&self) -> ConnectionState {
        match self.ask().status().await {
            Ok(session) => {
                state::state_of(&session.status, session.state.as_deref(), session.reason.as_deref())
            }
            Err(error) => errors::check_failed(&error),
        }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let client = &self.clients.send;
        let phone = compose::phone(&message.to);
        let letter = Letter {
            phone: &phone,
            reference: &message.client_ref,
            reply_to: message.reply_to.as_ref().map(RemoteId::as_written),
        };
        let sent = match &message.body {
            OutboundBody::Text(text) => {
                compose::check_text("A text", text, CAPABILITIES.text_max.count)?;
                client.send_text(letter, text).await
            }
            OutboundBody::Media(media) => self.send_media(letter, media).await?,
            OutboundBody::Location(place) => client.send_location(letter, &compose::place(place)).await,
            OutboundBody::Contacts(cards) => client.send_contacts(letter, &compose::cards(cards)?).await,
            OutboundBody::Template(_) => {
                return Err(errors::cannot_carry("A gateway has no approved templates: write the text."));
            }
            OutboundBody::Interactive(_) => {
                return Err(errors::cannot_carry(
                    "WhatsApp no longer shows buttons and lists sent this way.",
                ));
            }
            OutboundBody::Reaction { .. } => {
                return Err(errors::cannot_carry("A gateway cannot react to messages."));
            }
        };
        match sent {
            Ok(accepted) => Ok(Sent { remote_id: RemoteId(accepted.id) }),
            Err(error) => Err(errors::send_error(error)),
        }
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        let failed = match media.url.as_deref() {
            Some(url) => match self.download(url, path, max_bytes).await {
                Ok(fetched) => return Ok(fetched),
                Err(error @ MediaError::TooLarge { .. }) => return Err(error),
                Err(error) => error,
            },
            None => MediaError::Unavailable("the gateway has not told its address yet".to_owned()),
        };
        match self.address_anew(media).await? {
            Some(url) if Some(&url) != media.url.as_ref() => self.download(&url, path, max_bytes).await,
            _ => Err(failed),
        }
    }

    fn pace(&self) -> Option<SendPace> {
        Some(self.clients.pace)
    }

    fn retry_plan(&self) -> RetryPlan {
        self.clients.retry_plan.clone()
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(self)
    }

    fn profiles(&self) -> Option<&dyn Profiles> {
        Some(self)
    }

    fn linking(&self) -> Option<&dyn Linking> {
        Some(self)
    }

    fn delivery(&self) -> Option<&dyn Delivery> {
        Some(self)
    }

    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn journal(&self) -> Option<&dyn Journal> {
        Some(self)
    }
}

#[async_trait]
impl Receipts for RemoteSession {
    async fn mark_read(&self, to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError> {
        // The chat is known from the message itself.
        let chat = match last_inbound.as_str().split_once(' ') {
            Some((_id, chat)) => chat.to_owned(),
            None => chats::find(self.ask(), to).await.map_err(errors::send_error)?,
        };
        self.ask().mark_read(&chat).await.map_err(errors::send_error)
    }

    /// Such servers show nobody that we type.
    async fn typing(&self, _to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        Ok(())
    }
}

#[async_trait]
impl Profiles for RemoteSession {
    async fn profile(&self, of: &Recipient) -> Result<Option<Profile>, SendError> {
        let phone = compose::phone(of);
        if super::people::number(&phone).is_none() {
            return Ok(None);
        }
        let contact = self.ask().contact(&phone).await.map_err(errors::send_error)?;
        let picture = match contact.picture_url {
            Some(url) => Some(url),
            None => self.ask().picture(&phone).await.map_err(errors::send_error)?,
        };
        Ok(Some(Profile { name: contact.name, picture: picture.map(MediaAddress), identities: Vec::new() }))
    }
}

#[async_trait]
impl Directory for RemoteSession {
    async fn is_reachable(&self, phone: &str) -> Result<bool, SendError> {
        let number = super::people::number(phone)
            .ok_or_else(|| errors::cannot_carry("The number needs its country code, as +15550100002."))?;
        let said = self.ask().check(number).await.map_err(errors::send_error)?;
        said.ok_or_else(|| errors::cannot_carry("The gateway does not say who is on WhatsApp."))
    }
}
