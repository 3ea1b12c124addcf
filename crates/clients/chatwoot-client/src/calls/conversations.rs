//! Threads.

use frontdesk_provider_http::CallError;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    ChatwootClient, ChatwootError, ErrorCode, Page, Timestamp,
    client::{Class, Repeat},
    envelope::{many, one, unwrap},
    filter::Filter,
    model::{
        Agent, Attributes, Conversation, ConversationCounts, ConversationStatus, NewConversation, Priority,
        StatusChange, Team,
    },
};

/// Which conversations a list is of. Chatwoot alone would show open ones only; here all are, if nothing is said.
#[derive(Debug, Clone, Default)]
pub struct ConversationQuery {
    /// Where they stand; `None`: anywhere.
    pub status: Option<ConversationStatus>,
    /// Whose they are: `me`, `unassigned`, `assigned`.
    pub assignee_type: Option<String>,
    /// In this inbox.
    pub inbox_id: Option<i64>,
    /// Of this team.
    pub team_id: Option<i64>,
    /// With one of these labels.
    pub labels: Vec<String>,
    /// With a message that has these words.
    pub search: Option<String>,
    /// Of whom this names in an inbox.
    pub source_id: Option<String>,
    /// As `last_activity_at_desc` (usual), `created_at_asc`.
    pub sort_by: Option<String>,
    /// Page, from 1; 25 on each.
    pub page: Option<u32>,
}

impl ConversationQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let status = self.status.as_ref().map_or("all", ConversationStatus::as_str).to_owned();
        let mut pairs = vec![("status", status)];
        let number = |id: i64| id.to_string();
        let optional = [
            ("assignee_type", self.assignee_type.clone()),
            ("inbox_id", self.inbox_id.map(number)),
            ("team_id", self.team_id.map(number)),
            ("q", self.search.clone()),
            ("source_id", self.source_id.clone()),
            ("sort_by", self.sort_by.clone()),
            ("page", self.page.map(|page| page.to_string())),
        ];
        pairs.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        pairs.extend(self.labels.iter().map(|label| ("labels[]", label.clone())));
        pairs
    }
}

/// Who is in charge now.
#[derive(Debug, Clone, PartialEq)]
pub enum Assigned {
    /// An agent.
    Agent(Box<Agent>),
    /// A team.
    Team(Team),
    /// Nobody.
    Nobody,
}

impl ChatwootClient {
    /// One conversation, by the number that addresses show, with its last message only.
    pub async fn get_conversation(&self, id: i64) -> Result<Conversation, ChatwootError> {
        let answer = self.get("get_conversation", self.conversations_url(&[&id.to_string()]), &[]).await;
        answer.and_then(one).map_err(|error| error.within("conversation_id", id))
    }

    /// A page of conversations.
    pub async fn list_conversations(
        &self,
        query: &ConversationQuery,
    ) -> Result<Page<Conversation>, ChatwootError> {
        many(self.get("list_conversations", self.conversations_url(&[]), &query.pairs()).await?)
    }

    /// Every conversation that changed within so many seconds, not paged: for reconciliation, as webhooks may be lost.
    pub async fn conversations_updated_within(
        &self,
        seconds: u64,
    ) -> Result<Page<Conversation>, ChatwootError> {
        let query = [("updated_within", seconds.to_string())];
        many(self.get("conversations_updated_within", self.conversations_url(&[]), &query).await?)
    }

    /// How many there are, by who is in charge.
    pub async fn conversation_counts(
        &self,
        query: &ConversationQuery,
    ) -> Result<ConversationCounts, ChatwootError> {
        #[derive(Deserialize)]
        struct Counts {
            meta: ConversationCounts,
        }
        let url = self.conversations_url(&["meta"]);
        let counts: Counts =
            one(self.get_in(Class::Counts, "conversation_counts", url, &query.pairs()).await?)?;
        Ok(counts.meta)
    }

    /// A page of the conversations that conditions fit.
    pub async fn filter_conversations(
        &self,
        filter: &Filter,
        page: u32,
    ) -> Result<Page<Conversation>, ChatwootError> {
        let mut url = self.conversations_url(&["filter"]);
        url.query_pairs_mut().append_pair("page", &page.max(1).to_string());
        many(self.write("filter_conversations", Repeat::Harmless, Method::POST, url, filter).await?)
    }

    /// Begins a conversation. An inbox that locks to one conversation gives the one that is there.
    ///
    /// When the answer is lost and `source_id` is given, the conversation is looked up by it before anything is repeated.
    pub async fn create_conversation(&self, new: &NewConversation) -> Result<Conversation, ChatwootError> {
        let url = self.conversations_url(&[]);
        let result = self.write("create_conversation", Repeat::IfCertain, Method::POST, url, new).await;
        let error = match result {
            Ok(answer) => return one(answer),
            Err(error) => error,
        };
        let (Some(source_id), false) = (&new.source_id, error.certain()) else { return Err(error) };
        let query = ConversationQuery {
            source_id: Some(source_id.clone()),
            inbox_id: new.inbox_id,
            sort_by: Some("created_at_desc".to_owned()),
            ..ConversationQuery::default()
        };
        let found = self.list_conversations(&query).await.map_err(|_| error.clone())?;
        found.data.into_iter().next().ok_or(error)
    }

