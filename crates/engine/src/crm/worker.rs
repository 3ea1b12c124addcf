//! What goes on in the background: newcomers are welcomed, reminders go off, and figures follow the calendar.

use std::time::Duration;

use frontdesk_model::crm::score;
use frontdesk_model::crm::segment::VipRule;
use frontdesk_model::crm::settings::CrmSettings;
use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::crm::settings::{self, Thresholds};
use frontdesk_store::crm::{donations, donor_figures, notes};
use frontdesk_store::{StoreError, Topic, Tx, accounts};

use super::figures::{self, Rules};
use super::{merges, reminders, welcome};
use crate::turn::Turn;
use crate::{Engine, workers};

/// Looks at least this often.
const PAUSE: Duration = Duration::from_secs(5);
/// Looks for figures that are too old so often, in milliseconds.
const REFRESH_EVERY_MS: i64 = 30_000;
const TURN: &str = "crm.figures";
const TURN_MS: i64 = 60_000;
/// Contacts counted anew in one transaction.
const SLICE: i64 = 50;
/// Notes made searchable in one transaction.
const NOTES_SLICE: i64 = 200;
const DAY_MS: i64 = 86_400_000;

/// Goes on until shutdown.
pub(crate) async fn run(engine: Engine) {
    // New contacts ring it; the account's other bells are all taken, and this one rings seldom.
    let mut bell = engine.store.signals().listen(Topic::Media);
    let mut refresh_at = Timestamp::default();
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        let more = welcome::welcome_all(&engine).await.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "newcomers could not be welcomed");
            false
        });
        told("reminders could not go off", reminders::fire_due(&engine).await);
        if engine.clock.now() >= refresh_at {
            told("figures of donors could not be counted", refresh(&engine).await);
            told("old merges could not be forgotten", merges::forget_old(&engine).await);
            told("old notes could not be made searchable", fold_notes(&engine).await);
            refresh_at = engine.clock.now().plus_ms(REFRESH_EVERY_MS);
        }
        if more {
            continue;
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => {}
            () = workers::rung(&mut bell) => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Does at once what the next look would do: after it nobody waits, nothing is due, all figures hold, and no merge is kept
/// longer than it can be undone.
pub async fn catch_up(engine: &Engine) -> Result<(), StoreError> {
    while welcome::welcome_all(engine).await? {}
    reminders::fire_due(engine).await?;
    merges::forget_old(engine).await?;
    fold_notes(engine).await?;
    refresh(engine).await
}

/// Makes notes searchable that a version before stored.
async fn fold_notes(engine: &Engine) -> Result<(), StoreError> {
    while engine.store.write(|tx| notes::fold_old(tx, NOTES_SLICE)).await? == NOTES_SLICE {}
    Ok(())
}

fn told(what: &'static str, result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::warn!(error = &error as &dyn std::error::Error, "{what}");
    }
}

/// Counts anew what a new day, other settings or a merge have left behind. Most looks find nothing and write nothing.
async fn refresh(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let due = engine.store.read(move |tx| list_due(tx, now)).await?;
    if due.is_empty() {
        return Ok(());
    }
    let Some(mut turn) = Turn::take(engine, TURN, TURN_MS).await? else { return Ok(()) };
    for round in due {
        if !carry_out(engine, &mut turn, round).await? {
            return Ok(());
        }
    }
    turn.end().await
}

/// What is to be done for an account. Interrupted, it is found again and goes on.
#[derive(Debug, Clone, Copy)]
struct Round {
    account: AccountId,
    /// Figures counted before this do not hold: the day began, the settings changed, or the thresholds did.
    since: Timestamp,
    /// The thresholds are of another day.
    has_old_thresholds: bool,
    /// The settings were changed since: figures first, the thresholds are taken from them.
    has_other_settings: bool,
}

