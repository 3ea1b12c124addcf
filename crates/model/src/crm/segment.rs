//! In which group a donor is. The rules in order; the first that holds decides.

use serde::{Deserialize, Serialize};

use super::figures::Figures;

/// Days that count as "lately" for gifts: 24 months.
pub const WINDOW_DAYS: i64 = 730;
/// Days within which a donor is active.
const ACTIVE_DAYS: i64 = 365;
/// Days for which a donor is new.
const NEW_DAYS: i64 = 90;
/// Gifts lately that make a donor loyal.
const LOYAL_GIFTS: i64 = 3;

crate::words! {
    /// A group of donors.
    pub enum Segment {
        /// Gave very much, and not long ago.
        Vip = "VIP",
        /// Gives again and again, lately too.
        Loyal = "Loyal",
        /// Never gave, or began to lately.
        New = "New",
        /// Gave within a year.
        Regular = "Regular",
        /// Gave, but not for a year.
        AtRisk = "At risk",
        /// Gave, but not for two years.
        Lapsed = "Lapsed",
    }
}

crate::words! {
    /// Which groups an account uses.
    pub enum SegmentSet {
        /// All of them.
        Full = "full",
        /// VIP, Loyal and New alone.
        Seed = "seed",
    }
}

crate::words! {
    /// How it stands with a donor, by the calendar alone.
    pub enum DonorStatus {
        /// Never gave.
        None = "none",
        /// Gave for the first time within 90 days.
        New = "new",
        /// Gave within a year.
        Active = "active",
        /// Gave one to two years ago.
        AtRisk = "at_risk",
        /// Gave more than two years ago.
        Lapsed = "lapsed",
    }
}

/// What a donor's group depends on beside their own gifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VipRule {
    /// From which lifetime value on, in minor units of the base currency; `None`: nobody is.
    pub min: Option<i64>,
}

impl VipRule {
    /// With fewer donors than this only the floor counts.
    pub const ENOUGH_DONORS: usize = 20;

    /// The rule for an account: the larger of its floor and the 90th percentile of what donors gave.
    pub fn of(floor: Option<i64>, mut lifetimes: Vec<i64>) -> Self {
        if lifetimes.len() < Self::ENOUGH_DONORS {
            return Self { min: floor };
        }
        Self { min: percentile(&mut lifetimes, 90).max(floor) }
    }

    /// Who is in leaves only below nine tenths of it: nobody goes in and out with every gift of others.
    fn holds(self, lifetime: i64, held: Option<Segment>) -> bool {
        let Some(min) = self.min else { return false };
        let (lifetime, min) = (i128::from(lifetime), i128::from(min));
        if held == Some(Segment::Vip) { lifetime * 10 >= min * 9 } else { lifetime >= min }
    }
}

/// The smallest value that `percent` of all are not above (nearest rank). `None` of none.
pub fn percentile(values: &mut [i64], percent: usize) -> Option<i64> {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    if values.len() < rank {
        return None;
    }
    Some(*values.select_nth_unstable(rank - 1).1)
}

/// The group of a donor, given the one they were in.
pub fn segment(figures: &Figures, vip: VipRule, held: Option<Segment>) -> Segment {
    let (Some(since_last), Some(since_first)) = (figures.days_since_last, figures.days_since_first) else {
        return Segment::New;
    };
    if since_last <= WINDOW_DAYS && vip.holds(figures.lifetime, held) {
        Segment::Vip
    } else if figures.recent_count >= LOYAL_GIFTS && since_last <= ACTIVE_DAYS {
        Segment::Loyal
    } else if since_first <= NEW_DAYS {
        Segment::New
    } else if since_last <= ACTIVE_DAYS {
        Segment::Regular
    } else if since_last <= WINDOW_DAYS {
        Segment::AtRisk
    } else {
        Segment::Lapsed
    }
}

impl Segment {
    /// The group shown where an account knows only three; `held` is the last of the three that the donor was in.
    pub fn folded(self, figures: &Figures, held: Option<Self>) -> Self {
        match self {
            Self::Vip | Self::Loyal | Self::New => self,
            Self::Regular if figures.count >= 2 => Self::Loyal,
            Self::Regular => Self::New,
            Self::AtRisk | Self::Lapsed => held.filter(|held| held.is_of_seed()).unwrap_or(Self::New),
        }
    }

    /// One of the three.
    pub fn is_of_seed(self) -> bool {
        matches!(self, Self::Vip | Self::Loyal | Self::New)
    }
}

