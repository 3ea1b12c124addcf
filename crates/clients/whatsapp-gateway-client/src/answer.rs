//! What the server answers. Everything but ids may lack: servers differ in what they tell.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::tolerant::Parts;

/// `data` of an envelope, or the body itself where there is none.
pub(crate) fn unwrapped(body: Value) -> Value {
    match body {
        Value::Object(mut object) => match object.remove("data") {
            Some(data) if !data.is_null() => data,
            _ => Value::Object(object),
        },
        bare => bare,
    }
}

/// Reads the items of a list: bare, or below one of these names.
pub(crate) fn list<T>(value: &Value, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => Parts::of(other).map_or(&[][..], |parts| parts.items(names)),
    };
    items.iter().filter_map(read).collect()
}

/// How a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionStatus {
    /// A phone is linked and reached.
    Connected,
    /// It is being connected, or waits for its code to be scanned.
    Connecting,
    /// It is not.
    Disconnected,
    /// Another word.
    Other(String),
}

impl SessionStatus {
    /// Reads a word; several servers have several.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "connected" | "open" | "working" | "authenticated" | "ready" | "online" => Self::Connected,
            "connecting" | "starting" | "created" | "syncing" | "reconnecting" | "qr" | "code"
            | "challenge" | "scan_qr_code" | "pairing" | "qr_expired" => Self::Connecting,
            "disconnected" | "close" | "closed" | "stopped" | "logged_out" | "failed" | "offline"
            | "banned" => Self::Disconnected,
            _ => Self::Other(word.chars().take(40).collect()),
        }
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: String,
    /// How it is, in one of three words.
    pub status: SessionStatus,
    /// How it is in more detail, where the server tells: `qr`, `logged_out`, `banned`.
    pub state: Option<String>,
    /// Why, in the server's words.
    pub reason: Option<String>,
    /// The number of the linked phone.
    pub phone: Option<String>,
    /// Where its webhooks go, where the server tells.
    pub webhook_url: Option<String>,
    /// The server sends a message with an `Idempotency-Key` that it knows no second time.
    pub idempotent_sends: bool,
}

impl Session {
    /// Reads one; `asked` is its name where the answer does not repeat it.
    pub(crate) fn read(value: &Value, asked: Option<&str>) -> Option<Self> {
        let whole = Parts::of(value)?;
        let parts = whole.part(&["session", "instance"]).unwrap_or(whole);
        let word = parts.text(&["status", "state", "connection"]).unwrap_or_default();
        let by_flag = || match parts.flag(&["connected", "isConnected", "is_connected"]) {
            Some(true) => SessionStatus::Connected,
            Some(false) => SessionStatus::Disconnected,
            None => SessionStatus::Other(String::new()),
        };
        Some(Self {
            id: parts
                .text(&["session_id", "sessionId", "id", "name"])
                .or_else(|| asked.map(str::to_owned))?,
            status: if word.is_empty() { by_flag() } else { SessionStatus::of(&word) },
            state: parts.text(&["state"]),
            reason: parts.text(&["reason", "message", "error"]),
            phone: parts.text(&["phone_number", "phoneNumber", "phone", "number"]),
            webhook_url: parts.text(&["webhook_url", "webhookUrl"]),
            idempotent_sends: parts.flag(&["idempotent_sends", "idempotentSends"]) == Some(true),
        })
    }
}

/// The code to scan. As good as a password: never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    /// What the code says.
    pub text: Option<String>,
    /// The code as a picture, PNG.
    pub image: Option<Vec<u8>>,
    /// The session's state, where it is told along.
    pub status: Option<SessionStatus>,
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Qr").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Qr {
    pub(crate) fn read(value: &Value) -> Self {
        let none = Self { text: None, image: None, status: None };
        let Some(parts) = Parts::of(value) else {
            return match value.as_str() {
                Some(text) => Self { text: Some(text.to_owned()), image: png(text), ..none },
                None => none,
            };
        };
        let pictures = ["image", "qr_image", "qrImage", "png", "base64", "qr", "qrcode", "qr_code", "qrCode"];
        let codes = ["qr", "code", "qr_code", "qrCode", "qrcode", "raw"];
        let codes = || codes.iter().filter_map(|name| parts.text(&[name]));
        Self {
            image: pictures.iter().filter_map(|name| parts.text(&[name])).find_map(|text| png(&text)),
            text: codes().find(|text| png(text).is_none()),
            status: parts.text(&["status", "state"]).map(|word| SessionStatus::of(&word)),
        }
    }
}

