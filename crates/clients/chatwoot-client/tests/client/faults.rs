use std::time::{Duration, Instant};

use frontdesk_chatwoot_client::{ChatwootClient, ErrorCode, NewMessage};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn reads_are_repeated_where_it_helps_and_not_where_it_does_not() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    for (fault, requests) in [
        (json!({"fault": "internal_error", "next": 2, "scope": "all"}), 3),
        (json!({"fault": "unavailable", "next": 1, "scope": "all"}), 2),
        (json!({"fault": "cut_before", "next": 1, "scope": "all"}), 2),
        (json!({"fault": "error_code", "code": 502, "next": 3, "scope": "all"}), 4),
    ] {
        let before = stage.requests("GET", &format!("/conversations/{id}"));
        stage.faults(json!([fault]));
        stage.client().get_conversation(id).await.unwrap();
        assert_eq!(stage.requests("GET", &format!("/conversations/{id}")) - before, requests, "{fault}");
    }
    for (fault, code) in [
        (json!({"fault": "error_code", "code": 400, "next": 1, "scope": "all"}), ErrorCode::BadRequest),
        (json!({"fault": "error_code", "code": 403, "next": 1, "scope": "all"}), ErrorCode::Forbidden),
        (json!({"fault": "garbage", "next": 1, "scope": "all"}), ErrorCode::BadGateway),
        (json!({"fault": "huge_answer", "next": 1, "scope": "all"}), ErrorCode::BadGateway),
        (
            json!({"fault": "redirect", "location": "https://evil.example/", "next": 1, "scope": "all"}),
            ErrorCode::BadGateway,
        ),
        (
            json!({"fault": "error_code", "code": 422, "next": 1, "scope": "all"}),
            ErrorCode::ServiceUnavailable,
        ),
    ] {
        let before = stage.requests("GET", &format!("/conversations/{id}"));
        stage.faults(json!([fault]));
        assert_eq!(stage.client().get_conversation(id).await.unwrap_err().code(), code, "{fault}");
        assert_eq!(stage.requests("GET", &format!("/conversations/{id}")) - before, 1, "{fault}");
    }
}

#[tokio::test]
async fn redirects_of_the_same_host_are_followed_three_times() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    let there = format!("/chatwoot/api/v1/accounts/1/conversations/{id}");
    let rule = |next: u64| json!([{"fault": "redirect", "location": there, "next": next, "scope": "all"}]);
    stage.faults(rule(3));
    stage.client().get_conversation(id).await.unwrap();
    stage.faults(rule(4));
    assert_eq!(stage.client().get_conversation(id).await.unwrap_err().code(), ErrorCode::BadGateway);
}

#[tokio::test]
async fn a_limit_in_plain_text_holds_everybody_back_until_the_minute_is_over() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    stage.server(|server| server.settings.requests_per_minute = Some(0));
    let mut settings = stage.settings();
    settings.longest_wait = Duration::ZERO;
    let client = ChatwootClient::new(settings).unwrap();
    let error = client.get_conversation(id).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (ErrorCode::RateLimitExceeded, true));
    let wait = error.retry_after().unwrap();
    assert!(wait <= Duration::from_secs(63), "{wait:?}");
    let seen = stage.requests("GET", "1");
    let error = client.get_conversation(id).await.unwrap_err();
    assert!(error.never_sent() && error.code() == ErrorCode::RateLimitExceeded);
    assert_eq!(stage.requests("GET", "1"), seen, "held back by ourselves");
    assert_eq!(client.stats().rate_limit_remaining, Some(0));
}

#[tokio::test]
async fn what_remains_of_our_own_limit_is_told() {
    let stage = Stage::start().await;
    let mut settings = stage.settings();
    (settings.requests_per_minute, settings.longest_wait) = (Some(3), Duration::ZERO);
    let client = ChatwootClient::new(settings).unwrap();
    assert_eq!(client.stats().rate_limit_remaining, Some(3));
    for left in [2, 1, 0] {
        client.get_account().await.unwrap();
        assert_eq!(client.stats().rate_limit_remaining, Some(left));
    }
    assert_eq!(client.get_account().await.unwrap_err().error_code(), "RATE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn the_breaker_opens_after_five_failures() {
    let stage = Stage::start().await;
    let mut settings = stage.settings();
    settings.retry_attempts = 0;
    let client = ChatwootClient::new(settings).unwrap();
    stage.faults(json!([{"fault": "unavailable", "rate": 1.0, "scope": "all"}]));
    for failures in 1..=5 {
        client.get_account().await.unwrap_err();
        assert_eq!(client.stats().circuit_breaker_failures, failures);
    }
    assert_eq!(client.stats().circuit_breaker_state, "open");
    let seen = stage.requests("GET", "/accounts/1");
    let error = client.get_account().await.unwrap_err();
    assert!(
        error.never_sent() && error.code() == ErrorCode::ServiceUnavailable && error.retry_after().is_some()
    );
    assert_eq!(stage.requests("GET", "/accounts/1"), seen);
}

#[tokio::test]
async fn a_slow_server_is_given_up_in_time() {
    let stage = Stage::start().await;
    let mut settings = stage.settings();
    (settings.read_timeout, settings.retry_attempts) = (Duration::from_millis(200), 0);
    stage.faults(json!([{"fault": "latency", "latency_ms": 60_000, "next": 1, "scope": "all"}]));
    let started = Instant::now();
    let error = ChatwootClient::new(settings).unwrap().get_account().await.unwrap_err();
    assert_eq!((error.code(), error.certain()), (ErrorCode::ServiceUnavailable, false));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn many_messages_a_minute_are_a_limit_and_no_mistake() {
    let stage = Stage::start().await;
    let id = stage.long_conversation(200).await;
    let error = stage.client().create_message(id, &NewMessage::text("one more")).await.unwrap_err();
    assert_eq!((error.code(), error.upstream_status()), (ErrorCode::RateLimitExceeded, Some(422)));
}
