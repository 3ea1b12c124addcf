//! One call of an endpoint, signed as <https://www.standardwebhooks.com> says, so that its libraries can check it.

use std::time::Duration;

use frontdesk_model::Timestamp;
use frontdesk_provider_http::addresses::RefusedAddress;
use frontdesk_provider_http::{
    AddressPolicy, BreakerSettings, CallError, CallLabel, NotSent, ProviderHttp, ProviderSettings,
    RetryPolicy,
};
use frontdesk_store::webhook_endpoints::EndpointRow;
use frontdesk_store::webhook_sends::{Attempt, WebhookSendRow};
use url::Url;

use super::endpoints;
use crate::Engine;
use crate::monitoring::delivery::webhook::sign;

/// As much of an answer is read.
const MAX_ANSWER_BYTES: u64 = 16 * 1024;
/// As much of it is kept, in characters.
const KEPT_ANSWER: usize = 500;
/// Whoever answers so wants nothing more.
const GONE: u16 = 410;

/// What came of a call.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) attempt: Attempt,
    pub(super) is_taken: bool,
    /// The endpoint says that it is no more.
    pub(super) is_gone: bool,
    /// It asks to be left alone for so long.
    pub(super) wait: Option<Duration>,
}

/// Checks an address before it is stored. Where its name leads to is checked at each call.
pub(super) fn check_address(engine: &Engine, url: &Url) -> Result<(), RefusedAddress> {
    policy(engine).check_url(url, url)
}

fn policy(engine: &Engine) -> AddressPolicy {
    AddressPolicy::allowing_hosts(&engine.channels.providers.allow_private_hosts)
}

/// One client for all endpoints, so that connections are kept. Which of them rest is remembered in the database.
fn client(engine: &Engine) -> Result<&ProviderHttp, String> {
    if let Some(http) = engine.webhooks().http.get() {
        return Ok(http);
    }
    let nowhere = Url::parse("https://webhooks.invalid").map_err(|error| error.to_string())?;
    let settings = ProviderSettings {
        timeout: Duration::from_millis(engine.settings.webhooks.timeout_ms),
        max_response_bytes: MAX_ANSWER_BYTES,
        addresses: policy(engine),
        retry: RetryPolicy::never(),
        breaker: BreakerSettings {
            consecutive_failures: u32::MAX,
            failure_rate: 2.0,
            ..BreakerSettings::default()
        },
        ..ProviderSettings::new("webhooks", nowhere)
    };
    let http = ProviderHttp::new(settings).map_err(|error| error.to_string())?;
    Ok(engine.webhooks().http.get_or_init(|| http))
}

/// The id of a delivery: the same at every try and replay.
pub(super) fn id_of(row: &WebhookSendRow) -> String {
    format!("msg_{}_{}", row.account_id, row.event_key)
}

/// Calls once. The time of the signature is that of the call.
pub(super) async fn post(engine: &Engine, endpoint: &EndpointRow, row: &WebhookSendRow) -> Called {
    let tried_at = engine.clock.now();
    let began = tokio::time::Instant::now();
    let answer = send(engine, endpoint, row, tried_at).await;
    let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let attempt = Attempt { tried_at, duration_ms, ..Attempt::default() };
    match answer {
        Ok((status, body)) => Called {
            attempt: Attempt { http_status: status, answer: body, ..attempt },
            is_taken: true,
            is_gone: false,
            wait: None,
        },
        Err(Refused { sentence, status, answer, wait }) => Called {
            attempt: Attempt { http_status: status, error: Some(sentence), answer, ..attempt },
            is_taken: false,
            is_gone: status == Some(i64::from(GONE)),
            wait,
        },
    }
}

struct Refused {
    sentence: String,
    status: Option<i64>,
    answer: Option<String>,
    wait: Option<Duration>,
}

impl Refused {
    fn ours(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), status: None, answer: None, wait: None }
    }
}

async fn send(
    engine: &Engine,
    endpoint: &EndpointRow,
    row: &WebhookSendRow,
    now: Timestamp,
) -> Result<(Option<i64>, Option<String>), Refused> {
    let url = Url::parse(&endpoint.url).map_err(|_| Refused::ours("The address is none."))?;
    let secrets =
        endpoints::secrets(engine, endpoint, now).map_err(|error| Refused::ours(error.to_string()))?;
    let http = client(engine).map_err(Refused::ours)?;
    let (id, mut signatures, mut timestamp) = (id_of(row), Vec::new(), String::new());
    for secret in &secrets {
        let headers = sign(&id, now.as_secs(), &row.body, secret);
        signatures.push(headers.signature);
        timestamp = headers.timestamp;
    }
    let request = http
        .request(reqwest::Method::POST, url.clone())
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures.join(" "))
        .body(row.body.clone());
    let key = endpoint.id.to_string();
    match http.send(CallLabel::new(&key, "deliver").at(Some(&url)), request).await {
        Ok(answer) => Ok((Some(answer.status.as_u16().into()), beginning(&answer.body))),
        // It was taken; what was said to it does not matter.
        Err(CallError::TooLarge { .. }) => Ok((None, None)),
        Err(error) => Err(refused(&error)),
    }
}

fn refused(error: &CallError) -> Refused {
    let status = error.status().map(|status| i64::from(status.as_u16()));
    let sentence = match error {
        CallError::Redirect { .. } => {
            "The endpoint leads on to another address, which is not followed: give the final one.".to_owned()
        }
        CallError::Status(answer) => format!("The endpoint answered with {}.", answer.status.as_u16()),
        CallError::TimedOut(_) => "The endpoint did not answer in time.".to_owned(),
        CallError::Cut(_) => "The connection broke before the endpoint had answered.".to_owned(),
        CallError::NotSent(NotSent::Refused(why)) => format!("The endpoint may not be called: {why}."),
        CallError::NotSent(NotSent::Dns(_)) => "The endpoint's name could not be resolved.".to_owned(),
        CallError::NotSent(NotSent::Connect(_)) => "No connection to the endpoint.".to_owned(),
        error => error.to_string(),
    };
    let answer = match error {
        CallError::Status(answer) => beginning(&answer.body),
        _ => None,
    };
    Refused { sentence, status, answer, wait: error.retry_after() }
}

/// The beginning of an answer as text, without what no database keeps.
fn beginning(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * KEPT_ANSWER)]);
    let text: String = text.chars().filter(|c| *c != '\0').take(KEPT_ANSWER).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
