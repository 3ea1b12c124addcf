//! The description as the program has it: the checked-in `openapi.json`, packed when the program was built.

use std::io::Read as _;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use crate::web_app::accepts_encoding;

/// Made by `build.rs`.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// `GET /api/openapi.json`. Who takes nothing packed gets it unpacked.
pub(crate) async fn serve(headers: HeaderMap) -> Response {
    let (encoding, body) = if accepts_encoding(&headers, "gzip") {
        (Some([(header::CONTENT_ENCODING, "gzip")]), Bytes::from_static(PACKED))
    } else {
        (None, unpacked().into())
    };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "accept-encoding")];
    (headers, encoding, body).into_response()
}

fn unpacked() -> Vec<u8> {
    let mut document = Vec::new();
    // Of our own making: it cannot fail, and what is read until then is all there is to give.
    let _read = GzDecoder::new(PACKED).read_to_end(&mut document);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_has_the_description_whole() {
        assert!(unpacked() == include_bytes!("../../../../openapi.json"));
    }
}
