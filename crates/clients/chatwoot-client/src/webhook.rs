//! Is a webhook genuine, fresh, small enough, and the first of its kind?

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::settings::WebhookSettings;

/// `sha256=` and 64 lower-case hex digits.
pub const SIGNATURE_HEADER: &str = "x-chatwoot-signature";
/// Unix seconds when it was sent; part of what is signed.
pub const TIMESTAMP_HEADER: &str = "x-chatwoot-timestamp";
/// A UUID, the same for every attempt of one delivery.
pub const DELIVERY_HEADER: &str = "x-chatwoot-delivery";

const PREFIX: &[u8] = b"sha256=";
/// Deliveries remembered at most; the oldest go first.
const DELIVERIES_MAX: u64 = 100_000;

/// Why a webhook is not taken. [`Self::http_status`] is what to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRejection {
    /// 403: no secret is configured, so nothing is genuine.
    #[error("no webhook secret is configured")]
    NoSecret,
    /// 403: there is no signature. Chatwoot signs since 4.11.2 (accounts) and 4.13.0 (API inboxes), automation never.
    #[error("the webhook is not signed")]
    NotSigned,
    /// 403: a signature that none of the secrets made.
    #[error(
        "no configured secret made this signature; it is made with the webhook's or API inbox's own secret, which is not \
         its hmac_token, over `timestamp.body` exactly as sent"
    )]
    WrongSignature,
    /// 403: no timestamp, or one that cannot be read.
    #[error("the webhook says not when it was sent")]
    NoTimestamp,
    /// 403: sent too long ago, or ahead of our clock.
    #[error("the webhook's timestamp is {off_s} seconds off")]
    Stale {
        /// How far, in seconds; positive: in the past.
        off_s: i64,
    },
    /// 413.
    #[error("the webhook is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
}

impl WebhookRejection {
    /// 403, or 413 for a body that is too large.
    pub fn http_status(&self) -> u16 {
        if matches!(self, Self::TooLarge { .. }) { 413 } else { 403 }
    }
}

/// A genuine webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// Which of the secrets made the signature.
    pub secret: usize,
    /// The same for every repetition of it.
    pub delivery_key: String,
}

/// Checks webhooks. Clones remember the same deliveries.
#[derive(Debug, Clone)]
pub struct WebhookVerifier {
    settings: Arc<WebhookSettings>,
    deliveries: moka::sync::Cache<String, ()>,
}

impl WebhookVerifier {
    /// A verifier that remembers no delivery yet.
    pub fn new(settings: WebhookSettings) -> Self {
        let deliveries = moka::sync::Cache::builder()
            .max_capacity(DELIVERIES_MAX)
            .time_to_live(settings.idempotency_ttl)
            .build();
        Self { settings: Arc::new(settings), deliveries }
    }

    /// Checks size, signature and time. `signature`, `timestamp` and `delivery` are the values of [`SIGNATURE_HEADER`],
    /// [`TIMESTAMP_HEADER`] and [`DELIVERY_HEADER`]; `now_s` is the time in unix seconds. `body` is what was received, byte
    /// for byte: Chatwoot escapes `&`, `<` and `>`, so a body that was read and written again has another signature.
    ///
    /// Errors: [`WebhookRejection`].
    pub fn verify(
        &self,
        body: &[u8],
        signature: Option<&str>,
        timestamp: Option<&str>,
        delivery: Option<&str>,
        now_s: i64,
    ) -> Result<Genuine, WebhookRejection> {
        let max_bytes = self.settings.max_payload_size;
        if body.len() > max_bytes {
            return Err(WebhookRejection::TooLarge { max_bytes });
        }
        let signature = signature.ok_or(WebhookRejection::NotSigned)?;
        let secret = self.check_signature(body, signature, timestamp)?;
        // After the signature, so that nobody learns anything of our clock.
        if self.settings.timestamp_enabled {
            let sent =
                timestamp.and_then(|text| text.parse::<i64>().ok()).ok_or(WebhookRejection::NoTimestamp)?;
            let off_s = now_s.saturating_sub(sent);
            if off_s.unsigned_abs() > self.settings.timestamp_tolerance.as_secs() {
                return Err(WebhookRejection::Stale { off_s });
            }
        }
        Ok(Genuine { secret, delivery_key: delivery_key(body, timestamp, delivery) })
    }

