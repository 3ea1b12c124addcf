use frontdesk_testkit::server::{TestServer, TestSettings};
use serde_json::json;

#[tokio::test]
async fn every_kind_of_bad_request_is_told_in_one_shape() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let json = "application/json";
        let big = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
        for (method, path, content_type, body, status, code) in [
            ("GET", "/api/v1/nothing", "", "", 404, "NOT_FOUND"),
            ("GET", "/nothing.js", "", "", 404, "NOT_FOUND"),
            ("POST", "/", "", "", 404, "NOT_FOUND"),
            ("PUT", "/api/v1/users", "", "", 405, "METHOD_NOT_ALLOWED"),
            ("BREW", "/api/v1/users", "", "", 405, "METHOD_NOT_ALLOWED"),
            ("GET", "/api/v1/inboxes/seven", "", "", 400, "BAD_REQUEST"),
            ("GET", "/api/v1/inboxes/99999999999999999999", "", "", 400, "BAD_REQUEST"),
            ("GET", "/api/v1/inboxes/%00", "", "", 400, "BAD_REQUEST"),
            ("GET", "/api/v1/inboxes/%ff", "", "", 400, "BAD_REQUEST"),
            ("GET", "/api/v1/inboxes/-1", "", "", 404, "NOT_FOUND"),
            ("GET", "/api/v1/inboxes/7", "", "", 404, "NOT_FOUND"),
            ("PATCH", "/api/v1/users/7", json, "{}", 404, "NOT_FOUND"),
            ("DELETE", "/api/v1/tokens/7", "", "", 404, "NOT_FOUND"),
            ("POST", "/api/v1/users", "", "{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("POST", "/api/v1/users", "text/plain", "{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("POST", "/api/v1/users", json, "", 400, "BAD_REQUEST"),
            ("POST", "/api/v1/users", json, "{", 400, "BAD_REQUEST"),
            ("POST", "/api/v1/users", json, "{\"email\":\"\u{0}\"}", 400, "BAD_REQUEST"),
            ("POST", "/api/v1/users", json, "[]", 422, "VALIDATION_ERROR"),
            ("POST", "/api/v1/users", json, "{}", 422, "VALIDATION_ERROR"),
            ("POST", "/api/v1/users", json, &big, 413, "PAYLOAD_TOO_LARGE"),
            ("GET", "/api/v1/users?limit=0", "", "", 422, "VALIDATION_ERROR"),
            ("GET", "/api/v1/users?limit=many", "", "", 422, "VALIDATION_ERROR"),
            ("GET", "/api/v1/users?cursor=%00", "", "", 422, "VALIDATION_ERROR"),
            ("GET", "/api/v1/audit?cursor=abc", "", "", 422, "VALIDATION_ERROR"),
        ] {
            let mut call = server.call(method, path).bearer(&admin);
            if !content_type.is_empty() {
                call = call.header("content-type", content_type);
            }
            let answer = call.body(body.to_owned()).send().await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
            let refusal = answer.refused(status, code);
            assert_eq!(
                refusal["errors"].is_object(),
                code == "VALIDATION_ERROR",
                "{method} {path}: {refusal}"
            );
        }
        let wrong_method = server.call("PUT", "/api/v1/users").send().await;
        assert_eq!(wrong_method.header("allow"), "GET,HEAD,POST");
    }
}

#[tokio::test]
async fn wrong_types_are_told_by_field() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        for (body, field, sentence) in [
            (json!({ "email": 7 }), "email", "The email field must be a string."),
            (json!({ "email": "a@b.c", "name": null }), "name", "The name field is required."),
            (
                json!({ "email": "a@b.c", "name": "A", "role": "boss", "password": "x" }),
                "role",
                "The selected role is invalid.",
            ),
            (json!({ "email": "a\u{0}@b.c", "name": "A", "role": "agent", "password": "x" }), "email", ""),
        ] {
            let answer = server.post("/api/v1/users").bearer(&admin).json(&body).send().await;
            let json = answer.refused(422, "VALIDATION_ERROR");
            let told = json["errors"][field][0].as_str().unwrap_or_else(|| panic!("{json}"));
            assert!(sentence.is_empty() || told == sentence, "{json}");
        }
        let answer = server.get("/api/v1/users?limit=many").bearer(&admin).send().await;
        assert!(answer.refused(422, "VALIDATION_ERROR")["errors"]["limit"].is_array());
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_the_page() {
    for server in TestServer::on_all(TestSettings::default()).await {
        for path in ["/", "/healthz", "/api/v1/session", "/api/v1/nothing", "/api/docs/"] {
            let answer = server.get(path).header("x-request-id", "abc-1").send().await;
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("x-request-id"), "abc-1", "{path}");
            assert!(!answer.header("cache-control").is_empty(), "{path}");
        }
        let forged = server.get("/healthz").header("x-request-id", "a b{}").send().await;
        assert_eq!(forged.header("x-request-id").len(), 16);
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_told_as_such() {
    for server in TestServer::on_all(TestSettings::default()).await {
        assert_eq!(server.get("/readyz").send().await.ok(200)["database"], "ok");
        if server.database.kind != "postgres" {
            continue; // the file of SQLite cannot be taken away from an open connection
        }
        let admin = server.admin_token().await;
        server.engine.store.close().await;
        let ready = server.get("/readyz").send().await;
        assert_eq!(ready.ok(503)["database"], "unreachable");
        let answer = server.get("/api/v1/users").bearer(&admin).send().await;
        answer.refused(503, "STORAGE_UNAVAILABLE");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(server.get("/healthz").send().await.text(), "ok");
    }
}
