//! Endpoints as people make and change them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use frontdesk_model::{AccountId, InboxId, Timestamp, WebhookEndpointId};
use frontdesk_store::webhook_endpoints::{self, EndpointRow, EndpointStatus, NewEndpoint};
use frontdesk_store::webhook_sends::{self, NewWebhookSend};
use frontdesk_store::{StoreError, Tx, events, inboxes};
use serde_json::json;
use url::Url;

use super::call;
use super::event::{self, WebhookEvent};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::monitoring::delivery::webhook::SECRET_PREFIX;
use crate::vault::{self, VaultError};

/// Endpoints an account may have.
pub const MAX_ENDPOINTS: i64 = 200;
/// The longest address taken.
pub const MAX_URL: usize = 2000;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 200;
/// How long the secret before holds after a new one was made.
const OLD_SECRET_MS: i64 = 86_400_000;
/// A test is tried for this long.
const TEST_MS: i64 = 60_000;

/// An endpoint to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewWebhook {
    /// Where it is.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// What it wants to be told, by the names of [`WebhookEvent`]; empty: all, also what is added later.
    pub events: Vec<String>,
    /// Only what happens in this inbox.
    pub inbox: Option<InboxId>,
}

/// What becomes of an endpoint; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in NewWebhook")]
pub struct WebhookChanges {
    pub url: Option<String>,
    pub description: Option<String>,
    pub events: Option<Vec<String>>,
    /// `Some(None)`: every inbox.
    pub inbox: Option<Option<InboxId>>,
    /// Called or not.
    pub enabled: Option<bool>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no such endpoint, or delivery, in this account.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Fields and what is wrong with them.
    #[error("the data are not valid")]
    Invalid(Vec<(String, String)>),
    /// It does not go with what is there.
    #[error("{0}")]
    Conflict(String),
    /// The secret could not be sealed or opened.
    #[error("the secret of a webhook cannot be used")]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error("the webhook could not be stored")]
    Store(#[from] StoreError),
}

/// An endpoint that was made or got a new secret, which is shown this once.
#[derive(Clone)]
pub struct WithSecret {
    /// The endpoint.
    pub row: EndpointRow,
    /// `whsec_` and base64.
    pub secret: String,
}

/// Makes an endpoint. It is told what happens from now on.
pub async fn create(engine: &Engine, actor: Actor, new: NewWebhook) -> Result<WithSecret, WebhookError> {
    // What was committed before shall not be told: it has its numbers first.
    engine.store.number_events().await?;
    let cloned = engine.clone();
    engine.store.write(move |tx| create_in(tx, &cloned, actor, &new)).await
}

/// As [`create`], within a transaction.
pub fn create_in(
    tx: &mut Tx<'_>,
    engine: &Engine,
    actor: Actor,
    new: &NewWebhook,
) -> Result<WithSecret, WebhookError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    let checked = check(tx, engine, account, new)?;
    if webhook_endpoints::count(tx, account)? >= MAX_ENDPOINTS {
        return Err(WebhookError::Conflict(format!("An account may have {MAX_ENDPOINTS} webhooks.")));
    }
    let row = NewEndpoint {
        account_id: account,
        inbox_id: checked.inbox,
        url: &checked.url,
        description: &checked.description,
        events: &checked.events,
        event_cursor: events::last_seq(tx, account)?,
    };
    let id = webhook_endpoints::insert(tx, row, now)?;
    let secret = make_secret(tx, engine, (account, id), None, now)?;
    note(tx, actor, "webhook.created", id, &checked, now)?;
    let row = find_in(tx, account, id)?;
    Ok(WithSecret { row, secret })
}

/// The endpoints of an account after an id.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    after: WebhookEndpointId,
    limit: i64,
) -> Result<Vec<EndpointRow>, StoreError> {
    engine.store.read(move |tx| webhook_endpoints::list_after(tx, account, after, limit)).await
}

/// One endpoint.
pub async fn get(
    engine: &Engine,
    account: AccountId,
    id: WebhookEndpointId,
) -> Result<EndpointRow, WebhookError> {
    engine.store.read(move |tx| find_in(tx, account, id)).await
}

pub(super) fn find_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookEndpointId,
) -> Result<EndpointRow, WebhookError> {
    webhook_endpoints::find(tx, account, id)?.ok_or(WebhookError::NotFound("webhook"))
}

