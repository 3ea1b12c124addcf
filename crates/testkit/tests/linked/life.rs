//! From the first code to the last: linking, dropping, bans, signing out.

use frontdesk_sandbox::linked::phone;
use frontdesk_store::linked_sessions;
use frontdesk_testkit::stage::{Stage, StageSettings, until};
use serde_json::{Value, json};

use crate::phones::{NUMBER, add_phone, in_state, link, scan, status};

#[tokio::test]
async fn a_session_shows_a_code_and_is_connected_once_it_is_scanned() {
    for stage in Stage::on_all(StageSettings::default()).await {
        add_phone(&stage, "reception", NUMBER);
        let body = json!({ "session_id": "reception", "webhook_url": "https://crm.example.org/hook" });
        let (code, made) = stage.call("POST", "/api/v1/sessions", body.clone()).await;
        assert_eq!((code, &made["data"]["status"]), (201, &json!("connecting")), "{made}");
        let (code, twin) = stage.call("POST", "/api/v1/sessions", body).await;
        assert_eq!((code, &twin["success"]), (422, &json!(false)), "{twin}");
        assert!(twin["errors"]["session_id"][0].is_string(), "{twin}");
        let path = "/api/v1/sessions/reception/qr";
        let asked = std::time::Instant::now();
        let (code, shown) = stage.call("GET", path, Value::Null).await;
        assert!(asked.elapsed().as_millis() < 1_000, "a code within a second: {:?}", asked.elapsed());
        assert_eq!((code, &shown["data"]["attempt"]), (200, &json!(1)), "{shown}");
        assert!(shown["data"]["qr"].as_str().unwrap().starts_with("2@"));
        assert!(shown["data"]["image"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
        assert_eq!(status(&stage, "reception").await["state"], "qr");

        scan(&stage, "reception");
        let session = in_state(&stage, "reception", "connected").await;
        assert_eq!((&session["status"], &session["phone_number"]), (&json!("connected"), &json!(NUMBER)));
        let (code, refused) = stage.call("GET", path, Value::Null).await;
        assert_eq!((code, &refused["details"]["state"]), (409, &json!("connected")), "{refused}");
        let (code, listed) = stage.call("GET", "/api/v1/sessions", Value::Null).await;
        assert_eq!((code, listed["data"].as_array().map(Vec::len)), (200, Some(1)), "{listed}");

        let (code, gone) = stage.call("DELETE", "/api/v1/sessions/reception", Value::Null).await;
        assert_eq!(code, 200, "{gone}");
        let (code, _) = stage.call("GET", "/api/v1/sessions/reception/status", Value::Null).await;
        assert_eq!(code, 404);
        until("the phone knows that it was unlinked", || async {
            let world = stage.sandbox.world();
            world.linked.phones.get("reception").is_some_and(|phone| !phone.is_linked()).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn codes_run_out_and_another_is_asked_for() {
    for stage in Stage::on_all(StageSettings::default()).await {
        {
            let mut world = stage.sandbox.world();
            let codes = &mut world.settings.linked_phones;
            (codes.first_ms, codes.next_ms, codes.count) = (150, 100, 2);
        }
        add_phone(&stage, "reception", NUMBER);
        stage.call("POST", "/api/v1/sessions", json!({ "session_id": "reception" })).await;
        in_state(&stage, "reception", "qr_expired").await;
        stage.sandbox.world().settings.linked_phones.first_ms = 60_000;
        let (code, shown) = stage.call("GET", "/api/v1/sessions/reception/qr", Value::Null).await;
        assert_eq!((code, &shown["data"]["state"]), (200, &json!("qr")), "{shown}");
    }
}

#[tokio::test]
async fn a_phone_without_a_camera_types_a_code() {
    for stage in Stage::on_all(StageSettings::default()).await {
        add_phone(&stage, "typed", NUMBER);
        stage.call("POST", "/api/v1/sessions", json!({ "session_id": "typed" })).await;
        let path = "/api/v1/sessions/typed/pairing-code";
        let (code, shown) = stage.call("POST", path, json!({ "phone": "+62 812-1100-4400" })).await;
        assert_eq!((code, &shown["data"]["state"]), (200, &json!("code")), "{shown}");
        let inbox = stage.sandbox.world().inboxes.get("typed").cloned().unwrap();
        let typed = shown["data"]["code"].as_str().unwrap();
        phone::type_code(&stage.sandbox, &inbox, typed).unwrap();
        in_state(&stage, "typed", "connected").await;
    }
}

#[tokio::test]
async fn a_careful_phone_wants_a_proof_before_it_is_linked() {
    for stage in Stage::on_all(StageSettings::default()).await {
        add_phone(&stage, "careful", NUMBER);
        stage.sandbox.world().linked.phones.entry("careful".to_owned()).or_default().wants_proof = true;
        stage.call("POST", "/api/v1/sessions", json!({ "session_id": "careful" })).await;
        let path = "/api/v1/sessions/careful/challenge";
        let (code, refused) = stage.call("POST", path, json!({ "answer": { "proof": "ok" } })).await;
        assert_eq!(code, 409, "nothing is asked yet: {refused}");
        stage.call("GET", "/api/v1/sessions/careful/qr", Value::Null).await;
        scan(&stage, "careful");
        in_state(&stage, "careful", "challenge").await;
        let (_, shown) = stage.call("GET", "/api/v1/sessions/careful/qr", Value::Null).await;
        assert_eq!(shown["data"]["challenge"]["type"], "passkey", "{shown}");
        let (code, refused) = stage.call("POST", path, json!({ "answer": { "proof": "wrong" } })).await;
        assert_eq!((code, &refused["details"]["reason"]), (409, &json!("BAD_PROOF")), "{refused}");
        assert_eq!(status(&stage, "careful").await["state"], "challenge");
        let (code, taken) = stage.call("POST", path, json!({ "answer": { "proof": "ok" } })).await;
        assert_eq!(code, 200, "{taken}");
        in_state(&stage, "careful", "connected").await;
    }
}

#[tokio::test]
async fn a_node_whose_lease_another_took_lets_go_of_the_session() {
    let mut settings = StageSettings::default();
    settings.engine.linked.lease_ms = 900;
    for stage in Stage::on_all(settings).await {
        link(&stage, "reception", NUMBER).await;
        let id = stage.inbox("reception").await;
        let (now, other) = (stage.first().clock.now(), "another node");
        stage
            .database
            .store
            .write(move |tx| {
                linked_sessions::release_all(tx)?;
                linked_sessions::claim(tx, id, other, now.plus_ms(60_000), now).map(drop)
            })
            .await
            .unwrap();
        until("the phone's connection is closed", || async {
            let world = stage.sandbox.world();
            world.linked.phones.get("reception").is_some_and(|phone| !phone.is_connected()).then_some(())
        })
        .await;
        let row = stage.read(linked_sessions::all).await.remove(0);
        assert_eq!(row.owner.as_deref(), Some(other), "and writes nothing any more");
        stage.clock.advance_ms(61_000);
        in_state(&stage, "reception", "connected").await;
    }
}

#[tokio::test]
async fn a_session_that_drops_ten_times_comes_back_ten_times() {
    let mut settings = StageSettings::default();
    (settings.engine.linked.backoff_first_ms, settings.engine.linked.backoff_longest_ms) = (10, 40);
    for stage in Stage::on_all(settings).await {
        link(&stage, "reception", NUMBER).await;
        for n in 0..10 {
            phone::drop_connection(&stage.sandbox, "reception");
            until(&format!("the session is back for time {n}"), || async {
                let world = stage.sandbox.world();
                world
                    .linked
                    .phones
                    .get("reception")
                    .is_some_and(phone::LinkedPhone::is_connected)
                    .then_some(())
            })
            .await;
        }
        in_state(&stage, "reception", "connected").await;
    }
}

#[tokio::test]
async fn a_session_that_is_brought_back_too_often_fails_and_says_so() {
    let mut settings = StageSettings::default();
    (settings.engine.linked.backoff_first_ms, settings.engine.linked.backoff_longest_ms) = (5, 10);
    settings.engine.linked.restart_budget = 3;
    for stage in Stage::on_all(settings).await {
        link(&stage, "reception", NUMBER).await;
        phone::set_offline(&stage.sandbox, "reception", true);
        let failed = in_state(&stage, "reception", "failed").await;
        assert!(failed["reason"].is_string(), "{failed}");
        phone::set_offline(&stage.sandbox, "reception", false);
        let (code, restarted) = stage.call("POST", "/api/v1/sessions/reception/restart", Value::Null).await;
        assert_eq!(code, 200, "{restarted}");
        in_state(&stage, "reception", "connected").await;
    }
}

#[tokio::test]
async fn a_ban_is_shown_with_its_end_and_over_after_it() {
    let mut settings = StageSettings::default();
    settings.engine.linked.backoff_first_ms = 10;
    for stage in Stage::on_all(settings).await {
        link(&stage, "reception", NUMBER).await;
        phone::ban(&stage.sandbox, "reception", 1_500);
        let banned = in_state(&stage, "reception", "banned").await;
        assert_eq!(banned["status"], "disconnected");
        assert!(banned["banned_until"].is_string(), "{banned}");
        in_state(&stage, "reception", "connected").await;
    }
}

#[tokio::test]
async fn a_phone_that_logs_out_has_to_be_linked_again() {
    for stage in Stage::on_all(StageSettings::default()).await {
        link(&stage, "reception", NUMBER).await;
        phone::log_out(&stage.sandbox, "reception");
        in_state(&stage, "reception", "logged_out").await;
        let (code, shown) = stage.call("GET", "/api/v1/sessions/reception/qr", Value::Null).await;
        assert_eq!(code, 200, "{shown}");
        scan(&stage, "reception");
        in_state(&stage, "reception", "connected").await;
    }
}

#[tokio::test]
async fn another_node_takes_a_session_over_and_answers_for_it_meanwhile() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        if !stage.first().store.is_postgres() {
            continue; // SQLite is for one node
        }
        link(&stage, "reception", NUMBER).await;
        stage.add_node().await;
        // Asked of the node that does not hold it.
        let (code, shown) = stage.call_on(1, "GET", "/api/v1/sessions/reception/status", Value::Null).await;
        assert_eq!((code, &shown["data"]["state"]), (200, &json!("connected")), "{shown}");
        let id = stage.inbox("reception").await;
        let path = format!("/api/v1/inboxes/{}/check-number", id.0);
        let (code, checked) = stage.call_on(1, "POST", &path, json!({ "phone": "+6281390045512" })).await;
        assert_eq!((code, &checked["reachable"]), (200, &json!(true)), "{checked}");

        let holder = |stage: &Stage| {
            let world = stage.sandbox.world();
            world.linked.phones.get("reception").is_some_and(phone::LinkedPhone::is_connected)
        };
        stage.nodes[0].stop().await;
        let (url, token) = (stage.nodes[1].url.clone(), stage.token.clone());
        until("the other node holds the session", || async {
            let (_, shown) =
                stage.call_as(&token, 1, "GET", "/api/v1/sessions/reception/status", Value::Null).await;
            (shown["data"]["state"] == "connected" && holder(&stage)).then_some(())
        })
        .await;
        assert!(!url.is_empty());
    }
}
