//! What becomes of a send when something fails.

use std::time::{Duration, Instant};

use frontdesk_green_api_client::{GreenCallError, Instance, InstanceLimits, RefusalKind, Retry, decide};
use frontdesk_provider_http::{BreakerState, CallError, NotSent, Outcome};
use serde_json::json;

use crate::{
    stage::{Stage, TOKEN, guest},
    text,
};

#[tokio::test]
async fn what_certainly_did_nothing_is_sent_again() {
    for fault in [
        json!({"fault": "internal_error", "next": 2}),
        json!({"fault": "unavailable", "next": 2}),
        json!({"fault": "error_code", "code": 502, "next": 2}),
    ] {
        let stage = Stage::start().await;
        stage.faults(json!([fault]));
        stage.client().send_message(&text("once")).await.unwrap();
        assert_eq!(stage.delivered(), ["once"], "{fault}");
        let attempts = stage.attempts();
        let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!((attempts[0].operation, attempts[0].class), ("sendMessage", "sends"));
    }
}

#[tokio::test]
async fn an_upload_is_made_anew_for_every_attempt() {
    let stage = Stage::start().await;
    stage.faults(json!([{"fault": "unavailable", "next": 1, "scope": "all"}]));
    stage.client().upload_file(&crate::picture()).await.unwrap();
    stage.faults(json!([{"fault": "unavailable", "next": 1, "scope": "all"}]));
    let upload = frontdesk_green_api_client::methods::sending::SendFileByUpload {
        chat_id: guest(),
        file: crate::picture(),
        caption: None,
        quoted_message_id: None,
    };
    stage.client().send_file_by_upload(&upload).await.unwrap();
    assert_eq!(stage.sandbox.world().deliveries.iter().count(), 1);
}

#[tokio::test]
async fn what_may_have_gone_out_is_never_sent_again() {
    for fault in [
        json!({"fault": "cut_after", "next": 1}),
        json!({"fault": "error_code", "code": 499, "next": 1}),
        json!({"fault": "error_code", "code": 504, "next": 1}),
        json!({"fault": "garbage", "next": 1}),
        json!({"fault": "huge_answer", "next": 1}),
    ] {
        let stage = Stage::start().await;
        stage.faults(json!([fault]));
        let error = stage.client().send_message(&text("once")).await.unwrap_err();
        let decision = decide(&error);
        assert!(
            !error.certain() && !decision.certain && decision.retry == Retry::Never,
            "{fault}: {error:?}"
        );
        assert_eq!(stage.attempts().len(), 1, "{fault}");
        // Where to look: the journal knows whether it went out.
        let went_out = stage.client().last_outgoing_messages(Duration::from_secs(60)).await.unwrap().len();
        assert_eq!(went_out, stage.delivered().len());
    }
}

#[tokio::test]
async fn silence_is_not_taken_for_an_answer() {
    let stage = Stage::start().await;
    let mut settings = stage.pool.http().settings().clone();
    settings.timeout = Duration::from_millis(200);
    let pool = frontdesk_green_api_client::InstancePool::new(settings).unwrap();
    let client = pool.put(Instance::new(1_101_000_001, TOKEN.into()));
    stage.faults(json!([{"fault": "latency", "latency_ms": 60_000, "next": 1}]));
    let error = client.send_message(&text("once")).await.unwrap_err();
    assert!(matches!(error, GreenCallError::Http(CallError::TimedOut(_))) && !error.certain(), "{error:?}");
}

#[tokio::test]
async fn reads_are_repeated_after_a_cut_as_well() {
    let stage = Stage::start().await;
    stage.faults(json!([{"fault": "cut_before", "next": 2, "scope": "all"}]));
    stage.client().get_state_instance().await.unwrap();
    assert_eq!(stage.attempts().len(), 3);
}

#[tokio::test]
async fn a_quota_is_never_tried_again() {
    let stage = Stage::start().await;
    stage.faults(json!([{"fault": "error_code", "code": 466, "next": 1}]));
    let error = stage.client().send_message(&text("x")).await.unwrap_err();
    assert!(matches!(&error, GreenCallError::Refused(refusal) if refusal.kind == RefusalKind::QuotaUsedUp));
    assert_eq!(stage.attempts().len(), 1);
}

