use frontdesk_http::openapi::{Access, Endpoint};
use frontdesk_http::{rate, router};
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::server::{TestServer, TestSettings};
use serde_json::json;

/// An address that fits the route, with ids nobody has.
fn address(endpoint: &Endpoint) -> String {
    let parts = endpoint.path.split('/').map(|part| if part.starts_with('{') { "987654321" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_lets_in_whom_its_description_says_and_nobody_else() {
    let every = [Ability::All, Ability::InboxRead, Ability::InboxWrite, Ability::Admin];
    let endpoints = router::endpoints();
    assert!(endpoints.iter().any(|e| e.access == Access::Admin));
    // Everybody asks every route.
    let mut settings = TestSettings::default();
    settings.engine.limits.send_per_minute = 10_000;
    for server in TestServer::on_all(settings).await {
        let mut callers = vec![("nobody".to_owned(), None, None)];
        for (role, email) in [(Role::Admin, "admin@example.org"), (Role::Agent, "agent@example.org")] {
            let user = server.user(email, role).await;
            for ability in every {
                let token = server.token(&user, &[ability]).await;
                callers.push((format!("{role} with {ability}"), Some((role, ability)), Some(token)));
            }
        }
        for endpoint in &endpoints {
            for (who, holder, token) in &callers {
                let mut call = server.call(&endpoint.method, &address(endpoint));
                if let Some(token) = token {
                    call = call.bearer(token);
                }
                let status = call.send().await.status;
                let allowed = match (endpoint.access, holder) {
                    (Access::Public, _) | (Access::SignedIn, Some(_)) => true,
                    (_, None) => false,
                    (Access::InboxRead, Some((_, ability))) => *ability != Ability::Admin,
                    (Access::InboxWrite, Some((_, ability))) => {
                        matches!(ability, Ability::All | Ability::InboxWrite)
                    }
                    (Access::Account, Some((_, ability))) => *ability == Ability::All,
                    (Access::Admin, Some((role, ability))) => {
                        *role == Role::Admin && matches!(ability, Ability::All | Ability::Admin)
                    }
                };
                let what = format!("{} {} by {who}: {status}", endpoint.method, endpoint.path);
                assert!(status < 500 || endpoint.path == "/readyz", "{what}");
                match (allowed, holder) {
                    (true, _) if endpoint.access == Access::Public => {} // may refuse for reasons of its own
                    (true, _) => assert!(status != 401 && status != 403, "{what}"),
                    (false, None) => assert_eq!(status, 401, "{what}"),
                    (false, Some(_)) => assert_eq!(status, 403, "{what}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn another_account_sees_nothing_of_this_one() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let body = json!({
            "channel": "whatsapp_cloud", "name": "Reception",
            "settings": { "phone_number_id": "106540352242922", "business_account_id": "102290129340398",
                "access_token": "EAAtoken" },
        });
        let inbox = server.post("/api/v1/inboxes").bearer(&admin).json(&body).send().await.ok(201);
        let user = server.user("agent@example.org", Role::Agent).await;
        let token = server.token(&user, &[Ability::All]).await;

        let other = server.other_account("Other").await;
        let stranger = server.user_of(other, "stranger@example.org", Role::Admin).await;
        let stranger = server.token(&stranger, &[Ability::All]).await;
        let token_id = token.split('|').next().unwrap();
        for (method, path) in [
            ("GET", format!("/api/v1/inboxes/{}", inbox["id"])),
            ("PATCH", format!("/api/v1/inboxes/{}", inbox["id"])),
            ("DELETE", format!("/api/v1/inboxes/{}", inbox["id"])),
            ("POST", format!("/api/v1/inboxes/{}/check", inbox["id"])),
            ("PATCH", format!("/api/v1/users/{}", user.id)),
            ("DELETE", format!("/api/v1/tokens/{token_id}")),
        ] {
            let answer = server.call(method, &path).bearer(&stranger).json(&json!({})).send().await;
            answer.refused(404, "NOT_FOUND");
        }
        for list in ["inboxes", "users", "users/agents", "tokens", "audit"] {
            let answer = server.get(&format!("/api/v1/{list}")).bearer(&stranger).send().await;
            let rows = answer.ok(200)["data"].as_array().unwrap().clone();
            assert!(
                !answer.text().contains("agent") && !answer.text().contains("Reception"),
                "{list}: {rows:?}"
            );
        }
        let again = server.post("/api/v1/inboxes").bearer(&stranger).json(&body).send().await;
        let refused = again.refused(422, "VALIDATION_ERROR");
        assert!(refused["errors"]["settings.phone_number_id"].is_array(), "{refused}");
        server.get("/api/v1/session").bearer(&token).send().await.ok(200);
    }
}

#[test]
fn limited_routes_exist() {
    for (method, path, _) in rate::LIMITED {
        assert!(router::endpoints().iter().any(|e| e.method == method && e.path == path), "{method} {path}");
    }
}
