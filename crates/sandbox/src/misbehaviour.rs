//! Answers that no provider should give, alike for all fakes.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use crate::faults::Fault;

/// Size of the answer of [`Fault::HugeAnswer`].
const HUGE_ANSWER_BYTES: u64 = 100 * 1024 * 1024;

/// Keeps a call waiting before anything looks at it, when the fault that was drawn for that says so.
pub(crate) async fn delay(fault: Option<Fault>) {
    if let Some(Fault::Latency { latency_ms }) = fault {
        tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    }
}

/// The answer of a fault that is not told in a provider's own words.
pub(crate) fn answer(fault: &Fault) -> Response {
    match fault {
        Fault::Garbage => {
            ([(CONTENT_TYPE, "text/html")], "<!doctype html><title>Sorry</title>{\"messages\":[")
                .into_response()
        }
        Fault::HugeAnswer => huge_answer(),
        Fault::Redirect { location } => match HeaderValue::from_str(location) {
            Ok(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
            Err(_) => StatusCode::FOUND.into_response(),
        },
        _ => cut(),
    }
}

/// Marks a response whose connection is closed before a byte of it is sent.
#[derive(Clone)]
struct Cut;

/// A response whose body fails before the first byte: hyper then closes the connection without flushing the head.
pub(crate) fn cut() -> Response {
    let failing = stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut by a fault")) });
    let mut response = Response::new(Body::from_stream(failing));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("1000"));
    response.extensions_mut().insert(Cut);
    response
}

/// Closes the connection in place of an answer that says that the call was carried out; a refusal is told.
pub(crate) fn cut_when_done(answer: Response) -> Response {
    if answer.status().is_success() { cut() } else { answer }
}

/// Will the connection be closed in place of this response?
pub(crate) fn is_cut(response: &Response) -> bool {
    response.extensions().get::<Cut>().is_some()
}

/// `{"padding":"xxxx…` of 100 MB, made while it is sent.
fn huge_answer() -> Response {
    const CHUNK_BYTES: u64 = 64 * 1024;
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    let chunks = (0..HUGE_ANSWER_BYTES / CHUNK_BYTES).map(move |index| {
        Ok::<_, std::io::Error>(if index == 0 {
            Bytes::from_static(b"{\"padding\":\"")
        } else {
            chunk.clone()
        })
    });
    ([(CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(chunks))).into_response()
}
