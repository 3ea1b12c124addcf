//! Texts to answer with, and how they are filled in for somebody.

use frontdesk_model::crm::settings::{CrmSettings, MAX_TEXT};
use frontdesk_model::crm::variables::{self, Text, Values};
use frontdesk_model::{AccountId, ContactId, QuickReplyId, Timestamp};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::crm::quick_replies::{self, QuickReplyRow};
use frontdesk_store::crm::{donor_figures, settings};
use frontdesk_store::{StoreError, Tx, suggest_pairs};

use super::people::{self, Key};
use super::{Check, CrmError};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::{Actor, Caller};

const MAX_SHORTCUT: usize = 40;
const MAX_TITLE: usize = 120;
/// How many texts an account may have.
pub const MAX_TEXTS: i64 = 500;

/// A text to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQuickReply {
    /// What is typed after the slash.
    pub shortcut: String,
    /// What it is about.
    pub title: String,
    /// The text, with variables.
    pub content: String,
}

/// What becomes of a text; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in NewQuickReply")]
pub struct QuickReplyChanges {
    pub shortcut: Option<String>,
    pub title: Option<String>,
    pub content: Option<String>,
}

/// Keeps a text.
pub async fn add(engine: &Engine, actor: Actor, new: NewQuickReply) -> Result<QuickReplyRow, CrmError> {
    let new = check(new)?;
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            if quick_replies::count(tx, account)? >= MAX_TEXTS {
                return Err(CrmError::Conflict(format!("An account may have {MAX_TEXTS} quick replies.")));
            }
            let row = QuickReplyRow {
                id: QuickReplyId(0),
                account_id: account,
                shortcut: new.shortcut.clone(),
                title: new.title.clone(),
                content: new.content.clone(),
                created_at: now,
                updated_at: now,
            };
            let id = quick_replies::insert(tx, &row, actor.user_id, now)?.ok_or_else(taken)?;
            noted(tx, actor, "quick_reply.added", id, now)?;
            let row = QuickReplyRow { id, ..row };
            suggest_pairs::save_quick_reply(tx, &row)?;
            Ok(row)
        })
        .await
}

/// Changes a text.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: QuickReplyId,
    changes: QuickReplyChanges,
) -> Result<QuickReplyRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    let done = engine.store.write(move |tx| {
        let row = find(tx, account, id)?;
        let new = check(NewQuickReply {
            shortcut: changes.shortcut.clone().unwrap_or(row.shortcut),
            title: changes.title.clone().unwrap_or(row.title),
            content: changes.content.clone().unwrap_or(row.content),
        })?;
        let row = QuickReplyRow {
            id,
            account_id: account,
            shortcut: new.shortcut,
            title: new.title,
            content: new.content,
            created_at: row.created_at,
            updated_at: now,
        };
        quick_replies::update(tx, &row, now)?;
        noted(tx, actor, "quick_reply.updated", id, now)?;
        suggest_pairs::save_quick_reply(tx, &row)?;
        Ok(row)
    });
    match done.await {
        Err(CrmError::Store(error)) if error.is_unique_violation() => Err(taken()),
        done => done,
    }
}

/// Takes a text away.
pub async fn remove(engine: &Engine, actor: Actor, id: QuickReplyId) -> Result<(), CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            find(tx, account, id)?;
            quick_replies::hide(tx, account, id, now)?;
            suggest_pairs::remove_quick_reply(tx, account, id, now)?;
            Ok(noted(tx, actor, "quick_reply.removed", id, now)?)
        })
        .await
}

/// All texts of an account.
pub async fn list(engine: &Engine, account: AccountId) -> Result<Vec<QuickReplyRow>, StoreError> {
    engine.store.read(move |tx| quick_replies::list(tx, account, MAX_TEXTS)).await
}

/// A text filled in for somebody, as it would be sent. `given` are values beside those that are known, and stand before them.
/// Errors: 422 naming the variables without a value.
pub async fn fill(
    engine: &Engine,
    caller: &Caller,
    id: QuickReplyId,
    key: Key,
    given: Values,
) -> Result<String, CrmError> {
    let (account, agent, now) = (caller.account_id, caller.name.clone(), engine.clock.now());
    engine
        .store
        .read(move |tx| {
            let row = find(tx, account, id)?;
            let (settings, _) = settings::get(tx, account)?;
            let contact = people::find(tx, account, &key, &settings)?;
            let mut values = known(tx, contact.as_ref(), &settings, &agent, now)?;
            values.extend(given.clone());
            fill_in(&row.content, &values)
        })
        .await
}

/// Values as programs give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// By the names of the variables.
    Named(Values),
    /// In the order in which the text has its variables.
    Listed(Vec<String>),
}

