//! Which account a command is about, and how wrong input is told.

use frontdesk_channels::contract::FieldError;
use frontdesk_engine::{Engine, accounts, users};
use frontdesk_store::accounts::AccountRow;
use frontdesk_store::users::UserRow;

use super::UsageError;

/// The account of this name, made when there is none; without a name the one that the first start makes.
pub async fn get_or_create(engine: &Engine, name: Option<&str>) -> anyhow::Result<AccountRow> {
    Ok(match name {
        Some(name) => accounts::get_or_create_by_name(engine, name).await?,
        None => accounts::bootstrap(engine).await?,
    })
}

/// The user with this e-mail address.
pub async fn get_user(engine: &Engine, email: &str) -> anyhow::Result<UserRow> {
    let user = users::find_by_email(engine, email).await?;
    user.ok_or_else(|| UsageError(format!("there is no user with the e-mail address {email}")).into())
}

/// Wrong fields as one error: exit code 2, a line for each.
pub fn refused(what: &str, wrong: &[FieldError]) -> anyhow::Error {
    let lines: Vec<String> = wrong.iter().map(|w| format!("\n  {}: {}", w.key, w.message)).collect();
    UsageError(format!("{what} cannot be stored:{}", lines.concat())).into()
}
