//! What we send on Messenger and Instagram, exactly as Meta wants it written.

use serde::Serialize;

/// One message. Text and attachment do not go together: send two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagingMessage {
    /// PSID or IGSID.
    pub recipient_id: String,
    /// Why we may send it.
    pub messaging_type: MessagingType,
    /// What it says.
    pub body: Body,
    /// At most 13 buttons below it.
    pub quick_replies: Vec<QuickReply>,
    /// The `mid` it answers.
    pub reply_to: Option<String>,
    /// Our own reference, at most 1000 characters; comes back in the echo.
    pub metadata: Option<String>,
}

/// Why we may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessagingType {
    /// An answer within 24 hours.
    Response,
    /// Unasked, within 24 hours.
    Update,
    /// A person answers, within 7 days; the app needs Meta's review for it.
    HumanAgent,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Messenger: at most 2000 characters. Instagram: at most 1000 bytes of UTF-8.
    Text(String),
    /// A file.
    Attachment(Attachment),
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Where it is.
    pub source: AttachmentSource,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachmentKind {
    /// A picture, at most 8 MB.
    Image,
    /// A video, at most 25 MB.
    Video,
    /// Sound, at most 25 MB.
    Audio,
    /// Anything else, at most 25 MB.
    File,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentSource {
    /// Public https; Meta fetches it.
    Url {
        /// Its address.
        url: String,
        /// Keep it: the answer then holds an attachment id.
        is_reusable: bool,
    },
    /// Uploaded before.
    Id(String),
}

/// A button below a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickReply {
    /// What it says, at most 20 characters.
    pub title: String,
    /// Comes back when it is pressed, at most 1000 characters.
    pub payload: String,
}

/// Something that is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderAction {
    /// An answer is being written; ends by itself after 20 s.
    TypingOn,
    /// It no longer is.
    TypingOff,
    /// Their messages were seen.
    MarkSeen,
    /// A reaction to one of their messages.
    React {
        /// Which one.
        message_id: String,
        /// `love` (Instagram), or an emoji (Messenger).
        reaction: String,
    },
    /// The reaction is taken back.
    Unreact {
        /// From which one.
        message_id: String,
    },
}

impl MessagingMessage {
    /// A text that answers the customer.
    pub fn text(recipient_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(recipient_id, Body::Text(text.into()))
    }

    /// An answer to the customer.
    pub fn new(recipient_id: impl Into<String>, body: Body) -> Self {
        Self {
            recipient_id: recipient_id.into(),
            messaging_type: MessagingType::Response,
            body,
            quick_replies: Vec::new(),
            reply_to: None,
            metadata: None,
        }
    }

    /// The body of the call.
    pub(crate) fn request(&self) -> impl Serialize + '_ {
        let (messaging_type, tag) = match self.messaging_type {
            MessagingType::Response => ("RESPONSE", None),
            MessagingType::Update => ("UPDATE", None),
            MessagingType::HumanAgent => ("MESSAGE_TAG", Some("HUMAN_AGENT")),
        };
        let (text, attachment) = match &self.body {
            Body::Text(text) => (Some(text.as_str()), None),
            Body::Attachment(attachment) => (None, Some(attachment.wire())),
        };
        let quick_replies = self.quick_replies.iter().map(|reply| WireQuickReply {
            content_type: "text",
            title: &reply.title,
            payload: &reply.payload,
        });
        SendRequest {
            recipient: Recipient { id: &self.recipient_id },
            messaging_type,
            tag,
            message: WireMessage {
                text,
                attachment,
                quick_replies: quick_replies.collect(),
                metadata: self.metadata.as_deref(),
            },
            reply_to: self.reply_to.as_deref().map(|mid| WireReplyTo { mid }),
        }
    }
}

impl Attachment {
    pub(crate) fn wire(&self) -> impl Serialize + '_ + use<'_> {
        WireAttachment {
            kind: self.kind,
            payload: match &self.source {
                AttachmentSource::Url { url, is_reusable } => {
                    WirePayload { url: Some(url), is_reusable: Some(*is_reusable), attachment_id: None }
                }
                AttachmentSource::Id(id) => {
                    WirePayload { url: None, is_reusable: None, attachment_id: Some(id) }
                }
            },
        }
    }
}

