//! Many hints at once: who is known and tells nothing new is found with one question for all.

use std::collections::{BTreeSet, HashMap, HashSet};

use frontdesk_model::contact::{ContactHint, IdentityKind};
use frontdesk_model::{AccountId, ContactId, Timestamp};

use super::newcomers::create_many;
use super::{BY_IDENTITY_MANY, Resolved, SET_TOLD, find, phone_of, resolve};
use crate::{Columns, FromRow, StoreError, Tx};

/// Who somebody is, as told at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Hinted<'a> {
    /// Whose contact it is.
    pub account: AccountId,
    /// The names told.
    pub hint: &'a ContactHint,
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// Finds or makes the contact behind each hint, as [`resolve`] does one after the other; `None` where a hint carries no
/// identity.
pub fn resolve_many(
    tx: &mut Tx<'_>,
    hints: &[Hinted<'_>],
    now: Timestamp,
) -> Result<Vec<Option<Resolved>>, StoreError> {
    let mut known = Known::read(tx, hints)?;
    let newcomers = known.newcomers(hints);
    let mut made = HashSet::new();
    for (hinted, id) in newcomers.iter().zip(create_many(tx, &newcomers, now)?) {
        if let Some(id) = id {
            known.add(hinted, id);
            made.insert(id);
        }
    }
    let mut all = Vec::with_capacity(hints.len());
    for hinted in hints {
        all.push(match known.meet(hinted) {
            Some(id) => Some(Resolved { id, created: made.remove(&id), renamed: false }),
            None => known.resolve(tx, hinted, now)?,
        });
    }
    known.write(tx)?;
    if known.merged {
        for (hinted, resolved) in hints.iter().zip(&mut all) {
            // A later hint may have shown that two of them are one.
            if let Some(resolved) = resolved
                && let Some(contact) = find(tx, hinted.account, resolved.id)?
            {
                resolved.id = contact.id;
            }
        }
    }
    Ok(all)
}

type Name = (AccountId, IdentityKind, String);

/// The contacts that are here already.
#[derive(Default)]
struct Known {
    names: HashMap<Name, ContactId>,
    contacts: HashMap<ContactId, Told>,
    /// Contacts became one.
    merged: bool,
}

/// What a contact was told to be, and when.
struct Told {
    account: AccountId,
    name: Option<String>,
    name_edited: bool,
    name_at: Timestamp,
    phone: Option<String>,
    phone_at: Timestamp,
    is_newer: bool,
}

impl FromRow for (Name, ContactId, Told) {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let (account, kind, value) = (row.next()?, row.next()?, row.next()?);
        let id = row.next()?;
        let told = Told {
            account,
            name: row.next()?,
            name_edited: row.next()?,
            name_at: row.next()?,
            phone: row.next()?,
            phone_at: row.next()?,
            is_newer: false,
        };
        Ok(((account, kind, value), id, told))
    }
}

