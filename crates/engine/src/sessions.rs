//! Signing in and out of the web page.
//!
//! Guessing is slowed down per e-mail address and network address together, so that nobody can lock someone else
//! out; and per network address alone, so that trying many e-mail addresses does not help. The windows grow: after
//! each limit the wait is that of a longer one.

use std::net::IpAddr;
use std::sync::Arc;

use frontdesk_model::Timestamp;
use frontdesk_store::{StoreError, Tx, rate_limits, sessions, users};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Engine;
use crate::access::{self, Access};
use crate::audit::{self, Deed};
use crate::caller::Caller;
use crate::limits::secs_until;
use crate::passwords::PasswordError;
use crate::users::normal_email;
use crate::vault::{self, VaultError};

const MINUTE_MS: i64 = 60_000;
/// Windows in milliseconds, and how many times the limit of the settings each allows.
const PER_PERSON: [(i64, i64); 3] = [(MINUTE_MS, 1), (15 * MINUTE_MS, 2), (24 * 60 * MINUTE_MS, 5)];
const PER_ADDRESS: [(i64, i64); 2] = [(MINUTE_MS, 5), (60 * MINUTE_MS, 30)];

/// Someone just signed in.
pub struct SignIn {
    /// What the cookie holds; not kept here.
    pub token: String,
    /// How long it holds, in seconds.
    pub max_age_secs: i64,
    /// Who it is.
    pub caller: Caller,
}

/// A sign-in was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown address, wrong password or disabled: which one is not told.
    #[error("The e-mail address or the password is wrong.")]
    WrongCredentials,
    /// Too many tries.
    #[error("Too many sign-in attempts. Try again in {retry_after_secs} seconds.")]
    TooMany {
        /// When the next one may succeed, in seconds.
        retry_after_secs: u64,
    },
    /// The password could not be compared.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No token could be made.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the sign-in could not be stored")]
    Store(#[from] StoreError),
}

/// Signs a user in.
pub async fn sign_in(
    engine: &Engine,
    email: &str,
    password: &str,
    address: IpAddr,
) -> Result<SignIn, SignInError> {
    sign_in_for(engine, email, password, address, engine.settings.session_secs).await
}

/// The same for so many seconds.
pub(crate) async fn sign_in_for(
    engine: &Engine,
    email: &str,
    password: &str,
    address: IpAddr,
    secs: i64,
) -> Result<SignIn, SignInError> {
    let email = normal_email(email);
    let attempts = Arc::new(Attempts::of(&email, address, engine.settings.limits.login_per_minute));
    let now = engine.clock.now();
    let counted = attempts.clone();
    let blocked = engine.store.write(move |tx| counted.take(tx, now)).await?;
    if let Some(until) = blocked {
        tracing::info!(address = %address, "A sign-in was refused: too many attempts");
        return Err(SignInError::TooMany { retry_after_secs: secs_until(until, now) });
    }

    let found = engine
        .store
        .read(move |tx| -> Result<_, StoreError> {
            let user = users::find_by_email(tx, &email)?.filter(|u| u.disabled_at.is_none());
            let hash = match &user {
                Some(user) => users::password_hash(tx, user.account_id, user.id)?,
                None => None,
            };
            Ok((user, hash))
        })
        .await?;
    let (user, hash) = found;
    let checked_hash = hash.clone();
    let fits = engine.state.passwords.verify(password.to_owned(), hash).await?;
    let Some(user) = user.filter(|_| fits) else {
        tracing::info!(address = %address, "A sign-in was refused");
        return Err(SignInError::WrongCredentials);
    };

    let token = hex::encode(vault::random::<32>()?);
    let token_hash: [u8; 32] = Sha256::digest(&token).into();
    let (account, user) = (user.account_id, user.id);
    let caller = engine
        .store
        .write(move |tx| -> Result<_, SignInError> {
            // The password may have been changed while it was compared: then this sign-in comes too late.
            if users::password_hash(tx, account, user)? != checked_hash {
                return Err(SignInError::WrongCredentials);
            }
            let caller = access::load_caller(tx, account, user, None)?;
            let (caller, _) = caller.ok_or(SignInError::WrongCredentials)?;
            sessions::insert(tx, &token_hash, account, user, now, now.plus_ms(secs * 1000))?;
            users::touch(tx, account, user, now)?;
            attempts.forget_person(tx)?;
            let deed = Deed { action: "session.created", subject_type: "user", subject_id: user.0 };
            audit::record(tx, caller.actor(), deed, Some(&json!({})), now)?;
            Ok(caller)
        })
        .await?;
    Ok(SignIn { token, max_age_secs: secs, caller })
}

/// Who holds this cookie; `None` when it is unknown or has ended.
pub async fn find_caller(engine: &Engine, token: &str) -> Result<Option<Caller>, StoreError> {
    let token_hash: [u8; 32] = Sha256::digest(token).into();
    let look_up = move |tx: &mut Tx<'_>| {
        let Some((account, user, expires_at)) = sessions::find(tx, &token_hash)? else { return Ok(None) };
        let caller = access::load_caller(tx, account, user, None)?;
        Ok(caller.map(|(caller, user_seen_at)| Access {
            caller,
            expires_at: Some(expires_at),
            user_seen_at,
            token_used_at: None,
        }))
    };
    let found = access::find(engine, access::access_key("session", token), look_up).await?;
    Ok(found.map(|access| access.caller.clone()))
}

/// Signs out: the cookie holds nowhere any more.
pub async fn sign_out(engine: &Engine, token: &str) -> Result<(), StoreError> {
    let token_hash: [u8; 32] = Sha256::digest(token).into();
    engine.store.write(move |tx| sessions::delete(tx, &token_hash)).await
}

/// The counters one attempt is counted in. E-mail addresses stand in them as a digest.
pub(crate) struct Attempts {
    person: Vec<Counter>,
    address: Vec<Counter>,
}

struct Counter {
    name: String,
    window_ms: i64,
    limit: i64,
}

impl Attempts {
    pub(crate) fn of(email: &str, address: IpAddr, per_minute: u32) -> Self {
        let network = network(address);
        let digest = hex::encode(&Sha256::digest(email)[..16]);
        let counters = |name: String, windows: &[(i64, i64)]| {
            let counter = |(window_ms, times): &(i64, i64)| Counter {
                name: format!("{name}:{}", window_ms / 1000),
                window_ms: *window_ms,
                limit: times * i64::from(per_minute),
            };
            windows.iter().map(counter).collect()
        };
        Self {
            person: counters(format!("login:{network}:{digest}"), &PER_PERSON),
            address: counters(format!("login:{network}"), &PER_ADDRESS),
        }
    }

    /// Counts the attempt. When it is one too many: until when.
    pub(crate) fn take(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut blocked = None;
        for counter in self.person.iter().chain(&self.address) {
            let used = rate_limits::take(tx, &counter.name, counter.window_ms, now)?;
            if used.count > counter.limit {
                blocked = blocked.max(Some(used.resets_at));
            }
        }
        Ok(blocked)
    }

    /// A right password clears the person's record.
    pub(crate) fn forget_person(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.person.iter().try_for_each(|counter| rate_limits::reset(tx, &counter.name))
    }
}

/// What belongs to one subscriber: an IPv4 address, or the first 64 bits of an IPv6 address.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_ipv6_network_count_as_one() {
        assert_eq!(network("2001:db8:1:2:3::4".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:192.0.2.7".parse().unwrap()), "192.0.2.7");
    }
}
