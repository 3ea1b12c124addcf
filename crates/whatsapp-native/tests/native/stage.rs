//! A driver, what it tells, and an engine that stores it.

use std::sync::Arc;

use frontdesk_channels::contract::{Ack, SessionDriver as _, SessionEvent, SessionNews, SessionOpening};
use frontdesk_model::clock::{ManualClock, Timestamp};
use frontdesk_model::inbound::{InboundEvent, InboundMessage};
use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use frontdesk_model::outbound::{OutboundBody, OutboundMessage, Recipient};
use frontdesk_model::{AccountId, InboxId};
use frontdesk_whatsapp_native::driver::NativeDriver;
use frontdesk_whatsapp_native::endpoint::Endpoint;
use tokio::sync::{Mutex, mpsc};

use crate::keys::MemoryKeys;
use crate::mock::{Mock, PATIENCE};

/// The number of the phone that is linked.
pub const OWN: &str = "6281300000001";
/// A customer.
pub const SARI: &str = "6281390045512";

/// One session with everything around it.
pub struct Stage {
    pub mock: Mock,
    pub driver: NativeDriver,
    pub keys: Arc<MemoryKeys>,
    news: Mutex<mpsc::Receiver<SessionNews>>,
}

/// When all of this happens.
pub fn now() -> Timestamp {
    Timestamp::from_secs(1_790_000_000)
}

impl Stage {
    /// A session for a number, with a phone there and a customer.
    pub async fn new() -> Self {
        let mock = Mock::start().await;
        mock.person(OWN).await;
        mock.person(SARI).await;
        Self::at(mock, Endpoint::default()).await
    }

    /// A session at a mock that is there.
    pub async fn at(mock: Mock, endpoint: Endpoint) -> Self {
        let keys = Arc::new(MemoryKeys::default());
        let clock = Arc::new(ManualClock::starting_at(now()));
        let (events, news) = mpsc::channel(frontdesk_channels::contract::EVENTS_WAITING);
        let inbox = InboxConfig {
            id: InboxId(1),
            account_id: AccountId(1),
            channel: "linked_whatsapp".to_owned(),
            settings: InboxSettings::new(),
        };
        let opening = SessionOpening { inbox, keys: keys.clone(), events };
        let endpoint =
            Endpoint { socket: Some(mock.url.clone()), version: Some((2, 3000, 1_023_000_000)), ..endpoint };
        let driver = NativeDriver::new(clock, endpoint, opening);
        Self { mock, driver, keys, news: Mutex::new(news) }
    }

    /// Waits for something that is told, and passes over the rest.
    pub async fn until<T>(
        &self,
        what: &str,
        mut is: impl FnMut(&SessionEvent) -> Option<T>,
    ) -> (T, Option<Ack>) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let told = tokio::time::timeout_at(deadline, async { self.news.lock().await.recv().await });
            let news =
                told.await.unwrap_or_else(|_| panic!("nobody told of {what}")).expect("the driver is there");
            if let Some(found) = is(&news.event) {
                return (found, news.ack);
            }
            if let Some(ack) = news.ack {
                ack.stored();
            }
        }
    }

    /// The next code to scan.
    pub async fn code(&self) -> String {
        let is = |event: &SessionEvent| match event {
            SessionEvent::Qr { code, .. } => Some(code.clone()),
            _ => None,
        };
        self.until("a code", is).await.0
    }

    /// Waits until the session works.
    pub async fn connected(&self) {
        let is = |event: &SessionEvent| match event {
            SessionEvent::Connected(_) => Some(()),
            SessionEvent::Dropped { reason }
            | SessionEvent::Failed { reason }
            | SessionEvent::LoggedOut { reason } => {
                panic!("it ended: {reason}")
            }
            _ => None,
        };
        self.until("the connection", is).await;
    }

    /// Starts, scans and waits until it works.
    pub async fn link(&self, number: &str) {
        self.driver.start().await.expect("it starts");
        let code = self.code().await;
        self.mock.scan(&code, number).await;
        self.connected().await;
        self.mock.wait("the session at work", |state| state.is_ready(number).then_some(())).await;
    }

    /// The next event of the network, with its ack.
    pub async fn inbound(&self) -> (Vec<InboundEvent>, Option<Ack>) {
        let is = |event: &SessionEvent| match event {
            SessionEvent::Inbound(events) => Some(events.clone()),
            _ => None,
        };
        self.until("something that came in", is).await
    }

    /// The next message, stored.
    pub async fn stored_message(&self) -> InboundMessage {
        let (events, ack) = self.inbound().await;
        ack.expect("a message waits for its ack").stored();
        match events.into_iter().next() {
            Some(InboundEvent::Message(message)) => *message,
            other => panic!("no message: {other:?}"),
        }
    }
}

/// The chat with a number.
pub fn chat(number: &str) -> Recipient {
    Recipient { thread: format!("{number}@s.whatsapp.net"), identities: Vec::new() }
}

/// A message to Sari.
pub fn outbound(body: OutboundBody) -> OutboundMessage {
    OutboundMessage {
        client_ref: "ref-1".to_owned(),
        to: chat(SARI),
        body,
        reply_to: None,
        last_inbound_at: None,
        now: now(),
        attempt: 1,
    }
}
