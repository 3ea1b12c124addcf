//! Whom a session may write to now. Networks ban numbers that write to many people who never wrote to them: answers go at
//! once, strangers one after the other with gaps that look like a person's, and only so many a day.

use frontdesk_model::{AccountId, ConversationId, InboxId, Timestamp};
use frontdesk_store::{StoreError, Tx, linked_sessions, linked_strangers};

use super::settings::LinkedSettings;

/// How long a stranger counts, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Whether a message to somebody who never wrote to us may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Now.
    Go,
    /// Not before.
    At(Timestamp),
    /// Only who wrote to us is written to.
    Never,
}

/// Takes a place for a message to somebody who never wrote to us. `chance` is a number from 0 to 1.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    settings: &LinkedSettings,
    (account, inbox, conversation): (AccountId, InboxId, ConversationId),
    chance: f64,
    now: Timestamp,
) -> Result<Leave, StoreError> {
    if settings.replies_only {
        return Ok(Leave::Never);
    }
    if linked_strangers::find(tx, account, inbox, conversation)?.is_some() {
        return Ok(Leave::Go); // not a stranger any more
    }
    let day_ago = now.plus_ms(-DAY_MS);
    linked_strangers::delete_before(tx, inbox, day_ago)?;
    let (count, first) = linked_strangers::since(tx, inbox, day_ago)?;
    if count >= i64::from(settings.new_recipients_per_day) {
        return Ok(Leave::At(first.map_or(now, |first| first).plus_ms(DAY_MS + 1)));
    }
    if !linked_sessions::take_cold_turn(tx, inbox, now.plus_ms(gap_ms(settings, chance)), now)? {
        let next = linked_sessions::next_cold(tx, inbox)?;
        return Ok(Leave::At(next.max(now.plus_ms(1))));
    }
    linked_strangers::insert(tx, account, inbox, conversation, now)?;
    Ok(Leave::Go)
}

/// The wait after a message to a stranger, drawn between the two of the settings.
fn gap_ms(settings: &LinkedSettings, chance: f64) -> i64 {
    let (least, most) = (settings.cold_gap_min_ms, settings.cold_gap_max_ms.max(settings.cold_gap_min_ms));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "gaps are far below 2^52 ms and not negative"
    )]
    let more = ((most - least) as f64 * chance.clamp(0.0, 1.0)) as u64;
    i64::try_from(least.saturating_add(more)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_lie_between_the_two_of_the_settings() {
        let settings = LinkedSettings::default();
        assert_eq!([0.0, 0.5, 1.0].map(|chance| gap_ms(&settings, chance)), [30_000, 45_000, 60_000]);
        let upside_down = LinkedSettings { cold_gap_max_ms: 5, ..settings };
        assert_eq!(gap_ms(&upside_down, 1.0), 30_000);
    }
}
