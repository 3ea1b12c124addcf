//! Sockets end with the sign-in or token they were authenticated with.
//!
//! A socket remembers whose cookie or token authorised its channels. When anyone's access changes (and once a
//! minute, for what ends by itself) each node asks the database which of those still hold, and closes the others.

use std::time::Duration;

use frontdesk_model::{AccountId, Timestamp, TokenId, UserId};
use frontdesk_store::{StoreError, Topic, Tx, api_tokens, sessions, users};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hub::Whose;
use crate::Engine;
use crate::caller::Caller;

const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What authenticated a socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Login {
    /// Whose it is.
    pub user_id: UserId,
    /// Which.
    pub by: LoginBy,
}

/// A sign-in or a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginBy {
    /// A sign-in of the page, by the hash its row is kept under, in hex.
    Session(String),
    /// An API token.
    Token(TokenId),
}

impl Login {
    /// The login of a caller: their token, or the cookie they came with.
    pub fn of(caller: &Caller, cookie: Option<&str>) -> Option<Self> {
        let by = match (&caller.token, cookie) {
            (Some(token), _) => LoginBy::Token(token.id),
            (None, Some(cookie)) => LoginBy::Session(hex::encode(Sha256::digest(cookie))),
            (None, None) => return None,
        };
        Some(Self { user_id: caller.user_id, by })
    }

    /// True while the user may sign in and the cookie or token is valid.
    fn holds(&self, tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<bool, StoreError> {
        if users::find(tx, account, self.user_id)?.is_none_or(|user| user.disabled_at.is_some()) {
            return Ok(false);
        }
        Ok(match &self.by {
            LoginBy::Session(hash) => {
                let mut token_hash = [0; 32];
                hex::decode_to_slice(hash, &mut token_hash).is_ok()
                    && sessions::find(tx, &token_hash)?.is_some_and(|(owner, user, expires_at)| {
                        (owner, user) == (account, self.user_id) && expires_at > now
                    })
            }
            LoginBy::Token(id) => api_tokens::find_secret(tx, *id)?.is_some_and(|token| {
                (token.account_id, token.user_id) == (account, self.user_id)
                    && token.expires_at.is_none_or(|at| at > now)
            }),
        })
    }
}

/// Closes sockets whose login ended, until the engine stops.
pub(super) async fn run(engine: Engine) {
    let mut bell = engine.store.signals().listen(Topic::Access);
    loop {
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            Ok(()) = bell.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = close_ended(&engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "it could not be checked whose access ended"
            );
        }
    }
}

async fn close_ended(engine: &Engine) -> Result<(), StoreError> {
    let logins = engine.realtime().hub.logins();
    if logins.is_empty() {
        return Ok(());
    }
    let now = engine.clock.now();
    let ended = engine
        .store
        .read(move |tx| {
            let mut ended = Vec::new();
            for (account, login) in &logins {
                if !login.holds(tx, *account, now)? {
                    ended.push((*account, login.clone()));
                }
            }
            Ok::<_, StoreError>(ended)
        })
        .await?;
    for (account, login) in ended {
        engine.realtime().hub.terminate(account, &Whose::Login(login));
    }
    Ok(())
}
