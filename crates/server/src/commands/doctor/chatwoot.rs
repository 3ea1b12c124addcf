//! Chatwoot: whether its settings make sense, and whether it answers to them.

use frontdesk_engine::chatwoot;
use secrecy::ExposeSecret;

use super::finding::Finding;
use crate::settings::Settings;

const CHECK: &str = "chatwoot";
/// A secret that is guessed too easily.
const SHORT_SECRET: usize = 12;

/// Looks at the settings alone. Says nothing when there is no Chatwoot.
pub fn check(settings: &Settings) -> Vec<Finding> {
    let ours = &settings.chatwoot;
    if let Some((setting, variable)) = ours.missing() {
        return vec![Finding::warn(
            CHECK,
            format!("{setting} is not set: Chatwoot is not connected"),
            format!("set {variable}, or unset the rest of Chatwoot"),
        )];
    }
    let Some(client) = settings.for_engine().chatwoot else { return Vec::new() };
    let mut findings = Vec::new();
    if let Err(reason) = chatwoot::probe(client) {
        findings.push(Finding::fail(
            CHECK,
            format!("Chatwoot cannot be called: {reason}"),
            "correct CHATWOOT_URL",
        ));
    }
    if !ours.verify_ssl {
        findings.push(Finding::warn(
            CHECK,
            "any certificate is taken: whoever is on the way reads the access token",
            "set CHATWOOT_VERIFY_SSL to true and give Chatwoot a certificate",
        ));
    }
    if ours.webhook.secrets.is_empty() {
        findings.push(Finding::warn(
            CHECK,
            "no webhook secret is set: all of Chatwoot's webhooks are refused, and answers may be minutes old",
            "set CHATWOOT_WEBHOOK_SECRET (Settings, Integrations, Webhooks)",
        ));
    } else if ours.webhook.secrets.iter().any(|secret| secret.expose_secret().len() < SHORT_SECRET) {
        findings.push(Finding::warn(
            CHECK,
            format!("a webhook secret has fewer than {SHORT_SECRET} characters and can be guessed"),
            "set the one that Chatwoot made",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("account {} is set", ours.account_id)));
    }
    findings
}

/// Asks Chatwoot whether it takes our token.
pub async fn ask(settings: &Settings) -> Vec<Finding> {
    let Some(client) = settings.for_engine().chatwoot else { return Vec::new() };
    // That it can never be called is said already.
    let Ok(client) = chatwoot::probe(client) else { return Vec::new() };
    let health = client.health_check().await;
    vec![match health.error_code {
        None => {
            let version = health.version.map_or_else(String::new, |version| format!(" {version}"));
            Finding::ok(CHECK, format!("Chatwoot{version} answers in {} ms", health.response_time_ms))
        }
        Some(code) => Finding::fail(CHECK, format!("{} ({code})", health.message), advice(code)),
    }]
}

fn advice(code: &str) -> &'static str {
    match code {
        "UNAUTHORIZED" => "set CHATWOOT_API_TOKEN to an access token of today (Profile settings in Chatwoot)",
        "FORBIDDEN" | "NOT_FOUND" => {
            "set CHATWOOT_ACCOUNT_ID to the number in the addresses of Chatwoot's pages, and take an administrator's token"
        }
        _ => "check CHATWOOT_URL, the network and Chatwoot itself",
    }
}
