//! Counting: figures, group and score of one contact, from the gifts and messages that are there now.

use std::collections::BTreeSet;

use frontdesk_model::crm::figures::{Basis, Figures};
use frontdesk_model::crm::score::{self, Conversation, ScoreInput};
use frontdesk_model::crm::segment::{self, VipRule};
use frontdesk_model::crm::settings::{Calendar, CrmSettings};
use frontdesk_model::{AccountId, ContactId, Timestamp};
use frontdesk_store::crm::donor_figures::{self, DonorFiguresRow};
use frontdesk_store::crm::settings::{self, Thresholds};
use frontdesk_store::crm::{donations, opt_outs, talk};
use frontdesk_store::{StoreError, Tx, conversations};

const DAY_MS: i64 = 86_400_000;

/// Counts the figures of a contact anew and stores them. To be called at the end of every transaction that changes a gift,
/// after [`donations::lock_contact`]. Who has no gifts has no figures.
pub(super) fn recount(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    now: Timestamp,
) -> Result<Option<DonorFiguresRow>, StoreError> {
    let (settings, thresholds) = settings::get(tx, account)?;
    let calendar = settings.calendar();
    recount_by(tx, account, contact, &Rules { settings: &settings, thresholds, calendar: &calendar, now })
}

/// By what figures are counted: the same for all contacts of an account.
pub(super) struct Rules<'a> {
    pub settings: &'a CrmSettings,
    pub thresholds: Thresholds,
    pub calendar: &'a Calendar,
    pub now: Timestamp,
}

/// [`recount`] with rules that were read before.
pub(super) fn recount_by(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    rules: &Rules<'_>,
) -> Result<Option<DonorFiguresRow>, StoreError> {
    let gifts = donations::gifts(tx, account, contact)?;
    if gifts.is_empty() {
        donor_figures::remove(tx, account, contact)?;
        return Ok(None);
    }
    let before = donor_figures::find(tx, account, contact)?;
    let basis = Basis::of(rules.settings, rules.calendar, rules.now);
    let figures = Figures::of(&gifts, &basis);
    let vip = rules.thresholds.vip.unwrap_or_else(|| VipRule::of(rules.settings.vip_floor, Vec::new()));
    let segment = segment::segment(&figures, vip, before.as_ref().map(|before| before.segment));
    let held =
        if segment.is_of_seed() { Some(segment) } else { before.and_then(|before| before.held_segment) };
    let conversation = lately(tx, account, contact, rules)?;
    let opted_out = opt_outs::is_out(tx, account, contact)?;
    let row = DonorFiguresRow {
        account_id: account,
        contact_id: contact,
        segment,
        held_segment: held,
        score: score_of(&figures, conversation, opted_out, rules),
        figures,
        conversation,
        refreshed_at: rules.now,
    };
    donor_figures::save(tx, &row)?;
    Ok(Some(row))
}

/// The score of a contact, 0 to 100.
pub(super) fn score_of(
    figures: &Figures,
    conversation: Conversation,
    opted_out: bool,
    rules: &Rules<'_>,
) -> i64 {
    let (base, settings) = (rules.settings.currency, rules.settings);
    let cap_units = rules.thresholds.cap_units;
    let input = ScoreInput {
        days_since_last: figures.days_since_last,
        recent_count: figures.recent_count,
        recent_units: base.in_units(figures.recent_sum),
        cap_units: cap_units.unwrap_or_else(|| score::cap_units(settings.score_cap, base, &mut [])),
        engagement: score::engagement(conversation),
        opted_out,
    };
    score::score(&input, settings.score_preset).into()
}

/// What a contact said lately, in all their conversations. What we wrote less than three days ago and is not answered yet
/// does not count against them.
pub(super) fn lately(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    rules: &Rules<'_>,
) -> Result<Conversation, StoreError> {
    let (now, offset_ms) = (rules.now, rules.calendar.offset_ms(rules.now));
    let since = now.plus_ms(-score::ENGAGEMENT_DAYS * DAY_MS);
    let (mut days, mut asked) = (BTreeSet::new(), Vec::new());
    for row in conversations::of_contact(tx, account, contact)? {
        days.extend(talk::inbound_days(tx, account, row.id, since, offset_ms)?);
        // One more than counts may be too young to count.
        let limit = 2 * score::LOOKED_AT as i64;
        let ours = talk::asked(tx, account, row.id, Timestamp::default(), limit)?;
        asked.extend(ours.into_iter().map(|at| (at, row.id)));
    }
    asked.sort_unstable_by(|a, b| b.cmp(a));
    let mut said = Conversation { inbound_days: days.len() as i64, ..Conversation::default() };
    for (at, conversation) in asked {
        if said.asked == score::LOOKED_AT as i64 {
            break;
        }
        let until = at.plus_ms(score::ANSWER_WITHIN_MS);
        let answered = talk::was_answered(tx, account, conversation, at, until)?;
        if answered || until <= now {
            said.asked += 1;
            said.answered += i64::from(answered);
        }
    }
    Ok(said)
}
