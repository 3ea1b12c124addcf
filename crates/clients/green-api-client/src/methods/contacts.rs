//! Who is on WhatsApp, and what is known of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{chats::Chat, sending::phone_number};
use crate::{
    ChatId, ChatKind, GreenClient,
    client::{NO_BODY, unreadable},
    error::GreenCallError,
    method,
    webhook::lenient,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum WhoIsIt<'a> {
    PhoneNumber(u64),
    ChatId(&'a ChatId),
}

/// Is somebody on WhatsApp?
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatsappCheck {
    /// Yes or no.
    pub exists_whatsapp: bool,
    /// Their private id, as `…@lid`.
    #[serde(default)]
    pub chat_id: Option<ChatId>,
}

/// Somebody in the phone's address book, or a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KnownContact {
    /// The chat.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id: Option<String>,
    /// The name they gave themselves.
    #[serde(deserialize_with = "lenient::scalar")]
    pub name: Option<String>,
    /// The name in the address book.
    #[serde(deserialize_with = "lenient::scalar")]
    pub contact_name: Option<String>,
    /// `user` or `group`.
    #[serde(rename = "type", deserialize_with = "lenient::scalar")]
    pub kind: Option<String>,
}

/// What is known of somebody.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContactInfo {
    /// Address of the picture.
    #[serde(deserialize_with = "lenient::scalar")]
    pub avatar: Option<String>,
    /// The name they gave themselves.
    #[serde(deserialize_with = "lenient::scalar")]
    pub name: Option<String>,
    /// The name in the address book.
    #[serde(deserialize_with = "lenient::scalar")]
    pub contact_name: Option<String>,
    /// Businesses: e-mail.
    #[serde(deserialize_with = "lenient::scalar")]
    pub email: Option<String>,
    /// Businesses: trade.
    #[serde(deserialize_with = "lenient::scalar")]
    pub category: Option<String>,
    /// What they say about themselves.
    #[serde(deserialize_with = "lenient::scalar")]
    pub description: Option<String>,
    /// Businesses: what they sell, as it came.
    #[serde(deserialize_with = "lenient::list")]
    pub products: Vec<Value>,
    /// The chat; for a `…@lid` the one with the number.
    #[serde(deserialize_with = "lenient::scalar")]
    pub chat_id: Option<String>,
    /// When they were last there, as it came.
    pub last_seen: Value,
    /// Their chat is in the archive.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_archive: Option<bool>,
    /// Messages in it disappear.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_disappearing: Option<bool>,
    /// It makes no sound.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_mute: Option<bool>,
    /// After how many seconds messages disappear.
    #[serde(deserialize_with = "lenient::scalar")]
    pub message_expiration: Option<i64>,
    /// Until when it makes no sound, in seconds since 1970.
    #[serde(deserialize_with = "lenient::scalar")]
    pub mute_expiration: Option<i64>,
    /// A business.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_business: Option<bool>,
}

/// Somebody's picture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Avatar {
    /// Its address; empty if there is none or it may not be seen.
    #[serde(deserialize_with = "lenient::scalar")]
    pub url_avatar: Option<String>,
    /// It may be seen.
    #[serde(deserialize_with = "lenient::scalar")]
    pub available: Option<bool>,
}

/// An entry of the address book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressBookEntry {
    /// Whose.
    pub chat_id: ChatId,
    /// First name.
    pub first_name: String,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Also into the phone's own address book.
    #[serde(rename = "saveInAddressbook", skip_serializing_if = "Option::is_none")]
    pub save_in_address_book: Option<bool>,
}

impl GreenClient {
    /// Is this person on WhatsApp? Counts against a monthly quota (100 on the Developer tariff).
    pub async fn check_whatsapp(&self, chat_id: &ChatId) -> Result<WhatsappCheck, GreenCallError> {
        let who = match chat_id.phone().map(phone_number) {
            Some(Ok(number)) => WhoIsIt::PhoneNumber(number),
            _ => WhoIsIt::ChatId(chat_id),
        };
        self.call(&method::CHECK_WHATSAPP, Some(&who)).await
    }

    /// The number behind a private id (`…@lid`), as the chat id of the person; `None` if WhatsApp hides it.
    pub async fn find_phone(&self, private: &ChatId) -> Result<Option<ChatId>, GreenCallError> {
        let info = self.get_contact_info(private).await?;
        let chat_id = info.chat_id.map(ChatId::new);
        Ok(chat_id.filter(|chat_id| chat_id.kind() == ChatKind::Person))
    }

    /// The address book. May be empty right after signing in: ask again later.
    pub async fn get_contacts(&self) -> Result<Vec<KnownContact>, GreenCallError> {
        self.call(&method::GET_CONTACTS, NO_BODY).await
    }

    /// What is known of a person or group.
    pub async fn get_contact_info(&self, chat_id: &ChatId) -> Result<ContactInfo, GreenCallError> {
        self.call(&method::GET_CONTACT_INFO, Some(&Chat { chat_id })).await
    }

    /// Somebody's picture.
    pub async fn get_avatar(&self, chat_id: &ChatId) -> Result<Avatar, GreenCallError> {
        self.call(&method::GET_AVATAR, Some(&Chat { chat_id })).await
    }

    /// Adds somebody to the address book.
    pub async fn add_contact(&self, entry: &AddressBookEntry) -> Result<(), GreenCallError> {
        done(self.call(&method::ADD_CONTACT, Some(entry)).await?, "addContact")
    }

    /// Changes an entry of the address book.
    pub async fn edit_contact(&self, entry: &AddressBookEntry) -> Result<(), GreenCallError> {
        done(self.call(&method::EDIT_CONTACT, Some(entry)).await?, "editContact")
    }

    /// Takes somebody out of the address book.
    pub async fn delete_contact(&self, chat_id: &ChatId) -> Result<(), GreenCallError> {
        done(self.call(&method::DELETE_CONTACT, Some(&Chat { chat_id })).await?, "deleteContact")
    }
}

/// `{"addContact": true}`
pub(super) fn done(answer: Value, what: &'static str) -> Result<(), GreenCallError> {
    match answer.get(what) {
        Some(Value::Bool(true)) => Ok(()),
        _ => Err(unreadable("the answer does not say that it was done").into()),
    }
}
