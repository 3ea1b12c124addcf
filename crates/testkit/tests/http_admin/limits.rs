use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use frontdesk_engine::limits::{self, Endpoint};
use frontdesk_http::{HttpSettings, HttpState, rate};
use frontdesk_model::user::Role;
use frontdesk_testkit::server::{START, TestServer, TestSettings};
use tower::ServiceExt;

fn header(response: &Response<Body>, name: &str) -> i64 {
    response.headers()[name].to_str().unwrap().parse().unwrap()
}

/// Routes of the same names as the product's, without what they do.
fn routes(server: &TestServer) -> Router {
    let state = HttpState::new(server.engine.clone(), HttpSettings::default());
    Router::new()
        .route("/admin/inbox", get(|| async { "listed" }))
        .route("/admin/inbox/{id}/messages", post(|| async { "sent" }))
        .route("/admin/inbox/{id}/status", post(|| async { "changed" }))
        .layer(from_fn_with_state(state.clone(), rate::limit))
        .with_state(state)
}

#[tokio::test]
async fn sixty_lists_and_thirty_replies_a_minute_and_no_more() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let agent = server.agent_token().await;
        let routes = routes(&server);
        let ask = async |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("authorization", format!("Bearer {agent}")).body(Body::empty());
            routes.clone().oneshot(request.unwrap()).await.unwrap()
        };
        for (method, path, limit) in [("GET", "/admin/inbox", 60), ("POST", "/admin/inbox/7/messages", 30)] {
            for n in 1..=limit {
                let answer = ask(method, path).await;
                assert_eq!(answer.status(), 200, "{path} {n}");
                assert_eq!(header(&answer, "x-ratelimit-limit"), limit);
                assert_eq!(header(&answer, "x-ratelimit-remaining"), limit - n);
                assert_eq!(header(&answer, "x-ratelimit-reset"), START.as_secs() + 60);
            }
        }
        server.clock.advance_ms(15_000);
        let refused = ask("GET", "/admin/inbox?page=2").await;
        assert_eq!(refused.status(), 429);
        assert_eq!(header(&refused, "retry-after"), 45);
        assert_eq!(header(&refused, "x-ratelimit-remaining"), 0);
        let body = axum::body::to_bytes(refused.into_body(), usize::MAX).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "error": "Too Many Requests", "code": "RATE_LIMITED", "details": {}, "retry_after": 45,
            })
        );
        assert_eq!(ask("POST", "/admin/inbox/8/messages").await.status(), 429);
        let free = ask("POST", "/admin/inbox/7/status").await;
        assert_eq!((free.status().as_u16(), free.headers().get("x-ratelimit-limit")), (200, None));

        server.clock.advance_ms(45_000);
        let again = ask("GET", "/admin/inbox").await;
        assert_eq!(header(&again, "x-ratelimit-remaining"), 59);
        assert_eq!(header(&again, "x-ratelimit-reset"), START.as_secs() + 120);
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
