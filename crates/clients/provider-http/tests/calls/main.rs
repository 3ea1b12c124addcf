//! The whole stack against a fake provider: every way a call can end.

mod fake;

use std::{error::Error, sync::Arc, time::Duration};

use fake::{Fake, LABEL, Ledger, Script, answer, settings};
use frontdesk_provider_http::{
    AddressPolicy, BreakerState, CallError, DownloadLimits, NotSent, Outcome, ProviderHttp, RateLimits,
    SetupError,
};
use reqwest::Method;

async fn send(http: &ProviderHttp) -> Result<frontdesk_provider_http::Answer, CallError> {
    http.send(LABEL, http.request(Method::POST, http.url(["messages"])).body("{}")).await
}

async fn read(http: &ProviderHttp) -> Result<frontdesk_provider_http::Answer, CallError> {
    http.read(LABEL, http.request(Method::GET, http.url(["me"]))).await
}

#[tokio::test]
async fn an_answer_is_read_and_recorded() {
    let fake = Fake::start(vec![answer(200, "", r#"{"id":"7"}"#)]).await;
    let ledger = Arc::new(Ledger::default());
    let http = ProviderHttp::with_recorder(fake.settings(), ledger.clone()).unwrap();
    let value: serde_json::Value = send(&http).await.unwrap().json().unwrap();
    assert_eq!(value["id"], "7");
    assert_eq!(*ledger.0.lock().unwrap(), [(Outcome::Ok, Some(200))]);
}

#[tokio::test]
async fn reads_are_repeated_and_sends_are_not() {
    let fake = Fake::start(vec![answer(500, "", ""), answer(503, "", ""), answer(200, "", "ok")]).await;
    assert_eq!(read(&fake.http()).await.unwrap().body, "ok");
    assert_eq!(fake.requests(), 3);

    let fake = Fake::start(vec![answer(500, "", "oops"), answer(200, "", "ok")]).await;
    let error = send(&fake.http()).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 500);
    assert!(error.certain() && error.is_transient());
    assert_eq!(fake.requests(), 1);
}

#[tokio::test]
async fn a_send_is_repeated_only_where_its_client_says_so() {
    let fake = Fake::start(vec![answer(503, "", ""), answer(504, "", ""), answer(200, "", "ok")]).await;
    let ledger = Arc::new(Ledger::default());
    let http = ProviderHttp::with_recorder(fake.settings(), ledger.clone()).unwrap();
    let request = || http.request(Method::POST, http.url(["messages"])).body("{}");
    let error = http.repeat(LABEL, request, CallError::certain).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 504);
    assert_eq!(fake.requests(), 2, "what became of the second is not known");
    assert_eq!(*ledger.1.lock().unwrap(), [(1, false), (2, false)]);
}

#[tokio::test]
async fn a_429_holds_back_the_others_of_its_class_where_the_limits_say_so() {
    let fake = Fake::start(vec![answer(429, "retry-after: 1\r\n", ""), answer(200, "", "ok")]).await;
    let ledger = Arc::new(Ledger::default());
    let http = ProviderHttp::with_recorder(fake.settings(), ledger.clone()).unwrap();
    let limits = RateLimits { hold_after_429: true, ..RateLimits::default() };
    let post = || http.request(Method::POST, http.url(["messages"]));
    http.send(LABEL.limits(&limits), post()).await.unwrap_err();
    let started = std::time::Instant::now();
    http.send(LABEL.limits(&limits).class("other"), post()).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(900), "another class is not held");
    http.send(LABEL.limits(&limits), post()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(900));
    assert_eq!(*ledger.1.lock().unwrap(), [(1, false), (1, false), (1, true)]);
}

