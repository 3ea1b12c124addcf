//! Tokens that programs sign in for.

use frontdesk_testkit::stage::{Stage, StageSettings};
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

async fn log_in(stage: &Stage, password: &str) -> (u16, Value) {
    let body = json!({ "email": "admin@example.org", "password": password });
    stage.call_as("", 0, "POST", "/api/v1/auth/login", body).await
}

#[tokio::test]
async fn a_token_of_the_gateway_opens_every_route_for_a_day() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let (code, refused) = log_in(&stage, "a wrong password").await;
        assert_eq!((code, &refused["success"]), (401, &json!(false)), "{refused}");
        let (code, given) = log_in(&stage, "a long password").await;
        assert_eq!(code, 200, "{given}");
        let token = given["data"]["token"].as_str().unwrap().to_owned();
        assert_eq!(token.split('.').count(), 3);
        for path in ["/api/v1/sessions", "/api/crm/contacts", "/api/v1/inboxes"] {
            let (code, answer) = stage.call_as(&token, 0, "GET", path, Value::Null).await;
            assert_eq!(code, 200, "{path}: {answer}");
        }
        let (head, signature) = token.rsplit_once('.').unwrap();
        let mut forged = signature.to_owned().into_bytes();
        forged[5] = if forged[5] == b'A' { b'B' } else { b'A' };
        let forged = format!("{head}.{}", String::from_utf8(forged).unwrap());
        for bad in [forged.as_str(), head, "eyJ.eyJ.x", "eyJhbGciOiJub25lIn0.e30."] {
            let (code, _) = stage.call_as(bad, 0, "GET", "/api/v1/sessions", Value::Null).await;
            assert_eq!(code, 401, "{bad}");
        }
        stage.clock.advance_ms(DAY_MS + 5_000);
        let (code, _) = stage.call_as(&token, 0, "GET", "/api/v1/sessions", Value::Null).await;
        assert_eq!(code, 401, "after a day");
    }
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down_as_on_the_page() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let mut last = 0;
        for _ in 0..12 {
            last = log_in(&stage, "a wrong password").await.0;
        }
        assert_eq!(last, 429);
    }
}
