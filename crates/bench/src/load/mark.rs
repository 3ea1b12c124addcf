//! A mark in a message's text: when it was due to be sent. Time counts from then, so that a server that makes the
//! sender wait is charged for it.

use std::time::{Duration, Instant};

use super::http::find;

/// The beginning of a run, from which marks count.
#[derive(Debug, Clone, Copy)]
pub struct Epoch(Instant);

impl Epoch {
    /// Now.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Time since then.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The moment so long after it.
    pub fn at(self, offset: Duration) -> Instant {
        self.0 + offset
    }
}

/// Begins a mark. Nobody else writes it.
const WORD: &[u8] = b"xdue";

/// The mark of a moment: letters and digits only, which nobody escapes.
pub fn write(offset: Duration) -> String {
    format!("xdue{:016}", offset.as_nanos())
}

/// The moment that a payload is marked with.
pub fn read(payload: &[u8]) -> Option<Duration> {
    let start = find(payload, WORD)? + WORD.len();
    let digits = payload.get(start..start + 16)?;
    std::str::from_utf8(digits).ok()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_within_a_payload() {
        let at = Duration::from_nanos(1_234_567_890);
        assert_eq!(read(format!(r#"{{\"text\":\"a {} b\"}}"#, write(at)).as_bytes()), Some(at));
        assert_eq!(read(b"nothing is xdue today, nor tomorrow"), None);
        assert_eq!(read(b"xdue12"), None);
    }
}
