//! All that is known of a donor: what the page shows beside the chat. Somebody unknown has nothing and zeros.

use std::collections::HashMap;

use frontdesk_model::crm::figures::Figures;
use frontdesk_model::crm::money::Currency;
use frontdesk_model::crm::score::ScoreBand;
use frontdesk_model::crm::segment::{self, DonorStatus, Segment};
use frontdesk_model::crm::settings::{Calendar, CrmSettings};
use frontdesk_model::{AccountId, ContactId, Timestamp};
use frontdesk_store::contacts::ContactRow;
use frontdesk_store::crm::donations::{self, DonationRow};
use frontdesk_store::crm::donor_figures::{self, DonorFiguresRow};
use frontdesk_store::crm::notes::{self, NoteRow};
use frontdesk_store::crm::reminders::{self, ReminderRow};
use frontdesk_store::crm::{opt_outs, settings};
use frontdesk_store::{StoreError, Tx, contacts};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::figures::{self, Rules};
use super::people::{self, Key};
use super::{Check, CrmError};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::custom_fields;

/// How many gifts, notes and reminders a profile shows; the rest is in their lists.
const SHOWN: i64 = 20;

/// The figures of a donor. Amounts are whole minor units of `currency`: `currency_digits` of them stand behind the point.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DonorMetrics)]
pub struct Metrics {
    /// All that was given and stayed.
    pub lifetime_value: i64,
    /// The account's currency.
    #[schema(value_type = String, example = "IDR")]
    pub currency: Currency,
    /// How many digits stand behind its point.
    pub currency_digits: u32,
    /// Gifts of which something stayed.
    pub donation_count: i64,
    /// The mean gift; null without any.
    #[schema(required = true)]
    pub avg_donation: Option<i64>,
    /// When the last was given.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_donation: Option<Timestamp>,
    /// When the first was given.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub first_donation: Option<Timestamp>,
    /// The largest.
    #[schema(required = true)]
    pub largest_donation: Option<i64>,
    /// Given in this calendar year.
    pub this_year: i64,
    /// Given in the calendar year before.
    pub last_year: i64,
    /// Days since the last.
    #[schema(required = true)]
    pub days_since_last: Option<i64>,
    /// How it stands, by the calendar.
    pub status: DonorStatus,
    /// The group; null for somebody unknown.
    #[schema(required = true)]
    pub segment: Option<Segment>,
    /// 0 to 100.
    pub engagement_score: i64,
    /// The score in a word.
    pub engagement_band: ScoreBand,
    /// Each currency by itself.
    pub totals: Vec<CurrencyTotal>,
    /// Some gifts are of a currency without a rate: they are in `totals` and `donation_count` alone.
    pub rate_missing: bool,
}

/// What was given in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct CurrencyTotal {
    /// The currency.
    #[schema(value_type = String)]
    pub currency: Currency,
    /// In its minor units.
    pub lifetime_value: i64,
    /// How many gifts.
    pub donation_count: i64,
}

/// A donor and all that was noted.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Who; `None` for a number that nobody has here.
    pub donor: Option<Donor>,
    /// What the gifts come to.
    pub metrics: Metrics,
}

/// Somebody who is known here.
#[derive(Debug, Clone, PartialEq)]
pub struct Donor {
    /// The contact.
    pub contact: ContactRow,
    /// Wants no messages.
    pub opted_out: bool,
    /// Fields of their own.
    pub custom_fields: Map<String, Value>,
    /// The newest gifts.
    pub donations: Vec<DonationRow>,
    /// Notes: the pinned ones, then the newest.
    pub notes: Vec<NoteRow>,
    /// Reminders that are not done.
    pub reminders: Vec<ReminderRow>,
}

/// Shows whoever has this number.
pub async fn show(engine: &Engine, account: AccountId, key: Key) -> Result<Profile, CrmError> {
    let now = engine.clock.now();
    engine.store.read(move |tx| read(tx, account, &key, now)).await
}

fn read(tx: &mut Tx<'_>, account: AccountId, key: &Key, now: Timestamp) -> Result<Profile, CrmError> {
    let (settings, thresholds) = settings::get(tx, account)?;
    let Some(contact) = people::find(tx, account, key, &settings)? else {
        return Ok(Profile { donor: None, metrics: metrics(&Figures::default(), None, 0, &settings) });
    };
    let id = contact.id;
    let calendar = settings.calendar();
    let rules = Rules { settings: &settings, thresholds, calendar: &calendar, now };
    let opted_out = opt_outs::is_out(tx, account, id)?;
    let metrics = match donor_figures::find(tx, account, id)? {
        Some(row) => of_row(&row, &settings, &calendar, now),
        None => of_giftless(tx, account, id, opted_out, &rules)?,
    };
    let details = contacts::other_side::details_many(tx, account, [id])?.remove(&id);
    let donor = Donor {
        contact,
        opted_out,
        custom_fields: details.unwrap_or_default().custom_fields,
        donations: donations::of_contact(tx, account, id, donations::START, SHOWN)?,
        notes: notes::of_contact(tx, account, id, 0, SHOWN)?,
        reminders: reminders::of_contact(tx, account, id, true, reminders::START, SHOWN)?,
    };
    Ok(Profile { donor: Some(donor), metrics })
}

