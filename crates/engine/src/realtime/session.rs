//! One client's conversation with the server: frames in, answers to its queue. Nothing here waits.

use std::collections::HashMap;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::value::RawValue;

use super::Realtime;
use super::apps::App;
use super::channel_name::{self, ChannelKind, PUBLIC_INBOX, USER_CHANNEL};
use super::hub::{Socket, TooManySockets, Whose};
use super::note::Note;
use super::protocol::{self, ClientFrame, Frame, SignIn, Subscribe, Unsubscribe};
use super::relay::Step;
use super::settings::PublicInbox;

/// The longest user id, in bytes.
const MAX_USER_ID: usize = 200;

/// One connected client. Leaves its channels when dropped.
pub struct Session {
    realtime: Realtime,
    app: Arc<App>,
    /// Its place in the hub; the transport drains its queue.
    pub socket: Arc<Socket>,
    /// The channels it asked for and was allowed on; the user on presence channels.
    channels: HashMap<String, Option<String>>,
    signed_in_as: Option<String>,
    may_hear_public_inbox: bool,
    client_events: Option<DefaultDirectRateLimiter>,
}

#[derive(serde::Deserialize)]
struct ChannelData<'a> {
    user_id: serde_json::Value,
    #[serde(borrow)]
    user_info: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
struct UserData {
    id: serde_json::Value,
}

/// Why a channel is refused.
struct Refused {
    kind: &'static str,
    message: String,
    status: u16,
}

impl Refused {
    fn because(status: u16, message: impl Into<String>) -> Self {
        Self { kind: "AuthError", message: message.into(), status }
    }
}

impl Session {
    /// Takes a client in and greets it. `has_login`: the upgrade came with a valid session cookie of the account.
    pub fn open(realtime: &Realtime, app: Arc<App>, has_login: bool) -> Result<Self, TooManySockets> {
        let socket = realtime.hub.open(app.account_id)?;
        let timeout = realtime.settings.limits.activity_timeout_secs;
        socket.queue.push(protocol::connection_established(&socket.id, timeout));
        let may_hear_public_inbox = match realtime.settings.public_inbox {
            PublicInbox::Off => false,
            PublicInbox::SignedIn => has_login,
            PublicInbox::Open => true,
        };
        Ok(Self {
            realtime: realtime.clone(),
            app,
            socket,
            channels: HashMap::new(),
            signed_in_as: None,
            may_hear_public_inbox,
            client_events: None,
        })
    }

