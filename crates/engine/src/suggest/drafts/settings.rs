//! The language model an account has its drafts from. None, unless an administrator of the account has named its host.

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_provider_http::AddressPolicy;
use frontdesk_store::suggest_settings::{self, SettingsRow, Usage};
use frontdesk_store::{StoreError, Tx};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::vault::{Vault, VaultError};

const MAX_URL: usize = 500;
const MAX_MODEL: usize = 200;
const MAX_KEY: usize = 2_000;
/// Time for a whole answer, in milliseconds.
const TIMEOUT_MS: std::ops::RangeInclusive<i64> = 1_000..=60_000;

/// What an account has set. By default nothing leaves this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftSettings {
    /// Whether drafts are written at all.
    pub enabled: bool,
    /// Where the API begins, as `https://api.openai.com/v1`.
    pub base_url: String,
    /// What the model is called there.
    pub model: String,
    /// Time for a whole answer, in milliseconds.
    pub timeout_ms: i64,
    /// Tokens of a month (UTC) at most.
    pub monthly_tokens: i64,
    /// When it fails, the team's own replies are shown in its place.
    pub fallback: bool,
}

impl Default for DraftSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            base_url: String::new(),
            model: String::new(),
            timeout_ms: 20_000,
            monthly_tokens: 1_000_000,
            fallback: true,
        }
    }
}

impl DraftSettings {
    /// The host that what customers write goes to.
    pub fn host(&self) -> Option<String> {
        let url = Url::parse(&self.base_url).ok()?;
        let host = url.host_str()?.to_owned();
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        })
    }
}

/// What is known of the language model of an account.
#[derive(Debug, Clone, Default)]
pub struct DraftState {
    /// What was set.
    pub settings: DraftSettings,
    /// Whether a key is kept.
    pub has_key: bool,
    /// It is left alone until then.
    pub paused_until: Option<Timestamp>,
    /// What was wrong last, as a code; `None` when it works.
    pub trouble: Option<String>,
    /// The month that is counted, as `2026-01`.
    pub month: String,
    /// What was used of it.
    pub usage: Usage,
}

/// What becomes of the key.
#[derive(Default)]
pub enum KeyChange {
    /// It stays, unless the host is another.
    #[default]
    Keep,
    /// None is sent.
    Remove,
    /// This one is sent.
    Set(SecretString),
}

/// New settings.
pub struct NewDraftSettings {
    /// What is to hold.
    pub settings: DraftSettings,
    /// The key.
    pub key: KeyChange,
    /// The host, written by whoever agrees that what customers write goes there. Needed while drafts are written.
    pub confirmed_host: Option<String>,
}

/// Why settings were not stored.
#[derive(Debug, thiserror::Error)]
pub enum DraftSettingsError {
    /// Fields and what is wrong with them.
    #[error("the settings are not valid")]
    Invalid(Vec<(String, String)>),
    /// The key could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the settings could not be stored")]
    Store(#[from] StoreError),
}

/// What is set, ready for use.
#[derive(Clone)]
pub(super) struct Access {
    pub settings: DraftSettings,
    pub base_url: Url,
    pub key: Option<SecretString>,
    pub version: i64,
    pub paused_until: Option<Timestamp>,
    pub trouble: Option<String>,
}

/// The settings of an account and how it is used.
pub async fn get(engine: &Engine, account: AccountId) -> Result<DraftState, StoreError> {
    let month = month(engine.clock.now());
    engine
        .store
        .read(move |tx| {
            let row = suggest_settings::find(tx, account)?;
            let usage = suggest_settings::usage(tx, account, &month)?;
            let Some(row) = row else {
                return Ok(DraftState { month: month.clone(), usage, ..DraftState::default() });
            };
            Ok(DraftState {
                settings: read(&row),
                has_key: row.api_key.is_some(),
                paused_until: row.paused_until,
                trouble: row.paused_for,
                month: month.clone(),
                usage,
            })
        })
        .await
}

/// Stores settings. A pause is over then.
pub async fn save(engine: &Engine, actor: Actor, new: NewDraftSettings) -> Result<(), DraftSettingsError> {
    let account = actor.account_id;
    let before = engine.store.read(move |tx| suggest_settings::find(tx, account)).await?;
    let settings = check(engine, new.settings, new.confirmed_host.as_deref(), &new.key)?;
    let key = match (&new.key, &before) {
        (KeyChange::Set(key), _) => {
            Some(engine.vault.seal(&purpose(account), key.expose_secret().trim().as_bytes())?)
        }
        // A key goes to the host it was given for and to no other.
        (KeyChange::Keep, Some(row)) if read(row).host() == settings.host() => row.api_key.clone(),
        (KeyChange::Keep | KeyChange::Remove, _) => None,
    };
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| {
            let text = serde_json::to_string(&settings).unwrap_or_default();
            suggest_settings::save(tx, account, &text, key.as_deref(), now)?;
            let deed = Deed { action: "suggest_settings.updated", subject_type: "account", subject_id: account.0 };
            let details = json!({ "enabled": settings.enabled, "host": settings.host(), "model": settings.model,
                "has_key": key.is_some(), "monthly_tokens": settings.monthly_tokens });
            audit::record(tx, actor, deed, Some(&details), now)
        })
        .await?;
    Ok(())
}

