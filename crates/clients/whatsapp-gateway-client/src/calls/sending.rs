//! Sending. `phone` is a number with its country code, digits only, or whatever the server calls a chat that has none.
//! `reference` goes out as `Idempotency-Key`.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Accepted;
use crate::client::{Ask, GatewayClient, Upload, unreadable};
use crate::error::GatewayCallError;

/// Kinds of files, each with a path and a field of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// An audio file or voice note.
    Audio,
    /// Any other file.
    Document,
}

impl FileKind {
    /// The last part of the path, and the name of the field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }
}

/// A file to send.
#[derive(Debug, Clone)]
pub struct File<'a> {
    /// How it is shown.
    pub kind: FileKind,
    /// The file.
    pub upload: &'a Upload,
    /// Words beside it.
    pub caption: Option<&'a str>,
    /// It is a voice note.
    pub is_voice: bool,
}

/// A place. Degrees, WGS 84.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place<'a> {
    /// North, from -90 to 90.
    pub latitude: f64,
    /// East, from -180 to 180.
    pub longitude: f64,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<&'a str>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Whose.
    pub name: String,
    /// Their numbers, as they are written.
    pub phones: Vec<String>,
    /// Their e-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// For whom they work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// Where a message goes: to whom, under which reference, and which message it answers.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// The number, or the chat.
    pub phone: &'a str,
    /// Our reference.
    pub reference: &'a str,
    /// The message it answers.
    pub reply_to: Option<&'a str>,
}

impl GatewayClient {
    /// Sends a text.
    pub async fn send_text(&self, letter: Letter<'_>, text: &str) -> Result<Accepted, GatewayCallError> {
        self.send_json("send_text", "text", letter, json!({ "message": text })).await
    }

    /// Sends a template of the server's.
    pub async fn send_template(
        &self,
        letter: Letter<'_>,
        template_id: &str,
        variables: &Value,
    ) -> Result<Accepted, GatewayCallError> {
        let body = json!({ "template_id": template_id, "variables": variables });
        self.send_json("send_template", "template", letter, body).await
    }

    /// Sends a place.
    pub async fn send_location(
        &self,
        letter: Letter<'_>,
        place: &Place<'_>,
    ) -> Result<Accepted, GatewayCallError> {
        self.send_json("send_location", "location", letter, json!(place)).await
    }

    /// Sends contact cards.
    pub async fn send_contacts(
        &self,
        letter: Letter<'_>,
        cards: &[Card],
    ) -> Result<Accepted, GatewayCallError> {
        self.send_json("send_contact", "contact", letter, json!({ "contacts": cards })).await
    }

    /// Uploads a file and sends it.
    pub async fn send_file(&self, letter: Letter<'_>, file: &File<'_>) -> Result<Accepted, GatewayCallError> {
        let operation = match file.kind {
            FileKind::Image => "send_image",
            FileKind::Video => "send_video",
            FileKind::Audio => "send_audio",
            FileKind::Document => "send_document",
        };
        file.upload.part()?; // a type that is none is told before anything is sent
        let form = || {
            let part = file.upload.part().unwrap_or_else(|_| Part::bytes(Vec::new()));
            let mut form = Form::new().text("phone", letter.phone.to_owned());
            let more = [
                ("caption", file.caption),
                ("filename", Some(file.upload.file_name.as_str())),
                ("voice", file.is_voice.then_some("true")),
                ("reply_to", letter.reply_to),
            ];
            for (name, value) in more {
                if let Some(value) = value {
                    form = form.text(name, value.to_owned());
                }
            }
            // Last: who reads it as it comes knows by then what it is.
            form.part(file.kind.as_str(), part)
        };
        let segments = self.of_session(&["messages", file.kind.as_str()]);
        let multipart = |request: RequestBuilder| request.multipart(form());
        let ask = Ask::Send(letter.reference);
        accepted(&self.call(operation, &Method::POST, &segments, ask, multipart).await?)
    }

    async fn send_json(
        &self,
        operation: &'static str,
        kind: &str,
        letter: Letter<'_>,
        mut body: Value,
    ) -> Result<Accepted, GatewayCallError> {
        body["phone"] = Value::from(letter.phone);
        if let Some(id) = letter.reply_to {
            body["reply_to"] = Value::from(id);
        }
        let segments = self.of_session(&["messages", kind]);
        let json = |request: RequestBuilder| request.json(&body);
        accepted(&self.call(operation, &Method::POST, &segments, Ask::Send(letter.reference), json).await?)
    }
}

/// A message that was taken and has no id may have gone out all the same.
fn accepted(answer: &Value) -> Result<Accepted, GatewayCallError> {
    Accepted::read(answer).ok_or_else(|| unreadable("an accepted message without an id").into())
}

impl Upload {
    fn part(&self) -> Result<Part, GatewayCallError> {
        let size_bytes = self.bytes.len() as u64;
        Part::stream_with_length(self.bytes.clone(), size_bytes)
            .file_name(self.file_name.clone())
            .mime_str(&self.mime_type)
            .map_err(|error| GatewayCallError::Http(error.into()))
    }
}
