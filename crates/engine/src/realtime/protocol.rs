//! The frames of the Pusher protocol, version 7, as they go over the wire.
//!
//! A frame is `{"event":…,"channel":…,"data":…}`; `data` is a JSON *string* that holds JSON, except in errors and in
//! what clients send. Checked against pusher-js 8.6 and laravel-echo 2.5.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version of the protocol that is spoken.
pub const VERSION: u32 = 7;
/// The longest name of an event, in bytes.
pub const MAX_EVENT_NAME: usize = 200;

/// Why a socket is closed. The client acts on the hundreds: 40xx never come back, 41xx later, 42xx at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// No application has this key.
    UnknownApp = 4001,
    /// The client speaks another version.
    OtherVersion = 4007,
    /// The page may not connect, or the user may no longer.
    Unauthorized = 4009,
    /// Too many sockets, or this one does not read what it is sent.
    OverCapacity = 4100,
    /// The server stops: come back at once, to another node.
    GoingAway = 4200,
    /// The client did not answer a ping.
    Silent = 4201,
}

/// Codes of errors that leave the socket open.
pub const REFUSED_CLIENT_EVENT: u16 = 4301;

/// What a client sends.
#[derive(Debug, Deserialize)]
pub struct ClientFrame<'a> {
    /// What it wants.
    pub event: String,
    /// Where, for client events.
    pub channel: Option<String>,
    /// JSON, or a JSON string that holds JSON.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

impl ClientFrame<'_> {
    /// Reads `data`, whether it was sent as JSON or as a string of JSON.
    pub fn parse_data<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        let raw = self.data?.get();
        if raw.starts_with('"') {
            serde_json::from_str(&serde_json::from_str::<String>(raw).ok()?).ok()
        } else {
            serde_json::from_str(raw).ok()
        }
    }
}

/// The data of `pusher:subscribe`.
#[derive(Debug, Deserialize)]
pub struct Subscribe {
    /// The channel.
    pub channel: String,
    /// `key:signature`; empty or absent on public channels.
    #[serde(default)]
    pub auth: Option<String>,
    /// Who subscribes, a string of JSON; on presence channels.
    #[serde(default)]
    pub channel_data: Option<String>,
}

/// The data of `pusher:unsubscribe`.
#[derive(Debug, Deserialize)]
pub struct Unsubscribe {
    /// The channel.
    pub channel: String,
}

/// The data of `pusher:signin`.
#[derive(Debug, Deserialize)]
pub struct SignIn {
    /// `key:signature`.
    pub auth: String,
    /// Who signs in, a string of JSON with an `id`.
    pub user_data: String,
}

#[derive(Serialize)]
struct StringFrame<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Serialize)]
struct RawFrame<'a> {
    event: &'a str,
    channel: &'a str,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

/// A complete frame: text, made once and shared by all who get it.
pub type Frame = Bytes;

/// `pusher:connection_established`, the first frame.
pub fn connection_established(socket_id: &str, activity_timeout_secs: u64) -> Frame {
    let data = serde_json::json!({ "socket_id": socket_id, "activity_timeout": activity_timeout_secs });
    string_frame("pusher:connection_established", None, &data.to_string())
}

/// `pusher:error`. Its data is JSON itself, not a string.
pub fn error(code: Option<u16>, message: &str) -> Frame {
    json_frame(&serde_json::json!({ "event": "pusher:error", "data": { "code": code, "message": message } }))
}

