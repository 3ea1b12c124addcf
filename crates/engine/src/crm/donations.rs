//! Gifts: noted, changed, given back, taken out. The figures of the donor change in the same transaction.

use frontdesk_model::crm::donation::DonationStatus;
use frontdesk_model::crm::money::Currency;
use frontdesk_model::{AccountId, DonationId, Timestamp};
use frontdesk_store::crm::donations::{self, DonationRow, Place};
use frontdesk_store::crm::settings;
use frontdesk_store::{StoreError, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::people::{self, Key};
use super::{Check, CrmError, figures};
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::{Engine, contacts};

/// The largest amount, in minor units: sums of a million of them fit.
const MAX_AMOUNT: i64 = 1_000_000_000_000;
const MAX_WORD: usize = 120;
const MAX_NOTE: usize = 2_000;

/// A gift to note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDonation {
    /// What was given, before fees, in minor units.
    pub amount: i64,
    /// Absent: the account's.
    pub currency: Option<Currency>,
    /// What became of it.
    pub status: DonationStatus,
    /// What it cost us.
    pub fee: i64,
    /// It only tried whether paying works.
    pub is_test: bool,
    /// How it was paid.
    pub method: Option<String>,
    /// What it was given for.
    pub campaign: Option<String>,
    /// Anything else.
    pub note: Option<String>,
    /// What another program calls it: the same one is the same gift.
    pub external_id: Option<String>,
    /// When it was given; absent: now.
    pub received_at: Option<Timestamp>,
}

/// What becomes of a gift; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in NewDonation")]
pub struct DonationChanges {
    pub amount: Option<i64>,
    pub currency: Option<Currency>,
    pub status: Option<DonationStatus>,
    pub fee: Option<i64>,
    pub is_test: Option<bool>,
    pub method: Option<Option<String>>,
    pub campaign: Option<Option<String>>,
    pub note: Option<Option<String>>,
    pub received_at: Option<Timestamp>,
}

/// A gift as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The gift.
    pub row: DonationRow,
    /// False when it was there already.
    pub is_new: bool,
}

/// Notes a gift of whoever has this number, whom it makes when nobody has.
pub async fn add(engine: &Engine, actor: Actor, key: Key, new: NewDonation) -> Result<Noted, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let contact = people::find_locked(tx, account, &key, &settings, now)?;
            let row = check(DonationRow {
                id: DonationId(0),
                account_id: account,
                contact_id: contact.id,
                amount: new.amount,
                refunded: if new.status == DonationStatus::Refunded { new.amount } else { 0 },
                fee: new.fee,
                currency: new.currency.unwrap_or(settings.currency),
                status: new.status,
                is_test: new.is_test,
                method: new.method.clone(),
                campaign: new.campaign.clone(),
                note: new.note.clone(),
                external_id: new.external_id.clone(),
                fingerprint: None,
                received_at: new.received_at.unwrap_or(now),
                created_by: actor.user_id,
                deleted_at: None,
                created_at: now,
                updated_at: now,
            })?;
            store(tx, actor, row, new.received_at.is_some(), now)
        })
        .await
}

fn store(
    tx: &mut Tx<'_>,
    actor: Actor,
    mut row: DonationRow,
    has_time: bool,
    now: Timestamp,
) -> Result<Noted, CrmError> {
    let account = row.account_id;
    row.fingerprint = row.external_id.is_some().then(|| fingerprint(&row, has_time));
    let Some(id) = donations::insert(tx, &row, now)? else {
        let external_id = row.external_id.as_deref().unwrap_or_default();
        let earlier = donations::find_by_external(tx, account, external_id)?;
        let same = |earlier: &DonationRow| {
            earlier.fingerprint == row.fingerprint
                && earlier.contact_id == row.contact_id
                && earlier.deleted_at.is_none()
        };
        return match earlier {
            Some(earlier) if same(&earlier) => Ok(Noted { row: earlier, is_new: false }),
            _ => Err(CrmError::Conflict(format!("Another donation has the external_id {external_id}."))),
        };
    };
    row.id = id;
    changed(tx, actor, &row, "donation.added", now)?;
    Ok(Noted { row, is_new: true })
}

/// A digest of what another program said of a gift.
pub(super) fn fingerprint(row: &DonationRow, has_time: bool) -> String {
    let at = has_time.then_some(row.received_at);
    let said = json!([
        row.amount,
        row.currency,
        row.status,
        row.fee,
        row.is_test,
        row.method,
        row.campaign,
        row.note,
        at
    ]);
    hex::encode(Sha256::digest(said.to_string()))
}

/// Changes a gift.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: DonationId,
    changes: DonationChanges,
) -> Result<DonationRow, CrmError> {
    edit(engine, actor, id, "donation.updated", move |row| {
        let was = row.clone();
        let row = check(DonationRow {
            amount: changes.amount.unwrap_or(row.amount),
            currency: changes.currency.unwrap_or(row.currency),
            status: changes.status.unwrap_or(row.status),
            fee: changes.fee.unwrap_or(row.fee),
            is_test: changes.is_test.unwrap_or(row.is_test),
            method: changes.method.clone().unwrap_or(row.method),
            campaign: changes.campaign.clone().unwrap_or(row.campaign),
            note: changes.note.clone().unwrap_or(row.note),
            received_at: changes.received_at.unwrap_or(row.received_at),
            ..was
        })?;
        if row.refunded > row.amount {
            let sentence = "The amount field must not be less than what was given back already.";
            return Err(CrmError::invalid("amount", sentence));
        }
        Ok(row)
    })
    .await
}

