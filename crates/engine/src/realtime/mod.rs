//! Live updates: a server for the Pusher protocol, version 7, that unmodified clients (pusher-js, laravel-echo) and
//! Laravel's HTTP clients talk to.
//!
//! In the order of the flow: [`tail`] follows the event log and [`render`] turns events into JSON; [`hub`] knows the
//! sockets of this node and who listens where; [`session`] is one client's conversation; [`relay`] keeps the nodes
//! in step, [`presence`] counts members across them. [`catch_up`] gives a returning client what it missed.
//! The sockets themselves are the business of `http::socket`.
//!
//! Sockets end with the access of their users: [`logins`].
//!
//! Every account is an application of its own: the key in the address decides the account, so channels of the same
//! name never mix.

pub mod apps;
pub mod auth;
pub mod catch_up;
pub mod channel_name;
pub mod hub;
pub mod logins;
pub mod note;
pub mod presence;
pub mod protocol;
pub mod queue;
pub mod relay;
pub mod render;
pub mod session;
pub mod settings;
mod tail;
pub mod trigger;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_model::{AccountId, ConversationId};
use tokio::sync::{SetOnce, mpsc};

use self::hub::Hub;
use self::note::Note;
use self::relay::Step;
use self::render::{EventRenderer, ViewRenderer};
use self::settings::RealtimeSettings;
use crate::{Engine, EngineParts};

/// Steps that may wait for the database before new ones are refused.
const MAX_WAITING_STEPS: usize = 10_000;

/// The live part of an engine. Cheap to clone.
#[derive(Clone)]
pub struct Realtime {
    parts: Arc<RealtimeParts>,
}

/// What [`Realtime`] is made of.
pub struct RealtimeParts {
    /// The sockets of this node.
    pub hub: Hub,
    /// What the settings file says.
    pub settings: RealtimeSettings,
    apps: apps::Apps,
    questions: trigger::Questions,
    is_shared: bool,
    steps: mpsc::UnboundedSender<Step>,
    waiting_steps: AtomicUsize,
    /// Set when the tail knows where the log ended: whoever connects after that misses nothing.
    started: SetOnce<()>,
    /// Taken by [`run`].
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Step>>>,
}

impl std::ops::Deref for Realtime {
    type Target = RealtimeParts;
    fn deref(&self) -> &RealtimeParts {
        &self.parts
    }
}

impl Realtime {
    pub(crate) fn new(engine: &EngineParts) -> Self {
        let settings = engine.settings.realtime.clone();
        let (steps, receiver) = mpsc::unbounded_channel();
        let hub = Hub::new(settings.limits.max_backlog_bytes, settings.limits.max_sockets_per_account);
        Self {
            parts: Arc::new(RealtimeParts {
                hub,
                settings,
                apps: apps::Apps::new(),
                questions: trigger::Questions::default(),
                is_shared: engine.store.is_postgres(),
                steps,
                waiting_steps: AtomicUsize::new(0),
                started: SetOnce::new(),
                receiver: Mutex::new(Some(receiver)),
            }),
        }
    }

    /// Tells listeners of an account that a customer is typing, or has stopped. `from` is their number as their donor has it.
    /// Not an event of the log: who is not there misses it.
    pub fn announce_typing(
        &self,
        account: AccountId,
        conversation: ConversationId,
        from: Option<&str>,
        is_typing: bool,
    ) {
        let send = |channel: &str, name: &str, data: &serde_json::Value| {
            let frame = protocol::event(&render::wire_name(name), channel, &data.to_string());
            self.publish_everywhere(account, channel, &frame, None);
        };
        if is_typing {
            let data = serde_json::json!({ "conversation_id": conversation });
            send(&channel_name::of_account(account), "CustomerTyping", &data);
            send(channel_name::PRIVATE_INBOX, "CustomerTyping", &data);
        }
        let donor = serde_json::json!({
            "from": from,
            "isTyping": is_typing,
            "conversation_id": conversation,
        });
        send(channel_name::PRIVATE_INBOX, "DonaturTyping", &donor);
        if self.settings.public_inbox != settings::PublicInbox::Off {
            send(channel_name::PUBLIC_INBOX, "DonaturTyping", &donor);
        }
    }

    /// Waits until [`run`] follows the event log. A client that subscribed before could miss what happened in
    /// between and not know.
    pub async fn started(&self) {
        self.started.wait().await;
    }

    /// Whether there may be other nodes.
    fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Hands a step to the relay. False when too many wait already.
    fn enqueue(&self, step: Step) -> bool {
        if self.waiting_steps.load(Ordering::Relaxed) >= MAX_WAITING_STEPS {
            return false;
        }
        self.enqueue_leave(step);
        true
    }

    /// Hands over a step that must not be refused; there is at most one for every one that was accepted.
    fn enqueue_leave(&self, step: Step) {
        if self.steps.send(step).is_ok() {
            self.waiting_steps.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn steps_done(&self, count: usize) {
        self.waiting_steps.fetch_sub(count, Ordering::Relaxed);
    }

    /// Tells the other nodes, if there may be any. False when too much waits to be told.
    pub(crate) fn tell(&self, account_id: AccountId, note: impl FnOnce() -> Note) -> bool {
        !self.is_shared || self.enqueue(Step::Tell { account_id, note: note() })
    }
}

/// Does the work behind live updates until the engine stops, then closes all sockets. Called once per process, by
/// [`crate::workers::spawn`].
pub async fn run(engine: Engine) {
    let renderer = Arc::new(ViewRenderer::new(engine.clone()));
    run_with(engine, renderer).await;
}

/// [`run`] with another renderer.
pub async fn run_with(engine: Engine, renderer: Arc<dyn EventRenderer>) {
    let receiver = engine.realtime().receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(receiver) = receiver else {
        tracing::error!("live updates were started twice");
        return;
    };
    tokio::join!(
        relay::run(engine.clone(), receiver),
        logins::run(engine.clone()),
        tail::run(engine, renderer)
    );
}
