//! What can go wrong in a call, and whether the request may have reached the provider.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use reqwest::{StatusCode, header::HeaderMap};
use url::Url;

use crate::{Outcome, addresses::RefusedAddress, retry::retry_after};

/// Why a request never left.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// Our own limit: the wait for a turn would have been too long.
    #[error("our own rate limit is used up")]
    Limit {
        /// When there will be a turn.
        retry_after: Duration,
    },
    /// The breaker is open: this account's calls kept failing.
    #[error("calls are paused because the provider kept failing")]
    BreakerOpen {
        /// When the next probe is let through.
        retry_after: Duration,
    },
    /// The URL or the address it resolves to is not one we call.
    #[error("the address is refused: {0}")]
    Refused(#[source] RefusedAddress),
    /// The request could not be built: an invalid URL or header.
    #[error("the request could not be built")]
    Invalid(#[source] Box<dyn Error + Send + Sync>),
    /// The name could not be resolved.
    #[error("the provider's name could not be resolved")]
    Dns(#[source] reqwest::Error),
    /// TCP or TLS failed, or took too long.
    #[error("no connection to the provider")]
    Connect(#[source] reqwest::Error),
}

/// A call that gave no usable answer. Neither `Display` nor `Debug` shows a query, a header or a body.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request never left.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The provider answered with 4xx or 5xx.
    #[error("the provider answered with {}", .0.status)]
    Status(Box<StatusAnswer>),
    /// The provider answered with a redirect; they are not followed.
    #[error("the provider answered with a redirect ({status})")]
    Redirect {
        /// The 3xx status.
        status: StatusCode,
        /// Where it points, for a caller that checks it and asks again by itself.
        location: Option<Box<RedirectTarget>>,
    },
    /// Time ran out after the request had left, or may have left.
    #[error("the provider did not answer in time")]
    TimedOut(#[source] reqwest::Error),
    /// The connection broke after the request had left, or may have left.
    #[error("the connection broke before the whole answer was there")]
    Cut(#[source] reqwest::Error),
    /// This process stood still for longer than a call may take: it was stopped, or its machine was. Whatever became of
    /// the call says nothing about the provider.
    #[error("this program stood still while it waited for the provider")]
    StoodStill {
        /// False when the request had left, or may have left.
        certain: bool,
        /// How it ended.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than {max_bytes} bytes")]
    TooLarge {
        /// The cap that was passed.
        max_bytes: u64,
    },
    /// A successful answer whose body is not what the provider's documentation says.
    #[error("the provider's answer could not be read")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
    /// A download could not be written on our side.
    #[error("the download could not be written")]
    Write(#[source] std::io::Error),
}

/// Where a redirect points. Not shown by `Debug`: such URLs are often signed.
#[derive(Clone)]
pub struct RedirectTarget(pub Url);

impl fmt::Debug for RedirectTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedirectTarget").field(&self.0.host_str()).finish()
    }
}

/// An answer with 4xx or 5xx.
pub struct StatusAnswer {
    /// The status.
    pub status: StatusCode,
    /// All headers: usage figures, request ids.
    pub headers: HeaderMap,
    /// The body, at most `max_response_bytes`; cut there if it was longer.
    pub body: Bytes,
}

impl fmt::Debug for StatusAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusAnswer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl CallError {
    /// Is it known whether the provider acted on the request?
    ///
    /// `true` = it never left, or the provider refused it. `false` = it may have been carried out: a
    /// send must not be repeated blindly. A 504 counts as unknown: whoever answered was not the one
    /// who did the work; so does 499, by which a gateway says that somebody hung up on it.
    pub fn certain(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Redirect { .. } => true,
            Self::StoodStill { certain, .. } => *certain,
            Self::Status(answer) => !is_unknown(answer.status),
            Self::TimedOut(_)
            | Self::Cut(_)
            | Self::TooLarge { .. }
            | Self::Unreadable(_)
            | Self::Write(_) => false,
        }
    }

    /// When it is worth trying again, if the provider or our own limits said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotSent(NotSent::Limit { retry_after } | NotSent::BreakerOpen { retry_after }) => {
                Some(*retry_after)
            }
            Self::Status(answer) => retry_after(&answer.headers),
            _ => None,
        }
    }

    /// The HTTP status, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status(answer) => Some(answer.status),
            Self::Redirect { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// May the same request succeed a little later?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotSent(NotSent::Refused(_) | NotSent::Invalid(_)) => false,
            Self::NotSent(_) | Self::TimedOut(_) | Self::Cut(_) | Self::StoodStill { .. } => true,
            Self::Status(answer) => {
                answer.status.is_server_error()
                    || is_unknown(answer.status)
                    || answer.status == StatusCode::TOO_MANY_REQUESTS
                    || answer.status == StatusCode::REQUEST_TIMEOUT
            }
            Self::Redirect { .. } | Self::TooLarge { .. } | Self::Unreadable(_) | Self::Write(_) => false,
        }
    }

    /// The word for statistics.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(NotSent::Dns(_) | NotSent::Connect(_)) => Outcome::Unreachable,
            Self::NotSent(_) | Self::Write(_) => Outcome::Held,
            Self::Status(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => Outcome::Throttled,
            Self::Status(answer) if answer.status.is_server_error() || is_unknown(answer.status) => {
                Outcome::ProviderFault
            }
            Self::Status(_) => Outcome::Rejected,
            Self::Redirect { .. } | Self::TooLarge { .. } | Self::Unreadable(_) => Outcome::BadAnswer,
            Self::StoodStill { certain: true, .. } => Outcome::Unreachable,
            Self::TimedOut(_) | Self::Cut(_) | Self::StoodStill { .. } => Outcome::Ambiguous,
        }
    }

    /// The same after this process stood still: nothing of it is the provider's fault.
    pub(crate) fn after_standstill(self) -> Self {
        match self {
            Self::NotSent(NotSent::Dns(source) | NotSent::Connect(source)) => {
                Self::StoodStill { certain: true, source }
            }
            Self::TimedOut(source) | Self::Cut(source) => Self::StoodStill { certain: false, source },
            other => other,
        }
    }

    /// Held back by our own limit or breaker; repeating within the same call would only wait longer.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self, Self::NotSent(NotSent::Limit { .. } | NotSent::BreakerOpen { .. }))
    }
}

/// Answers by which a gateway says that it does not know what became of the request.
fn is_unknown(status: StatusCode) -> bool {
    status == StatusCode::GATEWAY_TIMEOUT || status.as_u16() == 499
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        // The URL may hold an id, a signature or a token in its query.
        let error = error.without_url();
        if let Some(refused) = refused_address(&error) {
            NotSent::Refused(refused).into()
        } else if error.is_builder() {
            NotSent::Invalid(error.into()).into()
        } else if error.is_dns() {
            NotSent::Dns(error).into()
        } else if error.is_connect() {
            NotSent::Connect(error).into()
        } else if error.is_timeout() {
            Self::TimedOut(error)
        } else {
            Self::Cut(error)
        }
    }
}

/// The guarded resolver's refusal, found below what reqwest wrapped around it.
fn refused_address(error: &reqwest::Error) -> Option<RefusedAddress> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<RefusedAddress>() {
            return Some(refused.clone());
        }
        cause = error.source();
    }
    None
}
