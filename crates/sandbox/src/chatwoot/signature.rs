//! Chatwoot's webhook bytes and their signature.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Writes JSON text as Rails does: `&`, `<`, `>` and the two line separators of JavaScript as `\uXXXX`. None of them
/// occurs in JSON outside strings, so the text need not be parsed.
#[must_use]
pub fn escape_rails(json: &str) -> String {
    let mut wire = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        match character {
            '&' | '<' | '>' | '\u{2028}' | '\u{2029}' => {
                wire.push_str(&format!("\\u{:04x}", u32::from(character)))
            }
            other => wire.push(other),
        }
    }
    wire
}

/// Value of `X-Chatwoot-Signature`: `sha256=` and the hex HMAC-SHA256 of `timestamp.body`.
#[must_use]
pub fn sign(secret: &str, timestamp_s: i64, body: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_signature_are_those_of_the_vector() {
        let wire = escape_rails(r#"{"event":"message_created","id":101,"content":"Tom & Jerry"}"#);
        assert_eq!(wire, r#"{"event":"message_created","id":101,"content":"Tom \u0026 Jerry"}"#);
        assert_eq!(
            sign("whsec_demo_8fJ2kQ", 1_789_000_000, wire.as_bytes()),
            "sha256=907524f20d093d423c9b4fdca6dff7441058f44d2831d6742fcb994761b98bd0"
        );
    }
}
