//! `openapi.json` at the top of the repository is what the server describes itself with.

use std::path::Path;

#[test]
fn the_committed_description_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let mut document = serde_json::to_string_pretty(&frontdesk_http::router::document()).unwrap();
    document.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &document).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == document,
        "openapi.json is out of date: UPDATE_OPENAPI=1 cargo nextest run -p frontdesk-http --test openapi_file"
    );
}
