//! A gift, and whether it counts.

use serde::{Deserialize, Serialize};

use super::money::Currency;
use crate::Timestamp;

crate::words! {
    /// What became of a gift.
    pub enum DonationStatus {
        /// The money arrived. Only these count.
        Completed = "completed",
        /// It was promised or is under way.
        Pending = "pending",
        /// The giver called it off.
        Cancelled = "cancelled",
        /// The payment failed.
        Failed = "failed",
        /// All of it was given back.
        Refunded = "refunded",
        /// The giver's bank took it back.
        Chargeback = "chargeback",
    }
}

/// What figures need of a gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gift {
    /// What was given, before fees, in minor units.
    pub amount: i64,
    /// What of it was given back.
    pub refunded: i64,
    /// Of which currency.
    pub currency: Currency,
    /// What became of it.
    pub status: DonationStatus,
    /// It only tried whether paying works.
    pub is_test: bool,
    /// It was taken out of the books.
    pub is_deleted: bool,
    /// When it was given.
    pub received_at: Timestamp,
}

impl Gift {
    /// What counts of it: nothing unless the money arrived and some of it stayed.
    pub fn counted(&self, now: Timestamp) -> Option<i64> {
        let counts = self.status == DonationStatus::Completed
            && !self.is_test
            && !self.is_deleted
            && self.received_at <= now;
        Some(self.amount - self.refunded).filter(|kept| counts && *kept > 0)
    }

    /// Gives `amount` back, or all that is left. `None` when there is not so much left, or no money ever arrived.
    #[must_use]
    pub fn refunded_by(self, amount: Option<i64>) -> Option<Self> {
        let left = self.amount - self.refunded;
        let back = amount.unwrap_or(left);
        let possible =
            self.status == DonationStatus::Completed && !self.is_deleted && (1..=left).contains(&back);
        let status = if back == left { DonationStatus::Refunded } else { self.status };
        possible.then(|| Self { refunded: self.refunded + back, status, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gift() -> Gift {
        Gift {
            amount: 1_000,
            refunded: 0,
            currency: Currency::IDR,
            status: DonationStatus::Completed,
            is_test: false,
            is_deleted: false,
            received_at: Timestamp::from_secs(100),
        }
    }

    #[test]
    fn only_money_that_arrived_and_stayed_counts() {
        let now = Timestamp::from_secs(100);
        assert_eq!(gift().counted(now), Some(1_000));
        assert_eq!(Gift { refunded: 300, ..gift() }.counted(now), Some(700));
        for not in [
            Gift { refunded: 1_000, ..gift() },
            Gift { status: DonationStatus::Pending, ..gift() },
            Gift { status: DonationStatus::Chargeback, ..gift() },
            Gift { is_test: true, ..gift() },
            Gift { is_deleted: true, ..gift() },
            Gift { received_at: Timestamp::from_secs(101), ..gift() },
        ] {
            assert_eq!(not.counted(now), None, "{not:?}");
        }
    }

    #[test]
    fn no_more_is_given_back_than_was_given() {
        let half = gift().refunded_by(Some(400)).unwrap();
        assert_eq!((half.refunded, half.status), (400, DonationStatus::Completed));
        assert_eq!(half.refunded_by(Some(601)), None);
        assert_eq!(half.refunded_by(Some(0)), None);
        assert_eq!(half.refunded_by(Some(i64::MAX)), None);
        let whole = half.refunded_by(None).unwrap();
        assert_eq!((whole.refunded, whole.status), (1_000, DonationStatus::Refunded));
        assert_eq!(whole.refunded_by(None), None);
        assert_eq!(Gift { status: DonationStatus::Pending, ..gift() }.refunded_by(None), None);
    }
}
