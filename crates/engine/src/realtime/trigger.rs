//! Events that other programs send through the HTTP API, and what it tells about channels.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use frontdesk_model::AccountId;
use frontdesk_store::presence_members::PresentUser;
use frontdesk_store::{StoreError, nodes, presence_members};

use super::Realtime;
use super::channel_name;
use super::hub::Whose;
use super::note::Note;
use super::protocol::{self, MAX_EVENT_NAME};
use super::relay::DEAD_AFTER_MS;
use crate::Engine;

/// Channels one event may go to.
pub const MAX_CHANNELS: usize = 100;
/// Events in one batch.
pub const MAX_BATCH: usize = 10;
/// How long the other nodes have to say who listens there.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// An event to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name as it goes over the wire.
    pub name: String,
    /// Text, usually JSON.
    pub data: String,
    /// Where to.
    pub channels: Vec<String>,
    /// The socket that must not get it: the one of whoever caused it.
    pub socket_id: Option<String>,
}

/// Why an event is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TriggerRefused {
    /// No name, or too long a name.
    #[error("name must have 1 to {MAX_EVENT_NAME} bytes")]
    Name,
    /// No channel, or too many.
    #[error("an event goes to 1 to {MAX_CHANNELS} channels")]
    Channels,
    /// A channel that cannot be.
    #[error("the channel name {0:?} is not allowed")]
    ChannelName(String),
    /// A socket that cannot be.
    #[error("socket_id must look like 123.456")]
    SocketId,
    /// Too much data.
    #[error("data may have {0} bytes")]
    TooLarge(usize),
    /// The notes for the other nodes pile up.
    #[error("the server is too busy; try again")]
    Busy,
}

/// True for `<int>.<int>`.
pub fn is_socket_id(text: &str) -> bool {
    let is_number =
        |part: &str| !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(a, b)| is_number(a) && is_number(b))
}

/// How many listen on one channel, on all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupancy {
    /// The channel.
    pub channel: String,
    /// Sockets.
    pub subscriptions: usize,
}

impl Realtime {
    /// Checks an event without sending it.
    pub fn check_trigger(&self, event: &Trigger) -> Result<(), TriggerRefused> {
        if event.name.is_empty() || event.name.len() > MAX_EVENT_NAME {
            return Err(TriggerRefused::Name);
        }
        if event.channels.is_empty() || event.channels.len() > MAX_CHANNELS {
            return Err(TriggerRefused::Channels);
        }
        if let Some(name) = event.channels.iter().find(|name| !channel_name::is_valid(name)) {
            return Err(TriggerRefused::ChannelName(name.clone()));
        }
        if event.socket_id.as_deref().is_some_and(|id| !is_socket_id(id)) {
            return Err(TriggerRefused::SocketId);
        }
        if event.data.len() > self.settings.limits.max_event_bytes {
            return Err(TriggerRefused::TooLarge(self.settings.limits.max_event_bytes));
        }
        Ok(())
    }

    /// Sends an event that was checked to its channels on all nodes.
    pub fn trigger(&self, account: AccountId, event: &Trigger) -> Result<(), TriggerRefused> {
        for channel in &event.channels {
            let frame = protocol::event(&event.name, channel, &event.data);
            if !self.publish_everywhere(account, channel, &frame, event.socket_id.as_deref()) {
                return Err(TriggerRefused::Busy);
            }
        }
        Ok(())
    }

    /// Closes the sockets of a user or a sign-in on all nodes.
    pub fn terminate(&self, account: AccountId, whose: Whose) {
        self.hub.terminate(account, &whose);
        self.tell(account, || Note::Terminate(whose));
    }

    /// Remembers as whom a socket was authenticated, wherever it is connected.
    pub fn remember(&self, account: AccountId, socket_id: &str, whose: Vec<Whose>) {
        match self.hub.find(account, socket_id) {
            Some(socket) => whose.into_iter().for_each(|one| socket.remember(one)),
            None => {
                self.tell(account, || Note::Remember { socket_id: socket_id.to_owned(), whose });
            }
        }
    }

