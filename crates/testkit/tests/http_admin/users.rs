use frontdesk_engine::caller::Actor;
use frontdesk_engine::users::{self, UserChanges};
use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::server::{PASSWORD, TestServer, TestSettings};
use serde_json::json;

#[tokio::test]
async fn an_admin_adds_lists_and_changes_users() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let body =
            json!({ "email": "Eve@Example.org", "name": " Eve ", "role": "agent", "password": PASSWORD });
        let eve = server.post("/api/v1/users").bearer(&admin).json(&body).send().await.ok(201);
        let id = eve["id"].as_i64().unwrap();
        assert_eq!(
            eve,
            json!({
                "id": id, "email": "eve@example.org", "name": "Eve", "role": "agent", "disabled": false,
                "created_at": "2026-01-15T08:00:00Z", "last_seen_at": null,
            })
        );
        let listed = server.get("/api/v1/users").bearer(&admin).send().await.ok(200);
        let emails: Vec<_> = listed["data"].as_array().unwrap().iter().map(|u| &u["email"]).collect();
        assert_eq!(emails, ["admin@example.org", "eve@example.org"]);
        assert!(listed["next_cursor"].is_null());

        let path = format!("/api/v1/users/{id}");
        let change = json!({ "name": "Eva", "role": "admin" });
        let changed = server.patch(&path).bearer(&admin).json(&change).send().await.ok(200);
        assert_eq!((&changed["name"], &changed["role"]), (&json!("Eva"), &json!("admin")));

        let again = server.post("/api/v1/users").bearer(&admin).json(&body).send().await;
        let refused = again.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused["errors"], json!({ "email": ["The email has already been taken."] }));

        let trail = server.get("/api/v1/audit?limit=2").bearer(&admin).send().await.ok(200);
        let actions: Vec<_> = trail["data"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
        assert_eq!(actions, ["user.updated", "user.created"]);
        assert_eq!(trail["data"][0]["user"]["name"], "admin");
        assert_eq!(trail["data"][0]["subject_id"], id);
        assert!(trail["next_cursor"].is_string());
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let body = json!({ "email": "nobody", "name": " ", "role": "agent", "password": "short" });
        let refused = server.post("/api/v1/users").bearer(&admin).json(&body).send().await;
        let json = refused.refused(422, "VALIDATION_ERROR");
        assert_eq!(json["message"], "The given data was invalid.");
        assert_eq!(
            json["errors"],
            json!({
                "email": ["The email field must be a valid email address."],
                "name": ["The name field is required."],
                "password": ["The password field must be at least 10 characters."],
            })
        );
    }
}

#[tokio::test]
async fn pages_of_users_follow_each_other() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        for n in 0..4 {
            server.user(&format!("user{n}@example.org"), Role::Agent).await;
        }
        let (mut seen, mut path) = (Vec::new(), "/api/v1/users?limit=2".to_owned());
        loop {
            let page = server.get(&path).bearer(&admin).send().await.ok(200);
            seen.extend(page["data"].as_array().unwrap().iter().map(|u| u["email"].to_string()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/users?limit=2&cursor={cursor}");
        }
        let mut once = seen.clone();
        once.dedup();
        assert_eq!((seen.len(), once.len()), (5, 5), "{seen:?}");
    }
}

#[tokio::test]
async fn what_is_cut_off_a_name_counts_in_its_length() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        let name = format!("{}Eve", " ".repeat(98));
        let user = json!({ "email": "eve@example.org", "name": name, "role": "agent", "password": PASSWORD });
        let token = json!({ "name": name });
        for (path, body) in [("/api/v1/users", user), ("/api/v1/tokens", token)] {
            let refused = server.post(path).bearer(&admin).json(&body).send().await;
            let refused = refused.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"]["name"].is_array(), "{path}: {refused}");
        }
    }
}

#[tokio::test]
async fn agents_see_their_colleagues_names_and_no_more() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.agent_token().await;
        let gone = server.user("gone@example.org", Role::Agent).await;
        let changes = UserChanges { disabled: Some(true), ..UserChanges::default() };
        users::update(&server.engine, Actor::server(server.account), gone.id, changes).await.unwrap();
        let agents = server.get("/api/v1/users/agents").bearer(&agent).send().await.ok(200);
        let names: Vec<_> = agents["data"].as_array().unwrap().iter().map(|a| &a["name"]).collect();
        assert_eq!(names, ["agent"]);
        server.get("/api/v1/users").bearer(&agent).send().await.refused(403, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_new_password_or_being_disabled_ends_everything_at_once() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let admin = server.admin_token().await;
        for change in [json!({ "password": "another password" }), json!({ "disabled": true })] {
            let email = if change["disabled"] == true { "eve@example.org" } else { "ada@example.org" };
            let user = server.user(email, Role::Agent).await;
            let token = server.token(&user, &[Ability::All]).await;
            let body = json!({ "email": email, "password": PASSWORD });
            let session = server.post("/api/v1/session").json(&body).send().await.session().unwrap();
            server.get("/api/v1/session").cookie(&session).send().await.ok(200); // remembered from now on
            server.get("/api/v1/session").bearer(&token).send().await.ok(200);

            let path = format!("/api/v1/users/{}", user.id);
            server.patch(&path).bearer(&admin).json(&change).send().await.ok(200);
            server.get("/api/v1/session").cookie(&session).send().await.refused(401, "INVALID_TOKEN");
            server.get("/api/v1/session").bearer(&token).send().await.refused(401, "INVALID_TOKEN");
            let old = server.post("/api/v1/session").json(&body).send().await;
            old.refused(401, "INVALID_CREDENTIALS");
        }
    }
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let ada = server.user("ada@example.org", Role::Admin).await;
        let token = server.token(&ada, &[Ability::All]).await;
        let disabled = server.user("old@example.org", Role::Admin).await;
        let path = format!("/api/v1/users/{}", disabled.id);
        server.patch(&path).bearer(&token).json(&json!({ "disabled": true })).send().await.ok(200);

        let path = format!("/api/v1/users/{}", ada.id);
        let demote = server.patch(&path).bearer(&token).json(&json!({ "role": "agent" })).send().await;
        assert!(demote.refused(422, "VALIDATION_ERROR")["errors"]["role"].is_array());
        let disable = server.patch(&path).bearer(&token).json(&json!({ "disabled": true })).send().await;
        assert!(disable.refused(422, "VALIDATION_ERROR")["errors"]["disabled"].is_array());

        server.user("eve@example.org", Role::Admin).await;
        let demoted = server.patch(&path).bearer(&token).json(&json!({ "role": "agent" })).send().await;
        assert_eq!(demoted.ok(200)["role"], "agent");
        server.get("/api/v1/users").bearer(&token).send().await.refused(403, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn two_admins_cannot_demote_each_other() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let ada = server.user("ada@example.org", Role::Admin).await;
        let eve = server.user("eve@example.org", Role::Admin).await;
        let second = server.second_engine().await;
        for round in 0..10 {
            let demote = |role| UserChanges { role: Some(role), ..UserChanges::default() };
            let actor = Actor::server(server.account);
            let (first, other) = tokio::join!(
                users::update(&server.engine, actor, ada.id, demote(Role::Agent)),
                users::update(&second, actor, eve.id, demote(Role::Agent)),
            );
            let demoted = usize::from(first.is_ok()) + usize::from(other.is_ok());
            assert_eq!(demoted, 1, "{} round {round}: {first:?} {other:?}", server.database.kind);
            for id in [ada.id, eve.id] {
                users::update(&server.engine, actor, id, demote(Role::Admin)).await.unwrap();
            }
        }
    }
}
