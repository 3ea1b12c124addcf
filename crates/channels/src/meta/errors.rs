//! What Meta's errors mean for a message and for an inbox: the client's error tables in the words of the product.

use std::time::Duration;

use frontdesk_meta_graph_client::decision::{self, Decision, decide_graph};
use frontdesk_meta_graph_client::webhook::whatsapp::ErrorNotice;
use frontdesk_meta_graph_client::{GraphCallError, GraphError, Product, decide};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::message::StatusError;
use frontdesk_provider_http::{CallError, NotSent};

use crate::call_codes;
use crate::contract::{MediaError, Retry, Scope, SendError};

/// What to do about a token that no longer works.
pub(crate) const NEW_TOKEN: &str = "Make a new access token in Meta's app dashboard and enter it here.";

/// The same inside a sentence.
pub(crate) const LOWER_NEW_TOKEN: &str = "make a new access token there and enter it here.";

/// Why a message that WhatsApp had accepted failed after all.
pub(crate) fn failed_status(error: Option<&ErrorNotice>) -> StatusError {
    let Some(notice) = error else {
        return StatusError {
            code: "UNKNOWN".to_owned(),
            message: "WhatsApp could not deliver the message and does not say why.".to_owned(),
            action: None,
        };
    };
    let error = GraphError::from(notice);
    let decision = decide_graph(Product::WhatsApp, &error, 1);
    StatusError {
        code: error.code.to_string(),
        message: sentence(decision.advice, error.details()),
        action: action(Product::WhatsApp, &decision).map(str::to_owned),
    }
}

/// An error of a whole number, and the state of its inbox when it no longer works.
pub(crate) fn number_error(notice: &ErrorNotice) -> (String, Option<ConnectionState>) {
    let error = GraphError::from(notice);
    let decision = decide_graph(Product::WhatsApp, &error, 1);
    let message = sentence(decision.advice, error.details());
    let state = decision
        .reconnect
        .then(|| ConnectionState::new(ConnectionCode::Reconnect, decision.advice).with_action(NEW_TOKEN));
    (message, state)
}

/// Our advice, and Meta's own words, which tell more in the rare case.
fn sentence(advice: &str, details: &str) -> String {
    if details.is_empty() { advice.to_owned() } else { format!("{advice} Meta says: {details}") }
}

fn action(product: Product, decision: &Decision) -> Option<&'static str> {
    if decision.reconnect {
        return Some("reconnect");
    }
    match (product, decision.window_closed, decision.retry) {
        (Product::WhatsApp, true, _) => Some("template"),
        (Product::Messaging, true, _) | (_, _, decision::Retry::Never) => None,
        _ => Some("retry"),
    }
}

/// A call that did not do what it should; `attempt` counts the tries from 1.
pub(crate) fn send_error(product: Product, error: GraphCallError, attempt: u32) -> SendError {
    let decision = decide(product, &error, attempt);
    let (code, details, http_status) = match &error {
        GraphCallError::Graph(refusal) => {
            let code = match refusal.subcode {
                Some(subcode) if product == Product::Messaging => format!("{}/{subcode}", refusal.code),
                _ => refusal.code.to_string(),
            };
            (code, refusal.details().to_owned(), Some(refusal.http_status))
        }
        GraphCallError::Http(error) => {
            (call_codes::code(error), String::new(), error.status().map(|status| status.as_u16()))
        }
        GraphCallError::ForeignHost => ("FOREIGN_HOST".to_owned(), String::new(), None),
    };
    SendError {
        certain: decision.certain,
        retry: retry(decision.retry),
        scope: match decision.scope {
            decision::Scope::Message => Scope::Message,
            decision::Scope::Conversation => Scope::Conversation,
            decision::Scope::Inbox => Scope::Inbox,
        },
        reconnect: decision.reconnect,
        used_up: false,
        code,
        http_status,
        shown: sentence(decision.advice, &details),
        action: action(product, &decision),
        source: Some(Box::new(error)),
    }
}

/// A file that could not be uploaded: its message was never sent, whatever became of the file.
pub(crate) fn upload_error(product: Product, error: GraphCallError, attempt: u32) -> SendError {
    let mut error = send_error(product, error, attempt);
    if !error.certain {
        error.certain = true;
        error.retry = Retry::OnSchedule;
        error.shown = "The file could not be brought to Meta; sending continues by itself.".to_owned();
        error.action = Some("retry");
    }
    error
}

