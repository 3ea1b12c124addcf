//! `frontdesk inbox …`: connected accounts.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::{Args, Subcommand};
use frontdesk_channels::contract::Channel;
use frontdesk_channels::registry::{CHANNELS, find_channel};
use frontdesk_engine::Engine;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, InboxError, NewInbox};
use frontdesk_model::InboxId;
use frontdesk_model::inbox::InboxSettings;
use frontdesk_store::inboxes::InboxRow;
use serde_json::{Value, json};

use super::account::{get_or_create, refused};
use super::{Surroundings, UsageError, output};

/// Inboxes on one page of a list from the database.
const PAGE: i64 = 200;

#[derive(Subcommand)]
pub enum InboxCommand {
    /// Connect an account on a channel; prints JSON with its id and the webhook's address
    Add(Add),
    /// List inboxes
    List(List),
    /// Show what has to be filled in for a channel
    Fields(Fields),
    /// Ask the provider now whether an inbox works; prints JSON
    Check(Named),
    /// Disconnect an inbox and forget its credentials; its conversations stay
    Remove(Named),
}

#[derive(Args)]
pub struct Add {
    /// Channel: `frontdesk inbox fields` lists them
    channel: String,
    /// The name that your team sees
    #[arg(long)]
    name: String,
    /// A field of the channel. VALUE may be @FILE (its content) or - (stdin): so secrets stay off the command line
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Account it belongs to; made when there is none of that name
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

#[derive(Args)]
pub struct List {
    /// Account whose inboxes are listed
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Fields {
    /// Channel; all of them when left out
    channel: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Named {
    /// Id of the inbox
    #[arg(long)]
    id: i64,
    /// Account it belongs to
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

pub async fn run(command: InboxCommand, surroundings: &Surroundings) -> anyhow::Result<()> {
    if let InboxCommand::Fields(fields) = &command {
        return describe(fields);
    }
    let engine = surroundings.engine().await?;
    match command {
        InboxCommand::Add(add) => connect(&engine, add).await,
        InboxCommand::List(list) => print(&engine, list).await,
        InboxCommand::Fields(fields) => describe(&fields),
        InboxCommand::Check(named) => {
            let account = get_or_create(&engine, named.account.as_deref()).await?;
            let checked = inboxes::check(&engine, account.id, InboxId(named.id)).await;
            output::json(&described(&engine, &checked.map_err(|e| explained(e, &named))?))
        }
        InboxCommand::Remove(named) => {
            let account = get_or_create(&engine, named.account.as_deref()).await?;
            let removed = inboxes::delete(&engine, Actor::server(account.id), InboxId(named.id)).await;
            removed.map_err(|e| explained(e, &named))
        }
    }
}

async fn connect(engine: &Engine, add: Add) -> anyhow::Result<()> {
    get_channel(&add.channel)?;
    let settings = read_fields(&add.set)?;
    let account = get_or_create(engine, add.account.as_deref()).await?;
    let new = NewInbox { channel: add.channel, name: add.name, settings };
    match inboxes::create(engine, Actor::server(account.id), new).await {
        Ok(inbox) => output::json(&described(engine, &inbox)),
        Err(InboxError::Invalid(wrong)) => Err(refused("the inbox", &wrong)),
        Err(other) => Err(other.into()),
    }
}

/// Reads `key=value`, `key=@file` and `key=-`.
fn read_fields(given: &[String]) -> anyhow::Result<InboxSettings> {
    let mut settings = BTreeMap::new();
    let mut stdin_taken = false;
    for field in given {
        let Some((key, value)) = field.split_once('=') else {
            return Err(UsageError("--set takes KEY=VALUE, KEY=@FILE or KEY=-".to_owned()).into());
        };
        let value = match value.strip_prefix('@') {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                text.with_context(|| format!("the file {file} for {key} cannot be read"))?.trim().to_owned()
            }
            None if value == "-" && stdin_taken => {
                return Err(UsageError("only one field can come from stdin".to_owned()).into());
            }
            None if value == "-" => {
                stdin_taken = true;
                output::stdin_text()?
            }
            None => value.to_owned(),
        };
        if settings.insert(key.to_owned(), value).is_some() {
            return Err(UsageError(format!("the field {key} is given twice")).into());
        }
    }
    Ok(settings)
}

async fn print(engine: &Engine, list: List) -> anyhow::Result<()> {
    let account = get_or_create(engine, list.account.as_deref()).await?;
    let mut all: Vec<InboxRow> = Vec::new();
    loop {
        let after = all.last().map_or(InboxId(0), |inbox| inbox.config.id);
        let page = inboxes::list(engine, account.id, after, PAGE).await?;
        let is_last = (page.len() as i64) < PAGE;
        all.extend(page);
        if is_last {
            break;
        }
    }
    if list.json {
        let inboxes: Vec<Value> = all.iter().map(|inbox| described(engine, inbox)).collect();
        return output::json(&inboxes);
    }
    let rows: Vec<[String; 5]> = all
        .into_iter()
        .map(|inbox| {
            let state = inbox.state.code.as_str().to_owned();
            [inbox.config.id.to_string(), inbox.config.channel, inbox.config.name, state, inbox.state.message]
        })
        .collect();
    Ok(output::table(["ID", "CHANNEL", "NAME", "STATE", ""], &rows)?)
}

fn described(engine: &Engine, inbox: &InboxRow) -> Value {
    let channel = find_channel(&inbox.config.channel);
    json!({
        "id": inbox.config.id,
        "channel": inbox.config.channel,
        "name": inbox.config.name,
        "enabled": inbox.config.enabled,
        "settings": inbox.config.settings,
        "webhook_url": channel.and_then(|channel| inboxes::webhook_url(engine, channel)),
        "state": inbox.state,
        "last_webhook_at": inbox.last_webhook_at,
        "created_at": inbox.created_at,
    })
}

fn describe(wanted: &Fields) -> anyhow::Result<()> {
    let channels: Vec<&dyn Channel> = match &wanted.channel {
        Some(name) => vec![get_channel(name)?],
        None => connectable().collect(),
    };
    if wanted.json {
        let infos: Vec<_> = channels.iter().map(|channel| channel.info()).collect();
        return match (&wanted.channel, infos.as_slice()) {
            (Some(_), [info]) => output::json(info),
            _ => output::json(&infos),
        };
    }
    let mut rows = Vec::new();
    for info in channels.iter().map(|channel| channel.info()) {
        for field in info.fields {
            let need = if field.required { "required" } else { "optional" };
            let kind = if field.secret { "secret" } else { "" };
            let cells = [info.name, field.key, need, kind, field.help];
            rows.push(cells.map(str::to_owned));
        }
    }
    Ok(output::table(["CHANNEL", "FIELD", "", "", ""], &rows)?)
}

/// Those whose inboxes people connect; of the others a sync makes them.
fn connectable() -> impl Iterator<Item = &'static dyn Channel> {
    CHANNELS.iter().copied().filter(|channel| !channel.info().mirrored)
}

fn get_channel(name: &str) -> Result<&'static dyn Channel, UsageError> {
    find_channel(name).filter(|channel| !channel.info().mirrored).ok_or_else(|| {
        let known: Vec<&str> = connectable().map(|channel| channel.info().name).collect();
        UsageError(format!("there is no channel {name}; there are {}", known.join(", ")))
    })
}

fn explained(error: InboxError, named: &Named) -> anyhow::Error {
    match error {
        InboxError::NotFound => UsageError(format!("there is no inbox {}", named.id)).into(),
        other => other.into(),
    }
}
