//! Users: adding, changing and disabling those who sign in.

use frontdesk_channels::contract::FieldError;
use frontdesk_model::user::Role;
use frontdesk_model::{AccountId, Timestamp, UserId};
use frontdesk_store::users::{NewUserRow, UserRow};
use frontdesk_store::{StoreError, Tx, api_tokens, sessions, users};
use serde_json::json;

use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::passwords::{PasswordError, check_password};

const MAX_NAME_CHARS: usize = 100;
const MAX_EMAIL_BYTES: usize = 254; // RFC 5321

/// A user to add.
pub struct NewUser {
    /// Trimmed and lower-cased here.
    pub email: String,
    /// The name customers and colleagues see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// In the clear; at least [`crate::passwords::MIN_CHARS`] characters.
    pub password: String,
}

/// What to change about a user; `None` leaves it.
#[derive(Default)]
pub struct UserChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another role.
    pub role: Option<Role>,
    /// Another password: ends all sign-ins and tokens of the user.
    pub password: Option<String>,
    /// True ends all sign-ins and tokens of the user and refuses new ones.
    pub disabled: Option<bool>,
}

/// A user could not be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The input is wrong; one sentence per field.
    #[error("the user's data are not valid")]
    Invalid(Vec<FieldError>),
    /// There is no such user in this account.
    #[error("there is no such user")]
    NotFound,
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error("the user could not be stored")]
    Store(#[from] StoreError),
}

/// Adds a user to the actor's account.
pub async fn create(engine: &Engine, actor: Actor, user: NewUser) -> Result<UserRow, UserError> {
    let email = normal_email(&user.email);
    let name = user.name.trim().to_owned();
    let checks = [check_email(&email), check_name(&user.name), check_password(&user.password)];
    let wrong: Vec<FieldError> = checks.into_iter().flatten().collect();
    if !wrong.is_empty() {
        return Err(UserError::Invalid(wrong));
    }
    let hash = engine.state.passwords.hash(user.password).await?;
    let (role, now) = (user.role, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let new = NewUserRow {
                account_id: actor.account_id,
                email: &email,
                name: &name,
                role,
                password_hash: &hash,
            };
            let Some(id) = users::insert(tx, new, now)? else {
                return Err(invalid("email", "The email has already been taken."));
            };
            record(tx, actor, "user.created", id, &json!({ "role": role }), now)?;
            users::find(tx, actor.account_id, id)?.ok_or(UserError::NotFound)
        })
        .await
}

/// Changes a user of the actor's account. The last admin who can sign in can be neither demoted nor disabled.
pub async fn update(
    engine: &Engine,
    actor: Actor,
    user: UserId,
    changes: UserChanges,
) -> Result<UserRow, UserError> {
    let checks =
        [changes.name.as_deref().and_then(check_name), changes.password.as_deref().and_then(check_password)];
    let name = changes.name.map(|n| n.trim().to_owned());
    let wrong: Vec<FieldError> = checks.into_iter().flatten().collect();
    if !wrong.is_empty() {
        return Err(UserError::Invalid(wrong));
    }
    let hash = match changes.password {
        Some(password) => Some(engine.state.passwords.hash(password).await?),
        None => None,
    };
    let (role, disabled, now) = (changes.role, changes.disabled, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let before = users::find(tx, actor.account_id, user)?.ok_or(UserError::NotFound)?;
            let mut after = before.clone();
            after.name = name.clone().unwrap_or(after.name);
            after.role = role.unwrap_or(after.role);
            match disabled {
                Some(true) => after.disabled_at = before.disabled_at.or(Some(now)),
                Some(false) => after.disabled_at = None,
                None => {}
            }
            check_an_admin_remains(tx, &before, &after)?;
            users::update(tx, &after, now)?;
            if let Some(hash) = &hash {
                users::set_password(tx, actor.account_id, user, hash, now)?;
            }
            if hash.is_some() || after.disabled_at.is_some() {
                sessions::delete_of_user(tx, actor.account_id, user)?;
                api_tokens::revoke_of_user(tx, actor.account_id, user, now)?;
            }
            let details = json!({
                "name": after.name,
                "role": after.role,
                "disabled": after.disabled_at.is_some(),
                "password_changed": hash.is_some(),
            });
            record(tx, actor, "user.updated", user, &details, now)?;
            Ok(after)
        })
        .await
}

/// Users of an account after an id.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserRow>, StoreError> {
    engine.store.read(move |tx| users::list(tx, account, after, limit)).await
}

/// The user with this e-mail address, of whatever account: for the command line.
pub async fn find_by_email(engine: &Engine, email: &str) -> Result<Option<UserRow>, StoreError> {
    let email = normal_email(email);
    engine.store.read(move |tx| users::find_by_email(tx, &email)).await
}

/// E-mail addresses are compared trimmed and in lower case.
pub(crate) fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

fn check_an_admin_remains(tx: &mut Tx<'_>, before: &UserRow, after: &UserRow) -> Result<(), UserError> {
    let is_admin = |u: &UserRow| u.role == Role::Admin && u.disabled_at.is_none();
    if !is_admin(before) || is_admin(after) || users::has_other_admin(tx, before.account_id, before.id)? {
        return Ok(());
    }
    let (field, message) = if after.role == Role::Admin {
        ("disabled", "The last administrator cannot be disabled.")
    } else {
        ("role", "The last administrator cannot lose the role.")
    };
    Err(invalid(field, message))
}

fn check_email(email: &str) -> Option<FieldError> {
    if email.is_empty() {
        return Some(field_error("email", "The email field is required."));
    }
    if is_email(email) {
        return None;
    }
    Some(field_error("email", "The email field must be a valid email address."))
}

/// True when a text has the shape of an e-mail address.
pub(crate) fn is_email(email: &str) -> bool {
    let valid = email
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    let clean = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    valid && clean && email.len() <= MAX_EMAIL_BYTES
}

/// Checks a name as it was given: what is cut off at its ends counts too.
fn check_name(name: &str) -> Option<FieldError> {
    if name.trim().is_empty() {
        return Some(field_error("name", "The name field is required."));
    }
    if name.chars().any(char::is_control) {
        return Some(field_error("name", "The name field must be one line."));
    }
    (name.chars().count() > MAX_NAME_CHARS).then(|| {
        field_error("name", &format!("The name field must not be greater than {MAX_NAME_CHARS} characters."))
    })
}

fn field_error(key: &str, message: &str) -> FieldError {
    FieldError { key: key.to_owned(), message: message.to_owned() }
}

fn invalid(key: &str, message: &str) -> UserError {
    UserError::Invalid(vec![field_error(key, message)])
}

fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    user: UserId,
    details: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::record(tx, actor, Deed { action, subject_type: "user", subject_id: user.0 }, Some(details), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_two_parts_are_refused() {
        for wrong in ["", "ada", "@example.org", "ada@", "a@b@c", "a da@example.org", "ada@exa\nmple.org"] {
            assert!(check_email(wrong).is_some(), "{wrong}");
        }
        assert!(check_email("ada@example.org").is_none());
        assert!(check_email("ada@localhost").is_none());
    }
}
