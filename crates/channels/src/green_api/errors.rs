//! What Green API's refusals mean for a message and for an inbox: the client's table in the words of the product.

use frontdesk_green_api_client::decision::{self, Decision, decide};
use frontdesk_green_api_client::{GreenCallError, RefusalKind};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_provider_http::{CallError, NotSent};

use super::state;
use crate::call_codes;
use crate::contract::{MediaError, Retry, Scope, SendError};

/// A call that did not do what it should.
pub(super) fn send_error(error: GreenCallError) -> SendError {
    let decision = decide(&error);
    let used_up = is_used_up(&error);
    // What the tariff does not allow, no person sets right within the life of a message.
    let reconnect = decision.retry == decision::Retry::AfterPerson && !used_up;
    let retry = match decision.retry {
        decision::Retry::Never => Retry::Never,
        decision::Retry::AfterPerson if used_up => Retry::Never,
        decision::Retry::AfterPerson | decision::Retry::OnSchedule => Retry::OnSchedule,
        decision::Retry::After(wait) => Retry::AfterMs(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    };
    // Our own limit says nothing about the instance: this message alone waits for its turn.
    let own_limit = matches!(&error, GreenCallError::Http(CallError::NotSent(NotSent::Limit { .. })));
    let scope = match decision.scope {
        decision::Scope::Instance if !own_limit && !used_up => Scope::Inbox,
        _ => Scope::Message,
    };
    SendError {
        certain: decision.certain,
        retry,
        scope,
        reconnect,
        used_up,
        code: code(&error),
        http_status: status(&error),
        shown: sentence(&decision, &error),
        action: action(&decision, &error, reconnect),
        source: Some(Box::new(error)),
    }
}

/// True when Green API refused what was sent and not who sent it.
pub(super) fn is_about_content(error: &GreenCallError) -> bool {
    matches!(error, GreenCallError::Refused(refusal)
        if matches!(refusal.kind, RefusalKind::Invalid | RefusalKind::FileTooLarge | RefusalKind::Other))
}

/// A refusal that says nothing about another way to send the same.
pub(super) fn once_more(error: GreenCallError) -> SendError {
    SendError { retry: Retry::OnSchedule, scope: Scope::Message, action: Some("retry"), ..send_error(error) }
}

fn is_used_up(error: &GreenCallError) -> bool {
    matches!(error, GreenCallError::Refused(refusal)
        if matches!(refusal.kind, RefusalKind::QuotaUsedUp | RefusalKind::ChatNotAllowed))
}

fn action(decision: &Decision, error: &GreenCallError, reconnect: bool) -> Option<&'static str> {
    match error {
        GreenCallError::Refused(refusal) if refusal.kind == RefusalKind::NotAuthorized => Some("scan"),
        _ if reconnect => Some("reconnect"),
        _ if decision.retry == decision::Retry::Never => None,
        _ => Some("retry"),
    }
}

/// Our advice, and Green API's own words where they tell what is wrong with the message.
fn sentence(decision: &Decision, error: &GreenCallError) -> String {
    match error {
        GreenCallError::Refused(refusal)
            if !refusal.text().is_empty()
                && matches!(
                    refusal.kind,
                    RefusalKind::Invalid | RefusalKind::ChatNotAllowed | RefusalKind::Other
                ) =>
        {
            format!("{} Green API says: {}", decision.advice, refusal.text())
        }
        _ => decision.advice.to_owned(),
    }
}

fn status(error: &GreenCallError) -> Option<u16> {
    match error {
        GreenCallError::Refused(refusal) => Some(refusal.status),
        GreenCallError::Http(error) => error.status().map(|status| status.as_u16()),
    }
}

