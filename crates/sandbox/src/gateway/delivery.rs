//! Webhooks of sessions: signed, and posted until they are taken.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::sandbox::{Sandbox, WeakSandbox};

/// A delivery that is not taken is tried again so often.
const TRIES: u32 = 100;
/// After this long.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells a session's receiver, one after the other.
pub(super) fn tell(sandbox: &Sandbox, session: &str, news: Vec<(&'static str, Value)>) {
    let pending = sandbox.webhooks().pending();
    let (weak, session) = (sandbox.downgrade(), session.to_owned());
    tokio::spawn(async move {
        for (event, data) in news {
            let body = json!({ "event": event, "data": data }).to_string();
            post(&weak, &session, &body).await;
        }
        drop(pending);
    });
}

async fn post(weak: &WeakSandbox, session: &str, body: &str) {
    let Some(id) = weak.upgrade().map(|sandbox| sandbox.gateway(|gateway| gateway.next_id("msg_"))) else {
        return;
    };
    for _ in 0..TRIES {
        let Some(sandbox) = weak.upgrade() else { return };
        let target = sandbox.gateway(|gateway| {
            let session = gateway.sessions.get(session)?;
            Some((session.webhook_url.clone()?, session.webhook_secret.clone()))
        });
        let Some((url, secret)) = target else { return };
        let at = (sandbox.clock().now() / 1000).to_string();
        let mut request = sandbox.http().post(url).header("content-type", "application/json");
        if let Some(secret) = secret {
            let signature = sign(&secret, &format!("{id}.{at}.{body}"));
            request = request.header("webhook-id", &id).header("webhook-timestamp", &at);
            request = request.header("webhook-signature", format!("v1,{signature}"));
        }
        let answer = request.body(body.to_owned()).timeout(Duration::from_secs(5)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        drop(sandbox);
        tokio::time::sleep(PAUSE).await;
    }
}

fn sign(secret: &str, signed: &str) -> String {
    let key = secret.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key length");
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
