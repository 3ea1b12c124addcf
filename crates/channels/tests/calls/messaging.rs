//! Messenger and Instagram.

use std::sync::Arc;

use frontdesk_channels::contract::{Connection, MediaAddress, MediaError, Profile, Retry, Scope};
use frontdesk_model::RemoteId;
use frontdesk_model::contact::IdentityKind::{Igsid, Psid};
use frontdesk_model::content::{ContactCard, Location, MediaKind, MediaRef, Template};
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::outbound::{Interactive, InteractiveChoice, OutboundBody, OutboundMessage, Recipient};
use serde_json::json;

use crate::fake::{Fake, NOW, customer, file, message, refused};

const PAGE: &[(&str, &str)] = &[("page_id", "104"), ("access_token", "EAAtoken")];
const BY_FACEBOOK: &[(&str, &str)] = &[("instagram_id", "178"), ("access_token", "EAAtoken")];
const BY_INSTAGRAM: &[(&str, &str)] = &[("instagram_id", "178"), ("access_token", "IGAAtoken")];

async fn page() -> (Fake, Arc<dyn Connection>) {
    let fake = Fake::start().await;
    let connection = fake.open("messenger", PAGE);
    (fake, connection)
}

async fn instagram(settings: &[(&str, &str)]) -> (Fake, Arc<dyn Connection>) {
    let fake = Fake::start().await;
    let connection = fake.open("instagram", settings);
    (fake, connection)
}

fn sari() -> Recipient {
    customer("784", &[(Psid, "784"), (Igsid, "127")])
}

fn text(body: &str) -> OutboundMessage {
    message(sari(), OutboundBody::Text(body.to_owned()))
}

fn choices(count: usize) -> Interactive {
    let choice =
        |n: usize| InteractiveChoice { id: format!("c{n}"), title: format!("Choice {n}"), description: None };
    Interactive {
        body: "Which?".to_owned(),
        header: Some("Colours".to_owned()),
        footer: None,
        buttons: (0..count.min(3)).map(choice).collect(),
        list_label: None,
        rows: (3..count).map(choice).collect(),
    }
}

fn reaction(emoji: Option<&str>) -> OutboundBody {
    OutboundBody::Reaction { target: RemoteId::new("m_in"), emoji: emoji.map(str::to_owned) }
}

