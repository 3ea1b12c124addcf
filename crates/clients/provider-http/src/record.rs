//! What is told about each call, so that the product can count and time it.

use std::time::Duration;

/// How one attempt ended, in the words of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered with 2xx.
    Ok,
    /// Answered with 4xx other than 429: our request was at fault.
    Rejected,
    /// Answered with 429.
    Throttled,
    /// Answered with 5xx.
    ProviderFault,
    /// Answered with something we do not take: a redirect, too large, not readable.
    BadAnswer,
    /// Never left: our limit, our breaker, an address we do not call, a request that cannot be built.
    Held,
    /// Never left: no connection.
    Unreachable,
    /// Left, and no whole answer came.
    Ambiguous,
}

impl Outcome {
    /// Stable lower-case name, for metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::ProviderFault => "provider_fault",
            Self::BadAnswer => "bad_answer",
            Self::Held => "held",
            Self::Unreachable => "unreachable",
            Self::Ambiguous => "ambiguous",
        }
    }

    /// What the breaker makes of it: a fault of the provider, its proper working, or nothing.
    ///
    /// A 4xx other than 429 is the caller's fault and proves that the provider works.
    pub(crate) fn breaker_verdict(self) -> Option<bool> {
        match self {
            Self::Ok | Self::Rejected => Some(true),
            Self::Throttled | Self::ProviderFault | Self::BadAnswer | Self::Unreachable | Self::Ambiguous => {
                Some(false)
            }
            Self::Held => None,
        }
    }
}

/// One attempt, told after it ended.
#[derive(Debug, Clone, Copy)]
pub struct CallRecord<'a> {
    /// The provider's name from the settings.
    pub provider: &'a str,
    /// The key of the call: which account.
    pub key: &'a str,
    /// What was asked, as `send_message`: a fixed word of the client, never user data.
    pub operation: &'static str,
    /// The class of the operation within its account; empty where there is only one.
    pub class: &'static str,
    /// 1 for the first attempt of a call; above it, a retry.
    pub attempt: u32,
    /// How long our own limit kept it waiting for its turn.
    pub waited: Duration,
    /// Our own limit made it wait, or refused it.
    pub limited: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// From the end of the wait for the limit to the last byte.
    pub duration: Duration,
}

/// Takes in call records; must return at once.
pub trait CallRecorder: Send + Sync {
    /// Takes in one attempt.
    fn record(&self, record: &CallRecord<'_>);
}

/// Counts nothing.
pub(crate) struct NoRecorder;

impl CallRecorder for NoRecorder {
    fn record(&self, _record: &CallRecord<'_>) {}
}
