//! Chats and what was written in them.

use reqwest::Method;
use serde_json::json;

use crate::answer::{self, Chat, ListedMessage};
use crate::client::{Ask, GatewayClient};
use crate::error::GatewayCallError;

impl GatewayClient {
    /// Chats: `filter` is `all`, `unread` or `starred`.
    pub async fn chats(
        &self,
        filter: &str,
        search: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Chat>, GatewayCallError> {
        let limit = limit.to_string();
        let mut query = vec![("filter", filter), ("limit", &limit)];
        query.extend(search.map(|words| ("search", words)));
        let answer = self.get("chats", &["chats"], &query).await?;
        Ok(answer::list(&answer, &["chats", "conversations", "items"], Chat::read))
    }

    /// Chats with these words.
    pub async fn search_chats(&self, words: &str) -> Result<Vec<Chat>, GatewayCallError> {
        let answer = self.get("search_chats", &["chats", "search"], &[("query", words)]).await?;
        Ok(answer::list(&answer, &["chats", "conversations", "items"], Chat::read))
    }

    /// The newest messages of a chat.
    pub async fn messages(&self, chat_id: &str, limit: u32) -> Result<Vec<ListedMessage>, GatewayCallError> {
        let limit = limit.to_string();
        let answer = self.get("messages", &["messages"], &[("chatId", chat_id), ("limit", &limit)]).await?;
        Ok(answer::list(&answer, &["messages", "items"], ListedMessage::read))
    }

    /// Marks a chat as read.
    pub async fn mark_read(&self, chat_id: &str) -> Result<(), GatewayCallError> {
        let segments = self.of_session(&["chats", chat_id, "read"]);
        let empty = |request: reqwest::RequestBuilder| request.json(&json!({}));
        self.answer("mark_read", &Method::POST, &segments, Ask::Tell, empty).await.map(drop)
    }
}
