//! What a server posts: `{"event", "data"}`, one thing each.
//!
//! The seed of this API names a few fields of each kind; servers add more. Read here is whatever tells the session, the chat, the
//! kind and its details, in the spellings met; everything else is left alone.

use serde_json::Value;

use crate::answer::SessionStatus;
use crate::tolerant::Parts;

/// The kinds that are read.
pub const KINDS: [&str; 6] =
    ["message.received", "message.updated", "message.status", "session.status", "session.qr", "typing"];

/// A body that is no webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAWebhook {
    /// Not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON without an event.
    #[error("the body names no event")]
    NoEvent,
}

/// One webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// The server's word.
    pub kind: String,
    /// Whose it is; `None` where the server does not tell.
    pub session: Option<String>,
    /// When it happened, in milliseconds since 1970, where it is told apart from what it is about.
    pub at_ms: Option<i64>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody wrote, or the session's own phone did.
    Message(Box<Message>),
    /// News of a message of ours.
    Status(Status),
    /// The session is in another state.
    Session(SessionNews),
    /// There is another code to scan.
    Qr,
    /// Somebody types, or stopped.
    Typing(Typing),
    /// A kind that is not known.
    Unknown,
    /// A kind that is known, without what every one of it has.
    Unreadable,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Who wrote it: a number or a chat id.
    pub from: String,
    /// To whom, for what the session's own side wrote.
    pub to: Option<String>,
    /// The chat, where it is told apart from who wrote.
    pub chat: Option<String>,
    /// The number of who wrote, where `from` is none.
    pub phone: Option<String>,
    /// What they call themselves.
    pub push_name: Option<String>,
    /// The group's member who wrote.
    pub author: Option<String>,
    /// The session's own side wrote it.
    pub from_me: bool,
    /// Our own reference, for what was sent through the API.
    pub client_key: Option<String>,
    /// Its kind: `text`, `image`.
    pub kind: String,
    /// Its words, or the caption.
    pub text: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// A file.
    pub file: Option<File>,
    /// A place.
    pub place: Option<Place>,
    /// Contact cards.
    pub cards: Vec<Card>,
    /// What was pressed or chosen: id and words.
    pub choice: Option<(Option<String>, String)>,
    /// The message it answers, reacts to, changes or takes back.
    pub target: Option<String>,
    /// Whether our side wrote that one, where it is told.
    pub target_from_me: Option<bool>,
    /// The emoji of a reaction.
    pub emoji: Option<String>,
    /// It was passed on.
    pub forwarded: bool,
    /// Its words were changed then, in milliseconds since 1970.
    pub changed_at_ms: Option<i64>,
    /// It was taken back.
    pub deleted: bool,
}

/// A file at an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// Where it is.
    pub url: Option<String>,
    /// Its id, for servers that give an address on request.
    pub id: Option<String>,
    /// Its type.
    pub mime_type: Option<String>,
    /// Its name.
    pub file_name: Option<String>,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: Option<String>,
}

/// A place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What it is called.
    pub name: Option<String>,
    /// Where it is.
    pub address: Option<String>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// Whose.
    pub name: Option<String>,
    /// Their numbers.
    pub phones: Vec<String>,
    /// Their e-mail addresses.
    pub emails: Vec<String>,
    /// The card itself.
    pub vcard: Option<String>,
}

/// News of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its id.
    pub id: String,
    /// Our own reference, where the server tells.
    pub client_key: Option<String>,
    /// How far it came: `sent`, `delivered`, `read`, `failed`.
    pub status: String,
    /// When, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// Why it failed: code and words.
    pub error: Option<(Option<String>, String)>,
}

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionNews {
    /// In one of three words.
    pub status: SessionStatus,
    /// In more detail.
    pub state: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Somebody types, or stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// Who.
    pub from: String,
    /// The chat, where it is told apart.
    pub chat: Option<String>,
    /// They type now.
    pub is_typing: bool,
}

/// Reads a body.
pub fn parse(body: &[u8]) -> Result<Webhook, NotAWebhook> {
    let value: Value = serde_json::from_slice(body).map_err(|_| NotAWebhook::NotJson)?;
    let parts = Parts::of(&value).ok_or(NotAWebhook::NoEvent)?;
    let kind = parts.text(&["event"]).ok_or(NotAWebhook::NoEvent)?;
    // Without `data` the fields stand beside the event.
    let data = parts.part(&["data"]).unwrap_or(parts);
    let event = match kind.as_str() {
        "message.received" | "message.updated" | "message.sent" => read_message(data, &kind),
        "message.status" => read_status(data),
        "session.status" => read_session(data),
        "session.qr" => Event::Qr,
        "typing" => read_typing(data),
        _ => Event::Unknown,
    };
    let at_ms =
        data.time_ms(&["at", "occurred_at", "occurredAt"]).or_else(|| parts.time_ms(&["timestamp", "at"]));
    Ok(Webhook { session: session(parts, data), kind, at_ms, event })
}

/// The session a body names, looked for as quickly as its kind.
pub fn session_of(body: &[u8]) -> Option<String> {
    parse(body).ok()?.session
}

