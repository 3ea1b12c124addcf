//! Notes about contacts: never sent. Their authors and administrators change them.

use frontdesk_model::user::Role;
use frontdesk_model::{AccountId, NoteId};
use frontdesk_store::Tx;
use frontdesk_store::crm::notes::{self, NewNote, NoteEdit, NoteRow};
use frontdesk_store::crm::settings;

use super::people::{self, Key};
use super::{Check, CrmError};
use crate::audit::{self, Deed};
use crate::caller::Caller;
use crate::{Engine, contacts};

/// The longest note, in characters.
pub const MAX_BODY: usize = 10_000;
/// How many notes one contact may have.
const MAX_NOTES: i64 = 2_000;
/// How often one note may be reworded: each wording is kept.
const MAX_EDITS: usize = 200;

/// Notes something about whoever has this number, whom it makes when nobody has.
pub async fn add(
    engine: &Engine,
    caller: &Caller,
    key: Key,
    body: &str,
    pinned: bool,
) -> Result<NoteRow, CrmError> {
    let mut check = Check::default();
    let body = check.text("note", body, MAX_BODY);
    check.done()?;
    let (actor, author_name, now) = (caller.actor(), caller.name.clone(), engine.clock.now());
    let account = actor.account_id;
    engine
        .store
        .write(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let contact = people::find_or_make(tx, account, &key, &settings, now)?;
            if notes::count(tx, account, contact.id)? >= MAX_NOTES {
                return Err(CrmError::Conflict(format!("A contact may have {MAX_NOTES} notes.")));
            }
            let new = NewNote {
                account,
                contact: contact.id,
                author: actor.user_id,
                author_name: &author_name,
                body: &body,
                pinned,
            };
            let id = notes::insert(tx, &new, now)?;
            let deed = Deed { action: "note.added", subject_type: "contact", subject_id: contact.id.0 };
            audit::record(tx, actor, deed, None, now)?;
            tx.emit(contacts::updated(account, contact.id));
            find(tx, account, id)
        })
        .await
}

/// Rewords, pins or unpins a note; `None` leaves it.
pub async fn change(
    engine: &Engine,
    caller: &Caller,
    id: NoteId,
    body: Option<&str>,
    pinned: Option<bool>,
) -> Result<NoteRow, CrmError> {
    let mut check = Check::default();
    let body = body.map(|body| check.text("note", body, MAX_BODY));
    check.done()?;
    let (caller, now) = (caller.clone(), engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let account = caller.account_id;
            let note = find(tx, account, id)?;
            if let Some(body) = body.as_ref().filter(|body| **body != note.body) {
                check_author(&caller, &note)?;
                if notes::edits(tx, account, id)?.len() >= MAX_EDITS {
                    return Err(CrmError::Conflict(format!("A note may be changed {MAX_EDITS} times.")));
                }
                notes::set_body(tx, account, id, body, &caller.name, now)?;
            }
            if let Some(pinned) = pinned {
                notes::set_pinned(tx, account, id, pinned, now)?;
            }
            tx.emit(contacts::updated(account, note.contact_id));
            find(tx, account, id)
        })
        .await
}

/// Removes a note and what it said before.
pub async fn remove(engine: &Engine, caller: &Caller, id: NoteId) -> Result<(), CrmError> {
    let (caller, now) = (caller.clone(), engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let account = caller.account_id;
            let note = find(tx, account, id)?;
            check_author(&caller, &note)?;
            notes::remove(tx, account, id)?;
            let deed =
                Deed { action: "note.removed", subject_type: "contact", subject_id: note.contact_id.0 };
            audit::record(tx, caller.actor(), deed, None, now)?;
            tx.emit(contacts::updated(account, note.contact_id));
            Ok(())
        })
        .await
}

/// Notes about a person after the first `skip`: the pinned ones, then the newest.
pub async fn of_person(
    engine: &Engine,
    account: AccountId,
    key: Key,
    skip: i64,
    limit: i64,
) -> Result<Vec<NoteRow>, CrmError> {
    engine
        .store
        .read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let Some(contact) = people::find(tx, account, &key, &settings)? else { return Ok(Vec::new()) };
            Ok(notes::of_contact(tx, account, contact.id, skip, limit)?)
        })
        .await
}

/// What a note said before.
pub async fn edits(engine: &Engine, account: AccountId, id: NoteId) -> Result<Vec<NoteEdit>, CrmError> {
    engine
        .store
        .read(move |tx| {
            find(tx, account, id)?;
            Ok(notes::edits(tx, account, id)?)
        })
        .await
}

fn find(tx: &mut Tx<'_>, account: AccountId, id: NoteId) -> Result<NoteRow, CrmError> {
    notes::find(tx, account, id)?.ok_or(CrmError::NotFound("note"))
}

fn check_author(caller: &Caller, note: &NoteRow) -> Result<(), CrmError> {
    let is_theirs = note.author_id == Some(caller.user_id) || caller.role == Role::Admin;
    if is_theirs { Ok(()) } else { Err(CrmError::NotYours) }
}
