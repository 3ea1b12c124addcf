//! One session on this node: holds its lease, runs its driver, writes down what happens, and carries out what is asked.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_channels::contract::{
    Ack, EVENTS_WAITING, SendError, SessionDriver, SessionEvent, SessionNews, SessionOpening, SessionQuestion,
};
use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::linked::SessionState;
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_store::linked_sessions::{self, LinkedSessionRow};
use frontdesk_store::{StoreError, contacts};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::keys::Keys;
use super::note::{self, Told};
use super::{Held, backoff, desk};
use crate::inboxes::{self, Inbox};
use crate::intake::{self, News};
use crate::{Engine, monitoring, typing};

/// A session that worked so long is forgiven its restarts.
const STABLE: Duration = Duration::from_secs(60);
/// Waits while the database does not take what came in.
const STORE_PAUSE: Duration = Duration::from_millis(500);
/// A challenge is waited for so long, in milliseconds.
const CHALLENGE_MS: i64 = 300_000;
/// So much that came in together is stored in one transaction.
const MAX_BATCH: usize = 64;

/// What a keeper is started with.
pub(super) struct Order {
    pub(super) engine: Engine,
    pub(super) inbox: Arc<Inbox>,
    pub(super) row: LinkedSessionRow,
    /// How long to wait first.
    pub(super) wait: Duration,
    pub(super) stop: CancellationToken,
    pub(super) wake: Arc<Notify>,
}

/// Keeps a session until it is at rest, no longer wanted here, or lost to another node.
pub(super) async fn keep(order: Order) {
    let Order { engine, inbox, mut row, wait, stop, wake } = order;
    let id = inbox.config.id;
    tokio::select! {
        () = stop.cancelled() => return,
        () = tokio::time::sleep(wait) => {}
    }
    let lost = CancellationToken::new();
    match claim(&engine, id).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::warn!(
                inbox.id = id.0,
                error = &error as &dyn std::error::Error,
                "a session could not be taken"
            );
            return;
        }
    }
    let account = row.account_id;
    match engine.store.read(move |tx| linked_sessions::find(tx, account, id)).await {
        Ok(Some(fresh)) => row = fresh,
        Ok(None) | Err(_) => return release(&engine, id).await,
    }
    let renewal = tokio::spawn(renew(engine.clone(), id, lost.clone()));
    let (events, receiver) = mpsc::channel(EVENTS_WAITING);
    let opening =
        SessionOpening { inbox: inbox.config.clone(), keys: Arc::new(Keys::new(&engine, id)), events };
    let context = monitoring::context_of(&engine, &inbox);
    let opened = match inbox.channel.sessions() {
        Some(sessions) => sessions.open(&context, opening),
        None => return renewal.abort(),
    };
    match opened {
        Ok(driver) => {
            let held = Held { driver: driver.clone(), is_connected: false };
            engine.linked().held().insert(id, held);
            let mut keeper = Keeper {
                engine: engine.clone(),
                id,
                state: row.state,
                restarts: row.restarts,
                row,
                driver: driver.clone(),
                connected_at: None,
                start_at: Some(Instant::now()),
                tasks: TaskTracker::new(),
                under_way: Arc::default(),
                orders: mpsc::channel(8),
            };
            keeper.work(receiver, &stop, &lost, &wake).await;
            engine.linked().held().remove(&id);
            driver.stop().await;
            keeper.tasks.close();
            keeper.tasks.wait().await;
        }
        Err(error) => {
            tracing::error!(inbox.id = id.0, error = %error, "a session cannot be opened");
            let told = Told::state(SessionState::Failed, row.restarts).because(error.reason).at_rest();
            if let Err(error) = note::write(&engine, &row, told).await {
                tracing::warn!(
                    inbox.id = id.0,
                    error = &error as &dyn std::error::Error,
                    "a session's state was not written"
                );
            }
        }
    }
    renewal.abort();
    release(&engine, id).await;
}

async fn claim(engine: &Engine, id: InboxId) -> Result<bool, StoreError> {
    let (owner, now) = (engine.node_id.clone(), engine.clock.now());
    let until = now.plus_ms(engine.settings.linked.lease_ms);
    engine.store.write(move |tx| linked_sessions::claim(tx, id, &owner, until, now)).await
}

async fn release(engine: &Engine, id: InboxId) {
    let owner = engine.node_id.clone();
    // Another node may go on at once; if this fails, it waits until the lease has run out.
    let _released = engine.store.write(move |tx| linked_sessions::release(tx, id, &owner)).await;
}

