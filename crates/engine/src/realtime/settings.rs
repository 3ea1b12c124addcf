//! What the settings file says about live updates.

use serde::Deserialize;

/// Live updates.
#[derive(Debug, Clone)]
pub struct RealtimeSettings {
    /// Who may listen on the public channel `inbox`.
    pub public_inbox: PublicInbox,
    /// Origins of pages that may open sockets besides our own, as browsers write them (`https://app.example.org`);
    /// `*` allows every page. Clients that send no `Origin` are no browsers and always allowed.
    pub allowed_origins: Vec<String>,
    /// Sizes and times.
    pub limits: RealtimeLimits,
}

impl Default for RealtimeSettings {
    fn default() -> Self {
        Self {
            public_inbox: PublicInbox::Off,
            allowed_origins: Vec::new(),
            limits: RealtimeLimits::default(),
        }
    }
}

/// Sizes and times of live updates: Pusher's own where Pusher has one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeLimits {
    /// How long a socket may be silent before it is pinged, in seconds; told to the client.
    pub activity_timeout_secs: u64,
    /// How long a pinged socket may stay silent before it is closed, in seconds.
    pub pong_timeout_secs: u64,
    /// The longest frame of a client.
    pub max_frame_bytes: usize,
    /// What may wait for a client that reads slowly before it is closed.
    pub max_backlog_bytes: usize,
    /// Sockets of one account on one node.
    pub max_sockets_per_account: usize,
    /// Channels of one socket.
    pub max_channels_per_socket: usize,
    /// Users on one presence channel.
    pub max_presence_members: usize,
    /// What a presence channel knows about each user, as JSON.
    pub max_user_info_bytes: usize,
    /// Client events of one socket; 0 switches them off.
    pub client_events_per_second: u32,
    /// The data of one event sent through the HTTP API.
    pub max_event_bytes: usize,
}

impl Default for RealtimeLimits {
    fn default() -> Self {
        Self {
            activity_timeout_secs: 120,
            pong_timeout_secs: 30,
            max_frame_bytes: 10 * 1024,
            max_backlog_bytes: 1024 * 1024,
            max_sockets_per_account: 10_000,
            max_channels_per_socket: 100,
            max_presence_members: 100,
            max_user_info_bytes: 1024,
            client_events_per_second: 10,
            max_event_bytes: 10 * 1024,
        }
    }
}

frontdesk_model::words! {
    /// Who may listen on the public channel `inbox`, which carries customers' messages.
    pub enum PublicInbox {
        /// Nobody: subscribing is refused and nothing is sent.
        Off = "off",
        /// Sockets of a signed-in user: the session cookie at the upgrade, or `pusher:signin`.
        SignedIn = "signed_in",
        /// Anyone who knows the key.
        Open = "open",
    }
}
