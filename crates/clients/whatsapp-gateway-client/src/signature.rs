//! Is a webhook genuine? Signatures as Standard Webhooks has them (<https://www.standardwebhooks.com>), read 2026.
//!
//! What is signed is `id.timestamp.body`, with HMAC-SHA256. `webhook-signature` may hold several signatures, separated by spaces,
//! while a secret is being replaced. A server that cannot sign sends a shared token in `Authorization` instead.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Names one delivery; the same for every attempt.
pub const ID_HEADER: &str = "webhook-id";
/// Unix seconds of the attempt.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// `v1,<base64>`, several separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// How far a timestamp may be off, in seconds, either way.
pub const TOLERANCE_S: i64 = 300;

/// What secrets that are base64 begin with.
const PREFIX: &str = "whsec_";
/// The version of signatures that is read.
const VERSION: &str = "v1";

/// Why a signature is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// None of the secrets made it.
    #[error("no configured secret made this signature")]
    Wrong,
    /// The timestamp lacks or is no number.
    #[error("the webhook says not when it was sent")]
    NoTimestamp,
    /// It was sent too long ago, or ahead of our clock.
    #[error("the webhook's timestamp is {off_s} seconds off")]
    Stale {
        /// How far; positive: in the past.
        off_s: i64,
    },
}

/// The headers of a signed webhook.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// [`ID_HEADER`].
    pub id: &'a str,
    /// [`TIMESTAMP_HEADER`].
    pub timestamp: &'a str,
    /// [`SIGNATURE_HEADER`].
    pub signature: &'a str,
}

/// Which of these secrets made the signature, counted from 0. `now_s` is the time in unix seconds; `None` where no clock is at
/// hand: then the time is not looked at.
///
/// A secret is `whsec_` and base64, or any other text, whose bytes are then the key. An empty one made nothing.
pub fn verify(
    signed: Signed<'_>,
    body: &[u8],
    secrets: &[SecretString],
    now_s: Option<i64>,
) -> Result<usize, SignatureError> {
    let sent: i64 = signed.timestamp.trim().parse().map_err(|_| SignatureError::NoTimestamp)?;
    let claimed: Vec<Vec<u8>> = signed
        .signature
        .split_ascii_whitespace()
        .filter_map(|part| part.split_once(',').filter(|(version, _)| *version == VERSION))
        .filter_map(|(_, text)| STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok())
        .take(16)
        .collect();
    let mut found = None;
    for (index, secret) in secrets.iter().enumerate() {
        let Some(made) = sign(signed.id, signed.timestamp, body, secret) else { continue };
        // All are compared, so that the time taken does not tell which one fits.
        let fits = claimed.iter().fold(0, |fits, claim| fits | claim.ct_eq(&made).unwrap_u8());
        if fits == 1 && found.is_none() {
            found = Some(index);
        }
    }
    let found = found.ok_or(SignatureError::Wrong)?;
    // After the signature, so that nobody learns anything of our clock.
    if let Some(now_s) = now_s {
        let off_s = now_s.saturating_sub(sent);
        if off_s.unsigned_abs() > TOLERANCE_S.unsigned_abs() {
            return Err(SignatureError::Stale { off_s });
        }
    }
    Ok(found)
}

/// The value of [`SIGNATURE_HEADER`] that a secret makes; `None` for a secret that is empty or no base64 after `whsec_`.
pub fn signature(id: &str, timestamp: &str, body: &[u8], secret: &SecretString) -> Option<String> {
    sign(id, timestamp, body, secret).map(|made| format!("{VERSION},{}", STANDARD.encode(made)))
}

fn sign(id: &str, timestamp: &str, body: &[u8], secret: &SecretString) -> Option<Vec<u8>> {
    let secret = secret.expose_secret();
    let key = match secret.strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok().filter(|_| !key.is_empty())?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

/// Which of these tokens `Authorization` holds, counted from 0: as `Bearer T`, or alone. Compared in constant time.
pub fn verify_token(authorization: &str, tokens: &[SecretString]) -> Option<usize> {
    let sent = authorization.trim();
    let sent = match sent.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => sent,
    };
    let is_it = |token: &SecretString| {
        let token = token.expose_secret();
        !token.is_empty() && bool::from(sent.as_bytes().ct_eq(token.as_bytes()))
    };
    tokens.iter().position(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn check(secrets: &[&str], signature: &str, body: &[u8], now_s: i64) -> Result<usize, SignatureError> {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
        let timestamp = AT.to_string();
        verify(Signed { id: ID, timestamp: &timestamp, signature }, body, &secrets, Some(now_s))
    }

    #[test]
    fn the_example_of_the_specification_is_genuine() {
        assert_eq!(check(&[SECRET], SIGNATURE, BODY, AT), Ok(0));
        assert_eq!(signature(ID, &AT.to_string(), BODY, &SECRET.into()).as_deref(), Some(SIGNATURE));
    }

    #[test]
    fn any_of_several_secrets_and_signatures_will_do() {
        assert_eq!(check(&["other", SECRET], SIGNATURE, BODY, AT), Ok(1));
        let several = format!("v1,AAAA v2,{} {SIGNATURE}", "x".repeat(44));
        assert_eq!(check(&[SECRET], &several, BODY, AT), Ok(0));
        let plain: SecretString = "words of our own".into();
        let made = signature(ID, &AT.to_string(), BODY, &plain).unwrap();
        assert_eq!(check(&[SECRET, "words of our own"], &made, BODY, AT), Ok(1));
    }

    #[test]
    fn what_is_changed_stale_or_made_by_nobody_is_refused() {
        let wrong = Err(SignatureError::Wrong);
        assert_eq!(check(&[SECRET], SIGNATURE, b"{}", AT), wrong);
        assert_eq!(check(&["other", "", "whsec_", "whsec_%%"], SIGNATURE, BODY, AT), wrong);
        for signature in ["", "v1,", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v2,g0hM", "v1 v1,,"] {
            assert_eq!(check(&[SECRET], signature, BODY, AT), wrong, "{signature}");
        }
        assert_eq!(check(&[SECRET], SIGNATURE, BODY, AT + 300), Ok(0));
        assert_eq!(check(&[SECRET], SIGNATURE, BODY, AT + 301), Err(SignatureError::Stale { off_s: 301 }));
        assert_eq!(check(&[SECRET], SIGNATURE, BODY, AT - 301), Err(SignatureError::Stale { off_s: -301 }));
        let undated = Signed { id: ID, timestamp: "yesterday", signature: SIGNATURE };
        assert_eq!(verify(undated, BODY, &[SECRET.into()], None), Err(SignatureError::NoTimestamp));
    }

    #[test]
    fn a_shared_token_is_taken_with_or_without_its_scheme() {
        let tokens = ["", "first", "second"].map(SecretString::from);
        assert_eq!(verify_token("Bearer second", &tokens), Some(2));
        assert_eq!(verify_token(" first ", &tokens), Some(1));
        for sent in ["", "Bearer ", "Basic first", "third"] {
            assert_eq!(verify_token(sent, &tokens), None, "{sent}");
        }
    }
}