fn session(whole: Parts<'_>, data: Parts<'_>) -> Option<String> {
    let names = ["sessionId", "session_id", "session", "instance"];
    data.text(&names).or_else(|| whole.text(&names))
}

fn read_message(data: Parts<'_>, kind: &str) -> Event {
    let key = data.part(&["key"]);
    let from_me = data.flag(&["fromMe", "from_me"]).or_else(|| key?.flag(&["fromMe"]));
    let from_me = from_me.unwrap_or(kind == "message.sent");
    let to = data.text(&["to", "recipient"]);
    let chat = data.text(&["chatId", "chat_id", "chat", "remoteJid"]).or_else(|| key?.text(&["remoteJid"]));
    let from = data.text(&["from", "sender", "phone"]).or_else(|| chat.clone());
    let id = data.text(&["id", "messageId", "message_id"]).or_else(|| key?.text(&["id"]));
    let (Some(id), Some(from)) = (id, from.or_else(|| to.clone())) else { return Event::Unreadable };
    let quoted = data.part(&["quoted", "reply_to", "replyTo", "quotedMessage", "context", "target"]);
    let reaction = data.part(&["reaction"]);
    let target_names = ["id", "message_id", "messageId", "stanzaId", "target"];
    let flat = [
        "reply_to",
        "replyTo",
        "quoted_id",
        "quotedId",
        "quotedMessageId",
        "target_id",
        "targetId",
        "target",
    ];
    let target = reaction
        .and_then(|part| part.text(&["target_id", "targetId", "message_id", "messageId", "target", "id"]))
        .or_else(|| quoted.and_then(|part| part.text(&target_names)))
        .or_else(|| data.text(&flat));
    let by_us = |part: Parts<'_>| part.flag(&["from_me", "fromMe"]);
    // What the kind has beside words.
    let details = data.part(&["payload"]).unwrap_or(data);
    let place = details.part(&["location"]).or_else(|| data.part(&["location"])).unwrap_or(data);
    // Beside a file `message` may stand for it; the caption never does.
    let text = data.text(&["caption", "message", "text", "body", "content"]).or_else(|| {
        data.part(&["message", "content", "text"])?.text(&["text", "body", "caption", "conversation"])
    });
    let emoji = reaction.and_then(|part| part.text(&["emoji", "text", "reaction"]));
    let emoji = emoji.or_else(|| data.text(&["emoji", "reaction"]));
    Event::Message(Box::new(Message {
        id,
        from,
        to,
        chat,
        phone: data.text(&["phone", "senderPhone", "sender_phone"]),
        push_name: data.text(&["pushName", "push_name", "name", "notifyName"]),
        author: data.text(&["author", "participant"]),
        from_me,
        client_key: client_key(data),
        kind: data.text(&["type", "kind"]).unwrap_or_else(|| "text".to_owned()).to_ascii_lowercase(),
        text,
        at_ms: data.time_ms(&["timestamp", "messageTimestamp", "sent_at"]),
        file: read_file(data),
        place: read_place(place),
        cards: read_cards(details),
        choice: read_choice(details),
        target,
        target_from_me: reaction.and_then(by_us).or_else(|| quoted.and_then(by_us)),
        emoji,
        forwarded: data.flag(&["forwarded", "isForwarded", "is_forwarded"]) == Some(true),
        changed_at_ms: data.time_ms(&["editedAt", "edited_at"]),
        deleted: data.flag(&["isDeleted", "is_deleted", "deleted"]) == Some(true),
    }))
}

fn client_key(data: Parts<'_>) -> Option<String> {
    data.text(&["client_key", "clientKey", "idempotency_key", "idempotencyKey", "client_ref"])
}

fn read_file(data: Parts<'_>) -> Option<File> {
    let media = data
        .part(&["media", "file", "attachment"])
        .or_else(|| Parts::of(data.items(&["media", "attachments"]).first()?));
    let urls = ["mediaUrl", "media_url", "fileUrl", "file_url", "downloadUrl"];
    let inner = |names: &[&str]| media.and_then(|part| part.text(names));
    let file = File {
        url: inner(&["url", "link", "downloadUrl", "download_url"])
            .or_else(|| data.text(&["media"]).filter(|url| url.starts_with("http") || url.starts_with('/')))
            .or_else(|| data.text(&urls)),
        id: inner(&["id", "media_id", "mediaId"]).or_else(|| data.text(&["mediaId", "media_id"])),
        mime_type: inner(&["mimetype", "mime_type", "mimeType", "content_type"])
            .or_else(|| data.text(&["mimetype", "mime_type", "mimeType"])),
        file_name: inner(&["filename", "file_name", "fileName", "name"])
            .or_else(|| data.text(&["filename", "file_name", "fileName"])),
        sha256: inner(&["sha256"]).filter(|hash| hash.len() == 64),
    };
    (file.url.is_some() || file.id.is_some()).then_some(file)
}

fn read_place(parts: Parts<'_>) -> Option<Place> {
    Some(Place {
        latitude: parts.number(&["latitude", "lat", "degreesLatitude"])?,
        longitude: parts.number(&["longitude", "lng", "lon", "degreesLongitude"])?,
        name: parts.text(&["name", "title"]),
        address: parts.text(&["address"]),
    })
}

