//! Where the news of an account's alerts go: an address that is called, and readers of letters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::alert_targets::{self, AlertTargets};
use frontdesk_store::{StoreError, Tx};
use serde_json::json;
use url::Url;

use super::delivery::webhook;
use super::rules;
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::vault::{self, Vault, VaultError};

/// Readers of letters an account may have.
pub const MAX_EMAILS: usize = 20;
/// The longest address taken.
const MAX_ADDRESS: usize = 2000;

/// Where news goes, as people give it.
#[derive(Debug, Clone, Default)]
pub struct TargetInput {
    /// The address that is called; `None` for none.
    pub webhook_url: Option<String>,
    /// Make a new secret for its signatures. The first address gets one anyway.
    pub new_secret: bool,
    /// Who gets letters.
    pub emails: Vec<String>,
}

/// Why it was not stored.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A field is wrong: which, and why.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// There is no webhook to be tested.
    #[error("There is no address and no reader yet: nothing can be sent.")]
    Nowhere,
    /// The secret could not be sealed or opened.
    #[error("the secret of the webhook cannot be used")]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the addresses could not be stored")]
    Store(#[from] StoreError),
}

/// Where the news of an account go.
pub async fn get(engine: &Engine, account: AccountId) -> Result<AlertTargets, StoreError> {
    Ok(engine.store.read(move |tx| alert_targets::find(tx, account)).await?.unwrap_or_default())
}

/// Stores where the news go. Returns the new secret of the webhook, if one was made: it is shown this once.
pub async fn set(
    engine: &Engine,
    actor: Actor,
    input: TargetInput,
) -> Result<(AlertTargets, Option<String>), TargetError> {
    let url = match input.webhook_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) {
        Some(url) => Some(check_url(engine, url)?),
        None => None,
    };
    let emails = check_emails(engine, &input.emails)?;
    let (account, now) = (actor.account_id, engine.clock.now());
    let cloned = engine.clone();
    engine
        .store
        .write(move |tx| -> Result<_, TargetError> {
            rules::ensure(tx, account, now)?;
            let before = alert_targets::find(tx, account)?.unwrap_or_default();
            let mut targets =
                AlertTargets { webhook_url: url.clone(), emails: emails.clone(), updated_at: now, ..before };
            let mut shown = None;
            if targets.webhook_url.is_none() {
                targets.webhook_secret = None;
            } else if targets.webhook_secret.is_none() || input.new_secret {
                let secret: [u8; 24] = vault::random()?;
                targets.webhook_secret = Some(cloned.vault.seal(&purpose(account), &secret)?);
                shown = Some(format!("{}{}", webhook::SECRET_PREFIX, BASE64.encode(secret)));
            }
            alert_targets::update(tx, account, &targets, now)?;
            note(tx, actor, &targets, shown.is_some(), now)?;
            Ok((targets, shown))
        })
        .await
}

/// What the webhook of an account is signed with.
pub(super) fn open_secret(vault: &Vault, account: AccountId, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    vault.open(&purpose(account), sealed)
}

fn purpose(account: AccountId) -> String {
    format!("alert_targets.webhook_secret:{account}")
}

fn check_url(engine: &Engine, text: &str) -> Result<String, TargetError> {
    let wrong = |why: &str| TargetError::Invalid("webhook_url", why.to_owned());
    let url = Url::parse(text).map_err(|_| wrong("The webhook_url is no address."))?;
    if text.len() > MAX_ADDRESS || url.fragment().is_some() {
        return Err(wrong("The webhook_url is too long, or has a # in it."));
    }
    webhook::check_address(engine, &url)
        .map_err(|error| wrong(&format!("The webhook_url cannot be called: {error}.")))?;
    Ok(url.into())
}

fn check_emails(engine: &Engine, given: &[String]) -> Result<Vec<String>, TargetError> {
    let wrong = |why: String| TargetError::Invalid("emails", why);
    let mut emails: Vec<String> = Vec::new();
    for email in given.iter().map(|email| email.trim()).filter(|email| !email.is_empty()) {
        if email.len() > 254 || email.parse::<lettre::Address>().is_err() {
            return Err(wrong(format!("{email:?} is no e-mail address.")));
        }
        if !emails.iter().any(|known| known.eq_ignore_ascii_case(email)) {
            emails.push(email.to_owned());
        }
    }
    if emails.len() > MAX_EMAILS {
        return Err(wrong(format!("At most {MAX_EMAILS} addresses.")));
    }
    if !emails.is_empty() && engine.settings.mail.host.is_empty() {
        return Err(wrong(
            "This server has no mail server set (mail.host), so it can send no letters.".to_owned(),
        ));
    }
    Ok(emails)
}

fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    targets: &AlertTargets,
    new_secret: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let details = json!({ "webhook": targets.webhook_url.is_some(), "emails": targets.emails.len(), "new_secret": new_secret });
    let deed = Deed { action: "alert_targets.updated", subject_type: "alert_targets", subject_id: 0 };
    audit::record(tx, actor, deed, Some(&details), now)
}
