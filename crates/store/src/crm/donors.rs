//! Contacts as donors: found by words, by group and by what their gifts come to.

use frontdesk_model::crm::segment::Segment;
use frontdesk_model::{AccountId, ContactId, text};

use crate::db::statement::both;
use crate::{StoreError, Tx};

/// How many words of a search are looked for.
const WORDS: usize = 4;

// Who has no figures gave nothing and is new. With the groups of the seed ($4) the others are folded into its three.
macro_rules! matching {
    () => {
        " AND c.merged_into IS NULL AND COALESCE(f.lifetime, 0) >= $6 AND COALESCE(f.score, 0) >= $7
          AND ($5 = '' OR $5 = CASE
            WHEN f.segment IS NULL THEN 'New'
            WHEN $4 = FALSE OR f.segment IN ('VIP', 'Loyal', 'New') THEN f.segment
            WHEN f.segment = 'Regular' AND f.donation_count >= 2 THEN 'Loyal'
            WHEN f.segment = 'Regular' THEN 'New'
            ELSE COALESCE(f.held_segment, 'New') END)
          AND ($8 = '' OR (c.search_text LIKE $8 AND c.search_text LIKE $9 AND c.search_text LIKE $10 AND c.search_text LIKE $11)
            OR EXISTS (SELECT 1 FROM contact_notes n WHERE n.account_id = c.account_id AND n.contact_id = c.id
              AND n.search_text LIKE $8 AND n.search_text LIKE $9 AND n.search_text LIKE $10 AND n.search_text LIKE $11))"
    };
}

macro_rules! by_figure {
    ($figure:literal) => {
        both(concat!(
            "SELECT f.contact_id, ",
            $figure,
            " FROM donor_figures f
             JOIN contacts c ON c.account_id = f.account_id AND c.id = f.contact_id
             WHERE f.account_id = $1 AND (",
            $figure,
            ", f.contact_id) < ($12, $2)",
            matching!(),
            " ORDER BY ",
            $figure,
            " DESC, f.contact_id DESC LIMIT $3"
        ))
    };
}

statements! {
    BY_ID = both(concat!(
        "SELECT c.id, c.id FROM contacts c
         LEFT JOIN donor_figures f ON f.account_id = c.account_id AND f.contact_id = c.id
         WHERE c.account_id = $1 AND c.id < $2", matching!(), " ORDER BY c.id DESC LIMIT $3"));
    BY_LIFETIME = by_figure!("f.lifetime");
    BY_SCORE = by_figure!("f.score");
    BY_LAST = by_figure!("f.last_at");
}

/// In which order donors are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Who came last first; also those who gave nothing yet.
    #[default]
    Newest,
    /// Who gave most first.
    Lifetime,
    /// The most engaged first.
    Score,
    /// Who gave last first.
    LastGift,
}

/// Which donors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DonorFilter {
    /// Words in name, e-mail and phone, or in one note: all of them.
    pub words: Option<String>,
    /// In this group.
    pub segment: Option<Segment>,
    /// Groups are the three of the seed.
    pub is_folded: bool,
    /// Their gifts come to this much at least.
    pub min_lifetime: i64,
    /// Their score is this at least.
    pub min_score: i64,
}

/// A place in the list: what it is ordered by, then the id.
pub type Place = (i64, ContactId);

/// Before everything: where the list begins.
pub const START: Place = (i64::MAX, ContactId(i64::MAX));

/// Donors after a place, in their order.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    filter: &DonorFilter,
    order: Order,
    after: Place,
    limit: i64,
) -> Result<Vec<(ContactId, i64)>, StoreError> {
    let folded = text::fold(filter.words.as_deref().unwrap_or_default());
    // `%` and `_` are no letters: the words hold none.
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let patterns: [String; WORDS] =
        std::array::from_fn(|_| words.next().map_or_else(|| "%".to_owned(), |word| format!("%{word}%")));
    let [a, b, c, d] = &patterns;
    // Nothing is looked for: notes need not be read.
    let a = if a == "%" { "" } else { a };
    let (value, id) = after;
    let segment = filter.segment.map_or("", |segment| segment.as_str());
    let (folds, lifetime, score) = (filter.is_folded, filter.min_lifetime, filter.min_score);
    match order {
        Order::Newest => {
            tx.query(&BY_ID, p![account, id, limit, folds, segment, lifetime, score, a, b, c, d])
        }
        _ => {
            let statement = match order {
                Order::Score => &BY_SCORE,
                Order::LastGift => &BY_LAST,
                Order::Lifetime | Order::Newest => &BY_LIFETIME,
            };
            tx.query(statement, p![account, id, limit, folds, segment, lifetime, score, a, b, c, d, value])
        }
    }
}
