//! One run of a session: from the start of the connection to its end, and what is told on the way.
//!
//! The library brings a connection back by itself; here the engine does that, with its own pace and budget. So the library may reconnect
//! once only: when WhatsApp restarts the stream after a phone was linked. After every other end this run is over.
//!
//! Messages come through [`Hook`], which the library awaits before it acknowledges them to WhatsApp: it comes back once the engine has
//! stored them. Everything else comes through [`Ears`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use frontdesk_channels::contract::{Ack, KeyChange, SessionEvent, SessionKeys, SessionNews};
use frontdesk_model::inbound::{InboundEvent, TypingNews};
use frontdesk_model::linked::LinkedPhone;
use frontdesk_model::{RemoteId, SharedClock};
use tokio::sync::{mpsc, oneshot, watch};
use whatsapp_rust::prelude::{Bot, BotHandle, Event, EventHandler, EventInterest, EventKind};
use whatsapp_rust::wacore::types::events::{ConnectFailureReason, InboundMessage, ServerAck};
use whatsapp_rust::wacore::types::message::MessageSource;
use whatsapp_rust::{Client, InboundDurabilityHook, Jid};

use crate::inbound::{self, Own};
use crate::people::{self, Names, Party};

/// How many events of the library wait here; what comes on top is lost, and a line in the log says so. Messages are not among them.
const HEARD: usize = 4_096;
/// How many pairs of id and number are remembered as told, and how many authors of messages in groups.
const REMEMBERED: usize = 2_000;

/// What all parts of a session share.
pub(crate) struct Core {
    pub(crate) clock: SharedClock,
    pub(crate) keys: Arc<dyn SessionKeys>,
    pub(crate) events: mpsc::Sender<SessionNews>,
    /// Sends that wait for WhatsApp's server, by message id.
    waiting: Mutex<HashMap<String, oneshot::Sender<Verdict>>>,
    /// Pairs of id and number that were told.
    told: Mutex<HashSet<String>>,
    /// Who wrote what in groups, the latest.
    authors: Mutex<VecDeque<(RemoteId, Jid)>>,
}

/// What WhatsApp's server said to a message: taken, or refused with a code.
pub(crate) type Verdict = Result<(), String>;

impl Core {
    pub(crate) fn new(
        clock: SharedClock,
        keys: Arc<dyn SessionKeys>,
        events: mpsc::Sender<SessionNews>,
    ) -> Self {
        Self {
            clock,
            keys,
            events,
            waiting: Mutex::default(),
            told: Mutex::default(),
            authors: Mutex::default(),
        }
    }

    /// Waits for the server's word about a message that is about to go out.
    pub(crate) fn await_verdict(&self, id: &str) -> oneshot::Receiver<Verdict> {
        let (sender, receiver) = oneshot::channel();
        held(&self.waiting).insert(id.to_owned(), sender);
        receiver
    }

    /// Nobody waits for that word any more.
    pub(crate) fn forget_verdict(&self, id: &str) {
        held(&self.waiting).remove(id);
    }

    fn hear_verdict(&self, ack: &ServerAck) {
        if ack.class.as_deref().is_some_and(|class| class != "message") {
            return;
        }
        if let Some(waiting) = held(&self.waiting).remove(&ack.id) {
            let _nobody_waits = waiting.send(ack.error.clone().map_or(Ok(()), Err));
        }
    }

    /// Who wrote a message of a group.
    pub(crate) fn author_of(&self, message: &RemoteId) -> Option<Jid> {
        held(&self.authors).iter().find(|(id, _)| id == message).map(|(_, author)| author.clone())
    }

    fn note_author(&self, message: &RemoteId, source: &MessageSource) {
        if source.is_group && !source.is_from_me {
            let mut authors = held(&self.authors);
            authors.truncate(REMEMBERED - 1);
            authors.push_front((message.clone(), source.sender.to_non_ad()));
        }
    }

    /// True once for each pair.
    fn is_news(&self, lid: &str) -> bool {
        let mut told = held(&self.told);
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(lid.to_owned())
    }

    async fn tell(&self, event: SessionEvent) {
        // Nobody listens when the engine has let go of the session.
        let _nobody = self.events.send(SessionNews::plain(event)).await;
    }