#[tokio::test]
async fn a_read_gives_up_after_three_retries_and_at_once_on_a_4xx() {
    let fake = Fake::start(vec![answer(502, "", "")]).await;
    read(&fake.http()).await.unwrap_err();
    assert_eq!(fake.requests(), 4);

    let fake = Fake::start(vec![answer(404, "", r#"{"error":1}"#)]).await;
    let Err(CallError::Status(answer)) = read(&fake.http()).await else { panic!("no status") };
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (404, &br#"{"error":1}"#[..]));
    assert_eq!(fake.requests(), 1);
}

#[tokio::test]
async fn retry_after_is_waited_for_or_handed_on() {
    let fake = Fake::start(vec![answer(429, "retry-after: 1\r\n", ""), answer(200, "", "ok")]).await;
    let started = std::time::Instant::now();
    read(&fake.http()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "it asked for a second");

    let fake = Fake::start(vec![answer(429, "retry-after: 3600\r\n", "")]).await;
    let error = read(&fake.http()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(fake.requests(), 1, "an hour is not waited for in memory");
}

#[tokio::test]
async fn silence_after_the_request_left_is_uncertain() {
    let fake = Fake::start(vec![Script::Hang]).await;
    let error = send(&fake.http()).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut(_)), "{error:?}");
    assert!(!error.certain());
    assert_eq!(fake.requests(), 1);
}

#[tokio::test]
async fn a_process_that_stood_still_does_not_blame_the_provider() {
    let fake = Fake::start(vec![Script::Hang]).await;
    let http = fake.http();
    let call = |_| {
        let http = http.clone();
        tokio::spawn(async move { send(&http).await })
    };
    let calls: Vec<_> = (0..10).map(call).collect();
    while fake.requests() < 10 {
        tokio::task::yield_now().await;
    }
    // Nothing of this process runs meanwhile, as under SIGSTOP.
    std::thread::sleep(http.settings().timeout + Duration::from_millis(1_100));
    for call in calls {
        let answer = call.await.unwrap();
        let error = answer.unwrap_err();
        assert!(matches!(error, CallError::StoodStill { certain: false, .. }), "{error:?}");
    }
    assert_eq!(http.breaker_state(LABEL.key), BreakerState::Closed);
}

#[tokio::test]
async fn a_cut_connection_is_uncertain() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":";
    for script in
        [Script::Say(half.to_owned()), Script::Say(String::new()), Script::Say("rubbish".to_owned())]
    {
        let fake = Fake::start(vec![script]).await;
        let error = send(&fake.http()).await.unwrap_err();
        assert!(matches!(error, CallError::Cut(_)), "{error:?}");
        assert!(!error.certain() && error.is_transient());
    }
}

#[tokio::test]
async fn a_gateway_timeout_is_uncertain_and_other_refusals_are_not() {
    for (status, certain) in [
        (400, true),
        (401, true),
        (429, true),
        (500, true),
        (499, false),
        (502, true),
        (503, true),
        (504, false),
    ] {
        let fake = Fake::start(vec![answer(status, "", "")]).await;
        assert_eq!(send(&fake.http()).await.unwrap_err().certain(), certain, "{status}");
    }
}

#[tokio::test]
async fn nobody_listening_is_certain() {
    let fake = Fake::start(vec![answer(200, "", "")]).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let http = ProviderHttp::new(settings(&format!("http://{address}"))).unwrap();
    let error = send(&http).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Connect(_))), "{error:?}");
    assert!(error.certain() && error.is_transient());

    // TLS spoken to a server that has none: also before the request.
    let http = ProviderHttp::new(settings(&format!("https://{}", fake.address))).unwrap();
    let error = send(&http).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Connect(_))), "{error:?}");
}

#[tokio::test]
async fn an_unknown_name_is_certain() {
    let http = ProviderHttp::new(settings("https://no-such-host.invalid")).unwrap();
    let error = send(&http).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Dns(_))), "{error:?}");
    assert!(error.certain());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inward = Fake::start(vec![answer(200, "", "secret")]).await;
    let fake = Fake::start(vec![answer(302, &format!("location: http://{}/\r\n", inward.address), "")]).await;
    let error = read(&fake.http()).await.unwrap_err();
    assert!(matches!(error, CallError::Redirect { .. }) && error.certain());
    assert_eq!((fake.requests(), inward.requests()), (1, 0));
}

#[tokio::test]
async fn large_answers_are_cut_off() {
    let announced = Script::Say("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_owned());
    let endless = Script::Endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned());
    for script in [announced, endless] {
        let fake = Fake::start(vec![script]).await;
        let error = send(&fake.http()).await.unwrap_err();
        assert!(matches!(error, CallError::TooLarge { max_bytes: 10_000 }), "{error:?}");
        assert!(!error.certain(), "a send was accepted, its result is not known");
    }
    let endless = Script::Endless("HTTP/1.1 400 X\r\ntransfer-encoding: chunked\r\n\r\n".to_owned());
    let fake = Fake::start(vec![endless]).await;
    let Err(CallError::Status(answer)) = send(&fake.http()).await else { panic!("no status") };
    assert_eq!(answer.body.len(), 10_000);
}

#[tokio::test]
async fn an_unreadable_answer_is_an_error_not_a_panic() {
    let fake = Fake::start(vec![answer(200, "", "<html>")]).await;
    let error = send(&fake.http()).await.unwrap().json::<serde_json::Value>().unwrap_err();
    assert!(matches!(error, CallError::Unreadable(_)) && !error.certain());
}

#[tokio::test]
async fn the_breaker_holds_calls_back_and_names_the_wait() {
    let fake = Fake::start(vec![answer(500, "", "")]).await;
    let ledger = Arc::new(Ledger::default());
    let http = ProviderHttp::with_recorder(fake.settings(), ledger.clone()).unwrap();
    for _ in 0..5 {
        send(&http).await.unwrap_err();
    }
    assert_eq!(http.breaker_state(LABEL.key), BreakerState::Open);
    let error = send(&http).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::BreakerOpen { .. })) && error.certain());
    assert!(error.retry_after().unwrap() > Duration::from_secs(28));
    assert_eq!(fake.requests(), 5);
    assert_eq!(ledger.0.lock().unwrap()[4..], [(Outcome::ProviderFault, Some(500)), (Outcome::Held, None)]);
}

