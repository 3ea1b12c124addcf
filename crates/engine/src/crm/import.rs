//! Contacts and gifts out of a spreadsheet. The same sheet a second time changes nothing; a rehearsal changes nothing at
//! all and tells what would be.
//!
//! A few hundred lines at a time, each lot in one transaction: an import that is interrupted is begun anew and goes on
//! where it was. A line that is wrong is told and left out; the others are taken.

use std::collections::{BTreeSet, HashSet};

use frontdesk_model::crm::donation::DonationStatus;
use frontdesk_model::crm::money::Currency;
use frontdesk_model::crm::settings::CrmSettings;
use frontdesk_model::{ContactId, DonationId, Timestamp};
use frontdesk_store::crm::donations::{self as gifts, DonationRow};
use frontdesk_store::crm::{opt_outs, settings};
use frontdesk_store::{StoreError, Tx, contacts as rows};
use serde_json::{Map, Value, json};

use super::people::{self, Key};
use super::sheet::{self, Line};
use super::{Check, CrmError, donations, figures, profile};
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::{Engine, contacts};

/// Lines of one transaction.
const LOT: usize = 200;
/// How many wrong lines are told in words.
const TOLD: usize = 100;
const MAX_NAME: usize = 120;

/// What a sheet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// A person on each line.
    Contacts,
    /// A gift on each line.
    Donations,
}

impl Sheet {
    /// The columns, in the order in which they are written.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["phone", "name", "email", "opted_out"],
            Self::Donations => &[
                "external_id",
                "phone",
                "amount",
                "currency",
                "received_at",
                "status",
                "method",
                "campaign",
                "fee",
                "is_test",
                "note",
            ],
        }
    }

    /// Columns that are written for people to read and not taken back: they follow from gifts.
    pub(super) fn told(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => {
                &["lifetime_value", "donation_count", "last_donation", "segment", "engagement_score"]
            }
            Self::Donations => &["name", "refunded"],
        }
    }

    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["phone"],
            Self::Donations => &["external_id", "phone", "amount"],
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Contacts => "phone",
            Self::Donations => "external_id",
        }
    }
}

/// What became of the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines of which something was made.
    pub created: usize,
    /// Lines that changed something.
    pub updated: usize,
    /// Lines that are here already.
    pub skipped: usize,
    /// Lines that were left out.
    pub errors: usize,
    /// The first of those, in words.
    pub wrong: Vec<WrongLine>,
}

/// Why a line was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongLine {
    /// Its number in the file.
    pub line: u64,
    /// The column.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Updated,
    Skipped,
}

type Outcomes = Vec<Result<Outcome, WrongLine>>;

/// Why a transaction is not kept.
enum Stop {
    Store(StoreError),
    /// It was a rehearsal.
    Rehearsed(Outcomes),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes a sheet. Errors: 422 naming `file` when it is none.
pub async fn import(
    engine: &Engine,
    actor: Actor,
    sheet: Sheet,
    file: &[u8],
    is_rehearsal: bool,
) -> Result<Report, CrmError> {
    let lines = sheet::read(file, sheet.required(), &[sheet.columns(), sheet.told()].concat())?;
    let mut report = Report::default();
    let lines = without_repeats(sheet, lines, &mut report);
    for lot in lines.chunks(LOT) {
        let lot = lot.to_vec();
        let now = engine.clock.now();
        let done = engine.store.write(move |tx| {
            let outcomes = take(tx, actor, sheet, &lot, now)?;
            if is_rehearsal { Err(Stop::Rehearsed(outcomes)) } else { Ok(outcomes) }
        });
        match done.await {
            Ok(outcomes) | Err(Stop::Rehearsed(outcomes)) => report.add(outcomes),
            Err(Stop::Store(error)) => return Err(error.into()),
        }
    }
    if !is_rehearsal && report.created + report.updated > 0 {
        note(engine, actor, sheet, &report).await?;
    }
    report.wrong.sort_by_key(|wrong| wrong.line);
    report.wrong.truncate(TOLD);
    Ok(report)
}

async fn note(engine: &Engine, actor: Actor, sheet: Sheet, report: &Report) -> Result<(), StoreError> {
    let action = match sheet {
        Sheet::Contacts => "contacts.imported",
        Sheet::Donations => "donations.imported",
    };
    let details = json!({ "created": report.created, "updated": report.updated, "errors": report.errors });
    let now = engine.clock.now();
    let deed = Deed { action, subject_type: "account", subject_id: actor.account_id.0 };
    engine.store.write(move |tx| audit::record(tx, actor, deed, Some(&details), now)).await
}

/// Two lines about the same would be taken for a change of mind: the second is wrong.
fn without_repeats(sheet: Sheet, lines: Vec<Line>, report: &mut Report) -> Vec<Line> {
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        let key = line.get(sheet.key()).unwrap_or_default();
        let key = match sheet {
            Sheet::Contacts => key.chars().filter(char::is_ascii_digit).collect(),
            Sheet::Donations => key.to_owned(),
        };
        if key.is_empty() || seen.insert(key) {
            kept.push(line); // without a key it is wrong for that reason
        } else {
            let message = format!("Another line has this {} already.", sheet.key());
            report.refuse(WrongLine { line: line.number, field: sheet.key().to_owned(), message });
        }
    }
    kept
}

