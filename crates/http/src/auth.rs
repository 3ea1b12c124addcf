//! Who makes a request: a bearer token or the cookie of the page.
//!
//! A handler states who may call it by the extractor it takes: [`SignedIn`], [`InboxReader`], [`InboxWriter`],
//! [`AccountHolder`] or [`AdminUser`]; one that takes none is public.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use frontdesk_engine::caller::Caller;
use frontdesk_engine::{sessions, tokens, web_tokens};
use frontdesk_model::user::Ability;

use crate::error::{ApiError, ErrorCode};
use crate::state::HttpState;

/// The name of the cookie.
pub const COOKIE_NAME: &str = "frontdesk_session";

/// The caller of a request that was looked up already, by a middleware.
#[derive(Clone)]
struct Known(Caller);

/// Finds out who makes a request. Asks the database once per request, however often it is called.
pub async fn authenticate(parts: &mut Parts, state: &HttpState) -> Result<Caller, ApiError> {
    if let Some(Known(caller)) = parts.extensions.get::<Known>() {
        return Ok(caller.clone());
    }
    let caller = match bearer_token(&parts.headers)? {
        Some(token) if web_tokens::is_web_token(token) => {
            web_tokens::find_caller(&state.engine, token).await?
        }
        Some(token) => tokens::find_caller(&state.engine, token).await?,
        None => match session_token(&parts.headers) {
            Some(token) => {
                check_same_origin(&parts.method, &parts.headers, &state.engine.settings.public_url)?;
                sessions::find_caller(&state.engine, token).await?
            }
            None => None,
        },
    };
    let caller = caller.ok_or_else(unauthenticated)?;
    parts.extensions.insert(Known(caller.clone()));
    Ok(caller)
}

/// The token of the cookie, if there is one.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    cookies.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

/// Refuses a request that changes something unless a page of ours made it: browsers send cookies along with what
/// other sites start.
pub fn check_same_origin(method: &Method, headers: &HeaderMap, public_url: &str) -> Result<(), ApiError> {
    if method.is_safe() || is_same_origin(headers, public_url) {
        return Ok(());
    }
    let sentence = "The request was not made by a page of this server. Programs use an API token.";
    Err(ApiError::new(ErrorCode::Csrf, sentence))
}

fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(ORIGIN.as_str()).and_then(|o| url::Url::parse(o).ok()) else { return false };
    let ours = url::Url::parse(public_url).is_ok_and(|u| u.origin() == origin.origin());
    let authority = origin.host_str().map(|host| match origin.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    ours || (authority.is_some() && authority.as_deref() == text(HOST.as_str()))
}

/// The token of `Authorization: Bearer …`. Another scheme is refused rather than overlooked.
fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| unauthenticated())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(unauthenticated()) }
}

fn unauthenticated() -> ApiError {
    ApiError::new(ErrorCode::InvalidToken, "Unauthenticated.")
}

fn forbidden() -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, "This user or token may not do this.")
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident: $ability:expr;)+) => {$(
        $(#[$doc])*
        pub struct $name(pub Caller);

        impl FromRequestParts<HttpState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, ApiError> {
                let caller = authenticate(parts, state).await?;
                let ability: Option<Ability> = $ability;
                if ability.is_none_or(|ability| caller.may(ability)) { Ok(Self(caller)) } else { Err(forbidden()) }
            }
        }
    )+};
}

callers! {
    /// Anyone signed in, and any token.
    SignedIn: None;
    /// May read conversations and contacts: every user, tokens with `inbox:read` or more.
    InboxReader: Some(Ability::InboxRead);
    /// May also answer and change them: every user, tokens with `inbox:write` or more.
    InboxWriter: Some(Ability::InboxWrite);
    /// May manage what is their own: every user, tokens with `*`.
    AccountHolder: Some(Ability::All);
    /// May manage the account: admins, and their tokens with `admin` or `*`.
    AdminUser: Some(Ability::Admin);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (axum::http::HeaderName::from_static(n), v.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_things_with_the_cookie() {
        let allowed = |pairs: &[(&'static str, &str)]| {
            check_same_origin(&Method::POST, &headers(pairs), "https://desk.example.org").is_ok()
        };
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "https://desk.example.org")]));
        assert!(allowed(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!allowed(&[]));
        assert!(!allowed(&[("origin", "null"), ("host", "desk.example.org")]));
        assert!(!allowed(&[("origin", "https://evil.example"), ("host", "desk.example.org")]));
        assert!(!allowed(&[
            ("origin", "https://desk.example.org.evil.example"),
            ("host", "desk.example.org")
        ]));
        for site in ["cross-site", "same-site"] {
            assert!(!allowed(&[("sec-fetch-site", site), ("origin", "https://desk.example.org")]));
        }
    }

    #[test]
    fn reading_with_the_cookie_needs_no_origin() {
        assert!(check_same_origin(&Method::GET, &HeaderMap::new(), "https://desk.example.org").is_ok());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let jar = headers(&[("cookie", "a=b; frontdesk_session=abc; c=d")]);
        assert_eq!(session_token(&jar), Some("abc"));
        assert_eq!(session_token(&headers(&[("cookie", "xfrontdesk_session=abc")])), None);
    }
}
