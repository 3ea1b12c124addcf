//! Graph API error objects and the codes that the fake knows.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refused Graph call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError {
    /// HTTP status of the answer.
    pub http_status: u16,
    /// Meta's error code.
    pub code: i64,
    /// Subcode, mostly Messenger's and Instagram's.
    pub subcode: Option<i64>,
    /// Sentence without the `(#code)` that WhatsApp puts before it.
    pub message: String,
    /// WhatsApp's `error_data.details`.
    pub details: Option<String>,
}

/// What Meta says of one code: HTTP status, title, default details.
struct CodeText(i64, u16, &'static str, &'static str);

const CODES: &[CodeText] = &[
    CodeText(1, 500, "An unknown error occurred", "An unknown error occurred"),
    CodeText(2, 503, "Service temporarily unavailable", "Service temporarily unavailable"),
    CodeText(4, 400, "Application request limit reached", "Too many calls by the app"),
    CodeText(10, 403, "Application does not have permission for this action", "Permission is missing"),
    CodeText(33, 400, "Parameter value is not valid", "The business phone number has been deleted"),
    CodeText(100, 400, "Invalid parameter", "Invalid parameter"),
    CodeText(190, 401, "Authentication Error", "The access token is invalid or has expired"),
    CodeText(368, 403, "Temporarily blocked for policies violations", "The account was restricted"),
    CodeText(551, 400, "This person isn't available right now.", "This person isn't available right now."),
    CodeText(613, 400, "Calls to this api have exceeded the rate limit.", "Rate limit"),
    CodeText(80007, 400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit"),
    CodeText(130_429, 429, "Rate limit hit", "Cloud API message throughput has been reached"),
    CodeText(
        130_472,
        400,
        "User's number is part of an experiment",
        "Message was not sent as part of an experiment",
    ),
    CodeText(131_000, 500, "Something went wrong", "Message failed to send due to an unknown error"),
    CodeText(131_005, 403, "Access denied", "Permission is either not granted or has been removed"),
    CodeText(131_008, 400, "Required parameter is missing", "The request is missing a required parameter"),
    CodeText(131_009, 400, "Parameter value is not valid", "One or more parameter values are invalid"),
    CodeText(131_016, 500, "Service unavailable", "A service is temporarily unavailable"),
    CodeText(131_021, 400, "Recipient cannot be sender", "Sender and recipient phone number is the same"),
    CodeText(131_026, 400, "Message undeliverable", "Unable to deliver message."),
    CodeText(
        131_030,
        400,
        "Recipient phone number not in allowed list",
        "Add the recipient phone number to the allowed list and try again.",
    ),
    CodeText(131_031, 403, "Account has been locked", "The account was restricted or disabled"),
    CodeText(
        131_042,
        400,
        "Business eligibility payment issue",
        "There was an error related to the payment method",
    ),
    CodeText(
        131_047,
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    CodeText(
        131_048,
        400,
        "Spam rate limit hit",
        "Message failed to send because there are restrictions on how many messages can be sent from this phone number.",
    ),
    CodeText(
        131_049,
        400,
        "Meta chose not to deliver",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    CodeText(131_051, 400, "Unsupported message type", "Unsupported message type"),
    CodeText(131_052, 400, "Media download error", "Unable to download the media sent by the user"),
    CodeText(131_053, 400, "Media upload error", "Unable to upload the media used in the message"),
    CodeText(
        131_056,
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.",
    ),
    CodeText(
        131_057,
        503,
        "Business account is in maintenance mode",
        "The business account is in maintenance mode",
    ),
    CodeText(
        132_000,
        400,
        "Number of parameters does not match the expected number of params",
        "The number of variable parameter values does not match the template",
    ),
    CodeText(
        132_001,
        404,
        "Template name does not exist in the translation",
        "The template does not exist in the specified language or has not been approved",
    ),
    CodeText(
        132_012,
        400,
        "Parameter format does not match format in the created template",
        "The variable parameter values are formatted incorrectly",
    ),
    CodeText(
        132_015,
        400,
        "Template is paused",
        "Template is paused due to low quality so it cannot be sent",
    ),
    CodeText(
        132_016,
        400,
        "Template is disabled",
        "Template has been paused too many times and is now permanently disabled",
    ),
    CodeText(133_010, 400, "Account not registered", "The phone number is not registered on the Cloud API"),
    CodeText(
        135_000,
        400,
        "Generic user error",
        "Message failed to send because of an unknown error with the request parameters",
    ),
];

impl GraphError {
    /// The error of this code in Meta's own words.
    #[must_use]
    pub fn of_code(code: i64) -> Self {
        let known = CODES.iter().find(|text| text.0 == code);
        let (http_status, title, details) =
            known.map_or((400, "Unknown error", "Unknown error"), |text| (text.1, text.2, text.3));
        let whatsapp = code >= 80_000;
        Self {
            http_status,
            code,
            subcode: None,
            message: title.to_owned(),
            details: whatsapp.then(|| details.to_owned()),
        }
    }

    /// 100, `Invalid parameter`, with this sentence.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::of_code(100) }
    }

    /// 100: a top-level parameter is missing.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::parameter(format!("The parameter {name} is required."))
    }

    /// 131008: a field of a message is missing.
    pub fn required(details: impl Into<String>) -> Self {
        Self::of_code(131_008).with_details(details)
    }

    /// 131009: a field of a message is invalid.
    pub fn invalid(details: impl Into<String>) -> Self {
        Self::of_code(131_009).with_details(details)
    }

    /// 100/33: nothing has this id, or it has no such edge.
    #[must_use]
    pub fn unknown_object(method: &str, id: &str) -> Self {
        let verb = method.to_ascii_lowercase();
        let message = format!(
            "Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation."
        );
        Self::parameter(message).with_subcode(33)
    }

    /// Replaces the details.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Sets the subcode.
    #[must_use]
    pub fn with_subcode(mut self, subcode: i64) -> Self {
        self.subcode = Some(subcode);
        self
    }

    /// Replaces the sentence.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    /// The `error` object. `trace_id` is Meta's `fbtrace_id`.
    #[must_use]
    pub fn body(&self, trace_id: &str) -> Value {
        let unprefixed = matches!(self.code, 190 | 2500) || self.subcode == Some(33);
        let message =
            if unprefixed { self.message.clone() } else { format!("(#{}) {}", self.code, self.message) };
        let mut error =
            json!({"message": message, "type": "OAuthException", "code": self.code, "fbtrace_id": trace_id});
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        if matches!(self.code, 1 | 2 | 131_000 | 131_016) {
            error["is_transient"] = json!(true);
        }
        json!({ "error": error })
    }

    /// The item of `errors` in a failed status.
    #[must_use]
    pub fn status_item(&self) -> Value {
        json!({
            "code": self.code,
            "title": self.message,
            "message": self.message,
            "error_data": {"details": self.details.as_deref().unwrap_or(&self.message)},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        })
    }

    /// The HTTP answer.
    #[must_use]
    pub fn answer(&self, trace_id: &str) -> Response {
        let status = StatusCode::from_u16(self.http_status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(self.body(trace_id))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_object_is_metas() {
        let body = GraphError::of_code(131_047).body("A1");
        assert_eq!(body["error"]["message"], "(#131047) Re-engagement message");
        assert_eq!(body["error"]["type"], "OAuthException");
        assert_eq!(body["error"]["error_data"]["messaging_product"], "whatsapp");
        let unknown = GraphError::unknown_object("GET", "12").body("A1");
        assert_eq!(unknown["error"]["error_subcode"], 33);
        assert!(unknown["error"].get("error_data").is_none());
    }
}