    /// Is this the first delivery with this key within the idempotency time? Asking counts as seeing.
    pub fn first_time(&self, delivery_key: &str) -> bool {
        self.deliveries.entry_by_ref(delivery_key).or_insert(()).is_fresh()
    }

    /// Forgets a delivery that could not be handled, so that its repetition is.
    pub fn forget(&self, delivery_key: &str) {
        self.deliveries.invalidate(delivery_key);
    }

    /// Every secret is tried, so that the time taken does not tell which one fits.
    fn check_signature(
        &self,
        body: &[u8],
        signature: &str,
        timestamp: Option<&str>,
    ) -> Result<usize, WebhookRejection> {
        let usable = |secret: &&SecretString| !secret.expose_secret().is_empty();
        if !self.settings.secrets.iter().any(|secret| usable(&secret)) {
            return Err(WebhookRejection::NoSecret);
        }
        let claimed = claimed(signature).ok_or(WebhookRejection::WrongSignature)?;
        let mut found = None;
        for (place, secret) in self.settings.secrets.iter().enumerate() {
            let fits = bool::from(mac(secret, timestamp, body).ct_eq(&claimed));
            if fits && usable(&secret) && found.is_none() {
                found = Some(place);
            }
        }
        found.ok_or(WebhookRejection::WrongSignature)
    }
}

/// The header's value for a body: what Chatwoot would send. For fakes and tests.
pub fn sign(body: &[u8], timestamp: Option<&str>, secret: &SecretString) -> String {
    format!("sha256={}", hex::encode(mac(secret, timestamp, body)))
}

/// What names a delivery: Chatwoot's id, else a digest of when and what.
fn delivery_key(body: &[u8], timestamp: Option<&str>, delivery: Option<&str>) -> String {
    if let Some(delivery) = delivery.filter(|delivery| !delivery.is_empty() && delivery.len() <= 100) {
        return delivery.to_owned();
    }
    let mut digest = Sha256::new();
    digest.update(timestamp.unwrap_or_default());
    digest.update(b".");
    digest.update(body);
    hex::encode(digest.finalize())
}

