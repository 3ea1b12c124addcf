//! Sending. Every answer means "queued" (first in, first out, for 24 hours), not "sent".

use bytes::Bytes;
use reqwest::{
    header::CONTENT_TYPE,
    multipart::{Form, Part},
};
use serde::{Deserialize, Serialize};

use super::Queued;
use crate::{
    ChatId, GreenClient,
    chat_id::{NotAPhone, phone_digits},
    client::read,
    error::GreenCallError,
    method,
};

/// Longest text, in characters.
pub const TEXT_MAX_CHARS: usize = 20_000;
/// Longest caption that is safe, in characters.
pub const CAPTION_MAX_CHARS: usize = 1_024;
/// Largest file, in bytes.
pub const FILE_MAX_BYTES: u64 = 100 * 1024 * 1024;

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessage {
    /// To whom.
    pub chat_id: ChatId,
    /// What it says, at most [`TEXT_MAX_CHARS`].
    pub message: String,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
    /// Show a preview of the first link; Green API does unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_preview: Option<bool>,
    /// How large the preview is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_preview: Option<PreviewSize>,
    /// A preview of one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_preview: Option<CustomPreview>,
    /// Show "typing…" before it, 1000 to 20000 milliseconds.
    #[serde(rename = "typingTime", skip_serializing_if = "Option::is_none")]
    pub typing_time_ms: Option<u32>,
}

impl SendMessage {
    /// A text and nothing more.
    pub fn new(chat_id: ChatId, message: impl Into<String>) -> Self {
        Self {
            chat_id,
            message: message.into(),
            quoted_message_id: None,
            link_preview: None,
            type_preview: None,
            custom_preview: None,
            typing_time_ms: None,
        }
    }
}

/// Size of a link's preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PreviewSize {
    /// Across the message.
    Large,
    /// Beside the title.
    Small,
}

/// A link's preview of one's own; each text at most 300 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomPreview {
    /// Title.
    pub title: String,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Address of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<String>,
    /// The picture itself, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jpeg_thumbnail: Option<String>,
}

/// A file that Green API fetches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendFileByUrl {
    /// To whom.
    pub chat_id: ChatId,
    /// Where it is: a public address, or one of [`GreenClient::upload_file`].
    pub url_file: String,
    /// Its name. The ending decides whether it shows as picture, video, audio or document.
    pub file_name: String,
    /// At most [`CAPTION_MAX_CHARS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
    /// Show "typing…" or "recording…" before it, 1000 to 20000 milliseconds.
    #[serde(rename = "typingTime", skip_serializing_if = "Option::is_none")]
    pub typing_time_ms: Option<u32>,
    /// Which of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_type: Option<TypingType>,
}

impl SendFileByUrl {
    /// A file without caption.
    pub fn new(chat_id: ChatId, url_file: impl Into<String>, file_name: impl Into<String>) -> Self {
        Self {
            chat_id,
            url_file: url_file.into(),
            file_name: file_name.into(),
            caption: None,
            quoted_message_id: None,
            typing_time_ms: None,
            typing_type: None,
        }
    }
}

/// A file in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its name. The ending decides whether it shows as picture, video, audio or document.
    pub file_name: String,
    /// Its type, as `image/png`.
    pub mime_type: String,
    /// Its bytes, at most [`FILE_MAX_BYTES`].
    pub bytes: Bytes,
}

/// A file that is sent along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFileByUpload {
    /// To whom.
    pub chat_id: ChatId,
    /// The file.
    pub file: Upload,
    /// At most [`CAPTION_MAX_CHARS`].
    pub caption: Option<String>,
    /// The message it answers.
    pub quoted_message_id: Option<String>,
}

/// `{"idMessage": "...", "urlFile": "..."}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedFile {
    /// Its id; the echo and every status carry it.
    pub id_message: String,
    /// Where the file now is, for 15 days; can be sent again with [`SendFileByUrl`].
    #[serde(default)]
    pub url_file: Option<String>,
}

/// `{"urlFile": "..."}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadedFile {
    /// Where the file now is, for 15 days.
    pub url_file: String,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendLocation {
    /// To whom.
    pub chat_id: ChatId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_location: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendContact {
    /// To whom.
    pub chat_id: ChatId,
    /// Whose card.
    pub contact: Contact,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
}

/// Whose card. At least one of the names, or the company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The number with country code, as a number: see [`phone_number`].
    pub phone_contact: u64,
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Middle name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
}

/// A number as Green API wants it in bodies: digits with country code, as a JSON number.
///
/// Errors: [`NotAPhone`].
pub fn phone_number(phone: &str) -> Result<u64, NotAPhone> {
    phone_digits(phone)?.parse().map_err(|_| NotAPhone)
}

/// A poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendPoll {
    /// To whom.
    pub chat_id: ChatId,
    /// What is asked, at most 255 characters.
    pub message: String,
    /// What can be chosen: 2 to 12, each once, each at most 100 characters.
    pub options: Vec<PollOption>,
    /// More than one may be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiple_answers: Option<bool>,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PollOption {
    /// What it says.
    pub option_name: String,
}

/// Buttons that do something on the phone (beta; to persons, not to groups).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendInteractiveButtons {
    /// To whom.
    pub chat_id: ChatId,
    /// Above the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The text.
    pub body: String,
    /// Below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// One to three.
    pub buttons: Vec<InteractiveButton>,
}

