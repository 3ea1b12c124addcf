//! The outgoing webhook, signed as <https://www.standardwebhooks.com> says, so that its libraries can check it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use frontdesk_provider_http::addresses::RefusedAddress;
use frontdesk_provider_http::{AddressPolicy, CallError, CallLabel, NotSent, ProviderHttp, ProviderSettings};
use frontdesk_store::alert_deliveries::AlertDelivery;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::Url;

use super::Tried;
use crate::Engine;

/// What a shown secret begins with; the rest is base64.
pub const SECRET_PREFIX: &str = "whsec_";
/// How long a call may take: answer first, work later.
const TIMEOUT: Duration = Duration::from_secs(15);
/// As much of the answer is read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// Whoever answers so wants nothing more.
const GONE: u16 = 410;

/// The headers of one delivery. The id is the same at every try; the time is that of the try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
    pub signature: String,
}

/// Signs a body.
pub fn sign(id: &str, secs: i64, body: &str, secret: &[u8]) -> Headers {
    let timestamp = secs.to_string();
    // HMAC takes keys of any length.
    let signature = Hmac::<Sha256>::new_from_slice(secret).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
            format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
        },
    );
    Headers { id: id.to_owned(), timestamp, signature }
}

/// Checks an address before it is stored. Where its name leads to is checked at each call.
pub fn check_address(engine: &Engine, url: &Url) -> Result<(), RefusedAddress> {
    policy(engine).check_url(url, url)
}

fn policy(engine: &Engine) -> AddressPolicy {
    AddressPolicy::allowing_hosts(&engine.channels.providers.allow_private_hosts)
}

pub(super) async fn post(engine: &Engine, delivery: &AlertDelivery, secret: &[u8]) -> Tried {
    let Ok(url) = Url::parse(&delivery.address) else {
        return Tried::refused("The address is none.", None, true);
    };
    let settings = ProviderSettings {
        timeout: TIMEOUT,
        max_response_bytes: MAX_ANSWER_BYTES,
        addresses: policy(engine),
        ..ProviderSettings::new("alerts", url.clone())
    };
    let http = match ProviderHttp::new(settings) {
        Ok(http) => http,
        Err(error) => return Tried::refused(error.to_string(), None, false),
    };
    let id = format!("alert_{}_{}", delivery.id, delivery.created_at.as_millis());
    let headers = sign(&id, engine.clock.now().as_secs(), &delivery.body, secret);
    let request = http
        .request(reqwest::Method::POST, url)
        .header("content-type", "application/json")
        .header("webhook-id", headers.id)
        .header("webhook-timestamp", headers.timestamp)
        .header("webhook-signature", headers.signature)
        .body(delivery.body.clone());
    match http.send(CallLabel::new("alerts", "alert"), request).await {
        Ok(answer) => {
            Tried { taken: true, is_final: true, http_status: Some(answer.status.as_u16()), error: None }
        }
        Err(error) => {
            let status = error.status().map(|status| status.as_u16());
            let is_refused = matches!(error, CallError::NotSent(NotSent::Refused(_)));
            Tried::refused(error.to_string(), status, status == Some(GONE) || is_refused)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the specification's own libraries.
        let secret = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let headers = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#, &secret);
        assert_eq!(headers.signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers.timestamp, "1614265330");
    }
}
