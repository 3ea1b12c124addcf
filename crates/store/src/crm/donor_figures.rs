//! What the gifts of each contact come to, as it was last counted. Who has no row has no gift.

use std::collections::HashMap;

use frontdesk_model::crm::figures::Figures;
use frontdesk_model::crm::score::Conversation;
use frontdesk_model::crm::segment::Segment;
use frontdesk_model::{AccountId, ContactId, Timestamp};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "f.account_id, f.contact_id, f.segment, f.held_segment, f.score, f.figures, f.conversation, f.refreshed_at"
    };
}

statements! {
    SAVE = both(
        "INSERT INTO donor_figures (account_id, contact_id, lifetime, donation_count, recent_sum, last_at, segment,
            held_segment, score, figures, conversation, refreshed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (account_id, contact_id) DO UPDATE SET lifetime = excluded.lifetime,
            donation_count = excluded.donation_count, recent_sum = excluded.recent_sum, last_at = excluded.last_at,
            segment = excluded.segment, held_segment = excluded.held_segment, score = excluded.score,
            figures = excluded.figures, conversation = excluded.conversation, refreshed_at = excluded.refreshed_at");
    FIND_MANY = each(
        concat!("SELECT ", columns!(), " FROM donor_figures f WHERE f.account_id = $1 AND f.contact_id = $2"),
        concat!("SELECT ", columns!(), " FROM donor_figures f
            JOIN UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, contact_id)
            ON f.account_id = n.account_id AND f.contact_id = n.contact_id"));
    REMOVE = both("DELETE FROM donor_figures WHERE account_id = $1 AND contact_id = $2");
    // What gifts that moved leave behind is counted by whoever comes next: at the latest by the next look.
    EXPIRE = both(
        "INSERT INTO donor_figures (account_id, contact_id, lifetime, donation_count, recent_sum, segment, score, figures,
            refreshed_at)
         SELECT account_id, $3, 0, 0, 0, segment, 0, '{}', 0 FROM donor_figures WHERE account_id = $1 AND contact_id = $2
         ON CONFLICT (account_id, contact_id) DO UPDATE SET refreshed_at = 0");
    OLDEST = both(
        "SELECT f.contact_id FROM donor_figures f WHERE f.account_id = $1 AND f.refreshed_at < $2
         ORDER BY f.refreshed_at, f.contact_id LIMIT $3");
    SUMS = both("SELECT lifetime, recent_sum FROM donor_figures f WHERE f.account_id = $1 AND f.donation_count > 0");
}

/// The figures of a contact as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct DonorFiguresRow {
    pub account_id: AccountId,
    pub contact_id: ContactId,
    pub segment: Segment,
    /// The last of VIP, Loyal and New that the donor was in.
    pub held_segment: Option<Segment>,
    /// 0 to 100.
    pub score: i64,
    pub figures: Figures,
    /// What the donor said lately.
    pub conversation: Conversation,
    pub refreshed_at: Timestamp,
}

impl FromRow for DonorFiguresRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: row.next()?,
            contact_id: row.next()?,
            segment: row.next()?,
            held_segment: row.next()?,
            score: row.next()?,
            figures: row.next_json()?,
            conversation: row.next_json()?,
            refreshed_at: row.next()?,
        })
    }
}

/// Stores figures in place of those that were there.
pub fn save(tx: &mut Tx<'_>, row: &DonorFiguresRow) -> Result<(), StoreError> {
    let figures = serde_json::to_string(&row.figures).unwrap_or_default();
    let conversation = serde_json::to_string(&row.conversation).unwrap_or_default();
    let params = p![
        row.account_id,
        row.contact_id,
        row.figures.lifetime,
        row.figures.count,
        row.figures.recent_sum,
        row.figures.last_at,
        row.segment,
        row.held_segment,
        row.score,
        figures,
        conversation,
        row.refreshed_at
    ];
    tx.execute(&SAVE, params).map(drop)
}

/// The figures of contacts; those without any are left out.
pub fn find_many(
    tx: &mut Tx<'_>,
    account: AccountId,
    contacts: impl IntoIterator<Item = ContactId>,
) -> Result<HashMap<ContactId, DonorFiguresRow>, StoreError> {
    let rows = contacts.into_iter().map(|contact| row![account, contact]).collect();
    let found = tx.query_many::<DonorFiguresRow>(&FIND_MANY, rows)?;
    Ok(found.into_iter().map(|row| (row.contact_id, row)).collect())
}

/// The figures of one contact.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<Option<DonorFiguresRow>, StoreError> {
    Ok(find_many(tx, account, [contact])?.remove(&contact))
}

/// Contacts whose figures were last counted before `before`, the oldest first.
pub fn oldest(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    Ok(tx.query::<(ContactId,)>(&OLDEST, p![account, before, limit])?.into_iter().map(|(id,)| id).collect())
}

/// Of each donor what they gave in all and within 24 months.
pub fn sums(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(i64, i64)>, StoreError> {
    tx.query(&SUMS, p![account])
}

/// The gifts of `loser` are `winner`'s now: the figures of both no longer hold.
pub(super) fn expire(
    tx: &mut Tx<'_>,
    account: AccountId,
    loser: ContactId,
    winner: ContactId,
) -> Result<(), StoreError> {
    tx.execute(&EXPIRE, p![account, loser, winner])?;
    remove(tx, account, loser)
}

/// Forgets the figures of a contact.
pub fn remove(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    tx.execute(&REMOVE, p![account, contact]).map(drop)
}