/// Gives a gift back: `amount` of it, or all that is left.
pub async fn refund(
    engine: &Engine,
    actor: Actor,
    id: DonationId,
    amount: Option<i64>,
) -> Result<DonationRow, CrmError> {
    edit(engine, actor, id, "donation.refunded", move |row| {
        let sentence = "Only a completed donation can be given back, and no more of it than is left.";
        let gift = row.gift().refunded_by(amount).ok_or_else(|| CrmError::invalid("amount", sentence))?;
        Ok(DonationRow { refunded: gift.refunded, status: gift.status, ..row })
    })
    .await
}

async fn edit(
    engine: &Engine,
    actor: Actor,
    id: DonationId,
    action: &'static str,
    edit: impl Fn(DonationRow) -> Result<DonationRow, CrmError> + Send + Sync + 'static,
) -> Result<DonationRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let row = locked(tx, account, id)?;
            let row = DonationRow { updated_at: now, ..edit(row)? };
            donations::update(tx, &row, now)?;
            changed(tx, actor, &row, action, now)?;
            Ok(row)
        })
        .await
}

/// Takes a gift out of the books.
pub async fn remove(engine: &Engine, actor: Actor, id: DonationId) -> Result<(), CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let row = locked(tx, account, id)?;
            donations::hide(tx, account, id, now)?;
            changed(tx, actor, &row, "donation.removed", now)
        })
        .await
}

/// The gift as it is once nobody else changes it.
fn locked(tx: &mut Tx<'_>, account: AccountId, id: DonationId) -> Result<DonationRow, CrmError> {
    let missing = || CrmError::NotFound("donation");
    let mut seen = donations::find(tx, account, id)?.ok_or_else(missing)?;
    loop {
        donations::lock_contact(tx, account, seen.contact_id)?;
        let row = donations::find(tx, account, id)?.ok_or_else(missing)?;
        if row.contact_id == seen.contact_id {
            return Ok(row);
        }
        seen = row; // its donor became part of another while we waited
    }
}

fn changed(
    tx: &mut Tx<'_>,
    actor: Actor,
    row: &DonationRow,
    action: &'static str,
    now: Timestamp,
) -> Result<(), CrmError> {
    figures::recount(tx, row.account_id, row.contact_id, now)?;
    let deed = Deed { action, subject_type: "donation", subject_id: row.id.0 };
    let details = json!({ "contact_id": row.contact_id, "amount": row.amount, "refunded": row.refunded,
        "currency": row.currency, "status": row.status });
    audit::record(tx, actor, deed, Some(&details), now)?;
    tx.emit(contacts::updated(row.account_id, row.contact_id));
    Ok(())
}

/// One gift.
pub async fn get(engine: &Engine, account: AccountId, id: DonationId) -> Result<DonationRow, CrmError> {
    let found = engine.store.read(move |tx| donations::find(tx, account, id)).await?;
    found.ok_or(CrmError::NotFound("donation"))
}

/// Gifts of an account before a place, the newest first.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    status: Option<DonationStatus>,
    since: Timestamp,
    before: Place,
    limit: i64,
) -> Result<Vec<DonationRow>, StoreError> {
    engine.store.read(move |tx| donations::list(tx, account, status, since, before, limit)).await
}

/// Gifts of a person before a place, the newest first; none of a number that nobody has.
pub async fn of_person(
    engine: &Engine,
    account: AccountId,
    key: Key,
    before: Place,
    limit: i64,
) -> Result<Vec<DonationRow>, CrmError> {
    engine
        .store
        .read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let Some(contact) = people::find(tx, account, &key, &settings)? else { return Ok(Vec::new()) };
            Ok(donations::of_contact(tx, account, contact.id, before, limit)?)
        })
        .await
}

/// Checks what can be written into a gift.
pub(super) fn check(row: DonationRow) -> Result<DonationRow, CrmError> {
    let mut check = Check::default();
    let in_range = (1..=MAX_AMOUNT).contains(&row.amount);
    check.must(in_range, "amount", format!("The amount field must be between 1 and {MAX_AMOUNT}."));
    check.must(
        (0..=row.amount.max(0)).contains(&row.fee),
        "fee",
        "The fee field must be between 0 and the amount.",
    );
    let method = check.maybe("method", row.method.as_deref(), MAX_WORD);
    let campaign = check.maybe("campaign", row.campaign.as_deref(), MAX_WORD);
    let note = check.maybe("note", row.note.as_deref(), MAX_NOTE);
    let external_id = check.maybe("external_id", row.external_id.as_deref(), MAX_WORD);
    check.done()?;
    Ok(DonationRow { method, campaign, note, external_id, ..row })
}
