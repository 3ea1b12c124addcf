//! Is a webhook genuine?
//!
//! Green API does not sign bodies. It sends the `webhookUrlToken` of the instance's settings in `Authorization`: usually
//! `Bearer <token>`, and where the setting itself names a scheme, as it stands. A proxy or another sender may sign.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Headers that a signature may come in: `sha256=<hex>`, or the hex alone.
pub const SIGNATURE_HEADERS: [&str; 3] =
    ["x-webhook-signature", "x-hub-signature-256", "x-green-api-signature"];

/// Does `Authorization` hold one of these tokens? Which one, counted from 0.
///
/// Taken as `Bearer T`, `Basic T`, `Basic base64(user:T)` or plain `T`, compared in constant time. An empty token is
/// never right.
pub fn verify_token(authorization: &[u8], tokens: &[SecretString]) -> Option<usize> {
    let sent = authorization.trim_ascii();
    let (scheme, rest) = match sent.iter().position(|byte| *byte == b' ') {
        Some(space) => (&sent[..space], sent[space..].trim_ascii()),
        None => (&[][..], sent),
    };
    let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
    let decoded = is("basic").then(|| STANDARD.decode(rest).ok()).flatten();
    let password = decoded.as_deref().and_then(|pair| pair.splitn(2, |byte| *byte == b':').nth(1));
    let candidates = [Some(sent), (is("bearer") || is("basic")).then_some(rest), password];
    tokens.iter().position(|token| {
        let token = token.expose_secret().as_bytes();
        // No shortcut: which form was right shall not be told by time.
        let same = candidates.iter().flatten().fold(0, |same, sent| same | sent.ct_eq(token).unwrap_u8());
        !token.is_empty() && same == 1
    })
}

/// Is this the HMAC-SHA256 of the raw body under one of these secrets? Which one, counted from 0.
pub fn verify_signature(header: &[u8], raw_body: &[u8], secrets: &[SecretString]) -> Option<usize> {
    let header = header.trim_ascii();
    let signature = hex::decode(header.strip_prefix(b"sha256=").unwrap_or(header)).ok()?;
    secrets.iter().position(|secret| {
        let secret = secret.expose_secret();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.update(raw_body);
        !secret.is_empty() && mac.verify_slice(&signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_every_form_it_is_sent_in() {
        let tokens = ["old".into(), "s3cret token".into(), "T".into()];
        for (header, which) in [
            ("T", Some(2)),
            ("Bearer T", Some(2)),
            ("bearer  T", Some(2)),
            ("Basic T", Some(2)),
            ("Basic dXNlcjpU", Some(2)), // user:T
            ("Bearer old", Some(0)),
            ("s3cret token", Some(1)),
            ("Bearer s3cret token", Some(1)),
            ("Bearer t", None),
            ("Token T", None),
            ("", None),
            ("Bearer ", None),
            ("Basic dXNlcjp0", None), // user:t
        ] {
            assert_eq!(verify_token(header.as_bytes(), &tokens), which, "{header}");
        }
        assert_eq!(verify_token(b"", &["".into()]), None, "no token is no key");
        assert_eq!(verify_token(b"Bearer ", &["".into()]), None);
    }

    #[test]
    fn a_signature_is_checked_over_the_raw_bytes() {
        // HMAC-SHA256 of "{}" under "key", by openssl
        let right = "a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032";
        let wrong = right.replace('a', "0");
        let secrets = ["".into(), "key".into()];
        assert_eq!(verify_signature(format!("sha256={right}").as_bytes(), b"{}", &secrets), Some(1));
        assert_eq!(verify_signature(right.as_bytes(), b"{}", &secrets), Some(1));
        assert_eq!(verify_signature(right.as_bytes(), b"{ }", &secrets), None);
        assert_eq!(verify_signature(wrong.as_bytes(), b"{}", &secrets), None);
        assert_eq!(verify_signature(b"sha256=", b"{}", &secrets), None);
    }
}