fn read_cards(data: Parts<'_>) -> Vec<Card> {
    let many = data.items(&["contacts", "cards"]).iter().filter_map(Parts::of);
    let one = data.part(&["contact", "card"]);
    many.chain(one).take(50).map(read_card).collect()
}

fn read_card(parts: Parts<'_>) -> Card {
    let values = |names: &[&str], one: &[&str]| {
        let of = |item: &Value| match item {
            Value::Object(_) => Parts::of(item)?.text(&["value", "phone", "number", "email"]),
            other => other.as_str().map(str::to_owned),
        };
        let listed: Vec<String> = parts.items(names).iter().filter_map(of).collect();
        if listed.is_empty() { parts.text(one).into_iter().collect() } else { listed }
    };
    Card {
        name: parts.text(&["name", "displayName", "display_name"]),
        phones: values(&["phones", "numbers"], &["phone", "number"]),
        emails: values(&["emails"], &["email"]),
        vcard: parts.text(&["vcard", "vCard"]),
    }
}

fn read_choice(data: Parts<'_>) -> Option<(Option<String>, String)> {
    let part = data.part(&["reply", "choice", "button", "list_reply", "button_reply"])?;
    let id = part.text(&["id", "payload"]);
    let words = part.text(&["title", "text"]).or_else(|| id.clone())?;
    Some((id, words))
}

fn read_status(data: Parts<'_>) -> Event {
    let id = data.text(&["id", "messageId", "message_id"]).or_else(|| data.part(&["key"])?.text(&["id"]));
    let (Some(id), Some(status)) = (id, data.text(&["status", "ack"])) else { return Event::Unreadable };
    let part = data.part(&["error", "reason"]);
    let words = part
        .and_then(|part| part.text(&["message", "title", "description"]))
        .or_else(|| data.text(&["error", "reason", "message", "error_message"]));
    let code = part.and_then(|part| part.text(&["code"])).or_else(|| data.text(&["error_code", "code"]));
    Event::Status(Status {
        id,
        client_key: client_key(data),
        status: status.to_ascii_lowercase(),
        at_ms: data.time_ms(&["timestamp", "at"]),
        error: words.map(|words| (code, words)),
    })
}

fn read_session(data: Parts<'_>) -> Event {
    let Some(word) = data.text(&["status", "state"]) else { return Event::Unreadable };
    Event::Session(SessionNews {
        status: SessionStatus::of(&word),
        state: data.text(&["state"]),
        reason: data.text(&["reason", "message"]),
    })
}

fn read_typing(data: Parts<'_>) -> Event {
    let Some(from) = data.text(&["from", "chatId", "chat_id", "phone"]) else { return Event::Unreadable };
    Event::Typing(Typing {
        from,
        chat: data.text(&["chatId", "chat_id"]),
        is_typing: data.flag(&["isTyping", "is_typing", "typing"]).unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Webhook {
        parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_the_seed_of_this_api_sends_is_read() {
        let data = json!({ "from": "6282119499306", "pushName": "Siti", "message": "Halo", "type": "text", "id": "3EB0",
            "timestamp": 1_760_000_000 });
        let webhook = read(&json!({ "event": "message.received", "data": data }));
        let Event::Message(message) = webhook.event else { panic!("{webhook:?}") };
        assert_eq!((webhook.session, message.from_me), (None, false));
        assert_eq!((message.from.as_str(), message.push_name.as_deref()), ("6282119499306", Some("Siti")));
        assert_eq!((message.text.as_deref(), message.at_ms), (Some("Halo"), Some(1_760_000_000_000)));
        let status = read(&json!({ "event": "message.status", "data": { "id": 7, "status": "READ" } }));
        let Event::Status(status) = status.event else { panic!() };
        assert_eq!((status.id.as_str(), status.status.as_str()), ("7", "read"));
        let news = json!({ "sessionId": "cs", "status": "disconnected" });
        let session = read(&json!({ "event": "session.status", "data": news }));
        assert_eq!(session.session.as_deref(), Some("cs"));
        assert!(matches!(session.event, Event::Session(news) if news.status == SessionStatus::Disconnected));
        let typing = read(&json!({ "event": "typing", "data": { "from": "62821", "isTyping": "false" } }));
        assert!(matches!(typing.event, Event::Typing(Typing { is_typing: false, .. })));
    }

    #[test]
    fn other_bodies_are_told_apart() {
        assert_eq!(parse(b"event=typing"), Err(NotAWebhook::NotJson));
        for body in ["[]", "{}", "7", r#"{"data":{}}"#, r#"{"event":""}"#] {
            assert_eq!(parse(body.as_bytes()), Err(NotAWebhook::NoEvent), "{body}");
        }
        assert_eq!(read(&json!({ "event": "call.offer" })).event, Event::Unknown);
        for kind in ["message.received", "message.status", "session.status", "typing"] {
            assert_eq!(read(&json!({ "event": kind, "data": {} })).event, Event::Unreadable, "{kind}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&body);
        }
    }
}