#[tokio::test]
async fn retry_after_holds_back_all_sends_of_the_instance_and_nothing_else() {
    let stage = Stage::start().await;
    let other = stage.add(1_101_000_002);
    stage.faults(json!([{"fault": "too_many_requests", "retry_after_s": 1, "next": 1}]));
    let started = Instant::now();
    let (first, second) = (stage.client(), stage.client());
    let (one, two) = (text("one"), text("two"));
    let held = async {
        let (one, two) = tokio::join!(first.send_message(&one), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            second.send_message(&two).await
        });
        one.unwrap();
        two.unwrap();
        started.elapsed()
    };
    let free = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        other.send_message(&text("three")).await.unwrap();
        stage.client().get_state_instance().await.unwrap();
        started.elapsed()
    };
    let (held, free) = tokio::join!(held, free);
    assert!(held >= Duration::from_secs(1), "{held:?}");
    assert!(free < Duration::from_secs(1), "{free:?}");
}

#[tokio::test]
async fn twenty_parallel_senders_stay_within_two_a_second() {
    let stage = Stage::start().await;
    let client =
        stage.pool.put(Instance::new(1_101_000_001, TOKEN.into()).with_limits(InstanceLimits::default()));
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..20 {
        let client = client.clone();
        senders.spawn(async move { client.send_message(&text(&number.to_string())).await.map(drop) });
    }
    senders.join_all().await.into_iter().for_each(|sent| sent.unwrap());
    let times: Vec<i64> = stage.sandbox.world().api_calls.iter().map(|call| call.entry.at_ms).collect();
    for (index, later) in times.iter().enumerate().skip(2) {
        assert!(later - times[index - 2] >= 1_000, "three within {} ms: {times:?}", later - times[index - 2]);
    }
}

#[tokio::test]
async fn ten_dead_instances_of_fifty_slow_no_other() {
    let stage = Stage::start().await;
    // Nobody listens there.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere: url::Url = format!("http://{}/", free.local_addr().unwrap()).parse().unwrap();
    drop(free);
    let dead: Vec<_> = (1..=10)
        .map(|id| stage.pool.put(Instance::new(id, TOKEN.into()).at(Some(nowhere.clone()), None)))
        .map(|client| client.instance().clone().with_limits(crate::stage::unlimited()))
        .map(|instance| stage.pool.put(instance))
        .collect();
    for client in &dead {
        for _ in 0..2 {
            let error = client.send_message(&text("x")).await.unwrap_err();
            assert!(matches!(error, GreenCallError::Http(CallError::NotSent(_))) && error.certain());
        }
        assert_eq!(client.breaker_state(), BreakerState::Open);
    }
    let started = Instant::now();
    let mut sends = tokio::task::JoinSet::new();
    for id in 100..140 {
        let client = stage.add(id);
        sends.spawn(async move { client.send_message(&text("alive")).await.map(drop) });
    }
    sends.join_all().await.into_iter().for_each(|sent| sent.unwrap());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let error = dead[0].send_message(&text("x")).await.unwrap_err();
    let open = matches!(error, GreenCallError::Http(CallError::NotSent(NotSent::BreakerOpen { .. })));
    assert!(open, "{error:?}");
    assert_eq!(stage.attempts().last().unwrap().outcome, Outcome::Held);
    assert_eq!(stage.pool.clients().len(), 51);
}

#[tokio::test]
async fn a_hundred_sends_with_a_tenth_failing_arrive_once_each() {
    let stage = Stage::start().await;
    stage.faults(json!([{"fault": "internal_error", "rate": 0.05}, {"fault": "error_code", "code": 502, "rate": 0.05}]));
    let client = stage.client();
    for number in 0..100 {
        client.send_message(&text(&number.to_string())).await.unwrap();
    }
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(stage.delivered(), expected);
}
