//! People outside.

use serde::{Deserialize, Serialize};

use super::{Attributes, Inbox};
use crate::{Timestamp, tolerant};

/// A person outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name; may be empty.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// Its e-mail.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub email: Option<String>,
    /// Its number, `+` and digits.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub phone_number: Option<String>,
    /// The id that another system gave it.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub identifier: Option<String>,
    /// Its picture; webhooks call it `avatar` too.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub thumbnail: Option<String>,
    /// What it writes is dropped.
    #[serde(default, deserialize_with = "tolerant::boolean")]
    pub blocked: bool,
    /// Attributes that people define.
    #[serde(default, deserialize_with = "tolerant::object")]
    pub custom_attributes: Attributes,
    /// Attributes that the server keeps: city, company…
    #[serde(default, deserialize_with = "tolerant::object")]
    pub additional_attributes: Attributes,
    /// When it last did something.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub last_activity_at: Option<Timestamp>,
    /// When it was made.
    #[serde(default, deserialize_with = "tolerant::opt_time")]
    pub created_at: Option<Timestamp>,
    /// Its names in the inboxes; only in answers about contacts.
    #[serde(default, deserialize_with = "tolerant::list", skip_serializing_if = "Vec::is_empty")]
    pub contact_inboxes: Vec<ContactInbox>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}

impl Contact {
    /// The picture, by whichever name.
    pub fn picture(&self) -> Option<&str> {
        let avatar = || self.extra.get("avatar")?.as_str().filter(|url| !url.is_empty());
        self.thumbnail.as_deref().or_else(avatar)
    }
}

/// A contact within an inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactInbox {
    /// The contact's name in the channel.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub source_id: String,
    /// The inbox.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub inbox: Option<Inbox>,
}

/// How a contact can be named where its id is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactRef<'a> {
    /// By the id that another system gave it.
    Identifier(&'a str),
    /// By e-mail.
    Email(&'a str),
    /// By number.
    Phone(&'a str),
}

impl<'a> ContactRef<'a> {
    pub(crate) fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::Identifier(value) => ("identifier", value),
            Self::Email(value) => ("email", value),
            Self::Phone(value) => ("phone_number", value),
        }
    }
}

/// A contact to be made. None of the fields is needed, but Chatwoot lists only those with e-mail, number or identifier.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewContact {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail, unique in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Number as `+5511999999999`, unique in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The id that another system gave it, unique in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Where its picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// What it writes is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Attributes that people define.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub custom_attributes: Attributes,
    /// Attributes that the server keeps.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub additional_attributes: Attributes,
    /// An inbox that it shall be in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox_id: Option<i64>,
    /// Its name in that inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

impl NewContact {
    /// The field by which it can be found again, if it has one.
    pub fn reference(&self) -> Option<ContactRef<'_>> {
        let identifier = self.identifier.as_deref().map(ContactRef::Identifier);
        let email = || self.email.as_deref().map(ContactRef::Email);
        identifier.or_else(email).or_else(|| self.phone_number.as_deref().map(ContactRef::Phone))
    }
}

/// What changes about a contact. Attributes are merged: a name that is not given stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ContactChanges {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail; `Some(None)` takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
    /// Number; `Some(None)` takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<Option<String>>,
    /// Identifier; `Some(None)` takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Option<String>>,
    /// Where its picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// What it writes is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Attributes that people define.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub custom_attributes: Attributes,
    /// Attributes that the server keeps.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub additional_attributes: Attributes,
}

/// A contact that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedContact {
    /// The contact.
    pub contact: Contact,
    /// Its name in the inbox that was asked for.
    pub contact_inbox: Option<ContactInbox>,
}
