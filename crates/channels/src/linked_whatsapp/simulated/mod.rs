//! A driver for the phones of the sandbox, in every build: for tests, the demo and whoever writes programs against us.
//!
//! It behaves as the real thing does: codes that run out, a restart right after pairing, messages that come again until they
//! are acknowledged, phones that go offline, log out and get banned. It only ever reaches this machine.
//!
//! | file | what it is for |
//! |---|---|
//! | [`wire`] | the frames, as the sandbox writes them |
//! | [`socket`] | one connection after the other, from start to stop |
//! | [`calls`] | what is asked over it, each with its answer |
//! | [`inbound`], [`compose`] | what phones say in our words, and ours in theirs |
//! | [`files`] | pictures and voices |

mod calls;
mod compose;
mod files;
mod inbound;
mod socket;
mod wire;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::MediaRef;
use frontdesk_model::outbound::{OutboundBody, OutboundMessage, Recipient};
use frontdesk_model::{RemoteId, SharedClock};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use url::{Host, Url};

use self::calls::Calls;
use self::files::Files;
use super::connection::cannot_carry;
use super::{CAPABILITIES, address};
use crate::contract::{
    ChannelContext, ChatState, DriverInfo, DriverKind, FetchedMedia, KeyChange, MediaError, NumberCheck,
    OpenError, SendError, Sent, SentOnce, SessionContact, SessionDriver, SessionKeys, SessionNews,
    SessionOpening,
};

static INFO: DriverInfo =
    DriverInfo { name: "simulated", label: "Simulated (phones of the sandbox)", is_real: false };

/// Where it keeps which phone is linked.
const DEVICE: (&str, &str) = ("device", "device");

/// The kind of driver.
pub(super) struct Simulated;

impl DriverKind for Simulated {
    fn info(&self) -> &'static DriverInfo {
        &INFO
    }

    fn open(
        &self,
        context: &ChannelContext,
        opening: SessionOpening,
    ) -> Result<Arc<dyn SessionDriver>, OpenError> {
        let SessionOpening { inbox, keys, events } = opening;
        let url = simulator(&context.providers.linked.simulator_url)?;
        let files = Files::open(context, &url, inbox.id)?;
        let session = super::fields::text(&inbox.settings, super::fields::SESSION_ID).unwrap_or_default();
        let core = Core {
            url,
            session: session.to_owned(),
            clock: context.clock.clone(),
            keys,
            events,
            calls: Calls::default(),
            files,
        };
        Ok(Arc::new(Driver { core: Arc::new(core), running: Mutex::new(None) }))
    }
}

/// The address of the sandbox: on this machine, or none.
fn simulator(url: &str) -> Result<Url, OpenError> {
    let unusable = |reason: &str| OpenError { reason: reason.to_owned() };
    if url.is_empty() {
        return Err(unusable(
            "there are no simulated phones: start `frontdesk sandbox` and set WHATSAPP_SIMULATOR_URL to its address, as \
             http://127.0.0.1:9090",
        ));
    }
    let url = Url::parse(url).map_err(|_| unusable("WHATSAPP_SIMULATOR_URL is no address"))?;
    let is_local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if is_local && url.scheme() == "http" {
        Ok(url)
    } else {
        Err(unusable("WHATSAPP_SIMULATOR_URL must be an http address of this machine"))
    }
}

/// What all parts of a driver share.
struct Core {
    url: Url,
    session: String,
    clock: SharedClock,
    keys: Arc<dyn SessionKeys>,
    events: mpsc::Sender<SessionNews>,
    calls: Calls,
    files: Files,
}

/// One session.
struct Driver {
    core: Arc<Core>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    /// Ends what runs, if anything does.
    async fn end(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = running {
            task.abort();
            let _ended = task.await; // cancelled, which is what was asked
        }
        self.core.calls.hang_up();
    }

    async fn call(&self, what: &'static str, args: Value) -> Result<Value, SendError> {
        self.core.calls.ask(what, args).await
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = running {
            task.abort();
        }
    }
}

