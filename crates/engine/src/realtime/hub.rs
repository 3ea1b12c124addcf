//! The sockets of this node: who listens on which channel of which account.
//!
//! Everything here is memory and short locks: nothing waits. Publishing pushes one shared frame to the queue of each
//! subscriber; the socket's own task writes it. Other nodes are reached by `relay`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use frontdesk_model::AccountId;

use super::channel_name;
use super::logins::Login;
use super::protocol::{CloseCode, Frame};
use super::queue::{Pushed, SocketQueue};

/// How many cache channels of an account keep their last event on a node.
const MAX_CACHED: usize = 1000;

/// One connected client.
pub struct Socket {
    /// `<int>.<int>`, random: no two nodes make the same.
    pub id: String,
    /// Whose application it connected to.
    pub account_id: AccountId,
    /// What waits to be written to it.
    pub queue: SocketQueue,
    known_as: Mutex<KnownAs>,
}

/// As whom a socket has been authenticated, by the server or by whoever signed its channels.
#[derive(Debug, Default)]
struct KnownAs {
    users: Vec<String>,
    logins: Vec<Login>,
}

/// Whose sockets are to be closed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// All of a user, by the id in presence data and `pusher:signin`.
    User(String),
    /// All that were authenticated with one sign-in or token.
    Login(Login),
}

impl Socket {
    /// Remembers as whom the socket was authenticated.
    pub fn remember(&self, whose: Whose) {
        let mut known_as = lock(&self.known_as);
        match whose {
            Whose::User(id) if !known_as.users.contains(&id) => known_as.users.push(id),
            Whose::Login(login) if !known_as.logins.contains(&login) => known_as.logins.push(login),
            Whose::User(_) | Whose::Login(_) => {}
        }
    }

    fn is(&self, whose: &Whose) -> bool {
        let known_as = lock(&self.known_as);
        match whose {
            Whose::User(id) => known_as.users.contains(id),
            Whose::Login(login) => known_as.logins.contains(login),
        }
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Socket({})", self.id)
    }
}

/// The account has as many sockets on this node as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account has too many connections")]
pub struct TooManySockets;

/// The sockets and channels of one node.
pub struct Hub {
    accounts: RwLock<HashMap<AccountId, Arc<Mutex<Rooms>>>>,
    max_backlog_bytes: usize,
    max_sockets_per_account: usize,
}

#[derive(Default)]
struct Rooms {
    sockets: HashMap<String, Arc<Socket>>,
    /// Only channels somebody listens on.
    channels: HashMap<String, HashMap<String, Arc<Socket>>>,
    last_events: HashMap<String, Frame>,
    /// The cached channels, oldest first.
    cached: VecDeque<String>,
}

impl Hub {
    /// An empty hub.
    pub fn new(max_backlog_bytes: usize, max_sockets_per_account: usize) -> Self {
        Self { accounts: RwLock::default(), max_backlog_bytes, max_sockets_per_account }
    }

    /// Adds a socket.
    pub fn open(&self, account: AccountId) -> Result<Arc<Socket>, TooManySockets> {
        let rooms = self.rooms_or_new(account);
        let mut rooms = lock(&rooms);
        if rooms.sockets.len() >= self.max_sockets_per_account {
            return Err(TooManySockets);
        }
        let socket = Arc::new(Socket {
            id: format!("{}.{}", rand::random_range(1..=1_000_000_000_u32), rand::random::<u32>()),
            account_id: account,
            queue: SocketQueue::new(self.max_backlog_bytes),
            known_as: Mutex::default(),
        });
        rooms.sockets.insert(socket.id.clone(), socket.clone());
        metrics::gauge!("frontdesk_realtime_sockets").increment(1.0);
        Ok(socket)
    }

