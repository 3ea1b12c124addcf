//! What can be set before the sandbox starts and, but for seed and caps, while it runs (`PATCH /control/settings`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Clock;

/// Deliveries, API calls and webhooks that are remembered unless said otherwise, of each.
const KEPT: usize = 50_000;

/// How a sandbox starts.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Where the sandbox is reached, without a final slash; media links begin with it.
    pub public_url: String,
    /// What the control API can change later.
    pub live: LiveSettings,
    /// Seed of ids and fault chances; `None`: different in every run.
    pub seed: Option<u64>,
    /// The fake world's clock.
    pub clock: Clock,
    /// How many deliveries, API calls and webhooks are remembered, of each; the oldest go first.
    pub kept: usize,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:9090".to_owned(),
            live: LiveSettings::default(),
            seed: None,
            clock: Clock::system(),
            kept: KEPT,
        }
    }
}

/// Settings that the control API can change while the sandbox runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LiveSettings {
    /// Where webhooks go unless an inbox says otherwise.
    pub webhook: WebhookTarget,
    /// Several events in one POST.
    pub batch: Batch,
    /// What happens when a webhook is not answered with 2xx.
    pub retry: Retry,
    /// How fast a fake phone reacts.
    pub timing: Timing,
    /// The provider's limits.
    pub limits: Limits,
    /// Codes that servers show to be scanned.
    pub linked_phones: PairingCodes,
    /// Refuse Graph calls that carry no `appsecret_proof`.
    pub require_appsecret_proof: bool,
}

/// Where the webhooks of an inbox go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookTarget {
    /// Callback URL; without one nothing is sent.
    pub url: Option<String>,
    /// The Meta app's secret: signs webhooks and checks `appsecret_proof`. Without one webhooks are unsigned.
    pub app_secret: Option<String>,
    /// Sent in the verification GET.
    pub verify_token: Option<String>,
}

/// Several events in one POST.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// At most this many events a POST (Meta: up to 1000). 1 turns batching off.
    pub max_events: usize,
    /// How long the first event of a batch waits for others, in milliseconds.
    pub window_ms: u64,
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_events: 1, window_ms: 50 }
    }
}

/// What happens when a webhook is not answered with 2xx.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// POSTs of one webhook in all, the first included.
    pub max_attempts: u32,
    /// Wait before the second attempt; doubles each time, at most 60 s. Milliseconds.
    pub base_ms: u64,
    /// How long an answer is waited for. Meta: 20 s.
    pub timeout_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 8, base_ms: 1_000, timeout_ms: 20_000 }
    }
}

/// How fast a fake phone reacts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// From the accepted send to the `sent` status (or echo), in milliseconds.
    pub sent_after_ms: u64,
    /// From `sent` to `delivered`, in milliseconds.
    pub delivered_after_ms: u64,
    /// From `delivered` to `read` without anybody opening the chat; `null`: only an opened chat reads.
    pub read_after_ms: Option<u64>,
    /// Messenger and Instagram tell the app about its own sends (echo).
    pub echoes: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self { sent_after_ms: 50, delivered_after_ms: 100, read_after_ms: None, echoes: true }
    }
}

/// Codes that servers show to be scanned: the first holds longer, and after the last there are no more.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PairingCodes {
    /// How long the first holds, in milliseconds.
    pub first_ms: u64,
    /// How long each later one holds, in milliseconds.
    pub next_ms: u64,
    /// How many there are.
    pub count: u32,
}

impl Default for PairingCodes {
    fn default() -> Self {
        Self { first_ms: 60_000, next_ms: 20_000, count: 6 }
    }
}

/// How a closed WhatsApp window is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClosedWindow {
    /// The send call is refused with 131047.
    #[default]
    Refused,
    /// The send call is accepted, a `failed` status with 131047 follows.
    FailedLater,
}

/// The provider's limits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How long after a customer's message free text may be sent, in hours.
    pub window_hours: u32,
    /// How a closed WhatsApp window is told.
    pub closed_window: ClosedWindow,
    /// WhatsApp messages in a row to one customer before 131056; `null`: no limit.
    pub pair_burst: Option<u32>,
    /// One more message to the same customer becomes possible in each of these periods, in milliseconds.
    pub pair_refill_ms: u64,
    /// WhatsApp messages a second and number before 130429; `null`: no limit.
    pub messages_per_second: Option<u32>,
    /// A message to a number that no customer has makes a customer; otherwise it fails with 131026.
    pub create_unknown_customers: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_hours: 24,
            closed_window: ClosedWindow::default(),
            pair_burst: Some(45),
            pair_refill_ms: 6_000,
            messages_per_second: Some(80),
            create_unknown_customers: true,
        }
    }
}
