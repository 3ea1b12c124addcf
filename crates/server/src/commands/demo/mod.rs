//! `frontdesk demo`: the real server beside fake providers, on a fresh data folder, with a few customers who have
//! written already.

mod chatwoot;
mod customers;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::any;
use clap::Args;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_engine::users::{self, NewUser};
use frontdesk_engine::{Engine, accounts, crm, linked};
use frontdesk_model::crm::settings::CrmSettings;
use frontdesk_model::inbox::InboxSettings;
use frontdesk_model::user::Role;
use frontdesk_sandbox::inbox::Inbox;
use frontdesk_sandbox::linked::phone;
use frontdesk_sandbox::{Channel, Sandbox, SandboxSettings};
use rand::Rng;
use rand::distr::Alphanumeric;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{Surroundings, UsageError, output};
use crate::settings::Settings;
use crate::signals;
use crate::wiring::{Server, bind};

const ADMIN: (&str, &str) = ("ada@example.org", "Ada Sari");
const AGENT: (&str, &str) = ("ben@example.org", "Ben Costa");

/// The sandbox's name of the instance of Green API.
const HOTEL: &str = "hotel";
/// The sandbox's name of the phone that is linked to the demo, and the session's.
const RECEPTION: &str = "reception";
/// A phone that nobody has linked yet, for whoever wants to scan a code.
const SPARE: &str = "spare";

#[derive(Args)]
pub struct Demo {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Empty folder for the data, kept afterwards. Without it a temporary one is used and removed
    #[arg(long, value_name = "FOLDER", env = "FRONTDESK_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

/// Words that stand for what a person would get from Meta and enter.
struct Secrets {
    app_secret: String,
    verify_token: String,
    access_token: String,
}

pub async fn run(demo: Demo, surroundings: Surroundings) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    signals::watch(stop.clone())?;
    let temporary =
        if demo.data_dir.is_some() { None } else { Some(TempDir::with_prefix("frontdesk-demo-")?) };
    let folder = match (&demo.data_dir, &temporary) {
        (Some(given), _) => given.clone(),
        (None, Some(made)) => made.path().to_owned(),
        (None, None) => PathBuf::from("data"),
    };
    if folder.join("frontdesk.db").exists() {
        let message =
            format!("a demo begins on a fresh data folder, but {} has a database", folder.display());
        return Err(UsageError(message).into());
    }

    let listener = bind(demo.listen).await?;
    let address = listener.local_addr()?;
    let secrets = Secrets { app_secret: random(32), verify_token: random(24), access_token: random(40) };
    let (sandbox, phones) = start_sandbox(address, &secrets).await?;
    let mut settings = settings_for(surroundings.settings, address, folder, &sandbox, &secrets)?;
    let token = secrets.access_token.clone().into();
    let chatwoot = chatwoot::connect(&mut settings, &sandbox, reachable(address), &token).await?;
    let server = Server::start_on(listener, settings, surroundings.clock, phones).await?;
    let (admin_password, agent_password) = (random(16), random(16));
    fill(server.engine(), &sandbox, &secrets, [&admin_password, &agent_password]).await?;
    let conversation = chatwoot::write(&chatwoot).await.context("nobody could write in Chatwoot")?;
    let bridged = chatwoot::bridge(server.engine(), &sandbox, &token)
        .await
        .context("no inbox could be shown in Chatwoot")?;
    customers::write(&sandbox).context("the first customers could not write")?;

    let there = format!("{}/chatwoot", sandbox.public_url());
    let chatwoot = InChatwoot { conversation, bridged, address: there, token: secrets.access_token };
    print(address, &admin_password, &agent_password, &chatwoot)?;
    stop.cancelled().await;
    server.stop().await;
    drop(temporary);
    Ok(())
}

