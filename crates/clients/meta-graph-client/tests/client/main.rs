//! The typed client against a fake Graph API: what goes over the wire, and what comes of each answer.

mod fake;
mod media;

use std::time::Duration;

use fake::{Fake, Script, answer, answer_with, ok};
use frontdesk_meta_graph_client::{
    GraphAccount, GraphCallError, Product, Retry, Scope, decide,
    messaging::{MessagingMessage, SenderAction},
    signature::appsecret_proof,
    whatsapp::{OutgoingMessage, Recipient},
};
use frontdesk_provider_http::CallError;
use secrecy::ExposeSecret;
use serde_json::json;

const ACCEPTED: &str = r#"{"messaging_product":"whatsapp","contacts":[{"input":"5511987650021","wa_id":"551187650021"}],
    "messages":[{"id":"wamid.1","message_status":"accepted"}]}"#;

fn hello() -> OutgoingMessage {
    OutgoingMessage::text(Recipient::Phone("5511987650021".to_owned()), "hi")
}

#[tokio::test]
async fn a_whatsapp_message_is_sent_with_the_token_in_the_header() {
    let fake = Fake::start([answer_with(200, "x-app-usage", r#"{"call_count":42}"#, ACCEPTED)]).await;
    let sent = fake.client().send_whatsapp("106", &hello()).await.unwrap();
    assert_eq!((sent.id.as_str(), sent.wa_id.as_deref()), ("wamid.1", Some("551187650021")));
    assert_eq!((sent.status.as_deref(), sent.usage.percent), (Some("accepted"), Some(42)));
    let seen = &fake.seen()[0];
    assert_eq!(seen.line, "POST /graph/v26.0/106/messages");
    assert_eq!(seen.header("authorization"), Some("Bearer TOKEN"));
    assert!(seen.header("user-agent").unwrap().starts_with("Frontdesk/"));
    assert_eq!(seen.json()["to"], "5511987650021");
}

#[tokio::test]
async fn proof_and_version_follow_the_account() {
    let fake = Fake::start([ok(ACCEPTED)]).await;
    let mut account = GraphAccount::new("inbox-1", "TOKEN".into());
    account.app_secret = Some("app-secret".into());
    account.version = None;
    fake.client_for(account).send_whatsapp("106", &hello()).await.unwrap();
    let proof = appsecret_proof(&"TOKEN".into(), &"app-secret".into());
    // HMAC-SHA256 of "TOKEN" under "app-secret", by openssl
    assert_eq!(proof.expose_secret(), "751c15abbdb90f81415b11b21396d338bc185878789c386aa590704207aba2a8");
    assert_eq!(fake.lines(), [format!("POST /graph/106/messages?appsecret_proof={}", proof.expose_secret())]);
}

#[tokio::test]
async fn read_marks_and_typing() {
    let fake = Fake::start([ok(r#"{"success":true}"#), ok(r#"{"success":true}"#), ok("{}")]).await;
    let client = fake.client();
    client.mark_whatsapp_read("106", "wamid.1", false).await.unwrap();
    client.mark_whatsapp_read("106", "wamid.1", true).await.unwrap();
    client.mark_whatsapp_read("106", "wamid.1", true).await.unwrap_err();
    let seen = fake.seen();
    assert_eq!(
        seen[0].json(),
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"})
    );
    assert_eq!(seen[1].json()["typing_indicator"], json!({"type": "text"}));
}

#[tokio::test]
async fn a_refusal_carries_its_code_and_decision() {
    let body = r##"{"error":{"message":"(#131047) Re-engagement message","type":"OAuthException","code":131047,"fbtrace_id":"A"}}"##;
    let fake = Fake::start([answer(400, body)]).await;
    let error = fake.client().send_whatsapp("106", &hello()).await.unwrap_err();
    let GraphCallError::Graph(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.code, refusal.http_status), (131_047, 400));
    let decision = decide(Product::WhatsApp, &error, 1);
    assert!(decision.window_closed && decision.certain);
    assert_eq!(decision.retry, Retry::Never);
}

#[tokio::test]
async fn a_throttle_as_400_or_429_waits_as_long_as_meta_says() {
    let body = r#"{"error":{"message":"x","code":130429}}"#;
    let usage = r#"{"1":[{"type":"messages","call_count":100,"estimated_time_to_regain_access":2}]}"#;
    let fake = Fake::start([
        answer_with(429, "retry-after", "90", body),
        answer_with(400, "x-business-use-case-usage", usage, body),
        answer_with(429, "retry-after", "30", "slow down"),
    ])
    .await;
    for wait in [90, 120, 30] {
        let error = fake.client().send_whatsapp("106", &hello()).await.unwrap_err();
        let decision = decide(Product::WhatsApp, &error, 1);
        assert_eq!((decision.retry, decision.scope), (Retry::After(Duration::from_secs(wait)), Scope::Inbox));
    }
    assert_eq!(fake.lines().len(), 3, "a send is never repeated here");
}

#[tokio::test]
async fn a_server_fault_is_retried_by_the_schedule_and_a_504_is_not() {
    let fake = Fake::start([answer(500, ""), answer(503, "<html>"), answer(504, "<html>")]).await;
    let client = fake.client();
    for (retry, certain) in [(Retry::OnSchedule, true), (Retry::OnSchedule, true), (Retry::Never, false)] {
        let error = client.send_whatsapp("106", &hello()).await.unwrap_err();
        let decision = decide(Product::WhatsApp, &error, 1);
        assert_eq!((decision.retry, decision.certain), (retry, certain), "{error}");
    }
}

#[tokio::test]
async fn what_may_have_been_sent_is_never_retried() {
    let hostile = [
        Script::Hang,
        Script::Cut,
        Script::Endless,
        ok("<html>"),
        ok("{}"),
        ok(r#"{"messages":[]}"#),
        ok(r#"{"messages":[{"id":{}}]}"#),
        ok(format!("{}{}", "[".repeat(40_000), "]".repeat(40_000))),
    ];
    for script in hostile {
        let fake = Fake::start([script]).await;
        let error = fake.client().send_whatsapp("106", &hello()).await.unwrap_err();
        let decision = decide(Product::WhatsApp, &error, 1);
        assert_eq!((decision.retry, decision.certain), (Retry::Never, false), "{error:?}");
        assert_eq!(fake.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_gets_no_token() {
    let thief = Fake::start([]).await;
    let fake = Fake::start([answer_with(307, "location", thief.url("/"), "")]).await;
    let error = fake.client().send_whatsapp("106", &hello()).await.unwrap_err();
    assert!(matches!(error, GraphCallError::Http(CallError::Redirect { .. })));
    assert_eq!(decide(Product::WhatsApp, &error, 1).scope, Scope::Inbox);
    assert!(thief.lines().is_empty());
}

#[tokio::test]
async fn a_number_is_read_and_asked_for_again_after_a_fault() {
    let fake = Fake::start([
        answer(500, ""),
        ok(r#"{"id":106,"display_phone_number":"+62 812","verified_name":"Kopi","quality_rating":"GREEN","throughput":{"level":"HIGH"},"new":1}"#),
    ])
    .await;
    let number = fake.client().phone_number("106").await.unwrap();
    assert_eq!((number.id.as_str(), number.verified_name.as_deref()), ("106", Some("Kopi")));
    assert_eq!(number.throughput.unwrap().level.as_deref(), Some("HIGH"));
    assert!(fake.lines()[1].starts_with("GET /graph/v26.0/106?fields=id%2Cdisplay_phone_number"));
    assert_eq!(fake.lines().len(), 2);
}

#[tokio::test]
async fn templates_come_page_by_page() {
    let template = r#"{"id":"7","name":"order_update","language":"id","status":"APPROVED","category":"UTILITY","components":[{"type":"BODY","text":"Hi {{1}}"}]}"#;
    let fake = Fake::start([
        ok(format!(
            r#"{{"data":[{template}],"paging":{{"cursors":{{"before":"a","after":"b"}},"next":"https://x/?access_token=T"}}}}"#
        )),
        ok(r#"{"data":[],"paging":{"cursors":{"before":"a","after":"c"}}}"#),
    ])
    .await;
    let client = fake.client();
    let first = client.templates("215", None).await.unwrap();
    assert_eq!((first.items[0].name.as_str(), first.next.as_deref()), ("order_update", Some("b")));
    assert_eq!(first.items[0].components[0]["text"], "Hi {{1}}");
    let second = client.templates("215", first.next.as_deref()).await.unwrap();
    assert_eq!((second.items.len(), second.next), (0, None));
    assert!(fake.lines()[1].ends_with("limit=100&after=b"));
}

#[tokio::test]
async fn subscriptions_are_made_and_listed() {
    let fake = Fake::start([
        ok(r#"{"success":true}"#),
        ok(r#"{"data":[{"whatsapp_business_api_data":{"id":"1","name":"App"},"override_callback_uri":"https://x"}]}"#),
        ok(r#"{"success":true}"#),
    ])
    .await;
    let client = fake.client();
    client.subscribe_whatsapp("215", Some(("https://x", "v"))).await.unwrap();
    let apps = client.subscribed_apps("215").await.unwrap();
    assert_eq!(apps[0].override_callback_uri.as_deref(), Some("https://x"));
    client.subscribe_messaging("104", "messages").await.unwrap();
    let seen = fake.seen();
    assert_eq!(seen[0].json(), json!({"override_callback_uri": "https://x", "verify_token": "v"}));
    assert_eq!(
        (seen[2].line.as_str(), seen[2].json()),
        ("POST /graph/v26.0/104/subscribed_apps", json!({"subscribed_fields": "messages"}))
    );
}

#[tokio::test]
async fn messenger_messages_actions_and_profiles() {
    let fake = Fake::start([
        ok(r#"{"recipient_id":"784","message_id":"m_1"}"#),
        ok(r#"{"recipient_id":"784"}"#),
        ok(r#"{"first_name":"Sari","name":null,"profile_pic":7}"#),
        ok(r#"{"username":"sari","follower_count":"12","is_verified_user":false}"#),
        ok(r#"{"id":"104","name":"Toko"}"#),
        ok(r#"{"id":"178","username":"toko"}"#),
        ok(r#"{"recipient_id":"784"}"#),
    ])
    .await;
    let client = fake.client();
    let sent = client.send_messaging("104", &MessagingMessage::text("784", "hi")).await.unwrap();
    assert_eq!((sent.message_id.as_str(), sent.recipient_id.as_deref()), ("m_1", Some("784")));
    client.send_sender_action("me", "784", &SenderAction::TypingOn).await.unwrap();
    let profile = client.messenger_profile("784").await.unwrap();
    assert_eq!(
        (profile.first_name.as_deref(), profile.name, profile.profile_pic),
        (Some("Sari"), None, None)
    );
    let profile = client.instagram_profile("127").await.unwrap();
    assert_eq!((profile.username.as_deref(), profile.follower_count), (Some("sari"), Some(12)));
    assert_eq!(client.page("104").await.unwrap().name.as_deref(), Some("Toko"));
    assert_eq!(client.instagram_account("178").await.unwrap().username.as_deref(), Some("toko"));
    let error = client.send_messaging("104", &MessagingMessage::text("784", "hi")).await.unwrap_err();
    assert!(!decide(Product::Messaging, &error, 1).certain, "an answer without message id");
    assert_eq!(fake.lines()[..2], ["POST /graph/v26.0/104/messages", "POST /graph/v26.0/me/messages"]);
}

#[tokio::test]
async fn errors_never_show_token_secret_or_text() {
    let body = r#"{"error":{"message":"PLANTED","code":100,"error_data":{"details":"PLANTED"}}}"#;
    let fake = Fake::start([answer(400, body), Script::Hang, answer(500, "PLANTED"), ok("PLANTED")]).await;
    let mut account = GraphAccount::new("inbox-1", "PLANTED".into());
    account.app_secret = Some("PLANTED".into());
    let proof = appsecret_proof(&account.access_token, &"PLANTED".into());
    let client = fake.client_for(account);
    assert!(!format!("{client:?}").contains("PLANTED"));
    let message = OutgoingMessage::text(Recipient::Phone("PLANTED".to_owned()), "PLANTED");
    for _ in 0..4 {
        let error = client.send_whatsapp("106", &message).await.unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            shown += &format!("{error} {error:?}");
            cause = error.source();
        }
        assert!(!shown.contains("PLANTED") && !shown.contains(proof.expose_secret()), "{shown}");
    }
}