impl Report {
    fn add(&mut self, outcomes: Outcomes) {
        for outcome in outcomes {
            match outcome {
                Ok(Outcome::Created) => self.created += 1,
                Ok(Outcome::Updated) => self.updated += 1,
                Ok(Outcome::Skipped) => self.skipped += 1,
                Err(wrong) => self.refuse(wrong),
            }
        }
    }

    fn refuse(&mut self, wrong: WrongLine) {
        self.errors += 1;
        self.wrong.push(wrong);
    }
}

/// Takes some lines; figures are counted once for each person at the end.
fn take(
    tx: &mut Tx<'_>,
    actor: Actor,
    sheet: Sheet,
    lines: &[Line],
    now: Timestamp,
) -> Result<Outcomes, StoreError> {
    let (settings, _) = settings::get(tx, actor.account_id)?;
    let mut touched = BTreeSet::new();
    let mut outcomes = Vec::with_capacity(lines.len());
    for line in lines {
        let done = match sheet {
            Sheet::Contacts => take_contact(tx, actor, line, &settings, now),
            Sheet::Donations => take_donation(tx, actor, line, &settings, now),
        };
        outcomes.push(match done {
            Ok((contact, outcome)) => {
                if outcome != Outcome::Skipped {
                    touched.insert(contact);
                }
                Ok(outcome)
            }
            Err(CrmError::Store(error)) => return Err(error),
            Err(error) => Err(wrong_line(line, error)),
        });
    }
    for contact in touched {
        figures::recount(tx, actor.account_id, contact, now)?;
        tx.emit(contacts::updated(actor.account_id, contact));
    }
    Ok(outcomes)
}

fn wrong_line(line: &Line, error: CrmError) -> WrongLine {
    let (field, message) = match error {
        CrmError::Invalid(fields) => fields.into_iter().next().unwrap_or_default(),
        other => (String::new(), other.to_string()),
    };
    WrongLine { line: line.number, field, message }
}

fn take_contact(
    tx: &mut Tx<'_>,
    actor: Actor,
    line: &Line,
    settings: &CrmSettings,
    now: Timestamp,
) -> Result<(ContactId, Outcome), CrmError> {
    let account = actor.account_id;
    let mut check = Check::default();
    let key = key_of(&mut check, line);
    let name = check.maybe("name", line.get("name"), MAX_NAME);
    let email = line.get("email").map(str::to_lowercase);
    let is_email = email.as_deref().is_none_or(crate::users::is_email);
    check.must(is_email, "email", "The email field must be a valid email address.");
    let opted_out = read_flag(&mut check, line, "opted_out");
    check.done()?;
    let custom: Map<String, Value> =
        line.custom().map(|(name, text)| (name.to_owned(), Value::String(text.to_owned()))).collect();
    profile::check_fields(&custom)?;
    let is_known = people::find(tx, account, &key, settings)?.is_some();
    let mut contact = people::find_locked(tx, account, &key, settings, now)?;
    let mut is_changed = false;
    if name.is_some() && name != contact.name {
        (contact.name, contact.name_edited, is_changed) = (name, true, true);
    }
    if email.is_some() && email != contact.email {
        (contact.email, is_changed) = (email, true);
    }
    if is_changed {
        rows::save(tx, &contact, now)?;
        rows::other_side::note_edits(tx, account, contact.id, &["name", "email"], now)?;
    }
    let details = rows::other_side::details_many(tx, account, [contact.id])?.remove(&contact.id);
    let known = details.unwrap_or_default().custom_fields;
    let custom: Map<String, Value> =
        custom.into_iter().filter(|(name, text)| known.get(name).map(shown) != Some(shown(text))).collect();
    if !custom.is_empty() {
        profile::set_fields(tx, account, contact.id, &custom, now)?;
        is_changed = true;
    }
    if let Some(opted_out) = opted_out
        && opted_out != opt_outs::is_out(tx, account, contact.id)?
    {
        if opted_out {
            opt_outs::insert(tx, account, contact.id, actor.user_id, now)?;
        } else {
            opt_outs::remove(tx, account, contact.id)?;
        }
        is_changed = true;
    }
    let outcome = match (is_known, is_changed) {
        (false, _) => Outcome::Created,
        (true, true) => Outcome::Updated,
        (true, false) => Outcome::Skipped,
    };
    Ok((contact.id, outcome))
}

fn key_of(check: &mut Check, line: &Line) -> Key {
    let phone = line.get("phone");
    check.must(phone.is_some(), "phone", "The phone field is required.");
    Key::parse(phone.unwrap_or_default())
}

