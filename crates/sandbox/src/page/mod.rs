//! The phones page at `/sandbox/`: small embedded files, no build step, on top of the control API.

mod face;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

/// Own scripts and styles only; pictures also from links that the business sent.
const POLICY: &str = "default-src 'self'; img-src 'self' http: https: data:; media-src 'self' http: https:; \
                      frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

#[derive(RustEmbed)]
#[folder = "src/page/assets"]
struct Assets;

/// `/sandbox` and what is below.
pub fn router() -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/sandbox/") }))
        .route("/sandbox", get(|| async { Redirect::permanent("/sandbox/") }))
        .route("/sandbox/", get(|| async { asset("index.html") }))
        .route("/sandbox/faces/{name}", get(|Path(name): Path<String>| async move { face(&name) }))
        .route("/sandbox/{file}", get(|Path(file): Path<String>| async move { asset(&file) }))
}

/// `{customer}.png`
fn face(name: &str) -> Response {
    let drawn = name.strip_suffix(".png").map(face::draw);
    match drawn {
        Some(Ok(file)) => {
            ([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "max-age=86400")], file).into_response()
        }
        Some(Err(_)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn asset(name: &str) -> Response {
    let Some(file) = Assets::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let mut response = file.data.into_owned().into_response();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(mime.as_ref()) {
        headers.insert(CONTENT_TYPE, value);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
