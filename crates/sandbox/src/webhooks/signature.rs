//! Meta's webhook bytes and their signature.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Writes JSON text as Meta's servers do: non-ASCII as `\uXXXX` with lower-case hex (surrogate pairs beyond the
/// first plane), `/` as `\/`. Neither occurs in JSON outside strings, so the text need not be parsed.
#[must_use]
pub fn escape_wire(json: &str) -> String {
    let mut wire = String::with_capacity(json.len() + json.len() / 8);
    for character in json.chars() {
        match character {
            '/' => wire.push_str("\\/"),
            ascii if ascii.is_ascii() => wire.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    wire.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    wire
}

/// Value of `X-Hub-Signature-256`: `sha256=` and the hex HMAC-SHA256 of the bytes.
#[must_use]
pub fn sign(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_hex(app_secret, body))
}

/// `appsecret_proof`: hex HMAC-SHA256 of the access token under the app secret.
#[must_use]
pub fn app_secret_proof(app_secret: &str, access_token: &str) -> String {
    hmac_hex(app_secret, access_token.as_bytes())
}

fn hmac_hex(key: &str, message: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key length");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Meta sends, byte for byte; no final newline.
    const WIRE: &str = include_str!("fixtures/text_wire_escaped.json");
    const SECRET: &str = "fixture-app-secret";

    /// The same JSON as a plain serialiser writes it.
    fn plain() -> String {
        WIRE.replace(r"\u00e9", "é")
            .replace(r"\u00e0", "à")
            .replace(r"\u00e3", "ã")
            .replace(r"\u2615", "☕")
            .replace(r"\u2014", "—")
            .replace(r"\ud83d\udc4d\ud83c\udffd", "👍🏽")
            .replace(r"\u202e", "\u{202e}")
            .replace(r"\/", "/")
    }

    #[test]
    fn wire_bytes_and_signature_are_metas() {
        assert_eq!(escape_wire(&plain()), WIRE);
        assert_eq!(WIRE.len(), 677);
        assert_eq!(
            sign(SECRET, WIRE.as_bytes()),
            "sha256=50af553e0be229d3a563f85b50b2456aad817f4a693a97fc84458b09548c19a0"
        );
    }

    #[test]
    fn the_signature_of_unescaped_bytes_differs() {
        assert_eq!(
            sign(SECRET, plain().as_bytes()),
            "sha256=9bda20b1024ab7a637487bc65e2325447328d7840cc6630266ba9c5f987c5b37"
        );
    }
}