impl Given {
    fn by_name(&self, text: &str) -> Values {
        match self {
            Self::Named(values) => values.clone(),
            Self::Listed(values) => match Text::parse(text) {
                Ok(text) => text.names().into_iter().map(str::to_owned).zip(values.iter().cloned()).collect(),
                Err(_) => Values::new(),
            },
        }
    }

    /// With numbers for names where they came without.
    pub fn by_number(self) -> Values {
        match self {
            Self::Named(values) => values,
            Self::Listed(values) => {
                values.into_iter().enumerate().map(|(at, value)| ((at + 1).to_string(), value)).collect()
            }
        }
    }
}

/// [`fill`] for a text by its shortcut or number; `None` when there is no such text.
pub async fn fill_named(
    engine: &Engine,
    caller: &Caller,
    name: &str,
    key: Key,
    given: &Given,
) -> Result<Option<String>, CrmError> {
    let name = name.trim().trim_start_matches('/').to_lowercase();
    let texts = list(engine, caller.account_id).await?;
    let found = texts.iter().find(|row| row.shortcut == name);
    let Some(row) = found.or_else(|| texts.iter().find(|row| row.id.to_string() == name)) else {
        return Ok(None);
    };
    fill(engine, caller, row.id, key, given.by_name(&row.content)).await.map(Some)
}

/// Fills a text in. Errors: 422 naming the variables without a value.
pub(super) fn fill_in(text: &str, values: &Values) -> Result<String, CrmError> {
    let text = Text::parse(text)
        .map_err(|error| CrmError::invalid("content", format!("The text cannot be sent: {error}.")))?;
    text.fill(values).map_err(|missing| {
        let sentence = |name: &String| {
            (format!("variables.{name}"), format!("The variable {name} has no value here: give it one."))
        };
        CrmError::Invalid(missing.0.iter().map(sentence).collect())
    })
}

/// What is known of somebody: `name`, `first_name`, `phone`, `email`, `agent`, `last_donation`, `lifetime_value`,
/// `donation_count`, `segment`, and their custom fields as `custom.KEY`.
pub(super) fn known(
    tx: &mut Tx<'_>,
    contact: Option<&ContactRow>,
    settings: &CrmSettings,
    agent: &str,
    now: Timestamp,
) -> Result<Values, StoreError> {
    let mut values = Values::from([("agent".to_owned(), agent.to_owned())]);
    let Some(contact) = contact else { return Ok(values) };
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            values.insert(name.to_owned(), value);
        }
    };
    let name = contact.name.as_deref();
    set("name", name.map(str::to_owned));
    set("first_name", name.and_then(variables::first_name).map(str::to_owned));
    set("phone", contact.phone.clone());
    set("email", contact.email.clone());
    if let Some(row) = donor_figures::find(tx, contact.account_id, contact.id)? {
        let figures = &row.figures;
        let calendar = settings.calendar();
        set("last_donation", figures.last_at.filter(|at| *at <= now).map(|at| calendar.date(at).to_string()));
        let lifetime = settings.currency.format_amount(figures.lifetime);
        set("lifetime_value", (figures.count > 0).then(|| format!("{} {lifetime}", settings.currency)));
        set("donation_count", (figures.count > 0).then(|| figures.count.to_string()));
        set("segment", Some(settings.shown_segment(row.segment, figures, row.held_segment).to_string()));
    }
    for (key, value) in custom_fields(tx, contact.account_id, contact.id)? {
        let value = match value {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        set(&format!("custom.{key}"), value);
    }
    Ok(values)
}

fn custom_fields(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<serde_json::Map<String, serde_json::Value>, StoreError> {
    let details = contacts::other_side::details_many(tx, account, [contact])?.remove(&contact);
    Ok(details.unwrap_or_default().custom_fields)
}

fn find(tx: &mut Tx<'_>, account: AccountId, id: QuickReplyId) -> Result<QuickReplyRow, CrmError> {
    quick_replies::find(tx, account, id)?.ok_or(CrmError::NotFound("quick reply"))
}

fn taken() -> CrmError {
    CrmError::invalid("shortcut", "The shortcut has already been taken.")
}

fn check(new: NewQuickReply) -> Result<NewQuickReply, CrmError> {
    let mut check = Check::default();
    let shortcut = check.text("shortcut", new.shortcut.trim_start_matches('/'), MAX_SHORTCUT).to_lowercase();
    let is_word = shortcut.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    check.must(is_word, "shortcut", "The shortcut field must have letters, digits, - and _ only.");
    let title = check.maybe("title", Some(&new.title), MAX_TITLE).unwrap_or_else(|| shortcut.clone());
    let content = check.text("content", &new.content, MAX_TEXT);
    if let Err(error) = Text::parse(&content) {
        check.must(false, "content", format!("The content field cannot be sent: {error}."));
    }
    check.done()?;
    Ok(NewQuickReply { shortcut, title, content })
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    id: QuickReplyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::record(tx, actor, Deed { action, subject_type: "quick_reply", subject_id: id.0 }, None, now)
}
