//! Which side's value of a field stands: the one that changed, and of two that did the newer one.

use frontdesk_model::Timestamp;
use frontdesk_store::external_entity_maps::Base;

use super::fields::{EMPTY, Field};

/// Where the value that stands comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// Both have the same.
    Both,
    /// Theirs is taken over.
    Theirs {
        /// Ours was changed too, and is dropped.
        over_ours: bool,
    },
    /// Ours stays, and is sent there at the next occasion.
    Ours {
        /// Theirs was changed too, and is dropped.
        over_theirs: bool,
    },
    /// Each keeps its own: one of them took its value away on purpose.
    Apart,
}

/// A field as it is on both sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub field: Field,
    /// Digest of theirs, and when it was changed as far as that is known.
    pub theirs: (&'a str, Timestamp),
    /// Digest of ours, and when it was changed.
    pub ours: (&'a str, Timestamp),
}

/// Decides about one field.
pub(super) fn decide(base: &Base, sides: &Sides<'_>) -> Stands {
    let name = sides.field.as_str();
    let before = |digests: &frontdesk_store::external_entity_maps::Digests| {
        digests.get(name).map_or(EMPTY, String::as_str).to_owned()
    };
    let ((theirs, theirs_at), (ours, ours_at)) = (sides.theirs, sides.ours);
    if theirs == ours {
        return Stands::Both;
    }
    let (theirs_changed, ours_changed) = (before(&base.remote) != theirs, before(&base.local) != ours);
    let taken_away = theirs == EMPTY && sides.field != Field::Email;
    match (theirs_changed, ours_changed) {
        // A number is how somebody is reached here, and a name how they are known: neither goes because it went there.
        (true, false) if taken_away => Stands::Apart,
        (true, false) => Stands::Theirs { over_ours: false },
        (false, true) => Stands::Ours { over_theirs: false },
        (false, false) => Stands::Apart,
        (true, true) if taken_away => Stands::Ours { over_theirs: false },
        (true, true) if ours == EMPTY => Stands::Theirs { over_ours: false },
        (true, true) if theirs_at >= ours_at => Stands::Theirs { over_ours: true },
        (true, true) => Stands::Ours { over_theirs: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(field: Field, base: (&str, &str), theirs: (&str, i64), ours: (&str, i64)) -> Stands {
        let digests = |value: &str| [(field.as_str().to_owned(), value.to_owned())].into();
        let base = Base { remote: digests(base.0), local: digests(base.1) };
        let at = Timestamp::from_millis;
        decide(&base, &Sides { field, theirs: (theirs.0, at(theirs.1)), ours: (ours.0, at(ours.1)) })
    }

    #[test]
    fn who_changed_alone_is_followed() {
        let name = |theirs, ours| decided(Field::Name, ("a", "a"), (theirs, 9), (ours, 1));
        assert_eq!(name("b", "a"), Stands::Theirs { over_ours: false });
        assert_eq!(name("a", "b"), Stands::Ours { over_theirs: false });
        assert_eq!(name("b", "b"), Stands::Both, "the same change on both sides is none");
    }

    #[test]
    fn of_two_changes_the_newer_stands() {
        let name = |theirs_at, ours_at| decided(Field::Name, ("a", "a"), ("b", theirs_at), ("c", ours_at));
        assert_eq!(name(2, 1), Stands::Theirs { over_ours: true });
        assert_eq!(name(1, 2), Stands::Ours { over_theirs: true });
        assert_eq!(name(1, 1), Stands::Theirs { over_ours: true }, "one of them, always the same");
    }

    #[test]
    fn what_is_taken_away_there_goes_here_only_where_nobody_is_lost_by_it() {
        assert_eq!(
            decided(Field::Email, ("a", "a"), (EMPTY, 9), ("a", 1)),
            Stands::Theirs { over_ours: false }
        );
        assert_eq!(decided(Field::Phone, ("a", "a"), (EMPTY, 9), ("a", 1)), Stands::Apart);
        assert_eq!(decided(Field::Phone, (EMPTY, "a"), (EMPTY, 9), ("a", 1)), Stands::Apart, "and stays so");
    }

    #[test]
    fn who_meets_for_the_first_time_fills_what_the_other_lacks() {
        let none = (EMPTY, EMPTY);
        assert_eq!(decided(Field::Email, none, ("a", 9), (EMPTY, 0)), Stands::Theirs { over_ours: false });
        assert_eq!(decided(Field::Email, none, (EMPTY, 9), ("a", 0)), Stands::Ours { over_theirs: false });
    }
}
