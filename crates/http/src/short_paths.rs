//! Addresses of the gateway without `/api/v1`.
//!
//! A client that is told `https://host/api/v1` and asks for `/sessions/…` may join the two as RFC 3986 says: what begins with a
//! slash stands for the whole path, and the prefix is lost (Guzzle's `base_uri` does so). Such a request means the gateway.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// What such addresses begin with.
const BEGINNINGS: [&str; 2] = ["/sessions", "/auth/login"];

/// The request with its address in full; `None` when it is no such address. Screens are asked for as pages, and stay.
pub(crate) fn lengthened(request: &Request, is_page: bool) -> Option<Uri> {
    let path = request.uri().path();
    let is_ours =
        |start: &str| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if is_page || !BEGINNINGS.iter().any(|start| is_ours(start)) {
        return None;
    }
    let whole = format!("/api/v1{}", request.uri().path_and_query().map_or(path, PathAndQuery::as_str));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(whole.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_addresses_of_the_gateway_are_lengthened() {
        let whole = |uri: &str, is_page| {
            let request = Request::get(uri).body(Body::empty()).unwrap();
            lengthened(&request, is_page).map(|uri| uri.to_string())
        };
        assert_eq!(whole("/sessions/a/chats?limit=5", false).unwrap(), "/api/v1/sessions/a/chats?limit=5");
        assert_eq!(whole("/sessions", false).unwrap(), "/api/v1/sessions");
        assert_eq!(whole("/auth/login", false).unwrap(), "/api/v1/auth/login");
        for other in ["/sessionsx", "/auth/logins", "/", "/api/v1/sessions", "/settings"] {
            assert_eq!(whole(other, false), None, "{other}");
        }
        assert_eq!(whole("/sessions/a", true), None);
    }
}
