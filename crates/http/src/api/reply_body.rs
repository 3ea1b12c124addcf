//! What a reply is made of, read from JSON or from a form that brings its files along.

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::media::FileLink;
use frontdesk_engine::replies::{MAX_FILES, NewReaction, Recipient, Reply, Special};
use frontdesk_model::content::{ContactCard, Location, Template};
use frontdesk_model::outbound::Interactive;
use frontdesk_model::{AttachmentId, InboxId, MessageId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::media::{broken_form, keep_field};
use crate::error::{ApiError, ErrorCode};
use crate::input::{is_json, parse_json, too_large, unreadable};
use crate::state::HttpState;

/// The longest `Idempotency-Key`, as long as a `client_key`.
const MAX_KEY: usize = 200;
/// The fields of a form in which the gateway's clients send a file.
pub(super) const FILE_FIELDS: [&str; 5] = ["file", "image", "document", "audio", "video"];
/// The most a form may bring beside its files.
const MAX_FORM_BYTES: usize = 256 * 1024;

/// A reply: text, files, or one of the special kinds.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "content": "We have it in red too.", "client_key": "7b0c2a9e-5d0f-4d6f-8a51-1f5f7f6f0c11" })))]
#[serde(default)]
pub(super) struct SendMessage {
    /// Text, or the caption of the files. 1 to 2000 characters by default; a channel may take less.
    #[schema(min_length = 1, max_length = 2000, pattern = "\\S")]
    content: Option<String>,
    /// Ids of uploaded files, see `POST /api/v1/media`.
    #[schema(value_type = Vec<i64>, max_items = 10)]
    attachments: Vec<AttachmentId>,
    /// One file, by its address or its id.
    file: Option<FileToSend>,
    /// Absent: what the other fields make it.
    #[serde(rename = "type")]
    kind: Option<ReplyKind>,
    /// An approved template: the only kind possible outside WhatsApp's 24-hour window.
    template: Option<Template>,
    /// A place.
    location: Option<Location>,
    /// One contact card.
    contact: Option<ContactCard>,
    /// Contact cards.
    contacts: Vec<ContactCard>,
    /// Buttons, or a list.
    interactive: Option<Interactive>,
    /// A reaction to a message of this conversation, answered with that message. It goes alone.
    reaction: Option<Reaction>,
    /// The message to quote.
    #[schema(value_type = Option<i64>)]
    reply_to_message_id: Option<MessageId>,
    /// Made by the client: the same key is the same message. The header `Idempotency-Key` does the same.
    #[schema(min_length = 1, max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    client_key: Option<String>,
    /// The newest message the agent had seen. A newer reply of a colleague stops the send with 409.
    #[schema(value_type = Option<i64>)]
    last_seen_message_id: Option<MessageId>,
    /// Send although a colleague was faster.
    force: bool,
}

/// A file: at a public https address, or uploaded before.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
struct FileToSend {
    /// Where it is. It is taken from there before the message is stored: what the customer gets is what the page shows.
    #[schema(max_length = 2000, pattern = "^https://", nullable = false)]
    url: Option<String>,
    /// What to call it; absent: as its address does.
    #[schema(max_length = 255)]
    file_name: Option<String>,
    /// The id of an uploaded file, see `POST /api/v1/media`.
    #[schema(value_type = i64, nullable = false)]
    media_id: Option<AttachmentId>,
}

/// Somebody to write to, known by number.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Addressee {
    /// The inbox that writes.
    #[schema(value_type = i64)]
    inbox_id: InboxId,
    /// The number with its country code, however written.
    #[schema(examples("+6281390045512"), max_length = 40, pattern = "^(\\+|00)?[1-9][0-9]{6,14}$")]
    phone: String,
    /// What to call them, should they be new here.
    #[schema(max_length = 120)]
    name: Option<String>,
}

impl Addressee {
    pub(super) fn into_recipient(self) -> Recipient {
        Recipient { inbox: self.inbox_id, phone: self.phone, name: self.name }
    }
}

/// A message, and to whom it goes.
#[derive(utoipa::ToSchema)]
#[schema(as = SendFirstMessage)]
#[expect(dead_code, reason = "describes what is read as its two parts")]
pub(super) struct FirstMessage {
    #[schema(inline)]
    #[serde(flatten)]
    to: Addressee,
    #[serde(flatten)]
    message: SendMessage,
}

/// A reply with its files: the fields of the JSON form by their names, those that are objects or lists as JSON.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
pub(super) struct ReplyForm {
    /// The file; several fields of this name for several files, at most ten.
    #[schema(value_type = String, format = Binary, min_length = 1, required = false)]
    file: String,
    /// The caption; the text when there is no file.
    #[schema(max_length = 2000)]
    content: Option<String>,
    /// As in JSON.
    #[schema(min_length = 1, max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    client_key: Option<String>,
}

