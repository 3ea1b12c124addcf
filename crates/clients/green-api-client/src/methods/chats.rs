//! Read marks, changing and deleting messages, archive, disappearing messages.

use serde::{Deserialize, Serialize};

use super::{Queued, receiving::MessageName};
use crate::{ChatId, GreenClient, error::GreenCallError, method};

/// Names a chat.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chat<'a> {
    pub(crate) chat_id: &'a ChatId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadChat<'a> {
    chat_id: &'a ChatId,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_message: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetRead {
    set_read: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EditMessage<'a> {
    #[serde(flatten)]
    name: MessageName<'a>,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteMessage<'a> {
    #[serde(flatten)]
    name: MessageName<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only_sender_delete: Option<bool>,
}

/// How long messages of a chat are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiration {
    /// For ever.
    Off,
    /// A day.
    Day,
    /// A week.
    Week,
    /// Ninety days.
    Quarter,
}

impl Expiration {
    /// In seconds, as Green API writes it.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::Day => 86_400,
            Self::Week => 604_800,
            Self::Quarter => 7_776_000,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetDisappearingChat<'a> {
    chat_id: &'a ChatId,
    ephemeral_expiration: u32,
}

/// How long messages of a chat are kept now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisappearingChat {
    /// The chat.
    pub chat_id: ChatId,
    /// Messages in it disappear.
    pub disappearing_messages_in_chat: bool,
    /// After so many seconds.
    pub ephemeral_expiration: u32,
}

impl GreenClient {
    /// Marks a message as read, or with `None` the whole chat.
    pub async fn read_chat(
        &self,
        chat_id: &ChatId,
        id_message: Option<&str>,
    ) -> Result<bool, GreenCallError> {
        let chat = ReadChat { chat_id, id_message };
        Ok(self.call::<SetRead>(&method::READ_CHAT, Some(&chat)).await?.set_read)
    }

    /// Changes the text of a message, within some 15 minutes. The id answered is that of the change.
    pub async fn edit_message(
        &self,
        chat_id: &ChatId,
        id_message: &str,
        message: &str,
    ) -> Result<Queued, GreenCallError> {
        let edit = EditMessage { name: MessageName { chat_id, id_message }, message };
        self.call(&method::EDIT_MESSAGE, Some(&edit)).await
    }

    /// Deletes a message, for everyone or for the sender alone.
    pub async fn delete_message(
        &self,
        chat_id: &ChatId,
        id_message: &str,
        only_for_sender: bool,
    ) -> Result<(), GreenCallError> {
        let only_sender_delete = only_for_sender.then_some(true);
        let deletion = DeleteMessage { name: MessageName { chat_id, id_message }, only_sender_delete };
        self.tell(&method::DELETE_MESSAGE, &deletion).await
    }

    /// Puts a chat into the archive.
    pub async fn archive_chat(&self, chat_id: &ChatId) -> Result<(), GreenCallError> {
        self.tell(&method::ARCHIVE_CHAT, &Chat { chat_id }).await
    }

    /// Takes a chat out of the archive.
    pub async fn unarchive_chat(&self, chat_id: &ChatId) -> Result<(), GreenCallError> {
        self.tell(&method::UNARCHIVE_CHAT, &Chat { chat_id }).await
    }

    /// Sets how long messages of a chat are kept.
    pub async fn set_disappearing_chat(
        &self,
        chat_id: &ChatId,
        expiration: Expiration,
    ) -> Result<DisappearingChat, GreenCallError> {
        let request = SetDisappearingChat { chat_id, ephemeral_expiration: expiration.seconds() };
        self.call(&method::SET_DISAPPEARING_CHAT, Some(&request)).await
    }
}