fn claimed(signature: &str) -> Option<[u8; 32]> {
    let digits = signature.as_bytes().strip_prefix(PREFIX)?;
    if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

fn mac(secret: &SecretString, timestamp: Option<&str>, body: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    if let Some(timestamp) = timestamp {
        mac.update(timestamp.as_bytes());
        mac.update(b".");
    }
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECRET: &str = "whsec_demo_8fJ2kQ";
    const SENT: i64 = 1_789_000_000;
    const BODY: &[u8] = br#"{"event":"message_created","id":101,"content":"Tom \u0026 Jerry"}"#;
    const GOOD: &str = "sha256=907524f20d093d423c9b4fdca6dff7441058f44d2831d6742fcb994761b98bd0";

    fn verifier(secrets: &[&str]) -> WebhookVerifier {
        let secrets = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        WebhookVerifier::new(WebhookSettings { secrets, ..WebhookSettings::default() })
    }

    fn verify(body: &[u8], signature: &str, now_s: i64) -> Result<usize, WebhookRejection> {
        let sent = SENT.to_string();
        let genuine = verifier(&["other", SECRET]).verify(body, Some(signature), Some(&sent), None, now_s)?;
        Ok(genuine.secret)
    }

    #[test]
    fn the_vector_is_genuine_under_whichever_secret_made_it() {
        assert_eq!(verify(BODY, GOOD, SENT), Ok(1));
        assert_eq!(sign(BODY, Some("1789000000"), &SECRET.into()), GOOD);
    }

    #[test]
    fn a_body_written_again_is_refused() {
        let again: serde_json::Value = serde_json::from_slice(BODY).unwrap();
        let again = serde_json::to_vec(&again).unwrap();
        assert_eq!(verify(&again, GOOD, SENT), Err(WebhookRejection::WrongSignature));
    }

    #[test]
    fn wrong_signatures_are_refused() {
        let digits = &GOOD[7..];
        for signature in [
            "",
            digits,
            &format!("sha1={digits}"),
            &format!("sha256={}", digits.to_uppercase()),
            &GOOD[..70],
            &format!("{GOOD}0"),
            &sign(BODY, None, &SECRET.into()),
            &sign(BODY, Some("1789000001"), &SECRET.into()),
            &sign(BODY, Some("1789000000"), &"hmac_token".into()),
        ] {
            assert_eq!(verify(BODY, signature, SENT), Err(WebhookRejection::WrongSignature), "{signature}");
        }
        for bit in 0..BODY.len() * 8 {
            let mut body = BODY.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify(&body, GOOD, SENT), Err(WebhookRejection::WrongSignature), "bit {bit}");
        }
    }

    #[test]
    fn five_minutes_either_way_are_taken_and_a_second_more_is_not() {
        for off in [0, 299, 300, -299, -300] {
            assert_eq!(verify(BODY, GOOD, SENT + off), Ok(1), "{off}");
        }
        for off in [301, -301] {
            assert_eq!(verify(BODY, GOOD, SENT + off), Err(WebhookRejection::Stale { off_s: off }));
        }
    }

    #[test]
    fn without_a_time_only_who_does_not_ask_for_it_takes_it() {
        let bare = sign(BODY, None, &SECRET.into());
        let strict = verifier(&[SECRET]);
        assert_eq!(strict.verify(BODY, Some(&bare), None, None, SENT), Err(WebhookRejection::NoTimestamp));
        let settings = WebhookSettings {
            secrets: vec![SECRET.into()],
            timestamp_enabled: false,
            ..WebhookSettings::default()
        };
        let lenient = WebhookVerifier::new(settings);
        assert!(lenient.verify(BODY, Some(&bare), None, None, SENT).is_ok());
        assert!(lenient.verify(BODY, Some(GOOD), Some("1789000000"), None, SENT + 9_999).is_ok());
        // The header is signed whether its age matters or not.
        let error = lenient.verify(BODY, Some(GOOD), Some("1789000001"), None, SENT);
        assert_eq!(error, Err(WebhookRejection::WrongSignature));
    }

    #[test]
    fn unsigned_and_unconfigured_and_large_ones_are_refused() {
        let sent = SENT.to_string();
        let check = |verifier: &WebhookVerifier, body: &[u8], signature| {
            verifier.verify(body, signature, Some(&sent), None, SENT).unwrap_err()
        };
        assert_eq!(check(&verifier(&[SECRET]), BODY, None), WebhookRejection::NotSigned);
        assert_eq!(check(&verifier(&[]), BODY, Some(GOOD)), WebhookRejection::NoSecret);
        let empty = sign(BODY, Some(&sent), &"".into());
        assert_eq!(check(&verifier(&[""]), BODY, Some(&empty)), WebhookRejection::NoSecret);
        let large = vec![b' '; 1_048_577];
        let rejection = check(&verifier(&[SECRET]), &large, Some(GOOD));
        assert_eq!((rejection.http_status(), WebhookRejection::NotSigned.http_status()), (413, 403));
    }

    #[test]
    fn a_delivery_is_first_once() {
        let verifier = verifier(&[SECRET]);
        assert!(verifier.first_time("a") && !verifier.first_time("a") && verifier.clone().first_time("b"));
        verifier.forget("a");
        assert!(verifier.first_time("a"));
        let key = |time, id| delivery_key(BODY, time, id);
        assert_eq!(key(None, Some("uuid")), "uuid");
        assert_ne!(key(Some("1"), None), key(Some("2"), None));
        assert_eq!(key(None, None), key(None, Some("")));
    }

    #[test]
    fn a_delivery_is_forgotten_after_its_time() {
        let settings = WebhookSettings { idempotency_ttl: Duration::ZERO, ..WebhookSettings::default() };
        let verifier = WebhookVerifier::new(settings);
        assert!(verifier.first_time("a") && verifier.first_time("a"));
    }
}
