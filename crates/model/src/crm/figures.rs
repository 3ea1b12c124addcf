//! What the gifts of one donor come to. Always counted from the gifts themselves, never by adding to what was there: so
//! that a refund, a merge or a deletion cannot leave it wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::donation::Gift;
use super::money::{Currency, Rates, divide_half_even};
use super::segment::WINDOW_DAYS;
use super::settings::{Calendar, CrmSettings};
use crate::Timestamp;

/// The figures of a donor at a moment. Amounts are in minor units of the base currency unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// All that was given and stayed, before fees. Without gifts in currencies that have no rate.
    pub lifetime: i64,
    /// Gifts of which something stayed, in whatever currency.
    pub count: i64,
    /// The mean of the gifts that are in `lifetime`.
    pub average: Option<i64>,
    /// When the first was given.
    pub first_at: Option<Timestamp>,
    /// When the last was given.
    pub last_at: Option<Timestamp>,
    /// How much the last one was, of its own currency.
    pub last: Option<Amount>,
    /// The largest.
    pub largest: Option<i64>,
    /// Given in this calendar year.
    pub this_year: i64,
    /// Given in the calendar year before.
    pub last_year: i64,
    /// Gifts within the last 24 months.
    pub recent_count: i64,
    /// What they come to.
    pub recent_sum: i64,
    /// Days since the last.
    pub days_since_last: Option<i64>,
    /// Days since the first.
    pub days_since_first: Option<i64>,
    /// Each currency by itself.
    pub totals: BTreeMap<Currency, Total>,
    /// Some gifts are of a currency without a rate: they are in `totals` and `count` alone.
    pub rate_missing: bool,
}

/// Money of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// In minor units.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// What was given in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    /// In minor units.
    pub sum: i64,
    /// How many gifts.
    pub count: i64,
}

/// By what figures are counted.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The base currency.
    pub currency: Currency,
    /// What others are worth.
    pub rates: &'a Rates,
    /// When days and years begin.
    pub calendar: &'a Calendar,
    /// The moment.
    pub now: Timestamp,
}

impl<'a> Basis<'a> {
    /// That of an account.
    pub fn of(settings: &'a CrmSettings, calendar: &'a Calendar, now: Timestamp) -> Self {
        Self { currency: settings.currency, rates: &settings.rates, calendar, now }
    }
}

