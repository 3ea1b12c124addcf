//! Writes that invalidate what they change.

use super::{CachedChatwoot, Tag};
use crate::{
    Assigned, ChatwootError, Timestamp, Upload,
    model::{
        Contact, ContactChanges, Conversation, ConversationStatus, CreatedContact, Message, MessageStatus,
        NewContact, NewConversation, NewMessage, Priority, StatusChange,
    },
};

impl CachedChatwoot {
    /// Waits for a write of [`Self::client`] and invalidates what it changes, also when it failed: it may have happened.
    ///
    /// ```no_run
    /// # async fn example(cached: frontdesk_chatwoot_client::CachedChatwoot) -> Result<(), frontdesk_chatwoot_client::ChatwootError> {
    /// use frontdesk_chatwoot_client::Tag;
    /// cached.after_write(&[Tag::Conversation(12)], cached.client().set_muted(12, true)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn after_write<T>(
        &self,
        tags: &[Tag],
        write: impl Future<Output = Result<T, ChatwootError>>,
    ) -> Result<T, ChatwootError> {
        let result = write.await;
        if !result.as_ref().is_err_and(ChatwootError::never_sent) {
            tags.iter().for_each(|tag| self.invalidate(*tag));
        }
        result
    }

    /// See [`crate::ChatwootClient::create_message`].
    pub async fn create_message(
        &self,
        conversation_id: i64,
        message: &NewMessage,
    ) -> Result<Message, ChatwootError> {
        let write = self.client().create_message(conversation_id, message);
        self.after_write(&[Tag::Conversation(conversation_id)], write).await
    }

    /// See [`crate::ChatwootClient::create_message_with_files`].
    pub async fn create_message_with_files(
        &self,
        conversation_id: i64,
        message: &NewMessage,
        files: &[Upload],
    ) -> Result<Message, ChatwootError> {
        let write = self.client().create_message_with_files(conversation_id, message, files);
        self.after_write(&[Tag::Conversation(conversation_id)], write).await
    }

    /// See [`crate::ChatwootClient::set_message_status`].
    pub async fn set_message_status(
        &self,
        conversation_id: i64,
        message_id: i64,
        status: &MessageStatus,
        external_error: Option<&str>,
    ) -> Result<Message, ChatwootError> {
        let write = self.client().set_message_status(conversation_id, message_id, status, external_error);
        self.after_write(&[Tag::Conversation(conversation_id)], write).await
    }

    /// See [`crate::ChatwootClient::delete_message`].
    pub async fn delete_message(&self, conversation_id: i64, message_id: i64) -> Result<(), ChatwootError> {
        let write = self.client().delete_message(conversation_id, message_id);
        self.after_write(&[Tag::Conversation(conversation_id)], write).await
    }

    /// See [`crate::ChatwootClient::create_conversation`].
    pub async fn create_conversation(&self, new: &NewConversation) -> Result<Conversation, ChatwootError> {
        // An inbox that locks to one conversation may give one that is kept already.
        let made = self.client().create_conversation(new).await?;
        self.invalidate(Tag::Conversation(made.id));
        Ok(made)
    }

    /// See [`crate::ChatwootClient::set_status`].
    pub async fn set_status(
        &self,
        id: i64,
        status: &ConversationStatus,
        until: Option<Timestamp>,
    ) -> Result<StatusChange, ChatwootError> {
        let write = self.client().set_status(id, status, until);
        self.after_write(&[Tag::Conversation(id)], write).await
    }

    /// See [`crate::ChatwootClient::set_priority`].
    pub async fn set_priority(&self, id: i64, priority: Option<&Priority>) -> Result<(), ChatwootError> {
        self.after_write(&[Tag::Conversation(id)], self.client().set_priority(id, priority)).await
    }

    /// See [`crate::ChatwootClient::assign_agent`].
    pub async fn assign_agent(&self, id: i64, agent_id: Option<i64>) -> Result<Assigned, ChatwootError> {
        self.after_write(&[Tag::Conversation(id)], self.client().assign_agent(id, agent_id)).await
    }

    /// See [`crate::ChatwootClient::assign_team`].
    pub async fn assign_team(&self, id: i64, team_id: Option<i64>) -> Result<Assigned, ChatwootError> {
        self.after_write(&[Tag::Conversation(id)], self.client().assign_team(id, team_id)).await
    }

    /// See [`crate::ChatwootClient::set_conversation_labels`].
    pub async fn set_conversation_labels(
        &self,
        id: i64,
        labels: &[String],
    ) -> Result<Vec<String>, ChatwootError> {
        self.after_write(&[Tag::Conversation(id)], self.client().set_conversation_labels(id, labels)).await
    }

    /// See [`crate::ChatwootClient::mark_read`].
    pub async fn mark_read(&self, id: i64) -> Result<Conversation, ChatwootError> {
        self.after_write(&[Tag::Conversation(id)], self.client().mark_read(id)).await
    }

    /// See [`crate::ChatwootClient::create_contact`].
    pub async fn create_contact(&self, new: &NewContact) -> Result<CreatedContact, ChatwootError> {
        self.client().create_contact(new).await
    }

    /// See [`crate::ChatwootClient::update_contact`].
    pub async fn update_contact(&self, id: i64, changes: &ContactChanges) -> Result<Contact, ChatwootError> {
        self.after_write(&[Tag::Contact(id)], self.client().update_contact(id, changes)).await
    }

    /// See [`crate::ChatwootClient::merge_contacts`].
    pub async fn merge_contacts(&self, base: i64, mergee: i64) -> Result<Contact, ChatwootError> {
        let write = self.client().merge_contacts(base, mergee);
        self.after_write(&[Tag::Contact(base), Tag::Contact(mergee)], write).await
    }

    /// See [`crate::ChatwootClient::delete_contact`].
    pub async fn delete_contact(&self, id: i64) -> Result<(), ChatwootError> {
        self.after_write(&[Tag::Contact(id)], self.client().delete_contact(id)).await
    }
}
