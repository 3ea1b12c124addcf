//! Gifts. Whoever changes one counts the figures of its contact anew, in the same transaction.

use frontdesk_model::crm::donation::{DonationStatus, Gift};
use frontdesk_model::crm::money::Currency;
use frontdesk_model::{AccountId, ContactId, DonationId, Timestamp, UserId};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "d.id, d.account_id, d.contact_id, d.amount, d.refunded, d.fee, d.currency, d.status, d.is_test, d.method,
         d.campaign, d.note, d.external_id, d.fingerprint, d.received_at, d.created_by, d.deleted_at, d.created_at,
         d.updated_at"
    };
}

statements! {
    // One at a time for each contact: the figures that are counted afterwards have seen all gifts.
    LOCK_CONTACT = each(
        "SELECT id FROM contacts WHERE account_id = $1 AND id = $2",
        "SELECT id FROM contacts WHERE account_id = $1 AND id = $2 FOR UPDATE");
    INSERT = inserting!(
        "INSERT INTO donations (account_id, contact_id, amount, refunded, fee, currency, status, is_test, method,
            campaign, note, external_id, fingerprint, received_at, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
         ON CONFLICT DO NOTHING");
    UPDATE = both(
        "UPDATE donations SET amount = $3, refunded = $4, fee = $5, currency = $6, status = $7, is_test = $8,
            method = $9, campaign = $10, note = $11, fingerprint = $12, received_at = $13, updated_at = $14
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    HIDE = both(
        "UPDATE donations SET deleted_at = $3, updated_at = $3 WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL");
    FIND = both(concat!("SELECT ", columns!(),
        " FROM donations d WHERE d.account_id = $1 AND d.id = $2 AND d.deleted_at IS NULL"));
    BY_EXTERNAL = both(concat!("SELECT ", columns!(), " FROM donations d WHERE d.account_id = $1 AND d.external_id = $2"));
    OF_CONTACT = both(concat!("SELECT ", columns!(),
        " FROM donations d WHERE d.account_id = $1 AND d.contact_id = $2 AND d.deleted_at IS NULL
          AND (d.received_at, d.id) < ($3, $4) ORDER BY d.received_at DESC, d.id DESC LIMIT $5"));
    LIST = both(concat!("SELECT ", columns!(),
        " FROM donations d WHERE d.account_id = $1 AND (d.received_at, d.id) < ($2, $3) AND d.received_at >= $4
          AND d.deleted_at IS NULL AND ($5 = '' OR d.status = $5) ORDER BY d.received_at DESC, d.id DESC LIMIT $6"));
    GIFTS = both(
        "SELECT amount, refunded, currency, status, is_test, received_at FROM donations
         WHERE account_id = $1 AND contact_id = $2 AND deleted_at IS NULL");
    MOVE = both("UPDATE donations SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2");
    REMOVE = both("DELETE FROM donations WHERE account_id = $1 AND contact_id = $2");
}

/// A gift as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct DonationRow {
    pub id: DonationId,
    pub account_id: AccountId,
    pub contact_id: ContactId,
    /// What was given, before fees, in minor units.
    pub amount: i64,
    /// What of it was given back.
    pub refunded: i64,
    /// What the payment cost us.
    pub fee: i64,
    pub currency: Currency,
    pub status: DonationStatus,
    pub is_test: bool,
    /// How it was paid, in anybody's words.
    pub method: Option<String>,
    pub campaign: Option<String>,
    pub note: Option<String>,
    /// What another program calls it; unique in the account.
    pub external_id: Option<String>,
    /// A digest of what that program said of it.
    pub fingerprint: Option<String>,
    pub received_at: Timestamp,
    pub created_by: Option<UserId>,
    pub deleted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl DonationRow {
    /// What figures need of it.
    pub fn gift(&self) -> Gift {
        Gift {
            amount: self.amount,
            refunded: self.refunded,
            currency: self.currency,
            status: self.status,
            is_test: self.is_test,
            is_deleted: self.deleted_at.is_some(),
            received_at: self.received_at,
        }
    }
}

impl FromRow for DonationRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            contact_id: row.next()?,
            amount: row.next()?,
            refunded: row.next()?,
            fee: row.next()?,
            currency: row.next()?,
            status: row.next()?,
            is_test: row.next()?,
            method: row.next()?,
            campaign: row.next()?,
            note: row.next()?,
            external_id: row.next()?,
            fingerprint: row.next()?,
            received_at: row.next()?,
            created_by: row.next()?,
            deleted_at: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

impl FromRow for Gift {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            amount: row.next()?,
            refunded: row.next()?,
            currency: row.next()?,
            status: row.next()?,
            is_test: row.next()?,
            is_deleted: false,
            received_at: row.next()?,
        })
    }
}

/// Nobody else changes gifts of a contact until the transaction ends.
pub fn lock_contact(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    tx.query::<(ContactId,)>(&LOCK_CONTACT, p![account, contact]).map(drop)
}

/// Adds a gift; its id and its times are given here. `None` when another has its `external_id`, also one that was removed.
pub fn insert(tx: &mut Tx<'_>, row: &DonationRow, now: Timestamp) -> Result<Option<DonationId>, StoreError> {
    let params = p![
        row.account_id,
        row.contact_id,
        row.amount,
        row.refunded,
        row.fee,
        row.currency,
        row.status,
        row.is_test,
        row.method,
        row.campaign,
        row.note,
        row.external_id,
        row.fingerprint,
        row.received_at,
        row.created_by,
        now
    ];
    tx.insert(&INSERT, params)
}

/// Stores what can change about a gift; false when it is gone.
pub fn update(tx: &mut Tx<'_>, row: &DonationRow, now: Timestamp) -> Result<bool, StoreError> {
    let params = p![
        row.account_id,
        row.id,
        row.amount,
        row.refunded,
        row.fee,
        row.currency,
        row.status,
        row.is_test,
        row.method,
        row.campaign,
        row.note,
        row.fingerprint,
        row.received_at,
        now
    ];
    Ok(tx.execute(&UPDATE, params)? > 0)
}

/// Takes a gift out of the books; false when it is gone already.
pub fn hide(tx: &mut Tx<'_>, account: AccountId, id: DonationId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&HIDE, p![account, id, now])? > 0)
}

/// One gift.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: DonationId) -> Result<Option<DonationRow>, StoreError> {
    tx.find(&FIND, p![account, id])
}

/// The gift that another program calls so, also one that was removed.
pub fn find_by_external(
    tx: &mut Tx<'_>,
    account: AccountId,
    external_id: &str,
) -> Result<Option<DonationRow>, StoreError> {
    tx.find(&BY_EXTERNAL, p![account, external_id])
}

/// A place in a list of gifts: when it was given, then its id.
pub type Place = (Timestamp, DonationId);

/// Before everything: where a list begins.
pub const START: Place = (Timestamp::from_millis(i64::MAX), DonationId(i64::MAX));

/// Gifts of a contact given before a place, the newest first.
pub fn of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    before: Place,
    limit: i64,
) -> Result<Vec<DonationRow>, StoreError> {
    tx.query(&OF_CONTACT, p![account, contact, before.0, before.1, limit])
}

/// Gifts of an account given from `since` on and before a place, the newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    status: Option<DonationStatus>,
    since: Timestamp,
    before: Place,
    limit: i64,
) -> Result<Vec<DonationRow>, StoreError> {
    let status = status.map_or("", DonationStatus::as_str);
    tx.query(&LIST, p![account, before.0, before.1, since, status, limit])
}

/// All gifts of a contact as figures need them.
pub fn gifts(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<Vec<Gift>, StoreError> {
    tx.query(&GIFTS, p![account, contact])
}

pub(super) fn move_to_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: ContactId,
    to: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&MOVE, p![account, from, to]).map(drop)
}

pub(super) fn remove_of_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE, p![account, contact]).map(drop)
}
