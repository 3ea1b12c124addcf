//! `frontdesk user …`: who signs in.

use clap::{Args, Subcommand, ValueEnum};
use frontdesk_engine::Engine;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::users::{self, NewUser, UserChanges, UserError};
use frontdesk_model::UserId;
use frontdesk_model::user::Role;
use frontdesk_store::users::UserRow;
use serde_json::json;

use super::account::{get_or_create, get_user, refused};
use super::{Surroundings, UsageError, output};

/// Users on one page of a list from the database.
const PAGE: i64 = 200;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a user; prints its id
    Create(Create),
    /// List users
    List(List),
    /// Give a user another password, from stdin; ends all its sign-ins and tokens
    SetPassword(Named),
    /// Refuse a user from now on; ends all its sign-ins and tokens
    Disable(Named),
    /// Let a user in again
    Enable(Named),
}

#[derive(Args)]
pub struct Create {
    /// E-mail address to sign in with
    #[arg(long)]
    email: String,
    /// The name that customers and colleagues see
    #[arg(long)]
    name: String,
    /// What the user may do
    #[arg(long, value_enum, default_value = "agent")]
    role: RoleName,
    /// Read the password from stdin; it does not belong on a command line, which others can see
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Account the user belongs to; made when there is none of that name
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

#[derive(Args)]
pub struct List {
    /// Account whose users are listed
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Named {
    /// E-mail address of the user
    #[arg(long)]
    email: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    /// Answers customers, and manages inboxes, users and tokens
    Admin,
    /// Answers customers
    Agent,
}

pub async fn run(command: UserCommand, surroundings: &Surroundings) -> anyhow::Result<()> {
    let engine = surroundings.engine().await?;
    match command {
        UserCommand::Create(create) => add(&engine, create).await,
        UserCommand::List(list) => print(&engine, list).await,
        UserCommand::SetPassword(named) => {
            let password = Some(output::stdin_text()?);
            change(&engine, &named, UserChanges { password, ..UserChanges::default() }).await
        }
        UserCommand::Disable(named) => {
            change(&engine, &named, UserChanges { disabled: Some(true), ..UserChanges::default() }).await
        }
        UserCommand::Enable(named) => {
            change(&engine, &named, UserChanges { disabled: Some(false), ..UserChanges::default() }).await
        }
    }
}

async fn add(engine: &Engine, create: Create) -> anyhow::Result<()> {
    let password = output::stdin_text()?;
    if password.is_empty() {
        return Err(UsageError("stdin is empty: the password is expected there".to_owned()).into());
    }
    let account = get_or_create(engine, create.account.as_deref()).await?;
    let role = match create.role {
        RoleName::Admin => Role::Admin,
        RoleName::Agent => Role::Agent,
    };
    let new = NewUser { email: create.email, name: create.name, role, password };
    let user = users::create(engine, Actor::server(account.id), new).await.map_err(explained)?;
    output::note(format_args!("Added {} to the account {} as {}.", user.email, account.name, user.role));
    Ok(output::line(user.id)?)
}

async fn print(engine: &Engine, list: List) -> anyhow::Result<()> {
    let account = get_or_create(engine, list.account.as_deref()).await?;
    let mut all: Vec<UserRow> = Vec::new();
    loop {
        let after = all.last().map_or(UserId(0), |user| user.id);
        let page = users::list(engine, account.id, after, PAGE).await?;
        let is_last = (page.len() as i64) < PAGE;
        all.extend(page);
        if is_last {
            break;
        }
    }
    if list.json {
        let users: Vec<_> = all
            .iter()
            .map(|u| {
                json!({ "id": u.id, "email": u.email, "name": u.name, "role": u.role,
                    "disabled": u.disabled_at.is_some(), "created_at": u.created_at, "last_seen_at": u.last_seen_at })
            })
            .collect();
        return output::json(&users);
    }
    let rows: Vec<[String; 5]> = all
        .into_iter()
        .map(|user| {
            let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
            [user.id.to_string(), user.email, user.name, user.role.to_string(), state.to_owned()]
        })
        .collect();
    Ok(output::table(["ID", "E-MAIL", "NAME", "ROLE", "STATE"], &rows)?)
}

async fn change(engine: &Engine, named: &Named, changes: UserChanges) -> anyhow::Result<()> {
    let user = get_user(engine, &named.email).await?;
    users::update(engine, Actor::server(user.account_id), user.id, changes).await.map_err(explained)?;
    Ok(())
}

fn explained(error: UserError) -> anyhow::Error {
    match error {
        UserError::Invalid(wrong) => refused("the user", &wrong),
        other => other.into(),
    }
}
