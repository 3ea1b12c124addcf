//! What providers and browsers see: the public address, the webhook doors, the credentials of each inbox and where its
//! provider delivers.

use std::time::Duration;

use frontdesk_channels::registry::find_channel;
use frontdesk_engine::{Engine, inboxes};
use frontdesk_model::Clock;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_store::{Store, inboxes as inbox_rows};
use url::Host;

use super::finding::{Finding, chain};
use crate::settings::Settings;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A word that is guessed too easily.
const SHORT_TOKEN: usize = 12;
/// Beyond this much, providers refuse what we sign and we refuse what they sign.
const CLOCK_FAIL_SECS: i64 = 300;
const CLOCK_WARN_SECS: i64 = 30;

pub fn check_public_url(settings: &Settings) -> Finding {
    let url = settings.public_url();
    let parsed = url::Url::parse(&url).ok();
    let is_local = parsed.as_ref().is_none_or(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_unspecified()
        }
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => true,
    });
    if is_local {
        let message = format!("{url} is reached from this machine or network only: no webhook arrives");
        return Finding::warn(
            "address",
            message,
            "set FRONTDESK_PUBLIC_URL to the https address of your proxy",
        );
    }
    if parsed.is_some_and(|url| url.scheme() != "https") {
        let message = format!(
            "{url} is not https: providers deliver no webhooks there, and passwords travel in the clear"
        );
        return Finding::fail(
            "address",
            message,
            "put a proxy with TLS in front and set FRONTDESK_PUBLIC_URL",
        );
    }
    Finding::ok("address", url)
}

/// Whether the address to listen on is free, or a server of ours has it already.
pub async fn check_listen(settings: &Settings) -> Finding {
    let address = settings.server.listen;
    let error = match tokio::net::TcpListener::bind(address).await {
        Ok(_) => return Finding::ok("listen", format!("{address} is free: no server runs there")),
        Err(error) => error,
    };
    let answer = match client() {
        Ok(client) => client.get(format!("http://{address}/readyz")).send().await.ok(),
        Err(_) => None,
    };
    let state = match answer {
        Some(answer) => answer.json::<serde_json::Value>().await.ok(),
        None => None,
    };
    if state.is_some_and(|state| state["database"].is_string()) {
        return Finding::ok("listen", format!("a server runs on {address}"));
    }
    Finding::fail(
        "listen",
        format!("{address} cannot be listened on: {error}"),
        "end the program that has it, or choose another address in FRONTDESK_LISTEN",
    )
}

/// Asks the public address for our own sign of life, the way a provider would.
pub async fn reach_public_url(settings: &Settings) -> Vec<Finding> {
    let url = format!("{}/healthz", settings.public_url());
    let Ok(client) = client() else { return Vec::new() };
    vec![match client.get(&url).send().await {
        Ok(answer) if answer.status().is_success() => Finding::ok("reach", format!("{url} answers")),
        Ok(answer) => Finding::fail(
            "reach",
            format!("{url} answers {}", answer.status()),
            "look at the proxy: it must pass everything on to FRONTDESK_LISTEN",
        ),
        Err(error) => Finding::warn(
            "reach",
            format!("{url} does not answer: {}", reason(error)),
            "start the server; then check name, certificate, firewall and proxy",
        ),
    }]
}

/// Compares the clock with the provider's, which every answer of it carries.
pub async fn compare_clock(settings: &Settings, clock: &dyn Clock) -> Vec<Finding> {
    let Ok(client) = client() else { return Vec::new() };
    let Ok(answer) = client.head(settings.meta.graph_url.clone()).send().await else { return Vec::new() };
    let date = answer.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else { return Vec::new() };
    let Ok(theirs) = theirs.duration_since(std::time::UNIX_EPOCH) else { return Vec::new() };
    let apart = clock.now().as_secs() - i64::try_from(theirs.as_secs()).unwrap_or(i64::MAX);
    let message = format!("{} s from the provider's", apart.abs());
    let advice = "set the clock by NTP";
    vec![match apart.abs() {
        CLOCK_FAIL_SECS.. => Finding::fail("clock", message, advice),
        CLOCK_WARN_SECS.. => Finding::warn("clock", message, advice),
        _ => Finding::ok("clock", message),
    }]
}