/// A button and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum InteractiveButton {
    /// Copies a text.
    Copy {
        /// Its id.
        button_id: String,
        /// What it says, at most 25 characters.
        button_text: String,
        /// What is copied.
        copy_code: String,
    },
    /// Calls a number.
    Call {
        /// Its id.
        button_id: String,
        /// What it says, at most 25 characters.
        button_text: String,
        /// Whom, digits only.
        phone_number: String,
    },
    /// Opens an address.
    Url {
        /// Its id.
        button_id: String,
        /// What it says, at most 25 characters.
        button_text: String,
        /// What.
        url: String,
    },
}

/// Buttons that answer (beta; to persons, not to groups). Each can be pressed once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendInteractiveButtonsReply {
    /// To whom.
    pub chat_id: ChatId,
    /// Above the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The text.
    pub body: String,
    /// Below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// One to three.
    pub buttons: Vec<ReplyButton>,
}

/// A button that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplyButton {
    /// Its id.
    pub button_id: String,
    /// What it says, at most 25 characters.
    pub button_text: String,
}

/// Messages passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardMessages {
    /// To whom.
    pub chat_id: ChatId,
    /// From where.
    pub chat_id_from: ChatId,
    /// Which ones.
    pub messages: Vec<String>,
}

#[derive(Deserialize)]
struct Forwarded {
    messages: Vec<String>,
}

/// "typing…" or "recording…".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendTyping {
    /// To whom.
    pub chat_id: ChatId,
    /// 1000 to 20000 milliseconds; absent: one second.
    #[serde(rename = "typingTime", skip_serializing_if = "Option::is_none")]
    pub typing_time_ms: Option<u32>,
    /// Absent: typing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_type: Option<TypingType>,
}

/// What is being done instead of typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TypingType {
    /// A voice message is being recorded.
    Recording,
}

impl GreenClient {
    /// Sends a text.
    pub async fn send_message(&self, message: &SendMessage) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_MESSAGE, Some(message)).await
    }

    /// Sends a file that Green API fetches.
    pub async fn send_file_by_url(&self, file: &SendFileByUrl) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_FILE_BY_URL, Some(file)).await
    }

    /// Uploads a file and sends it.
    pub async fn send_file_by_upload(&self, file: &SendFileByUpload) -> Result<QueuedFile, GreenCallError> {
        let SendFileByUpload { chat_id, file, caption, quoted_message_id } = file;
        file.part()?; // a type that is none is told before anything is sent
        let form = || {
            let part = file.part().unwrap_or_else(|_| Part::bytes(Vec::new()));
            let mut form = Form::new().text("chatId", chat_id.to_string()).part("file", part);
            let optional = [("fileName", Some(&file.file_name)), ("caption", caption.as_ref())];
            for (name, value) in optional.into_iter().chain([("quotedMessageId", quoted_message_id.as_ref())])
            {
                form = match value {
                    Some(value) => form.text(name, value.clone()),
                    None => form,
                };
            }
            form
        };
        read(&self.call_with(&method::SEND_FILE_BY_UPLOAD, None, |request| request.multipart(form())).await?)
    }

    /// Uploads a file without sending it.
    pub async fn upload_file(&self, file: &Upload) -> Result<UploadedFile, GreenCallError> {
        let answer = self
            .call_with(&method::UPLOAD_FILE, None, |request| {
                request
                    .header(CONTENT_TYPE, &file.mime_type)
                    .header("GA-Filename", ascii_name(&file.file_name))
                    .body(file.bytes.clone())
            })
            .await?;
        read(&answer)
    }

    /// Sends a place.
    pub async fn send_location(&self, location: &SendLocation) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_LOCATION, Some(location)).await
    }

    /// Sends a contact card.
    pub async fn send_contact(&self, contact: &SendContact) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_CONTACT, Some(contact)).await
    }

    /// Sends a poll.
    pub async fn send_poll(&self, poll: &SendPoll) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_POLL, Some(poll)).await
    }

    /// Sends buttons that do something.
    pub async fn send_interactive_buttons(
        &self,
        buttons: &SendInteractiveButtons,
    ) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_INTERACTIVE_BUTTONS, Some(buttons)).await
    }

    /// Sends buttons that answer.
    pub async fn send_interactive_buttons_reply(
        &self,
        buttons: &SendInteractiveButtonsReply,
    ) -> Result<Queued, GreenCallError> {
        self.call(&method::SEND_INTERACTIVE_BUTTONS_REPLY, Some(buttons)).await
    }

    /// Passes messages on; returns the ids of the new ones.
    pub async fn forward_messages(&self, forward: &ForwardMessages) -> Result<Vec<String>, GreenCallError> {
        Ok(self.call::<Forwarded>(&method::FORWARD_MESSAGES, Some(forward)).await?.messages)
    }

    /// Shows "typing…".
    pub async fn send_typing(&self, typing: &SendTyping) -> Result<(), GreenCallError> {
        self.tell(&method::SEND_TYPING, typing).await
    }
}

impl Upload {
    pub(crate) fn part(&self) -> Result<Part, GreenCallError> {
        let size_bytes = self.bytes.len() as u64;
        Part::stream_with_length(self.bytes.clone(), size_bytes)
            .file_name(self.file_name.clone())
            .mime_str(&self.mime_type)
            .map_err(|error| GreenCallError::Http(error.into()))
    }
}

/// Headers are ASCII; what is not becomes `_`, and the ending, which decides the kind, stays.
fn ascii_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect()
}
