use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, PAGE, SECOND_NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::snapshot;
use serde_json::Value;

const AT: i64 = 1_768_460_000;

fn text(number: &str, id: &str) -> bytes::Bytes {
    let person = Person::named("6281390045512", "Sari");
    bodies::bytes(&bodies::text(number, person, id, AT, id))
}

async fn log(server: &TestServer, admin: &str) -> Vec<Value> {
    let answer = server.get("/api/v1/webhook-logs").bearer(admin).send().await.ok(200);
    answer["data"].as_array().unwrap().clone()
}

async fn messages(server: &TestServer) -> i64 {
    server.database.number("SELECT COUNT(*) FROM messages").await
}

#[tokio::test]
async fn what_came_for_an_inbox_nobody_added_is_kept_and_replayed_once_it_is_there() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let both = bodies::merged(&[
            serde_json::from_slice(&text(NUMBER, "wamid.1")).unwrap(),
            serde_json::from_slice(&text(SECOND_NUMBER, "wamid.2")).unwrap(),
        ]);
        server.deliver(bodies::bytes(&both)).await;
        assert_eq!(messages(&server).await, 1, "the number that is known gets its part");
        let entry = &log(&server, &admin).await[0];
        assert_eq!((entry["state"].as_str(), entry["events"].as_i64()), (Some("unrouted"), Some(2)));
        assert!(entry["error"].as_str().unwrap().contains(SECOND_NUMBER), "{entry}");

        let replay = format!("/api/v1/webhook-logs/{}/replay", entry["id"]);
        let still = server.post(&replay).bearer(&admin).send().await.ok(200);
        assert_eq!((still["state"].as_str(), still["attempts"].as_i64()), (Some("unrouted"), Some(2)));

        server.connect(server.account, "whatsapp_cloud", SECOND_NUMBER, &[]).await;
        let done = server.post(&replay).bearer(&admin).send().await.ok(200);
        assert_eq!((done["state"].as_str(), &done["error"]), (Some("applied"), &Value::Null));
        assert!(done["applied_at"].is_string());
        assert_eq!(messages(&server).await, 2);
        server.post(&replay).bearer(&admin).send().await.ok(200);
        assert_eq!(messages(&server).await, 2, "what was applied does not change");
    }
}

#[tokio::test]
async fn a_delivery_repeated_after_its_inbox_was_added_is_applied() {
    for server in TestServer::on_all(settings()).await {
        let admin = server.admin_token().await;
        server.deliver(text(NUMBER, "wamid.1")).await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server.deliver(text(NUMBER, "wamid.1")).await;
        assert_eq!(messages(&server).await, 1, "{}", server.database.kind);
        let entries = log(&server, &admin).await;
        assert_eq!((entries.len(), entries[0]["state"].as_str()), (1, Some("applied")));
    }
}

#[tokio::test]
async fn an_inbox_with_a_secret_of_its_own_hears_only_what_that_secret_signed() {
    for server in TestServer::on_all(settings()).await {
        let own = [("app_secret", "the secret of this inbox alone")];
        server.connect(server.account, "whatsapp_cloud", NUMBER, &own).await;
        server.connect(server.account, "whatsapp_cloud", SECOND_NUMBER, &[]).await;

        server.deliver(text(NUMBER, "wamid.1")).await; // signed with the secret of the settings
        assert_eq!(messages(&server).await, 0, "{}", server.database.kind);
        let by_relay = server.post("/api/webhooks/messages").bearer(frontdesk_testkit::meta::BEARER);
        assert_eq!(by_relay.body(text(NUMBER, "wamid.2")).send().await.status, 200);
        assert_eq!(messages(&server).await, 0, "{}", server.database.kind);

        let signed = server.webhook_signed_with(own[0].1, text(SECOND_NUMBER, "wamid.3"));
        assert_eq!(signed.send().await.status, 200, "genuine, but not for this inbox");
        assert_eq!(messages(&server).await, 0, "{}", server.database.kind);

        let signed = server.webhook_signed_with(own[0].1, text(NUMBER, "wamid.4"));
        assert_eq!(signed.send().await.status, 200);
        assert_eq!(messages(&server).await, 1, "{}", server.database.kind);

        // The first one again, now signed as it should have been: what was refused then does not stand in its way.
        let signed = server.webhook_signed_with(own[0].1, text(NUMBER, "wamid.1"));
        assert_eq!(signed.send().await.status, 200);
        assert_eq!(messages(&server).await, 2, "{}", server.database.kind);
        server
            .webhook_signed_with("nobody's", text(NUMBER, "wamid.5"))
            .send()
            .await
            .refused(403, "INVALID_SIGNATURE");
    }
}