/// Whether webhooks of the inboxes there are can be told from forgeries.
pub async fn check_doors(settings: &Settings, store: &Store) -> Vec<Finding> {
    let doors = settings.for_engine().doors;
    let rows = match store.read(inbox_rows::list_configs).await {
        Ok(rows) => rows,
        Err(error) => {
            return vec![Finding::fail("webhooks", chain(error), "see the database's finding")];
        }
    };
    // Those whose provider asks a set-up question and signs. Whether the others' tokens are set, their own check says.
    let door_of = |channel: &str| find_channel(channel).and_then(|channel| channel.door());
    let asks = |row: &&inbox_rows::InboxConfigRow| {
        door_of(&row.channel).is_some_and(|door| !door.info().question.is_empty())
    };
    let with_door = rows.iter().filter(asks).count();
    let mut findings = Vec::new();
    if with_door > 0 && doors.meta_app_secrets.is_empty() {
        findings.push(Finding::fail(
            "webhooks",
            format!("{with_door} inboxes receive webhooks, but no app secret is set: all without one of their own are refused"),
            "set META_APP_SECRET (Meta's app dashboard, App settings, Basic)",
        ));
    }
    if with_door > 0 && doors.meta_verify_tokens.is_empty() {
        findings.push(Finding::warn(
            "webhooks",
            "no verify token is set: the webhook's address cannot be entered in the app dashboard",
            "set META_VERIFY_TOKEN to a word of your choice and enter the same there",
        ));
    }
    let tokens = doors.meta_verify_tokens.iter().chain(&doors.whatsapp_webhook_token);
    if tokens.chain(&doors.green_api_webhook_secret).any(|token| token.len() < SHORT_TOKEN) {
        findings.push(Finding::warn(
            "webhooks",
            format!("a token has fewer than {SHORT_TOKEN} characters and can be guessed"),
            "make a longer one with: openssl rand -hex 16",
        ));
    }
    if findings.is_empty() {
        let message = if with_door == 0 { "no inbox needs secrets yet" } else { "secrets are set" };
        findings.push(Finding::ok("webhooks", message));
    }
    findings
}

/// Asks each provider whether the credentials work, and whether it delivers here.
pub async fn check_inboxes(engine: &Engine) -> Vec<Finding> {
    let book = match inboxes::book(engine).await {
        Ok(book) => book,
        Err(error) => return vec![Finding::fail("inboxes", chain(error), "see the database's finding")],
    };
    let mut all: Vec<_> = book.all().filter(|inbox| inbox.enabled).collect();
    all.sort_by_key(|inbox| inbox.config.id);
    let mut findings = Vec::new();
    for inbox in all {
        let name = format!("{} ({} {})", inbox.name, inbox.config.channel, inbox.config.id);
        let connection = match inbox.channel.open(&engine.channels, &inbox.config) {
            Ok(connection) => connection,
            Err(error) => {
                findings.push(Finding::fail("inboxes", format!("{name}: {error}"), "correct its settings"));
                continue;
            }
        };
        let state = connection.check().await;
        let answers = !matches!(state.code, ConnectionCode::Reconnect | ConnectionCode::Unreachable);
        findings.push(tell_state(&name, state));
        if answers && let Some(problem) = inboxes::inspect_delivery(engine, inbox, &*connection).await {
            let advice = problem.action.unwrap_or_else(|| "check the inbox on the page".to_owned());
            findings.push(Finding::fail("delivery", format!("{name}: {}", problem.message), advice));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::warn(
            "inboxes",
            "no inbox is connected",
            "frontdesk inbox add, or on the page",
        ));
    }
    findings
}

fn tell_state(name: &str, state: ConnectionState) -> Finding {
    let message = format!("{name}: {}", state.message);
    let advice = |usual: &str| state.action.clone().unwrap_or_else(|| usual.to_owned());
    match state.code {
        ConnectionCode::Connected => Finding::ok("inboxes", message),
        ConnectionCode::Connecting | ConnectionCode::Degraded | ConnectionCode::Paused => {
            Finding::warn("inboxes", message, advice("look at it on the page"))
        }
        ConnectionCode::Reconnect => {
            Finding::fail("inboxes", message, advice("give it new credentials on the page"))
        }
        ConnectionCode::Unreachable => {
            let usual = "check the network, the provider's address in the settings and its status page";
            Finding::fail("inboxes", message, advice(usual))
        }
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()
}

/// The innermost cause: the outer ones only repeat the address.
fn reason(error: reqwest::Error) -> String {
    let error = anyhow::Error::from(error.without_url());
    error.root_cause().to_string()
}
