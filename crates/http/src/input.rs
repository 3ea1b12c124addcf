//! Extractors for what clients send, whose refusals have our shape.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::{ApiError, ErrorCode};

/// A JSON body.
///
/// Errors: 415 when it is not declared as JSON, 413 when too large, 400 when it is no JSON at all, 422 naming the field
/// when it is JSON of another shape.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        if !is_json(declared) {
            return Err(undeclared());
        }
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        parse_json(&body).map(Self)
    }
}

/// A JSON body that may be left out: nothing is as `{}`. Errors as [`JsonBody`].
pub struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let is_declared = is_json(declared);
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if body.is_empty() {
            return parse_json(b"{}").map(Self);
        }
        if !is_declared {
            return Err(undeclared());
        }
        parse_json(&body).map(Self)
    }
}

fn undeclared() -> ApiError {
    let sentence = "The body must be JSON, with the header Content-Type: application/json.";
    ApiError::new(ErrorCode::UnsupportedMediaType, sentence)
}

/// Reads JSON; errors as [`JsonBody`].
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|error| not_json(&error))?;
        return Err(ApiError::invalid("body", "The body must be an object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = field_name(&error.path().to_string());
        let inner = error.into_inner();
        match inner.classify() {
            Category::Data => {
                let message = inner.to_string();
                wrong_field(&field, message.split(" at line ").next().unwrap_or(&message))
            }
            Category::Syntax | Category::Eof | Category::Io => not_json(&inner),
        }
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    refuse_nul(body)?;
    Ok(value)
}

/// Query parameters. Errors: 422 naming the parameter.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or("").as_bytes();
        let nul = url::form_urlencoded::parse(query).find(|(_, value)| value.contains('\0'));
        if let Some((name, _)) = nul {
            return Err(wrong_field(&name, "it contains a NUL character"));
        }
        let reader = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query));
        let value = serde_path_to_error::deserialize(reader).map_err(|error| {
            let field = field_name(&error.path().to_string());
            wrong_field(&field, &error.into_inner().to_string())
        })?;
        Ok(Self(value))
    }
}

/// Ids in the path. Errors: 400 when one is no number.
pub struct Ids<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Ids<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(ApiError::new(ErrorCode::BadRequest, "The id in the address must be a number.")),
        }
    }
}

/// A word in the path. Errors: 400 when it is no text.
pub struct Word(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Word {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(word)) if !word.contains('\0') => Ok(Self(word)),
            _ => Err(ApiError::new(ErrorCode::BadRequest, "The name in the address must be text.")),
        }
    }
}

/// What became of a body that could not be read to its end.
pub fn unreadable(rejection: BytesRejection) -> ApiError {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(),
        _ => ApiError::new(ErrorCode::BadRequest, "The body ended before it was complete."),
    }
}

/// The body is larger than this route takes.
pub fn too_large() -> ApiError {
    ApiError::new(ErrorCode::PayloadTooLarge, "The body is larger than this address takes.")
}

/// True for every name of JSON.
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn not_json(error: &serde_json::Error) -> ApiError {
    let sentence = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
    ApiError::new(ErrorCode::BadRequest, sentence)
}

/// PostgreSQL cannot keep NUL in text, and nobody means it. In JSON it can only stand as an escape.
fn refuse_nul(body: &[u8]) -> Result<(), ApiError> {
    const ESCAPE: &[u8] = b"\\u0000";
    if !body.windows(ESCAPE.len()).any(|w| w == ESCAPE) {
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|e| not_json(&e))?;
    match find_nul(&value, "") {
        Some(field) => Err(wrong_field(&field, "it contains a NUL character")),
        None => Ok(()), // an escaped backslash before `u0000`
    }
}

fn find_nul(value: &serde_json::Value, path: &str) -> Option<String> {
    use serde_json::Value;
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::String(text) if text.contains('\0') => Some(path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, item)| find_nul(item, &below(&i.to_string())))
        }
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            if key.contains('\0') { Some(path.to_owned()) } else { find_nul(item, &below(key)) }
        }),
        _ => None,
    }
}

/// `abilities[0]` as `abilities.0`; the body itself has no name.
fn field_name(path: &str) -> String {
    match path {
        "." | "?" => String::new(),
        _ => path.replace('[', ".").replace(']', ""),
    }
}

