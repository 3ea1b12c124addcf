//! What a gateway's refusals mean for a message and for an inbox.

use std::time::Duration;

use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_provider_http::{CallError, NotSent};
use frontdesk_whatsapp_gateway_client::{GatewayCallError, Refusal, RefusalKind};

use super::state;
use crate::call_codes;
use crate::contract::{MediaError, Retry, Scope, SendError};

/// A session that is not connected is asked again after this long.
const WHILE_NOT_CONNECTED: Duration = Duration::from_secs(30);
/// A server that wants us to go slower and does not say how much.
const WHILE_TOO_FAST: Duration = Duration::from_secs(5);

/// What to do about a token that is no longer taken.
pub(super) const SIGN_IN: &str = "Sign in again: enter another token for this inbox, or an e-mail and a password, with which it \
    is renewed by itself.";

/// A call that did not do what it should.
pub(super) fn send_error(error: GatewayCallError) -> SendError {
    let certain = error.certain();
    let (retry, scope, shown) = match &error {
        _ if !certain => (
            Retry::Never,
            Scope::Message,
            "It is not known whether the message went out; look at the chat before sending it again."
                .to_owned(),
        ),
        GatewayCallError::Refused(refusal) => of_refusal(refusal),
        GatewayCallError::Http(error) => of_call(error),
    };
    let kind = error.refusal().map(|refusal| refusal.kind);
    let reconnect = matches!(kind, Some(RefusalKind::SignedOut | RefusalKind::Forbidden));
    SendError {
        certain,
        retry,
        scope,
        reconnect,
        used_up: false,
        code: code(&error),
        http_status: match &error {
            GatewayCallError::Refused(refusal) => Some(refusal.status),
            GatewayCallError::Http(error) => error.status().map(|status| status.as_u16()),
        },
        shown,
        action: match kind {
            Some(RefusalKind::NotConnected | RefusalKind::NotFound) => Some("scan"),
            _ if reconnect => Some("reconnect"),
            _ if retry == Retry::Never && certain => None,
            _ => Some("retry"),
        },
        source: Some(Box::new(error)),
    }
}

