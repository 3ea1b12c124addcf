//! Reminders: set, done, and going off once, on one node, also after it was late.

use frontdesk_model::crm::reminder::{self, Repeat};
use frontdesk_model::crm::settings::Calendar;
use frontdesk_model::{AccountId, ReminderId, Timestamp, UserId};
use frontdesk_store::crm::reminders::{self, NewReminder, Place, ReminderRow};
use frontdesk_store::crm::settings;
use frontdesk_store::{StoreError, Tx, users};
use serde_json::json;

use super::people::{self, Key};
use super::{Check, CrmError};
use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::realtime::render::wire_name;
use crate::realtime::trigger::Trigger;
use crate::turn::Turn;
use crate::{Engine, contacts};

/// What the page hears when one goes off. A hint: the list of those that are due is the truth.
const EVENT: &str = "ReminderDue";
const TURN: &str = "crm.reminders";
const TURN_MS: i64 = 60_000;
/// How many go off before the next look.
const AT_ONCE: i64 = 100;

/// A reminder to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What to think of.
    pub text: String,
    /// When. One that is over goes off at once.
    pub due_at: Timestamp,
    /// Where its days are; absent: the account's.
    pub time_zone: Option<String>,
    /// Whether it comes again.
    pub repeat: Repeat,
    /// Whose it is; `None`: everybody's.
    pub assignee: Option<UserId>,
}

/// What becomes of a reminder; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in Wanted")]
pub struct ReminderChanges {
    pub text: Option<String>,
    pub due_at: Option<Timestamp>,
    pub time_zone: Option<String>,
    pub repeat: Option<Repeat>,
    pub assignee: Option<Option<UserId>>,
}

/// Sets a reminder about whoever has this number, whom it makes when nobody has.
pub async fn add(engine: &Engine, actor: Actor, key: Key, wanted: Wanted) -> Result<ReminderRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let time_zone = wanted.time_zone.as_deref().unwrap_or(&settings.time_zone);
            let text = check(tx, account, &wanted.text, time_zone, wanted.assignee)?;
            let contact = people::find_or_make(tx, account, &key, &settings, now)?;
            let new = NewReminder {
                account,
                contact: contact.id,
                text: &text,
                due_at: wanted.due_at,
                time_zone,
                repeat: wanted.repeat,
                assignee: wanted.assignee,
                created_by: actor.user_id,
            };
            let id = reminders::insert(tx, &new, now)?;
            noted(tx, actor, "reminder.added", id, now)?;
            let row = find(tx, account, id)?;
            tx.emit(contacts::updated(account, row.contact_id));
            Ok(row)
        })
        .await
}

/// Changes a reminder. One that is given another time, or repeats otherwise, goes off anew.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: ReminderId,
    changes: ReminderChanges,
) -> Result<ReminderRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let mut row = find(tx, account, id)?;
            if let Some(time_zone) = &changes.time_zone {
                row.time_zone.clone_from(time_zone);
            }
            row.assignee_id = changes.assignee.unwrap_or(row.assignee_id);
            let text = changes.text.as_deref().unwrap_or(&row.text);
            row.text = check(tx, account, text, &row.time_zone, changes.assignee.flatten())?;
            if changes.due_at.is_some() || changes.repeat.is_some() || changes.time_zone.is_some() {
                row.repeat = changes.repeat.unwrap_or(row.repeat);
                if let Some(due_at) = changes.due_at {
                    (row.due_at, row.anchor_at, row.next_at) = (due_at, due_at, Some(due_at));
                    (row.fired_at, row.done_at) = (None, None);
                } else if row.fired_at.is_some() {
                    let calendar = Calendar::named(&row.time_zone).unwrap_or_default();
                    row.next_at = reminder::next_after(row.anchor_at, row.repeat, &calendar, now);
                }
            }
            reminders::update(tx, &row, now)?;
            noted(tx, actor, "reminder.updated", id, now)?;
            tx.emit(contacts::updated(account, row.contact_id));
            find(tx, account, id)
        })
        .await
}

/// Marks a reminder as done. One that repeats comes again at its next time; one that comes once and did not go off yet does
/// not go off any more.
pub async fn set_done(engine: &Engine, actor: Actor, id: ReminderId) -> Result<ReminderRow, CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let mut row = find(tx, account, id)?;
            if row.done_at.is_none() {
                row.done_at = Some(now);
                if row.repeat == Repeat::None {
                    row.next_at = None;
                }
                reminders::update(tx, &row, now)?;
                noted(tx, actor, "reminder.done", id, now)?;
                tx.emit(contacts::updated(account, row.contact_id));
            }
            Ok(row)
        })
        .await
}

