use frontdesk_engine::caller::Actor;
use frontdesk_engine::tokens::{self, NewToken};
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::server::{START, TestServer, TestSettings};
use serde_json::json;

#[tokio::test]
async fn a_token_is_shown_once_and_holds_until_it_is_revoked() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.agent_token().await;
        let body = json!({ "name": "crm", "abilities": ["inbox:write", "inbox:read", "inbox:read"] });
        let made = server.post("/api/v1/tokens").bearer(&agent).json(&body).send().await.ok(201);
        let token = made["token"].as_str().unwrap();
        let (id, secret) = token.split_once('|').unwrap();
        assert_eq!((made["id"].to_string(), secret.len()), (id.to_owned(), 64));
        assert_eq!(made["abilities"], json!(["inbox:read", "inbox:write"]));
        assert_eq!((&made["user"]["name"], &made["expires_at"]), (&json!("agent"), &json!(null)));

        let listed = server.get("/api/v1/tokens").bearer(&agent).send().await;
        assert_eq!(listed.ok(200)["data"][1]["name"], "crm");
        assert!(!listed.text().contains(secret));

        server.get("/api/v1/session").bearer(token).send().await.ok(200);
        let revoke = || server.delete(&format!("/api/v1/tokens/{id}")).bearer(&agent);
        assert_eq!(revoke().send().await.status, 204);
        server.get("/api/v1/session").bearer(token).send().await.refused(401, "INVALID_TOKEN");
        revoke().send().await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_is_no_valid_token_is_refused() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let token = server.agent_token().await;
        let (id, secret) = token.split_once('|').unwrap();
        let flipped = format!("{id}|{}{}", &secret[..63], if secret.ends_with('0') { '1' } else { '0' });
        for header in [
            format!("Bearer {flipped}"),
            format!("Bearer {id}|"),
            format!("Bearer {secret}"),
            format!("Bearer {}|{secret}", id.parse::<i64>().unwrap() + 1),
            format!("Bearer 99999999999999999999|{secret}"),
            format!("Basic {token}"),
            "Bearer".to_owned(),
            String::new(),
        ] {
            let answer = server.get("/api/v1/session").header("authorization", &header).send().await;
            answer.refused(401, "INVALID_TOKEN");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        let answer = server.get("/api/v1/session").header("authorization", [0xff, 0xfe]).send().await;
        answer.refused(401, "INVALID_TOKEN");
        server.get("/api/v1/session").header("authorization", format!("bearer {token}")).send().await.ok(200);
    }
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.agent_token().await;
        let body = json!({ "name": "short", "expires_at": "2026-01-15T09:00:00Z" });
        let made = server.post("/api/v1/tokens").bearer(&agent).json(&body).send().await.ok(201);
        let token = made["token"].as_str().unwrap();
        server.get("/api/v1/session").bearer(token).send().await.ok(200);
        server.clock.advance_ms(3_600_000);
        server.get("/api/v1/session").bearer(token).send().await.refused(401, "INVALID_TOKEN");
        let refused = server.post("/api/v1/tokens").bearer(&agent).json(&body).send().await;
        assert!(refused.refused(422, "VALIDATION_ERROR")["errors"]["expires_at"].is_array());
    }
}

#[tokio::test]
async fn a_token_cannot_make_a_stronger_one() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.user("agent@example.org", Role::Agent).await;
        let weak = server.token(&agent, &[Ability::InboxWrite]).await;
        let body = json!({ "name": "x", "abilities": ["*"] });
        let answer = server.post("/api/v1/tokens").bearer(&weak).json(&body).send().await;
        answer.refused(403, "UNAUTHORIZED");
        let full = server.token(&agent, &[Ability::All]).await;
        let body = json!({ "name": "x", "abilities": ["admin"] });
        let answer = server.post("/api/v1/tokens").bearer(&full).json(&body).send().await;
        assert!(answer.refused(422, "VALIDATION_ERROR")["errors"]["abilities"].is_array());
        for abilities in [json!([]), json!(["everything"]), json!("*")] {
            let body = json!({ "name": "x", "abilities": abilities });
            let answer = server.post("/api/v1/tokens").bearer(&full).json(&body).send().await;
            answer.refused(422, "VALIDATION_ERROR");
        }
    }
}

#[tokio::test]
async fn agents_have_their_own_tokens_and_admins_see_all() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let (admin, agent) = (server.admin_token().await, server.agent_token().await);
        let count = async |token: &str| {
            let listed = server.get("/api/v1/tokens").bearer(token).send().await.ok(200);
            listed["data"].as_array().unwrap().len()
        };
        assert_eq!((count(&admin).await, count(&agent).await), (2, 1));
        let id = |token: &str| token.split('|').next().unwrap().to_owned();
        let path = format!("/api/v1/tokens/{}", id(&admin));
        server.delete(&path).bearer(&agent).send().await.refused(404, "NOT_FOUND");
        let path = format!("/api/v1/tokens/{}", id(&agent));
        assert_eq!(server.delete(&path).bearer(&admin).send().await.status, 204);
        server.get("/api/v1/session").bearer(&agent).send().await.refused(401, "INVALID_TOKEN");
    }
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.user("agent@example.org", Role::Agent).await;
        let new = || NewToken {
            user_id: agent.id,
            name: "x".to_owned(),
            abilities: vec![Ability::All],
            expires_at: None,
        };
        let issued = tokens::create(&server.engine, Actor::server(server.account), new()).await.unwrap();
        let last_used = async || {
            let rows = tokens::list(&server.engine, server.account, None, issued.row.id, 1).await.unwrap();
            assert!(rows.is_empty());
            let account = server.account;
            let find = move |tx: &mut frontdesk_store::Tx<'_>| {
                frontdesk_store::api_tokens::find(tx, account, issued.row.id)
            };
            server.engine.store.read(find).await.unwrap().unwrap().last_used_at
        };
        assert_eq!(last_used().await, None);
        server.get("/api/v1/session").bearer(&issued.token).send().await.ok(200);
        let noted = async {
            while last_used().await.is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), noted).await.expect("it is noted soon");
        assert_eq!(last_used().await, Some(START));

        // A second node has nothing in memory and looks again, within the minute.
        server.clock.advance_ms(59_999);
        let second = server.second_engine().await;
        tokens::find_caller(&second, &issued.token).await.unwrap().unwrap();
        let _: Result<(), frontdesk_store::StoreError> = second.store.write(|_| Ok(())).await; // after what was begun
        assert_eq!(last_used().await, Some(START));
    }
}
