//! One Page or Instagram account: sends, marks as seen, looks customers up, fetches files, tells whether it works.
//! The only file of the two channels that calls Meta.

use std::path::Path;

use async_trait::async_trait;
use frontdesk_meta_graph_client::decision::{self, decide};
use frontdesk_meta_graph_client::messaging::{Body, SenderAction};
use frontdesk_meta_graph_client::{GraphCallError, GraphClient, Product};
use frontdesk_model::RemoteId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage, Recipient};

use super::{Kind, Network, compose};
use crate::contract::{
    Connection, FetchedMedia, MediaAddress, MediaError, Profile, Profiles, Receipts, SendError, Sent,
};
use crate::meta::errors::{self, cannot_carry};
use crate::meta::files;

const PRODUCT: Product = Product::Messaging;

/// The connection of one Page or Instagram account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) network: &'static Network,
    pub(crate) client: GraphClient,
    /// Its id, as webhooks write it.
    pub(crate) id: String,
    /// What sends name it: its id, or `me` for whatever the token is for.
    pub(crate) sender: String,
    /// What the check asks for: the same.
    pub(crate) checked: String,
}

impl Account {
    /// A reaction, a read mark, typing: no message.
    async fn act(&self, to: &Recipient, action: &SenderAction) -> Result<(), SendError> {
        let receiver = compose::receiver(self.network, to);
        let done = self.client.send_sender_action(&self.sender, receiver, action).await;
        done.map_err(|error| errors::send_error(PRODUCT, error, 1))
    }

    /// Uploads a file, which sends nothing yet.
    async fn upload(&self, media: &OutboundMedia, attempt: u32) -> Result<Body, SendError> {
        let kind = compose::attachment_kind(self.network, media)?;
        let upload = files::upload(media, &media.mime_type).await?;
        let id = self.client.upload_attachment(&self.sender, kind, upload).await;
        Ok(compose::attachment(kind, id.map_err(|error| errors::upload_error(PRODUCT, error, attempt))?))
    }

    fn cannot(&self, what: &str) -> SendError {
        cannot_carry(format!("{} cannot carry {what}.", self.network.label))
    }
}

#[async_trait]
impl Connection for Account {
    async fn check(&self) -> ConnectionState {
        let (asked, what, permissions) = match self.network.kind {
            Kind::Messenger => (
                self.client.page(&self.checked).await,
                "Page ID",
                "pages_messaging and pages_manage_metadata",
            ),
            Kind::Instagram => (
                self.client.instagram_account(&self.checked).await,
                "Instagram account ID",
                "instagram_business_basic and instagram_business_manage_messages",
            ),
        };
        match asked {
            Ok(account) if account.id != self.id && account.user_id.as_deref() != Some(self.id.as_str()) => {
                ConnectionState::new(
                    ConnectionCode::Reconnect,
                    format!("The access token is for another account than this {what}."),
                )
                .with_action(format!(
                    "Compare the {what} with Meta's app dashboard, or {}",
                    errors::LOWER_NEW_TOKEN
                ))
            }
            Ok(account) => {
                let name = account.name.or(account.username).unwrap_or_else(|| "The account".to_owned());
                ConnectionState::new(ConnectionCode::Connected, format!("{name} is connected."))
            }
            Err(error) => errors::check_failed(PRODUCT, what, permissions, &error),
        }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let mut quick_replies = Vec::new();
        let body = match &message.body {
            OutboundBody::Text(text) => compose::text(self.network, text)?,
            OutboundBody::Media(media) => self.upload(media, message.attempt).await?,
            OutboundBody::Interactive(interactive) => {
                let (body, replies) = compose::interactive(self.network, interactive)?;
                quick_replies = replies;
                body
            }
            OutboundBody::Reaction { target, emoji } => {
                let action = compose::reaction(self.network, target.as_str(), emoji.as_deref())?;
                self.act(&message.to, &action).await?;
                // Meta gives a reaction no id, and sends no echo that would name one.
                return Ok(Sent { remote_id: RemoteId(format!("reaction:{}", message.client_ref)) });
            }
            OutboundBody::Template(_) => return Err(self.cannot("templates")),
            OutboundBody::Location(_) => return Err(self.cannot("places: send a link to a map")),
            OutboundBody::Contacts(_) => return Err(self.cannot("contact cards: send a text")),
        };
        let mut outgoing = compose::message(self.network, message, body);
        outgoing.quick_replies = quick_replies;
        match self.client.send_messaging(&self.sender, &outgoing).await {
            Ok(sent) => Ok(Sent { remote_id: RemoteId(sent.message_id) }),
            Err(error) => Err(errors::send_error(PRODUCT, error, message.attempt)),
        }
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        files::fetch_by_address(&self.client, media, path, max_bytes).await
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(self)
    }

    fn profiles(&self) -> Option<&dyn Profiles> {
        Some(self)
    }
}

#[async_trait]
impl Receipts for Account {
    async fn mark_read(&self, to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        self.act(to, &SenderAction::MarkSeen).await
    }

    async fn typing(&self, to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        self.act(to, &SenderAction::TypingOn).await
    }
}

#[async_trait]
impl Profiles for Account {
    async fn profile(&self, of: &Recipient) -> Result<Option<Profile>, SendError> {
        let customer = compose::receiver(self.network, of);
        let asked = match self.network.kind {
            Kind::Messenger => self.client.messenger_profile(customer).await.map(|p| {
                let joined = [p.first_name, p.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
                (p.name.or((!joined.is_empty()).then_some(joined)), p.profile_pic)
            }),
            Kind::Instagram => {
                self.client.instagram_profile(customer).await.map(|p| (p.name.or(p.username), p.profile_pic))
            }
        };
        match asked {
            Ok((name, picture)) => {
                let picture = picture.map(MediaAddress);
                Ok(Some(Profile { name, picture, identities: Vec::new() }))
            }
            Err(error) if will_not_tell(&error) => Ok(None),
            Err(error) => Err(errors::send_error(PRODUCT, error, 1)),
        }
    }
}

/// No consent, no permission, nobody of that id: asking again soon changes nothing.
fn will_not_tell(error: &GraphCallError) -> bool {
    let decision = decide(PRODUCT, error, 1);
    matches!(error, GraphCallError::Graph(_))
        && decision.retry == decision::Retry::Never
        && !decision.reconnect
}