impl SenderAction {
    pub(crate) fn request<'a>(&'a self, recipient_id: &'a str) -> impl Serialize + 'a {
        let (sender_action, message_id, reaction) = match self {
            Self::TypingOn => ("typing_on", None, None),
            Self::TypingOff => ("typing_off", None, None),
            Self::MarkSeen => ("mark_seen", None, None),
            Self::React { message_id, reaction } => {
                ("react", Some(message_id.as_str()), Some(reaction.as_str()))
            }
            Self::Unreact { message_id } => ("unreact", Some(message_id.as_str()), None),
        };
        ActionRequest {
            recipient: Recipient { id: recipient_id },
            sender_action,
            payload: message_id.map(|message_id| ActionPayload { message_id, reaction }),
        }
    }
}

#[derive(Serialize)]
struct SendRequest<'a, A> {
    recipient: Recipient<'a>,
    messaging_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'static str>,
    message: WireMessage<'a, A>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<WireReplyTo<'a>>,
}

#[derive(Serialize)]
struct Recipient<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct WireMessage<'a, A> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment: Option<A>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quick_replies: Vec<WireQuickReply<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
}

#[derive(Serialize)]
struct WireQuickReply<'a> {
    content_type: &'static str,
    title: &'a str,
    payload: &'a str,
}

#[derive(Serialize)]
struct WireReplyTo<'a> {
    mid: &'a str,
}

#[derive(Serialize)]
struct WireAttachment<'a> {
    #[serde(rename = "type")]
    kind: AttachmentKind,
    payload: WirePayload<'a>,
}

#[derive(Serialize)]
struct WirePayload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_reusable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_id: Option<&'a str>,
}

#[derive(Serialize)]
struct ActionRequest<'a> {
    recipient: Recipient<'a>,
    sender_action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<ActionPayload<'a>>,
}

#[derive(Serialize)]
struct ActionPayload<'a> {
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(message: &MessagingMessage) -> Value {
        serde_json::to_value(message.request()).unwrap()
    }

    #[test]
    fn a_text_with_everything() {
        let mut message = MessagingMessage::text("784", "hi");
        message.quick_replies = vec![QuickReply { title: "Yes".to_owned(), payload: "Y".to_owned() }];
        message.reply_to = Some("m_1".to_owned());
        message.metadata = Some("msg:7".to_owned());
        assert_eq!(
            written(&message),
            json!({"recipient": {"id": "784"}, "messaging_type": "RESPONSE", "reply_to": {"mid": "m_1"},
                "message": {"text": "hi", "metadata": "msg:7", "quick_replies": [{"content_type": "text", "title": "Yes", "payload": "Y"}]}})
        );
    }

    #[test]
    fn a_person_may_answer_late() {
        let mut message = MessagingMessage::text("784", "hi");
        message.messaging_type = MessagingType::HumanAgent;
        let body = written(&message);
        assert_eq!((&body["messaging_type"], &body["tag"]), (&json!("MESSAGE_TAG"), &json!("HUMAN_AGENT")));
        message.messaging_type = MessagingType::Update;
        assert_eq!(
            (&written(&message)["messaging_type"], written(&message).get("tag")),
            (&json!("UPDATE"), None)
        );
    }

    #[test]
    fn files_by_url_and_by_id() {
        let attachment = |kind, source| {
            written(&MessagingMessage::new("784", Body::Attachment(Attachment { kind, source })))["message"]
                .take()
        };
        assert_eq!(
            attachment(
                AttachmentKind::Image,
                AttachmentSource::Url { url: "https://example.com/a.png".to_owned(), is_reusable: true }
            ),
            json!({"attachment": {"type": "image", "payload": {"url": "https://example.com/a.png", "is_reusable": true}}})
        );
        assert_eq!(
            attachment(AttachmentKind::File, AttachmentSource::Id("7".to_owned())),
            json!({"attachment": {"type": "file", "payload": {"attachment_id": "7"}}})
        );
    }

    #[test]
    fn sender_actions() {
        let written = |action: SenderAction| serde_json::to_value(action.request("784")).unwrap();
        let message_id = "m_1".to_owned();
        for (action, name) in [
            (SenderAction::TypingOn, "typing_on"),
            (SenderAction::TypingOff, "typing_off"),
            (SenderAction::MarkSeen, "mark_seen"),
        ] {
            assert_eq!(written(action), json!({"recipient": {"id": "784"}, "sender_action": name}));
        }
        assert_eq!(
            written(SenderAction::React { message_id: message_id.clone(), reaction: "love".to_owned() }),
            json!({"recipient": {"id": "784"}, "sender_action": "react", "payload": {"message_id": "m_1", "reaction": "love"}})
        );
        assert_eq!(
            written(SenderAction::Unreact { message_id }),
            json!({"recipient": {"id": "784"}, "sender_action": "unreact", "payload": {"message_id": "m_1"}})
        );
    }
}
