//! What is written in a thread.

use std::time::Duration;

use reqwest::{
    Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::files::Upload;
use crate::{
    ChatwootClient, ChatwootError, Page,
    client::Repeat,
    envelope::{many, one},
    model::{Message, MessageStatus, NewMessage},
    sanitise::sanitised,
};

/// Chatwoot's pages: without a parameter and before a message; after one.
const PAGE: usize = 20;
const PAGE_AFTER: usize = 100;
/// The most that is fetched for one `limit`.
const LIMIT_MAX: usize = 10_000;
/// How often a message is looked up whose answer was lost.
const LOOK_UPS: u32 = 3;

/// Which messages of a conversation. Chatwoot has fixed pages (20 before, 100 after a message); any `limit` is met by
/// asking for as many as it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct MessageQuery {
    /// As many at most: the newest of them. 20 if not given (100 with `after`).
    pub limit: Option<usize>,
    /// Older than this message. Chatwoot calls it `before`.
    pub before_id: Option<i64>,
    /// Newer than this message.
    pub after: Option<i64>,
    /// Without notes and activity.
    pub public_only: bool,
}

impl MessageQuery {
    /// The newest so many.
    pub fn newest(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// What came after a message, oldest first: for reconciliation.
    pub fn after(message_id: i64) -> Self {
        Self { after: Some(message_id), ..Self::default() }
    }

    fn pairs(&self, before: Option<i64>, after: Option<i64>) -> Vec<(&'static str, String)> {
        let optional = [
            ("before", before.map(|id| id.to_string())),
            ("after", after.map(|id| id.to_string())),
            ("filter_internal_messages", self.public_only.then(|| "1".to_owned())),
        ];
        optional.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl ChatwootClient {
    /// Messages of a conversation, oldest first.
    pub async fn get_messages(
        &self,
        conversation_id: i64,
        query: &MessageQuery,
    ) -> Result<Page<Message>, ChatwootError> {
        match query.after {
            Some(after) => self.messages_after(conversation_id, query, after).await,
            None => self.messages_before(conversation_id, query).await,
        }
        .map_err(|error| error.within("conversation_id", conversation_id))
    }

    async fn message_page(
        &self,
        conversation_id: i64,
        query: &[(&'static str, String)],
    ) -> Result<Page<Message>, ChatwootError> {
        let mut page: Page<Message> =
            many(self.get("get_messages", self.messages_url(conversation_id, &[]), query).await?)?;
        page.data.sort_by_key(|message| (message.created_at, message.id));
        Ok(page)
    }

    /// Backwards from the newest, or from `before_id`.
    async fn messages_before(
        &self,
        conversation_id: i64,
        query: &MessageQuery,
    ) -> Result<Page<Message>, ChatwootError> {
        let limit = query.limit.unwrap_or(PAGE).min(LIMIT_MAX);
        let mut all = self.message_page(conversation_id, &query.pairs(query.before_id, None)).await?;
        let mut last = all.data.len() + all.unreadable;
        while all.data.len() < limit && last >= PAGE {
            let Some(oldest) = all.data.iter().map(|message| message.id).min() else { break };
            let mut older = self.message_page(conversation_id, &query.pairs(Some(oldest), None)).await?;
            last = older.data.len() + older.unreadable;
            // Somebody may write or delete meanwhile; nothing is taken twice.
            older.data.retain(|message| message.id < oldest);
            older.data.append(&mut all.data);
            all.data = older.data;
            all.unreadable += older.unreadable;
        }
        all.data.drain(..all.data.len().saturating_sub(limit));
        Ok(all)
    }

    /// Forwards from `after`, up to `before_id`.
    async fn messages_after(
        &self,
        conversation_id: i64,
        query: &MessageQuery,
        after: i64,
    ) -> Result<Page<Message>, ChatwootError> {
        let limit = query.limit.unwrap_or(PAGE_AFTER).min(LIMIT_MAX);
        let mut all = self.message_page(conversation_id, &query.pairs(None, Some(after))).await?;
        let mut last = all.data.len() + all.unreadable;
        let is_past = |page: &Page<Message>| {
            query.before_id.is_some_and(|before| page.data.iter().any(|message| message.id >= before))
        };
        while all.data.len() < limit && last >= PAGE_AFTER && !is_past(&all) {
            let Some(newest) = all.data.iter().map(|message| message.id).max() else { break };
            let mut newer = self.message_page(conversation_id, &query.pairs(None, Some(newest))).await?;
            last = newer.data.len() + newer.unreadable;
            newer.data.retain(|message| message.id > newest);
            all.data.append(&mut newer.data);
            all.unreadable += newer.unreadable;
        }
        all.data
            .retain(|message| message.id > after && query.before_id.is_none_or(|before| message.id < before));
        all.data.truncate(limit);
        Ok(all)
    }

    /// Writes a message.
    ///
    /// Chatwoot knows no idempotency keys. When an answer is lost, the newest messages are read for our `source_id` or
    /// `echo_id`: if it is there, it is the answer. If it is certainly not there, and `source_id` is given, it is written
    /// once more. Otherwise the error says that it is not [`ChatwootError::certain`].
    pub async fn create_message(
        &self,
        conversation_id: i64,
        message: &NewMessage,
    ) -> Result<Message, ChatwootError> {
        let write = || {
            let url = self.messages_url(conversation_id, &[]);
            self.write("create_message", Repeat::IfCertain, Method::POST, url, message)
        };
        self.create_once(conversation_id, message, write).await
    }

    /// Writes a message with files, at most 15.
    ///
    /// A lost answer is treated as with [`Self::create_message`].
    pub async fn create_message_with_files(
        &self,
        conversation_id: i64,
        message: &NewMessage,
        files: &[Upload],
    ) -> Result<Message, ChatwootError> {
        let fields = form_fields(message)?;
        let write = || {
            let url = self.messages_url(conversation_id, &[]);
            let finish = |request: RequestBuilder| request.multipart(form(&fields, files));
            self.write_with("create_message", Repeat::IfCertain, Method::POST, url, finish)
        };
        self.create_once(conversation_id, message, write).await
    }

    async fn create_once<F: Future<Output = Result<Value, ChatwootError>>>(
        &self,
        conversation_id: i64,
        message: &NewMessage,
        write: impl Fn() -> F,
    ) -> Result<Message, ChatwootError> {
        let located = |error: ChatwootError| error.within("conversation_id", conversation_id);
        let error = match write().await {
            Ok(answer) => return one(answer).map_err(located),
            Err(error) if error.certain() => return Err(located(error)),
            Err(error) => located(error),
        };
        match self.look_up(conversation_id, message, &error).await {
            Some(found) => Ok(found),
            None if message.source_id.is_some() && error.ended() => one(write().await.map_err(located)?),
            None => Err(error),
        }
    }

    /// Looks for a message whose answer was lost; again while Chatwoot may still be at it.
    async fn look_up(
        &self,
        conversation_id: i64,
        wanted: &NewMessage,
        error: &ChatwootError,
    ) -> Option<Message> {
        if wanted.source_id.is_none() && wanted.echo_id.is_none() {
            return None;
        }
        let same = |message: &Message| {
            let by = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours == theirs;
            by(&wanted.source_id, &message.source_id) || by(&wanted.echo_id, &message.echo_id)
        };
        let mut wait = self.settings().retry_delay.max(Duration::from_millis(1));
        for attempt in 1..=LOOK_UPS {
            let page = self.message_page(conversation_id, &[]).await.ok()?;
            if let Some(found) = page.data.into_iter().rev().find(same) {
                return Some(found);
            }
            if error.ended() || attempt == LOOK_UPS {
                break;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        None
    }

    /// Says how far a message came; API inboxes only. `read` is never undone by `delivered`.
    pub async fn set_message_status(
        &self,
        conversation_id: i64,
        message_id: i64,
        status: &MessageStatus,
        external_error: Option<&str>,
    ) -> Result<Message, ChatwootError> {
        let mut body = json!({"status": status.as_str()});
        if let Some(error) = external_error {
            body["external_error"] = error.into();
        }
        let url = self.messages_url(conversation_id, &[&message_id.to_string()]);
        one(self.write("set_message_status", Repeat::Harmless, Method::PATCH, url, &body).await?)
    }

    /// Takes a message back; a tombstone stays.
    pub async fn delete_message(&self, conversation_id: i64, message_id: i64) -> Result<(), ChatwootError> {
        let url = self.messages_url(conversation_id, &[&message_id.to_string()]);
        self.remove("delete_message", url).await
    }

    /// Sends a failed message again.
    pub async fn retry_message(
        &self,
        conversation_id: i64,
        message_id: i64,
    ) -> Result<Message, ChatwootError> {
        let url = self.messages_url(conversation_id, &[&message_id.to_string(), "retry"]);
        one(self.write("retry_message", Repeat::IfCertain, Method::POST, url, &json!({})).await?)
    }
}

/// The fields of a message as a form has them; what is no text is JSON.
fn form_fields(message: &NewMessage) -> Result<Vec<(String, String)>, ChatwootError> {
    let value =
        serde_json::to_value(message).map_err(|error| ChatwootError::bad_request(error.to_string()))?;
    let Value::Object(fields) = sanitised(value) else { return Ok(Vec::new()) };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(fields.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn form(fields: &[(String, String)], files: &[Upload]) -> Form {
    let mut form = Form::new();
    for (name, value) in fields {
        form = form.text(name.clone(), value.clone());
    }
    for file in files {
        let part = || Part::stream(file.bytes.clone()).file_name(file.name.clone());
        // A type that is none is left out.
        let part = part().mime_str(&file.mime_type).unwrap_or_else(|_| part());
        form = form.part("attachments[]", part);
    }
    form
}