/// Changes an endpoint. What is on its way goes to where it is now; one that is started again is told what happened meanwhile.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: WebhookEndpointId,
    changes: WebhookChanges,
) -> Result<EndpointRow, WebhookError> {
    let (account, now, cloned) = (actor.account_id, engine.clock.now(), engine.clone());
    let changed = engine
        .store
        .write(move |tx| {
            let before = find_in(tx, account, id)?;
            let WebhookChanges { url, description, events, inbox, enabled } = changes.clone();
            let wanted = NewWebhook {
                url: url.unwrap_or(before.url.clone()),
                description: description.unwrap_or(before.description.clone()),
                events: events.unwrap_or(before.events.clone()),
                inbox: inbox.unwrap_or(before.inbox_id),
            };
            let checked = check(tx, &cloned, account, &wanted)?;
            let row = EndpointRow {
                url: checked.url.clone(),
                description: checked.description.clone(),
                events: checked.events.clone(),
                inbox_id: checked.inbox,
                ..before.clone()
            };
            webhook_endpoints::update(tx, &row, now)?;
            let status = match enabled {
                Some(true) => Some(EndpointStatus::Enabled),
                Some(false) => Some(EndpointStatus::Paused),
                // Another address is another chance.
                None if row.url != before.url && before.status == EndpointStatus::Enabled => {
                    Some(EndpointStatus::Enabled)
                }
                None => None,
            };
            if let Some(status) = status {
                webhook_endpoints::set_status(tx, account, id, status, None, now)?;
                if status == EndpointStatus::Enabled {
                    webhook_sends::wake(tx, account, id, now)?;
                }
            }
            note(tx, actor, "webhook.updated", id, &checked, now)?;
            find_in(tx, account, id)
        })
        .await?;
    engine.webhooks().work.notify_one();
    Ok(changed)
}

/// Takes an endpoint away, with all that it was told and was to be told.
pub async fn remove(engine: &Engine, actor: Actor, id: WebhookEndpointId) -> Result<(), WebhookError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            find_in(tx, account, id)?;
            forget(tx, account, id)?;
            let deed = Deed { action: "webhook.deleted", subject_type: "webhook", subject_id: id.0 };
            Ok(audit::record(tx, actor, deed, None, now)?)
        })
        .await
}

fn forget(tx: &mut Tx<'_>, account: AccountId, id: WebhookEndpointId) -> Result<(), StoreError> {
    webhook_endpoints::delete(tx, account, id)?;
    webhook_sends::forget(tx, account, id)
}

/// The endpoints of an inbox go with it.
pub(crate) fn forget_of_inbox(tx: &mut Tx<'_>, account: AccountId, inbox: InboxId) -> Result<(), StoreError> {
    for id in webhook_endpoints::of_inbox(tx, account, inbox)? {
        forget(tx, account, id)?;
    }
    Ok(())
}

/// Makes a new secret. For a day deliveries are signed with the one before too.
pub async fn rotate_secret(
    engine: &Engine,
    actor: Actor,
    id: WebhookEndpointId,
) -> Result<WithSecret, WebhookError> {
    let (account, now, cloned) = (actor.account_id, engine.clock.now(), engine.clone());
    engine
        .store
        .write(move |tx| {
            let before = find_in(tx, account, id)?;
            let old = (before.secret.as_slice(), now.plus_ms(OLD_SECRET_MS));
            let secret = make_secret(tx, &cloned, (account, id), Some(old), now)?;
            let deed = Deed { action: "webhook.secret_rotated", subject_type: "webhook", subject_id: id.0 };
            audit::record(tx, actor, deed, None, now)?;
            Ok(WithSecret { row: find_in(tx, account, id)?, secret })
        })
        .await
}

