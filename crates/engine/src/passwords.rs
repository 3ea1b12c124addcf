//! Passwords: hashed with Argon2id (RFC 9106's second recommendation scaled as OWASP has it: 19 MiB, two passes).

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use frontdesk_channels::contract::FieldError;
use tokio::sync::Semaphore;

/// The shortest password accepted, in characters.
pub const MIN_CHARS: usize = 10;
/// The longest one.
pub const MAX_CHARS: usize = 256;
/// How many are hashed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Compared with when nobody has the e-mail address, so that the answer takes as long. Opens for no password.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ZnJvbnRkZXNrZGVjb3kxMg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The hash function refused.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    /// The thread it ran on is gone.
    #[error("a password could not be hashed since the server is stopping")]
    Stopped,
}

/// Where passwords wait for their turn.
pub(crate) struct PasswordDesk {
    turns: Arc<Semaphore>,
}

impl Default for PasswordDesk {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl PasswordDesk {
    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|h| h.to_string()).map_err(|e| PasswordError::Hash(e.to_string()))
        })
        .await
    }

    /// True when the password belongs to the hash. Without a hash it takes as long and is false.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| DECOY.to_owned());
            let parsed = PasswordHash::new(&hash).map_err(|e| PasswordError::Hash(e.to_string()))?;
            let fits = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(known && fits)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| PasswordError::Stopped)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|_| PasswordError::Stopped)?
    }
}

/// Refuses passwords that are too short, or so long that they cannot be meant.
pub(crate) fn check_password(password: &str) -> Option<FieldError> {
    let message = match password.chars().count() {
        n if n < MIN_CHARS => format!("The password field must be at least {MIN_CHARS} characters."),
        n if n > MAX_CHARS => format!("The password field must not be greater than {MAX_CHARS} characters."),
        _ => return None,
    };
    Some(FieldError { key: "password".to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let desk = PasswordDesk::default();
        let hash = desk.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(desk.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!desk.verify("wrong horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!desk.verify("correct horse".to_owned(), None).await.unwrap());
    }

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        let real = Argon2::default().hash_password(b"anything at all").unwrap();
        assert_eq!(decoy.params.to_string(), real.params.to_string());
        assert_eq!(decoy.algorithm, real.algorithm);
    }

    #[test]
    fn characters_count_and_not_bytes() {
        assert!(check_password("ééééééééé").is_some());
        assert!(check_password("éééééééééé").is_none());
        assert!(check_password(&"x".repeat(257)).is_some());
    }
}
