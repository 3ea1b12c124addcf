//! Two contacts that are one person: made one by somebody of ours, and made two again within thirty days.

use frontdesk_model::{AccountId, ContactId, MergeId, Timestamp};
use frontdesk_store::contacts::{self as rows, ContactRow};
use frontdesk_store::crm::merges::{self, Before, Fields, MergeRow};
use frontdesk_store::crm::{donations, settings};
use frontdesk_store::{StoreError, Tx};
use serde_json::json;

use super::people::{self, Key};
use super::{CrmError, figures};
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::{Engine, contacts};

/// How long a merge can be undone, in milliseconds. What it keeps for that is forgotten afterwards.
const UNDO_MS: i64 = 30 * 86_400_000;

/// Whose is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// That of the contact that stays, or the other's where it has none.
    #[default]
    Keep,
    /// That of the contact that goes, or the other's where it has none.
    Merge,
}

/// Whose fields are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    /// The name.
    pub name: Side,
    /// The e-mail address.
    pub email: Side,
    /// The number that is shown; both reach the contact afterwards.
    pub phone: Side,
    /// Fields of one's own that both have.
    pub custom_fields: Side,
}

impl Side {
    fn of<T>(self, keep: Option<T>, merge: Option<T>) -> Option<T> {
        match self {
            Self::Keep => keep.or(merge),
            Self::Merge => merge.or(keep),
        }
    }
}

/// Until when a merge can be undone.
pub fn undo_until(row: &MergeRow) -> Timestamp {
    row.created_at.plus_ms(UNDO_MS)
}

/// Makes `merge` part of `keep`: gifts, notes, reminders, names on networks and conversations move, and old ids lead to the
/// one that stays. Its figures are counted anew in the same transaction.
pub async fn merge(
    engine: &Engine,
    actor: Actor,
    keep: Key,
    merge: Key,
    choices: Choices,
) -> Result<MergeRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let find = |tx: &mut Tx<'_>, key: &Key| {
                people::find(tx, account, key, &settings)?.ok_or(CrmError::NotFound("contact"))
            };
            let (winner, loser) = (find(tx, &keep)?.id, find(tx, &merge)?.id);
            if winner == loser {
                return Err(CrmError::invalid("merge", "The two are the same contact already."));
            }
            let (winner, loser) = lock_both(tx, account, winner, loser)?;
            let mut before = merges::look(tx, &winner, &loser)?;
            rows::merge(tx, account, loser.id, winner.id, now)?;
            choose(tx, &winner, &before, choices, now)?;
            let kept = rows::find(tx, account, winner.id)?.ok_or(CrmError::NotFound("contact"))?;
            before.after = merges::fields(tx, &kept)?;
            let pair = (winner.id, loser.id);
            let id = merges::insert(tx, account, pair, &before, actor.user_id, now)?;
            figures::recount(tx, account, winner.id, now)?;
            noted(tx, actor, "contact.merged", pair, now)?;
            merges::find(tx, account, id)?.ok_or(CrmError::NotFound("merge"))
        })
        .await
}

/// Both as they are once nobody else changes them.
fn lock_both(
    tx: &mut Tx<'_>,
    account: AccountId,
    winner: ContactId,
    loser: ContactId,
) -> Result<(ContactRow, ContactRow), CrmError> {
    for id in [winner.min(loser), winner.max(loser)] {
        donations::lock_contact(tx, account, id)?;
    }
    let mut find = |id| rows::find(tx, account, id)?.ok_or(CrmError::NotFound("contact"));
    let (kept, lost) = (find(winner)?, find(loser)?);
    if kept.id != winner || lost.id != loser {
        return Err(CrmError::Conflict("One of the two was merged meanwhile: look again.".to_owned()));
    }
    Ok((kept, lost))
}

fn choose(
    tx: &mut Tx<'_>,
    winner: &ContactRow,
    Before { winner: keep, loser: merge, .. }: &Before,
    choices: Choices,
    now: Timestamp,
) -> Result<(), CrmError> {
    let account = winner.account_id;
    let mut row = rows::find(tx, account, winner.id)?.ok_or(CrmError::NotFound("contact"))?;
    let is_named = keep.name.is_some() && merge.name.is_some();
    row.name = choices.name.of(keep.name.clone(), merge.name.clone());
    // Of two names somebody of ours has chosen one: networks do not change it any more.
    row.name_edited = is_named || row.name_edited;
    row.email = choices.email.of(keep.email.clone(), merge.email.clone());
    row.phone = choices.phone.of(keep.phone.clone(), merge.phone.clone());
    rows::save(tx, &row, now)?;
    let (first, second) = match choices.custom_fields {
        Side::Keep => (keep, merge),
        Side::Merge => (merge, keep),
    };
    let mut fields = second.custom_fields.clone();
    fields.extend(first.custom_fields.clone());
    Ok(rows::other_side::set_custom_fields(tx, account, winner.id, &fields, now)?)
}

/// Makes two of them again: what moved goes back, what came since stays with the one that was kept.
pub async fn undo(engine: &Engine, actor: Actor, id: MergeId) -> Result<MergeRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let missing = || CrmError::NotFound("merge");
            let row = merges::find(tx, account, id)?.ok_or_else(missing)?;
            let refuse = |sentence: &str| Err(CrmError::Conflict(sentence.to_owned()));
            if now > undo_until(&row) {
                return refuse("A merge can be undone for thirty days.");
            }
            for contact in [row.winner_id.min(row.loser_id), row.winner_id.max(row.loser_id)] {
                donations::lock_contact(tx, account, contact)?;
            }
            let winner = rows::find(tx, account, row.winner_id)?.ok_or(CrmError::NotFound("contact"))?;
            if winner.id != row.winner_id {
                return refuse("The contact became part of another since: undo that first.");
            }
            if let Some(later) = merges::find_later(tx, &row)? {
                return Err(CrmError::Conflict(format!("Undo the later merge {later} first.")));
            }
            if row.undone_at.is_some() || !merges::undo(tx, &row, &winner, actor.user_id, now)? {
                return refuse("This merge was undone already.");
            }
            figures::recount(tx, account, row.winner_id, now)?;
            figures::recount(tx, account, row.loser_id, now)?;
            noted(tx, actor, "contact.merge_undone", (row.winner_id, row.loser_id), now)?;
            merges::find(tx, account, id)?.ok_or_else(missing)
        })
        .await
}

/// Merges before one, the newest first; those of the last thirty days.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    before: MergeId,
    limit: i64,
) -> Result<Vec<MergeRow>, StoreError> {
    engine.store.read(move |tx| merges::list(tx, account, before, limit)).await
}

/// Forgets what cannot be undone any more. Looks before it writes.
pub(super) async fn forget_old(engine: &Engine) -> Result<(), StoreError> {
    let before = engine.clock.now().plus_ms(-UNDO_MS);
    if engine.store.read(move |tx| merges::has_old(tx, before)).await? {
        engine.store.write(move |tx| merges::remove_old(tx, before)).await?;
    }
    Ok(())
}

/// What a contact was called: shown beside a merge.
pub fn called(fields: &Fields) -> Option<&str> {
    fields.name.as_deref().or(fields.phone.as_deref()).or(fields.email.as_deref())
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    (winner, loser): (ContactId, ContactId),
    now: Timestamp,
) -> Result<(), CrmError> {
    let deed = Deed { action, subject_type: "contact", subject_id: winner.0 };
    audit::record(tx, actor, deed, Some(&json!({ "merged": loser })), now)?;
    for contact in [winner, loser] {
        tx.emit(contacts::updated(actor.account_id, contact));
    }
    Ok(())
}