/// Prolongs the lease. Says so when it is lost, or may be: two nodes must never hold one session.
async fn renew(engine: Engine, id: InboxId, lost: CancellationToken) {
    let lease = Duration::from_millis(u64::try_from(engine.settings.linked.lease_ms).unwrap_or_default());
    let mut held_until = Instant::now() + lease;
    loop {
        tokio::time::sleep(lease / 3).await;
        let asked_at = Instant::now();
        match tokio::time::timeout_at(held_until - lease / 6, claim(&engine, id)).await {
            Ok(Ok(true)) => held_until = asked_at + lease,
            Ok(Ok(false)) => return lost.cancel(),
            Ok(Err(_)) if Instant::now() + lease / 2 < held_until => {}
            Ok(Err(_)) | Err(_) => return lost.cancel(),
        }
    }
}

/// A session being kept.
struct Keeper {
    engine: Engine,
    id: InboxId,
    row: LinkedSessionRow,
    driver: Arc<dyn SessionDriver>,
    state: SessionState,
    restarts: i64,
    connected_at: Option<Instant>,
    /// When the driver is to be started.
    start_at: Option<Instant>,
    tasks: TaskTracker,
    /// What is being answered.
    under_way: Arc<std::sync::Mutex<std::collections::HashSet<i64>>>,
    /// Restarts and sign-outs that were asked for.
    orders: (mpsc::Sender<Asked>, mpsc::Receiver<Asked>),
}

/// What only the keeper does, and where the answer goes.
struct Asked {
    id: frontdesk_model::LinkedCommandId,
    question: SessionQuestion,
}

/// Whether a session is kept on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    On,
    /// It is at rest, or another node's.
    Over,
}

impl Keeper {
    async fn work(
        &mut self,
        mut events: mpsc::Receiver<SessionNews>,
        stop: &CancellationToken,
        lost: &CancellationToken,
        wake: &Notify,
    ) {
        let mut batch: Vec<SessionNews> = Vec::with_capacity(MAX_BATCH);
        let mut course = Course::On;
        while course == Course::On {
            let start_at = self.start_at;
            tokio::select! {
                biased;
                () = lost.cancelled() => {
                    tracing::warn!(inbox.id = self.id.0, "a session was lost to another node, or its lease could not be prolonged");
                    return;
                }
                () = stop.cancelled() => break,
                count = events.recv_many(&mut batch, MAX_BATCH) => {
                    if count == 0 {
                        break;
                    }
                    let batch = std::mem::take(&mut batch);
                    course = unless_lost(lost, self.take(batch)).await.unwrap_or(Course::Over);
                }
                Some(asked) = self.orders.1.recv() => {
                    course = unless_lost(lost, self.carry_out(asked)).await.unwrap_or(Course::Over);
                }
                () = wake.notified() => {
                    let _lost = unless_lost(lost, self.look_for_questions()).await;
                }
                () = until(start_at) => {
                    course = unless_lost(lost, self.start()).await.unwrap_or(Course::Over);
                }
            }
        }
        if stop.is_cancelled() && !self.engine.shutdown.is_cancelled() {
            self.rest_if_unwanted().await;
        }
    }

    /// People here stopped it, or switched the inbox off.
    async fn rest_if_unwanted(&mut self) {
        let (account, id) = (self.row.account_id, self.id);
        let row = self.engine.store.read(move |tx| linked_sessions::find(tx, account, id)).await;
        let Ok(Some(row)) = row else { return };
        if (!row.wanted || !row.enabled) && !row.state.is_at_rest() {
            self.write(Told::state(SessionState::Disconnected, 0)).await;
        }
    }

    async fn start(&mut self) -> Course {
        self.start_at = None;
        if !matches!(self.state, SessionState::Reconnecting) {
            self.write(Told::state(SessionState::Starting, self.restarts)).await;
        }
        match self.driver.start().await {
            Ok(()) => Course::On,
            Err(error) => self.dropped(error.shown).await,
        }
    }

    /// Takes what happened, in order. What came in together is stored together.
    async fn take(&mut self, batch: Vec<SessionNews>) -> Course {
        let mut inbound: Vec<(Vec<InboundEvent>, Option<Ack>)> = Vec::new();
        for news in batch {
            match news.event {
                SessionEvent::Inbound(events) => inbound.push((events, news.ack)),
                event => {
                    self.store(std::mem::take(&mut inbound)).await;
                    let course = self.happened(event).await;
                    if let Some(ack) = news.ack {
                        ack.stored();
                    }
                    if course == Course::Over {
                        return course;
                    }
                }
            }
        }
        self.store(inbound).await;
        Course::On
    }

