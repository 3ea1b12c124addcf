//! Receiving by polling, in place of webhooks: Green API refuses it while a `webhookUrl` is set.

use std::time::Duration;

use frontdesk_provider_http::{CallError, Download, DownloadLimits, NotSent};
use reqwest::Method as Verb;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::AsyncWrite;
use url::Url;

use crate::{
    ChatId, GreenClient,
    client::{NO_BODY, read, unreadable},
    error::GreenCallError,
    method,
    webhook::{self, ParseError, Webhook, lenient::Parts},
};

/// Shortest and longest poll that Green API takes.
const POLL: std::ops::RangeInclusive<u64> = 5..=60;
/// Left of a call's time for the way there and back.
const TRAVEL: Duration = Duration::from_secs(5);
/// How often the way to a file may lead on.
const MAX_REDIRECTS: usize = 3;

/// One notification from the queue. Handed out again and again until it is deleted.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Deletes it.
    pub receipt_id: i64,
    /// The body, as a webhook would have brought it.
    pub raw: Box<RawValue>,
}

impl Notification {
    /// Reads the body. What cannot be read should be kept and deleted all the same: it blocks all behind it.
    ///
    /// Errors: as [`webhook::parse`].
    pub fn webhook(&self) -> Result<Webhook, ParseError> {
        webhook::read(&self.raw)
    }
}

/// `{"result": true, "reason": ""}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deletion {
    /// It is gone.
    pub result: bool,
    /// Why not.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Names a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageName<'a> {
    pub(crate) chat_id: &'a ChatId,
    pub(crate) id_message: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    download_url: String,
}

impl GreenClient {
    /// The oldest notification; waits for one up to `wait` (5 to 60 s, and no longer than the time of a call allows).
    /// `None`: there was none.
    pub async fn receive_notification(&self, wait: Duration) -> Result<Option<Notification>, GreenCallError> {
        let longest = self.http().settings().timeout.saturating_sub(TRAVEL).as_secs().clamp(5, *POLL.end());
        let seconds = wait.as_secs().clamp(*POLL.start(), longest);
        let query = [("receiveTimeout", seconds.to_string())];
        let answer =
            self.call_with(&method::RECEIVE_NOTIFICATION, None, |request| request.query(&query)).await?;
        if matches!(answer.body.trim_ascii(), b"" | b"null") {
            return Ok(None);
        }
        let text =
            std::str::from_utf8(&answer.body).map_err(|_| unreadable("the notification is not UTF-8"))?;
        let parts = Parts::of(text).map_err(|_| unreadable("the notification is not an object"))?;
        let receipt_id =
            parts.scalar("receiptId").ok_or_else(|| unreadable("the notification has no receiptId"))?;
        let raw = parts.raw("body").ok_or_else(|| unreadable("the notification has no body"))?.to_owned();
        Ok(Some(Notification { receipt_id, raw }))
    }

    /// Takes a notification out of the queue, once it is stored.
    pub async fn delete_notification(&self, receipt_id: i64) -> Result<Deletion, GreenCallError> {
        let tail = receipt_id.to_string();
        read(&self.call_with(&method::DELETE_NOTIFICATION, Some(&tail), |request| request).await?)
    }

    /// Where the file of a message is, anew: for addresses that have expired.
    pub async fn download_file(&self, chat_id: &ChatId, id_message: &str) -> Result<String, GreenCallError> {
        let name = MessageName { chat_id, id_message };
        Ok(self.call::<Address>(&method::DOWNLOAD_FILE, Some(&name)).await?.download_url)
    }

    /// Fetches a file from an address that a notification or [`Self::download_file`] gave, into `writer`. Asked once.
    /// On an error the writer holds a part of it.
    ///
    /// The address is not to be trusted: only https (or the instance's own hosts), only where the HTTP stack may go, at
    /// most three redirects, no more bytes than `limits` says.
    pub async fn download(
        &self,
        url: &str,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<Download, GreenCallError> {
        let parsed = |url: &str| Url::parse(url).map_err(|error| NotSent::Invalid(error.into()));
        let mut url = parsed(url).map_err(CallError::from)?;
        let mut redirects = 0;
        loop {
            let request = self.http().request(Verb::GET, url.clone());
            match self.http().download(self.file_label(&url), request, limits, writer).await {
                Err(CallError::Redirect { location: Some(target), .. }) if redirects < MAX_REDIRECTS => {
                    url = target.0;
                    redirects += 1;
                }
                result => return Ok(result?),
            }
        }
    }

    /// How many notifications wait.
    pub async fn get_webhooks_count(&self) -> Result<u64, GreenCallError> {
        Ok(self.call::<super::queues::Count>(&method::GET_WEBHOOKS_COUNT, NO_BODY).await?.count)
    }
}