fn of_refusal(refusal: &Refusal) -> (Retry, Scope, String) {
    let after = |at_least: Duration| {
        let wait = refusal.retry_after.unwrap_or_default().max(at_least);
        Retry::AfterMs(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    };
    let said = |sentence: &str| match refusal.text() {
        "" => sentence.to_owned(),
        text => format!("{sentence} The gateway says: {text}"),
    };
    match refusal.kind {
        RefusalKind::SignedOut => (
            Retry::OnSchedule,
            Scope::Inbox,
            "The gateway no longer takes the token of this inbox.".to_owned(),
        ),
        RefusalKind::Forbidden => {
            (Retry::OnSchedule, Scope::Inbox, said("The token of this inbox may not send on the gateway."))
        }
        RefusalKind::NotConnected => {
            (after(WHILE_NOT_CONNECTED), Scope::Inbox, said("The session is not connected."))
        }
        RefusalKind::NotFound => {
            (Retry::OnSchedule, Scope::Message, said("The gateway has no such session."))
        }
        RefusalKind::TooManyRequests => {
            (after(WHILE_TOO_FAST), Scope::Inbox, "The gateway asks to go slower.".to_owned())
        }
        RefusalKind::TooLarge => {
            (Retry::Never, Scope::Message, "The file is too large for the gateway.".to_owned())
        }
        RefusalKind::Invalid | RefusalKind::Conflict => {
            (Retry::Never, Scope::Message, said("The gateway does not take this message."))
        }
        RefusalKind::Unavailable | RefusalKind::Fault | RefusalKind::TimedOut => {
            let wait = refusal.retry_after.filter(|wait| !wait.is_zero());
            let retry = wait.map_or(Retry::OnSchedule, |_| after(Duration::ZERO));
            (retry, Scope::Message, "The gateway is failing; it is tried again.".to_owned())
        }
    }
}

fn of_call(error: &CallError) -> (Retry, Scope, String) {
    let ms = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    match error {
        CallError::NotSent(NotSent::Limit { retry_after }) => (
            Retry::AfterMs(ms(*retry_after)),
            Scope::Message,
            "It waits for its turn: so many messages a minute may go out.".to_owned(),
        ),
        CallError::NotSent(NotSent::BreakerOpen { retry_after }) => (
            Retry::AfterMs(ms(*retry_after)),
            Scope::Inbox,
            "The gateway kept failing; it is tried again in a moment.".to_owned(),
        ),
        CallError::NotSent(NotSent::Refused(why)) => {
            (Retry::OnSchedule, Scope::Inbox, format!("The address of the gateway may not be called: {why}."))
        }
        CallError::NotSent(NotSent::Invalid(_)) => (
            Retry::Never,
            Scope::Message,
            "The message cannot be written as the gateway wants it.".to_owned(),
        ),
        CallError::Redirect { .. } => (
            Retry::OnSchedule,
            Scope::Inbox,
            "The gateway answers at another address: enter that one for this inbox.".to_owned(),
        ),
        _ => (Retry::OnSchedule, Scope::Inbox, "The gateway cannot be reached at present.".to_owned()),
    }
}

/// The word for an error: the server's own where it has one.
fn code(error: &GatewayCallError) -> String {
    let refusal = match error {
        GatewayCallError::Refused(refusal) => refusal,
        GatewayCallError::Http(error) => return call_codes::code(error),
    };
    let is_code = |code: &&String| {
        code.len() <= 60 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    if let Some(code) = refusal.code.as_ref().filter(is_code).filter(|code| code.contains('_')) {
        return code.clone();
    }
    let code = match refusal.kind {
        RefusalKind::SignedOut => "SIGNED_OUT",
        RefusalKind::Forbidden => "FORBIDDEN",
        RefusalKind::NotFound => "NO_SESSION",
        RefusalKind::NotConnected => "NOT_CONNECTED",
        RefusalKind::TooLarge => "FILE_TOO_LARGE",
        RefusalKind::TooManyRequests => "TOO_MANY_REQUESTS",
        RefusalKind::Invalid => "INVALID",
        RefusalKind::Conflict | RefusalKind::Unavailable | RefusalKind::TimedOut | RefusalKind::Fault => {
            return format!("HTTP_{}", refusal.status);
        }
    };
    code.to_owned()
}

/// A message that cannot be sent as it is, found without asking the gateway.
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
pub(super) fn media_error(error: &GatewayCallError) -> MediaError {
    match error {
        GatewayCallError::Http(CallError::TooLarge { max_bytes }) => {
            MediaError::TooLarge { max_bytes: *max_bytes }
        }
        GatewayCallError::Http(CallError::NotSent(NotSent::Refused(why))) => {
            MediaError::Gone(why.to_string())
        }
        GatewayCallError::Refused(refusal) => match refusal.kind {
            RefusalKind::NotFound | RefusalKind::Forbidden | RefusalKind::Invalid => {
                MediaError::Gone(format!("its server answered with {}", refusal.status))
            }
            kind => MediaError::Unavailable(kind.to_string()),
        },
        GatewayCallError::Http(error) => MediaError::Unavailable(error.to_string()),
    }
}

/// What a failed check says about an inbox.
pub(super) fn check_failed(error: &GatewayCallError) -> ConnectionState {
    fn state(code: ConnectionCode, message: impl Into<String>) -> ConnectionState {
        ConnectionState::new(code, message)
    }
    match error {
        GatewayCallError::Refused(refusal) => match refusal.kind {
            RefusalKind::SignedOut => {
                state(ConnectionCode::Reconnect, "The gateway no longer takes the token of this inbox.")
                    .with_action(SIGN_IN)
            }
            RefusalKind::Forbidden => {
                state(ConnectionCode::Reconnect, "The token of this inbox may not see the session.")
                    .with_action("Enter a token that may read and write, of the account that the session is of.")
            }
            RefusalKind::NotFound => {
                state(ConnectionCode::Reconnect, "The gateway has no session of this name.")
                    .with_action("Open this inbox to make it and to scan its code, or correct the name.")
            }
            RefusalKind::NotConnected => {
                state(ConnectionCode::Reconnect, "The session is not connected.").with_action(state::SCAN)
            }
            RefusalKind::Fault | RefusalKind::Unavailable | RefusalKind::TimedOut => no_answer(),
            kind => state(
                ConnectionCode::Degraded,
                format!("The gateway answered with {}: {kind}", refusal.status),
            ),
        },
        GatewayCallError::Http(CallError::NotSent(NotSent::Refused(why))) => {
            state(ConnectionCode::Unreachable, format!("The address of the gateway may not be called: {why}."))
                .with_action(
                    "Give its https address; an administrator of this server may list the host under allow_private_hosts.",
                )
        }
        GatewayCallError::Http(CallError::Redirect { .. }) => {
            state(ConnectionCode::Unreachable, "The gateway answers at another address.")
                .with_action("Enter the address it leads to.")
        }
        GatewayCallError::Http(CallError::Unreadable(_)) => {
            state(ConnectionCode::Degraded, "What answers at this address is no WhatsApp gateway.")
                .with_action("Compare the API address: it usually ends in /api/v1.")
        }
        GatewayCallError::Http(_) => no_answer(),
    }
}

fn no_answer() -> ConnectionState {
    ConnectionState::new(ConnectionCode::Unreachable, "The gateway cannot be reached at present.").with_action(
        "Nothing to do; it is tried again. If it lasts, check the API address and whether that server runs.",
    )
}