#[tokio::test]
async fn our_own_mistakes_do_not_open_the_breaker() {
    let fake = Fake::start(vec![answer(400, "", "")]).await;
    let http = fake.http();
    for _ in 0..30 {
        send(&http).await.unwrap_err();
    }
    assert_eq!(http.breaker_state(LABEL.key), BreakerState::Closed);
    assert_eq!(fake.requests(), 30);
}

#[tokio::test]
async fn our_own_limit_refuses_what_would_wait_too_long() {
    let fake = Fake::start(vec![answer(200, "", "")]).await;
    let mut settings = fake.settings();
    settings.limits.per_minute = std::num::NonZeroU32::new(1);
    settings.limits.longest_wait = Duration::from_millis(10);
    let http = ProviderHttp::new(settings).unwrap();
    send(&http).await.unwrap();
    let error = send(&http).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(NotSent::Limit { .. })) && error.certain());
    assert_eq!(fake.requests(), 1);
}

#[tokio::test]
async fn a_file_is_written_counted_and_hashed() {
    let fake = Fake::start(vec![answer(200, "content-type: audio/ogg\r\n", "hello")]).await;
    let http = fake.http();
    let mut file = Vec::new();
    let request = http.request(Method::GET, http.url(["file"]));
    let download = http.download(LABEL, request, DownloadLimits::bytes(5), &mut file).await.unwrap();
    assert_eq!((file.as_slice(), download.size_bytes), (&b"hello"[..], 5));
    // sha256("hello"), as any other tool computes it
    assert_eq!(download.sha256[..4], [0x2c, 0xf2, 0x4d, 0xba]);
    assert_eq!(download.content_type.as_deref(), Some("audio/ogg"));

    let request = http.request(Method::GET, http.url(["file"]));
    let error = http.download(LABEL, request, DownloadLimits::bytes(4), &mut file).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { max_bytes: 4 }));
}

#[tokio::test]
async fn inward_addresses_are_never_connected_to() {
    let inward = Fake::start(vec![answer(200, "", "secret")]).await;
    let mut settings = settings("https://graph.facebook.com");
    settings.addresses = AddressPolicy::public_only();
    let http = ProviderHttp::new(settings).unwrap();
    let port = inward.address.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        "http://localhost/".to_owned(),
        "https://localhost/".to_owned(),
    ] {
        let error = http.read(LABEL, http.request(Method::GET, url.parse().unwrap())).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Refused(_))), "{url}: {error:?}");
        assert!(error.certain() && !error.is_transient());
    }
    assert_eq!(inward.requests(), 0);
}

#[tokio::test]
async fn a_base_url_that_is_never_called_is_refused_at_set_up() {
    for base in ["http://graph.facebook.com", "https://user@graph.facebook.com", "https://10.0.0.1"] {
        let result = ProviderHttp::new(settings(base));
        assert!(matches!(result, Err(SetupError::BaseUrl { .. })), "{base}");
    }
}

#[tokio::test]
async fn errors_never_show_what_was_in_the_url_or_the_body() {
    let fake =
        Fake::start(vec![Script::Hang, Script::Say(String::new()), answer(400, "x: PLANTED\r\n", "PLANTED")])
            .await;
    let http = fake.http();
    for _ in 0..3 {
        let mut url = http.url(["messages"]);
        url.set_query(Some("access_token=PLANTED"));
        let request = http.request(Method::POST, url).bearer_auth("PLANTED").body("PLANTED");
        let error = http.send(LABEL, request).await.unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut cause = error.source();
        while let Some(error) = cause {
            shown += &format!("{error} {error:?}");
            cause = error.source();
        }
        assert!(!shown.contains("PLANTED"), "{shown}");
    }
}

#[tokio::test]
async fn ids_in_paths_stay_one_segment() {
    let http = ProviderHttp::new(settings("https://graph.facebook.com/")).unwrap();
    let url = http.url(["v26.0", "12/../../me?x=1#y", "messages"]);
    assert_eq!(url.as_str(), "https://graph.facebook.com/v26.0/12%2F..%2F..%2Fme%3Fx=1%23y/messages");
}

#[tokio::test]
async fn who_shares_a_stack_hears_only_of_the_calls_made_through_their_own_hand() {
    let fake = Fake::start(vec![answer(200, "", "a"), answer(500, "", "b")]).await;
    let (one, other) = (Arc::new(Ledger::default()), Arc::new(Ledger::default()));
    let stack = ProviderHttp::with_recorder(fake.settings(), one.clone()).unwrap();
    let shared = stack.heard_by(other.clone());
    send(&stack).await.unwrap();
    send(&shared).await.unwrap_err();
    assert_eq!(*one.0.lock().unwrap(), [(Outcome::Ok, Some(200))]);
    assert_eq!(*other.0.lock().unwrap(), [(Outcome::ProviderFault, Some(500))]);
}
