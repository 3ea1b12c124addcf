//! One instance: sends, marks as read, fetches files, tells whether it works.

use std::path::Path;

use async_trait::async_trait;
use frontdesk_green_api_client::methods::sending::{SendFileByUpload, SendTyping, Upload};
use frontdesk_green_api_client::{ChatId, ChatKind, GreenCallError, GreenClient};
use frontdesk_model::RemoteId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::ConnectionState;
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_provider_http::DownloadLimits;
use tokio::fs::File;

use super::account::Clients;
use super::{compose, errors, people, state};
use crate::contract::{
    Connection, Delivery, Directory, FetchedMedia, Journal, Linking, MediaAddress, MediaError, Polling,
    Profile, Profiles, Receipts, Retry, RetryPlan, SendError, SendPace, Sent,
};

/// How long WhatsApp shows that we type.
const TYPING_MS: u32 = 5_000;

/// The connection of one instance.
#[derive(Debug)]
pub(super) struct Instance {
    clients: Clients,
}

impl Instance {
    pub(super) fn new(clients: Clients) -> Self {
        Self { clients }
    }

    /// The client that asks.
    pub(super) fn ask(&self) -> &GreenClient {
        &self.clients.ask
    }

    /// This server fetches messages.
    pub(super) fn is_polled(&self) -> bool {
        self.clients.is_polled
    }

    /// The instance is on this machine: a fake one.
    pub(super) fn api_is_loopback(&self) -> bool {
        self.clients.is_local
    }

    async fn send_media(
        &self,
        message: &OutboundMessage,
        media: &OutboundMedia,
    ) -> Result<Result<String, GreenCallError>, SendError> {
        compose::check_media(media)?;
        // Green API fetches by itself what lies at an address; what it could not have it is given.
        if let Some(url) = media.url.as_ref().filter(|_| message.attempt <= 1) {
            let file = compose::file_by_url(message, media, url)?;
            return match self.clients.send.send_file_by_url(&file).await {
                Err(error) if errors::is_about_content(&error) => Err(errors::once_more(error)),
                sent => Ok(sent.map(|sent| sent.id_message)),
            };
        }
        let bytes = tokio::fs::read(&media.path).await.map_err(unreadable)?;
        let file = SendFileByUpload {
            chat_id: compose::chat(&message.to)?,
            file: Upload {
                file_name: compose::file_name(media),
                mime_type: media.mime_type.clone(),
                bytes: bytes.into(),
            },
            caption: media.caption.clone(),
            quoted_message_id: compose::quoted(message),
        };
        Ok(self.clients.send.send_file_by_upload(&file).await.map(|sent| sent.id_message))
    }

    async fn download(&self, url: &str, path: &Path, max_bytes: u64) -> Result<FetchedMedia, MediaError> {
        let mut file =
            File::create(path).await.map_err(|error| MediaError::Unavailable(error.to_string()))?;
        let limits = DownloadLimits::bytes(max_bytes);
        match self.clients.ask.download(url, limits, &mut file).await {
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

    /// Another address for the file of a message: the first one lives for days.
    async fn address_anew(&self, media: &MediaRef) -> Result<Option<String>, MediaError> {
        let Some((id, chat)) = media.remote_id.as_deref().and_then(|id| id.split_once(' ')) else {
            return Ok(None);
        };
        match self.clients.ask.download_file(&ChatId::new(chat), id).await {
            Ok(url) => Ok(Some(url)),
            Err(error) => Err(errors::media_error(&error)),
        }
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
impl Connection for Instance {
    async fn check(&self) -> ConnectionState {
        match self.clients.ask.get_state_instance().await {
            Ok(instance) => state::state_of(&instance),
            Err(error) => errors::check_failed(&error),
        }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let client = &self.clients.send;
        let sent = match &message.body {
            OutboundBody::Text(text) => {
                client.send_message(&compose::text(message, text)?).await.map(|sent| sent.id_message)
            }
            OutboundBody::Media(media) => self.send_media(message, media).await?,
            OutboundBody::Location(place) => {
                client.send_location(&compose::location(message, place)?).await.map(|sent| sent.id_message)
            }
            OutboundBody::Contacts(cards) => {
                client.send_contact(&compose::contact(message, cards)?).await.map(|sent| sent.id_message)
            }
            OutboundBody::Template(_) => {
                return Err(errors::cannot_carry("There are no templates with Green API: write the text."));
            }
            OutboundBody::Interactive(_) => {
                return Err(errors::cannot_carry(
                    "WhatsApp no longer shows buttons and lists sent this way.",
                ));
            }
            OutboundBody::Reaction { .. } => {
                return Err(errors::cannot_carry("Green API cannot react to messages."));
            }
        };
        match sent {
            Ok(id) => Ok(Sent { remote_id: RemoteId(id) }),
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
            None => MediaError::Gone("it has no address".to_owned()),
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

    fn polling(&self) -> Option<&dyn Polling> {
        self.is_polled().then_some(self as &dyn Polling)
    }

    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn journal(&self) -> Option<&dyn Journal> {
        Some(self)
    }
}

#[async_trait]
impl Receipts for Instance {
    async fn mark_read(&self, to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError> {
        let chat = compose::chat(to)?;
        let marked = self.clients.ask.read_chat(&chat, Some(last_inbound.as_written())).await;
        marked.map(drop).map_err(errors::send_error)
    }

    async fn typing(&self, to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        let chat_id = compose::chat(to)?;
        let typing = SendTyping { chat_id, typing_time_ms: Some(TYPING_MS), typing_type: None };
        self.clients.ask.send_typing(&typing).await.map_err(errors::send_error)
    }
}

/// Names come with each message; pictures, and the number behind a private id, are told on request.
#[async_trait]
impl Profiles for Instance {
    async fn profile(&self, of: &Recipient) -> Result<Option<Profile>, SendError> {
        let chat = ChatId::new(of.thread.as_str());
        let picture = |address: Option<String>| address.filter(|a| !a.is_empty()).map(MediaAddress);
        match chat.kind() {
            ChatKind::Person => {
                let avatar = self.clients.ask.get_avatar(&chat).await.map_err(errors::send_error)?;
                Ok(Some(Profile { picture: picture(avatar.url_avatar), ..Profile::default() }))
            }
            ChatKind::Private => {
                let info = self.clients.ask.get_contact_info(&chat).await.map_err(errors::send_error)?;
                let number = info.chat_id.map(ChatId::new).filter(|id| id.kind() == ChatKind::Person);
                let named = |name: Option<String>| name.filter(|name| !name.is_empty());
                Ok(Some(Profile {
                    name: named(info.contact_name).or_else(|| named(info.name)),
                    picture: picture(info.avatar),
                    identities: number.iter().flat_map(people::identities).collect(),
                }))
            }
            ChatKind::Group | ChatKind::Other => Ok(None),
        }
    }
}