/// The bytes of a PNG in base64 or a data URI.
fn png(text: &str) -> Option<Vec<u8>> {
    let encoded = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?.1,
        None => text,
    };
    STANDARD.decode(encoded.trim()).ok().filter(|bytes| is_png(bytes))
}

/// True for the bytes of a PNG.
pub(crate) fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its id, to name it by.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// Whose it is.
    pub phone: Option<String>,
    /// The words of its newest message.
    pub last_message: Option<String>,
    /// When that was written, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// Messages that are not read.
    pub unread_count: i64,
    /// Somebody starred it.
    pub is_starred: bool,
}

impl Chat {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let parts = Parts::of(value)?;
        let last = parts.part(&["last_message", "lastMessage"]);
        Some(Self {
            id: parts.text(&["id", "chat_id", "chatId", "jid"])?,
            name: parts.text(&["name", "pushName", "push_name"]),
            phone: parts.text(&["phone", "number"]),
            last_message: parts
                .text(&["last_message", "lastMessage"])
                .or_else(|| last?.text(&["message", "text", "body", "content"])),
            at_ms: parts.time_ms(&["timestamp", "last_message_at", "updated_at"]),
            unread_count: parts.integer(&["unread_count", "unreadCount"]).unwrap_or(0),
            is_starred: parts.flag(&["is_starred", "isStarred", "starred"]) == Some(true),
        })
    }
}

/// A message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMessage {
    /// Its id.
    pub id: String,
    /// The session's side wrote it.
    pub from_me: bool,
    /// Its kind, in the server's word.
    pub kind: Option<String>,
    /// Its words, or the caption.
    pub text: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// How far it came, in the server's word.
    pub status: Option<String>,
    /// The `Idempotency-Key` it was sent with, where the server tells.
    pub client_key: Option<String>,
    /// Where its file is.
    pub media_url: Option<String>,
}

impl ListedMessage {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let parts = Parts::of(value)?;
        let key = parts.part(&["key"]);
        let direction = parts.text(&["direction"]).unwrap_or_default();
        let from_me = || parts.flag(&["from_me", "fromMe"]).or_else(|| key?.flag(&["fromMe"]));
        Some(Self {
            id: parts.text(&["id", "message_id", "messageId"]).or_else(|| key?.text(&["id"]))?,
            from_me: from_me().unwrap_or(matches!(direction.as_str(), "outgoing" | "outbound" | "out")),
            kind: parts.text(&["type", "kind"]),
            text: parts
                .text(&["message", "text", "body", "content", "caption"])
                .or_else(|| parts.part(&["content", "message"])?.text(&["text", "body", "caption"])),
            at_ms: parts.time_ms(&["timestamp", "sent_at", "created_at", "messageTimestamp"]),
            status: parts.text(&["status"]),
            client_key: parts.text(&["client_key", "clientKey", "idempotency_key", "idempotencyKey"]),
            media_url: parts
                .text(&["media_url", "mediaUrl"])
                .or_else(|| parts.part(&["media"])?.text(&["url"]))
                .or_else(|| Parts::of(parts.items(&["media", "attachments"]).first()?)?.text(&["url"])),
        })
    }
}

/// A message the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id: later statuses name it.
    pub id: String,
    /// How far it came already, in the server's word.
    pub status: Option<String>,
}

impl Accepted {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let whole = Parts::of(value)?;
        let inner = whole.part(&["message", "result"]);
        let id_of = |parts: Parts<'_>| {
            let names = ["id", "message_id", "messageId", "wa_message_id"];
            parts.text(&names).or_else(|| parts.part(&["key"])?.text(&["id"]))
        };
        Some(Self {
            id: id_of(whole).or_else(|| id_of(inner?))?,
            status: whole.text(&["status"]).or_else(|| inner?.text(&["status"])),
        })
    }
}

