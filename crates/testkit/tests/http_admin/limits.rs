use frontdesk_engine::limits::{self, Endpoint};
use frontdesk_model::user::Role;
use frontdesk_testkit::call::Answer;
use frontdesk_testkit::server::{START, TestServer, TestSettings};
use serde_json::json;

fn header(answer: &Answer, name: &str) -> i64 {
    answer.header(name).parse().unwrap_or_else(|_| panic!("{name} of {answer:?}"))
}

#[tokio::test]
async fn sixty_lists_and_thirty_replies_a_minute_and_no_more() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.agent_token().await;
        let list = async || server.get("/admin/inbox?page=1").bearer(&agent).send().await;
        let reply = async || {
            let call = server.post("/admin/inbox/987654321/messages").bearer(&agent);
            call.json(&json!({ "content": "Hello" })).send().await
        };
        for n in 1..=60 {
            let answer = list().await;
            answer.ok(200);
            assert_eq!(header(&answer, "x-ratelimit-limit"), 60);
            assert_eq!(header(&answer, "x-ratelimit-remaining"), 60 - n);
            assert_eq!(header(&answer, "x-ratelimit-reset"), START.as_secs() + 60);
        }
        for n in 1..=30 {
            let answer = reply().await;
            answer.refused(404, "NOT_FOUND"); // counted, whatever comes of it
            assert_eq!(header(&answer, "x-ratelimit-limit"), 30);
            assert_eq!(header(&answer, "x-ratelimit-remaining"), 30 - n);
        }
        server.clock.advance_ms(15_000);
        let refused = list().await;
        assert_eq!(
            refused.refused(429, "RATE_LIMITED"),
            json!({ "error": "Too Many Requests", "code": "RATE_LIMITED", "details": {}, "retry_after": 45 })
        );
        assert_eq!(header(&refused, "retry-after"), 45);
        assert_eq!(header(&refused, "x-ratelimit-remaining"), 0);
        reply().await.refused(429, "RATE_LIMITED");
        let free = server.get("/api/v1/session").bearer(&agent).send().await;
        assert_eq!((free.status, free.header("x-ratelimit-limit")), (200, ""));

        server.clock.advance_ms(45_000);
        let again = list().await;
        assert_eq!(header(&again, "x-ratelimit-remaining"), 59);
        assert_eq!(header(&again, "x-ratelimit-reset"), START.as_secs() + 120);
        server.get("/admin/inbox").send().await.refused(401, "INVALID_TOKEN");
    }
}

#[tokio::test]
async fn nodes_count_together_and_users_apart() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let ada = server.user("ada@example.org", Role::Agent).await;
        let eve = server.user("eve@example.org", Role::Agent).await;
        let second = server.second_engine().await;
        let mut checks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let engine = if n % 2 == 0 { server.engine.clone() } else { second.clone() };
            checks.spawn(async move { limits::check(&engine, ada.id, Endpoint::SendMessage).await.unwrap() });
        }
        let results = checks.join_all().await;
        assert_eq!(results.iter().filter(|r| r.allowed).count(), 30, "{}", server.database.kind);
        let other = limits::check(&second, eve.id, Endpoint::SendMessage).await.unwrap();
        assert_eq!((other.allowed, other.remaining), (true, 29));
    }
}
