//! The embedded web inbox: its files, and its page for every address that is a screen of it.

use std::borrow::Cow;
use std::io::Read as _;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};

use crate::error::no_such_route;

/// What `web` was built into; in debug builds read from disk.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
struct Files;

const PAGE: &str = "index.html";
/// The build names files here by their content: they never change.
const HASHED: &str = "assets/";
/// Addresses that are no screens: a typo in a program must not be answered with a page.
const NO_SCREENS: [&str; 6] = ["/api/", "/apps/", "/app/", "/admin/", "/broadcasting/", "/media/"];
/// Smallest first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Answers everything that no other route does.
pub(crate) async fn serve(request: Request) -> Response {
    let (method, path, headers) = (request.method(), request.uri().path(), request.headers());
    if method != Method::GET && method != Method::HEAD {
        return no_such_route().await.into_response();
    }
    let name = path.trim_start_matches('/');
    let name = if name.is_empty() { PAGE } else { name };
    if let Some(file) = Sent::find(name, headers) {
        return answer(name, file, headers);
    }
    let is_screen = accepts_html(headers) && !NO_SCREENS.iter().any(|prefix| path.starts_with(prefix));
    if is_screen && !name.starts_with(HASHED) { page(headers) } else { no_such_route().await.into_response() }
}

/// The page itself, also for an address that is a screen although programs' addresses begin like it.
pub(crate) fn page(headers: &HeaderMap) -> Response {
    match Sent::find(PAGE, headers) {
        Some(page) => answer(PAGE, page, headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file as one client gets it.
struct Sent {
    data: Cow<'static, [u8]>,
    etag: String,
    encoding: Option<&'static str>,
}

impl Sent {
    /// Most files are there packed and nothing else: whoever takes nothing packed gets them unpacked here.
    fn find(name: &str, headers: &HeaderMap) -> Option<Self> {
        for (encoding, suffix) in ENCODINGS {
            if accepts_encoding(headers, encoding)
                && let Some(file) = Files::get(&format!("{name}{suffix}"))
            {
                return Some(Self { etag: etag(&file, ""), data: file.data, encoding: Some(encoding) });
            }
        }
        if let Some(file) = Files::get(name) {
            return Some(Self { etag: etag(&file, ""), data: file.data, encoding: None });
        }
        let packed = Files::get(&format!("{name}.gz"))?;
        let mut data = Vec::new();
        GzDecoder::new(&*packed.data).read_to_end(&mut data).ok()?;
        Some(Self { etag: etag(&packed, "-unpacked"), data: data.into(), encoding: None })
    }
}

fn etag(file: &EmbeddedFile, form: &str) -> String {
    format!("\"{}{form}\"", &hex::encode(file.metadata.sha256_hash())[..32])
}

fn answer(name: &str, file: Sent, headers: &HeaderMap) -> Response {
    let Sent { data, etag, encoding } = file;
    let fresh = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let unchanged =
        fresh.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mime = mime_guess::from_path(name).first_or_octet_stream();
        let charset = if mime.type_() == "text" { "; charset=utf-8" } else { "" };
        ([(header::CONTENT_TYPE, format!("{mime}{charset}"))], data.into_owned()).into_response()
    };
    let caching = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let set = response.headers_mut();
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(value) = HeaderValue::from_str(&etag) {
        set.insert(header::ETAG, value);
    }
    if let Some(encoding) = encoding {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"))
}

pub(crate) fn accepts_encoding(headers: &HeaderMap, encoding: &str) -> bool {
    let offered = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("");
    offered.split(',').any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        name.trim() == encoding && weight.trim().trim_start_matches("q=").parse() != Ok(0.0_f32)
    })
}
