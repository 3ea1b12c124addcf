//! How the contacts of some rows are called, asked for all at once.

use std::collections::HashMap;

use frontdesk_model::contact::Identity;
use frontdesk_model::{AccountId, ContactId};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::{StoreError, Tx};

/// Contacts by the ids that rows have; of merged ones the one that stayed.
#[derive(Default)]
pub(super) struct People(HashMap<ContactId, Person>);

/// A contact and how it is called.
pub(super) struct Person {
    pub contact: ContactRow,
    /// Its own name, else its phone, else the end of what the network calls it.
    pub name: String,
}

impl People {
    pub fn read(
        tx: &mut Tx<'_>,
        account: AccountId,
        ids: impl IntoIterator<Item = ContactId>,
    ) -> Result<Self, StoreError> {
        let found = contacts::find_many(tx, account, ids)?;
        let nameless = found.values().filter(|contact| own_name(contact).is_none()).map(|contact| contact.id);
        let identities = contacts::identities_many(tx, account, nameless)?;
        let called = |contact: ContactRow| {
            let name = match own_name(&contact) {
                Some(name) => name.to_owned(),
                None => stand_in(contact.id, identities.get(&contact.id).map_or(&[], Vec::as_slice)),
            };
            Person { contact, name }
        };
        Ok(Self(found.into_iter().map(|(id, contact)| (id, called(contact))).collect()))
    }

    pub fn find(&self, id: ContactId) -> Option<&Person> {
        self.0.get(&id)
    }

    /// The name of a contact; nothing for one that is gone.
    pub fn name(&self, id: ContactId) -> &str {
        self.find(id).map_or("", |person| &person.name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.0.values()
    }
}

fn own_name(contact: &ContactRow) -> Option<&str> {
    contact.name.as_deref().filter(|name| !name.trim().is_empty()).or(contact.phone.as_deref())
}

/// The name of somebody who has none. Not our number of it, which tells how many came before.
fn stand_in(id: ContactId, identities: &[Identity]) -> String {
    match identities.iter().map(|identity| identity.value.as_str()).min() {
        Some(id) => format!("Customer {}", ending(id)),
        None => format!("Customer {id}"),
    }
}

/// The last six characters.
fn ending(id: &str) -> &str {
    id.char_indices().rev().nth(5).map_or(id, |(start, _)| &id[start..])
}
