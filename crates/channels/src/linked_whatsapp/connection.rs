//! One inbox: what is sent goes through the driver of its session, where that is on this node; everything that is asked goes
//! to the node that holds the session.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_model::RemoteId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState, InboxConfig};
use frontdesk_model::linked::SessionState;
use frontdesk_model::outbound::{OutboundBody, OutboundMessage, Recipient};

use super::{address, qr};
use crate::contract::{
    ChannelContext, ChatState, Connection, Directory, FetchedMedia, Journal, LinkStep, Linking, MediaAddress,
    MediaError, Profile, Profiles, Receipts, Retry, RetryPlan, Scope, SendError, Sent, SentOnce,
    SessionAnswer, SessionDesk, SessionDriver, SessionQuestion,
};

/// How often, and how long apart, it is looked for a code that was just asked for.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The connection of one inbox.
pub(super) struct LinkedInbox {
    inbox: InboxConfig,
    desk: Arc<dyn SessionDesk>,
}

impl LinkedInbox {
    pub(super) fn new(context: &ChannelContext, inbox: &InboxConfig) -> Self {
        Self { inbox: inbox.clone(), desk: context.sessions.clone() }
    }

    fn driver(&self) -> Result<Arc<dyn SessionDriver>, SendError> {
        self.desk.driver(self.inbox.id).ok_or_else(SendError::not_connected)
    }

    async fn ask(&self, question: SessionQuestion) -> Result<SessionAnswer, SendError> {
        self.desk.ask(&self.inbox, question).await
    }
}

#[async_trait]
impl Connection for LinkedInbox {
    async fn check(&self) -> ConnectionState {
        match self.desk.sight(&self.inbox).await {
            Ok(sight) => sight.state.connection(sight.reason.as_deref()),
            Err(error) => ConnectionState::new(ConnectionCode::Unreachable, error.shown),
        }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        match message.body {
            OutboundBody::Template(_) => {
                return Err(cannot_carry("A linked phone has no templates: write the text."));
            }
            OutboundBody::Interactive(_) => {
                return Err(cannot_carry("WhatsApp shows no buttons and lists sent by a linked phone."));
            }
            _ => {}
        }
        self.driver()?.send(message).await
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        let driver = self.driver().map_err(|error| MediaError::Unavailable(error.shown))?;
        driver.fetch_media(media, path, max_bytes).await
    }

    fn retry_plan(&self) -> RetryPlan {
        RetryPlan::chosen(&self.inbox.settings)
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

    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn journal(&self) -> Option<&dyn Journal> {
        Some(self)
    }
}

#[async_trait]
impl Journal for LinkedInbox {
    async fn find_sent(&self, message: &SentOnce) -> Result<Vec<RemoteId>, SendError> {
        match self.driver()?.find_sent(message).await? {
            Some(found) => Ok(found),
            None => Err(cannot_carry("Nobody can tell what became of a message of this phone.")),
        }
    }

    /// What is asked for here is the phone's own memory: what it does not list never came.
    async fn takes_once(&self) -> bool {
        true
    }
}

#[async_trait]
impl Receipts for LinkedInbox {
    async fn mark_read(&self, to: &Recipient, last_inbound: &RemoteId) -> Result<(), SendError> {
        self.ask(SessionQuestion::MarkRead(to.clone(), vec![last_inbound.clone()])).await.map(drop)
    }

    async fn typing(&self, to: &Recipient, _last_inbound: &RemoteId) -> Result<(), SendError> {
        self.ask(SessionQuestion::ChatState(to.clone(), ChatState::Composing)).await.map(drop)
    }
}

#[async_trait]
impl Profiles for LinkedInbox {
    async fn profile(&self, of: &Recipient) -> Result<Option<Profile>, SendError> {
        if address::is_group(&of.thread) {
            return Ok(None);
        }
        let SessionAnswer::Contact(contact) = self.ask(SessionQuestion::Contact(of.clone())).await? else {
            return Ok(None);
        };
        let Some(contact) = contact else { return Ok(None) };
        let picture = match self.ask(SessionQuestion::Picture(of.clone())).await? {
            SessionAnswer::Picture(picture) => picture.map(MediaAddress),
            _ => None,
        };
        let identities = address::identities(contact.phone.as_deref(), contact.lid.as_deref());
        Ok(Some(Profile { name: contact.name, picture, identities }))
    }
}

#[async_trait]
impl Linking for LinkedInbox {
    async fn step(&self) -> Result<LinkStep, SendError> {
        let mut sight = self.desk.sight(&self.inbox).await?;
        if sight.state.is_at_rest() {
            self.ask(SessionQuestion::Start).await?;
        }
        // A code follows within a moment: whoever asked should not have to ask again for it.
        for _ in 0..LOOKS {
            if !(sight.state.is_at_rest() || sight.state == SessionState::Starting) {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            sight = self.desk.sight(&self.inbox).await?;
        }
        Ok(match (sight.state, sight.code) {
            (SessionState::Connected | SessionState::Syncing, _) => LinkStep::Linked,
            (SessionState::Qr, Some(code)) => {
                LinkStep::Scan(qr::png(&code).map_err(|error| cannot_carry(error.to_string()))?)
            }
            (SessionState::Code, Some(code)) => {
                LinkStep::Wait(format!("Type this code on the phone: {code}"))
            }
            (state, _) => LinkStep::Wait(state.connection(sight.reason.as_deref()).message),
        })
    }

    async fn sign_out(&self) -> Result<(), SendError> {
        self.ask(SessionQuestion::Logout).await.map(drop)
    }

    async fn restart(&self) -> Result<(), SendError> {
        self.ask(SessionQuestion::Restart).await.map(drop)
    }
}

#[async_trait]
impl Directory for LinkedInbox {
    async fn is_reachable(&self, phone: &str) -> Result<bool, SendError> {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        match self.ask(SessionQuestion::Check(vec![digits])).await? {
            SessionAnswer::Numbers(numbers) => Ok(numbers.iter().any(|number| number.registered)),
            _ => Ok(false),
        }
    }
}

/// What no session can send, however often it is tried.
pub(super) fn cannot_carry(shown: impl Into<String>) -> SendError {
    SendError {
        certain: true,
        retry: Retry::Never,
        scope: Scope::Message,
        reconnect: false,
        used_up: false,
        code: "NOT_POSSIBLE".to_owned(),
        http_status: None,
        shown: shown.into(),
        action: None,
        source: None,
    }
}
