//! One number: sends, marks as read, fetches files, tells whether it works. The only file here that calls WhatsApp.

use std::path::Path;

use async_trait::async_trait;
use frontdesk_meta_graph_client::whatsapp::account::PhoneNumber;
use frontdesk_meta_graph_client::whatsapp::{Content, OutgoingMessage};
use frontdesk_meta_graph_client::{GraphClient, Product};
use frontdesk_model::RemoteId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::outbound::{OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_model::template::ApprovedTemplate;

use super::{compose, templates};
use crate::contract::{Connection, FetchedMedia, MediaError, Receipts, SendError, Sent, Templates};
use crate::meta::{errors, files};

const PRODUCT: Product = Product::WhatsApp;
/// Pages of a hundred templates that are asked for at most.
const MAX_TEMPLATE_PAGES: usize = 10;
const PERMISSIONS: &str = "whatsapp_business_messaging and whatsapp_business_management";

/// The connection of one number.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) client: GraphClient,
    pub(super) phone_number_id: String,
    pub(super) business_account_id: String,
}

impl Number {
    /// The content of a message. A file is uploaded first: that sends nothing yet.
    async fn content(&self, message: &OutboundMessage) -> Result<Content, SendError> {
        match &message.body {
            OutboundBody::Text(text) => compose::text(text),
            OutboundBody::Media(media) => self.media(media, message.attempt).await,
            OutboundBody::Template(template) => compose::template(template),
            OutboundBody::Location(place) => Ok(compose::location(place)),
            OutboundBody::Contacts(cards) => Ok(compose::contacts(cards)),
            OutboundBody::Interactive(interactive) => compose::interactive(interactive),
            OutboundBody::Reaction { target, emoji } => {
                Ok(compose::reaction(target.as_str(), emoji.as_deref()))
            }
        }
    }

    async fn media(&self, media: &OutboundMedia, attempt: u32) -> Result<Content, SendError> {
        compose::check_media(media)?;
        let upload = files::upload(media, compose::mime_type(media)).await?;
        let id = self
            .client
            .upload_whatsapp_media(&self.phone_number_id, upload)
            .await
            .map_err(|error| errors::upload_error(PRODUCT, error, attempt))?;
        Ok(compose::media(media, id))
    }

    async fn mark(&self, message: &RemoteId, typing: bool) -> Result<(), SendError> {
        let marked = self.client.mark_whatsapp_read(&self.phone_number_id, message.as_str(), typing).await;
        marked.map_err(|error| errors::send_error(PRODUCT, error, 1))
    }
}

#[async_trait]
impl Connection for Number {
    async fn check(&self) -> ConnectionState {
        match self.client.phone_number(&self.phone_number_id).await {
            Ok(number) => state_of(&number),
            Err(error) => errors::check_failed(PRODUCT, "phone number id", PERMISSIONS, &error),
        }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let outgoing = OutgoingMessage {
            recipient: compose::receiver(&message.to),
            content: self.content(message).await?,
            reply_to: message.reply_to.as_ref().map(|id| id.0.clone()),
            reference: Some(message.client_ref.clone()),
        };
        match self.client.send_whatsapp(&self.phone_number_id, &outgoing).await {
            Ok(sent) => Ok(Sent { remote_id: RemoteId(sent.id) }),
            Err(error) => Err(errors::send_error(PRODUCT, error, message.attempt)),
        }
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        files::fetch_by_id(&self.client, media, path, max_bytes).await
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(self)
    }

    fn templates(&self) -> Option<&dyn Templates> {
        Some(self)
    }
}

/// Names come with each message, so that there are no profiles to ask for.
#[async_trait]
impl Receipts for Number {
    async fn mark_read(&self, _to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError> {
        self.mark(last_inbound, false).await
    }

    /// WhatsApp shows typing only together with the read mark.
    async fn typing(&self, _to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError> {
        self.mark(last_inbound, true).await
    }
}

#[async_trait]
impl Templates for Number {
    async fn approved(&self) -> Result<Vec<ApprovedTemplate>, SendError> {
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..MAX_TEMPLATE_PAGES {
            let page = self.client.templates(&self.business_account_id, after.as_deref()).await;
            let page = page.map_err(|error| errors::send_error(PRODUCT, error, 1))?;
            found.extend(page.items.into_iter().filter_map(templates::approved));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// What Meta's record of a number means.
fn state_of(number: &PhoneNumber) -> ConnectionState {
    let named = |word: &Option<String>| word.as_deref().unwrap_or_default().to_ascii_uppercase();
    let (status, quality, platform) =
        (named(&number.status), named(&number.quality_rating), named(&number.platform_type));
    match status.as_str() {
        "BANNED" | "DELETED" | "MIGRATED" => {
            return ConnectionState::new(
                ConnectionCode::Paused,
                format!("WhatsApp says the number is {status}."),
            )
            .with_action("Open WhatsApp Manager, Phone numbers.");
        }
        "PENDING" | "UNVERIFIED" | "DISCONNECTED" => return errors::not_registered(),
        _ => {}
    }
    if platform == "NOT_APPLICABLE" || platform == "ON_PREMISE" {
        return errors::not_registered();
    }
    if matches!(status.as_str(), "FLAGGED" | "RESTRICTED" | "RATE_LIMITED") {
        return degraded(format!("WhatsApp restricts the number for its quality ({status})."));
    }
    if quality == "RED" {
        return degraded("The number's quality is low: customers blocked or reported it.".to_owned());
    }
    let name = number.verified_name.as_deref().unwrap_or("The number");
    ConnectionState::new(ConnectionCode::Connected, format!("{name} is connected."))
}

fn degraded(message: String) -> ConnectionState {
    ConnectionState::new(ConnectionCode::Degraded, message)
        .with_action("Send less outside of conversations, and open WhatsApp Manager, Insights, to see why.")
}