/// The fake providers on a loopback port of their own. Returns their handle, and the routes that show customers'
/// phones at the server's address too.
async fn start_sandbox(server: SocketAddr, secrets: &Secrets) -> anyhow::Result<(Sandbox, Router)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("the fake providers could not start")?;
    let mut settings =
        SandboxSettings { public_url: format!("http://{}", listener.local_addr()?), ..Default::default() };
    settings.live.webhook.url = Some(format!("http://{}/api/webhooks/messages", reachable(server)));
    settings.live.webhook.app_secret = Some(secrets.app_secret.clone());
    settings.live.webhook.verify_token = Some(secrets.verify_token.clone());
    let (router, sandbox) = Sandbox::new(settings)?;
    sandbox.world().inboxes.insert(HOTEL.to_owned(), hotel()?);
    let reception = Inbox::linked_phone(RECEPTION, "6281211004400", "Kopi Senja");
    sandbox.world().inboxes.insert(RECEPTION.to_owned(), reception);
    let serving = axum::serve(listener, router.clone());
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(error = %error, "The fake providers stopped");
        }
    });
    // Only the phones' page and what it asks: everything else at that address is the server's.
    let pass_on = any(move |mut request: Request| {
        let router = router.clone();
        request.extensions_mut().clear(); // what this router found in the path is not for the other one
        async move { router.oneshot(request).await.into_response() }
    });
    let phones = Router::new()
        .route("/sandbox", pass_on.clone())
        .route("/sandbox/", pass_on.clone())
        .route("/sandbox/{*rest}", pass_on.clone())
        .route("/control/{*rest}", pass_on);
    Ok((sandbox, phones))
}

/// What the operator set, except for everything that would leave the demo's folder and fake providers.
fn settings_for(
    mut settings: Settings,
    address: SocketAddr,
    folder: PathBuf,
    sandbox: &Sandbox,
    secrets: &Secrets,
) -> anyhow::Result<Settings> {
    settings.server.listen = address;
    settings.server.public_url = None;
    settings.storage.data_dir = folder;
    settings.database.url = None;
    settings.secret.key = None;
    settings.secret.key_file = None;
    let graph: url::Url = format!("{}/graph", sandbox.public_url()).parse()?;
    settings.meta.graph_url = graph.clone();
    settings.meta.instagram_url = graph;
    settings.meta.app_secrets = vec![secrets.app_secret.clone().into()];
    settings.meta.verify_tokens = vec![secrets.verify_token.clone().into()];
    settings.meta.whatsapp_webhook_token = None;
    settings.green_api.base_url = format!("{}/green", sandbox.public_url()).parse()?;
    settings.green_api.webhook_secret = Some(secrets.verify_token.clone().into());
    settings.green_api.require_signature = false;
    settings.linked_whatsapp.simulator_url = sandbox.public_url();
    settings.linked_whatsapp.driver = "simulated".to_owned();
    settings.providers.allow_private_hosts = vec!["127.0.0.1".to_owned()];
    Ok(settings)
}

/// Adds the people who answer and an inbox for each fake account.
async fn fill(
    engine: &Engine,
    sandbox: &Sandbox,
    secrets: &Secrets,
    [admin_password, agent_password]: [&String; 2],
) -> anyhow::Result<()> {
    let account = accounts::bootstrap(engine).await?;
    let actor = Actor::server(account.id);
    for ((email, name), role, password) in
        [(ADMIN, Role::Admin, admin_password), (AGENT, Role::Agent, agent_password)]
    {
        let user =
            NewUser { email: email.to_owned(), name: name.to_owned(), role, password: password.to_owned() };
        users::create(engine, actor, user).await.context("the demo's users could not be added")?;
    }
    // The demo's customers are in Indonesia, and write their numbers as one does there: 0812….
    let donors = CrmSettings { calling_code: Some("62".to_owned()), ..CrmSettings::default() };
    crm::settings::save(engine, actor, donors).await.context("the demo's country could not be set")?;
    let fakes: Vec<Inbox> = sandbox.world().inboxes.values().cloned().collect();
    for fake in fakes {
        let new = NewInbox {
            channel: fake.channel.name().to_owned(),
            name: format!("{} {}", fake.name, label(fake.channel)),
            settings: fields(&fake, secrets),
        };
        let inbox =
            inboxes::create(engine, actor, new).await.context("the demo's inboxes could not be added")?;
        inboxes::check(engine, account.id, inbox.config.id).await?;
    }
    link_reception(engine, sandbox, actor).await
}