    async fn happened(&mut self, event: SessionEvent) -> Course {
        match event {
            SessionEvent::Qr { code, expires_in_ms, attempt } => {
                self.show(SessionState::Qr, &code, attempt, expires_in_ms).await;
            }
            SessionEvent::PairingCode { code, expires_in_ms } => {
                self.show(SessionState::Code, &code, 1, expires_in_ms).await;
            }
            SessionEvent::Challenge(challenge) => {
                self.show(SessionState::Challenge, &challenge.to_string(), 1, CHALLENGE_MS).await;
            }
            SessionEvent::QrExhausted => {
                self.write(Told::state(SessionState::QrExpired, 0).at_rest()).await;
                return Course::Over;
            }
            SessionEvent::Paired(phone) => {
                tracing::info!(inbox.id = self.id.0, "a phone was linked");
                let told = Told::state(SessionState::Syncing, self.restarts);
                self.write(Told { phone: Some(phone), ..told }).await;
            }
            SessionEvent::Syncing => self.write(Told::state(SessionState::Syncing, self.restarts)).await,
            SessionEvent::Connected(phone) => {
                self.connected_at = Some(Instant::now());
                // Before the state is told: what waited is sent as soon as it is.
                self.engine.linked().set_connected(self.id, true);
                let told = Told::state(SessionState::Connected, self.restarts);
                self.write(Told { phone: Some(phone), ..told }).await;
            }
            SessionEvent::Dropped { reason } => return self.dropped(reason).await,
            SessionEvent::LoggedOut { reason } => {
                tracing::warn!(inbox.id = self.id.0, "a phone unlinked its session");
                self.disconnected();
                self.write(Told::state(SessionState::LoggedOut, 0).because(reason).at_rest()).await;
                return Course::Over;
            }
            SessionEvent::Banned { until, reason } => {
                tracing::error!(inbox.id = self.id.0, %until, "the network banned the number of a session for a while");
                self.disconnected();
                let mut told =
                    Told::state(SessionState::Banned, self.restarts).because(banned(until, &reason));
                told.note.banned_until = Some(until);
                self.write(told).await;
                let wait_ms = until.millis_since(self.engine.clock.now()).max(0);
                let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or_default());
                self.start_at = Some(Instant::now() + wait + self.backoff(1));
            }
            SessionEvent::Failed { reason } => {
                self.disconnected();
                self.write(Told::state(SessionState::Failed, self.restarts).because(reason).at_rest()).await;
                return Course::Over;
            }
            SessionEvent::Mapping { lid, phone } => self.one_person(lid, phone).await,
            SessionEvent::Inbound(events) => self.store(vec![(events, None)]).await,
        }
        Course::On
    }

    fn disconnected(&mut self) {
        self.engine.linked().set_connected(self.id, false);
        if self.connected_at.take().is_some_and(|since| since.elapsed() >= STABLE) {
            self.restarts = 0;
        }
    }

    fn backoff(&self, restarts: i64) -> Duration {
        backoff::wait(&self.engine.settings.linked, restarts, rand::random())
    }

    /// The connection is gone: it comes back after a while, unless it did so too often in vain.
    async fn dropped(&mut self, reason: String) -> Course {
        self.disconnected();
        self.restarts += 1;
        if self.restarts > i64::from(self.engine.settings.linked.restart_budget) {
            tracing::error!(inbox.id = self.id.0, "a session was brought back too often in vain");
            self.write(Told::state(SessionState::Failed, self.restarts).because(reason).at_rest()).await;
            return Course::Over;
        }
        tracing::info!(inbox.id = self.id.0, restarts = self.restarts, "a session dropped");
        self.start_at = Some(Instant::now() + self.backoff(self.restarts));
        self.write(Told::state(SessionState::Reconnecting, self.restarts).because(reason)).await;
        Course::On
    }

    /// Writes how far it is. What cannot be written now is written with the next state; nothing depends on it.
    async fn write(&mut self, told: Told) {
        let (state, reason) = (told.note.state, told.note.reason.clone());
        match note::write(&self.engine, &self.row, told).await {
            Ok(_) => (self.row.state, self.row.reason) = (state, reason),
            Err(error) => self.not_written(&error),
        }
        self.state = state;
    }

    async fn show(&mut self, state: SessionState, code: &str, attempt: i64, expires_in_ms: i64) {
        match note::write_code(&self.engine, &self.row, state, code, attempt, expires_in_ms).await {
            Ok(_) => (self.row.state, self.row.reason) = (state, None),
            Err(error) => self.not_written(&error),
        }
        self.state = state;
    }

    fn not_written(&self, error: &(dyn std::error::Error + 'static)) {
        tracing::warn!(inbox.id = self.id.0, error, "how far a session is could not be written");
    }

    /// Stores what came in, and only then lets the network forget it. Waits for the database as long as it takes: the
    /// lease ends before that does any harm.
    async fn store(&mut self, inbound: Vec<(Vec<InboundEvent>, Option<Ack>)>) {
        if inbound.is_empty() {
            return;
        }
        let (all, acks): (Vec<_>, Vec<_>) = inbound.into_iter().unzip();
        match self.apply(all.concat()).await {
            Ok(()) => acks.into_iter().flatten().for_each(Ack::stored),
            Err(_) => {
                // One of them cannot be applied: each on its own, so that it does not take the others with it.
                for (events, ack) in all.into_iter().zip(acks) {
                    match self.apply(events).await {
                        Ok(()) => {
                            if let Some(ack) = ack {
                                ack.stored();
                            }
                        }
                        Err(error) => tracing::error!(
                            inbox.id = self.id.0,
                            error = &error as &dyn std::error::Error,
                            "what a session brought could not be applied; it stays with the phone"
                        ),
                    }
                }
            }
        }
    }

    /// Applies events. Waits while the database cannot be had.
    async fn apply(&self, events: Vec<InboundEvent>) -> Result<(), StoreError> {
        let events: Arc<[InboundEvent]> = events.into();
        loop {
            let book = match inboxes::book(&self.engine).await {
                Ok(book) => book,
                Err(error) if error.is_unavailable() => {
                    tokio::time::sleep(STORE_PAUSE).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let (account, inbox, now) = (self.row.account_id, self.id, self.engine.clock.now());
            let (news, told) = (News { account, inbox, now }, events.clone());
            let applied = self.engine.store.write(move |tx| {
                intake::apply_asked(tx, &book, news, &told)?;
                linked_sessions::touch(tx, inbox, now)
            });
            match applied.await {
                Ok(()) => {
                    self.engine.intake().applied_beside();
                    break;
                }
                Err(error) if error.is_unavailable() => tokio::time::sleep(STORE_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
        if events.iter().any(|event| matches!(event, InboundEvent::Typing(_))) {
            let (engine, inbox) = (self.engine.clone(), self.id);
            self.tasks.spawn(async move { typing::tell_all(&engine, inbox, events.iter()).await });
        }
        Ok(())
    }

    /// The number behind an id became known: whoever is known under either is one person from now on.
    async fn one_person(&self, lid: String, phone: String) {
        let (account, now) = (self.row.account_id, self.engine.clock.now());
        let joined = self.engine.store.write(move |tx| {
            let lid = Identity::new(IdentityKind::Lid, lid.as_str());
            let Some(phone) = Identity::phone(&phone) else { return Ok(()) };
            if contacts::find_many_by_identity(tx, [(account, &lid)])?.is_empty() {
                return Ok(()); // nobody we know: both names come with the first message
            }
            let hint = ContactHint { identities: vec![phone, lid], name: None };
            contacts::resolve(tx, account, &hint, now, now).map(drop)
        });
        if let Err(error) = joined.await {
            self.not_written(&error);
        }
    }

    /// Answers what other nodes ask, each beside the others.
    async fn look_for_questions(&mut self) {
        let questions = match desk::open_questions(&self.engine, self.id).await {
            Ok(questions) => questions,
            Err(error) => return self.not_written(&error),
        };
        for (id, question) in questions {
            let is_new =
                self.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.0);
            if !is_new {
                continue;
            }
            if matches!(question, SessionQuestion::Restart | SessionQuestion::Logout) {
                let _full = self.orders.0.try_send(Asked { id, question }); // whoever asks hears nothing, and asks again
                continue;
            }
            let (engine, driver, inbox) = (self.engine.clone(), self.driver.clone(), self.id);
            let under_way = self.under_way.clone();
            self.tasks.spawn(async move {
                let answer = desk::answer(&*driver, &question).await;
                desk::keep_answer(&engine, inbox, id, answer).await;
                under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&id.0);
            });
        }
    }

    /// Restarts, or signs out.
    async fn carry_out(&mut self, asked: Asked) -> Course {
        let Asked { id, question } = asked;
        let (course, answer): (Course, Result<_, SendError>) = match question {
            SessionQuestion::Logout => {
                let answer = desk::answer(&*self.driver, &question).await;
                self.disconnected();
                self.write(Told::state(SessionState::LoggedOut, 0).at_rest()).await;
                (Course::Over, answer)
            }
            _ => {
                self.disconnected();
                self.driver.stop().await;
                self.restarts = 0;
                self.state = SessionState::Starting;
                self.start_at = Some(Instant::now());
                (Course::On, Ok(frontdesk_channels::contract::SessionAnswer::Done))
            }
        };
        desk::keep_answer(&self.engine, self.id, id, answer).await;
        self.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&id.0);
        course
    }
}

/// What is told beside a ban.
fn banned(until: Timestamp, reason: &str) -> String {
    format!("The ban ends at {until}. {reason}").trim_end().to_owned()
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Work that ends at once when the lease is lost.
async fn unless_lost<T>(lost: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        () = lost.cancelled() => None,
        done = work => Some(done),
    }
}