/// The word for an error: Green API has numbers only.
fn code(error: &GreenCallError) -> String {
    let code = match error {
        GreenCallError::Refused(refusal) => match refusal.kind {
            RefusalKind::Invalid => "INVALID",
            RefusalKind::BadPhone => "BAD_PHONE",
            RefusalKind::Starting => "INSTANCE_STARTING",
            RefusalKind::CheckLimit => "TOO_MANY_CHECKS",
            RefusalKind::NotAuthorized => "NOT_AUTHORIZED",
            RefusalKind::Expired => "INSTANCE_EXPIRED",
            RefusalKind::Deleted => "INSTANCE_DELETED",
            RefusalKind::WrongToken => "WRONG_TOKEN",
            RefusalKind::WrongInstance => "WRONG_INSTANCE",
            RefusalKind::TooManyRequests => "TOO_MANY_REQUESTS",
            RefusalKind::QuotaUsedUp => "QUOTA_USED_UP",
            RefusalKind::ChatNotAllowed => "CHAT_NOT_ALLOWED",
            RefusalKind::FileTooLarge => "FILE_TOO_LARGE",
            RefusalKind::NotFound
            | RefusalKind::ClosedEarly
            | RefusalKind::Fault
            | RefusalKind::Unavailable
            | RefusalKind::GatewayTimeout
            | RefusalKind::Other => return format!("HTTP_{}", refusal.status),
        },
        GreenCallError::Http(error) => return call_codes::code(error),
    };
    code.to_owned()
}

/// A message that cannot be sent as it is, found without asking Green API.
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

/// A file that could not be fetched from its address. Only what cannot change is gone.
pub(super) fn media_error(error: &GreenCallError) -> MediaError {
    match error {
        GreenCallError::Http(CallError::TooLarge { max_bytes }) => {
            MediaError::TooLarge { max_bytes: *max_bytes }
        }
        GreenCallError::Http(CallError::NotSent(NotSent::Refused(why))) => MediaError::Gone(why.to_string()),
        GreenCallError::Refused(refusal) => match refusal.kind {
            RefusalKind::Invalid => MediaError::Gone("Green API no longer has it".to_owned()),
            RefusalKind::Deleted => MediaError::Gone("the instance was deleted".to_owned()),
            RefusalKind::WrongInstance | RefusalKind::NotFound => {
                MediaError::Gone(format!("its server answered with {}", refusal.status))
            }
            RefusalKind::Other if refusal.status == 410 => MediaError::Gone("it has expired".to_owned()),
            kind => MediaError::Unavailable(kind.to_string()),
        },
        GreenCallError::Http(error) => MediaError::Unavailable(error.to_string()),
    }
}

/// What a failed check says about an inbox.
pub(super) fn check_failed(error: &GreenCallError) -> ConnectionState {
    let decision = decide(error);
    let state = |code| ConnectionState::new(code, decision.advice);
    match error {
        GreenCallError::Refused(refusal) => match refusal.kind {
            RefusalKind::NotAuthorized => state(ConnectionCode::Reconnect).with_action(state::SCAN),
            RefusalKind::WrongToken | RefusalKind::WrongInstance => state(ConnectionCode::Reconnect)
                .with_action("Copy idInstance, apiTokenInstance and apiUrl from the Green API console."),
            RefusalKind::Expired | RefusalKind::Deleted => {
                state(ConnectionCode::Reconnect).with_action("Open the instance in the Green API console.")
            }
            RefusalKind::Starting => state(ConnectionCode::Connecting),
            RefusalKind::Fault
            | RefusalKind::Unavailable
            | RefusalKind::GatewayTimeout
            | RefusalKind::ClosedEarly => no_answer(),
            _ => ConnectionState::new(
                ConnectionCode::Degraded,
                format!("Green API answered with {}: {}", refusal.status, refusal.kind),
            ),
        },
        GreenCallError::Http(CallError::NotSent(NotSent::Refused(_)) | CallError::Redirect { .. }) => {
            state(ConnectionCode::Unreachable)
                .with_action("Compare the API address with the Green API console.")
        }
        GreenCallError::Http(_) => no_answer(),
    }
}

fn no_answer() -> ConnectionState {
    ConnectionState::new(ConnectionCode::Unreachable, "Green API cannot be reached at present.").with_action(
        "Nothing to do; it is tried again. If it lasts, check the API address and this server's internet connection.",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn our_own_limit_holds_back_one_message_and_our_breaker_the_inbox() {
        let wait = Duration::from_secs(9);
        let of = |error: NotSent| send_error(CallError::from(error).into());
        let limited = of(NotSent::Limit { retry_after: wait });
        assert_eq!((limited.retry, limited.scope), (Retry::AfterMs(9_000), Scope::Message));
        let resting = of(NotSent::BreakerOpen { retry_after: wait });
        assert_eq!((resting.retry, resting.scope), (Retry::AfterMs(9_000), Scope::Inbox));
        assert!(limited.certain && resting.certain && !limited.reconnect);
    }
}