    async fn tell_mapping(&self, party: &Party) {
        if let Some((lid, phone)) = party.mapping.clone().filter(|(lid, _)| self.is_news(lid)) {
            self.tell(SessionEvent::Mapping { lid, phone }).await;
        }
    }

    /// What messages say, told as one; comes back when it is stored.
    async fn tell_messages(&self, client: &Client, batch: &[InboundMessage]) -> Result<(), NotStored> {
        let own = own(client);
        let mut events = Vec::new();
        for item in batch {
            let Some(party) = people::party(client, &item.info.source, &item.info.push_name).await else {
                continue;
            };
            self.tell_mapping(&party).await;
            let said = inbound::events(&item.message, &item.info, &party, &own);
            for event in &said {
                if let InboundEvent::Message(message) = event {
                    self.note_author(&message.remote_id, &item.info.source);
                }
            }
            events.extend(said);
        }
        if events.is_empty() {
            return Ok(());
        }
        let (ack, stored) = Ack::pair();
        let news = SessionNews { event: SessionEvent::Inbound(events), ack: Some(ack) };
        self.events.send(news).await.map_err(|_| NotStored)?;
        stored.await.map_err(|_| NotStored)
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine did not store what came in.
#[derive(Debug, thiserror::Error)]
#[error("the message was not stored")]
struct NotStored;

/// The names of the linked phone.
pub(crate) fn own(client: &Client) -> Own {
    Own { number: client.pn(), lid: client.lid() }
}

fn phone(client: &Client) -> LinkedPhone {
    let names = Names::of([client.pn(), client.lid()].iter().flatten());
    LinkedPhone { phone: names.phone(), lid: names.lid, name: people::name(&client.push_name()) }
}

/// Stands between the decryption of messages and WhatsApp's server, which forgets them once they are acknowledged.
pub(crate) struct Hook {
    pub(crate) core: Arc<Core>,
    pub(crate) stop: watch::Receiver<bool>,
}

#[async_trait]
impl InboundDurabilityHook for Hook {
    async fn on_messages(
        &self,
        client: Arc<Client>,
        batch: &[InboundMessage],
    ) -> whatsapp_rust::anyhow::Result<()> {
        let mut stop = self.stop.clone();
        tokio::select! {
            stored = self.core.tell_messages(&client, batch) => Ok(stored?),
            _ = stop.wait_for(|stop| *stop) => Err(NotStored.into()),
        }
    }
}

/// Hears what the library tells. What must be done at once is done here; the rest waits for its turn.
pub(crate) struct Ears {
    core: Arc<Core>,
    heard: mpsc::Sender<Arc<Event>>,
    client: Mutex<Weak<Client>>,
    /// No phone was linked when this run began, and its line has not been restarted yet.
    links: AtomicBool,
}

impl Ears {
    /// Ears, and what they hear.
    pub(crate) fn new(core: Arc<Core>) -> (Arc<Self>, mpsc::Receiver<Arc<Event>>) {
        let (heard, hear) = mpsc::channel(HEARD);
        let ears = Self { core, heard, client: Mutex::default(), links: AtomicBool::new(false) };
        (Arc::new(ears), hear)
    }

    /// Lets the library reconnect after a phone was linked, and only then.
    pub(crate) fn steer(&self, client: &Arc<Client>) {
        client.enable_auto_reconnect.store(false, Ordering::Relaxed);
        self.links.store(client.pn().is_none(), Ordering::Relaxed);
        *held(&self.client) = Arc::downgrade(client);
    }

    fn may_reconnect(&self, may: bool) {
        if let Some(client) = held(&self.client).upgrade() {
            client.enable_auto_reconnect.store(may, Ordering::Relaxed);
        }
    }

    /// True for the one end of the line that is none: a phone was just linked, and WhatsApp restarts the stream. The end may be heard
    /// before the word that announces it, and before that a phone was linked.
    fn is_restart(&self) -> bool {
        let is_linked = held(&self.client).upgrade().is_some_and(|client| client.pn().is_some());
        is_linked && self.links.swap(false, Ordering::Relaxed)
    }
}

/// The same ears for the library, which wants to own them.
pub(crate) struct Listening(pub(crate) Arc<Ears>);

impl EventHandler for Listening {
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            Event::ServerAck(ack) => return self.0.core.hear_verdict(ack),
            // The line stands; from here on it may be restarted.
            Event::PairingQrCode(_) => self.0.may_reconnect(true),
            Event::Disconnected(_) if self.0.is_restart() => return,
            Event::Connected(_) | Event::Disconnected(_) => {
                self.0.links.store(false, Ordering::Relaxed);
                self.0.may_reconnect(false);
            }
            _ => {}
        }
        if self.0.heard.try_send(event).is_err() {
            tracing::warn!("an event of a linked session was dropped: too many wait");
        }
    }