/// How it stands with a donor.
pub fn status(figures: &Figures) -> DonorStatus {
    match (figures.days_since_first, figures.days_since_last) {
        (Some(first), _) if first <= NEW_DAYS => DonorStatus::New,
        (_, Some(last)) if last <= ACTIVE_DAYS => DonorStatus::Active,
        (_, Some(last)) if last <= WINDOW_DAYS => DonorStatus::AtRisk,
        (_, Some(_)) => DonorStatus::Lapsed,
        (_, None) => DonorStatus::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn donor(lifetime: i64, count: i64, recent_count: i64, first: i64, last: i64) -> Figures {
        Figures {
            lifetime,
            count,
            recent_count,
            days_since_first: Some(first),
            days_since_last: Some(last),
            ..Figures::default()
        }
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let vip = VipRule { min: Some(1_000) };
        let of = |figures: &Figures| segment(figures, vip, None);
        assert_eq!(of(&Figures::default()), Segment::New, "who never gave");
        assert_eq!(of(&donor(1_000, 1, 1, 5, 5)), Segment::Vip, "before new");
        assert_eq!(of(&donor(1_000, 1, 1, 730, 730)), Segment::Vip);
        assert_eq!(of(&donor(1_000, 1, 0, 731, 731)), Segment::Lapsed, "much, but long ago");
        assert_eq!(of(&donor(999, 3, 3, 700, 365)), Segment::Loyal);
        assert_eq!(of(&donor(999, 3, 3, 80, 1)), Segment::Loyal, "before new");
        assert_eq!(of(&donor(999, 3, 3, 700, 366)), Segment::AtRisk, "loyal is repeated and recent");
        assert_eq!(of(&donor(10, 2, 2, 90, 1)), Segment::New);
        assert_eq!(of(&donor(10, 2, 2, 91, 1)), Segment::Regular);
        assert_eq!(of(&donor(10, 1, 1, 730, 730)), Segment::AtRisk);
        assert_eq!(segment(&donor(1_000_000, 1, 1, 100, 100), VipRule::default(), None), Segment::Regular);
    }

    #[test]
    fn who_is_vip_leaves_only_below_nine_tenths() {
        let vip = VipRule { min: Some(1_000) };
        let held = |lifetime| segment(&donor(lifetime, 1, 1, 200, 200), vip, Some(Segment::Vip));
        assert_eq!((held(900), held(899)), (Segment::Vip, Segment::Regular));
        assert_eq!(segment(&donor(900, 1, 1, 200, 200), vip, Some(Segment::Loyal)), Segment::Regular);
    }

    #[test]
    fn few_donors_give_no_percentile() {
        assert_eq!(VipRule::of(None, vec![5; 19]).min, None);
        assert_eq!(VipRule::of(Some(7), (1..=19).collect()).min, Some(7));
        assert_eq!(VipRule::of(Some(7), (1..=20).collect()).min, Some(18));
        assert_eq!(VipRule::of(Some(50), (1..=20).collect()).min, Some(50), "the larger of the two");
        assert_eq!(percentile(&mut [], 90), None);
        assert_eq!(percentile(&mut [3], 1), Some(3));
    }

    #[test]
    fn three_groups_hold_all_six() {
        let twice = donor(10, 2, 2, 200, 200);
        let once = donor(10, 1, 1, 200, 200);
        assert_eq!(Segment::Regular.folded(&twice, None), Segment::Loyal);
        assert_eq!(Segment::Regular.folded(&once, Some(Segment::Vip)), Segment::New);
        assert_eq!(Segment::Lapsed.folded(&twice, Some(Segment::Vip)), Segment::Vip);
        assert_eq!(Segment::AtRisk.folded(&twice, None), Segment::New);
        for one in [Segment::Vip, Segment::Loyal, Segment::New] {
            assert_eq!(one.folded(&once, Some(Segment::Loyal)), one);
        }
    }

    #[test]
    fn the_status_goes_by_the_calendar() {
        assert_eq!(status(&Figures::default()), DonorStatus::None);
        for (first, last, expected) in [
            (90, 90, DonorStatus::New),
            (91, 91, DonorStatus::Active),
            (400, 365, DonorStatus::Active),
            (400, 366, DonorStatus::AtRisk),
            (731, 730, DonorStatus::AtRisk),
            (800, 731, DonorStatus::Lapsed),
        ] {
            assert_eq!(status(&donor(1, 1, 1, first, last)), expected, "{first} {last}");
        }
    }
}