impl Known {
    fn read(tx: &mut Tx<'_>, hints: &[Hinted<'_>]) -> Result<Self, StoreError> {
        let names: BTreeSet<(AccountId, &str, &str)> = hints
            .iter()
            .flat_map(|h| h.hint.identities.iter().map(|i| (h.account, i.kind.as_str(), i.value.as_str())))
            .collect();
        let rows = names.into_iter().map(|(account, kind, value)| row![account, kind, value]).collect();
        let mut known = Self::default();
        for (name, id, told) in tx.query_many::<(Name, ContactId, Told)>(&BY_IDENTITY_MANY, rows)? {
            known.names.insert(name, id);
            known.contacts.entry(id).or_insert(told);
        }
        Ok(known)
    }

    /// The first hint of each person of whom no name is known; without those of whom it is not clear that they are one.
    fn newcomers<'h, 'a>(&self, hints: &'h [Hinted<'a>]) -> Vec<&'h Hinted<'a>> {
        let mut taken = HashSet::new();
        let is_newcomer = |hinted: &&Hinted<'_>| {
            let names = || hinted.hint.identities.iter().map(|i| (hinted.account, i.kind, i.value.clone()));
            let is_free = names().all(|name| !self.names.contains_key(&name) && !taken.contains(&name));
            let before = taken.len();
            if is_free {
                taken.extend(names());
            }
            taken.len() > before && taken.len() == before + hinted.hint.identities.len()
        };
        hints.iter().filter(is_newcomer).collect()
    }

    /// Remembers a contact that was made from a hint.
    fn add(&mut self, hinted: &Hinted<'_>, id: ContactId) {
        for name in &hinted.hint.identities {
            self.names.insert((hinted.account, name.kind, name.value.clone()), id);
        }
        let (name, phone) = (hinted.hint.name.clone(), phone_of(hinted.hint).map(str::to_owned));
        let told = Told {
            account: hinted.account,
            name_at: name.as_ref().map(|_| hinted.at).unwrap_or_default(),
            phone_at: phone.as_ref().map(|_| hinted.at).unwrap_or_default(),
            name,
            name_edited: false,
            phone,
            is_newer: false,
        };
        self.contacts.insert(id, told);
    }

    /// The contact behind a hint whose names are all known as one contact's and which tells no other name or phone.
    fn meet(&mut self, hinted: &Hinted<'_>) -> Option<ContactId> {
        let mut owners = hinted
            .hint
            .identities
            .iter()
            .map(|i| self.names.get(&(hinted.account, i.kind, i.value.clone())).copied());
        let id = owners.next()??;
        if !owners.all(|owner| owner == Some(id)) {
            return None;
        }
        let told = self.contacts.get_mut(&id)?;
        let (name, phone) = (hinted.hint.name.as_deref(), phone_of(hinted.hint));
        let same_name = name.is_none() || told.name_edited || name == told.name.as_deref();
        let same_phone = phone.is_none() || phone == told.phone.as_deref();
        if !same_name || !same_phone {
            return None;
        }
        if name.is_some() && !told.name_edited && hinted.at > told.name_at {
            (told.name_at, told.is_newer) = (hinted.at, true);
        }
        if phone.is_some() && hinted.at > told.phone_at {
            (told.phone_at, told.is_newer) = (hinted.at, true);
        }
        Some(id)
    }

    /// Takes the long way, and remembers where it led.
    fn resolve(
        &mut self,
        tx: &mut Tx<'_>,
        hinted: &Hinted<'_>,
        now: Timestamp,
    ) -> Result<Option<Resolved>, StoreError> {
        self.write(tx)?;
        let mut owners: Vec<ContactId> = Vec::new();
        for identity in &hinted.hint.identities {
            owners.extend(self.names.get(&(hinted.account, identity.kind, identity.value.clone())));
        }
        let resolved = resolve(tx, hinted.account, hinted.hint, hinted.at, now)?;
        let Some(Resolved { id, .. }) = resolved else { return Ok(None) };
        if owners.iter().any(|owner| *owner != id) {
            // Names of a contact that is gone may be among those read.
            self.merged = true;
            self.names.clear();
            self.contacts.clear();
        }
        if let Some(contact) = find(tx, hinted.account, id)? {
            for identity in &hinted.hint.identities {
                self.names.insert((hinted.account, identity.kind, identity.value.clone()), id);
            }
            let told = Told {
                account: hinted.account,
                name: contact.name,
                name_edited: contact.name_edited,
                name_at: contact.name_at,
                phone: contact.phone,
                phone_at: contact.phone_at,
                is_newer: false,
            };
            self.contacts.insert(id, told);
        }
        Ok(resolved)
    }

    /// Writes back when names and phones were told last.
    fn write(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let mut newer: Vec<_> = self.contacts.iter_mut().filter(|(_, told)| told.is_newer).collect();
        newer.sort_unstable_by_key(|(id, _)| **id);
        let rows = newer
            .into_iter()
            .map(|(id, told)| {
                told.is_newer = false;
                row![told.account, id, told.name_at, told.phone_at]
            })
            .collect();
        tx.execute_many_later(&SET_TOLD, rows)
    }
}