    /// Takes in one text frame.
    pub fn receive(&mut self, text: &str) {
        let Ok(frame) = serde_json::from_str::<ClientFrame<'_>>(text) else {
            return self.answer(protocol::error(None, "The message is no JSON object with an event"));
        };
        match frame.event.as_str() {
            "pusher:ping" => self.answer(protocol::pong()),
            "pusher:pong" => {}
            "pusher:subscribe" => match frame.parse_data::<Subscribe>() {
                Some(wanted) => self.subscribe(&wanted),
                None => self.answer(protocol::error(None, "pusher:subscribe needs a channel")),
            },
            "pusher:unsubscribe" => match frame.parse_data::<Unsubscribe>() {
                Some(wanted) => self.unsubscribe(&wanted.channel),
                None => self.answer(protocol::error(None, "pusher:unsubscribe needs a channel")),
            },
            "pusher:signin" => match frame.parse_data::<SignIn>() {
                Some(who) => self.sign_in(&who),
                None => self.answer(protocol::error(None, "pusher:signin needs auth and user_data")),
            },
            event if event.starts_with("client-") => self.send_client_event(&frame),
            _ => self.answer(protocol::error(None, "The event is not one that clients may send")),
        }
    }

    fn answer(&self, frame: Frame) {
        self.socket.queue.push(frame);
    }

    fn subscribe(&mut self, wanted: &Subscribe) {
        let channel = wanted.channel.as_str();
        if let Err(refused) = self.try_subscribe(wanted) {
            let Refused { kind, message, status } = refused;
            self.answer(protocol::subscription_error(channel, kind, &message, status));
        }
    }

    fn try_subscribe(&mut self, wanted: &Subscribe) -> Result<(), Refused> {
        let channel = wanted.channel.as_str();
        if !channel_name::is_valid(channel) {
            let rule = "A channel's name has 1 to 200 of the characters A-Z a-z 0-9 _ - = @ , . ;";
            return Err(Refused::because(400, rule));
        }
        if self.realtime.hub.is_subscribed(&self.socket, channel) {
            self.answer(protocol::error(None, &format!("Existing subscription to channel {channel}")));
            return Ok(());
        }
        let limit = self.realtime.settings.limits.max_channels_per_socket;
        if !self.channels.contains_key(channel) && self.channels.len() >= limit {
            let message = format!("A connection may listen on {limit} channels");
            return Err(Refused { kind: "LimitReached", message, status: 4004 });
        }
        match ChannelKind::of(channel) {
            ChannelKind::Public => self.check_public(channel)?,
            ChannelKind::Private | ChannelKind::Encrypted => self.check_signature(wanted, None)?,
            ChannelKind::Presence => return self.join(wanted),
            ChannelKind::User => {
                let owner = channel.strip_prefix(USER_CHANNEL);
                if owner.is_none() || owner != self.signed_in_as.as_deref() {
                    return Err(Refused::because(401, "The connection is not signed in as this user"));
                }
            }
        }
        self.channels.insert(channel.to_owned(), None);
        self.realtime.hub.subscribe(&self.socket, channel, protocol::subscription_succeeded(channel, "{}"));
        Ok(())
    }

    fn check_public(&self, channel: &str) -> Result<(), Refused> {
        if channel != PUBLIC_INBOX || self.may_hear_public_inbox {
            return Ok(());
        }
        Err(match self.realtime.settings.public_inbox {
            PublicInbox::Off => {
                Refused::because(403, "The public channel inbox is switched off: use private-inbox")
            }
            _ => Refused::because(401, "The public channel inbox is for signed-in users"),
        })
    }

    fn check_signature(&self, wanted: &Subscribe, channel_data: Option<&str>) -> Result<(), Refused> {
        let auth = wanted.auth.as_deref().unwrap_or_default();
        if self.app.signer.allows_channel(auth, &self.socket.id, &wanted.channel, channel_data) {
            Ok(())
        } else {
            Err(Refused::because(401, "The connection is not authorised for this channel"))
        }
    }

    fn join(&mut self, wanted: &Subscribe) -> Result<(), Refused> {
        let data = wanted.channel_data.as_deref();
        let data = data.ok_or_else(|| Refused::because(400, "A presence channel needs channel_data"))?;
        self.check_signature(wanted, Some(data))?;
        let parsed: ChannelData<'_> =
            serde_json::from_str(data).map_err(|_| Refused::because(400, "channel_data has no user_id"))?;
        let user_id = user_id(&parsed.user_id)
            .ok_or_else(|| Refused::because(400, "user_id is a number or a text of 1 to 200 bytes"))?;
        let user_info = parsed.user_info.map_or("null", RawValue::get);
        let limit = self.realtime.settings.limits.max_user_info_bytes;
        if user_info.len() > limit {
            return Err(Refused::because(400, format!("user_info may have {limit} bytes")));
        }
        let channel = wanted.channel.clone();
        // Asked again before the answer, or after it was full: first undo what may still be under way.
        self.leave(&channel);
        let step = Step::Join {
            socket: self.socket.clone(),
            channel: channel.clone(),
            user_id: user_id.clone(),
            user_info: user_info.to_owned(),
        };
        if !self.realtime.enqueue(step) {
            return Err(Refused::because(503, "The server is too busy; try again"));
        }
        self.socket.remember(Whose::User(user_id.clone()));
        self.channels.insert(channel, Some(user_id));
        Ok(())
    }

    fn unsubscribe(&mut self, channel: &str) {
        if !self.leave(channel) && self.channels.remove(channel).is_some() {
            self.realtime.hub.unsubscribe(&self.socket, channel);
        }
    }

    /// Leaves a presence channel. False when it is none, or one it was not on.
    fn leave(&mut self, channel: &str) -> bool {
        if !self.channels.get(channel).is_some_and(Option::is_some) {
            return false;
        }
        if let Some((channel, Some(user_id))) = self.channels.remove_entry(channel) {
            self.realtime.enqueue_leave(Step::Leave { socket: self.socket.clone(), channel, user_id });
        }
        true
    }

    fn sign_in(&mut self, who: &SignIn) {
        let user = serde_json::from_str::<UserData>(&who.user_data).ok().and_then(|data| user_id(&data.id));
        let is_signed = self.app.signer.allows_user(&who.auth, &self.socket.id, &who.user_data);
        let Some(user) = user.filter(|_| is_signed) else {
            return self.answer(protocol::error(
                Some(protocol::CloseCode::Unauthorized as u16),
                "The connection is not authorised to sign in as this user",
            ));
        };
        self.socket.remember(Whose::User(user.clone()));
        self.may_hear_public_inbox |= self.realtime.settings.public_inbox == PublicInbox::SignedIn;
        self.signed_in_as = Some(user);
        self.answer(protocol::signin_success(&who.user_data));
    }

    fn send_client_event(&mut self, frame: &ClientFrame<'_>) {
        let refuse = |message: &str| protocol::error(Some(protocol::REFUSED_CLIENT_EVENT), message);
        let Some(channel) = frame.channel.as_deref() else {
            return self.answer(refuse("A client event needs a channel"));
        };
        if !ChannelKind::of(channel).takes_client_events() {
            return self.answer(refuse("Client events are for private and presence channels"));
        }
        if frame.event.len() > protocol::MAX_EVENT_NAME {
            return self.answer(refuse("The name of an event has at most 200 bytes"));
        }
        let is_on = self.realtime.hub.is_subscribed(&self.socket, channel);
        let Some(user_id) = self.channels.get(channel).filter(|_| is_on) else {
            return self.answer(refuse("The connection is not subscribed to this channel"));
        };
        let per_second = self.realtime.settings.limits.client_events_per_second;
        let Some(per_second) = std::num::NonZeroU32::new(per_second) else {
            return self.answer(refuse("Client events are switched off"));
        };
        let limiter =
            self.client_events.get_or_insert_with(|| RateLimiter::direct(Quota::per_second(per_second)));
        if limiter.check().is_err() {
            return self
                .answer(refuse(&format!("A connection may send {per_second} client events per second")));
        }
        let passed_on = protocol::client_event(&frame.event, channel, frame.data, user_id.as_deref());
        self.realtime.publish_everywhere(self.app.account_id, channel, &passed_on, Some(&self.socket.id));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (presence, plain): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.channels).into_iter().partition(|(_, user)| user.is_some());
        for (channel, user_id) in presence {
            if let Some(user_id) = user_id {
                self.realtime.enqueue_leave(Step::Leave { socket: self.socket.clone(), channel, user_id });
            }
        }
        self.realtime.hub.remove(&self.socket, plain.iter().map(|(channel, _)| channel.as_str()));
    }
}

/// Ids may be written as numbers; they are compared as text. Control characters are no part of an id.
fn user_id(value: &serde_json::Value) -> Option<String> {
    let id = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.is_empty() && id.len() <= MAX_USER_ID && !id.chars().any(char::is_control)).then_some(id)
}

impl Realtime {
    /// Sends a frame to a channel on all nodes; `except` is the socket that must not get it.
    pub(crate) fn publish_everywhere(
        &self,
        account: frontdesk_model::AccountId,
        channel: &str,
        frame: &Frame,
        except: Option<&str>,
    ) -> bool {
        if channel_name::is_cached(channel) {
            self.hub.keep_last(account, channel, frame.clone());
        }
        self.hub.publish(account, channel, frame, except);
        self.tell(account, || Note::frame(channel, frame, except))
    }
}