/// Tells an endpoint something that did not happen, whether it is called otherwise or not asked for it.
pub async fn send_test(
    engine: &Engine,
    account: AccountId,
    id: WebhookEndpointId,
) -> Result<frontdesk_store::webhook_sends::WebhookSendRow, WebhookError> {
    let now = engine.clock.now();
    let key = format!("t{:032x}", rand::random::<u128>());
    let row = engine
        .store
        .write(move |tx| {
            let endpoint = find_in(tx, account, id)?;
            if endpoint.status != EndpointStatus::Enabled {
                let sentence = "This webhook is switched off: switch it on to test it.";
                return Err(WebhookError::Conflict(sentence.to_owned()));
            }
            let data = json!({ "message": "This is a test.", "webhookId": id, "timestamp": now });
            let new = NewWebhookSend {
                account_id: account,
                endpoint_id: id,
                event_key: key.clone(),
                event: WebhookEvent::Test.as_str(),
                lane: key.clone(),
                message_id: None,
                body: event::body(WebhookEvent::Test, &data),
                is_held: false,
                due_at: now,
                give_up_at: now.plus_ms(TEST_MS),
            };
            webhook_sends::insert_many(tx, &[new], now)?;
            let newest = webhook_sends::list(
                tx,
                (account, id),
                &webhook_sends::SendFilter::default(),
                frontdesk_model::WebhookSendId(i64::MAX),
                10,
            )?;
            newest.into_iter().find(|row| row.event_key == key).ok_or(WebhookError::NotFound("delivery"))
        })
        .await?;
    engine.webhooks().work.notify_one();
    Ok(row)
}

/// What deliveries to an endpoint are signed with: its secret, and the one before as long as it holds.
pub(super) fn secrets(
    engine: &Engine,
    row: &EndpointRow,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, VaultError> {
    let purpose = purpose(row.account_id, row.id);
    let mut secrets = vec![engine.vault.open(&purpose, &row.secret)?];
    if let Some(old) =
        row.old_secret.as_deref().filter(|_| row.old_secret_until.is_some_and(|until| until > now))
    {
        secrets.push(engine.vault.open(&purpose, old)?);
    }
    Ok(secrets)
}

fn make_secret(
    tx: &mut Tx<'_>,
    engine: &Engine,
    (account, id): (AccountId, WebhookEndpointId),
    old: Option<(&[u8], Timestamp)>,
    now: Timestamp,
) -> Result<String, WebhookError> {
    let secret: [u8; 24] = vault::random()?;
    let sealed = engine.vault.seal(&purpose(account, id), &secret)?;
    webhook_endpoints::set_secret(tx, account, id, &sealed, old, now)?;
    Ok(format!("{SECRET_PREFIX}{}", BASE64.encode(secret)))
}

fn purpose(account: AccountId, id: WebhookEndpointId) -> String {
    format!("webhook_endpoints.secret:{account}:{id}")
}

fn check(
    tx: &mut Tx<'_>,
    engine: &Engine,
    account: AccountId,
    new: &NewWebhook,
) -> Result<NewWebhook, WebhookError> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, field: &str, sentence: String| {
        if !holds {
            wrong.push((field.to_owned(), sentence));
        }
    };
    let url = new.url.trim();
    match Url::parse(url) {
        Ok(parsed) => {
            must(
                url.len() <= MAX_URL && parsed.fragment().is_none(),
                "url",
                format!("The url field must be an address of at most {MAX_URL} characters without a #."),
            );
            if let Err(why) = call::check_address(engine, &parsed) {
                must(false, "url", format!("The url field cannot be called: {why}."));
            }
        }
        Err(_) => {
            must(false, "url", "The url field must be an address, as https://example.org/hook.".to_owned())
        }
    }
    let description = new.description.trim();
    must(
        description.chars().count() <= MAX_DESCRIPTION,
        "description",
        format!("The description field must not be greater than {MAX_DESCRIPTION} characters."),
    );
    let mut events: Vec<String> = Vec::new();
    for name in &new.events {
        if name == "*" {
            events.clear();
            break;
        }
        let known = WebhookEvent::parse(name).filter(|event| *event != WebhookEvent::Test);
        must(known.is_some(), "events", format!("There is no event {name:?}."));
        if !events.contains(name) {
            events.push(name.clone());
        }
    }
    if let Some(inbox) = new.inbox {
        let is_here = inboxes::find(tx, account, inbox)?.is_some();
        must(is_here, "inbox_id", "The selected inbox_id is invalid.".to_owned());
    }
    if !wrong.is_empty() {
        return Err(WebhookError::Invalid(wrong));
    }
    Ok(NewWebhook { url: url.to_owned(), description: description.to_owned(), events, inbox: new.inbox })
}

fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    id: WebhookEndpointId,
    new: &NewWebhook,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The address may hold a password.
    let host = Url::parse(&new.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let details = json!({ "host": host, "events": new.events, "inbox_id": new.inbox });
    audit::record(tx, actor, Deed { action, subject_type: "webhook", subject_id: id.0 }, Some(&details), now)
}