    /// Removes a socket, and from the channels named.
    pub fn remove<'a>(&self, socket: &Socket, channels: impl Iterator<Item = &'a str>) {
        let Some(rooms) = self.rooms(socket.account_id) else { return };
        let mut rooms = lock(&rooms);
        for channel in channels {
            rooms.unsubscribe(&socket.id, channel);
        }
        if rooms.sockets.remove(&socket.id).is_some() {
            metrics::gauge!("frontdesk_realtime_sockets").decrement(1.0);
        }
    }

    /// Adds a socket to a channel and queues `answer` (and the channel's last event, if it keeps one) before any
    /// event that is published later.
    pub fn subscribe(&self, socket: &Arc<Socket>, channel: &str, answer: Frame) {
        let rooms = self.rooms_or_new(socket.account_id);
        let mut rooms = lock(&rooms);
        if !rooms.sockets.contains_key(&socket.id) {
            return; // closed meanwhile
        }
        rooms.channels.entry(channel.to_owned()).or_default().insert(socket.id.clone(), socket.clone());
        socket.queue.push(answer);
        if channel_name::is_cached(channel) {
            let last = rooms.last_events.get(channel).cloned();
            socket.queue.push(last.unwrap_or_else(|| super::protocol::cache_miss(channel)));
        }
    }

    /// Removes a socket from a channel.
    pub fn unsubscribe(&self, socket: &Socket, channel: &str) {
        if let Some(rooms) = self.rooms(socket.account_id) {
            lock(&rooms).unsubscribe(&socket.id, channel);
        }
    }

    /// True when the socket is on the channel.
    pub fn is_subscribed(&self, socket: &Socket, channel: &str) -> bool {
        self.rooms(socket.account_id).is_some_and(|rooms| {
            lock(&rooms).channels.get(channel).is_some_and(|room| room.contains_key(&socket.id))
        })
    }

    /// Sends a frame to everyone on a channel but the socket `except`. Returns how many queues took it.
    pub fn publish(&self, account: AccountId, channel: &str, frame: &Frame, except: Option<&str>) -> usize {
        self.publish_all(account, channel, std::slice::from_ref(frame), except)
    }

    /// Sends frames in one piece to everyone on a channel but the socket `except`. Returns how many queues took them.
    pub fn publish_all(
        &self,
        account: AccountId,
        channel: &str,
        frames: &[Frame],
        except: Option<&str>,
    ) -> usize {
        let Some(rooms) = self.rooms(account) else { return 0 };
        let rooms = lock(&rooms);
        let Some(room) = rooms.channels.get(channel) else { return 0 };
        let (mut queued, mut overflowed) = (0, 0);
        for (id, socket) in room {
            if except == Some(id.as_str()) {
                continue;
            }
            match socket.queue.push_all(frames) {
                Pushed::Queued => queued += 1,
                Pushed::Overflowed => overflowed += 1,
                Pushed::Closed => {}
            }
        }
        drop(rooms);
        if overflowed > 0 {
            metrics::counter!("frontdesk_realtime_slow_readers_total").increment(overflowed);
            tracing::info!(
                account.id = account.0,
                sockets = overflowed,
                "closing sockets that read too slowly"
            );
        }
        queued
    }

    /// Keeps the last event of a cache channel, whether anybody listens or not.
    pub fn keep_last(&self, account: AccountId, channel: &str, frame: Frame) {
        let rooms = self.rooms_or_new(account);
        let mut rooms = lock(&rooms);
        if rooms.last_events.insert(channel.to_owned(), frame).is_none() {
            rooms.cached.push_back(channel.to_owned());
        }
        if rooms.cached.len() > MAX_CACHED
            && let Some(oldest) = rooms.cached.pop_front()
        {
            rooms.last_events.remove(&oldest);
        }
    }

    /// True when a cache channel has an event.
    pub fn has_last(&self, account: AccountId, channel: &str) -> bool {
        self.rooms(account).is_some_and(|rooms| lock(&rooms).last_events.contains_key(channel))
    }

    /// True when anyone on this node listens on the channel.
    pub fn has_subscribers(&self, account: AccountId, channel: &str) -> bool {
        self.rooms(account).is_some_and(|rooms| lock(&rooms).channels.contains_key(channel))
    }

    /// A socket of this node.
    pub fn find(&self, account: AccountId, socket_id: &str) -> Option<Arc<Socket>> {
        self.rooms(account).and_then(|rooms| lock(&rooms).sockets.get(socket_id).cloned())
    }

    /// The channels whose names start with `prefix`, and how many sockets of this node listen on each.
    pub fn channels(&self, account: AccountId, prefix: &str) -> Vec<(String, usize)> {
        let Some(rooms) = self.rooms(account) else { return Vec::new() };
        let rooms = lock(&rooms);
        let matching = rooms.channels.iter().filter(|(name, _)| name.starts_with(prefix));
        matching.map(|(name, room)| (name.clone(), room.len())).collect()
    }

    /// Closes the sockets of a user or of a sign-in. Returns how many.
    pub fn terminate(&self, account: AccountId, whose: &Whose) -> usize {
        let Some(rooms) = self.rooms(account) else { return 0 };
        let rooms = lock(&rooms);
        let theirs = rooms.sockets.values().filter(|socket| socket.is(whose));
        theirs
            .map(|socket| {
                let message = "The connection was closed by the application";
                socket.queue.push(super::protocol::error(Some(CloseCode::Unauthorized as u16), message));
                socket.queue.close(CloseCode::Unauthorized, message);
            })
            .count()
    }

    /// The logins that authenticated sockets of this node, each once.
    pub fn logins(&self) -> HashSet<(AccountId, Login)> {
        let mut all = HashSet::new();
        for (account, rooms) in self.accounts.read().unwrap_or_else(PoisonError::into_inner).iter() {
            for socket in lock(rooms).sockets.values() {
                all.extend(lock(&socket.known_as).logins.iter().map(|login| (*account, login.clone())));
            }
        }
        all
    }

    /// Closes every socket.
    pub fn close_all(&self, code: CloseCode, reason: &'static str) {
        for rooms in self.accounts.read().unwrap_or_else(PoisonError::into_inner).values() {
            for socket in lock(rooms).sockets.values() {
                socket.queue.close(code, reason);
            }
        }
    }

    /// How many sockets are open.
    pub fn count(&self) -> usize {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.values().map(|rooms| lock(rooms).sockets.len()).sum()
    }

    fn rooms(&self, account: AccountId) -> Option<Arc<Mutex<Rooms>>> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(&account).cloned()
    }

    fn rooms_or_new(&self, account: AccountId) -> Arc<Mutex<Rooms>> {
        if let Some(rooms) = self.rooms(account) {
            return rooms;
        }
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(account).or_default().clone()
    }
}

