//! Signatures of the Pusher protocol: HMAC-SHA256 with the application's secret, lower-case hex.
//!
//! Source: Pusher's "auth signatures" page and pusher-http-php 7; the vectors in the tests are Pusher's own.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use frontdesk_model::Timestamp;

/// How far the clock of a caller of the HTTP API may be off, in seconds.
pub const TOLERANCE_SECS: i64 = 600;

/// The key and secret of one application.
#[derive(Clone)]
pub struct Signer {
    key: String,
    secret: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer {{ key: {:?}, .. }}", self.key)
    }
}

/// Why a request to the HTTP API is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// A parameter of the signature is absent or no number.
    #[error("the parameters auth_key, auth_timestamp, auth_version=1.0 and auth_signature are needed")]
    Unsigned,
    /// Another application's key.
    #[error("auth_key is not the key of this application")]
    OtherKey,
    /// Too old, or from the future.
    #[error("auth_timestamp is more than {TOLERANCE_SECS} s away from the server's clock")]
    Expired,
    /// The body is not the one that was signed.
    #[error("body_md5 is not the MD5 of the body")]
    OtherBody,
    /// Signed with another secret, or another request.
    #[error("auth_signature does not fit the request")]
    WrongSignature,
}

impl Signer {
    /// Signs for the application with this key and secret.
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { key: key.into(), secret: secret.into() }
    }

    /// The public key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The `auth` of a private channel, or of a presence channel with its `channel_data`.
    pub fn sign_channel(&self, socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
        self.with_key(&self.sign(&channel_text(socket_id, channel, channel_data)))
    }

    /// True when `auth` allows the socket on the channel.
    pub fn allows_channel(
        &self,
        auth: &str,
        socket_id: &str,
        channel: &str,
        channel_data: Option<&str>,
    ) -> bool {
        self.is_signed(auth, &channel_text(socket_id, channel, channel_data))
    }

    /// The `auth` of `pusher:signin`.
    pub fn sign_user(&self, socket_id: &str, user_data: &str) -> String {
        self.with_key(&self.sign(&format!("{socket_id}::user::{user_data}")))
    }

    /// True when `auth` lets the socket sign in with `user_data`.
    pub fn allows_user(&self, auth: &str, socket_id: &str, user_data: &str) -> bool {
        self.is_signed(auth, &format!("{socket_id}::user::{user_data}"))
    }

    /// Checks a request to the HTTP API. `path` is the path without the query; `query` holds the decoded parameters.
    pub fn check_request(
        &self,
        method: &str,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), RequestRefused> {
        let find = |name: &str| query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
        let signature = find("auth_signature").ok_or(RequestRefused::Unsigned)?;
        let signed_at: i64 =
            find("auth_timestamp").and_then(|t| t.parse().ok()).ok_or(RequestRefused::Unsigned)?;
        if find("auth_version") != Some("1.0") {
            return Err(RequestRefused::Unsigned);
        }
        if find("auth_key").ok_or(RequestRefused::Unsigned)? != self.key {
            return Err(RequestRefused::OtherKey);
        }
        let expected = self.sign(&request_text(method, path, query));
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(RequestRefused::WrongSignature);
        }
        let digest = find("body_md5");
        let has_other_body = digest.is_some_and(|md5| md5 != hex::encode(Md5::digest(body)));
        if has_other_body || (digest.is_none() && !body.is_empty()) {
            return Err(RequestRefused::OtherBody);
        }
        if now.as_secs().saturating_sub(signed_at).unsigned_abs() > TOLERANCE_SECS.unsigned_abs() {
            return Err(RequestRefused::Expired);
        }
        Ok(())
    }

    fn with_key(&self, signature: &str) -> String {
        format!("{}:{signature}", self.key)
    }

    fn is_signed(&self, auth: &str, text: &str) -> bool {
        let Some((key, signature)) = auth.split_once(':') else { return false };
        key == self.key && bool::from(self.sign(text).as_bytes().ct_eq(signature.as_bytes()))
    }

    fn sign(&self, text: &str) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret.as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

fn channel_text(socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
    match channel_data {
        Some(data) => format!("{socket_id}:{channel}:{data}"),
        None => format!("{socket_id}:{channel}"),
    }
}