/// A reply with its files, and to whom it goes.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
pub(super) struct FirstMessageForm {
    /// The inbox that writes.
    inbox_id: i64,
    /// The number with its country code.
    #[schema(max_length = 40, pattern = "^(\\+|00)?[1-9][0-9]{6,14}$")]
    phone: String,
    /// The file; several fields of this name for several files, at most ten.
    #[schema(value_type = String, format = Binary, min_length = 1, required = false)]
    file: String,
    /// The caption; the text when there is no file.
    #[schema(max_length = 2000)]
    content: Option<String>,
    /// As in JSON.
    #[schema(min_length = 1, max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    client_key: Option<String>,
}

/// What one of us thinks of a message.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = NewReaction)]
struct Reaction {
    /// The message reacted to.
    #[schema(value_type = i64)]
    message_id: MessageId,
    /// One emoji; empty or absent takes the reaction back.
    #[serde(default)]
    #[schema(max_length = 32)]
    emoji: String,
}

/// What a reply is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ReplyKind {
    /// Text, files or both.
    Text,
    /// A file, with its caption.
    File,
    /// An approved template.
    Template,
    /// A place.
    Location,
    /// One contact card.
    Contact,
    /// Contact cards.
    Contacts,
    /// Buttons or a list.
    Interactive,
    /// A reaction to a message.
    Reaction,
}

/// A body that is still JSON or a form.
pub(super) enum ReplyBody {
    Json(Bytes),
    Form(Box<Multipart>),
}

impl FromRequest<HttpState> for ReplyBody {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &HttpState) -> Result<Self, ApiError> {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        if is_json(declared) {
            return Bytes::from_request(request, state).await.map(Self::Json).map_err(unreadable);
        }
        // Files are streamed to disk under a limit of their own, not held in memory.
        DefaultBodyLimit::disable().apply(&mut request);
        match Multipart::from_request(request, state).await {
            Ok(form) => Ok(Self::Form(Box::new(form))),
            Err(_) => {
                let sentence = "The body must be JSON, with the header Content-Type: application/json, or a \
                                multipart/form-data form.";
                Err(ApiError::new(ErrorCode::UnsupportedMediaType, sentence))
            }
        }
    }
}

impl ReplyBody {
    /// Reads the fields, and keeps the files a form brings.
    pub(super) async fn read(self, state: &HttpState, actor: Actor) -> Result<Fields, ApiError> {
        self.read_files(state, actor, &["file"]).await
    }

    /// The same where files may be in fields of these names. Without a file name a field holds text.
    pub(super) async fn read_files(
        self,
        state: &HttpState,
        actor: Actor,
        names: &[&str],
    ) -> Result<Fields, ApiError> {
        match self {
            Self::Json(body) => Ok(Fields { json: body, files: Vec::new() }),
            Self::Form(form) => read_form(*form, state, actor, names).await,
        }
    }
}

/// The fields of a reply, as JSON, and the files that came with them.
pub(super) struct Fields {
    json: Bytes,
    files: Vec<AttachmentId>,
}

impl Fields {
    /// The message.
    pub(super) fn message(&self) -> Result<SendMessage, ApiError> {
        let mut message: SendMessage = parse_json(&self.json)?;
        message.attachments.extend(&self.files);
        Ok(message)
    }

    /// The files.
    pub(super) fn files(&self) -> &[AttachmentId] {
        &self.files
    }

    /// Other fields beside it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        parse_json(&self.json)
    }
}

async fn read_form(
    mut form: Multipart,
    state: &HttpState,
    actor: Actor,
    file_fields: &[&str],
) -> Result<Fields, ApiError> {
    let (mut fields, mut files, mut size) = (Map::new(), Vec::new(), 0);
    while let Some(mut field) = form.next_field().await.map_err(|_| broken_form())? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = name == "file" || field.file_name().is_some();
        if is_file && file_fields.contains(&name.as_str()) {
            if files.len() == MAX_FILES {
                let sentence = format!("The file field may come at most {MAX_FILES} times.");
                return Err(ApiError::invalid("file", sentence));
            }
            files.push(keep_field(state, actor, field).await?.id);
            continue;
        }
        let mut text = Vec::new();
        while let Some(bytes) = field.chunk().await.map_err(|_| broken_form())? {
            size += bytes.len() + name.len();
            if size > MAX_FORM_BYTES {
                return Err(too_large());
            }
            text.extend(bytes);
        }
        let text = String::from_utf8(text)
            .map_err(|_| ApiError::invalid(&name, format!("The {name} field must be UTF-8 text.")))?;
        fields.insert(name.clone(), value_of(&name, text));
    }
    Ok(Fields { json: Value::Object(fields).to_string().into(), files })
}

