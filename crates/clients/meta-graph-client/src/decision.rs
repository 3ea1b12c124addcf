//! What to do about an error: Meta's error codes as data.
//!
//! Two tables, one per product, first fitting row wins. To add a code: a row, and its test below.
//! Source: Meta's error references for the Cloud API and for Messenger, read 2026.

use std::{ops::RangeInclusive, time::Duration};

use frontdesk_provider_http::{CallError, NotSent};

use crate::error::{GraphCallError, GraphError};

/// Whose error table applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// WhatsApp Cloud API.
    WhatsApp,
    /// Messenger and Instagram.
    Messaging,
}

/// When to send the same message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not by itself.
    Never,
    /// Not before this has passed.
    After(Duration),
    /// As the product's own retry schedule says.
    OnSchedule,
}

/// What the error is about, and so what should wait with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This message.
    Message,
    /// Everything to this customer.
    Conversation,
    /// Everything from this number, Page or account.
    Inbox,
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// When to try again.
    pub retry: Retry,
    /// What it is about.
    pub scope: Scope,
    /// The access token no longer works: someone must connect the account again.
    pub reconnect: bool,
    /// The reply window is over: only a template (WhatsApp) or a human-agent reply goes through.
    pub window_closed: bool,
    /// `false` = the message may have been sent: never repeat it blindly, ask or wait for its status.
    pub certain: bool,
    /// What a person can do, one sentence.
    pub advice: &'static str,
}

/// When a row says to try again, and how often.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Never,
    /// As the schedule says, or later if Meta asks for it.
    OnSchedule,
    /// As the schedule says, this many times.
    Times(u32),
    /// Not before this has passed.
    After(Duration),
    /// 6 s, then 4^n s: the pace of messages to one customer.
    Pair,
}

/// Which codes a row is for.
#[derive(Debug, Clone, Copy)]
enum Subcodes {
    Any,
    Only(&'static [i64]),
    Absent,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    codes: &'static [RangeInclusive<i64>],
    subcodes: Subcodes,
    rule: Rule,
    scope: Scope,
    reconnect: bool,
    window_closed: bool,
    certain: bool,
    advice: &'static str,
}

const fn row(codes: &'static [RangeInclusive<i64>], rule: Rule, scope: Scope, advice: &'static str) -> Row {
    Row {
        codes,
        subcodes: Subcodes::Any,
        rule,
        scope,
        reconnect: false,
        window_closed: false,
        certain: true,
        advice,
    }
}

impl Row {
    const fn only(mut self, subcodes: &'static [i64]) -> Self {
        self.subcodes = Subcodes::Only(subcodes);
        self
    }

    const fn without_subcode(mut self) -> Self {
        self.subcodes = Subcodes::Absent;
        self
    }

    const fn reconnect(mut self) -> Self {
        self.reconnect = true;
        self
    }

    const fn window_closed(mut self) -> Self {
        self.window_closed = true;
        self
    }

    const fn uncertain(mut self) -> Self {
        self.certain = false;
        self
    }