#[tokio::test]
async fn every_kind_of_message_is_written_as_meta_wants_it() {
    let (fake, page) = page().await;
    let folder = tempfile::tempdir().expect("a folder");
    let answer = OutboundMessage { reply_to: Some(RemoteId::new("m_in")), ..text("hi") };
    page.send(&answer).await.expect("accepted");
    for body in [
        OutboundBody::Interactive(choices(4)),
        OutboundBody::Media(file(&folder, MediaKind::Document, "a.pdf", "application/pdf")),
        reaction(Some("😍")),
        reaction(None),
    ] {
        page.send(&message(sari(), body)).await.expect("accepted");
    }
    let calls = fake.calls();
    let lines: Vec<&str> = calls.iter().map(|call| call.line.as_str()).collect();
    let send = "POST /graph/v26.0/104/messages";
    assert_eq!(lines, [send, send, "POST /graph/v26.0/104/message_attachments", send, send, send]);
    insta::assert_json_snapshot!(calls.iter().map(|call| call.body.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn after_a_day_a_person_answers_under_a_tag_for_seven_days() {
    let (fake, page) = page().await;
    const HOUR_MS: i64 = 3_600_000;
    for (age_ms, tag) in [
        (Some(0), None),
        (Some(24 * HOUR_MS), None),
        (Some(24 * HOUR_MS + 1), Some("HUMAN_AGENT")),
        (Some(7 * 24 * HOUR_MS), Some("HUMAN_AGENT")),
        (Some(7 * 24 * HOUR_MS + 1), None),
        (None, None),
    ] {
        let late = OutboundMessage { last_inbound_at: age_ms.map(|age| NOW.plus_ms(-age)), ..text("hi") };
        page.send(&late).await.expect("accepted");
        let body = &fake.bodies()[0];
        assert_eq!(body.get("tag").and_then(|t| t.as_str()), tag, "{age_ms:?}");
        let kind = if tag.is_some() { "MESSAGE_TAG" } else { "RESPONSE" };
        assert_eq!(body["messaging_type"], kind, "{age_ms:?}");
    }
}

#[tokio::test]
async fn each_network_names_the_customer_its_own_way_and_is_asked_at_its_own_address() {
    for (settings, line) in
        [(BY_FACEBOOK, "POST /graph/v26.0/me/messages"), (BY_INSTAGRAM, "POST /instagram/v26.0/me/messages")]
    {
        let (fake, account) = instagram(settings).await;
        account.send(&text("hi")).await.expect("accepted");
        let calls = fake.calls();
        assert_eq!((calls[0].line.as_str(), &calls[0].body["recipient"]["id"]), (line, &json!("127")));
    }
}

#[tokio::test]
async fn what_messenger_cannot_carry_is_refused_without_a_call() {
    let (fake, page) = page().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut picture = file(&folder, MediaKind::Image, "a.png", "image/png");
    picture.caption = Some("words".to_owned());
    let template = Template { name: "t".to_owned(), language: "id".to_owned(), components: Vec::new() };
    let place = Location { latitude: 1.0, longitude: 2.0, name: None, address: None, url: None };
    let long = InteractiveChoice { id: "c".to_owned(), title: "x".repeat(21), description: None };
    for body in [
        OutboundBody::Text(String::new()),
        OutboundBody::Text("é".repeat(2001)),
        OutboundBody::Media(picture),
        OutboundBody::Template(template),
        OutboundBody::Location(place),
        OutboundBody::Contacts(vec![ContactCard::default()]),
        OutboundBody::Interactive(choices(0)),
        OutboundBody::Interactive(choices(14)),
        OutboundBody::Interactive(Interactive { buttons: vec![long], ..choices(0) }),
    ] {
        let error = refused(&*page, &message(sari(), body.clone())).await;
        assert_eq!(
            (error.certain, error.retry, error.code.as_str()),
            (true, Retry::Never, "UNSUPPORTED"),
            "{body:?}"
        );
    }
    assert!(fake.calls().is_empty());
    page.send(&text(&"é".repeat(2000))).await.expect("just short enough");
}

#[tokio::test]
async fn instagram_counts_bytes_and_knows_one_reaction() {
    let (fake, account) = instagram(BY_FACEBOOK).await;
    account.send(&text(&"é".repeat(500))).await.expect("1000 bytes");
    let error = refused(&*account, &text(&"é".repeat(501))).await;
    assert_eq!(error.shown, "A text can have at most 1000 bytes on Instagram; this has 1002.");
    account.send(&message(sari(), reaction(Some("❤️")))).await.expect("a heart");
    assert_eq!(refused(&*account, &message(sari(), reaction(Some("👍")))).await.code, "UNSUPPORTED");
    let bodies = fake.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[1]["payload"], json!({"message_id": "m_in", "reaction": "love"}));
}

#[tokio::test]
async fn a_refusal_says_what_waits_and_what_helps() {
    let (fake, page) = page().await;
    for (code, subcode, shown, retry, scope, action) in [
        (10, Some(2_018_278), "10/2018278", Retry::Never, Scope::Conversation, None),
        (551, Some(1_545_041), "551/1545041", Retry::Never, Scope::Conversation, None),
        (190, Some(460), "190/460", Retry::Never, Scope::Inbox, Some("reconnect")),
        (613, None, "613", Retry::OnSchedule, Scope::Inbox, Some("retry")),
        (2, None, "2", Retry::OnSchedule, Scope::Message, Some("retry")),
    ] {
        fake.then_error(code, subcode);
        let error = refused(&*page, &text("hi")).await;
        assert_eq!(
            (error.code.as_str(), error.retry, error.scope, error.action),
            (shown, retry, scope, action)
        );
        assert!(error.certain);
    }
    fake.then_error(1, Some(1_357_046));
    let error = refused(&*page, &text("hi")).await;
    assert_eq!((error.certain, error.retry), (false, Retry::Never), "Meta may have sent it");
}

#[tokio::test]
async fn reading_and_typing_are_shown() {
    let (fake, page) = page().await;
    let receipts = page.receipts().expect("Messenger has them");
    receipts.mark_read(&sari(), &RemoteId::new("m_in")).await.expect("marked");
    receipts.typing(&sari(), &RemoteId::new("m_in")).await.expect("shown");
    let action = |name: &str| json!({"recipient": {"id": "784"}, "sender_action": name});
    assert_eq!(fake.bodies(), [action("mark_seen"), action("typing_on")]);
}

#[tokio::test]
async fn a_profile_is_told_or_not_and_that_is_no_error() {
    let (fake, page) = page().await;
    let profiles = page.profiles().expect("Messenger has them");
    fake.then(
        200,
        json!({"id": "784", "first_name": "Sari", "last_name": "W", "profile_pic": "https://x/y.jpg"}),
    );
    let sari_w = Profile {
        name: Some("Sari W".to_owned()),
        picture: Some(MediaAddress("https://x/y.jpg".to_owned())),
        identities: Vec::new(),
    };
    assert_eq!(profiles.profile(&sari()).await.expect("told"), Some(sari_w));
    for (code, subcode) in [(230, None), (100, Some(33)), (200, None), (10, None)] {
        fake.then_error(code, subcode);
        assert_eq!(profiles.profile(&sari()).await.expect("no error"), None, "{code}");
    }
    fake.then_error(190, None);
    assert!(profiles.profile(&sari()).await.expect_err("the token is broken").reconnect);
    let (fake, account) = instagram(BY_FACEBOOK).await;
    fake.then(200, json!({"id": "127", "name": null, "username": "sari.w"}));
    let told = account.profiles().expect("Instagram has them").profile(&sari()).await.expect("told");
    assert_eq!(told.and_then(|profile| profile.name).as_deref(), Some("sari.w"));
    assert!(fake.calls()[0].line.starts_with("GET /graph/v26.0/127?fields="));
}

#[tokio::test]
async fn a_check_tells_whose_token_it_is() {
    let (fake, page) = page().await;
    fake.then(200, json!({"id": "104", "name": "Toko"}));
    let state = page.check().await;
    assert_eq!((state.code, state.message.as_str()), (ConnectionCode::Connected, "Toko is connected."));
    fake.then(200, json!({"id": "999", "name": "Other"}));
    let state = page.check().await;
    assert!(state.code == ConnectionCode::Reconnect && state.action.is_some(), "{state:?}");
    fake.then_error(190, None);
    assert_eq!(page.check().await.code, ConnectionCode::Reconnect);
    assert!(fake.calls().iter().all(|call| call.line.starts_with("GET /graph/v26.0/104?")));

    let (fake, account) = instagram(BY_INSTAGRAM).await;
    fake.then(200, json!({"id": "555", "user_id": "178", "username": "toko"}));
    assert_eq!(account.check().await.code, ConnectionCode::Connected);
    assert!(fake.calls()[0].line.starts_with("GET /instagram/v26.0/me?"));
}

#[tokio::test]
async fn a_file_is_fetched_by_its_address_without_the_token() {
    let (fake, page) = page().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("picture");
    let at = |url: Option<String>| MediaRef {
        kind: MediaKind::Image,
        remote_id: None,
        url,
        mime_type: None,
        file_name: None,
        sha256: None,
    };
    let here = Some(format!("{}/cdn/1?sig=x", fake.url));
    fake.then_bytes(200, b"the bytes");
    assert_eq!(page.fetch_media(&at(here.clone()), &path, 100).await.expect("fetched").size_bytes, 9);
    assert_eq!(fake.calls()[0].authorization, "");
    std::fs::remove_file(&path).expect("removed");
    for url in [
        Some("https://evil.example/x.jpg".to_owned()),
        Some("http://127.0.0.1:1/x".to_owned()),
        Some("http://169.254.169.254/latest".to_owned()),
        Some("file:///etc/passwd".to_owned()),
        Some("not a url".to_owned()),
        None,
    ] {
        let error = page.fetch_media(&at(url.clone()), &path, 100).await.expect_err("not Meta's");
        assert!(matches!(error, MediaError::Gone(_)), "{url:?}: {error}");
    }
    for (status, gone) in [(403, true), (404, true), (410, true), (500, false), (429, false)] {
        fake.then_bytes(status, b"");
        let error = page.fetch_media(&at(here.clone()), &path, 100).await.expect_err("no file");
        assert_eq!(matches!(error, MediaError::Gone(_)), gone, "{status}: {error}");
    }
    assert!(!path.exists());
}