/// A message that cannot be sent as it is, found without asking Meta.
pub(crate) fn cannot_carry(shown: impl Into<String>) -> SendError {
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

fn retry(retry: decision::Retry) -> Retry {
    match retry {
        decision::Retry::Never => Retry::Never,
        decision::Retry::After(wait) => Retry::AfterMs(millis(wait)),
        decision::Retry::OnSchedule => Retry::OnSchedule,
    }
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// A file that could not be fetched. Only what cannot change is gone.
pub(crate) fn media_error(product: Product, error: &GraphCallError) -> MediaError {
    match error {
        GraphCallError::Http(CallError::TooLarge { max_bytes }) => {
            MediaError::TooLarge { max_bytes: *max_bytes }
        }
        GraphCallError::ForeignHost => MediaError::Gone("it is not on one of Meta's servers".to_owned()),
        GraphCallError::Http(CallError::Status(answer)) => match answer.status.as_u16() {
            status @ (403 | 404 | 410) => MediaError::Gone(format!("Meta answered with {status}")),
            status => MediaError::Unavailable(format!("Meta answered with {status}")),
        },
        GraphCallError::Http(CallError::NotSent(NotSent::Refused(why))) => MediaError::Gone(why.to_string()),
        GraphCallError::Http(error) => MediaError::Unavailable(error.to_string()),
        GraphCallError::Graph(refusal) => {
            let decision = decide_graph(product, refusal, 1);
            // With a working token the same id may be had again.
            if decision.retry == decision::Retry::Never && decision.scope != decision::Scope::Inbox {
                MediaError::Gone(refusal.to_string())
            } else {
                MediaError::Unavailable(refusal.to_string())
            }
        }
    }
}

/// What a failed check says about an inbox. `what` is asked for, as `phone number id`.
pub(crate) fn check_failed(
    product: Product,
    what: &str,
    permissions: &str,
    error: &GraphCallError,
) -> ConnectionState {
    let state = |code, message: &str| ConnectionState::new(code, message);
    let decision = decide(product, error, 1);
    if decision.reconnect {
        return state(ConnectionCode::Reconnect, "Meta no longer accepts the access token.")
            .with_action(NEW_TOKEN);
    }
    match error {
        GraphCallError::Graph(refusal) => match (refusal.code, refusal.subcode) {
            (33, _) | (100, Some(33)) => state(
                ConnectionCode::Reconnect,
                &format!("Meta does not know this {what}, or the token may not see it."),
            )
            .with_action(format!(
                "Compare the {what} with Meta's app dashboard, and give the token access to it."
            )),
            (3 | 10 | 200..=299 | 131_005, _) => {
                state(ConnectionCode::Reconnect, "The access token lacks a permission.")
                    .with_action(format!("Make a token with the permissions {permissions}."))
            }
            (368 | 131_031, _) => state(ConnectionCode::Paused, decision.advice)
                .with_action("Open Meta Business Suite, Account quality."),
            (133_010, _) => not_registered(),
            _ if decision.retry != decision::Retry::Never => state(ConnectionCode::Degraded, decision.advice),
            _ => state(ConnectionCode::Degraded, &sentence(decision.advice, refusal.details()))
                .with_action("Open Meta Business Suite and look for a notice about the account."),
        },
        GraphCallError::Http(CallError::Status(answer)) if !answer.status.is_server_error() => {
            state(ConnectionCode::Degraded, &format!("Meta answered with {}.", answer.status.as_u16()))
        }
        GraphCallError::Http(CallError::NotSent(NotSent::Refused(_)) | CallError::Redirect { .. }) => {
            state(ConnectionCode::Unreachable, decision.advice)
                .with_action("Check the address of the Graph API in the settings file.")
        }
        _ => state(ConnectionCode::Unreachable, "Meta cannot be reached at present.").with_action(
            "Nothing to do; it is tried again. If it lasts, check this server's internet connection.",
        ),
    }
}

/// A number that was never registered with the Cloud API, or no longer is.
pub(crate) fn not_registered() -> ConnectionState {
    ConnectionState::new(ConnectionCode::Reconnect, "The number is not registered with WhatsApp Cloud API.")
        .with_action("Register the number in WhatsApp Manager, Phone numbers.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_cannot_be_reached_is_not_our_inbox_at_fault() {
        let failed = |error: CallError| check_failed(Product::Messaging, "Page ID", "p", &error.into());
        let resting = NotSent::BreakerOpen { retry_after: Duration::from_secs(9) };
        let state = failed(resting.into());
        assert_eq!(state.code, ConnectionCode::Unreachable);
        assert!(state.action.is_some());
        let state = failed(CallError::Redirect { status: 302.try_into().unwrap(), location: None });
        assert_eq!(state.code, ConnectionCode::Unreachable);
        assert!(state.action.unwrap().contains("settings file"));
    }

    #[test]
    fn holding_back_by_ourselves_is_said_with_a_code_of_ours() {
        let wait = Duration::from_secs(9);
        for (error, code) in [
            (NotSent::BreakerOpen { retry_after: wait }, "PAUSED"),
            (NotSent::Limit { retry_after: wait }, "RATE_LIMITED"),
        ] {
            let error = send_error(Product::WhatsApp, CallError::from(error).into(), 1);
            assert_eq!((error.code.as_str(), error.certain, error.retry), (code, true, Retry::AfterMs(9000)));
        }
    }
}
