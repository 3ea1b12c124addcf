//! Who a WhatsApp message is from: a phone number, a business-scoped user id, or both.
//!
//! A customer under a username has no phone; older bodies have no user id. Both name one person when they come together.

use frontdesk_meta_graph_client::webhook::whatsapp::Contact;
use frontdesk_model::contact::{ContactHint, Identity, IdentityKind};

/// A customer and what their thread is called.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) hint: ContactHint,
    /// The digits as WhatsApp writes them, else the user id.
    pub(super) thread: String,
}

/// The customers one value names.
#[derive(Debug, Default)]
pub(super) struct People(Vec<Contact>);

impl Extend<Contact> for People {
    fn extend<T: IntoIterator<Item = Contact>>(&mut self, contacts: T) {
        self.0.extend(contacts);
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
            (None, None) if self.0.len() == 1 => self.0.first(),
            _ => self.named(phone, user_id),
        };
        let phone = phone.or(contact.and_then(|c| c.wa_id.as_deref()));
        let user_id = user_id.or(contact.and_then(|c| c.user_id.as_deref()));
        let thread = phone.or(user_id)?.to_owned();
        let profile = contact.and_then(|c| c.profile.as_ref());
        let name = profile.and_then(|p| p.name.clone().or_else(|| p.username.clone()));
        Some(Person { hint: ContactHint { identities: identities(phone, user_id), name }, thread })
    }

    fn named(&self, phone: Option<&str>, user_id: Option<&str>) -> Option<&Contact> {
        let same = |ours: Option<&str>, theirs: &Option<String>| ours.is_some() && ours == theirs.as_deref();
        self.0.iter().find(|c| same(user_id, &c.user_id) || same(phone, &c.wa_id)).or_else(|| {
            // A Brazilian or Argentine number may be written in two ways in one body.
            let phone = Identity::phone(phone?)?;
            self.0.iter().find(|c| c.wa_id.as_deref().and_then(Identity::phone).as_ref() == Some(&phone))
        })
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
