//! What to do about an error: Green API's refusals as data. To add one: a row, and its test below.

use std::time::Duration;

use frontdesk_provider_http::{CallError, NotSent};

use crate::error::{GreenCallError, Refusal, RefusalKind};

/// A starting instance needs up to five minutes.
const WHILE_STARTING: Duration = Duration::from_secs(60);
/// After too many checks of numbers.
const WHILE_CHECKS_REST: Duration = Duration::from_secs(300);
/// After a 429 that names no time.
const WHILE_TOO_FAST: Duration = Duration::from_secs(5);

/// When to make the same call again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not by itself.
    Never,
    /// Not before this has passed.
    After(Duration),
    /// As the product's own retry schedule says.
    OnSchedule,
    /// When a person has set the instance right: hold its queue, and tell somebody.
    AfterPerson,
}

/// What the error is about, and so what should wait with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This message.
    Message,
    /// Everything of this instance.
    Instance,
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// When to try again.
    pub retry: Retry,
    /// What it is about.
    pub scope: Scope,
    /// `false` = a message may have been queued: never repeat it blindly.
    pub certain: bool,
    /// What a person can do, one sentence.
    pub advice: &'static str,
}

/// What to do about a failed call.
pub fn decide(error: &GreenCallError) -> Decision {
    let (retry, scope, advice) = match error {
        GreenCallError::Refused(refusal) => of_refusal(refusal),
        GreenCallError::Http(error) => of_http(error),
    };
    let certain = error.certain();
    Decision { retry: if certain { retry } else { Retry::Never }, scope, certain, advice }
}

fn of_refusal(refusal: &Refusal) -> (Retry, Scope, &'static str) {
    let after = |at_least: Duration| Retry::After(refusal.retry_after.unwrap_or_default().max(at_least));
    match refusal.kind {
        RefusalKind::Invalid => {
            (Retry::Never, Scope::Message, "Green API does not take this message; change it.")
        }
        RefusalKind::BadPhone => {
            (Retry::Never, Scope::Message, "The number needs its country code and 11 to 16 digits.")
        }
        RefusalKind::Starting => (
            after(WHILE_STARTING),
            Scope::Instance,
            "The instance is starting; this takes up to five minutes.",
        ),
        RefusalKind::CheckLimit => {
            (after(WHILE_CHECKS_REST), Scope::Message, "Too many numbers were checked; wait some minutes.")
        }
        RefusalKind::NotAuthorized => (
            Retry::AfterPerson,
            Scope::Instance,
            "Scan the QR code with the phone to sign the instance in again.",
        ),
        RefusalKind::Expired => (
            Retry::AfterPerson,
            Scope::Instance,
            "The instance is expired; extend it in the Green API console.",
        ),
        RefusalKind::Deleted => {
            (Retry::AfterPerson, Scope::Instance, "The instance was deleted; connect another one.")
        }
        RefusalKind::WrongToken => (
            Retry::AfterPerson,
            Scope::Instance,
            "The token is not this instance's; copy it from the console again.",
        ),
        RefusalKind::WrongInstance => (
            Retry::AfterPerson,
            Scope::Instance,
            "No such instance at this address; compare id and apiUrl with the console.",
        ),
        RefusalKind::NotFound => {
            (Retry::Never, Scope::Message, "Green API does not know this method at this address.")
        }
        RefusalKind::TooManyRequests => (
            after(WHILE_TOO_FAST),
            Scope::Instance,
            "Green API asks to go slower; lower the instance's limits.",
        ),
        RefusalKind::QuotaUsedUp => (
            Retry::AfterPerson,
            Scope::Instance,
            "What the tariff allows this month is used up; change the tariff or wait for the first of the month.",
        ),
        RefusalKind::ChatNotAllowed => (
            Retry::Never,
            Scope::Message,
            "The tariff allows three chats a month and this is not one of them; change the tariff.",
        ),
        RefusalKind::ClosedEarly | RefusalKind::GatewayTimeout => (
            Retry::Never,
            Scope::Message,
            "It is not known whether the message went out; look at the phone before sending it again.",
        ),
        RefusalKind::FileTooLarge => (Retry::Never, Scope::Message, "The file is larger than 100 MB."),
        RefusalKind::Fault | RefusalKind::Unavailable => (
            refusal.retry_after.filter(|wait| !wait.is_zero()).map_or(Retry::OnSchedule, Retry::After),
            Scope::Message,
            "Green API is failing; it is tried again.",
        ),
        RefusalKind::Other => {
            (Retry::Never, Scope::Message, "Green API answered in a way that is not documented.")
        }
    }
}

