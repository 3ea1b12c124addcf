use axum::http::StatusCode;
use axum::{Json, Router};
use frontdesk_engine::inboxes;
use frontdesk_model::InboxId;
use frontdesk_store::events::{self, EventKind};
use frontdesk_testkit::server::{PASSWORD, TestServer, TestSettings};
use serde_json::{Value, json};

const ACCESS_TOKEN: &str = "EAAGverySecretAccessToken";
const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";

fn reception() -> Value {
    json!({
        "channel": "whatsapp_cloud",
        "name": "Reception",
        "settings": {
            "phone_number_id": "106540352242922",
            "business_account_id": "102290129340398",
            "access_token": ACCESS_TOKEN,
        },
    })
}

async fn connect(server: &TestServer, admin: &str) -> (i64, String) {
    let made = server.post("/api/v1/inboxes").bearer(admin).json(&reception()).send().await.ok(201);
    let id = made["id"].as_i64().unwrap_or_else(|| panic!("{made}"));
    (id, format!("/api/v1/inboxes/{id}"))
}

#[tokio::test]
async fn an_inbox_is_connected_and_its_secrets_are_never_shown() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let (id, path) = connect(&server, &admin).await;
        let shown = server.get(&path).bearer(&admin).send().await;
        assert_eq!(
            shown.ok(200),
            json!({
                "id": id, "name": "Reception", "channel": "whatsapp_cloud", "platform": "whatsapp",
                "settings": {
                    "phone_number_id": "106540352242922", "business_account_id": "102290129340398",
                    "access_token": true,
                },
                "webhook_url": "http://127.0.0.1:8080/api/webhooks/messages",
                "enabled": true,
                "state": { "code": "connecting", "message": "Not checked yet.", "action": null,
                    "since": "2026-01-15T08:00:00Z" },
                "last_webhook_at": null, "queue_depth": 0, "created_at": "2026-01-15T08:00:00Z",
            })
        );
        let listed = server.get("/api/v1/inboxes").bearer(&admin).send().await;
        assert_eq!(listed.ok(200)["data"], json!([shown.json()]));
        let channels = server.get("/api/v1/channels").bearer(&admin).send().await.ok(200);
        assert_eq!(channels["data"][0]["name"], "whatsapp_cloud");
        let trail = server.get("/api/v1/audit").bearer(&admin).send().await;
        assert_eq!(trail.ok(200)["data"][0]["action"], "inbox.created");
        for answer in [&shown, &listed, &trail] {
            assert!(!answer.text().contains(ACCESS_TOKEN));
        }
    }
}

#[tokio::test]
async fn wrong_forms_are_told_by_field() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let post = async |body: &Value| {
            let answer = server.post("/api/v1/inboxes").bearer(&admin).json(body).send().await;
            answer.refused(422, "VALIDATION_ERROR")["errors"].clone()
        };
        let unknown = post(&json!({ "channel": "pigeon", "name": "A", "settings": {} })).await;
        assert!(unknown["channel"].is_array(), "{unknown}");
        let empty = json!({ "channel": "whatsapp_cloud", "name": " ", "settings": { "access_token": "  ", "colour": "red" } });
        let errors = post(&empty).await;
        for field in ["name", "settings.colour", "settings.access_token", "settings.phone_number_id"] {
            assert!(errors[field].is_array(), "{field}: {errors}");
        }
        connect(&server, &admin).await;
        let taken = post(&reception()).await;
        assert!(taken["settings.phone_number_id"].is_array(), "{taken}");
    }
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let (id, path) = connect(&server, &admin).await;
        let change = async |body: Value| server.patch(&path).bearer(&admin).json(&body).send().await;
        let secret = async |key: &str| {
            let book = inboxes::book(&server.engine).await.unwrap();
            book.find(InboxId(id)).unwrap().config.settings.get(key).cloned()
        };
        let settings = json!({ "access_token": true, "app_secret": APP_SECRET });
        let changed = change(json!({ "name": "Front desk", "settings": settings })).await.ok(200);
        assert_eq!(
            (&changed["name"], &changed["settings"]["app_secret"]),
            (&json!("Front desk"), &json!(true))
        );
        assert_eq!(secret("access_token").await.as_deref(), Some(ACCESS_TOKEN));
        assert_eq!(secret("app_secret").await.as_deref(), Some(APP_SECRET));
        let book = inboxes::book(&server.engine).await.unwrap();
        let keys = book.door_keys("/api/webhooks/messages").unwrap();
        assert!(keys.secrets.iter().any(|s| s.secret == APP_SECRET && s.inbox == Some(InboxId(id))));
        assert_eq!(book.find(InboxId(id)).unwrap().version, 2);

        let changed = change(json!({ "settings": { "app_secret": null } })).await.ok(200);
        assert_eq!(changed["settings"].get("app_secret"), None);
        assert_eq!(secret("app_secret").await, None);
        let missing = change(json!({ "settings": { "access_token": "" } })).await;
        missing.refused(422, "VALIDATION_ERROR");
        assert_eq!(secret("access_token").await.as_deref(), Some(ACCESS_TOKEN));
        change(json!({ "settings": { "access_token": 7 } })).await.refused(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn switching_an_inbox_off_is_told_to_everyone() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let (id, path) = connect(&server, &admin).await;
        let second = server.second_engine().await;
        assert!(inboxes::book(&second).await.unwrap().find(InboxId(id)).unwrap().enabled);

        let off = json!({ "enabled": false });
        let changed = server.patch(&path).bearer(&admin).json(&off).send().await.ok(200);
        assert_eq!((&changed["enabled"], &changed["state"]["code"]), (&json!(false), &json!("paused")));
        let account = server.account;
        server.engine.store.number_events().await.unwrap();
        let log = server.engine.store.read(move |tx| events::list_after(tx, account, 0, 10)).await;
        let log = log.unwrap_or_else(|error: frontdesk_store::StoreError| panic!("{error}"));
        assert_eq!(log.iter().map(|e| e.kind).collect::<Vec<_>>(), [EventKind::InboxStateChanged]);
        let data: Value = serde_json::from_str(log[0].data.as_deref().unwrap()).unwrap();
        assert_eq!((&data["inbox_id"], &data["state"]["code"]), (&json!(id), &json!("paused")));

        let heard = async {
            while inboxes::book(&second).await.unwrap().find(InboxId(id)).unwrap().enabled {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), heard)
            .await
            .expect("the other node hears of it");
    }
}