#[tokio::test]
async fn another_tenant_cannot_put_words_into_ours_with_a_secret_of_its_own() {
    for server in TestServer::on_all(settings()).await {
        let other = server.other_account("Other").await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server
            .connect(other, "whatsapp_cloud", SECOND_NUMBER, &[("app_secret", "of the other tenant")])
            .await;
        let forged = bodies::merged(&[
            serde_json::from_slice(&text(NUMBER, "wamid.forged")).unwrap(),
            serde_json::from_slice(&text(SECOND_NUMBER, "wamid.theirs")).unwrap(),
        ]);
        let forged = bodies::bytes(&forged);
        assert_eq!(
            server.webhook_signed_with("of the other tenant", forged.clone()).send().await.status,
            200
        );
        let ours = format!("SELECT COUNT(*) FROM messages WHERE account_id = {}", server.account);
        assert_eq!(server.database.number(&ours).await, 0);
        assert_eq!(messages(&server).await, 1);
        frontdesk_engine::intake::replay::replay_open(&server.engine).await.unwrap();
        assert_eq!(server.database.number(&ours).await, 0, "nor by a replay");
    }
}

#[tokio::test]
async fn one_body_for_two_accounts_gives_each_its_own() {
    for server in TestServer::on_all(settings()).await {
        let other = server.other_account("Other").await;
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        server.connect(other, "whatsapp_cloud", SECOND_NUMBER, &[]).await;
        let both = bodies::merged(&[
            serde_json::from_slice(&text(NUMBER, "wamid.same")).unwrap(),
            serde_json::from_slice(&text(SECOND_NUMBER, "wamid.same")).unwrap(),
        ]);
        server.deliver(bodies::bytes(&both)).await;
        let ours = server.admin_token().await;
        let stranger = server.user_of(other, "stranger@example.org", Role::Admin).await;
        let theirs = server.token(&stranger, &[Ability::All]).await;
        for (token, number) in [(&ours, NUMBER), (&theirs, SECOND_NUMBER)] {
            let state = snapshot::of_account(&server, token).await;
            let conversations = state["conversations"].as_array().unwrap();
            assert_eq!(conversations.len(), 1);
            assert_eq!(conversations[0]["inbox"], format!("whatsapp_cloud {number}"));
        }
        let contacts = server.database.number("SELECT COUNT(*) FROM contacts").await;
        assert_eq!(contacts, 2, "the same phone is another contact in another account");
        assert_eq!(log(&server, &ours).await.len(), 0, "a body of two tenants is shown to neither");
        assert_eq!(log(&server, &theirs).await.len(), 0);
    }
}

#[tokio::test]
async fn an_inbox_switched_off_still_hears_and_a_removed_one_does_not() {
    use frontdesk_engine::caller::Actor;
    use frontdesk_engine::inboxes::{self, InboxChanges};
    for server in TestServer::on_all(settings()).await {
        let inbox = server.connect(server.account, "messenger", PAGE, &[]).await;
        let actor = Actor::server(server.account);
        let off = InboxChanges { enabled: Some(false), ..InboxChanges::default() };
        inboxes::update(&server.engine, actor, inbox, off).await.unwrap();
        server
            .deliver(bodies::bytes(&bodies::page_text(PAGE, "4711", "m_1", AT * 1000, "still here?")))
            .await;
        assert_eq!(messages(&server).await, 1);
        inboxes::delete(&server.engine, actor, inbox).await.unwrap();
        server.deliver(bodies::bytes(&bodies::page_text(PAGE, "4711", "m_2", AT * 1000, "and now?"))).await;
        assert_eq!(messages(&server).await, 1);
        let kept = "SELECT COUNT(*) FROM webhook_logs WHERE state = 'unrouted'";
        assert_eq!(server.database.number(kept).await, 1);
    }
}
