//! What Chatwoot's refusals mean for a message and for an inbox.

use frontdesk_chatwoot_client::{ChatwootError, ErrorCode};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_provider_http::CallError;

use crate::contract::{MediaError, Retry, Scope, SendError};

/// What puts a key right.
const RENEW: &str = "Give the connection to Chatwoot another access token.";

/// A call that did not do what it should.
pub(super) fn send_error(error: ChatwootError) -> SendError {
    let code = error.code();
    let reconnect = is_refused(code);
    let may_work = error.is_retryable() || reconnect;
    let retry = match error.retry_after() {
        _ if !may_work => Retry::Never,
        Some(wait) => Retry::AfterMs(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        None => Retry::OnSchedule,
    };
    // Our own limit says nothing about the inbox, and Chatwoot's limit of a conversation nothing about the others.
    let of_message =
        code == ErrorCode::RateLimitExceeded && (error.never_sent() || error.upstream_status() == Some(422));
    let scope = if may_work && !of_message { Scope::Inbox } else { Scope::Message };
    let action = if reconnect { Some("reconnect") } else { may_work.then_some("retry") };
    SendError {
        certain: error.certain(),
        retry,
        scope,
        reconnect,
        used_up: false,
        code: error.error_code().to_owned(),
        http_status: error.upstream_status(),
        shown: sentence(&error),
        action,
        source: Some(Box::new(error)),
    }
}

fn is_refused(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unauthorized | ErrorCode::Forbidden)
}

/// Chatwoot's own words where they tell what is wrong with the message.
fn sentence(error: &ChatwootError) -> String {
    match error.code() {
        ErrorCode::NotFound => "This conversation is no longer there in Chatwoot.".to_owned(),
        ErrorCode::ValidationError | ErrorCode::BadRequest if !error.message().is_empty() => {
            format!("Chatwoot did not take it: {}", error.message())
        }
        _ => error.user_message().to_owned(),
    }
}

/// A message that cannot be sent as it is, found without asking Chatwoot.
pub(super) fn cannot_carry(shown: impl Into<String>) -> SendError {
    SendError {
        certain: true,
        retry: Retry::Never,
        scope: Scope::Message,
        reconnect: false,
        used_up: false,
        code: "UNSUPPORTED".to_owned(),
        http_status: None,
        shown: shown.into(),
        action: None,
        source: None,
    }
}

/// A file that could not be fetched. Only what cannot change is gone.
pub(super) fn media_error(error: &ChatwootError) -> MediaError {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<CallError>());
    if let Some(CallError::TooLarge { max_bytes }) = cause {
        return MediaError::TooLarge { max_bytes: *max_bytes };
    }
    match error.code() {
        ErrorCode::NotFound => MediaError::Gone("Chatwoot no longer has it".to_owned()),
        ErrorCode::BadRequest => MediaError::Gone(format!("its address cannot be used: {}", error.message())),
        ErrorCode::Unauthorized | ErrorCode::Forbidden => {
            MediaError::Gone("its storage does not hand it out".to_owned())
        }
        _ => MediaError::Unavailable(error.user_message().to_owned()),
    }
}

/// What a failed check says about an inbox.
pub(super) fn check_failed(error: &ChatwootError) -> ConnectionState {
    let state = |code| ConnectionState::new(code, error.user_message());
    match error.code() {
        code if is_refused(code) => state(ConnectionCode::Reconnect).with_action(RENEW),
        ErrorCode::NotFound => {
            ConnectionState::new(ConnectionCode::Degraded, "This inbox is no longer there in Chatwoot.")
        }
        ErrorCode::RateLimitExceeded => state(ConnectionCode::Degraded),
        _ => state(ConnectionCode::Unreachable).with_action("Nothing to do; it is tried again."),
    }
}
