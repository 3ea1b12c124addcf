//! Sessions: made, listed, linked, ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::{self, Qr, Session, SessionStatus, is_png};
use crate::client::{Ask, GatewayClient, unreadable};
use crate::error::{GatewayCallError, RefusalKind};

/// What there is to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QrAnswer {
    /// A code.
    Code(Qr),
    /// Nothing: the session is connected.
    Connected,
    /// Nothing yet.
    None,
}

impl GatewayClient {
    /// Makes the session, or connects one that is there; its webhooks go to `webhook_url`, signed with `webhook_secret` where the
    /// server lets us choose it.
    pub async fn create_session(
        &self,
        webhook_url: Option<&str>,
        webhook_secret: Option<&str>,
    ) -> Result<Session, GatewayCallError> {
        let mut body = json!({ "session_id": self.session() });
        for (name, value) in [("webhook_url", webhook_url), ("webhook_secret", webhook_secret)] {
            if let Some(value) = value {
                body[name] = Value::from(value);
            }
        }
        let json = |request: reqwest::RequestBuilder| request.json(&body);
        let answer = self.call("create_session", &Method::POST, &["sessions"], Ask::Tell, json).await?;
        Session::read(&answer, Some(self.session())).ok_or_else(|| unreadable("no session").into())
    }

    /// All sessions of the account.
    pub async fn sessions(&self) -> Result<Vec<Session>, GatewayCallError> {
        let all = |request| request;
        let answer = self.call("sessions", &Method::GET, &["sessions"], Ask::Read, all).await?;
        Ok(answer::list(&answer, &["sessions", "items"], |item| Session::read(item, None)))
    }

    /// How the session is.
    pub async fn status(&self) -> Result<Session, GatewayCallError> {
        let answer = self.get("session_status", &["status"], &[]).await?;
        Session::read(&answer, Some(self.session())).ok_or_else(|| unreadable("no state of a session").into())
    }

    /// The code to scan, as a picture where the server makes one.
    pub async fn qr(&self) -> Result<QrAnswer, GatewayCallError> {
        let qr = match self.get("qr", &["qr"], &[]).await {
            Ok(answer) => Qr::read(&answer),
            Err(error) if error.is(RefusalKind::Conflict) => return Ok(QrAnswer::Connected),
            Err(error) if error.is(RefusalKind::NotConnected) => return Ok(QrAnswer::None),
            Err(error) => return Err(error),
        };
        if qr.status == Some(SessionStatus::Connected) && qr.image.is_none() && qr.text.is_none() {
            return Ok(QrAnswer::Connected);
        }
        match (&qr.image, &qr.text) {
            (None, None) => Ok(QrAnswer::None),
            (None, Some(_)) => Ok(QrAnswer::Code(Qr { image: self.qr_picture().await, ..qr })),
            (Some(_), _) => Ok(QrAnswer::Code(qr)),
        }
    }

    /// The picture alone; `None` from servers that have none.
    async fn qr_picture(&self) -> Option<Vec<u8>> {
        let segments = self.of_session(&["qr"]);
        let as_png = |request: reqwest::RequestBuilder| {
            request.query(&[("format", "png")]).header("Accept", "image/png")
        };
        let answer = self.answer("qr", &Method::GET, &segments, Ask::Read, as_png).await.ok()?;
        is_png(&answer.body).then(|| answer.body.to_vec())
    }

    /// Signs the phone out and ends the session. One that is not there is ended already.
    pub async fn delete_session(&self) -> Result<(), GatewayCallError> {
        let segments = self.of_session(&[]);
        let gone = self.answer("delete_session", &Method::DELETE, &segments, Ask::Tell, |request| request);
        match gone.await {
            Err(error) if !error.is(RefusalKind::NotFound) => Err(error),
            _ => Ok(()),
        }
    }
}
