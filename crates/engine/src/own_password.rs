//! A user changes their own password: the present one is asked for, and every other sign-in ends.

use std::net::IpAddr;
use std::sync::Arc;

use frontdesk_channels::contract::FieldError;
use frontdesk_store::{StoreError, sessions, users};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Caller;
use crate::limits::secs_until;
use crate::passwords::{PasswordError, check_password};
use crate::sessions::Attempts;

/// A password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnPasswordError {
    /// The input is wrong; one sentence per field.
    #[error("the passwords are not valid")]
    Invalid(Vec<FieldError>),
    /// Too many tries: guessing here is guessing at the sign-in.
    #[error("Too many attempts. Try again in {retry_after_secs} seconds.")]
    TooMany {
        /// When the next one may succeed, in seconds.
        retry_after_secs: u64,
    },
    /// A password could not be hashed or compared.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error("the password could not be stored")]
    Store(#[from] StoreError),
}

/// Changes the caller's password. `cookie` is the sign-in that stays; all others end, with their sockets. API tokens
/// stay: they are listed and revoked apart.
pub async fn change(
    engine: &Engine,
    caller: &Caller,
    cookie: Option<&str>,
    present: String,
    wanted: String,
    address: IpAddr,
) -> Result<(), OwnPasswordError> {
    if let Some(wrong) = check_password(&wanted) {
        return Err(OwnPasswordError::Invalid(vec![FieldError { key: "new_password".to_owned(), ..wrong }]));
    }
    let (account, user, now) = (caller.account_id, caller.user_id, engine.clock.now());
    let per_minute = engine.settings.limits.login_per_minute;
    let attempts = Arc::new(Attempts::of(&caller.email, address, per_minute));
    let counted = attempts.clone();
    let (blocked, hash) = engine
        .store
        .write(move |tx| {
            let blocked = counted.take(tx, now)?;
            Ok::<_, StoreError>((blocked, users::password_hash(tx, account, user)?))
        })
        .await?;
    if let Some(until) = blocked {
        return Err(OwnPasswordError::TooMany { retry_after_secs: secs_until(until, now) });
    }
    if !engine.state.passwords.verify(present, hash.clone()).await? {
        return Err(wrong_present());
    }
    let new_hash = engine.state.passwords.hash(wanted).await?;
    let kept: Option<[u8; 32]> = cookie.map(|token| Sha256::digest(token).into());
    let actor = caller.actor();
    engine
        .store
        .write(move |tx| {
            // Changed by someone else while it was compared: then this one comes too late.
            if users::password_hash(tx, account, user)? != hash {
                return Err(wrong_present());
            }
            users::set_password(tx, account, user, &new_hash, now)?;
            match &kept {
                Some(kept) => sessions::delete_others(tx, account, user, kept)?,
                None => sessions::delete_of_user(tx, account, user)?,
            }
            attempts.forget_person(tx)?;
            let deed = Deed { action: "user.password_changed", subject_type: "user", subject_id: user.0 };
            audit::record(tx, actor, deed, Some(&json!({ "by": "self" })), now)?;
            Ok(())
        })
        .await
}

fn wrong_present() -> OwnPasswordError {
    let message = "The current password is wrong.".to_owned();
    OwnPasswordError::Invalid(vec![FieldError { key: "current_password".to_owned(), message }])
}
