//! The answers that refuse: one component each, which the operations refer to.

use serde_json::{Map, Value, json};

use crate::error::{ApiError, ErrorCode};

/// An answer many operations can give.
pub(super) struct Refusal {
    /// `404`.
    pub status: &'static str,
    /// Its name among the components.
    pub name: &'static str,
    description: &'static str,
    example: fn() -> ApiError,
    headers: &'static [Header],
}

/// A header of an answer.
#[derive(Clone, Copy)]
pub(super) struct Header {
    name: &'static str,
    description: &'static str,
    kind: &'static str,
    /// Whether every answer of this status carries it.
    always: bool,
}

const RETRY_AFTER: Header = Header {
    name: "Retry-After",
    description: "Seconds to wait; the same as `retry_after`.",
    kind: "integer",
    always: true,
};

/// What tells a client how many requests it has left.
pub(super) const RATE: [Header; 3] = [
    Header {
        name: "X-RateLimit-Limit",
        description: "Requests allowed in a minute.",
        kind: "integer",
        always: true,
    },
    Header {
        name: "X-RateLimit-Remaining",
        description: "Requests left in this minute.",
        kind: "integer",
        always: true,
    },
    Header {
        name: "X-RateLimit-Reset",
        description: "When the count starts again, in seconds since 1970.",
        kind: "integer",
        always: true,
    },
];

const WHO_ARE_YOU: Header = Header {
    name: "WWW-Authenticate",
    description: "`Bearer`: an API token is taken.",
    kind: "string",
    always: true,
};

/// The request cannot be read.
pub(super) const UNREADABLE: Refusal = Refusal {
    status: "400",
    name: "BadRequest",
    description: "The address or the body cannot be read.",
    example: || ApiError::new(ErrorCode::BadRequest, "The body is not JSON: line 1, column 14."),
    headers: &[],
};
/// Nobody is signed in.
pub(super) const UNAUTHENTICATED: Refusal = Refusal {
    status: "401",
    name: "Unauthenticated",
    description: "Not signed in, or the token no longer holds.",
    example: || ApiError::new(ErrorCode::InvalidToken, "Unauthenticated."),
    headers: &[WHO_ARE_YOU],
};
/// The signature of an application is wrong.
pub(super) const UNSIGNED: Refusal = Refusal {
    status: "401",
    name: "Unsigned",
    description: "The request is not signed by the application, or too old.",
    example: || ApiError::new(ErrorCode::InvalidSignature, "The signature does not match the request."),
    headers: &[],
};
/// The caller may not do this.
pub(super) const FORBIDDEN: Refusal = Refusal {
    status: "403",
    name: "Forbidden",
    description: "The user or token may not do this.",
    example: || ApiError::new(ErrorCode::Unauthorized, "This user or token may not do this."),
    headers: &[],
};
/// There is no such thing.
pub(super) const NOT_FOUND: Refusal = Refusal {
    status: "404",
    name: "NotFound",
    description: "There is no such thing in this account.",
    example: || ApiError::not_found("conversation"),
    headers: &[],
};
/// The body is too large.
pub(super) const TOO_LARGE: Refusal = Refusal {
    status: "413",
    name: "TooLarge",
    description: "The body is too large.",
    example: crate::input::too_large,
    headers: &[],
};
/// The body is of another type.
pub(super) const WRONG_TYPE: Refusal = Refusal {
    status: "415",
    name: "WrongType",
    description: "The body is of another type.",
    example: || {
        let sentence = "The body must be JSON, with the header Content-Type: application/json.";
        ApiError::new(ErrorCode::UnsupportedMediaType, sentence)
    },
    headers: &[],
};
/// A field is wrong.
pub(super) const INVALID: Refusal = Refusal {
    status: "422",
    name: "Invalid",
    description: "A field is wrong; `errors` tells which.",
    example: || ApiError::invalid("name", "The name field is required."),
    headers: &[],
};
/// Too many requests of one user.
pub(super) const RATE_LIMITED: Refusal = Refusal {
    status: "429",
    name: "RateLimited",
    description: "Too many requests; `retry_after` tells how long to wait.",
    example: || ApiError::rate_limited("Too Many Requests", 21),
    headers: &[RETRY_AFTER, RATE[0], RATE[1], RATE[2]],
};
/// Too many attempts to sign in.
pub(super) const TOO_MANY_ATTEMPTS: Refusal = Refusal {
    status: "429",
    name: "TooManyAttempts",
    description: "Too many attempts to sign in; `retry_after` tells how long to wait.",
    example: || ApiError::rate_limited("Too many attempts. Try again later.", 60),
    headers: &[RETRY_AFTER],
};
/// Our fault.
pub(super) const FAILED: Refusal = Refusal {
    status: "500",
    name: "Failed",
    description: "Our fault; it was logged.",
    example: || ApiError::internal("for the description"),
    headers: &[],
};
/// The database is away.
pub(super) const UNAVAILABLE: Refusal = Refusal {
    status: "503",
    name: "Unavailable",
    description: "The database cannot be used at the moment. Nothing was lost; try again.",
    example: || {
        let sentence = "The database cannot be used at the moment. Nothing was lost; try again.";
        ApiError::new(ErrorCode::StorageUnavailable, sentence).with_retry_after(5)
    },
    headers: &[RETRY_AFTER],
};

const ALL: [Refusal; 12] = [
    UNREADABLE,
    UNAUTHENTICATED,
    UNSIGNED,
    FORBIDDEN,
    NOT_FOUND,
    TOO_LARGE,
    WRONG_TYPE,
    INVALID,
    RATE_LIMITED,
    TOO_MANY_ATTEMPTS,
    FAILED,
    UNAVAILABLE,
];

impl Refusal {
    /// What an operation refers to it by.
    pub(super) fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/responses/{}", self.name) })
    }
}

/// The components.
pub(super) fn components() -> Value {
    let described = ALL.iter().map(|refusal| {
        let content = json!({ "application/json": {
            "schema": { "$ref": "#/components/schemas/Error" },
            "example": (refusal.example)().into_body(),
        } });
        let mut response = json!({ "description": refusal.description, "content": content });
        if !refusal.headers.is_empty() {
            response["headers"] = headers(refusal.headers);
        }
        (refusal.name.to_owned(), response)
    });
    Value::Object(described.collect::<Map<_, _>>())
}

/// Headers as an answer lists them.
pub(super) fn headers(headers: &[Header]) -> Value {
    let described = headers.iter().map(|header| {
        let schema = json!({ "type": header.kind });
        let described =
            json!({ "description": header.description, "required": header.always, "schema": schema });
        (header.name.to_owned(), described)
    });
    Value::Object(described.collect::<Map<_, _>>())
}