    fn interest(&self) -> EventInterest {
        EventInterest::of(&[
            EventKind::PairingQrCode,
            EventKind::PairingQrCodesExhausted,
            EventKind::PairingCode,
            EventKind::PairingCodeError,
            EventKind::PairPasskeyRequest,
            EventKind::PairPasskeyConfirmation,
            EventKind::PairPasskeyError,
            EventKind::QrScannedWithoutMultidevice,
            EventKind::PairSuccess,
            EventKind::PairError,
            EventKind::Connected,
            EventKind::Disconnected,
            EventKind::LoggedOut,
            EventKind::StreamReplaced,
            EventKind::TemporaryBan,
            EventKind::ConnectFailure,
            EventKind::ClientOutdated,
            EventKind::Messages,
            EventKind::UndecryptableMessage,
            EventKind::Receipt,
            EventKind::ServerAck,
            EventKind::ChatPresence,
        ])
    }
}

/// Runs until the connection ends or is told to stop. What ends it is told last; nothing is told of a stop.
pub(crate) async fn run(
    core: Arc<Core>,
    bot: Bot,
    mut heard: mpsc::Receiver<Arc<Event>>,
    mut stop: watch::Receiver<bool>,
) {
    let client = bot.client();
    let mut handle = bot.spawn();
    let mut attempt = 0;
    let end = loop {
        let event = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break None,
            Some(event) = heard.recv() => event,
            () = &mut handle => {
                let last = last_word(&core, &mut heard);
                break Some(last.unwrap_or_else(|| dropped("The connection to WhatsApp could not be made.")));
            }
        };
        if let Some(end) = end_of(&core, &event) {
            break Some(end);
        }
        tokio::select! {
            () = pass_on(&core, &client, &event, &mut attempt) => {}
            _ = stop.wait_for(|stop| *stop) => break None,
        }
    };
    close(handle).await;
    held(&core.waiting).clear();
    let Some(end) = end else { return };
    if matches!(end, SessionEvent::LoggedOut { .. })
        && let Err(error) = core.keys.write(vec![KeyChange::Clear]).await
    {
        tracing::warn!(%error, "what a session kept could not be forgotten");
    }
    core.tell(end).await;
}

/// Closes the connection and waits until what was in the middle of being written is written.
async fn close(handle: BotHandle) {
    handle.shutdown().await;
}

/// What was heard before the end and says why it came.
fn last_word(core: &Core, heard: &mut mpsc::Receiver<Arc<Event>>) -> Option<SessionEvent> {
    std::iter::from_fn(|| heard.try_recv().ok()).find_map(|event| end_of(core, &event))
}

fn dropped(reason: impl Into<String>) -> SessionEvent {
    SessionEvent::Dropped { reason: reason.into() }
}

fn failed(reason: impl Into<String>) -> SessionEvent {
    SessionEvent::Failed { reason: reason.into() }
}