    fn fits(&self, error: &GraphError) -> bool {
        let subcode_fits = match self.subcodes {
            Subcodes::Any => true,
            Subcodes::Only(list) => error.subcode.is_some_and(|subcode| list.contains(&subcode)),
            Subcodes::Absent => error.subcode.is_none_or(|subcode| subcode == 0),
        };
        subcode_fits && self.codes.iter().any(|codes| codes.contains(&error.code))
    }
}

const HOUR: Duration = Duration::from_secs(3600);

const RECONNECT: &str = "The access token is no longer valid: connect the account again.";
const PERMISSION: &str =
    "The app lacks a permission for this: check the token's permissions and the app review.";
const THROTTLED: &str = "Meta's rate limit is reached; sending continues by itself.";
const UNAVAILABLE: &str = "Meta's service has a problem; sending continues by itself.";
const POLICY: &str = "Meta blocked the account for its policies: see the account quality page.";
const BAD_CONTENT: &str = "Meta does not accept this message as it is: change it and send it again.";
const BAD_TEMPLATE: &str =
    "The template does not fit what Meta has: refresh the templates, check name, language and variables.";
const ACCOUNT_FAULT: &str = "The WhatsApp account or number has a problem: see WhatsApp Manager.";
const UNDELIVERABLE: &str =
    "The customer cannot receive this message: no WhatsApp, an old app, or terms not accepted.";
const NO_MARKETING: &str =
    "WhatsApp does not deliver this to the customer now; do not send it again within 24 hours.";
const WINDOW: &str = "More than 24 hours since the customer wrote: send a template.";
const WINDOW_MESSAGING: &str =
    "More than 24 hours since the customer wrote: a person may answer within 7 days (human agent).";
const NOT_REACHABLE: &str = "The person is not available or has blocked the account.";
const MEDIA: &str = "Meta could not take the file: check its size, type and address.";

/// Codes of the Cloud API.
const WHATSAPP: &[Row] = &[
    row(&[0..=0, 190..=190], Rule::Never, Scope::Inbox, RECONNECT).reconnect(),
    row(&[3..=3, 10..=10, 200..=299, 131_005..=131_005], Rule::Never, Scope::Inbox, PERMISSION),
    row(&[4..=4, 80_007..=80_007, 130_429..=130_429], Rule::OnSchedule, Scope::Inbox, THROTTLED),
    row(
        &[131_056..=131_056],
        Rule::Pair,
        Scope::Conversation,
        "Too many messages to this customer in a short time; sending continues by itself.",
    ),
    row(
        &[131_048..=131_048],
        Rule::After(Duration::from_secs(4 * 3600)),
        Scope::Inbox,
        "Customers reported the number as spam: WhatsApp limits it for hours. Send less, check the number's quality.",
    ),
    row(&[131_049..=131_050, 130_472..=130_472], Rule::Never, Scope::Message, NO_MARKETING),
    row(&[131_047..=131_047], Rule::Never, Scope::Conversation, WINDOW).window_closed(),
    row(&[131_026..=131_026], Rule::Never, Scope::Message, UNDELIVERABLE),
    row(
        &[131_030..=131_030],
        Rule::Never,
        Scope::Message,
        "The number is a test number: add the customer to its list of allowed receivers.",
    ),
    row(
        &[33..=33],
        Rule::Never,
        Scope::Inbox,
        "Meta does not know this phone number id: check the channel's settings.",
    ),
    row(&[100..=100, 131_008..=131_009, 131_051..=131_051], Rule::Never, Scope::Message, BAD_CONTENT),
    row(&[131_052..=131_053], Rule::Times(1), Scope::Message, MEDIA),
    row(
        &[131_062..=131_064],
        Rule::Never,
        Scope::Message,
        "This kind of message may not be sent to this customer.",
    ),
    row(&[131_021..=131_021], Rule::Never, Scope::Message, "The receiver is the number itself."),
    row(
        &[130_497..=130_497],
        Rule::Never,
        Scope::Message,
        "Messages to this country are not allowed for this account.",
    ),
    row(
        &[131_057..=131_057],
        Rule::OnSchedule,
        Scope::Inbox,
        "The account is in maintenance; sending continues by itself.",
    ),
    row(
        &[131_031..=131_031, 131_037..=131_037, 131_042..=131_042, 131_045..=131_045, 133_010..=133_010],
        Rule::Never,
        Scope::Inbox,
        ACCOUNT_FAULT,
    ),
    row(
        &[
            132_000..=132_001,
            132_005..=132_005,
            132_007..=132_008,
            132_012..=132_012,
            132_015..=132_016,
            132_018..=132_018,
        ],
        Rule::Never,
        Scope::Message,
        BAD_TEMPLATE,
    ),
    row(&[368..=368], Rule::Never, Scope::Inbox, POLICY),
    row(&[131_000..=131_000, 135_000..=135_000], Rule::Times(2), Scope::Message, UNAVAILABLE),
    row(&[1..=2, 131_016..=131_016, 133_004..=133_004], Rule::OnSchedule, Scope::Inbox, UNAVAILABLE),
];

/// Codes of Messenger and Instagram.
const MESSAGING: &[Row] = &[
    row(&[10..=10], Rule::Never, Scope::Conversation, WINDOW_MESSAGING)
        .only(&[2_018_278, 2_018_065, 2_534_022])
        .window_closed(),
    row(
        &[10..=10],
        Rule::After(HOUR),
        Scope::Inbox,
        "Meta restricted the Page for a while: see the Page's support inbox.",
    )
    .only(&[1_893_063]),
    row(&[551..=551], Rule::Never, Scope::Conversation, NOT_REACHABLE),
    row(&[200..=200], Rule::Never, Scope::Conversation, NOT_REACHABLE).only(&[1_545_041]),
    row(&[100..=100], Rule::Never, Scope::Conversation, "Meta does not know this person (any more).")
        .only(&[2_018_001, 33]),
    row(&[100..=100], Rule::Times(1), Scope::Message, MEDIA).only(&[2_018_047]),
    row(&[100..=100], Rule::Never, Scope::Message, MEDIA).only(&[2_018_109, 2_018_074]),
    row(&[100..=100], Rule::Never, Scope::Message, BAD_CONTENT),
    row(&[613..=613, 4..=4, 17..=17, 32..=32], Rule::OnSchedule, Scope::Inbox, THROTTLED),
    row(&[190..=190], Rule::Never, Scope::Inbox, RECONNECT).reconnect(),
    row(
        &[230..=230],
        Rule::Never,
        Scope::Conversation,
        "The customer has not agreed to this: it needs a message of theirs first.",
    ),
    row(&[10..=10, 200..=200], Rule::Never, Scope::Inbox, PERMISSION).without_subcode(),
    row(&[10..=10, 200..=299], Rule::Never, Scope::Message, PERMISSION),
    row(&[368..=368], Rule::Never, Scope::Inbox, POLICY),
    row(
        &[1..=1],
        Rule::Never,
        Scope::Message,
        "Meta reported an error although the message may have been sent: look before repeating it.",
    )
    .only(&[1_357_046])
    .uncertain(),
    row(&[1..=2, 1200..=1200], Rule::Times(3), Scope::Message, UNAVAILABLE),
];

/// What to do about a failed call. `attempts` = how often this message was tried, this time included.
pub fn decide(product: Product, error: &GraphCallError, attempts: u32) -> Decision {
    match error {
        GraphCallError::Graph(error) => decide_graph(product, error, attempts),
        GraphCallError::Http(error) => decide_http(error),
        GraphCallError::ForeignHost => {
            decision(Retry::Never, Scope::Message, "The file is not on one of Meta's servers.")
        }
    }
}

/// What to do about an error code, from an answer or from a failed status.
pub fn decide_graph(product: Product, error: &GraphError, attempts: u32) -> Decision {
    let table = match product {
        Product::WhatsApp => WHATSAPP,
        Product::Messaging => MESSAGING,
    };
    let Some(row) = table.iter().find(|row| row.fits(error)) else { return decide_unknown(error) };
    let retry = match row.rule {
        Rule::Never => Retry::Never,
        Rule::OnSchedule => on_schedule(error.retry_after),
        Rule::Times(times) if attempts <= times => on_schedule(error.retry_after),
        Rule::Times(_) => Retry::Never,
        Rule::After(wait) => Retry::After(wait.max(error.retry_after.unwrap_or_default())),
        Rule::Pair => Retry::After(pair_wait(attempts).max(error.retry_after.unwrap_or_default())),
    };
    Decision {
        retry,
        scope: row.scope,
        reconnect: row.reconnect,
        window_closed: row.window_closed,
        certain: row.certain,
        advice: row.advice,
    }
}

/// A code in no table: Meta's own word on it, else a visible failure.
fn decide_unknown(error: &GraphError) -> Decision {
    match error.http_status {
        429 => decision(on_schedule(error.retry_after), Scope::Inbox, THROTTLED),
        status if status >= 500 || error.is_transient => {
            decision(on_schedule(error.retry_after), Scope::Message, UNAVAILABLE)
        }
        401 => Decision { reconnect: true, ..decision(Retry::Never, Scope::Inbox, RECONNECT) },
        _ => decision(Retry::Never, Scope::Message, BAD_CONTENT),
    }
}

/// A failure below Meta's error objects.
fn decide_http(error: &CallError) -> Decision {
    let asked = error.retry_after();
    if !error.certain() {
        let advice = "It is not known whether the message was sent; look before repeating it.";
        return Decision { certain: false, ..decision(Retry::Never, Scope::Message, advice) };
    }
    match error {
        CallError::NotSent(NotSent::Invalid(_)) => decision(Retry::Never, Scope::Message, BAD_CONTENT),
        CallError::NotSent(NotSent::Refused(_)) | CallError::Redirect { .. } => {
            decision(Retry::Never, Scope::Inbox, "The Graph API's address in the settings cannot be used.")
        }
        CallError::Status(answer) if answer.status == 401 => {
            Decision { reconnect: true, ..decision(Retry::Never, Scope::Inbox, RECONNECT) }
        }
        CallError::Status(answer) if answer.status == 429 => {
            decision(on_schedule(asked), Scope::Inbox, THROTTLED)
        }
        _ if error.is_transient() => decision(on_schedule(asked), Scope::Inbox, UNAVAILABLE),
        _ => decision(Retry::Never, Scope::Message, BAD_CONTENT),
    }
}

fn decision(retry: Retry, scope: Scope, advice: &'static str) -> Decision {
    Decision { retry, scope, reconnect: false, window_closed: false, certain: true, advice }
}

fn on_schedule(asked: Option<Duration>) -> Retry {
    asked.filter(|wait| !wait.is_zero()).map_or(Retry::OnSchedule, Retry::After)
}

/// One message in 6 s is the sustained pace to one customer; Meta asks for 4^n s after refusals.
fn pair_wait(attempts: u32) -> Duration {
    Duration::from_secs(4u64.saturating_pow(attempts.min(6)).max(6))
}

#[cfg(test)]
mod tests;
