//! One call of chat completions at an OpenAI-compatible server, and what its refusals mean.
//!
//! Shape: `POST {base}/chat/completions`; only what every compatible server knows is sent, and only what is needed is read.
//! Errors: [`Upstream`]. Nothing is repeated here.

use std::time::Duration;

use frontdesk_provider_http::{
    CallError, CallLabel, DownloadLimits, NotSent, ProviderHttp, ProviderSettings, StatusAnswer,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use url::Url;

use super::prompt::Prompt;
use super::settings::{Access, policy};
use crate::Engine;

/// The largest answer that is read.
const MAX_ANSWER_BYTES: u64 = 512 * 1024;
/// The longest line of a stream that is read.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Tokens of one draft at most.
const TOKENS_OF_A_DRAFT: usize = 200;
/// Characters of a token, where nobody counted.
const CHARACTERS_OF_A_TOKEN: usize = 4;

/// What a server refuses with when what was paid for is used up.
const QUOTA_WORDS: &[&str] =
    &["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "billing_not_active"];
const QUOTA_ENDINGS: &[&str] = &["_spend_limit_exceeded", "_usage_limit_exceeded"];

/// Why a call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Upstream {
    /// What was paid for is used up.
    Quota,
    /// Too fast; perhaps the server said how long to wait.
    TooFast(Option<Duration>),
    /// It does not take the key.
    Auth,
    /// It does not take the request: another model, too long.
    BadRequest,
    /// It failed, was not reached, took too long, or answered nothing that can be read.
    Unavailable,
    /// Our own breaker: it kept failing. Not to be tried again now.
    Resting,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub text: String,
    /// Tokens, as the server counted them; `None` when it did not.
    pub tokens: Option<i64>,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    total_tokens: i64,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Part>,
    #[serde(default)]
    usage: Option<Tokens>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    delta: Option<Said>,
}

/// The stack for calls of an account. Errors: why it can never be called.
pub(super) fn stack(engine: &Engine, access: &Access) -> Result<ProviderHttp, Upstream> {
    let timeout = Duration::from_millis(u64::try_from(access.settings.timeout_ms).unwrap_or(20_000));
    let settings = ProviderSettings {
        timeout,
        download_timeout: timeout,
        max_response_bytes: MAX_ANSWER_BYTES,
        addresses: policy(engine),
        ..ProviderSettings::new("language_model", access.base_url.clone())
    };
    ProviderHttp::new(settings).map_err(|_| Upstream::Unavailable)
}

/// Asks for drafts. `plain`: without what some servers do not know.
pub(super) async fn complete(
    http: &ProviderHttp,
    access: &Access,
    prompt: &Prompt,
    drafts: usize,
    plain: bool,
    within: Duration,
) -> Result<Written, Upstream> {
    let body = body(access, prompt, drafts, plain, false);
    let request = request(http, access, &body).timeout(within);
    let answer =
        http.send(CallLabel::new("drafts", "complete"), request).await.map_err(|error| meaning(&error))?;
    let completion: Completion = serde_json::from_slice(&answer.body).map_err(|_| Upstream::Unavailable)?;
    let text = completion.choices.into_iter().next().and_then(|choice| choice.message.content);
    let text = text.filter(|text| !text.trim().is_empty()).ok_or(Upstream::Unavailable)?;
    Ok(Written { text, tokens: completion.usage.map(|usage| usage.total_tokens) })
}

/// Asks for one draft in pieces, which go to `pieces`. It ends when nobody takes them any more.
///
/// Errors: also when the stream ended before it said that it was done.
pub(super) async fn stream(
    http: &ProviderHttp,
    access: &Access,
    prompt: &Prompt,
    pieces: mpsc::Sender<String>,
) -> Result<Written, Upstream> {
    let body = body(access, prompt, 1, false, true);
    let (mut sink, source) = tokio::io::duplex(16 * 1024);
    let limits = DownloadLimits::bytes(MAX_ANSWER_BYTES);
    let calling = async {
        let called = http
            .download(CallLabel::new("drafts", "stream"), request(http, access, &body), limits, &mut sink)
            .await;
        drop(sink);
        called
    };
    let (called, heard) = tokio::join!(calling, hear(source, pieces));
    match called {
        Err(error) if !matches!(error, CallError::Write(_)) => Err(meaning(&error)),
        _ => heard,
    }
}

async fn hear(source: tokio::io::DuplexStream, pieces: mpsc::Sender<String>) -> Result<Written, Upstream> {
    let mut reader = BufReader::new(source);
    let mut written = Written { text: String::new(), tokens: None };
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line).await {
            Ok(0) | Err(_) => return Err(Upstream::Unavailable),
            Ok(length) if length > MAX_LINE_BYTES => return Err(Upstream::Unavailable),
            Ok(_) => {}
        }
        let Some(data) = line.trim_end().strip_prefix("data:").map(str::trim) else { continue };
        if data == "[DONE]" {
            return if written.text.trim().is_empty() { Err(Upstream::Unavailable) } else { Ok(written) };
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| Upstream::Unavailable)?;
        if chunk.error.is_some() {
            return Err(Upstream::Unavailable);
        }
        if let Some(usage) = chunk.usage {
            written.tokens = Some(usage.total_tokens);
        }
        let piece =
            chunk.choices.into_iter().next().and_then(|part| part.delta).and_then(|said| said.content);
        if let Some(piece) = piece.filter(|piece| !piece.is_empty()) {
            written.text.push_str(&piece);
            if pieces.send(piece).await.is_err() {
                return Err(Upstream::Unavailable);
            }
        }
    }
}