    async fn change(
        &self,
        operation: &'static str,
        id: i64,
        what: &str,
        body: &Value,
    ) -> Result<Value, ChatwootError> {
        let url = self.conversations_url(&[&id.to_string(), what]);
        self.write(operation, Repeat::Harmless, Method::POST, url, body)
            .await
            .map_err(|error| error.within("conversation_id", id))
    }

    /// Moves a conversation; `until` is for snoozed ones.
    pub async fn set_status(
        &self,
        id: i64,
        status: &ConversationStatus,
        until: Option<Timestamp>,
    ) -> Result<StatusChange, ChatwootError> {
        let mut body = json!({"status": status.as_str()});
        if let Some(until) = until {
            body["snoozed_until"] = until.seconds().into();
        }
        one(self.change("set_status", id, "toggle_status", &body).await?)
    }

    /// How urgent it is; `None`: not at all.
    pub async fn set_priority(&self, id: i64, priority: Option<&Priority>) -> Result<(), ChatwootError> {
        let body = json!({"priority": priority.map(Priority::as_str)});
        self.change("set_priority", id, "toggle_priority", &body).await.map(drop)
    }

    /// Shows that somebody types, or no longer does; `private`: to agents only.
    pub async fn set_typing(&self, id: i64, on: bool, private: bool) -> Result<(), ChatwootError> {
        let body = json!({"typing_status": if on { "on" } else { "off" }, "is_private": private});
        self.change("set_typing", id, "toggle_typing_status", &body).await.map(drop)
    }

    /// Nobody is notified any more, or again.
    pub async fn set_muted(&self, id: i64, muted: bool) -> Result<(), ChatwootError> {
        self.change("set_muted", id, if muted { "mute" } else { "unmute" }, &json!({})).await.map(drop)
    }

    /// Marks as read by agents.
    pub async fn mark_read(&self, id: i64) -> Result<Conversation, ChatwootError> {
        one(self.change("mark_read", id, "update_last_seen", &json!({})).await?)
    }

    /// Marks as unread.
    pub async fn mark_unread(&self, id: i64) -> Result<Conversation, ChatwootError> {
        one(self.change("mark_unread", id, "unread", &json!({})).await?)
    }

    /// Replaces the custom attributes.
    pub async fn set_conversation_attributes(
        &self,
        id: i64,
        attributes: &Attributes,
    ) -> Result<Attributes, ChatwootError> {
        let body = json!({"custom_attributes": attributes});
        let answer = self.change("set_conversation_attributes", id, "custom_attributes", &body).await?;
        Ok(answer.get("custom_attributes").and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// Puts an agent in charge; `None`: nobody.
    pub async fn assign_agent(&self, id: i64, agent_id: Option<i64>) -> Result<Assigned, ChatwootError> {
        let answer =
            self.change("assign_agent", id, "assignments", &json!({"assignee_id": agent_id})).await?;
        let agent = unwrap(answer).data;
        if agent.is_null() {
            return Ok(Assigned::Nobody);
        }
        one(agent).map(|agent| Assigned::Agent(Box::new(agent)))
    }

    /// Puts a team in charge; `None`: none.
    pub async fn assign_team(&self, id: i64, team_id: Option<i64>) -> Result<Assigned, ChatwootError> {
        // 0 clears; Chatwoot takes null for no change.
        let body = json!({"team_id": team_id.unwrap_or(0)});
        let answer = self.change("assign_team", id, "assignments", &body).await?;
        if answer.is_null() { Ok(Assigned::Nobody) } else { one(answer).map(Assigned::Team) }
    }

    /// Labels of a conversation.
    pub async fn conversation_labels(&self, id: i64) -> Result<Vec<String>, ChatwootError> {
        let url = self.conversations_url(&[&id.to_string(), "labels"]);
        Ok(many(self.get("conversation_labels", url, &[]).await?)?.data)
    }

    /// Replaces the labels of a conversation.
    pub async fn set_conversation_labels(
        &self,
        id: i64,
        labels: &[String],
    ) -> Result<Vec<String>, ChatwootError> {
        let answer = self.change("set_conversation_labels", id, "labels", &json!({"labels": labels})).await?;
        Ok(many(answer)?.data)
    }

    /// Deletes a conversation with all in it. An administrator's token is needed.
    pub async fn delete_conversation(&self, id: i64) -> Result<(), ChatwootError> {
        self.remove("delete_conversation", self.conversations_url(&[&id.to_string()])).await
    }

    /// Deletes. When an answer is lost it is done again, and what is then gone was deleted by us.
    pub(crate) async fn remove(&self, operation: &'static str, url: url::Url) -> Result<(), ChatwootError> {
        let delete =
            |repeat| self.write_with(operation, repeat, Method::DELETE, url.clone(), |request| request);
        match delete(Repeat::IfCertain).await {
            Err(error) if !error.certain() => match delete(Repeat::Harmless).await {
                Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
                result => result.map(drop),
            },
            result => result.map(drop),
        }
    }

    /// The error of a call below, for files that call the stack themselves.
    pub(crate) fn failed_call(&self, error: CallError, operation: &'static str) -> ChatwootError {
        self.failed(error, operation)
    }
}