/// A field of one's own as a sheet shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn take_donation(
    tx: &mut Tx<'_>,
    actor: Actor,
    line: &Line,
    settings: &CrmSettings,
    now: Timestamp,
) -> Result<(ContactId, Outcome), CrmError> {
    let account = actor.account_id;
    let mut check = Check::default();
    let key = key_of(&mut check, line);
    let external_id = line.get("external_id").map(str::to_owned);
    check.must(
        external_id.is_some(),
        "external_id",
        "The external_id field is required: by it a gift is known again.",
    );
    let currency = match line.get("currency") {
        None => settings.currency,
        Some(text) => Currency::parse(text).unwrap_or_else(|| {
            check.must(false, "currency", "The currency field must be three letters, as IDR.");
            settings.currency
        }),
    };
    let amount = read_amount(&mut check, line, "amount", currency);
    check.must(amount.is_some(), "amount", "The amount field is required.");
    let fee = read_amount(&mut check, line, "fee", currency).unwrap_or(0);
    let status = match line.get("status").map(str::to_lowercase) {
        None => DonationStatus::Completed,
        Some(word) => DonationStatus::parse(&word).unwrap_or_else(|| {
            check.must(false, "status", "The selected status is invalid.");
            DonationStatus::Completed
        }),
    };
    let is_test = read_flag(&mut check, line, "is_test").unwrap_or(false);
    let received_at = match line.get("received_at") {
        None => None,
        Some(text) => {
            let at = Timestamp::parse(text).or_else(|| settings.calendar().begin_of(text));
            let sentence =
                "The received_at field must be a day or a time, as 2026-01-31 or 2026-01-31T09:30:00Z.";
            check.must(at.is_some(), "received_at", sentence);
            at
        }
    };
    check.done()?;
    let given = |column: &str| line.get(column).map(str::to_owned);
    let mut new = donations::check(DonationRow {
        id: DonationId(0),
        account_id: account,
        contact_id: ContactId(0),
        amount: amount.unwrap_or_default(),
        refunded: if status == DonationStatus::Refunded { amount.unwrap_or_default() } else { 0 },
        fee,
        currency,
        status,
        is_test,
        method: given("method"),
        campaign: given("campaign"),
        note: given("note"),
        external_id,
        fingerprint: None,
        received_at: received_at.unwrap_or(now),
        created_by: actor.user_id,
        deleted_at: None,
        created_at: now,
        updated_at: now,
    })?;
    new.fingerprint = Some(donations::fingerprint(&new, received_at.is_some()));
    let known = gifts::find_by_external(tx, account, new.external_id.as_deref().unwrap_or_default())?;
    if let Some(known) = &known
        && people::find(tx, account, &key, settings)?.is_none_or(|contact| contact.id != known.contact_id)
    {
        return Err(CrmError::invalid("external_id", "This donation is noted for another contact."));
    }
    let contact = people::find_locked(tx, account, &key, settings, now)?.id;
    new.contact_id = contact;
    let outcome = match known {
        None => {
            gifts::insert(tx, &new, now)?;
            Outcome::Created
        }
        // One that was taken out of the books stays out.
        Some(known) if known.deleted_at.is_some() || is_same(&known, &new, received_at) => Outcome::Skipped,
        Some(known) => {
            // The sheet says nothing of what was given back in parts.
            let refunded = if status == DonationStatus::Refunded { new.amount } else { known.refunded };
            if refunded > new.amount {
                let sentence = "The amount field must not be less than what was given back already.";
                return Err(CrmError::invalid("amount", sentence));
            }
            let received_at = received_at.unwrap_or(known.received_at);
            gifts::update(tx, &DonationRow { id: known.id, refunded, received_at, ..new }, now)?;
            Outcome::Updated
        }
    };
    Ok((contact, outcome))
}

/// The line says what it said the last time, whatever was changed by hand since, or what the gift is anyhow.
fn is_same(known: &DonationRow, new: &DonationRow, received_at: Option<Timestamp>) -> bool {
    let said = |row: &DonationRow| {
        let DonationRow { amount, fee, currency, status, is_test, method, campaign, note, .. } = row.clone();
        (amount, fee, currency, status, is_test, method, campaign, note)
    };
    let is_then = received_at.is_none_or(|at| at == known.received_at);
    known.fingerprint == new.fingerprint || (is_then && said(known) == said(new))
}

fn read_amount(check: &mut Check, line: &Line, column: &str, currency: Currency) -> Option<i64> {
    let text = line.get(column)?;
    let amount = currency.parse_amount(text);
    let sentence = format!(
        "The {column} field must be a number of {currency} with a point and no separators, as 250000 or 12.50."
    );
    check.must(amount.is_some(), column, sentence);
    amount
}

fn read_flag(check: &mut Check, line: &Line, column: &str) -> Option<bool> {
    match line.get(column)?.to_lowercase().as_str() {
        "1" | "true" | "yes" | "ya" | "sim" => Some(true),
        "0" | "false" | "no" | "tidak" | "não" => Some(false),
        _ => {
            check.must(false, column, format!("The {column} field must be yes or no."));
            None
        }
    }
}
