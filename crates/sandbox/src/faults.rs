//! How a fake provider misbehaves on demand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::IdMaker;

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The call is answered late.
    Latency {
        /// By how much, in milliseconds.
        latency_ms: u64,
    },
    /// HTTP 429 with `Retry-After`; nothing is done.
    TooManyRequests {
        /// Value of `Retry-After`, in seconds.
        #[serde(default = "default_retry_after")]
        retry_after_s: u64,
    },
    /// HTTP 500, nothing is done.
    InternalError,
    /// HTTP 503, nothing is done.
    Unavailable,
    /// The connection is closed without an answer, nothing is done.
    CutBefore,
    /// The call is carried out, then the connection is closed without an answer. A call that is refused gets its refusal.
    CutAfter,
    /// The call is carried out at once and answered late.
    LateAnswer {
        /// By how much, in milliseconds.
        late_ms: u64,
    },
    /// The provider's own error object with this code, nothing is done.
    ErrorCode {
        /// Provider's error code.
        code: i64,
        /// HTTP status; absent: the usual one of this code.
        #[serde(default)]
        http_status: Option<u16>,
    },
    /// HTTP 200 with a body that is not JSON, nothing is done.
    Garbage,
    /// HTTP 200 with a body of 100 MB, nothing is done.
    HugeAnswer,
    /// HTTP 302 to another place, nothing is done.
    Redirect {
        /// `Location` of the answer.
        location: String,
    },
    /// A webhook event is sent twice.
    DuplicateWebhook,
    /// A webhook event is held back until later ones went out.
    OutOfOrderWebhook,
    /// A status webhook is never sent.
    DroppedStatus,
    /// An accepted message fails afterwards.
    FailedStatus {
        /// Provider's error code.
        #[serde(default = "default_failed_code")]
        code: i64,
    },
}

fn default_retry_after() -> u64 {
    5
}

fn default_failed_code() -> i64 {
    131_026
}

impl Fault {
    /// Where in the flow this fault strikes.
    #[must_use]
    pub fn stage(&self) -> FaultStage {
        match self {
            Self::Latency { .. } => FaultStage::Delay,
            Self::DuplicateWebhook => FaultStage::Duplicate,
            Self::OutOfOrderWebhook => FaultStage::Reorder,
            Self::DroppedStatus => FaultStage::Drop,
            Self::FailedStatus { .. } => FaultStage::Fail,
            _ => FaultStage::Answer,
        }
    }
}

/// A point in the flow where faults are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultStage {
    /// Before a call is looked at.
    Delay,
    /// When a call is answered.
    Answer,
    /// When a webhook event is queued.
    Duplicate,
    /// When a webhook event is queued.
    Reorder,
    /// When a status event is queued.
    Drop,
    /// When an accepted message goes on its way.
    Fail,
}

/// Which API calls a fault may strike. Webhook faults ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultScope {
    /// `POST …/messages`.
    #[default]
    Messages,
    /// Upload, description, download and deletion of files.
    Media,
    /// Every call.
    All,
}

/// A fault with its chance. With `next` it strikes that many times in a row, otherwise with probability `rate`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FaultRule {
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// Chance per call or event, 0 to 1.
    #[serde(default)]
    pub rate: f64,
    /// Strikes the next this many calls or events, then never again.
    #[serde(default)]
    pub next: u64,
    /// Which calls it may strike.
    #[serde(default)]
    pub scope: FaultScope,
    /// How often it struck.
    #[serde(default, skip_deserializing)]
    pub hits: u64,
}

/// Draws the first fault of `rules` that strikes at this stage. Calls that are neither of messages nor of media have
/// scope `All`: only rules of that scope strike them.
pub fn draw(
    rules: &mut [FaultRule],
    stage: FaultStage,
    scope: FaultScope,
    ids: &mut IdMaker,
) -> Option<Fault> {
    let rule = rules.iter_mut().find(|rule| {
        let call = matches!(stage, FaultStage::Delay | FaultStage::Answer);
        let in_scope = !call || rule.scope == FaultScope::All || rule.scope == scope;
        in_scope && rule.fault.stage() == stage && (rule.next > 0 || ids.chance(rule.rate))
    })?;
    rule.next = rule.next.saturating_sub(1);
    rule.hits += 1;
    Some(rule.fault.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> FaultRule {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn next_n_strikes_n_times_and_in_scope_only() {
        let mut rules = [rule(r#"{"fault":"unavailable","next":2}"#)];
        let mut ids = IdMaker::new(Some(7));
        for other in [FaultScope::Media, FaultScope::All] {
            assert_eq!(draw(&mut rules, FaultStage::Answer, other, &mut ids), None);
        }
        for _ in 0..2 {
            assert_eq!(
                draw(&mut rules, FaultStage::Answer, FaultScope::Messages, &mut ids),
                Some(Fault::Unavailable)
            );
        }
        assert_eq!(draw(&mut rules, FaultStage::Answer, FaultScope::Messages, &mut ids), None);
        assert_eq!(rules[0].hits, 2);
    }

    #[test]
    fn rate_is_a_probability() {
        let mut rules = [rule(r#"{"fault":"duplicate_webhook","rate":0.25}"#)];
        let mut ids = IdMaker::new(Some(7));
        let struck = (0..4_000)
            .filter(|_| draw(&mut rules, FaultStage::Duplicate, FaultScope::All, &mut ids).is_some())
            .count();
        assert!((900..1_100).contains(&struck), "{struck} of 4000");
    }
}