/// Scans the code of the linked phone's session, as a person would.
async fn link_reception(engine: &Engine, sandbox: &Sandbox, actor: Actor) -> anyhow::Result<()> {
    let code = linked::code(engine, actor, RECEPTION).await.context("the demo's phone was shown no code")?;
    let phone = sandbox.world().inboxes.get(RECEPTION).cloned().context("the demo has no phone")?;
    phone::scan(sandbox, &phone, Some(&code.text), None).context("the demo's phone could not scan")?;
    let spare = Inbox::linked_phone(SPARE, "6281211005500", "Spare phone");
    sandbox.world().inboxes.insert(SPARE.to_owned(), spare);
    Ok(())
}

/// What a person would fill in to connect a fake account.
fn fields(fake: &Inbox, secrets: &Secrets) -> InboxSettings {
    if fake.channel == Channel::LinkedWhatsapp {
        let pairs = [("session_id", fake.id.as_str()), ("driver", "simulated")];
        return pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    }
    let (id_field, token_field) = match fake.channel {
        Channel::WhatsappCloud => ("phone_number_id", "access_token"),
        Channel::Messenger => ("page_id", "access_token"),
        Channel::Instagram => ("instagram_id", "access_token"),
        Channel::GreenApi => ("instance_id", "api_token"),
        Channel::LinkedWhatsapp | Channel::Chatwoot | Channel::Openai => ("account_id", "api_token"),
    };
    let mut fields = InboxSettings::from([(token_field.to_owned(), secrets.access_token.clone())]);
    fields.insert(id_field.to_owned(), fake.account_id.clone());
    if let Some(business) = &fake.business_account_id {
        fields.insert("business_account_id".to_owned(), business.clone());
    }
    fields
}

/// A hotel whose phone is linked at Green API.
fn hotel() -> anyhow::Result<Inbox> {
    Ok(serde_json::from_value(json!({
        "id": HOTEL, "channel": "green_api", "name": "Hotel Senja", "account_id": "1101000001",
        "display_phone_number": "6281211003300",
    }))?)
}

fn label(channel: Channel) -> &'static str {
    match channel {
        Channel::WhatsappCloud => "WhatsApp",
        Channel::Messenger => "Messenger",
        Channel::Instagram => "Instagram",
        Channel::GreenApi => "Green API",
        Channel::LinkedWhatsapp => "linked phone",
        Channel::Chatwoot => "Chatwoot",
        Channel::Openai => "Language model",
    }
}

/// What is to be seen of the demo's Chatwoot.
struct InChatwoot {
    /// A conversation there.
    conversation: i64,
    /// The name of the inbox that is shown there.
    bridged: String,
    address: String,
    token: String,
}

fn print(
    address: SocketAddr,
    admin_password: &str,
    agent_password: &str,
    chatwoot: &InChatwoot,
) -> std::io::Result<()> {
    let InChatwoot { conversation, bridged, address: chatwoot, token } = chatwoot;
    let url = format!("http://{}", reachable(address));
    let (admin, agent) = (ADMIN.0, AGENT.0);
    let rule = "─".repeat(64);
    output::line(format_args!(
        "{rule}\n  Frontdesk demo: everything is real except the providers\n\n  \
         URL:       {url}\n  \
         E-mail:    {admin}\n  \
         Password:  {admin_password}\n\n  \
         A colleague in another browser window:\n  \
         Agent:     {agent}\n  \
         Password:  {agent_password}\n\n  \
         Customers' phones, and knobs that make the providers fail:\n  \
         Sandbox:   {url}/sandbox/\n\n  \
         A conversation in Chatwoot (docs/chatwoot.md):\n  \
         Chatwoot:  {url}/api/v1/chatwoot/conversations/{conversation}\n\n  \
         It is connected under Settings, Chatwoot, and {bridged} is shown in it:\n  \
         Address:   {chatwoot}\n  \
         Token:     {token}\n\n  \
         Ctrl-C ends it.\n{rule}"
    ))
}

/// An address that can be called: `0.0.0.0` is one to listen on only.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}
