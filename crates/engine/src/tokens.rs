//! API tokens: `id|secret`, shown once, kept as a digest. The secret has 256 random bits, so a plain digest will do.

use frontdesk_channels::contract::FieldError;
use frontdesk_model::user::Ability;
use frontdesk_model::{AccountId, Timestamp, TokenId, UserId};
use frontdesk_store::api_tokens::{self, NewTokenRow, TokenRow};
use frontdesk_store::{StoreError, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Engine;
use crate::access::{self, Access};
use crate::audit::{self, Deed};
use crate::caller::{Actor, Caller, CallerToken};
use crate::vault::{self, VaultError};

const MAX_NAME_CHARS: usize = 100;
/// Longer text is no token of ours.
const MAX_TOKEN_BYTES: usize = 128;

/// A token to make.
pub struct NewToken {
    /// Whose it becomes.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub abilities: Vec<Ability>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A token just made.
pub struct IssuedToken {
    /// `id|secret`: shown now and never again.
    pub token: String,
    /// What is kept of it.
    pub row: TokenRow,
}

/// A token could not be made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The input is wrong; one sentence per field.
    #[error("the token's data are not valid")]
    Invalid(Vec<FieldError>),
    /// There is no such token here, or it is someone else's.
    #[error("there is no such token")]
    NotFound,
    /// No secret could be made.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the token could not be stored")]
    Store(#[from] StoreError),
}

/// Makes a token for a user of the actor's account.
pub async fn create(engine: &Engine, actor: Actor, new: NewToken) -> Result<IssuedToken, TokenError> {
    let now = engine.clock.now();
    let name = new.name.trim().to_owned();
    check(&new, now)?;
    let secret = hex::encode(vault::random::<32>()?);
    let token_hash: [u8; 32] = Sha256::digest(&secret).into();
    let mut abilities = new.abilities;
    abilities.sort_unstable();
    abilities.dedup();
    let row = engine
        .store
        .write(move |tx| -> Result<_, TokenError> {
            let row = NewTokenRow {
                account_id: actor.account_id,
                user_id: new.user_id,
                name: &name,
                token_hash: &token_hash,
                abilities: &abilities,
                expires_at: new.expires_at,
            };
            let id = api_tokens::insert(tx, row, now)?;
            let details = json!({ "name": name, "abilities": abilities, "user_id": new.user_id });
            record(tx, actor, "token.created", id, Some(&details), now)?;
            api_tokens::find(tx, actor.account_id, id)?.ok_or(TokenError::NotFound)
        })
        .await?;
    Ok(IssuedToken { token: format!("{}|{secret}", row.id), row })
}

/// Ends a token: one of `of_user`, or any of the account when `None`.
pub async fn revoke(
    engine: &Engine,
    actor: Actor,
    token: TokenId,
    of_user: Option<UserId>,
) -> Result<(), TokenError> {
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| {
            let row = api_tokens::find(tx, actor.account_id, token)?;
            let row = row.filter(|row| of_user.is_none_or(|user| user == row.user_id));
            if row.is_none() || !api_tokens::revoke(tx, actor.account_id, token, now)? {
                return Err(TokenError::NotFound);
            }
            Ok(record(tx, actor, "token.revoked", token, None, now)?)
        })
        .await
}

/// Tokens after an id: of one user, or of the whole account.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    of_user: Option<UserId>,
    after: TokenId,
    limit: i64,
) -> Result<Vec<TokenRow>, StoreError> {
    engine.store.read(move |tx| api_tokens::list(tx, account, of_user, after, limit)).await
}

/// Who presents this token; `None` when it is unknown, revoked or expired, or its user disabled.
pub async fn find_caller(engine: &Engine, token: &str) -> Result<Option<Caller>, StoreError> {
    let Some((id, secret)) = split(token) else { return Ok(None) };
    let presented: [u8; 32] = Sha256::digest(secret).into();
    let look_up = move |tx: &mut Tx<'_>| {
        let Some(known) = api_tokens::find_secret(tx, id)? else { return Ok(None) };
        if !bool::from(known.token_hash.ct_eq(&presented)) {
            return Ok(None);
        }
        let token = CallerToken { id, abilities: known.abilities };
        let caller = access::load_caller(tx, known.account_id, known.user_id, Some(token))?;
        Ok(caller.map(|(caller, user_seen_at)| Access {
            caller,
            expires_at: known.expires_at,
            user_seen_at,
            token_used_at: known.last_used_at,
        }))
    };
    let found = access::find(engine, access::access_key("token", token), look_up).await?;
    Ok(found.map(|access| access.caller.clone()))
}

fn split(token: &str) -> Option<(TokenId, &str)> {
    let (id, secret) = token.split_once('|')?;
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if !digits || token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    Some((TokenId(id.parse().ok()?), secret))
}

fn check(new: &NewToken, now: Timestamp) -> Result<(), TokenError> {
    let mut wrong = Vec::new();
    let mut refuse = |key: &str, message: &str| {
        wrong.push(FieldError { key: key.to_owned(), message: message.to_owned() });
    };
    if new.name.trim().is_empty() {
        refuse("name", "The name field is required.");
    } else if new.name.chars().count() > MAX_NAME_CHARS || new.name.chars().any(char::is_control) {
        refuse("name", "The name field must be one line of at most 100 characters.");
    }
    if new.abilities.is_empty() {
        refuse("abilities", "The abilities field must name at least one ability.");
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        refuse("expires_at", "The expires_at field must be a time in the future.");
    }
    if wrong.is_empty() { Ok(()) } else { Err(TokenError::Invalid(wrong)) }
}

fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    token: TokenId,
    details: Option<&serde_json::Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::record(tx, actor, Deed { action, subject_type: "token", subject_id: token.0 }, details, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_number_a_bar_and_a_secret() {
        assert_eq!(split("12|abc"), Some((TokenId(12), "abc")));
        for wrong in ["", "|", "|abc", "abc", "+1|abc", "-1|abc", "99999999999999999999|abc"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
        assert_eq!(split(&format!("1|{}", "a".repeat(500))), None);
    }
}