impl Rooms {
    fn unsubscribe(&mut self, socket_id: &str, channel: &str) {
        if let Some(room) = self.channels.get_mut(channel) {
            room.remove(socket_id);
            if room.is_empty() {
                self.channels.remove(channel);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::logins::LoginBy;

    const HOTEL: AccountId = AccountId(1);
    const SHOP: AccountId = AccountId(2);

    async fn waiting(socket: &Socket) -> Vec<String> {
        let mut batch = Vec::new();
        let drained = tokio::time::timeout(std::time::Duration::ZERO, socket.queue.drain(&mut batch)).await;
        drop(drained);
        batch.into_iter().map(|f| String::from_utf8(f.to_vec()).unwrap()).collect()
    }

    fn subscribed(hub: &Hub, account: AccountId, channel: &str) -> Arc<Socket> {
        let socket = hub.open(account).unwrap();
        hub.subscribe(&socket, channel, Frame::from("ok"));
        socket
    }

    #[tokio::test]
    async fn an_event_reaches_everyone_on_the_channel_but_the_sender() {
        let hub = Hub::new(10_000, 10);
        let (a, b) = (subscribed(&hub, HOTEL, "x"), subscribed(&hub, HOTEL, "x"));
        let elsewhere = subscribed(&hub, HOTEL, "y");
        assert_eq!(hub.publish(HOTEL, "x", &Frame::from("1"), Some(&a.id)), 1);
        assert_eq!(hub.publish(HOTEL, "x", &Frame::from("2"), None), 2);
        assert_eq!(waiting(&a).await, ["ok", "2"]);
        assert_eq!(waiting(&b).await, ["ok", "1", "2"]);
        assert_eq!(waiting(&elsewhere).await, ["ok"]);
    }

    #[tokio::test]
    async fn a_channel_of_one_account_is_not_that_of_another() {
        let hub = Hub::new(10_000, 10);
        let hotel = subscribed(&hub, HOTEL, "private-inbox");
        let shop = subscribed(&hub, SHOP, "private-inbox");
        hub.publish(HOTEL, "private-inbox", &Frame::from("for the hotel"), None);
        assert_eq!(waiting(&hotel).await, ["ok", "for the hotel"]);
        assert_eq!(waiting(&shop).await, ["ok"]);
    }

    #[tokio::test]
    async fn one_who_does_not_read_is_closed_and_the_others_go_on() {
        let hub = Hub::new(1000, 10);
        let (slow, quick) = (subscribed(&hub, HOTEL, "x"), subscribed(&hub, HOTEL, "x"));
        for _ in 0..20 {
            hub.publish(HOTEL, "x", &Frame::from(vec![b'x'; 100]), None);
            waiting(&quick).await;
        }
        assert_eq!(slow.queue.closed().await.code, CloseCode::OverCapacity);
        assert_eq!(hub.publish(HOTEL, "x", &Frame::from("still there"), None), 1);
        assert_eq!(waiting(&quick).await, ["still there"]);
    }

    #[tokio::test]
    async fn a_cache_channel_repeats_its_last_event_to_newcomers() {
        let hub = Hub::new(10_000, 10);
        let early = subscribed(&hub, HOTEL, "cache-x");
        assert!(waiting(&early).await[1].contains("pusher:cache_miss"));
        hub.keep_last(HOTEL, "cache-x", Frame::from("1"));
        hub.keep_last(HOTEL, "cache-x", Frame::from("2"));
        assert_eq!(waiting(&subscribed(&hub, HOTEL, "cache-x")).await, ["ok", "2"]);
        assert!(waiting(&subscribed(&hub, SHOP, "cache-x")).await[1].contains("pusher:cache_miss"));
        for n in 0..MAX_CACHED {
            hub.keep_last(HOTEL, &format!("cache-{n}"), Frame::from("x"));
        }
        assert!(!hub.has_last(HOTEL, "cache-x"), "the oldest makes room");
    }

    #[tokio::test]
    async fn only_the_sockets_of_the_one_meant_are_terminated() {
        let hub = Hub::new(10_000, 10);
        let (ada, bob) = (hub.open(HOTEL).unwrap(), hub.open(HOTEL).unwrap());
        ada.remember(Whose::User("1".to_owned()));
        let login =
            Login { user_id: frontdesk_model::UserId(1), by: LoginBy::Token(frontdesk_model::TokenId(5)) };
        ada.remember(Whose::Login(login.clone()));
        assert_eq!(hub.logins(), HashSet::from([(HOTEL, login.clone())]));
        bob.remember(Whose::User("2".to_owned()));
        assert_eq!(hub.terminate(SHOP, &Whose::User("1".to_owned())), 0);
        let other = Login { by: LoginBy::Token(frontdesk_model::TokenId(6)), ..login };
        assert_eq!(hub.terminate(HOTEL, &Whose::Login(other)), 0);
        assert_eq!(hub.terminate(HOTEL, &Whose::User("1".to_owned())), 1);
        assert_eq!(ada.queue.closed().await.code, CloseCode::Unauthorized);
        assert_eq!(bob.queue.push(Frame::from("x")), Pushed::Queued);
    }

    #[test]
    fn an_account_has_its_limit_and_leaving_makes_room() {
        let hub = Hub::new(10_000, 2);
        let first = hub.open(HOTEL).unwrap();
        let _second = hub.open(HOTEL).unwrap();
        assert_eq!(hub.open(HOTEL).unwrap_err(), TooManySockets);
        assert!(hub.open(SHOP).is_ok());
        hub.subscribe(&first, "x", Frame::from("ok"));
        hub.remove(&first, ["x"].into_iter());
        assert!(hub.open(HOTEL).is_ok());
        assert!(!hub.has_subscribers(HOTEL, "x"));
        assert!(!hub.is_subscribed(&first, "x"));
        hub.subscribe(&first, "x", Frame::from("ok"));
        assert!(!hub.has_subscribers(HOTEL, "x"), "one who left cannot come in again");
        assert_eq!(hub.count(), 3);
    }
}