/// The figures of contacts as lists show them, also of those who gave nothing yet.
pub async fn metrics_of(
    engine: &Engine,
    account: AccountId,
    people: Vec<ContactId>,
) -> Result<HashMap<ContactId, Metrics>, StoreError> {
    let now = engine.clock.now();
    engine.store.read(move |tx| metrics_in(tx, account, &people, now)).await
}

/// [`metrics_of`] in a transaction.
pub(crate) fn metrics_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    people: &[ContactId],
    now: Timestamp,
) -> Result<HashMap<ContactId, Metrics>, StoreError> {
    let (settings, thresholds) = settings::get(tx, account)?;
    let calendar = settings.calendar();
    let rules = Rules { settings: &settings, thresholds, calendar: &calendar, now };
    let rows = donor_figures::find_many(tx, account, people.iter().copied())?;
    let mut all: HashMap<_, _> =
        rows.iter().map(|(id, row)| (*id, of_row(row, &settings, &calendar, now))).collect();
    let out = opt_outs::find_many(tx, account, people.iter().copied())?;
    for id in people {
        if !all.contains_key(id) {
            all.insert(*id, of_giftless(tx, account, *id, out.contains(id), &rules)?);
        }
    }
    Ok(all)
}

/// The figures of somebody who gave nothing: new, and as engaged as they talk with us.
fn of_giftless(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    opted_out: bool,
    rules: &Rules<'_>,
) -> Result<Metrics, StoreError> {
    let none = Figures::default();
    let said = figures::lately(tx, account, contact, rules)?;
    let score = figures::score_of(&none, said, opted_out, rules);
    Ok(metrics(&none, Some(Segment::New), score, rules.settings))
}

/// The figures of a donor as they were counted last, with the days of now.
fn of_row(row: &DonorFiguresRow, settings: &CrmSettings, calendar: &Calendar, now: Timestamp) -> Metrics {
    let days = |at: Option<Timestamp>| at.map(|at| calendar.days_between(at, now));
    let figures = Figures {
        days_since_first: days(row.figures.first_at),
        days_since_last: days(row.figures.last_at),
        ..row.figures.clone()
    };
    let segment = settings.shown_segment(row.segment, &figures, row.held_segment);
    metrics(&figures, Some(segment), row.score, settings)
}

fn metrics(figures: &Figures, segment: Option<Segment>, score: i64, settings: &CrmSettings) -> Metrics {
    let totals = figures.totals.iter().map(|(currency, total)| CurrencyTotal {
        currency: *currency,
        lifetime_value: total.sum,
        donation_count: total.count,
    });
    Metrics {
        lifetime_value: figures.lifetime,
        currency: settings.currency,
        currency_digits: settings.currency.digits(),
        donation_count: figures.count,
        avg_donation: figures.average,
        last_donation: figures.last_at,
        first_donation: figures.first_at,
        largest_donation: figures.largest,
        this_year: figures.this_year,
        last_year: figures.last_year,
        days_since_last: figures.days_since_last,
        status: segment::status(figures),
        segment,
        engagement_score: score,
        engagement_band: ScoreBand::of(u8::try_from(score).unwrap_or_default()),
        totals: totals.collect(),
        rate_missing: figures.rate_missing,
    }
}

/// What becomes of a contact as a donor; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DonorChanges {
    /// Fields to set; null takes one away.
    pub custom_fields: Map<String, Value>,
    /// Wants no messages, or wants them again.
    pub opted_out: Option<bool>,
}

/// Changes what is noted of whoever has this number.
pub async fn change(engine: &Engine, actor: Actor, key: Key, changes: DonorChanges) -> Result<(), CrmError> {
    check_fields(&changes.custom_fields)?;
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let contact = people::find(tx, account, &key, &settings)?.ok_or(CrmError::NotFound("contact"))?;
            donations::lock_contact(tx, account, contact.id)?;
            if !changes.custom_fields.is_empty() {
                set_fields(tx, account, contact.id, &changes.custom_fields, now)?;
            }
            if let Some(opted_out) = changes.opted_out {
                if opted_out {
                    opt_outs::insert(tx, account, contact.id, actor.user_id, now)?;
                } else {
                    opt_outs::remove(tx, account, contact.id)?;
                }
                figures::recount(tx, account, contact.id, now)?; // the score knows of it
            }
            let deed = Deed { action: "donor.updated", subject_type: "contact", subject_id: contact.id.0 };
            audit::record(tx, actor, deed, None, now)?;
            tx.emit(crate::contacts::updated(account, contact.id));
            Ok(())
        })
        .await
}

pub(super) fn check_fields(fields: &Map<String, Value>) -> Result<(), CrmError> {
    Check(custom_fields::check(fields)).done()
}

pub(super) fn set_fields(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    changes: &Map<String, Value>,
    now: Timestamp,
) -> Result<(), CrmError> {
    let set = custom_fields::set(tx, account, contact, changes, now)?;
    set.map_err(|sentence| CrmError::invalid("custom_fields", sentence))
}