/// A field of a form as JSON has it; what is none stays text, and is refused as that.
fn value_of(name: &str, text: String) -> Value {
    match name {
        "content" | "message" | "type" | "client_key" | "phone" | "name" | "session_id" | "caption"
        | "filename" | "image" | "document" | "audio" | "video" | "reply_to" => Value::String(text),
        _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let wrong = || {
        let sentence = format!("The Idempotency-Key header must have 1 to {MAX_KEY} printable characters.");
        ApiError::invalid("Idempotency-Key", sentence)
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    if text.is_empty() || text.len() > MAX_KEY { Err(wrong()) } else { Ok(Some(text.to_owned())) }
}

/// The reaction of a request; `None` when it is a reply.
pub(super) fn read_reaction(
    body: &SendMessage,
    key: Option<String>,
) -> Result<Option<NewReaction>, ApiError> {
    let reaction = match (&body.reaction, body.kind) {
        (Some(reaction), None | Some(ReplyKind::Reaction)) => reaction,
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("reaction", "A reaction needs the type reaction, or none."));
        }
        (None, _) => return Ok(None),
    };
    if body.content.is_some() || !body.attachments.is_empty() || body.file.is_some() {
        return Err(ApiError::invalid("reaction", "A reaction goes alone: send text and files apart."));
    }
    Ok(Some(NewReaction {
        message: reaction.message_id,
        emoji: Some(reaction.emoji.clone()).filter(|emoji| !emoji.is_empty()),
        client_key: body.client_key.clone().or(key),
    }))
}

pub(super) fn read_reply(mut body: SendMessage, key: Option<String>) -> Result<Reply, ApiError> {
    let missing = |field: &str| ApiError::invalid(field, format!("The {field} field is required."));
    let kind = body.kind.unwrap_or({
        if body.template.is_some() {
            ReplyKind::Template
        } else if body.location.is_some() {
            ReplyKind::Location
        } else if body.contact.is_some() {
            ReplyKind::Contact
        } else if !body.contacts.is_empty() {
            ReplyKind::Contacts
        } else if body.interactive.is_some() {
            ReplyKind::Interactive
        } else {
            ReplyKind::Text
        }
    });
    let link = match body.file.take() {
        Some(file) => read_file(file, &mut body.attachments)?,
        None => None,
    };
    let special = match kind {
        ReplyKind::File if link.is_none() && body.attachments.is_empty() => return Err(missing("file")),
        ReplyKind::Text | ReplyKind::File => None,
        ReplyKind::Template => Some(Special::Template(body.template.ok_or_else(|| missing("template"))?)),
        ReplyKind::Location => Some(Special::Location(body.location.ok_or_else(|| missing("location"))?)),
        ReplyKind::Contact => Some(Special::Contacts(vec![body.contact.ok_or_else(|| missing("contact"))?])),
        ReplyKind::Contacts if body.contacts.is_empty() => return Err(missing("contacts")),
        ReplyKind::Contacts => Some(Special::Contacts(body.contacts)),
        ReplyKind::Interactive => {
            Some(Special::Interactive(body.interactive.ok_or_else(|| missing("interactive"))?))
        }
        ReplyKind::Reaction => return Err(missing("reaction")), // with one it would be no reply
    };
    if special.is_some() && link.is_some() {
        return Err(ApiError::invalid("file", "Files go with text only: send them apart."));
    }
    Ok(Reply {
        content: body.content,
        attachments: body.attachments,
        link,
        special,
        reply_to: body.reply_to_message_id,
        client_key: body.client_key.or(key),
        last_seen: body.last_seen_message_id,
        force: body.force,
        as_document: false,
    })
}

/// The address of a file that has to be taken from it; one that is here joins the others.
fn read_file(file: FileToSend, attachments: &mut Vec<AttachmentId>) -> Result<Option<FileLink>, ApiError> {
    match (file.url, file.media_id) {
        (Some(_), None) if !attachments.is_empty() => {
            Err(ApiError::invalid("file.url", "A file by its address goes alone: send the others apart."))
        }
        (Some(url), None) => Ok(Some(FileLink { url, file_name: file.file_name })),
        (None, Some(id)) => {
            attachments.push(id);
            Ok(None)
        }
        _ => Err(ApiError::invalid("file", "The file field needs a url or a media_id, and not both.")),
    }
}
