//! What a call to the Graph API can end in.

use std::{collections::HashMap, time::Duration};

use frontdesk_provider_http::retry::LONGEST_WAIT;
use frontdesk_provider_http::{CallError, StatusAnswer};
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::webhook::{tolerant, whatsapp::ErrorNotice};

/// A call that did not do what was asked. What to do next: [`crate::decision::decide`].
#[derive(Debug, thiserror::Error)]
pub enum GraphCallError {
    /// Meta refused, and said why.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Anything below: no connection, no answer, an answer that is not Meta's.
    #[error(transparent)]
    Http(CallError),
    /// A media address on a host that is not Meta's; it was not called, so no token went there.
    #[error("the media address is not on one of Meta's hosts")]
    ForeignHost,
}

/// An error object of the Graph API.
///
/// Decide on `code`, not on the status: throttles come as 400 as well as 429. `Display` shows codes
/// only; [`GraphError::details`] is Meta's sentence for people and may quote what was sent.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("Meta refused: code {code}{}", .subcode.map(|subcode| format!("/{subcode}")).unwrap_or_default())]
pub struct GraphError {
    /// What happened.
    pub code: i64,
    /// More exactly.
    pub subcode: Option<i64>,
    /// Meta's sentence.
    pub message: String,
    /// `error_data.details` or `error_user_msg`: a better sentence, if there is one.
    pub explanation: Option<String>,
    /// Meta thinks that the same call may succeed later.
    pub is_transient: bool,
    /// Meta's own reference, for its support.
    pub fbtrace_id: Option<String>,
    /// 0 when it came in a webhook.
    pub http_status: u16,
    /// When to try again, from `Retry-After` or the usage headers.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Debug for GraphError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphError")
            .field("code", &self.code)
            .field("subcode", &self.subcode)
            .field("is_transient", &self.is_transient)
            .field("fbtrace_id", &self.fbtrace_id)
            .field("http_status", &self.http_status)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Deserialize)]
struct ErrorObject {
    #[serde(deserialize_with = "tolerant::number")]
    code: i64,
    #[serde(default, deserialize_with = "tolerant::optional_number")]
    error_subcode: Option<i64>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    message: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    error_user_msg: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    is_transient: Option<bool>,
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    fbtrace_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::optional")]
    error_data: Option<ErrorDetails>,
}

#[derive(Deserialize)]
struct ErrorDetails {
    #[serde(default, deserialize_with = "tolerant::optional")]
    details: Option<String>,
}

impl GraphError {
    /// An error by its code alone.
    pub fn from_code(code: i64, subcode: Option<i64>) -> Self {
        Self {
            code,
            subcode,
            message: String::new(),
            explanation: None,
            is_transient: false,
            fbtrace_id: None,
            http_status: 0,
            retry_after: None,
        }
    }

    /// Meta's most telling sentence, for the person who reads why a message failed.
    pub fn details(&self) -> &str {
        self.explanation.as_deref().unwrap_or(&self.message)
    }

    /// The error object of an answer; `None` if the answer is not Meta's.
    pub fn read(answer: &StatusAnswer) -> Option<Self> {
        let error = serde_json::from_slice::<ErrorBody>(&answer.body).ok()?.error;
        let asked = frontdesk_provider_http::retry::retry_after(&answer.headers);
        Some(Self {
            code: error.code,
            subcode: error.error_subcode,
            message: error.message.unwrap_or_default(),
            explanation: error.error_data.and_then(|data| data.details).or(error.error_user_msg),
            is_transient: error.is_transient.unwrap_or(false),
            fbtrace_id: error.fbtrace_id,
            http_status: answer.status.as_u16(),
            retry_after: asked.max(Usage::read(&answer.headers).regain_after),
        })
    }
}

/// The same codes come later in failed statuses.
impl From<&ErrorNotice> for GraphError {
    fn from(notice: &ErrorNotice) -> Self {
        Self {
            message: notice.message.clone().or_else(|| notice.title.clone()).unwrap_or_default(),
            explanation: notice.details().map(str::to_owned),
            ..Self::from_code(notice.code, None)
        }
    }
}

impl From<CallError> for GraphCallError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Status(answer) => match GraphError::read(answer) {
                Some(refusal) => Self::Graph(refusal),
                None => Self::Http(error),
            },
            _ => Self::Http(error),
        }
    }
}

