//! Who a WhatsApp message is from: a phone number, a business-scoped user id, or both.
//!
//! A customer under a username has no phone; older bodies have no user id. Both name one person when they come together.

use std::collections::HashMap;

use frontdesk_meta_graph_client::webhook::whatsapp::Contact;
use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};

/// A customer and what their thread is called.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) hint: ContactHint,
    /// The digits as WhatsApp writes them, else the user id.
    pub(super) thread: String,
}

/// The longest profile name that is taken over, in characters; WhatsApp allows 25.
const MAX_NAME: usize = 255;
/// A longer id is none: it would be kept once more with each message.
const MAX_ID_BYTES: usize = 255;

/// The customers one value names. Found by their names at once: a body has room for as many messages as contacts.
#[derive(Debug, Default)]
pub(super) struct People {
    all: Vec<Contact>,
    by_user_id: HashMap<String, usize>,
    by_number: HashMap<String, usize>,
    by_phone: HashMap<String, usize>,
}

impl Extend<Contact> for People {
    fn extend<T: IntoIterator<Item = Contact>>(&mut self, contacts: T) {
        for mut contact in contacts {
            let place = self.all.len();
            contact.wa_id = contact.wa_id.filter(|id| id.len() <= MAX_ID_BYTES);
            contact.user_id = contact.user_id.filter(|id| id.len() <= MAX_ID_BYTES);
            if let Some(id) = &contact.user_id {
                self.by_user_id.entry(id.clone()).or_insert(place);
            }
            if let Some(number) = &contact.wa_id {
                self.by_number.entry(number.clone()).or_insert(place);
                if let Some(phone) = Identity::phone(number) {
                    self.by_phone.entry(phone.value).or_insert(place);
                }
            }
            self.all.push(contact);
        }
    }
}

impl People {
    /// The customer known as `from` (digits, or a user id where there is no phone) or `user_id`.
    ///
    /// The contact that belongs to them is found by these names, never by position. A message that names nobody belongs
    /// to the only contact there is. `None` when nobody is named at all.
    pub(super) fn find(&self, from: Option<&str>, user_id: Option<&str>) -> Option<Person> {
        let (phone, id_in_from) = from.map_or((None, None), phone_or_id);
        let user_id = user_id.or(id_in_from);
        let contact = match (phone, user_id) {
            (None, None) if self.all.len() == 1 => self.all.first(),
            _ => self.named(phone, user_id),
        };
        let phone = phone.or(contact.and_then(|c| c.wa_id.as_deref()));
        let user_id = user_id.or(contact.and_then(|c| c.user_id.as_deref()));
        let thread = phone.or(user_id)?.to_owned();
        let profile = contact.and_then(|c| c.profile.as_ref());
        let name = profile.and_then(|p| p.name.as_ref().or(p.username.as_ref()));
        let name = name.map(|name| name.chars().take(MAX_NAME).collect());
        Some(Person { hint: ContactHint { identities: identities(phone, user_id), name }, thread })
    }

    fn named(&self, phone: Option<&str>, user_id: Option<&str>) -> Option<&Contact> {
        let of_id = user_id.and_then(|id| self.by_user_id.get(id));
        let of_number = phone.and_then(|number| self.by_number.get(number));
        let place = of_id.into_iter().chain(of_number).min().or_else(|| {
            // A Brazilian or Argentine number may be written in two ways in one body.
            self.by_phone.get(&Identity::phone(phone?)?.value)
        });
        place.and_then(|place| self.all.get(*place))
    }
}

/// The names of one person, strongest first.
pub(super) fn identities(phone: Option<&str>, user_id: Option<&str>) -> Vec<Identity> {
    let (phone, id_in_phone) = phone.map_or((None, None), phone_or_id);
    let user_id = user_id.or(id_in_phone).map(|id| Identity::new(IdentityKind::Bsuid, id));
    user_id.into_iter().chain(phone.and_then(Identity::phone)).collect()
}

/// Digits are a phone; anything else (`ID.1349…`) is a user id.
fn phone_or_id(text: &str) -> (Option<&str>, Option<&str>) {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.bytes().all(|b| b.is_ascii_digit()) && Identity::phone(digits).is_some() {
        (Some(text), None)
    } else {
        (None, Some(text))
    }
}
