//! The driver of one session.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_channels::contract::{
    Channel as _, ChatState, FetchedMedia, KeyChange, MediaError, NumberCheck, SendError, Sent,
    SessionContact, SessionDriver, SessionOpening,
};
use frontdesk_channels::linked_whatsapp::LinkedWhatsApp;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::MediaRef;
use frontdesk_model::outbound::{OutboundBody, OutboundMessage, Recipient};
use frontdesk_model::{RemoteId, SharedClock};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::passkey::Assertion;
use whatsapp_rust::prelude::Bot;
use whatsapp_rust::wacore::store::DevicePropsOverride;
use whatsapp_rust::wacore_binary::JidExt as _;
use whatsapp_rust::{Client, Jid, RevokeType, SendOptions};

use crate::backend::KeyStore;
use crate::endpoint::Endpoint;
use crate::session::{self, Core, Ears, Hook, Listening};
use crate::{compose, errors, media, people};

/// How long a message waits for the word of WhatsApp's server.
const VERDICT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a pairing code waits for a connection to be asked for through.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(20);
/// The name that the phone shows in its list of linked devices.
const DEVICE_NAME: &str = "Frontdesk";

/// One session.
pub struct NativeDriver {
    core: Arc<Core>,
    endpoint: Endpoint,
    running: Mutex<Option<Running>>,
}

struct Running {
    client: Arc<Client>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl NativeDriver {
    /// The driver of a session. Connects nothing.
    pub fn new(clock: SharedClock, endpoint: Endpoint, opening: SessionOpening) -> Self {
        let core = Arc::new(Core::new(clock, opening.keys, opening.events));
        Self { core, endpoint, running: Mutex::default() }
    }

    fn client(&self) -> Result<Arc<Client>, SendError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|running| running.client.clone()).ok_or_else(SendError::not_connected)
    }

    /// The client of a session that is signed in.
    fn signed_in(&self) -> Result<Arc<Client>, SendError> {
        self.client().and_then(|client| {
            if client.is_logged_in() { Ok(client) } else { Err(SendError::not_connected()) }
        })
    }

    async fn end(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.stop.send_replace(true);
            let _ended = running.task.await; // a panic in there has been logged
        }
    }

    async fn build(
        &self,
    ) -> Result<
        (Bot, tokio::sync::mpsc::Receiver<Arc<whatsapp_rust::prelude::Event>>, watch::Sender<bool>),
        SendError,
    > {
        let (stop, stopped) = watch::channel(false);
        let (ears, heard) = Ears::new(self.core.clone());
        let builder = Bot::builder()
            .with_backend(KeyStore::new(self.core.keys.clone()))
            .with_device_props(DevicePropsOverride::new().with_os(DEVICE_NAME))
            .with_inbound_durability_hook(Hook { core: self.core.clone(), stop: stopped })
            .with_event_handler(Listening(ears.clone()))
            .skip_history_sync();
        let bot = self.endpoint.apply(builder).await.map_err(|error| SendError {
            source: Some(Box::new(error)),
            ..errors::later("START", "The session could not be started.")
        })?;
        ears.steer(&bot.client());
        Ok((bot, heard, stop))
    }

    /// Sends a message and waits until WhatsApp's server has taken or refused it.
    async fn deliver(
        &self,
        client: &Client,
        chat: &Jid,
        message: whatsapp_rust::waproto::whatsapp::Message,
    ) -> Result<RemoteId, SendError> {
        let id = client.generate_message_id();
        let verdict = self.core.await_verdict(&id);
        let options = SendOptions::default().with_message_id(id.as_str());
        if let Err(error) = client.send_message_with_options(chat, message, options).await {
            self.core.forget_verdict(&id);
            return Err(errors::not_sent(error));
        }
        let verdict = tokio::time::timeout(VERDICT_TIMEOUT, verdict).await;
        self.core.forget_verdict(&id);
        match verdict {
            Ok(Ok(Ok(()))) => Ok(RemoteId::new(id)),
            Ok(Ok(Err(code))) => Err(errors::refused(&code)),
            // The connection ended, or nobody said anything in time.
            Ok(Err(_)) | Err(_) => Err(errors::no_answer()),
        }
    }
}