fn list_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Round>, StoreError> {
    let all_ages = settings::ages(tx)?;
    let mut due = Vec::new();
    for account in accounts::list(tx)? {
        let account = account.id;
        let always = Timestamp::from_millis(i64::MAX);
        if donor_figures::oldest(tx, account, always, 1)?.is_empty() {
            continue; // no donors
        }
        let ages = all_ages.get(&account).copied().unwrap_or_default();
        let (settings, _) = settings::get(tx, account)?;
        let day = begin_of_day(&settings, now);
        let round = Round {
            account,
            since: day.max(ages.updated_at).max(ages.refreshed_at),
            has_old_thresholds: ages.refreshed_at < day.max(ages.updated_at),
            has_other_settings: ages.updated_at > ages.refreshed_at,
        };
        if round.has_old_thresholds || !donor_figures::oldest(tx, account, round.since, 1)?.is_empty() {
            due.push(round);
        }
    }
    Ok(due)
}

/// When the day began where the account is.
fn begin_of_day(settings: &CrmSettings, now: Timestamp) -> Timestamp {
    let offset_ms = settings.calendar().offset_ms(now);
    let since_midnight_ms = (now.as_millis() + offset_ms).rem_euclid(DAY_MS);
    now.plus_ms(-since_midnight_ms)
}

/// Counts the figures of an account; false when the turn is lost.
async fn carry_out(engine: &Engine, turn: &mut Turn, round: Round) -> Result<bool, StoreError> {
    let Round { account, mut since, has_old_thresholds, has_other_settings } = round;
    if has_old_thresholds {
        if has_other_settings && !count_all(engine, turn, account, since).await? {
            return Ok(false);
        }
        let now = engine.clock.now();
        engine.store.write(move |tx| take_thresholds(tx, account, now)).await?;
        since = since.max(now);
    }
    count_all(engine, turn, account, since).await
}

/// Counts the figures that are older than `before`; false when the turn is lost.
async fn count_all(
    engine: &Engine,
    turn: &mut Turn,
    account: AccountId,
    before: Timestamp,
) -> Result<bool, StoreError> {
    loop {
        if !turn.goes_on().await? {
            return Ok(false);
        }
        let now = engine.clock.now();
        let counted = engine.store.write(move |tx| {
            let contacts = donor_figures::oldest(tx, account, before, SLICE)?;
            let (settings, thresholds) = settings::get(tx, account)?;
            let calendar = settings.calendar();
            let rules = Rules { settings: &settings, thresholds, calendar: &calendar, now };
            for contact in &contacts {
                donations::lock_contact(tx, account, *contact)?;
                figures::recount_by(tx, account, *contact, &rules)?;
            }
            Ok::<_, StoreError>(contacts.len() as i64)
        });
        if counted.await? < SLICE {
            return Ok(true);
        }
    }
}

/// Takes from the donors from when on somebody is VIP, and what counts in full.
fn take_thresholds(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    let (settings, _) = settings::get(tx, account)?;
    let (lifetimes, mut recent): (Vec<i64>, Vec<i64>) = donor_figures::sums(tx, account)?.into_iter().unzip();
    let cap_units = score::cap_units(settings.score_cap, settings.currency, &mut recent);
    let thresholds =
        Thresholds { vip: Some(VipRule::of(settings.vip_floor, lifetimes)), cap_units: Some(cap_units) };
    settings::set_thresholds(tx, account, &thresholds, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_of_the_account() {
        let now = Timestamp::parse("2026-11-22T18:30:00Z").unwrap();
        let begin = |time_zone: &str| {
            let settings = CrmSettings { time_zone: time_zone.to_owned(), ..CrmSettings::default() };
            begin_of_day(&settings, now).to_string()
        };
        assert_eq!(begin("UTC"), "2026-11-22T00:00:00Z");
        assert_eq!(begin("Asia/Jakarta"), "2026-11-22T17:00:00Z");
        assert_eq!(begin("America/Sao_Paulo"), "2026-11-22T03:00:00Z");
    }
}
