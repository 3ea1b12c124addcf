//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key that never enters the database.
//!
//! An envelope is `1 byte version | 4 bytes key id | 24 bytes nonce | ciphertext`. The purpose and the owner are bound
//! in as associated data, so that a sealed value copied to another row does not open there.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const HEADER: usize = 5;
const NONCE: usize = 24;

/// Random bytes from the operating system: tokens, keys, nonces.
pub fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    Ok(bytes)
}

/// Seals and opens secrets, and derives the keys of signatures.
pub struct Vault {
    key: [u8; 32],
    key_id: [u8; 4],
}

/// Why a sealed value does not open.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Not made by this program, or cut short.
    #[error("a sealed value is damaged")]
    Damaged,
    /// Sealed under another key.
    #[error(
        "a stored secret was sealed with another key: restore the FRONTDESK_SECRET_KEY (or key file) this database was made with"
    )]
    OtherKey,
    /// The operating system gave no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl Vault {
    /// Uses `key`, 32 bytes.
    pub fn new(key: [u8; 32]) -> Self {
        let digest = Sha256::digest(key);
        Self { key, key_id: [digest[0], digest[1], digest[2], digest[3]] }
    }

    /// Seals `secret` for `purpose` (table, column, row).
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE] = random()?;
        let cipher = XChaCha20Poly1305::new(&self.key.into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: purpose.as_bytes() })
            .map_err(|_| VaultError::Damaged)?;
        let mut envelope = Vec::with_capacity(HEADER + NONCE + sealed.len());
        envelope.push(VERSION);
        envelope.extend_from_slice(&self.key_id);
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&sealed);
        Ok(envelope)
    }

    /// Opens what [`Vault::seal`] made for the same purpose.
    pub fn open(&self, purpose: &str, envelope: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (header, rest) = envelope.split_at_checked(HEADER).ok_or(VaultError::Damaged)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(VaultError::Damaged)?;
        if header[0] != VERSION {
            return Err(VaultError::Damaged);
        }
        if header[1..] != self.key_id {
            return Err(VaultError::OtherKey);
        }
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Damaged)?;
        let cipher = XChaCha20Poly1305::new(&self.key.into());
        cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: purpose.as_bytes() })
            .map_err(|_| VaultError::Damaged)
    }

    /// A signature over `text` for `purpose` (media addresses), in lower-case hex.
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key)
            .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Checks what [`Vault::sign`] made, in constant time.
    pub fn is_signed(&self, purpose: &str, text: &str, signature: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.sign(purpose, text).as_bytes().ct_eq(signature.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_for_its_purpose_and_key() {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal("inbox:1", b"EAAtoken").unwrap();
        assert!(!sealed.windows(8).any(|w| w == b"EAAtoken"));
        assert_eq!(vault.open("inbox:1", &sealed).unwrap(), b"EAAtoken");
        assert!(matches!(vault.open("inbox:2", &sealed), Err(VaultError::Damaged)));
        assert!(matches!(Vault::new([8; 32]).open("inbox:1", &sealed), Err(VaultError::OtherKey)));
        for cut in 0..sealed.len() {
            assert!(vault.open("inbox:1", &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn a_signature_holds_for_its_text_and_purpose() {
        let vault = Vault::new([7; 32]);
        let signature = vault.sign("media", "1/2");
        assert!(vault.is_signed("media", "1/2", &signature));
        assert!(!vault.is_signed("media", "1/3", &signature));
        assert!(!vault.is_signed("other", "1/2", &signature));
    }
}
