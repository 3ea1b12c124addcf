use frontdesk_engine::sessions;
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::call::Answer;
use frontdesk_testkit::server::{PASSWORD, TestServer, TestSettings};
use serde_json::json;

async fn sign_in(server: &TestServer, email: &str, password: &str) -> Answer {
    server.post("/api/v1/session").json(&json!({ "email": email, "password": password })).send().await
}

#[tokio::test]
async fn signing_in_gives_a_cookie_that_holds_until_signing_out() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let ada = server.user("ada@example.org", Role::Agent).await;
        let answer = sign_in(&server, " Ada@Example.org ", PASSWORD).await;
        let me = json!({
            "id": ada.id, "name": "ada", "email": "ada@example.org", "role": "agent",
            "account": { "id": server.account, "name": "Frontdesk" },
        });
        assert_eq!(answer.ok(200), me);
        let cookie = answer.header("set-cookie");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000"), "{cookie}");

        let session = answer.session().unwrap();
        assert_eq!(session.len(), 64);
        assert_eq!(server.get("/api/v1/session").cookie(&session).send().await.ok(200), me);

        let answer = server.delete("/api/v1/session").cookie(&session).send().await;
        assert_eq!(answer.status, 204);
        assert!(answer.header("set-cookie").contains("Max-Age=0"));
        server.get("/api/v1/session").cookie(&session).send().await.refused(401, "INVALID_TOKEN");
        assert_eq!(server.delete("/api/v1/session").cookie(&session).send().await.status, 204);
    }
}

#[tokio::test]
async fn the_cookie_is_secure_where_the_page_is() {
    let mut settings = TestSettings::default();
    settings.engine.public_url = "https://desk.example.org".to_owned();
    for server in TestServer::on_all(settings).await {
        server.user("ada@example.org", Role::Agent).await;
        let answer = sign_in(&server, "ada@example.org", PASSWORD).await;
        assert!(answer.header("set-cookie").ends_with("; Secure"));
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    for server in TestServer::on_all(TestSettings::default()).await {
        server.user("ada@example.org", Role::Agent).await;
        let wrong = sign_in(&server, "ada@example.org", "not the password").await;
        let unknown = sign_in(&server, "bob@example.org", "not the password").await;
        assert_eq!(wrong.refused(401, "INVALID_CREDENTIALS"), unknown.refused(401, "INVALID_CREDENTIALS"));
        assert_eq!(wrong.session(), None);
    }
}

#[tokio::test]
async fn a_sign_in_ends_by_itself() {
    let mut settings = TestSettings::default();
    settings.engine.session_secs = 3600;
    for server in TestServer::on_all(settings).await {
        server.user("ada@example.org", Role::Agent).await;
        let session = sign_in(&server, "ada@example.org", PASSWORD).await.session().unwrap();
        server.clock.advance_ms(3_599_999);
        server.get("/api/v1/session").cookie(&session).send().await.ok(200);
        server.clock.advance_ms(1);
        server.get("/api/v1/session").cookie(&session).send().await.refused(401, "INVALID_TOKEN");
    }
}

#[tokio::test]
async fn with_the_cookie_only_pages_of_ours_change_things() {
    for server in TestServer::on_all(TestSettings::default()).await {
        server.user("ada@example.org", Role::Agent).await;
        let session = sign_in(&server, "ada@example.org", PASSWORD).await.session().unwrap();
        let jar = format!("frontdesk_session={session}");
        let make = || server.post("/api/v1/tokens").header("cookie", &jar).json(&json!({ "name": "x" }));
        make().send().await.refused(403, "CSRF");
        make().header("origin", "https://evil.example").send().await.refused(403, "CSRF");
        make().header("sec-fetch-site", "cross-site").send().await.refused(403, "CSRF");
        make().header("sec-fetch-site", "same-site").send().await.refused(403, "CSRF");
        make().header("origin", "http://127.0.0.1:8080").send().await.ok(201);
        make().header("sec-fetch-site", "same-origin").send().await.ok(201);
        server.get("/api/v1/tokens").header("cookie", &jar).send().await.ok(200);

        let sign_out = server.delete("/api/v1/session").header("cookie", &jar);
        sign_out.header("sec-fetch-site", "cross-site").send().await.refused(403, "CSRF");
        let body = json!({ "email": "ada@example.org", "password": PASSWORD });
        let foreign = server.post("/api/v1/session").header("sec-fetch-site", "cross-site").json(&body);
        foreign.send().await.refused(403, "CSRF");
    }
}

#[tokio::test]
async fn guessing_takes_longer_and_longer() {
    let mut settings = TestSettings::default();
    settings.engine.limits.login_per_minute = 2;
    for server in TestServer::on_all(settings).await {
        server.user("ada@example.org", Role::Agent).await;
        let guess = async || sign_in(&server, "ada@example.org", "not the password").await;
        guess().await.refused(401, "INVALID_CREDENTIALS");
        guess().await.refused(401, "INVALID_CREDENTIALS");
        let blocked = sign_in(&server, "ada@example.org", PASSWORD).await;
        assert_eq!(blocked.refused(429, "RATE_LIMITED")["retry_after"], 60);
        assert_eq!(blocked.header("retry-after"), "60");
        sign_in(&server, "bob@example.org", PASSWORD).await.refused(401, "INVALID_CREDENTIALS");

        server.clock.advance_ms(60_000);
        guess().await.refused(401, "INVALID_CREDENTIALS"); // the 4th within 15 minutes
        assert_eq!(guess().await.refused(429, "RATE_LIMITED")["retry_after"], 14 * 60);

        server.clock.advance_ms(14 * 60_000);
        sign_in(&server, "ada@example.org", PASSWORD).await.ok(200);
        guess().await.refused(401, "INVALID_CREDENTIALS"); // the right password wiped the slate
        guess().await.refused(401, "INVALID_CREDENTIALS");
        guess().await.refused(429, "RATE_LIMITED");
    }
}

#[tokio::test]
async fn one_address_cannot_try_every_name() {
    let mut settings = TestSettings::default();
    settings.engine.limits.login_per_minute = 1;
    for server in TestServer::on_all(settings).await {
        for n in 0..5 {
            let answer = sign_in(&server, &format!("user{n}@example.org"), "not the password").await;
            answer.refused(401, "INVALID_CREDENTIALS");
        }
        sign_in(&server, "user5@example.org", "not the password").await.refused(429, "RATE_LIMITED");
    }
}

#[tokio::test]
async fn a_second_node_learns_at_once_that_access_ended() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let ada = server.user("ada@example.org", Role::Agent).await;
        let session = sign_in(&server, "ada@example.org", PASSWORD).await.session().unwrap();
        let second = server.second_engine().await;
        let caller = sessions::find_caller(&second, &session).await.unwrap().unwrap();
        assert_eq!(caller.user_id, ada.id);
        sessions::sign_out(&server.engine, &session).await.unwrap();
        let gone = async {
            while sessions::find_caller(&second, &session).await.unwrap().is_some() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_millis(2500), gone)
            .await
            .unwrap_or_else(|_| panic!("the node on {} heard of it too late", server.database.kind));
    }
}