/// How much of the allowed calls is used up, from `X-App-Usage`, `X-Page-Usage` and
/// `X-Business-Use-Case-Usage`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The highest figure, in percent; at 100 Meta throttles.
    pub percent: Option<u32>,
    /// How long Meta will refuse, if it does already.
    pub regain_after: Option<Duration>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct UsageFigures {
    call_count: f64,
    total_cputime: f64,
    total_time: f64,
    estimated_time_to_regain_access: u64,
}

impl Usage {
    /// Reads the headers; what cannot be read counts as absent.
    pub fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut figures: Vec<UsageFigures> = ["x-app-usage", "x-page-usage"]
            .into_iter()
            .filter_map(|name| serde_json::from_str(text(name)).ok())
            .collect();
        let by_account: Option<HashMap<String, Vec<UsageFigures>>> =
            serde_json::from_str(text("x-business-use-case-usage")).ok();
        figures.extend(by_account.into_iter().flat_map(HashMap::into_values).flatten());
        let percent = figures
            .iter()
            .map(|figure| figure.call_count.max(figure.total_cputime).max(figure.total_time))
            .map(whole_percent)
            .max();
        let minutes = figures.iter().map(|figure| figure.estimated_time_to_regain_access).max();
        let regain_after =
            minutes.filter(|minutes| *minutes > 0).map(|m| Duration::from_secs(m.saturating_mul(60)));
        let regain_after = regain_after.map(|wait| wait.min(LONGEST_WAIT));
        Self { percent, regain_after }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
fn whole_percent(percent: f64) -> u32 {
    percent.clamp(0.0, 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::{StatusCode, header::HeaderValue};

    fn answer(body: &'static str, headers: &[(&'static str, &'static str)]) -> StatusAnswer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        StatusAnswer { status: StatusCode::BAD_REQUEST, headers: map, body: body.into() }
    }

    #[test]
    fn an_error_object_is_read_whole() {
        let body = r##"{"error":{"message":"(#131047) Re-engagement message","type":"OAuthException","code":131047,
            "error_subcode":"2494055","is_transient":true,"fbtrace_id":"Az8","error_data":{"details":"24 hours"}}}"##;
        let error = GraphError::read(&answer(body, &[("retry-after", "7")])).unwrap();
        assert_eq!((error.code, error.subcode, error.is_transient), (131_047, Some(2_494_055), true));
        assert_eq!((error.details(), error.fbtrace_id.as_deref()), ("24 hours", Some("Az8")));
        assert_eq!((error.http_status, error.retry_after), (400, Some(Duration::from_secs(7))));
        assert_eq!(error.to_string(), "Meta refused: code 131047/2494055");
        assert!(!format!("{error:?}").contains("24 hours"));
    }

    #[test]
    fn an_answer_that_is_not_metas_is_no_graph_error() {
        for body in ["", "<html>", "{}", r#"{"error":"x"}"#, r#"{"error":{"message":"x"}}"#] {
            assert_eq!(GraphError::read(&answer(body, &[])), None, "{body}");
        }
    }

    #[test]
    fn usage_headers_tell_how_full_and_how_long() {
        let buc = r#"{"1":[{"type":"messages","call_count":28,"total_cputime":100.4,"total_time":5,"estimated_time_to_regain_access":19}],"2":[{}]}"#;
        let full = answer("", &[("x-business-use-case-usage", buc), ("x-app-usage", r#"{"call_count":3}"#)]);
        let usage = Usage::read(&full.headers);
        assert_eq!(usage, Usage { percent: Some(100), regain_after: Some(Duration::from_secs(19 * 60)) });
        let page = answer("", &[("x-page-usage", r#"{"call_count":12,"total_time":40}"#)]);
        assert_eq!(Usage::read(&page.headers), Usage { percent: Some(40), regain_after: None });
        let for_ever = answer("", &[("x-app-usage", r#"{"estimated_time_to_regain_access":99999999999}"#)]);
        assert_eq!(Usage::read(&for_ever.headers).regain_after, Some(LONGEST_WAIT));
        let rubbish = answer("", &[("x-app-usage", "full")]);
        assert_eq!(Usage::read(&rubbish.headers), Usage::default());
    }
}