/// What the server knows of a number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The number.
    pub phone: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// Where their picture is.
    pub picture_url: Option<String>,
}

impl Contact {
    pub(crate) fn read(value: &Value) -> Self {
        let Some(parts) = Parts::of(value) else { return Self::default() };
        Self {
            phone: parts.text(&["phone", "number"]),
            name: parts.text(&["name", "pushName", "push_name", "notify", "verifiedName"]),
            picture_url: picture(value),
        }
    }
}

/// Whether a number is on WhatsApp; `None` when the server does not say.
pub(crate) fn is_registered(value: &Value) -> Option<bool> {
    if let Some(flag) = value.as_bool() {
        return Some(flag);
    }
    let names = ["registered", "exists", "isRegistered", "is_registered", "on_whatsapp", "onWhatsApp"];
    Parts::of(value)?.flag(&names)
}

/// The address of a picture.
pub(crate) fn picture(value: &Value) -> Option<String> {
    let names =
        ["url", "picture_url", "pictureUrl", "picture", "profile_picture", "profilePicture", "avatar"];
    let found = match value {
        Value::String(text) => Some(text.clone()),
        other => Parts::of(other)?.text(&names),
    };
    found.filter(|url| url.starts_with("http"))
}

/// The token of a login.
pub(crate) fn token(value: &Value) -> Option<String> {
    Parts::of(value)?.text(&["token", "access_token", "accessToken", "jwt"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_is_read_and_so_is_a_bare_body() {
        for body in [json!({ "success": true, "data": { "id": "a" } }), json!({ "id": "a", "data": null })] {
            assert_eq!(Accepted::read(&unwrapped(body)).unwrap().id, "a");
        }
        let listed = unwrapped(json!({ "data": [{ "id": "1" }, 7, { "id": 2 }] }));
        let ids: Vec<_> = list(&listed, &[], Chat::read).into_iter().map(|chat| chat.id).collect();
        assert_eq!(ids, ["1", "2"]);
        let below =
            unwrapped(json!({ "success": true, "messages": [{ "key": { "id": "3", "fromMe": true } }] }));
        let messages = list(&below, &["messages"], ListedMessage::read);
        assert_eq!((messages[0].id.as_str(), messages[0].from_me), ("3", true));
    }

    #[test]
    fn a_code_is_a_picture_or_words() {
        let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        for value in [
            json!({ "qr": "2@abc", "image": format!("data:image/png;base64,{pixel}") }),
            json!({ "code": "2@abc", "base64": pixel }),
            json!({ "raw": "2@abc", "qr": format!("data:image/png;base64,{pixel}"), "status": "qr" }),
        ] {
            let qr = Qr::read(&value);
            assert_eq!(
                (qr.text.as_deref(), qr.image.map(|image| is_png(&image))),
                (Some("2@abc"), Some(true))
            );
        }
        let bare = Qr::read(&json!("2@abc"));
        assert_eq!((bare.text.as_deref(), bare.image), (Some("2@abc"), None));
        assert_eq!(format!("{:?}", Qr::read(&json!({ "qr": "2@abc" }))), "Qr { status: None, .. }");
    }

    #[test]
    fn sessions_are_connected_in_several_words() {
        let status = |value: Value| Session::read(&value, Some("cs")).unwrap().status;
        assert_eq!(status(json!({ "status": "connected" })), SessionStatus::Connected);
        assert_eq!(status(json!({ "instance": { "state": "open" } })), SessionStatus::Connected);
        assert_eq!(status(json!({ "connected": false })), SessionStatus::Disconnected);
        assert_eq!(status(json!({ "status": "SCAN_QR_CODE" })), SessionStatus::Connecting);
        assert_eq!(status(json!({ "status": "dreaming" })), SessionStatus::Other("dreaming".to_owned()));
    }
}
