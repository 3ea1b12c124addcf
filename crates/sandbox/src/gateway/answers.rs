//! What the gateway answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{GatewayMessage, GatewaySession, delivery};
use crate::graph::call::Call;
use crate::sandbox::Sandbox;

/// One grey pixel: nobody scans it.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

pub(super) fn refuse(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(json!({ "success": false, "message": message }))).into_response()
}

fn done(data: &Value) -> Response {
    Json(json!({ "success": true, "data": data, "message": "Success" })).into_response()
}

/// The table of calls.
pub(super) fn answer(sandbox: &Sandbox, call: &Call, path: &[&str], key: Option<String>) -> Response {
    if path == ["auth", "login"] {
        return login(sandbox, call);
    }
    let is_known = |token: &String| sandbox.gateway(|gateway| gateway.tokens.contains(token));
    if !call.token.as_ref().is_some_and(is_known) {
        return refuse(401, "Unauthenticated.");
    }
    let (method, now) = (call.method.as_str(), sandbox.clock().now());
    match (method, path) {
        ("POST", ["sessions"]) => create(sandbox, call),
        ("GET", ["sessions"]) => {
            let names: Vec<Value> = sandbox.gateway(|gateway| {
                gateway.sessions.iter().map(|(name, session)| shown(name, session)).collect()
            });
            done(&Value::Array(names))
        }
        (_, ["sessions", name, rest @ ..]) => {
            let Some(session) = sandbox.gateway(|gateway| gateway.sessions.get(*name).cloned()) else {
                return refuse(404, "Session not found");
            };
            match (method, rest) {
                ("DELETE", []) => {
                    sandbox.gateway(|gateway| gateway.sessions.remove(*name));
                    done(&Value::Null)
                }
                ("GET", ["status"]) => done(&shown(name, &session)),
                ("GET", ["qr"]) if session.status == "connected" => refuse(409, "Session is up already"),
                ("GET", ["qr"]) => {
                    done(&json!({ "qr": "2@invented", "image": PICTURE, "status": "connecting" }))
                }
                ("GET", ["chats"]) => done(&chats(&session, call.parameter("search").as_deref())),
                ("GET", ["messages"]) => {
                    done(&messages(&session, &call.parameter("chatId").unwrap_or_default()))
                }
                ("POST", ["chats", chat, "read"]) => {
                    sandbox.gateway(|gateway| {
                        if let Some(session) = gateway.sessions.get_mut(*name) {
                            session.read.push((*chat).to_owned());
                        }
                    });
                    done(&Value::Null)
                }
                ("POST", ["messages", kind]) => send(sandbox, call, name, &session, kind, key, now),
                ("GET", ["contacts", phone, "check"]) => {
                    done(&json!({ "registered": !phone.ends_with('0') }))
                }
                ("GET", ["contacts", _, "picture"]) => done(&json!({ "url": null })),
                ("GET", ["contacts", phone]) => done(&json!({ "phone": phone, "name": null })),
                _ => refuse(404, "No such call"),
            }
        }
        _ => refuse(404, "No such call"),
    }
}

fn login(sandbox: &Sandbox, call: &Call) -> Response {
    let (email, password) = (call.parameter("email"), call.parameter("password"));
    sandbox.gateway(|gateway| {
        let is_right = email.as_ref().and_then(|email| gateway.accounts.get(email)) == password.as_ref();
        if password.is_none() || !is_right {
            return refuse(401, "Wrong e-mail or password.");
        }
        let token = gateway.next_id("jwt-");
        gateway.tokens.push(token.clone());
        done(&json!({ "token": token, "expires_in": 86_400 }))
    })
}

fn shown(name: &str, session: &GatewaySession) -> Value {
    json!({ "session_id": name, "status": session.status, "phone_number": null, "webhook_url": session.webhook_url,
        "idempotent_sends": session.takes_keys })
}

fn create(sandbox: &Sandbox, call: &Call) -> Response {
    let Some(name) = call.parameter("session_id").filter(|name| !name.is_empty()) else {
        return refuse(422, "The session_id field is required.");
    };
    sandbox.gateway(|gateway| {
        if gateway.sessions.contains_key(&name) {
            return refuse(422, "The session_id has already been taken.");
        }
        let session = GatewaySession {
            status: "connecting".to_owned(),
            webhook_url: call.parameter("webhook_url"),
            webhook_secret: call.parameter("webhook_secret"),
            ..GatewaySession::default()
        };
        let data = shown(&name, &session);
        gateway.sessions.insert(name, session);
        done(&data)
    })
}

/// Chats have ids of their own: nobody may take them for numbers.
fn chat_id(phone: &str) -> String {
    format!("chat-{phone}")
}

fn chats(session: &GatewaySession, search: Option<&str>) -> Value {
    let mut phones: Vec<&str> = session.messages.iter().map(|message| message.phone.as_str()).collect();
    phones.sort_unstable();
    phones.dedup();
    let wanted = |phone: &&str| search.is_none_or(|words| phone.contains(words));
    let row =
        |phone: &str| json!({ "id": chat_id(phone), "phone": phone, "name": null, "unread_count": "0" });
    phones.into_iter().filter(wanted).map(row).collect()
}

fn messages(session: &GatewaySession, chat: &str) -> Value {
    let of_chat = session.messages.iter().filter(|message| chat_id(&message.phone) == chat);
    let row = |message: &GatewayMessage| {
        json!({ "id": message.id, "fromMe": message.from_me, "type": message.kind, "message": message.text,
            "timestamp": message.at_ms / 1000 })
    };
    of_chat.map(row).collect()
}

fn send(
    sandbox: &Sandbox,
    call: &Call,
    name: &str,
    session: &GatewaySession,
    kind: &str,
    key: Option<String>,
    now: i64,
) -> Response {
    let Some(phone) = call.parameter("phone").filter(|phone| !phone.is_empty()) else {
        return refuse(422, "The phone field is required.");
    };
    if session.status != "connected" {
        return refuse(409, "Session is not connected");
    }
    if ["image", "video", "audio", "document"].contains(&kind)
        && !call.files.iter().any(|file| file.field == kind)
    {
        return refuse(422, "The file is required.");
    }
    let known = session.messages.iter().find(|message| message.key.is_some() && message.key == key);
    if let Some(known) = known.filter(|_| session.takes_keys) {
        return done(&json!({ "id": known.id, "status": "sent" }));
    }
    let id = sandbox.gateway(|gateway| gateway.next_id(""));
    let message = GatewayMessage {
        id: id.clone(),
        phone,
        from_me: true,
        kind: kind.to_owned(),
        text: call.parameter("message").or_else(|| call.parameter("caption")),
        at_ms: now,
        key,
        request: call.body_value(),
        file_bytes: call.files.first().map(|file| file.bytes.len()),
    };
    sandbox.gateway(|gateway| {
        if let Some(session) = gateway.sessions.get_mut(name) {
            session.messages.push(message);
        }
    });
    if !session.keeps_quiet {
        let status = |word: &str| {
            let at = sandbox.clock().now();
            ("message.status", json!({ "sessionId": name, "id": id, "status": word, "timestamp": at }))
        };
        delivery::tell(sandbox, name, vec![status("sent"), status("delivered")]);
    }
    done(&json!({ "id": id, "status": "queued" }))
}