fn of_http(error: &CallError) -> (Retry, Scope, &'static str) {
    match error {
        CallError::NotSent(NotSent::Limit { retry_after }) => (
            Retry::After(*retry_after),
            Scope::Instance,
            "The instance's own limit is used up; it waits its turn.",
        ),
        CallError::NotSent(NotSent::BreakerOpen { retry_after }) => (
            Retry::After(*retry_after),
            Scope::Instance,
            "Green API kept failing for this instance; it is left alone.",
        ),
        CallError::NotSent(NotSent::Refused(_) | NotSent::Invalid(_)) | CallError::Redirect { .. } => (
            Retry::AfterPerson,
            Scope::Instance,
            "The address of the instance cannot be called; check apiUrl.",
        ),
        CallError::NotSent(_) => (Retry::OnSchedule, Scope::Instance, "Green API cannot be reached."),
        _ => (
            Retry::Never,
            Scope::Message,
            "It is not known whether the message went out; look at the phone before sending it again.",
        ),
    }
}

/// Does repeating a send at once, within the same call, help and do no harm?
pub(crate) fn send_again(error: &CallError) -> bool {
    match error {
        CallError::NotSent(NotSent::Dns(_) | NotSent::Connect(_)) => true,
        CallError::Status(answer) => matches!(
            Refusal::read(answer).kind,
            RefusalKind::TooManyRequests | RefusalKind::Fault | RefusalKind::Unavailable
        ),
        _ => false,
    }
}

/// The same for what reads, or may be done twice.
pub(crate) fn read_again(error: &CallError) -> bool {
    match error {
        CallError::Status(answer) => {
            error.is_transient() && Refusal::read(answer).kind != RefusalKind::FileTooLarge
        }
        _ => error.is_transient(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, text: &str) -> Decision {
        decide(&GreenCallError::Refused(Box::new(Refusal::new(status, text.to_owned()))))
    }

    #[test]
    fn the_table_of_refusals() {
        let (never, schedule, person) = (Retry::Never, Retry::OnSchedule, Retry::AfterPerson);
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        for (status, text, retry, scope) in [
            (400, "Validation failed", never, Scope::Message),
            (400, "bad phone number", never, Scope::Message),
            (400, "instance in starting process try later", after(60), Scope::Instance),
            (400, "check phone number timeout limit exceeded", after(300), Scope::Message),
            (400, "instance account not authorized", person, Scope::Instance),
            (400, "Instance account is expired", person, Scope::Instance),
            (400, "Instance is deleted", person, Scope::Instance),
            (401, "", person, Scope::Instance),
            (403, "", person, Scope::Instance),
            (404, "", never, Scope::Message),
            (429, "", after(5), Scope::Instance),
            (466, "", person, Scope::Instance),
            (500, "File from url exceeded max upload size", never, Scope::Message),
            (500, "", schedule, Scope::Message),
            (502, "", schedule, Scope::Message),
            (503, "", schedule, Scope::Message),
        ] {
            let decision = refused(status, text);
            assert_eq!(
                (decision.retry, decision.scope, decision.certain),
                (retry, scope, true),
                "{status} {text}"
            );
        }
        for status in [499, 504] {
            let decision = refused(status, "");
            assert_eq!((decision.retry, decision.certain), (never, false), "{status}");
        }
    }

    #[test]
    fn a_failing_provider_that_names_a_time_is_left_alone_until_then() {
        for status in [429, 500, 502, 503] {
            let mut refusal = Refusal::new(status, String::new());
            refusal.retry_after = Some(Duration::from_secs(120));
            let decision = decide(&GreenCallError::Refused(Box::new(refusal)));
            assert_eq!(decision.retry, Retry::After(Duration::from_secs(120)), "{status}");
        }
    }
}