/// The end of the run, where an event is one.
fn end_of(core: &Core, event: &Event) -> Option<SessionEvent> {
    Some(match event {
        Event::Disconnected(_) => dropped("The connection to WhatsApp ended."),
        Event::PairingQrCodesExhausted(spent) if spent.disconnected => SessionEvent::QrExhausted,
        Event::LoggedOut(out) => SessionEvent::LoggedOut { reason: why_logged_out(out.reason).to_owned() },
        Event::StreamReplaced(_) => failed("Another program has opened the same session."),
        Event::TemporaryBan(ban) => SessionEvent::Banned {
            until: core.clock.now().plus_ms(ban.expire.num_milliseconds()),
            reason: format!("WhatsApp says: {}.", ban.code),
        },
        Event::ClientOutdated(_) => {
            failed("WhatsApp no longer accepts this version of the driver; update the server.")
        }
        Event::ConnectFailure(failure) if failure.reason.should_reconnect() => {
            dropped("WhatsApp's servers are not available.")
        }
        Event::ConnectFailure(failure) => {
            failed(format!("WhatsApp refused the connection ({:?}).", failure.reason))
        }
        Event::PairError(_) => failed("The phone could not be linked: what it sent was not in order."),
        _ => return None,
    })
}

fn why_logged_out(reason: ConnectFailureReason) -> &'static str {
    match reason {
        ConnectFailureReason::AccountLocked => "WhatsApp has locked the account.",
        ConnectFailureReason::LoggedOut => "The phone removed this device, or was not used for two weeks.",
        _ => "WhatsApp ended the session.",
    }
}

/// Tells an event in our words.
async fn pass_on(core: &Core, client: &Client, event: &Event, attempt: &mut i64) {
    let millis = |duration: &std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match event {
        Event::PairingQrCode(qr) => {
            *attempt += 1;
            let (code, expires_in_ms) = (qr.code.clone(), millis(&qr.timeout));
            core.tell(SessionEvent::Qr { code, expires_in_ms, attempt: *attempt }).await;
        }
        Event::PairingCode(pairing) => {
            let (code, expires_in_ms) = (pairing.code.clone(), millis(&pairing.timeout));
            core.tell(SessionEvent::PairingCode { code, expires_in_ms }).await;
        }
        Event::PairPasskeyRequest(request) => {
            let options = serde_json::from_str(&request.request_options_json).unwrap_or_default();
            core.tell(SessionEvent::Challenge(passkey_request(options))).await;
        }
        Event::PairPasskeyConfirmation(confirmation) => {
            core.tell(SessionEvent::Challenge(passkey_confirmation(&confirmation.code))).await;
        }
        Event::PairSuccess(_) => {
            core.tell(SessionEvent::Paired(phone(client))).await;
            core.tell(SessionEvent::Syncing).await;
        }
        Event::Connected(_) => core.tell(SessionEvent::Connected(phone(client))).await,
        Event::Receipt(receipt) => {
            let statuses = inbound::statuses(receipt);
            if !statuses.is_empty() {
                core.tell(SessionEvent::Inbound(statuses)).await;
            }
        }
        // What came through the hook was told there.
        Event::Messages(batch) if !batch.hook_committed => {
            let _nobody_waits = core.tell_messages(client, &batch.messages).await;
        }
        // The others come again when the sender's phone has answered.
        Event::UndecryptableMessage(message) if message.unavailable_type.is_unrecoverable_fanout() => {
            if let Some(party) = people::party(client, &message.info.source, &message.info.push_name).await {
                let event = inbound::withheld(&message.info, &party, &own(client));
                core.tell(SessionEvent::Inbound(vec![event])).await;
            }
        }
        Event::ChatPresence(presence) => {
            use whatsapp_rust::wacore::types::presence::ChatPresence;
            let is_typing = presence.state == ChatPresence::Composing;
            let party = people::party(client, &presence.source, "").await;
            if let Some(party) = party.filter(|_| !presence.source.is_group) {
                let typing = TypingNews { contact: party.hint, is_typing };
                core.tell(SessionEvent::Inbound(vec![InboundEvent::Typing(typing)])).await;
            }
        }
        _ => {}
    }
}

/// The proof that WhatsApp wants: a passkey of the account, as browsers and phones make it (WebAuthn).
fn passkey_request(options: serde_json::Value) -> serde_json::Value {
    serde_json::json!({ "kind": "passkey", "publicKey": options })
}

/// The code that has to be the same here and on the phone.
fn passkey_confirmation(code: &str) -> serde_json::Value {
    serde_json::json!({ "kind": "passkey_confirmation", "code": code })
}