    /// Carries out what another node says.
    pub(super) fn hear(&self, account: AccountId, note: Note) {
        match note {
            Note::Frame { channel, frame, except } => {
                let frame = protocol::Frame::from(frame);
                if channel_name::is_cached(&channel) && !is_internal(&frame) {
                    self.hub.keep_last(account, &channel, frame.clone());
                }
                self.hub.publish(account, &channel, &frame, except.as_deref());
            }
            Note::Terminate(whose) => {
                self.hub.terminate(account, &whose);
            }
            Note::Remember { socket_id, whose } => {
                if let Some(socket) = self.hub.find(account, &socket_id) {
                    whose.into_iter().for_each(|one| socket.remember(one));
                }
            }
            Note::Ask { question, prefix } => {
                let channels = self.hub.channels(account, &prefix).into_iter().collect();
                self.tell(account, || Note::Answer { question, channels });
            }
            Note::Answer { question, channels } => self.questions.answer(&question, channels),
            Note::Chatwoot(_) => {} // no matter of sockets: the relay hands it on
        }
    }
}

/// Frames of the protocol itself (members coming and going) are no events to keep.
fn is_internal(frame: &[u8]) -> bool {
    frame.starts_with(br#"{"event":"pusher_internal:"#)
}

/// Questions to the other nodes that wait for answers.
#[derive(Default)]
pub(super) struct Questions(
    Mutex<std::collections::HashMap<String, tokio::sync::mpsc::UnboundedSender<Answer>>>,
);

type Answer = BTreeMap<String, usize>;

impl Questions {
    fn answer(&self, question: &str, answer: Answer) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asker) = open.get(question) {
            let _ = asker.send(answer); // it may have stopped waiting
        }
    }

    fn ask(&self) -> (String, tokio::sync::mpsc::UnboundedReceiver<Answer>) {
        let question = format!("{:032x}", rand::random::<u128>());
        let (asker, answers) = tokio::sync::mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(question.clone(), asker);
        (question, answers)
    }

    fn close(&self, question: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(question);
    }
}

/// The channels of an account that somebody listens on and whose names start with `prefix`. A node that does not
/// answer within half a second is left out.
pub async fn occupied_channels(
    engine: &Engine,
    account: AccountId,
    prefix: &str,
) -> Result<Vec<Occupancy>, StoreError> {
    let realtime = engine.realtime();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let add = |counts: &mut BTreeMap<String, usize>, answer: Answer| {
        answer.into_iter().for_each(|(channel, count)| *counts.entry(channel).or_default() += count);
    };
    let alive_since = engine.clock.now().plus_ms(-DEAD_AFTER_MS);
    let others = if realtime.is_shared() {
        let nodes = engine.store.read(move |tx| nodes::list_seen_since(tx, alive_since)).await?;
        nodes.iter().filter(|(id, _)| *id != engine.node_id).count()
    } else {
        0
    };
    if others > 0 {
        let (question, mut answers) = realtime.questions.ask();
        realtime.tell(account, || Note::Ask { question: question.clone(), prefix: prefix.to_owned() });
        let collect = async {
            for _ in 0..others {
                let Some(answer) = answers.recv().await else { break };
                add(&mut counts, answer);
            }
        };
        let in_time = tokio::time::timeout(ANSWER_WITHIN, collect).await;
        realtime.questions.close(&question);
        if in_time.is_err() {
            tracing::debug!(nodes = others, "not every node said in time who listens there");
        }
    }
    add(&mut counts, realtime.hub.channels(account, prefix).into_iter().collect());
    Ok(counts.into_iter().map(|(channel, subscriptions)| Occupancy { channel, subscriptions }).collect())
}

/// How many sockets listen on one channel, on all nodes.
pub async fn subscriptions(engine: &Engine, account: AccountId, channel: &str) -> Result<usize, StoreError> {
    let matching = occupied_channels(engine, account, channel).await?;
    Ok(matching.iter().find(|one| one.channel == channel).map_or(0, |one| one.subscriptions))
}

/// Everyone on a presence channel, on all nodes.
pub async fn present_users(
    engine: &Engine,
    account: AccountId,
    channel: &str,
) -> Result<Vec<PresentUser>, StoreError> {
    let channel = channel.to_owned();
    engine.store.read(move |tx| presence_members::list(tx, account, &channel)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_id_is_two_numbers() {
        for id in ["1.2", "1234567890.4294967295"] {
            assert!(is_socket_id(id), "{id}");
        }
        for id in ["", ".", "1.", ".2", "1", "1.2.3", "1.2:private-x", "a.b", "-1.2", "1 .2"] {
            assert!(!is_socket_id(id), "{id}");
        }
    }
}
