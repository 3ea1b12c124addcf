//! Signatures of the HTTP API, written down a second time from Pusher's documentation.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The path with its signed query.
pub fn signed_path(
    method: &str,
    path: &str,
    query: &str,
    body: &str,
    key: &str,
    secret: &str,
    now_secs: i64,
) -> String {
    let mut pairs =
        vec![format!("auth_key={key}"), format!("auth_timestamp={now_secs}"), "auth_version=1.0".to_owned()];
    pairs.extend(query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned));
    if !body.is_empty() {
        pairs.push(format!("body_md5={}", md5_hex(body)));
    }
    pairs.sort();
    let query = pairs.join("&");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{method}\n{path}\n{query}").as_bytes());
    format!("{path}?{query}&auth_signature={}", hex::encode(mac.finalize().into_bytes()))
}

fn md5_hex(text: &str) -> String {
    use md5::Digest;
    hex::encode(md5::Md5::digest(text.as_bytes()))
}