#[async_trait]
impl SessionDriver for Driver {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn start(&self) -> Result<(), SendError> {
        self.end().await;
        let task = tokio::spawn(socket::run(self.core.clone()));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }

    async fn stop(&self) {
        self.end().await;
    }

    async fn logout(&self) -> Result<(), SendError> {
        // The phone may be out of reach; what is forgotten here it cannot use any more.
        let _told = self.call("logout", json!({})).await;
        self.end().await;
        self.core.keys.write(vec![KeyChange::Clear]).await.map_err(|error| SendError {
            code: "KEYS".to_owned(),
            shown: "The linked phone could not be forgotten; try again.".to_owned(),
            source: Some(Box::new(error)),
            ..SendError::not_connected()
        })
    }

    async fn request_pairing_code(&self, phone: &str) -> Result<(), SendError> {
        self.call("pair_code", json!({ "phone": phone })).await.map(drop)
    }

    async fn answer_challenge(&self, answer: &Value) -> Result<(), SendError> {
        self.call("challenge", json!({ "answer": answer })).await.map(drop)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let uploaded = match &message.body {
            OutboundBody::Media(media) => Some(self.core.files.upload(media).await?),
            _ => None,
        };
        let args = compose::message(message, uploaded.as_deref())?;
        let answer = self.call("send", args).await?;
        match answer["id"].as_str() {
            Some(id) => Ok(Sent { remote_id: RemoteId(id.to_owned()) }),
            None => Err(SendError { certain: false, ..cannot_carry("The phone gave the message no id.") }),
        }
    }

    async fn find_sent(&self, message: &SentOnce) -> Result<Option<Vec<RemoteId>>, SendError> {
        let args = json!({ "chat": message.to.thread, "reference": message.client_ref });
        let answer = self.call("find_sent", args).await?;
        Ok(Some(answer["id"].as_str().map(|id| RemoteId(id.to_owned())).into_iter().collect()))
    }

    async fn edit(&self, to: &Recipient, target: &RemoteId, text: &str) -> Result<(), SendError> {
        let args = json!({ "chat": to.thread, "target": target.as_written(), "text": text });
        self.call("edit", args).await.map(drop)
    }

    async fn revoke(&self, to: &Recipient, target: &RemoteId) -> Result<(), SendError> {
        self.call("revoke", json!({ "chat": to.thread, "target": target.as_written() })).await.map(drop)
    }

    async fn mark_read(&self, to: &Recipient, messages: &[RemoteId]) -> Result<(), SendError> {
        let ids: Vec<&str> = messages.iter().map(RemoteId::as_written).collect();
        self.call("read", json!({ "chat": to.thread, "ids": ids })).await.map(drop)
    }

    async fn chatstate(&self, to: &Recipient, state: ChatState) -> Result<(), SendError> {
        self.call("chatstate", json!({ "chat": to.thread, "state": state })).await.map(drop)
    }

    async fn check_numbers(&self, phones: &[String]) -> Result<Vec<NumberCheck>, SendError> {
        let answer = self.call("check", json!({ "phones": phones })).await?;
        let found: Vec<NumberCheck> = serde_json::from_value(answer["numbers"].clone()).unwrap_or_default();
        Ok(found)
    }

    async fn profile_picture(&self, of: &Recipient) -> Result<Option<String>, SendError> {
        let answer = self.call("picture", json!({ "chat": of.thread })).await?;
        Ok(answer["url"].as_str().map(str::to_owned))
    }

    async fn contact(&self, of: &Recipient) -> Result<Option<SessionContact>, SendError> {
        let answer = self.call("contact", json!({ "chat": of.thread })).await?;
        let text = |key: &str| answer["contact"][key].as_str().map(str::to_owned);
        Ok(answer["contact"].is_object().then(|| SessionContact {
            name: text("name"),
            about: text("about"),
            phone: text("phone")
                .and_then(|phone| address::identities(Some(&phone), None).pop())
                .map(|identity| identity.value),
            lid: text("lid"),
            is_business: answer["contact"]["business"].as_bool().unwrap_or_default(),
        }))
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        self.core.files.download(media, path, max_bytes).await
    }
}
