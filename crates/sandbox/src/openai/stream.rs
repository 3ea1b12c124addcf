//! An answer in pieces: server-sent events as OpenAI sends them.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::OpenaiSettings;
use crate::sandbox::Sandbox;

/// The text word by word, then the usage where it is told, then `[DONE]`.
pub(super) fn answer(
    sandbox: &Sandbox,
    settings: &OpenaiSettings,
    text: &str,
    usage: Option<i64>,
) -> Response {
    let piece = |choices: Value| {
        json!({ "id": "chatcmpl-sandbox", "object": "chat.completion.chunk", "created": 0, "model": settings.model,
            "choices": choices, "usage": null })
    };
    let mut events: Vec<String> = text
        .split_inclusive(' ')
        .map(|word| {
            piece(json!([{ "index": 0, "delta": { "content": word }, "finish_reason": null }])).to_string()
        })
        .collect();
    events.push(piece(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }])).to_string());
    if let Some(tokens) = usage {
        let mut last = piece(json!([]));
        last["usage"] = json!({ "prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens });
        events.push(last.to_string());
    }
    events.push("[DONE]".to_owned());
    let (wait, cut) = (Duration::from_millis(settings.piece_ms), settings.cut_after_pieces);
    let reader = Reader { sandbox: sandbox.clone(), has_all: false };
    let body = stream::unfold(
        (events.into_iter(), 0_usize, reader),
        move |(mut events, sent, mut reader)| async move {
            let Some(event) = events.next() else {
                reader.finish();
                return None;
            };
            if cut.is_some_and(|cut| sent >= cut) {
                reader.finish();
                return Some((Err(std::io::Error::other("cut as set")), (Vec::new().into_iter(), 0, reader)));
            }
            tokio::time::sleep(wait).await;
            Some((Ok(Bytes::from(format!("data: {event}\n\n"))), (events, sent + 1, reader)))
        },
    );
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

/// Who reads a stream. One that goes away before the end is counted.
struct Reader {
    sandbox: Sandbox,
    has_all: bool,
}

impl Reader {
    fn finish(&mut self) {
        self.has_all = true;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.has_all {
            self.sandbox.world().openai.abandoned_streams += 1;
        }
    }
}