/// `pusher:pong`.
pub fn pong() -> Frame {
    Bytes::from_static(br#"{"event":"pusher:pong","data":"{}"}"#)
}

/// `pusher:ping`.
pub fn ping() -> Frame {
    Bytes::from_static(br#"{"event":"pusher:ping","data":"{}"}"#)
}

/// `pusher_internal:subscription_succeeded`; `data` is `{}` except on presence channels.
pub fn subscription_succeeded(channel: &str, data: &str) -> Frame {
    string_frame("pusher_internal:subscription_succeeded", Some(channel), data)
}

/// `pusher:subscription_error`: the channel is refused, the socket stays.
pub fn subscription_error(channel: &str, kind: &str, message: &str, status: u16) -> Frame {
    let data = serde_json::json!({ "type": kind, "error": message, "status": status });
    string_frame("pusher:subscription_error", Some(channel), &data.to_string())
}

/// `pusher:cache_miss`: a cache channel that has nothing yet.
pub fn cache_miss(channel: &str) -> Frame {
    string_frame("pusher:cache_miss", Some(channel), "{}")
}

/// `pusher:signin_success`.
pub fn signin_success(user_data: &str) -> Frame {
    let data = serde_json::json!({ "user_data": user_data });
    string_frame("pusher:signin_success", None, &data.to_string())
}

/// `pusher_internal:member_added`; `user_info` is JSON.
pub fn member_added(channel: &str, user_id: &str, user_info: &str) -> Frame {
    let id = serde_json::Value::from(user_id);
    string_frame(
        "pusher_internal:member_added",
        Some(channel),
        &format!("{{\"user_id\":{id},\"user_info\":{user_info}}}"),
    )
}

/// `pusher_internal:member_removed`.
pub fn member_removed(channel: &str, user_id: &str) -> Frame {
    let data = serde_json::json!({ "user_id": user_id });
    string_frame("pusher_internal:member_removed", Some(channel), &data.to_string())
}

/// An event of the server; `data` is text, usually JSON.
pub fn event(name: &str, channel: &str, data: &str) -> Frame {
    string_frame(name, Some(channel), data)
}

/// An event of another client, its data passed on as it came; `user_id` on presence channels only.
pub fn client_event(name: &str, channel: &str, data: Option<&RawValue>, user_id: Option<&str>) -> Frame {
    json_frame(&RawFrame { event: name, channel, data: data.unwrap_or(RawValue::NULL), user_id })
}

fn string_frame(event: &str, channel: Option<&str>, data: &str) -> Frame {
    json_frame(&StringFrame { event, channel, data, user_id: None })
}

fn json_frame(frame: &impl Serialize) -> Frame {
    // Serialising strings and raw JSON into memory cannot fail; an empty frame would be dropped by the socket.
    Bytes::from(serde_json::to_vec(frame).unwrap_or_default())
}

/// The data of `subscription_succeeded` on a presence channel: how many, their ids, and what is known of each.
/// `hash` is an object also when it is empty.
pub fn presence_data<'a>(users: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut hash = serde_json::Map::new();
    for (id, info) in users {
        ids.push(id);
        hash.insert(id.to_owned(), serde_json::from_str(info).unwrap_or(serde_json::Value::Null));
    }
    serde_json::json!({ "presence": { "count": ids.len(), "ids": ids, "hash": hash } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: Frame) -> String {
        String::from_utf8(frame.to_vec()).unwrap()
    }

    #[test]
    fn data_goes_out_as_a_string_of_json() {
        assert_eq!(
            text(connection_established("12.34", 120)),
            r#"{"event":"pusher:connection_established","data":"{\"activity_timeout\":120,\"socket_id\":\"12.34\"}"}"#
        );
        assert_eq!(
            text(subscription_succeeded("inbox", "{}")),
            r#"{"event":"pusher_internal:subscription_succeeded","channel":"inbox","data":"{}"}"#
        );
        assert_eq!(
            text(event(r"App\Events\MessageReceived", "private-inbox", r#"{"seq":1}"#)),
            r#"{"event":"App\\Events\\MessageReceived","channel":"private-inbox","data":"{\"seq\":1}"}"#
        );
        assert_eq!(
            text(member_added("presence-x", "7", r#"{"name":"Ada"}"#)),
            r#"{"event":"pusher_internal:member_added","channel":"presence-x","data":"{\"user_id\":\"7\",\"user_info\":{\"name\":\"Ada\"}}"}"#
        );
    }

    #[test]
    fn an_error_carries_its_code_as_json() {
        assert_eq!(
            text(error(Some(CloseCode::UnknownApp as u16), "no")),
            r#"{"data":{"code":4001,"message":"no"},"event":"pusher:error"}"#
        );
    }

    #[test]
    fn client_data_passes_unchanged() {
        let data = RawValue::from_string(r#"{"b": 1.50,"a":"x"}"#.to_owned()).unwrap();
        assert_eq!(
            text(client_event("client-typing", "presence-x", Some(&data), Some("7"))),
            r#"{"event":"client-typing","channel":"presence-x","data":{"b": 1.50,"a":"x"},"user_id":"7"}"#
        );
        assert_eq!(
            text(client_event("client-x", "private-x", None, None)),
            r#"{"event":"client-x","channel":"private-x","data":null}"#
        );
    }

    #[test]
    fn an_empty_presence_hash_is_an_object() {
        assert_eq!(presence_data(std::iter::empty()), r#"{"presence":{"count":0,"hash":{},"ids":[]}}"#);
        let two = presence_data([("1", r#"{"name":"Ada"}"#), ("2", "null")].into_iter());
        assert_eq!(two, r#"{"presence":{"count":2,"hash":{"1":{"name":"Ada"},"2":null},"ids":["1","2"]}}"#);
    }

    #[test]
    fn data_of_a_client_is_read_as_json_and_as_a_string_of_json() {
        for frame in [
            r#"{"event":"pusher:subscribe","data":{"channel":"a","auth":"","channel_data":null}}"#,
            r#"{"event":"pusher:subscribe","data":"{\"channel\":\"a\"}"}"#,
        ] {
            let frame: ClientFrame<'_> = serde_json::from_str(frame).unwrap();
            assert_eq!(frame.parse_data::<Subscribe>().unwrap().channel, "a");
        }
        let none: ClientFrame<'_> = serde_json::from_str(r#"{"event":"pusher:subscribe"}"#).unwrap();
        assert!(none.parse_data::<Subscribe>().is_none());
    }
}
