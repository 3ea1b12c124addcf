//! Is a webhook genuine? The signature of posts, and the challenge of subscriptions.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header that carries the signature. The older `X-Hub-Signature` (SHA-1) beside it is never read.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

const PREFIX: &[u8] = b"sha256=";

/// Checks the signature of a body as it was received, before any decoding.
///
/// `header` is the whole value of [`SIGNATURE_HEADER`]: `sha256=` and 64 lower-case hex digits.
/// Returns the place of the app secret that made it. Empty secrets and an empty list match nothing.
/// The signature holds no time: a captured body stays genuine, and only its ids tell that it was seen.
///
/// Source: Meta's "Getting started with webhooks"; vector `fixtures/whatsapp/02_text_wire_escaped.json`.
pub fn verify_signature(header: &[u8], raw_body: &[u8], secrets: &[SecretString]) -> Option<usize> {
    let digits = header.strip_prefix(PREFIX)?;
    if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut claimed = [0u8; 32];
    hex::decode_to_slice(digits, &mut claimed).ok()?;
    // Every secret is tried, so that the time taken does not tell which one fits.
    let mut found = None;
    for (place, secret) in secrets.iter().enumerate() {
        let fits = bool::from(hmac_sha256(secret, raw_body).ct_eq(&claimed));
        if fits && !secret.expose_secret().is_empty() && found.is_none() {
            found = Some(place);
        }
    }
    found
}

/// The header's value for a body: what Meta would send. For fakes and tests.
pub fn sign(raw_body: &[u8], secret: &SecretString) -> String {
    format!("sha256={}", hex::encode(hmac_sha256(secret, raw_body)))
}

/// `appsecret_proof` of a token: hex HMAC-SHA256 of the token under the app secret.
pub fn appsecret_proof(token: &SecretString, app_secret: &SecretString) -> SecretString {
    hex::encode(hmac_sha256(app_secret, token.expose_secret().as_bytes())).into()
}

fn hmac_sha256(secret: &SecretString, message: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The longest challenge that is echoed; Meta sends ten digits or so.
const CHALLENGE_MAX_BYTES: usize = 256;

/// Answers the GET that Meta sends when a callback URL is entered or changed.
///
/// `mode`, `challenge` and `token` are `hub.mode`, `hub.challenge` and `hub.verify_token`, decoded.
/// Returns the challenge to answer, as it came: status 200, `text/plain` with `nosniff`, nothing added.
/// `None` = answer 403. An empty `verify_token` refuses everyone.
pub fn verify_subscription<'c>(
    mode: &str,
    challenge: &'c str,
    token: &str,
    verify_token: &SecretString,
) -> Option<&'c str> {
    let expected = verify_token.expose_secret().as_bytes();
    let token_fits = !expected.is_empty() && bool::from(token.as_bytes().ct_eq(expected));
    let fits = token_fits && mode == "subscribe" && (1..=CHALLENGE_MAX_BYTES).contains(&challenge.len());
    fits.then_some(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = include_bytes!("../fixtures/whatsapp/02_text_wire_escaped.json");
    const GOOD: &[u8] = b"sha256=50af553e0be229d3a563f85b50b2456aad817f4a693a97fc84458b09548c19a0";
    /// Of the same body, read and written again without escapes.
    const RESERIALISED: &[u8] = b"sha256=9bda20b1024ab7a637487bc65e2325447328d7840cc6630266ba9c5f987c5b37";

    fn secrets(list: &[&str]) -> Vec<SecretString> {
        list.iter().map(|secret| SecretString::from(*secret)).collect()
    }

    #[test]
    fn the_vector_is_accepted_under_whichever_secret_made_it() {
        assert_eq!(BODY.len(), 677);
        assert_eq!(verify_signature(GOOD, BODY, &secrets(&["fixture-app-secret"])), Some(0));
        assert_eq!(verify_signature(GOOD, BODY, &secrets(&["old", "", "fixture-app-secret"])), Some(2));
        assert_eq!(sign(BODY, &"fixture-app-secret".into()).as_bytes(), GOOD);
    }

    #[test]
    fn a_body_written_again_is_refused() {
        assert_eq!(verify_signature(RESERIALISED, BODY, &secrets(&["fixture-app-secret"])), None);
        let again: serde_json::Value = serde_json::from_slice(BODY).unwrap();
        let again = serde_json::to_vec(&again).unwrap();
        assert_eq!(verify_signature(GOOD, &again, &secrets(&["fixture-app-secret"])), None);
    }

    #[test]
    fn every_changed_bit_of_body_or_header_is_refused() {
        let secrets = secrets(&["fixture-app-secret"]);
        for bit in 0..BODY.len() * 8 {
            let mut body = BODY.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify_signature(GOOD, &body, &secrets), None, "body bit {bit}");
        }
        for bit in 0..GOOD.len() * 8 {
            let mut header = GOOD.to_vec();
            header[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify_signature(&header, BODY, &secrets), None, "header bit {bit}");
        }
    }

    #[test]
    fn other_forms_of_the_header_are_refused() {
        let secrets = secrets(&["fixture-app-secret"]);
        let good = std::str::from_utf8(GOOD).unwrap();
        let digits = &good[7..];
        for header in [
            String::new(),
            digits.to_owned(),
            good.to_uppercase(),
            format!("sha256={}", digits.to_uppercase()),
            format!("SHA256={digits}"),
            format!("sha1={digits}"),
            format!("sha1={}", &digits[..40]),
            format!(" {good}"),
            format!("{good} "),
            format!("{good},{good}"),
            good[..70].to_owned(),
            format!("{good}0"),
            format!("sha256= {}", &digits[1..]),
            format!("sha256=\u{0}{}", &digits[1..]),
        ] {
            assert_eq!(verify_signature(header.as_bytes(), BODY, &secrets), None, "{header:?}");
        }
    }

    #[test]
    fn without_a_secret_nothing_is_genuine() {
        let forged = sign(BODY, &"".into());
        assert_eq!(verify_signature(forged.as_bytes(), BODY, &secrets(&[""])), None);
        assert_eq!(verify_signature(GOOD, BODY, &[]), None);
    }

    #[test]
    fn the_challenge_is_echoed_only_to_who_knows_the_token() {
        let token = SecretString::from("verify-me");
        let long = "1".repeat(257);
        assert_eq!(verify_subscription("subscribe", "abc123", "verify-me", &token), Some("abc123"));
        assert_eq!(verify_subscription("subscribe", "abc123", "verify-m", &token), None);
        assert_eq!(verify_subscription("subscribe", "abc123", "", &token), None);
        assert_eq!(verify_subscription("unsubscribe", "abc123", "verify-me", &token), None);
        assert_eq!(verify_subscription("subscribe", "", "verify-me", &token), None);
        assert_eq!(verify_subscription("subscribe", &long, "verify-me", &token), None);
        assert_eq!(verify_subscription("subscribe", "abc123", "", &"".into()), None, "no token configured");
    }
}