/// Turns serde's complaint into a sentence about a field.
fn wrong_field(field: &str, complaint: &str) -> ApiError {
    let quoted = |prefix: &str| {
        let rest = complaint.strip_prefix(prefix)?.strip_prefix('`')?;
        rest.split('`').next().map(|name| match field {
            "" => name.to_owned(),
            _ if field == name || field.ends_with(&format!(".{name}")) => field.to_owned(),
            _ => format!("{field}.{name}"),
        })
    };
    if let Some(name) = quoted("missing field ") {
        return ApiError::invalid(&name, format!("The {name} field is required."));
    }
    if let Some(name) = quoted("unknown field ") {
        return ApiError::invalid(&name, format!("The {name} field is not known here."));
    }
    let field = if field.is_empty() { "body" } else { field };
    if complaint.starts_with("unknown variant ") {
        return ApiError::invalid(field, format!("The selected {field} is invalid."));
    }
    match complaint.split_once(", expected ") {
        Some(("invalid type: null", _)) => {
            ApiError::invalid(field, format!("The {field} field is required."))
        }
        Some((_, expected)) => {
            ApiError::invalid(field, format!("The {field} field must be {}.", in_words(expected)))
        }
        None => ApiError::invalid(field, format!("The {field} field is invalid: {complaint}.")),
    }
}

/// What serde expected, without the names of our types.
fn in_words(expected: &str) -> &str {
    match expected.split(' ').next().unwrap_or(expected) {
        "i8" | "i16" | "i32" | "i64" => "an integer",
        "u8" | "u16" | "u32" | "u64" | "usize" => "an integer of at least 0",
        "f32" | "f64" => "a number",
        "struct" => "an object",
        _ => match expected {
            "a sequence" => "a list",
            "a map" => "an object",
            other => other,
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Body {
        name: String,
        role: Option<frontdesk_model::user::Role>,
        #[serde(default)]
        numbers: Vec<i64>,
    }

    async fn refusal(body: &str) -> (u16, serde_json::Value) {
        let response = parse_json::<Body>(body.as_bytes()).expect_err("refused").into_response();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn wrong_json_is_told_by_field() {
        for (body, field, sentence) in [
            ("{}", "name", "The name field is required."),
            (r#"{"name":null}"#, "name", "The name field is required."),
            (r#"{"name":7}"#, "name", "The name field must be a string."),
            (r#"{"name":"A","role":"boss"}"#, "role", "The selected role is invalid."),
            (r#"{"name":"A","numbers":[1,"x"]}"#, "numbers.1", "The numbers.1 field must be an integer."),
            (r#"{"name":"A","numbers":{}}"#, "numbers", "The numbers field must be a list."),
            ("[]", "body", "The body must be an object."),
            ("7", "body", "The body must be an object."),
            (r#"{"name":"a\u0000b"}"#, "name", "The name field is invalid: it contains a NUL character."),
        ] {
            let (status, json) = refusal(body).await;
            assert_eq!((status, json["code"].as_str()), (422, Some("VALIDATION_ERROR")), "{body}");
            assert_eq!(json["message"], "The given data was invalid.");
            assert_eq!(json["errors"][field][0], sentence, "{body}: {json}");
        }
    }

    #[tokio::test]
    async fn what_is_no_json_is_a_bad_request() {
        let deep = "[".repeat(10_000);
        for body in ["", "{", "{\"name\":\"A\"} x", "nonsense", "{\"name\":\"\\ud800\"}", &deep] {
            let (status, json) = refusal(body).await;
            assert_eq!((status, json["code"].as_str()), (400, Some("BAD_REQUEST")), "{body}");
        }
    }

    #[test]
    fn an_escaped_backslash_is_no_nul() {
        assert_eq!(parse_json::<Body>(br#"{"name":"a\\u0000b"}"#).unwrap().name, r"a\u0000b");
    }

    #[test]
    fn json_may_be_declared_in_several_ways() {
        assert!(is_json("application/json"));
        assert!(is_json("Application/JSON; charset=utf-8"));
        assert!(is_json("application/vnd.api+json"));
        assert!(!is_json("text/plain") && !is_json("") && !is_json("application/jsonp"));
    }
}