impl Drop for NativeDriver {
    fn drop(&mut self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            // The run closes by itself.
            running.stop.send_replace(true);
        }
    }
}

fn chat_of(to: &Recipient) -> Result<Jid, SendError> {
    people::chat_of(to).ok_or_else(|| errors::cannot("NO_CHAT", "This contact has no chat on WhatsApp."))
}

#[async_trait]
impl SessionDriver for NativeDriver {
    fn capabilities(&self) -> &'static Capabilities {
        LinkedWhatsApp.capabilities()
    }

    async fn start(&self) -> Result<(), SendError> {
        self.end().await;
        let (bot, heard, stop) = self.build().await?;
        let client = bot.client();
        let task = tokio::spawn(session::run(self.core.clone(), bot, heard, stop.subscribe()));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { client, stop, task });
        Ok(())
    }

    async fn stop(&self) {
        self.end().await;
    }

    async fn logout(&self) -> Result<(), SendError> {
        if let Ok(client) = self.signed_in() {
            // Whoever listens hears nothing of it: we asked for it.
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(running) = running {
                client.logout().await;
                running.stop.send_replace(true);
                let _ended = running.task.await;
            }
        }
        self.end().await;
        self.core.keys.write(vec![KeyChange::Clear]).await.map_err(|error| SendError {
            source: Some(Box::new(error)),
            ..errors::later("KEYS", "The linked phone could not be forgotten; try again.")
        })
    }

    async fn request_pairing_code(&self, phone: &str) -> Result<(), SendError> {
        let client = self.client()?;
        client.wait_for_socket(SOCKET_TIMEOUT).await.map_err(errors::unanswered)?;
        client.cancel_pair_code().await;
        let options = PairCodeOptions { phone_number: phone.to_owned(), ..PairCodeOptions::default() };
        client.pair_with_code(options).await.map(drop).map_err(|error| SendError {
            source: Some(Box::new(error)),
            ..errors::later(
                "NO_PAIRING_CODE",
                "WhatsApp gave no pairing code. Check the number; if it is right, wait some minutes: WhatsApp gives few.",
            )
        })
    }

    async fn answer_challenge(&self, answer: &serde_json::Value) -> Result<(), SendError> {
        let client = self.client()?;
        let refused = |error| SendError {
            source: Some(Box::new(error)),
            ..errors::cannot("CHALLENGE", "WhatsApp did not accept the proof. Link the phone anew.")
        };
        if answer["confirmed"] == true {
            return client.send_passkey_confirmation().await.map_err(refused);
        }
        let assertion = &answer["assertion"];
        let id =
            assertion["rawId"].as_str().and_then(|id| URL_SAFE_NO_PAD.decode(id.trim_end_matches('=')).ok());
        let Some(credential_id) = id else {
            return Err(errors::cannot(
                "CHALLENGE",
                "Answer with {\"assertion\": …} as the browser made it, or with {\"confirmed\": true}.",
            ));
        };
        let assertion_json = assertion.to_string().into_bytes();
        client.send_passkey_response(Assertion { assertion_json, credential_id }).await.map_err(refused)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let client = self.signed_in()?;
        let chat = chat_of(&message.to)?;
        let own = session::own(&client);
        let author = |id: &RemoteId| self.core.author_of(id);
        let composed = match &message.body {
            OutboundBody::Reaction { target, emoji } => {
                compose::reaction(target, &chat, author(target), emoji.as_deref(), self.core.clock.now())
            }
            OutboundBody::Media(media) => {
                let uploaded = media::upload(&client, media).await?;
                compose::message(message, Some(uploaded), &chat, &own, author)?
            }
            _ => compose::message(message, None, &chat, &own, author)?,
        };
        Ok(Sent { remote_id: self.deliver(&client, &chat, composed).await? })
    }

    async fn edit(&self, to: &Recipient, target: &RemoteId, text: &str) -> Result<(), SendError> {
        let client = self.signed_in()?;
        let sent = client.edit_message(chat_of(to)?, target.as_written(), compose::words(text)).await;
        sent.map(drop).map_err(errors::not_sent)
    }

    async fn revoke(&self, to: &Recipient, target: &RemoteId) -> Result<(), SendError> {
        let client = self.signed_in()?;
        let sent = client.revoke_message(chat_of(to)?, target.as_written(), RevokeType::Sender).await;
        sent.map_err(errors::not_sent)
    }

    async fn mark_read(&self, to: &Recipient, messages: &[RemoteId]) -> Result<(), SendError> {
        let client = self.signed_in()?;
        let chat = chat_of(to)?;
        if !chat.is_group() {
            let ids: Vec<&str> = messages.iter().map(RemoteId::as_written).collect();
            return client.mark_as_read(&chat, None, &ids).await.map_err(errors::unanswered);
        }
        // In a group each mark names who wrote the message; of those long ago it is not known any more.
        for message in messages {
            if let Some(author) = self.core.author_of(message) {
                let marked = client.mark_as_read(&chat, Some(&author), &[message.as_written()]).await;
                marked.map_err(errors::unanswered)?;
            }
        }
        Ok(())
    }

    async fn chatstate(&self, to: &Recipient, state: ChatState) -> Result<(), SendError> {
        let client = self.signed_in()?;
        let chat = chat_of(to)?;
        let told = match state {
            ChatState::Composing => client.chatstate().send_composing(&chat).await,
            ChatState::Recording => client.chatstate().send_recording(&chat).await,
            ChatState::Paused => client.chatstate().send_paused(&chat).await,
        };
        told.map_err(errors::unanswered)
    }

    async fn check_numbers(&self, phones: &[String]) -> Result<Vec<NumberCheck>, SendError> {
        let client = self.signed_in()?;
        let jids: Vec<Jid> = phones.iter().map(|phone| Jid::pn(phone.as_str())).collect();
        let found = client.contacts().is_on_whatsapp(&jids).await.map_err(errors::unanswered)?;
        let check = |phone: &String| {
            let names = |jid: Option<&Jid>| jid.is_some_and(|jid| jid.is_pn() && jid.user_base() == phone);
            let hit = found.iter().find(|hit| names(Some(&hit.jid)) || names(hit.pn_jid.as_ref()));
            NumberCheck {
                phone: phone.clone(),
                registered: hit.is_some_and(|hit| hit.is_registered),
                lid: hit.and_then(|hit| hit.lid.as_ref()).map(|lid| format!("{}@lid", lid.user_base())),
            }
        };
        Ok(phones.iter().map(check).collect())
    }

    async fn profile_picture(&self, of: &Recipient) -> Result<Option<String>, SendError> {
        let client = self.signed_in()?;
        let picture = client.contacts().get_profile_picture(&chat_of(of)?, false).await;
        Ok(picture.map_err(errors::unanswered)?.map(|picture| picture.url))
    }

    async fn contact(&self, of: &Recipient) -> Result<Option<SessionContact>, SendError> {
        let client = self.signed_in()?;
        let chat = chat_of(of)?;
        if chat.is_group() {
            return Ok(None);
        }
        if chat.is_pn() {
            let known = self.check_numbers(&[chat.user_base().to_owned()]).await?;
            if !known.iter().any(|number| number.registered) {
                return Ok(None);
            }
        }
        let found =
            client.contacts().get_user_info(std::slice::from_ref(&chat)).await.map_err(errors::unanswered)?;
        let info = found.into_values().next();
        let told = people::Names::of(
            [Some(&chat), info.as_ref().and_then(|info| info.lid.as_ref())].into_iter().flatten(),
        );
        let names = people::complete(&client, told).await;
        Ok(Some(SessionContact {
            name: info.as_ref().and_then(|info| info.verified_name.as_ref()?.name.clone()),
            about: info.as_ref().and_then(|info| info.status.clone()).filter(|about| !about.is_empty()),
            phone: names.phone(),
            lid: names.lid,
            is_business: info.is_some_and(|info| info.is_business),
        }))
    }

    async fn fetch_media(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        let client = self.signed_in().map_err(|error| MediaError::Unavailable(error.shown))?;
        media::fetch(&client, media, path, max_bytes).await
    }
}