/// Removes a reminder.
pub async fn remove(engine: &Engine, actor: Actor, id: ReminderId) -> Result<(), CrmError> {
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let row = find(tx, account, id)?;
            reminders::remove(tx, account, id)?;
            noted(tx, actor, "reminder.removed", id, now)?;
            tx.emit(contacts::updated(account, row.contact_id));
            Ok(())
        })
        .await
}

/// Which reminders are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that are not done.
    Open,
    /// Those of them whose time has come.
    Due,
}

/// Reminders of an account after a place, by their times.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    which: Which,
    assignee: Option<UserId>,
    after: Place,
    limit: i64,
) -> Result<Vec<ReminderRow>, StoreError> {
    let until = match which {
        Which::Open => Timestamp::from_millis(i64::MAX),
        Which::Due => engine.clock.now(),
    };
    engine.store.read(move |tx| reminders::open(tx, account, assignee, until, after, limit)).await
}

/// Reminders about a person after a place, by their times.
pub async fn of_person(
    engine: &Engine,
    account: AccountId,
    key: Key,
    after: Place,
    limit: i64,
) -> Result<Vec<ReminderRow>, CrmError> {
    engine
        .store
        .read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let Some(contact) = people::find(tx, account, &key, &settings)? else { return Ok(Vec::new()) };
            Ok(reminders::of_contact(tx, account, contact.id, false, after, limit)?)
        })
        .await
}

/// Lets those go off whose time has come. Looks before it takes the turn: most of the time there are none.
pub(super) async fn fire_due(engine: &Engine) -> Result<(), StoreError> {
    let look = || {
        let now = engine.clock.now();
        engine.store.read(move |tx| reminders::due(tx, now, AT_ONCE))
    };
    if look().await?.is_empty() {
        return Ok(());
    }
    let Some(mut turn) = Turn::take(engine, TURN, TURN_MS).await? else { return Ok(()) };
    loop {
        let due = look().await?; // again: another node had the turn until now
        if due.is_empty() {
            break;
        }
        for row in due {
            if !turn.goes_on().await? {
                return Ok(());
            }
            fire(engine, row).await?;
        }
    }
    turn.end().await
}

async fn fire(engine: &Engine, row: ReminderRow) -> Result<(), StoreError> {
    let (now, seen) = (engine.clock.now(), row.clone());
    let calendar = Calendar::named(&row.time_zone).unwrap_or_default();
    let Some(next_at) = row.next_at else { return Ok(()) };
    let firing = reminder::fire(row.anchor_at, next_at, row.repeat, &calendar, now);
    let Some(firing) = firing else { return Ok(()) };
    let is_ours = engine
        .store
        .write(move |tx| {
            let fired = reminders::fire(tx, &seen, &firing, now)?;
            if fired {
                tx.emit(contacts::updated(seen.account_id, seen.contact_id));
            }
            Ok::<_, StoreError>(fired)
        })
        .await?;
    if is_ours {
        let told = json!({ "id": row.id, "contact_id": row.contact_id, "assignee_id": row.assignee_id,
            "text": row.text, "due_at": firing.due_at, "was_due": firing.was_due });
        let event = Trigger {
            name: wire_name(EVENT),
            data: told.to_string(),
            channels: vec![format!("private-account.{}", row.account_id)],
            socket_id: None,
        };
        if let Err(refused) = engine.realtime().trigger(row.account_id, &event) {
            tracing::debug!(%refused, reminder.id = row.id.0, "a reminder was not told to open pages");
        }
    }
    Ok(())
}

fn find(tx: &mut Tx<'_>, account: AccountId, id: ReminderId) -> Result<ReminderRow, CrmError> {
    reminders::find(tx, account, id)?.ok_or(CrmError::NotFound("reminder"))
}

/// Checks what can be written into a reminder; returns its text.
fn check(
    tx: &mut Tx<'_>,
    account: AccountId,
    text: &str,
    time_zone: &str,
    assignee: Option<UserId>,
) -> Result<String, CrmError> {
    let mut check = Check::default();
    let text = check.text("text", text, reminder::MAX_TEXT);
    let known = Calendar::named(time_zone).is_some();
    check.must(known, "time_zone", "The time_zone field must be a name like Asia/Jakarta.");
    if let Some(user) = assignee {
        let is_here = users::find(tx, account, user)?.is_some_and(|user| user.disabled_at.is_none());
        check.must(is_here, "assignee_id", "The selected assignee is invalid.");
    }
    check.done()?;
    Ok(text)
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &str,
    id: ReminderId,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::record(tx, actor, Deed { action, subject_type: "reminder", subject_id: id.0 }, None, now)
}
