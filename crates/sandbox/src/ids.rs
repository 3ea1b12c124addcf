//! Identifiers in the providers' own shapes. Random, so that two runs never hand out the same id.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Who wrote the message that a WhatsApp id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WamidOrigin {
    /// The customer.
    Customer,
    /// The business.
    Business,
}

/// Makes identifiers; the same seed makes the same ones.
#[derive(Debug)]
pub struct IdMaker {
    rng: StdRng,
}

impl IdMaker {
    /// Starts from a seed, or from the system's randomness.
    #[must_use]
    pub fn new(seed: Option<u64>) -> Self {
        Self { rng: seed.map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64) }
    }

    /// A WhatsApp message id: `wamid.` and base64 of a small binary record that holds `address` and 20 hex digits.
    pub fn wamid(&mut self, address: &str, origin: WamidOrigin) -> String {
        let address = &address.as_bytes()[..address.len().min(120)];
        let mut record = vec![0x1c, 0x18];
        record.push(u8::try_from(address.len()).unwrap_or(0));
        record.extend_from_slice(address);
        record.extend_from_slice(&[0x15, 0x02, 0x00]);
        record.push(if origin == WamidOrigin::Customer { 0x12 } else { 0x11 });
        record.extend_from_slice(&[0x18, 0x16]);
        record.extend_from_slice(format!("3EB0{}", hex::encode_upper(self.bytes::<9>())).as_bytes());
        record.push(0);
        format!("wamid.{}", STANDARD.encode(record))
    }

    /// A Messenger message id.
    pub fn messenger_mid(&mut self) -> String {
        format!("m_{}", URL_SAFE_NO_PAD.encode(self.bytes::<30>()))
    }

    /// An Instagram message id.
    pub fn instagram_mid(&mut self) -> String {
        format!("aWdfZAG1faXRlbTox{}", URL_SAFE_NO_PAD.encode(self.bytes::<30>()))
    }

    /// A message id of Green API.
    pub fn green_id(&mut self) -> String {
        format!("3EB0{}", hex::encode_upper(self.bytes::<10>()))
    }

    /// A token of Green API.
    pub fn green_token(&mut self) -> String {
        hex::encode(self.bytes::<25>())
    }

    /// A token or secret of Chatwoot.
    pub fn chatwoot_token(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<18>())
    }

    /// A random UUID.
    pub fn uuid(&mut self) -> String {
        let mut bytes = self.bytes::<16>();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let text = hex::encode(bytes);
        [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
    }

    /// A decimal id of `digits` digits that does not start with 0.
    pub fn decimal(&mut self, digits: usize) -> String {
        let first = char::from(b'1' + self.rng.random_range(0..9));
        let rest = (1..digits).map(|_| char::from(b'0' + self.rng.random_range(0..10)));
        std::iter::once(first).chain(rest).collect()
    }

    /// Meta's trace id of an error answer.
    pub fn trace_id(&mut self) -> String {
        format!("A{}", URL_SAFE_NO_PAD.encode(self.bytes::<17>()))
    }

    /// A short random word for control objects.
    pub fn word(&mut self) -> String {
        hex::encode(self.bytes::<5>())
    }

    /// True with this probability (0 never, 1 always).
    pub fn chance(&mut self, rate: f64) -> bool {
        rate > 0.0 && self.rng.random::<f64>() < rate
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.rng.random()
    }
}

/// The number or user id inside a WhatsApp message id.
#[must_use]
pub fn wamid_address(wamid: &str) -> Option<String> {
    let record = STANDARD.decode(wamid.strip_prefix("wamid.")?).ok()?;
    let length = usize::from(*record.get(2)?);
    String::from_utf8(record.get(3..3 + length)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wamid_holds_the_address_as_metas_do() {
        let wamid = IdMaker::new(Some(1)).wamid("6281390045512", WamidOrigin::Customer);
        let (_, encoded) = wamid.split_once('.').unwrap();
        let record = STANDARD.decode(encoded).unwrap();
        assert_eq!(&record[..3], b"\x1c\x18\x0d");
        assert_eq!(wamid_address(&wamid).as_deref(), Some("6281390045512"));
        assert_eq!(&record[16..22], b"\x15\x02\x00\x12\x18\x16");
        assert_eq!((record.len(), record.last()), (45, Some(&0)));
    }

    #[test]
    fn unseeded_makers_differ() {
        assert_ne!(IdMaker::new(None).decimal(15), IdMaker::new(None).decimal(15));
    }
}
