//! Our words for calls that no provider's code exists for.

use frontdesk_provider_http::{CallError, NotSent};

use crate::contract::STOOD_STILL;

/// The word for a call that failed without the provider saying why.
pub(crate) fn code(error: &CallError) -> String {
    let code = match error {
        CallError::NotSent(NotSent::Limit { .. }) => "RATE_LIMITED",
        CallError::NotSent(NotSent::BreakerOpen { .. }) => "PAUSED",
        CallError::NotSent(NotSent::Dns(_) | NotSent::Connect(_)) => "UNREACHABLE",
        CallError::NotSent(NotSent::Refused(_)) | CallError::Redirect { .. } => "BAD_ADDRESS",
        CallError::NotSent(NotSent::Invalid(_)) => "BAD_REQUEST",
        CallError::Status(answer) => return format!("HTTP_{}", answer.status.as_u16()),
        CallError::TimedOut(_) => "TIMEOUT",
        CallError::Cut(_) => "CUT",
        CallError::StoodStill { .. } => STOOD_STILL,
        CallError::TooLarge { .. } | CallError::Unreadable(_) => "BAD_ANSWER",
        CallError::Write(_) => "DISK",
    };
    code.to_owned()
}