#[tokio::test]
async fn a_check_tells_what_the_provider_says_and_leaves_what_is_off() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph_url = format!("http://{}", listener.local_addr().unwrap());
    let expired =
        json!({ "error": { "message": "Session has expired", "type": "OAuthException", "code": 190 } });
    let answer = (StatusCode::UNAUTHORIZED, Json(expired));
    let graph = Router::new().fallback(move || async { answer });
    tokio::spawn(async { axum::serve(listener, graph).await.unwrap() });

    let settings = TestSettings { graph_url: Some(graph_url), ..TestSettings::default() };
    for server in TestServer::on_all(settings).await {
        let admin = server.admin_token().await;
        let (_, path) = connect(&server, &admin).await;
        server.clock.advance_ms(5000);
        let check = async || server.post(&format!("{path}/check")).bearer(&admin).send().await.ok(200);
        let state = check().await["state"].clone();
        assert_eq!(state["code"], "reconnect", "{state}");
        assert!(state["action"].as_str().is_some_and(|action| action.contains("access token")), "{state}");
        assert_eq!(state["since"], "2026-01-15T08:00:05Z");

        server.patch(&path).bearer(&admin).json(&json!({ "enabled": false })).send().await.ok(200);
        assert_eq!(check().await["state"]["code"], "paused");
    }
}

#[tokio::test]
async fn a_deleted_inbox_frees_its_number_and_forgets_its_secrets() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let (id, path) = connect(&server, &admin).await;
        assert_eq!(server.delete(&path).bearer(&admin).send().await.status, 204);
        server.get(&path).bearer(&admin).send().await.refused(404, "NOT_FOUND");
        server.delete(&path).bearer(&admin).send().await.refused(404, "NOT_FOUND");
        assert!(inboxes::book(&server.engine).await.unwrap().find(InboxId(id)).is_none());
        let (again, _) = connect(&server, &admin).await;
        assert_ne!(again, id);
    }
}

#[tokio::test]
async fn no_secret_stands_in_the_database_file() {
    let server =
        TestServer::on(frontdesk_testkit::database::sqlite_database().await, TestSettings::default()).await;
    let admin = server.admin_token().await;
    let (_, path) = connect(&server, &admin).await;
    let change = json!({ "settings": { "app_secret": APP_SECRET } });
    server.patch(&path).bearer(&admin).json(&change).send().await.ok(200);
    let body = json!({ "email": "admin@example.org", "password": PASSWORD });
    let session = server.post("/api/v1/session").json(&body).send().await.session().unwrap();

    let file = server.engine.store.sqlite_file().unwrap().to_owned();
    let mut bytes = Vec::new();
    for suffix in ["", "-wal"] {
        bytes.extend(std::fs::read(format!("{}{suffix}", file.display())).unwrap());
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds("106540352242922") && holds("admin@example.org")); // the search itself works
    let secret = admin.split('|').nth(1).unwrap();
    let account = frontdesk_engine::accounts::bootstrap(&server.engine).await.unwrap();
    let realtime = frontdesk_engine::accounts::realtime_secret(&server.engine.vault, &account).unwrap();
    for hidden in [ACCESS_TOKEN, APP_SECRET, PASSWORD, secret, &session, &realtime] {
        assert!(!holds(hidden), "{hidden}");
    }
}
