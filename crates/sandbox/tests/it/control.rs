//! The control API itself.

use std::path::Path;

use frontdesk_sandbox::control;
use serde_json::{Value, json};

use crate::stage::Stage;

#[test]
fn the_committed_description_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let mut document = serde_json::to_string_pretty(&control::openapi()).unwrap();
    document.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &document).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == document,
        "crates/sandbox/openapi.json is out of date: UPDATE_OPENAPI=1 cargo nextest run -p frontdesk-sandbox description"
    );
}

#[tokio::test]
async fn its_description_names_every_route() {
    let stage = Stage::start().await;
    let api = stage.set("GET", "/openapi.json", Value::Null).await;
    let paths = api["paths"].as_object().unwrap();
    for path in [
        "/customers/{id}/messages",
        "/faults/{channel}",
        "/deliveries",
        "/webhooks",
        "/loads/{id}/ledger",
        "/clock/shift",
    ] {
        assert!(paths.contains_key(path), "{path} is missing among {:?}", paths.keys());
    }
    assert!(api["components"]["schemas"]["CustomerAction"].is_object());
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    for operation in operations {
        assert!(operation["summary"].is_string(), "{operation}");
        assert!(
            operation["responses"]
                .as_object()
                .unwrap()
                .values()
                .all(|answer| answer["description"].is_string())
        );
    }
}

#[tokio::test]
async fn reset_forgets_what_happened_and_keeps_what_was_set() {
    let stage = Stage::start().await;
    stage.set("POST", "/inboxes", json!({"id": "second", "channel": "whatsapp_cloud", "name": "Two", "account_id": "42", "business_account_id": "43"})).await;
    stage.writing_customer("6281390045512").await;
    stage.set("POST", "/faults/messenger", json!({"fault": "unavailable", "rate": 0.5})).await;
    stage.set("POST", "/reset", Value::Null).await;
    assert_eq!(stage.set("GET", "/customers", Value::Null).await, json!([]));
    assert_eq!(stage.set("GET", "/webhooks", Value::Null).await["data"], json!([]));
    assert_eq!(stage.set("GET", "/faults", Value::Null).await["messenger"], json!([]));
    assert_eq!(stage.set("GET", "/inboxes/second", Value::Null).await["account_id"], "42");
    assert!(stage.set("GET", "/settings", Value::Null).await["webhook"]["url"].is_string());
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_words() {
    let stage = Stage::start().await;
    let refused = [
        ("PATCH", "/settings", json!({"batch": {"max_events": "many"}}), 422),
        ("PATCH", "/settings", json!({"unknown": 1}), 422),
        ("POST", "/customers", json!({"phone": "1"}), 422),
        ("PUT", "/faults/messenger", json!([{"fault": "unavailable", "rate": 2}]), 422),
        ("GET", "/deliveries?after=x", Value::Null, 422),
        ("GET", "/customers/nobody", Value::Null, 404),
        (
            "POST",
            "/inboxes",
            json!({"id": "whatsapp", "channel": "messenger", "name": "x", "account_id": "1"}),
            409,
        ),
    ];
    for (method, path, body, status) in refused {
        let (answered, error) = stage.control(method, path, body).await;
        assert_eq!(answered, status, "{method} {path}: {error}");
        assert!(error["error"].is_string(), "{method} {path}");
    }
}

#[tokio::test]
async fn the_same_number_is_one_customer() {
    let stage = Stage::start().await;
    stage.customer("Sari", "+62 813 9004 5512").await;
    let (status, _) =
        stage.control("POST", "/customers", json!({"name": "Other", "phone": "6281390045512"})).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn the_phones_page_is_served() {
    let stage = Stage::start().await;
    let page = stage.http.get(format!("{}/sandbox/", stage.url)).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'self'"));
    let html = page.text().await.unwrap();
    for asset in ["phones.css", "phones.js"] {
        assert!(html.contains(asset));
        assert_eq!(
            stage.http.get(format!("{}/sandbox/{asset}", stage.url)).send().await.unwrap().status(),
            200
        );
    }
}
