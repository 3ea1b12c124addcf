//! What the settings file says about outgoing webhooks.

use serde::Deserialize;

/// Outgoing webhooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Deliveries of one node under way at once; one endpoint gets at most a quarter of them.
    pub concurrency: usize,
    /// How long an endpoint may take to answer, in milliseconds.
    pub timeout_ms: u64,
    /// Waits between tries in milliseconds; the last one repeats.
    pub retry_ladder_ms: Vec<u64>,
    /// How far each wait may vary, as a share: 0.5 is ±50 %.
    pub jitter: f64,
    /// A delivery is not tried again after this long, in milliseconds. It can be replayed.
    pub give_up_ms: i64,
    /// An endpoint that took nothing for this long is switched off, in milliseconds.
    pub disable_after_ms: i64,
    /// How long a message waits for its files, so that it is told with them, in milliseconds.
    pub file_wait_ms: i64,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            concurrency: 32,
            timeout_ms: 15_000,
            retry_ladder_ms: vec![
                5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000,
            ],
            jitter: 0.2,
            give_up_ms: 3 * 86_400_000,
            disable_after_ms: 5 * 86_400_000,
            file_wait_ms: 10_000,
        }
    }
}