impl Figures {
    /// Counts the gifts of a donor, in whatever order they are.
    pub fn of<'g>(gifts: impl IntoIterator<Item = &'g Gift>, basis: &Basis<'_>) -> Self {
        let this_year = basis.calendar.date(basis.now).year();
        let (mut figures, mut with_rate) = (Self::default(), 0);
        for gift in gifts {
            let Some(kept) = gift.counted(basis.now) else { continue };
            let days = basis.calendar.days_between(gift.received_at, basis.now);
            let recent = days <= WINDOW_DAYS;
            figures.count += 1;
            figures.recent_count += i64::from(recent);
            let total = figures.totals.entry(gift.currency).or_default();
            *total = Total { sum: total.sum.saturating_add(kept), count: total.count + 1 };
            figures.note_time(gift, kept);
            let Some(value) = basis.rates.convert(kept, gift.currency, basis.currency) else {
                figures.rate_missing = true;
                continue;
            };
            with_rate += 1;
            figures.lifetime = figures.lifetime.saturating_add(value);
            figures.largest = figures.largest.max(Some(value));
            if recent {
                figures.recent_sum = figures.recent_sum.saturating_add(value);
            }
            let year = basis.calendar.date(gift.received_at).year();
            if year == this_year {
                figures.this_year = figures.this_year.saturating_add(value);
            } else if year == this_year - 1 {
                figures.last_year = figures.last_year.saturating_add(value);
            }
        }
        figures.average = divide_half_even(figures.lifetime, with_rate);
        figures.at(basis)
    }

    /// The days counted anew: all that time alone changes about who gave nothing since. Years and the window need the
    /// gifts.
    #[must_use]
    fn at(mut self, basis: &Basis<'_>) -> Self {
        let days = |at: Option<Timestamp>| at.map(|at| basis.calendar.days_between(at, basis.now));
        self.days_since_first = days(self.first_at);
        self.days_since_last = days(self.last_at);
        self
    }

    fn note_time(&mut self, gift: &Gift, kept: i64) {
        let (at, amount) = (gift.received_at, Amount { minor: kept, currency: gift.currency });
        if self.first_at.is_none_or(|first| at < first) {
            self.first_at = Some(at);
        }
        // Of two given at one moment the larger is shown, whichever was read first.
        let key = |amount: Amount| (amount.minor, amount.currency);
        if (Some(at), Some(key(amount))) > (self.last_at, self.last.map(key)) {
            self.last_at = Some(at);
            self.last = Some(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::donation::DonationStatus;
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
    }

    fn gift(amount: i64, days_ago: i64) -> Gift {
        Gift {
            amount,
            refunded: 0,
            currency: Currency::IDR,
            status: DonationStatus::Completed,
            is_test: false,
            is_deleted: false,
            received_at: now().plus_ms(-days_ago * DAY_MS),
        }
    }

    fn figures(gifts: &[Gift]) -> Figures {
        let (rates, calendar) = (Rates::new([(usd(), 15_000.0)]), Calendar::fixed(7));
        Figures::of(gifts, &Basis { currency: Currency::IDR, rates: &rates, calendar: &calendar, now: now() })
    }

    fn usd() -> Currency {
        Currency::parse("USD").unwrap()
    }

    #[test]
    fn nobody_has_zeros_and_nothing_else() {
        assert_eq!(figures(&[]), Figures::default());
        assert_eq!(figures(&[Gift { is_test: true, ..gift(5, 1) }]), Figures::default());
    }

    #[test]
    fn figures_are_those_of_the_gifts_that_count() {
        let of = figures(&[
            gift(500_000, 10),
            gift(250_000, 400),
            Gift { refunded: 100_000, ..gift(100_001, 800) },
            Gift { status: DonationStatus::Pending, ..gift(9_000_000, 3) },
            gift(7, -1),
        ]);
        assert_eq!((of.lifetime, of.count, of.average), (750_001, 3, Some(250_000)));
        assert_eq!((of.largest, of.this_year, of.last_year), (Some(500_000), 500_000, 250_000));
        assert_eq!((of.recent_count, of.recent_sum), (2, 750_000));
        assert_eq!((of.days_since_last, of.days_since_first), (Some(10), Some(800)));
        assert_eq!(of.last, Some(Amount { minor: 500_000, currency: Currency::IDR }));
    }

    #[test]
    fn other_currencies_count_by_their_rate_or_by_themselves() {
        let eur = Currency::parse("EUR").unwrap();
        let of = figures(&[
            gift(100, 5),
            Gift { currency: usd(), ..gift(1_000, 4) },
            Gift { currency: eur, ..gift(500, 3) },
        ]);
        assert_eq!((of.lifetime, of.count, of.average, of.rate_missing), (150_100, 3, Some(75_050), true));
        assert_eq!(of.totals[&eur], Total { sum: 500, count: 1 });
        assert_eq!(of.last, Some(Amount { minor: 500, currency: eur }));
    }

    #[test]
    fn the_year_begins_where_the_account_is() {
        let at = |text| Gift { received_at: Timestamp::parse(text).unwrap(), ..gift(10, 0) };
        // Half past midnight of the first of January in Jakarta.
        let of = figures(&[at("2025-12-31T17:30:00Z"), at("2025-12-31T16:30:00Z")]);
        assert_eq!((of.this_year, of.last_year), (10, 10));
    }

    /// A number out of a row that looks like chance and is the same in every run.
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    /// What the books say, kept by adding and subtracting: the other way to the same figures.
    #[derive(Clone, Copy, Default, Debug, PartialEq)]
    struct Book {
        sum: i64,
        count: i64,
    }

    impl Book {
        fn of(gift: &Gift) -> Self {
            let kept = gift.counted(now()).unwrap_or(0);
            Self { sum: kept, count: i64::from(kept > 0) }
        }

        fn change(&mut self, before: Self, after: Self) {
            self.sum += after.sum - before.sum;
            self.count += after.count - before.count;
        }
    }

    #[test]
    fn after_any_gifts_refunds_merges_and_deletions_the_figures_agree_with_the_books() {
        const DONORS: usize = 8;
        let (mut donors, mut books) = (vec![Vec::<Gift>::new(); DONORS], [Book::default(); DONORS]);
        let mut chance = 4;
        for step in 0..10_000 {
            let who = next(&mut chance) as usize % DONORS;
            let which = next(&mut chance) as usize;
            match next(&mut chance) % 10 {
                0..=3 => {
                    let status = DonationStatus::ALL[which % DonationStatus::ALL.len()];
                    let given = Gift { status, ..gift((which % 900) as i64 + 1, (which % 1_000) as i64) };
                    books[who].change(Book::default(), Book::of(&given));
                    donors[who].push(given);
                }
                4..=6 if !donors[who].is_empty() => {
                    let at = which % donors[who].len();
                    let before = donors[who][at];
                    let back = (!which.is_multiple_of(3)).then_some((which % 400) as i64);
                    if let Some(after) = before.refunded_by(back) {
                        // Wholly given back it no longer counts, whatever its status says.
                        books[who].change(Book::of(&before), Book::of(&after));
                        donors[who][at] = after;
                    }
                }
                7 | 8 if !donors[who].is_empty() => {
                    let at = which % donors[who].len();
                    let after = Gift { is_deleted: true, ..donors[who][at] };
                    books[who].change(Book::of(&donors[who][at]), Book::of(&after));
                    donors[who][at] = after;
                }
                9 => {
                    let to = which % DONORS;
                    if to != who {
                        let moved = std::mem::take(&mut donors[who]);
                        donors[to].extend(moved);
                        let lost = std::mem::take(&mut books[who]);
                        books[to].change(Book::default(), lost);
                    }
                }
                _ => {}
            }
            for (gifts, book) in donors.iter().zip(&books) {
                if step % 50 == 0 {
                    let of = figures(gifts);
                    assert_eq!(Book { sum: of.lifetime, count: of.count }, *book, "after step {step}");
                    let mut backwards = gifts.clone();
                    backwards.reverse();
                    assert_eq!(figures(&backwards), of, "the order of the rows is no matter");
                }
            }
        }
    }
}