#[tokio::test]
async fn a_new_password_ends_every_sign_in_but_the_one_that_set_it() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let ada = server.user("ada@example.org", Role::Agent).await;
        let token = server.token(&ada, &[Ability::All]).await;
        let here = sign_in(&server, "ada@example.org", PASSWORD).await.session().unwrap();
        let elsewhere = sign_in(&server, "ada@example.org", PASSWORD).await.session().unwrap();
        let change = async |present: &str, wanted: &str| {
            let body = json!({ "current_password": present, "new_password": wanted });
            let call = server.post("/api/v1/session/password").cookie(&here);
            call.json(&body).send().await
        };
        let wrong = change("not the password", "a better password").await;
        assert!(wrong.refused(422, "VALIDATION_ERROR")["errors"]["current_password"].is_array());
        let short = change(PASSWORD, "short").await;
        assert!(short.refused(422, "VALIDATION_ERROR")["errors"]["new_password"].is_array());
        server.get("/api/v1/session").cookie(&elsewhere).send().await.ok(200);

        assert_eq!(change(PASSWORD, "a better password").await.status, 204);
        server.get("/api/v1/session").cookie(&here).send().await.ok(200);
        server.get("/api/v1/session").cookie(&elsewhere).send().await.refused(401, "INVALID_TOKEN");
        server.get("/api/v1/session").bearer(&token).send().await.ok(200);
        sign_in(&server, "ada@example.org", PASSWORD).await.refused(401, "INVALID_CREDENTIALS");
        sign_in(&server, "ada@example.org", "a better password").await.ok(200);

        let body = json!({ "current_password": "a better password", "new_password": "the third password" });
        let jar = format!("frontdesk_session={here}");
        let foreign = server.post("/api/v1/session/password").header("cookie", &jar);
        foreign.header("sec-fetch-site", "cross-site").json(&body).send().await.refused(403, "CSRF");
        // By a token there is no sign-in to keep.
        assert_eq!(
            server.post("/api/v1/session/password").bearer(&token).json(&body).send().await.status,
            204
        );
        server.get("/api/v1/session").cookie(&here).send().await.refused(401, "INVALID_TOKEN");
    }
}

#[tokio::test]
async fn the_present_password_cannot_be_guessed_by_changing_it() {
    let mut settings = TestSettings::default();
    settings.engine.limits.login_per_minute = 2;
    for server in TestServer::on_all(settings).await {
        server.user("ada@example.org", Role::Agent).await;
        let session = sign_in(&server, "ada@example.org", PASSWORD).await.session().unwrap();
        let body = json!({ "current_password": "a wrong guess", "new_password": "a better password" });
        let guess = async || {
            let call = server.post("/api/v1/session/password").cookie(&session);
            call.json(&body).send().await
        };
        assert_eq!(guess().await.status, 422);
        assert_eq!(guess().await.status, 422);
        guess().await.refused(429, "RATE_LIMITED");
        sign_in(&server, "ada@example.org", PASSWORD).await.refused(429, "RATE_LIMITED");
    }
}
