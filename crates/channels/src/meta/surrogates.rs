//! Halves of an emoji. Meta escapes what is beyond ASCII, an emoji as two halves (`\ud83c\udf89`). A text that somebody cut
//! in the middle of one ends in a single half, which is no character: no JSON reader takes it, and the whole text would be
//! lost for it.

use std::borrow::Cow;

/// The length of `\uXXXX`.
const ESCAPE: usize = 6;

/// The body with every single half replaced by U+FFFD, which is as long.
pub(super) fn mend(body: &[u8]) -> Cow<'_, [u8]> {
    let mut body = Cow::Borrowed(body);
    let mut at = 0;
    while let Some(found) = body.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'\\')) {
        at += found;
        at += match (unit(&body, at), unit(&body, at + ESCAPE)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE,
            (Some(0xD800..=0xDFFF), _) => {
                body.to_mut()[at + 2..at + ESCAPE].copy_from_slice(b"fffd");
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            // Another escape: its second byte may be a backslash, which begins none.
            (None, _) => 2,
        };
    }
    body
}

/// The number of the escape `\uXXXX` that begins at `at`.
fn unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_nothing_else() {
        for (body, mended) in [
            (r#""a \ud83d b""#, r#""a \ufffd b""#),
            (r#""\udc4d""#, r#""\ufffd""#),
            (r#""\udc4d\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\udc4d""#, r#""\ufffd\ud83d\udc4d""#),
            (r#""\uD83D\n""#, r#""\ufffd\n""#),
        ] {
            assert_eq!(String::from_utf8_lossy(&mend(body.as_bytes())), mended);
        }
        for whole in [
            r#""\ud83d\udc4d \u00e9 \/ \\ud83d""#,
            r#""\\\\ud83d""#,
            r#""\ud83"#,
            r#""\u+83d""#,
            "\\",
            "",
            "\u{e9}",
        ] {
            assert!(matches!(mend(whole.as_bytes()), Cow::Borrowed(_)), "{whole}");
        }
    }
}
