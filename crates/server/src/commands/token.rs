//! `frontdesk token …`: keys for programs.

use clap::{Args, Subcommand};
use frontdesk_engine::Engine;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::tokens::{self, NewToken, TokenError};
use frontdesk_model::user::Ability;
use frontdesk_model::{Timestamp, TokenId};
use frontdesk_store::api_tokens::TokenRow;
use serde_json::json;

use super::account::{get_or_create, get_user, refused};
use super::{Surroundings, UsageError, output};

/// Tokens on one page of a list from the database.
const PAGE: i64 = 200;
const DAY_MS: i64 = 86_400_000;

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token; prints it, and nothing else, on stdout. It cannot be shown again
    Create(Create),
    /// List tokens
    List(List),
    /// End a token
    Revoke(Revoke),
}

#[derive(Args)]
pub struct Create {
    /// E-mail address of the user it acts for
    #[arg(long)]
    email: String,
    /// What it is for
    #[arg(long, default_value = "command line")]
    name: String,
    /// What it may do: * (everything its user may), inbox:read, inbox:write, admin. Repeat for several
    #[arg(long, value_name = "ABILITY", default_value = "*")]
    ability: Vec<String>,
    /// Ends by itself after so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3650))]
    expires_in_days: Option<i64>,
}

#[derive(Args)]
pub struct List {
    /// Only those of this user
    #[arg(long)]
    email: Option<String>,
    /// Account whose tokens are listed
    #[arg(long, value_name = "NAME", conflicts_with = "email")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Revoke {
    /// The number before the bar
    #[arg(long)]
    id: i64,
    /// Account it belongs to
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

pub async fn run(command: TokenCommand, surroundings: &Surroundings) -> anyhow::Result<()> {
    let engine = surroundings.engine().await?;
    match command {
        TokenCommand::Create(create) => make(&engine, create, surroundings.clock.now()).await,
        TokenCommand::List(list) => print(&engine, list).await,
        TokenCommand::Revoke(revoke) => {
            let account = get_or_create(&engine, revoke.account.as_deref()).await?;
            match tokens::revoke(&engine, Actor::server(account.id), TokenId(revoke.id), None).await {
                Err(TokenError::NotFound) => {
                    let message = format!("the account {} has no token {} in use", account.name, revoke.id);
                    Err(UsageError(message).into())
                }
                other => Ok(other?),
            }
        }
    }
}

async fn make(engine: &Engine, create: Create, now: Timestamp) -> anyhow::Result<()> {
    let abilities = create.ability.iter().map(|word| ability(word)).collect::<Result<Vec<_>, _>>()?;
    let user = get_user(engine, &create.email).await?;
    let new = NewToken {
        user_id: user.id,
        name: create.name,
        abilities,
        expires_at: create.expires_in_days.map(|days| now.plus_ms(days * DAY_MS)),
    };
    match tokens::create(engine, Actor::server(user.account_id), new).await {
        Ok(issued) => Ok(output::line(issued.token)?),
        Err(TokenError::Invalid(wrong)) => Err(refused("the token", &wrong)),
        Err(other) => Err(other.into()),
    }
}

fn ability(word: &str) -> Result<Ability, UsageError> {
    Ability::parse(word).ok_or_else(|| {
        UsageError(format!("there is no ability {word}; take *, inbox:read, inbox:write or admin"))
    })
}

async fn print(engine: &Engine, list: List) -> anyhow::Result<()> {
    let (account, of_user) = match &list.email {
        Some(email) => {
            let user = get_user(engine, email).await?;
            (user.account_id, Some(user.id))
        }
        None => (get_or_create(engine, list.account.as_deref()).await?.id, None),
    };
    let mut all: Vec<TokenRow> = Vec::new();
    loop {
        let after = all.last().map_or(TokenId(0), |token| token.id);
        let page = tokens::list(engine, account, of_user, after, PAGE).await?;
        let is_last = (page.len() as i64) < PAGE;
        all.extend(page);
        if is_last {
            break;
        }
    }
    if list.json {
        let tokens: Vec<_> = all
            .iter()
            .map(|t| {
                json!({ "id": t.id, "name": t.name, "user": { "id": t.user_id, "name": t.user_name },
                    "abilities": t.abilities, "last_used_at": t.last_used_at, "expires_at": t.expires_at,
                    "created_at": t.created_at })
            })
            .collect();
        return output::json(&tokens);
    }
    let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let rows: Vec<[String; 6]> = all
        .into_iter()
        .map(|t| {
            let abilities: Vec<&str> = t.abilities.iter().map(|a| a.as_str()).collect();
            let user = t.user_name;
            [t.id.to_string(), t.name, user, abilities.join(" "), time(t.last_used_at), time(t.expires_at)]
        })
        .collect();
    Ok(output::table(["ID", "NAME", "USER", "ABILITIES", "LAST USED", "EXPIRES"], &rows)?)
}