/// `METHOD\n/path\nk=v&k=v`: keys in lower case and sorted, values as they are after decoding.
fn request_text(method: &str, path: &str, query: &[(String, String)]) -> String {
    let mut pairs: Vec<(String, &str)> = query
        .iter()
        .filter(|(key, _)| key != "auth_signature")
        .map(|(key, value)| (key.to_ascii_lowercase(), value.as_str()))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{method}\n{path}\n{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, secret and results as in Pusher's documentation.
    fn signer() -> Signer {
        Signer::new("278d425bdf160c739803", "7ad3773142a6692b25b8")
    }

    #[test]
    fn channels_are_signed_as_in_the_documentation() {
        let private = "278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
        assert_eq!(signer().sign_channel("1234.1234", "private-foobar", None), private);
        let data = r#"{"user_id":10,"user_info":{"name":"Mr. Channels"}}"#;
        let presence =
            "278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80";
        assert_eq!(signer().sign_channel("1234.1234", "presence-foobar", Some(data)), presence);
        let user = "278d425bdf160c739803:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba";
        assert_eq!(signer().sign_user("1234.1234", r#"{"id":"12345"}"#), user);
    }

    #[test]
    fn a_signature_holds_for_its_socket_channel_data_and_key_alone() {
        let signer = signer();
        let auth = signer.sign_channel("1.2", "presence-a", Some("{}"));
        assert!(signer.allows_channel(&auth, "1.2", "presence-a", Some("{}")));
        assert!(!signer.allows_channel(&auth, "1.3", "presence-a", Some("{}")));
        assert!(!signer.allows_channel(&auth, "1.2", "presence-b", Some("{}")));
        assert!(!signer.allows_channel(&auth, "1.2", "presence-a", Some("{} ")));
        assert!(!signer.allows_channel(&auth, "1.2", "presence-a", None));
        assert!(!signer.allows_channel(&auth.to_uppercase(), "1.2", "presence-a", Some("{}")));
        assert!(!signer.allows_channel(&auth[..auth.len() - 1], "1.2", "presence-a", Some("{}")));
        assert!(!signer.allows_channel("", "1.2", "presence-a", Some("{}")));
        let other = Signer::new("other", "7ad3773142a6692b25b8");
        assert!(!other.allows_channel(&auth, "1.2", "presence-a", Some("{}")));
    }

    const SIGNED_AT: i64 = 1_353_088_179;

    fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
        query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn trigger() -> (Vec<(String, String)>, &'static [u8]) {
        let query = pairs(&[
            ("auth_key", "278d425bdf160c739803"),
            ("auth_timestamp", "1353088179"),
            ("auth_version", "1.0"),
            ("body_md5", "ec365a775a4cd0599faeb73354201b6f"),
            ("auth_signature", "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"),
        ]);
        (query, br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#)
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_request_is_accepted_as_in_the_documentation() {
        let (query, body) = trigger();
        assert_eq!(signer().check_request("POST", "/apps/3/events", &query, body, at(SIGNED_AT)), Ok(()));
        let mut list = pairs(&[
            ("info", "user_count"),
            ("filter_by_prefix", "presence-"),
            ("auth_version", "1.0"),
            ("auth_key", "278d425bdf160c739803"),
            ("auth_timestamp", "1353088179"),
        ]);
        list.push((
            "auth_signature".to_owned(),
            "16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291".to_owned(),
        ));
        assert_eq!(signer().check_request("GET", "/apps/3/channels", &list, b"", at(SIGNED_AT)), Ok(()));
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let (query, body) = trigger();
        let check = |path: &str, query: &[(String, String)], body: &[u8], now: i64| {
            signer().check_request("POST", path, query, body, at(now))
        };
        assert_eq!(check("/apps/4/events", &query, body, SIGNED_AT), Err(RequestRefused::WrongSignature));
        assert_eq!(check("/apps/3/events", &query, b"{}", SIGNED_AT), Err(RequestRefused::OtherBody));
        assert_eq!(check("/apps/3/events", &query, body, SIGNED_AT + 600), Ok(()));
        assert_eq!(check("/apps/3/events", &query, body, SIGNED_AT + 601), Err(RequestRefused::Expired));
        assert_eq!(check("/apps/3/events", &query, body, SIGNED_AT - 601), Err(RequestRefused::Expired));
        assert_eq!(check("/apps/3/events", &query[..4], body, SIGNED_AT), Err(RequestRefused::Unsigned));
        assert_eq!(check("/apps/3/events", &[], body, SIGNED_AT), Err(RequestRefused::Unsigned));
        let mut more = query.clone();
        more.push(("info".to_owned(), "x".to_owned()));
        assert_eq!(check("/apps/3/events", &more, body, SIGNED_AT), Err(RequestRefused::WrongSignature));
        let other = Signer::new("another-key", "7ad3773142a6692b25b8");
        let result = other.check_request("POST", "/apps/3/events", &query, body, at(SIGNED_AT));
        assert_eq!(result, Err(RequestRefused::OtherKey));
    }

    #[test]
    fn a_body_must_be_covered_by_the_signature() {
        let signer = signer();
        let mut query = pairs(&[
            ("auth_key", "278d425bdf160c739803"),
            ("auth_timestamp", "1353088179"),
            ("auth_version", "1.0"),
        ]);
        let signature = signer.sign(&request_text("POST", "/apps/3/events", &query));
        query.push(("auth_signature".to_owned(), signature));
        let refused = signer.check_request("POST", "/apps/3/events", &query, b"{}", at(SIGNED_AT));
        assert_eq!(refused, Err(RequestRefused::OtherBody));
    }
}