fn body(access: &Access, prompt: &Prompt, drafts: usize, plain: bool, streamed: bool) -> Value {
    let mut body = json!({
        "model": access.settings.model,
        "messages": [
            { "role": "system", "content": prompt.system },
            { "role": "user", "content": prompt.user },
        ],
    });
    if !plain {
        body["temperature"] = json!(0.4);
        body["max_tokens"] = json!(TOKENS_OF_A_DRAFT * drafts.max(1));
    }
    if streamed {
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
    }
    body
}

fn request(http: &ProviderHttp, access: &Access, body: &Value) -> reqwest::RequestBuilder {
    let url: Url = http.url(["chat", "completions"]);
    let request = http.request(reqwest::Method::POST, url).json(body);
    match &access.key {
        Some(key) => request.bearer_auth(key.expose_secret()),
        None => request,
    }
}

/// What it takes at most, before anybody counted.
pub(super) fn estimate(prompt: &Prompt, drafts: usize) -> i64 {
    let sent = prompt.system.chars().count() + prompt.user.chars().count();
    i64::try_from(sent / CHARACTERS_OF_A_TOKEN + TOKENS_OF_A_DRAFT * drafts.max(1)).unwrap_or(i64::MAX)
}

/// What it took, where nobody counted.
pub(super) fn estimate_used(prompt: &Prompt, text: &str) -> i64 {
    let all = prompt.system.chars().count() + prompt.user.chars().count() + text.chars().count();
    i64::try_from(all.div_ceil(CHARACTERS_OF_A_TOKEN)).unwrap_or(i64::MAX)
}

fn meaning(error: &CallError) -> Upstream {
    match error {
        CallError::Status(answer) => meaning_of_status(answer, error.retry_after()),
        CallError::NotSent(NotSent::BreakerOpen { .. }) => Upstream::Resting,
        _ => Upstream::Unavailable,
    }
}

fn meaning_of_status(answer: &StatusAnswer, retry_after: Option<Duration>) -> Upstream {
    match answer.status.as_u16() {
        402 => Upstream::Quota,
        429 if says_quota(&answer.body) => Upstream::Quota,
        429 => Upstream::TooFast(retry_after),
        401 | 403 => Upstream::Auth,
        400 | 404 | 413 | 422 => Upstream::BadRequest,
        _ => Upstream::Unavailable,
    }
}

fn says_quota(body: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    let word = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_ascii_lowercase);
    [word("/error/type"), word("/error/code"), word("/code"), word("/type")].into_iter().flatten().any(
        |word| {
            QUOTA_WORDS.contains(&word.as_str()) || QUOTA_ENDINGS.iter().any(|ending| word.ends_with(ending))
        },
    )
}

/// The drafts in what was written: a JSON list of texts, perhaps within an object or a fence.
pub(super) fn drafts(text: &str) -> Option<Vec<String>> {
    let list = |text: &str| -> Option<Vec<String>> {
        let value: Value = serde_json::from_str(text.trim()).ok()?;
        let items = match &value {
            Value::Array(items) => items,
            Value::Object(fields) => fields.values().find_map(Value::as_array)?,
            _ => return None,
        };
        items
            .iter()
            .map(|item| item.as_str().or_else(|| item.get("text")?.as_str()).map(str::to_owned))
            .collect()
    };
    let within = |open: char, close: char| {
        text.find(open).zip(text.rfind(close)).and_then(|(from, to)| text.get(from..=to))
    };
    list(text)
        .or_else(|| within('[', ']').and_then(list))
        .or_else(|| within('{', '}').and_then(list))
        .filter(|drafts| !drafts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_found_however_they_are_wrapped() {
        let expected = Some(vec!["a b".to_owned(), "c".to_owned()]);
        for text in [
            r#"["a b","c"]"#,
            "```json\n[\"a b\", \"c\"]\n```",
            r#"{"replies":["a b","c"]}"#,
            r#"Sure: ["a b","c"] Bye"#,
            r#"[{"text":"a b"},{"text":"c"}]"#,
        ] {
            assert_eq!(drafts(text), expected, "{text}");
        }
        for text in ["", "[]", "hello", "[1,2]", "{\"a\":1}"] {
            assert_eq!(drafts(text), None, "{text}");
        }
    }

    #[test]
    fn a_used_up_allowance_is_told_from_being_too_fast() {
        let says = |body: &str| says_quota(body.as_bytes());
        assert!(says(r#"{"error":{"type":"insufficient_quota","code":null}}"#));
        assert!(says(r#"{"error":{"type":"x","code":"credit_balance_exhausted"}}"#));
        assert!(says(r#"{"error":{"code":"monthly_spend_limit_exceeded"}}"#));
        assert!(says(r#"{"error":{"code":"org_usage_limit_exceeded"}}"#));
        assert!(!says(r#"{"error":{"type":"rate_limit_exceeded"}}"#) && !says("slow down"));
    }
}
