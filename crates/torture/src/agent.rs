//! An agent at the API.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Someone with a token.
#[derive(Clone)]
pub struct Agent {
    http: Client,
    url: String,
    token: String,
}

impl Agent {
    /// Someone who asks at this address.
    pub fn new(url: &str, token: &str) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { http, url: url.to_owned(), token: token.to_owned() })
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let asked = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        Ok(asked.timeout(Duration::from_secs(20)).send().await?.error_for_status()?.json().await?)
    }

    /// Asks for something to be done.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let asked = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let asked = if body.is_null() { asked } else { asked.json(&body) };
        Ok(asked.timeout(Duration::from_secs(20)).send().await?.error_for_status()?.json().await?)
    }

    /// Replies under a key.
    pub async fn reply(&self, conversation: i64, text: &str, key: &str) -> reqwest::Result<Response> {
        let path = format!("{}/admin/inbox/{conversation}/messages", self.url);
        let body = json!({"content": text, "client_key": key});
        self.http.post(path).bearer_auth(&self.token).json(&body).send().await
    }

    /// Every conversation, the newest first.
    pub async fn conversations(&self) -> anyhow::Result<Vec<i64>> {
        let mut ids = Vec::new();
        let mut path = "/api/v1/conversations?limit=100".to_owned();
        loop {
            let page = self.get(&path).await?;
            let list = page["data"].as_array().context("a list of conversations")?;
            ids.extend(list.iter().filter_map(|one| one["id"].as_i64()));
            let Some(next) = page["next_cursor"].as_str() else { return Ok(ids) };
            path = format!("/api/v1/conversations?limit=100&cursor={next}");
        }
    }

    /// What happened after a number, all of it in order; `None` when it was too long ago.
    pub async fn events_after(&self, mut after: i64) -> anyhow::Result<Option<Vec<Value>>> {
        let mut all = Vec::new();
        loop {
            let page = self.get(&format!("/api/v1/events?after={after}&limit=500")).await?;
            if page["resync"] == true {
                return Ok(None);
            }
            let events = page["data"].as_array().context("a list of events")?.clone();
            after = events.last().and_then(|event| event["seq"].as_i64()).unwrap_or(after);
            all.extend(events);
            if page["more"] != true {
                return Ok(Some(all));
            }
        }
    }

    /// Permission for a socket to listen on a channel.
    pub async fn permit(&self, socket_id: &str, channel: &str) -> anyhow::Result<Value> {
        let form = [("socket_id", socket_id), ("channel_name", channel)];
        let asked = self.http.post(format!("{}/broadcasting/auth", self.url)).bearer_auth(&self.token);
        Ok(asked.form(&form).send().await?.error_for_status()?.json().await?)
    }

    /// Where it asks.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it shows.
    pub fn token(&self) -> &str {
        &self.token
    }
}