fn check(
    engine: &Engine,
    new: DraftSettings,
    confirmed_host: Option<&str>,
    key: &KeyChange,
) -> Result<DraftSettings, DraftSettingsError> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, field: &str, sentence: String| {
        if !holds {
            wrong.push((field.to_owned(), sentence));
        }
    };
    let settings = DraftSettings {
        base_url: new.base_url.trim().trim_end_matches('/').to_owned(),
        model: new.model.trim().to_owned(),
        ..new
    };
    must(
        settings.model.chars().count() <= MAX_MODEL,
        "model",
        format!("The model field must not be greater than {MAX_MODEL} characters."),
    );
    must(
        settings.base_url.chars().count() <= MAX_URL,
        "base_url",
        format!("The base_url field must not be greater than {MAX_URL} characters."),
    );
    must(
        TIMEOUT_MS.contains(&settings.timeout_ms),
        "timeout_ms",
        format!("The timeout_ms field must be between {} and {}.", TIMEOUT_MS.start(), TIMEOUT_MS.end()),
    );
    must(
        (0..=1_000_000_000_000).contains(&settings.monthly_tokens),
        "monthly_tokens",
        "The monthly_tokens field must be between 0 and 1000000000000.".to_owned(),
    );
    if let KeyChange::Set(key) = key {
        let key = key.expose_secret().trim();
        let is_key = !key.is_empty() && key.len() <= MAX_KEY && key.bytes().all(|b| b.is_ascii_graphic());
        must(
            is_key,
            "api_key",
            "The api_key field must be a key: letters, digits and signs, without spaces.".to_owned(),
        );
    }
    if !settings.base_url.is_empty() || settings.enabled {
        let complaint = match Url::parse(&settings.base_url) {
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                Some("The base_url field must end with its path.".to_owned())
            }
            Ok(url) => policy(engine).check_url(&url, &url).err().map(|error| {
                format!(
                    "The base_url cannot be used: {error}; a private address has to be listed under \
                     providers.allow_private_hosts."
                )
            }),
            Err(_) => {
                Some("The base_url field must be an address, as https://api.example.org/v1.".to_owned())
            }
        };
        if let Some(complaint) = complaint {
            must(false, "base_url", complaint);
        }
    }
    if settings.enabled {
        must(!settings.model.is_empty(), "model", "The model field is required.".to_owned());
        let host = settings.host();
        must(
            host.is_some() && confirmed_host.map(str::trim) == host.as_deref(),
            "confirm_host",
            format!(
                "What customers write will go to {}: write this name into confirm_host to agree.",
                host.as_deref().unwrap_or("a host that is not known yet")
            ),
        );
    }
    if wrong.is_empty() { Ok(settings) } else { Err(DraftSettingsError::Invalid(wrong)) }
}

/// What an account has set, where drafts are written.
pub(super) fn access(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account: AccountId,
) -> Result<Option<Access>, StoreError> {
    let Some(row) = suggest_settings::find(tx, account)? else { return Ok(None) };
    let settings = read(&row);
    let Some(base_url) = Url::parse(&settings.base_url).ok().filter(|_| settings.enabled) else {
        return Ok(None);
    };
    // A key that does not open is no key: the server there says so.
    let key = row.api_key.as_deref().and_then(|sealed| vault.open(&purpose(account), sealed).ok());
    let key = key.and_then(|bytes| String::from_utf8(bytes).ok()).map(SecretString::from);
    Ok(Some(Access {
        settings,
        base_url,
        key,
        version: row.version,
        paused_until: row.paused_until,
        trouble: row.paused_for,
    }))
}

/// Which addresses may be called: those of the public internet, and what the operator lists.
pub(super) fn policy(engine: &Engine) -> AddressPolicy {
    AddressPolicy::allowing_hosts(&engine.channels.providers.allow_private_hosts)
}

/// The month that is counted.
pub(in crate::suggest) fn month(now: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m").to_string()
}

fn read(row: &SettingsRow) -> DraftSettings {
    serde_json::from_str(&row.settings).unwrap_or_default()
}

fn purpose(account: AccountId) -> String {
    format!("suggest_settings.api_key:{account}")
}
