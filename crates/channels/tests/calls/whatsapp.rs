//! WhatsApp Cloud API.

use std::sync::Arc;

use frontdesk_channels::contract::{Connection, MediaError, Retry, Scope};
use frontdesk_model::RemoteId;
use frontdesk_model::contact::IdentityKind::{Bsuid, Phone};
use frontdesk_model::content::{ContactCard, Labelled, Location, MediaKind, MediaRef, Template};
use frontdesk_model::outbound::{Interactive, InteractiveChoice, OutboundBody, OutboundMessage, Recipient};
use serde_json::json;

use crate::fake::{Fake, customer, file, message, open_at, refused};

const SETTINGS: &[(&str, &str)] =
    &[("phone_number_id", "108"), ("business_account_id", "215"), ("access_token", "EAAtoken")];

async fn number() -> (Fake, Arc<dyn Connection>) {
    let fake = Fake::start().await;
    let connection = fake.open("whatsapp_cloud", SETTINGS);
    (fake, connection)
}

fn sari() -> Recipient {
    customer("6281390045512", &[(Bsuid, "ID.134"), (Phone, "+6281390045512")])
}

fn text(body: &str) -> OutboundMessage {
    message(sari(), OutboundBody::Text(body.to_owned()))
}

fn choice(id: &str, title: &str, description: Option<&str>) -> InteractiveChoice {
    InteractiveChoice {
        id: id.to_owned(),
        title: title.to_owned(),
        description: description.map(str::to_owned),
    }
}

fn buttons(titles: &[&str]) -> Interactive {
    Interactive {
        body: "Ready?".to_owned(),
        header: Some("Order".to_owned()),
        footer: Some("Thank you".to_owned()),
        buttons: titles.iter().map(|title| choice(title, title, None)).collect(),
        list_label: None,
        rows: Vec::new(),
    }
}

fn list() -> Interactive {
    Interactive {
        rows: vec![choice("r1", "Tuesday", Some("Bandung")), choice("r2", "Friday", None)],
        list_label: Some("Choose".to_owned()),
        ..buttons(&[])
    }
}

#[tokio::test]
async fn every_kind_of_message_is_written_as_whatsapp_wants_it() {
    let (fake, number) = number().await;
    let place = Location {
        latitude: -6.2,
        longitude: 106.8,
        name: Some("Monas".to_owned()),
        address: None,
        url: Some("https://example.com".to_owned()),
    };
    let card = ContactCard {
        name: "Budi".to_owned(),
        phones: vec![Labelled { value: "+62855".to_owned(), label: Some("CELL".to_owned()) }],
        emails: vec![Labelled { value: "b@example.com".to_owned(), label: None }],
        organization: Some("Kopi".to_owned()),
    };
    let template = Template {
        name: "order_update".to_owned(),
        language: "id".to_owned(),
        components: vec![
            json!({"type": "BODY", "parameters": [{"type": "text", "text": "Sari", "parameter_name": "name"}]}),
            json!({"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "x"}]}),
        ],
    };
    let target = RemoteId::new("wamid.in");
    for body in [
        OutboundBody::Text("see https://example.com".to_owned()),
        OutboundBody::Location(place),
        OutboundBody::Contacts(vec![card]),
        OutboundBody::Template(template),
        OutboundBody::Interactive(buttons(&["Yes", "No"])),
        OutboundBody::Interactive(list()),
        OutboundBody::Reaction { target: target.clone(), emoji: Some("👍".to_owned()) },
        OutboundBody::Reaction { target, emoji: None },
    ] {
        let sent = number.send(&message(sari(), body)).await.expect("accepted");
        assert_eq!(sent.remote_id.as_str(), "wamid.sent");
    }
    insta::assert_json_snapshot!(fake.bodies());
}

#[tokio::test]
async fn a_message_is_one_request_with_the_token_in_the_header() {
    let (fake, number) = number().await;
    let answer = OutboundMessage { reply_to: Some(RemoteId::new("wamid.in")), ..text("hi") };
    number.send(&answer).await.expect("accepted");
    let calls = fake.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].line, "POST /graph/v26.0/108/messages");
    assert_eq!(calls[0].authorization, "Bearer EAAtoken");
    assert_eq!(calls[0].body["context"], json!({"message_id": "wamid.in"}));
    assert_eq!(calls[0].body["biz_opaque_callback_data"], "7f7d4c1e");
}

#[tokio::test]
async fn an_app_secret_of_its_own_proves_every_call() {
    let fake = Fake::start().await;
    let number = fake.open("whatsapp_cloud", &[SETTINGS, &[("app_secret", "s")]].concat());
    number.send(&text("hi")).await.expect("accepted");
    let line = &fake.calls()[0].line;
    assert!(line.starts_with("POST /graph/v26.0/108/messages?appsecret_proof="), "{line}");
}

#[tokio::test]
async fn a_customer_is_reached_by_phone_or_by_user_id() {
    let (fake, number) = number().await;
    for to in [
        sari(),
        customer("551187650021", &[(Phone, "+5511987650021")]),
        customer("6281390045512", &[(Phone, "+6285770011223")]),
        customer("ID.134", &[(Bsuid, "ID.134"), (Phone, "+6281390045512")]),
        customer("ID.134", &[(Bsuid, "ID.134")]),
        customer("6281390045512", &[(Bsuid, "ID.134")]),
        customer("ID.134", &[]),
    ] {
        number.send(&message(to, OutboundBody::Text("hi".to_owned()))).await.expect("accepted");
    }
    let to: Vec<String> = fake
        .bodies()
        .iter()
        .map(|b| b.get("to").map_or_else(|| format!("recipient {}", b["recipient"]), ToString::to_string))
        .collect();
    assert_eq!(
        to,
        [
            "\"6281390045512\"",
            "\"551187650021\"",
            "\"6285770011223\"",
            "\"6281390045512\"",
            "recipient \"ID.134\"",
            "\"6281390045512\"",
            "recipient \"ID.134\""
        ]
    );
}

#[tokio::test]
async fn a_file_is_uploaded_and_sent_by_its_id() {
    let (fake, number) = number().await;
    let folder = tempfile::tempdir().expect("a folder");
    for (kind, name, mime) in [
        (MediaKind::Image, "a.png", "image/png"),
        (MediaKind::Voice, "a.ogg", "audio/ogg"),
        (MediaKind::Document, "a.pdf", "application/pdf"),
        (MediaKind::Sticker, "a.webp", "image/webp"),
    ] {
        let mut media = file(&folder, kind, name, mime);
        media.caption = (kind == MediaKind::Document).then(|| "the bill".to_owned());
        number.send(&message(sari(), OutboundBody::Media(media))).await.expect("accepted");
    }
    let calls = fake.calls();
    let lines: Vec<&str> = calls.iter().map(|c| c.line.as_str()).collect();
    assert_eq!(lines[..2], ["POST /graph/v26.0/108/media", "POST /graph/v26.0/108/messages"]);
    insta::assert_json_snapshot!(calls.iter().map(|c| c.body.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_file_that_does_not_arrive_leaves_its_message_surely_unsent() {
    let (fake, number) = number().await;
    let folder = tempfile::tempdir().expect("a folder");
    let media = file(&folder, MediaKind::Image, "a.png", "image/png");
    fake.then_bytes(200, b"<html>");
    let error = refused(&*number, &message(sari(), OutboundBody::Media(media.clone()))).await;
    assert!(error.certain && error.retry == Retry::OnSchedule, "{error:?}");
    assert_eq!(fake.calls().len(), 1, "the message itself was not sent");
    std::fs::remove_file(&media.path).expect("removed");
    let error = refused(&*number, &message(sari(), OutboundBody::Media(media))).await;
    assert_eq!((error.certain, error.retry, error.code.as_str()), (true, Retry::Never, "FILE"));
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn what_whatsapp_cannot_carry_is_refused_without_a_call() {
    let (fake, number) = number().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut voice = file(&folder, MediaKind::Voice, "a.ogg", "audio/ogg");
    voice.caption = Some("words".to_owned());
    let mut picture = file(&folder, MediaKind::Image, "a.png", "image/png");
    picture.caption = Some("x".repeat(1025));
    let odd = Template {
        name: "t".to_owned(),
        language: "id".to_owned(),
        components: vec![json!({"type": "body", "parameters": [{"type": "spell"}]})],
    };
    for body in [
        OutboundBody::Text(String::new()),
        OutboundBody::Text("é".repeat(4097)),
        OutboundBody::Media(voice),
        OutboundBody::Media(picture),
        OutboundBody::Template(odd),
        OutboundBody::Interactive(buttons(&[])),
        OutboundBody::Interactive(buttons(&["1", "2", "3", "4"])),
        OutboundBody::Interactive(buttons(&["a title of 21 letters"])),
        OutboundBody::Interactive(Interactive { body: "x".repeat(1025), ..buttons(&["Yes"]) }),
        OutboundBody::Interactive(Interactive { rows: vec![choice("r", "Row", None)], ..buttons(&["Yes"]) }),
        OutboundBody::Interactive(Interactive { rows: vec![choice("r", "Row", None); 11], ..buttons(&[]) }),
    ] {
        let error = refused(&*number, &message(sari(), body.clone())).await;
        assert_eq!(
            (error.certain, error.retry, error.code.as_str()),
            (true, Retry::Never, "UNSUPPORTED"),
            "{body:?}"
        );
        assert!(error.shown.ends_with('.'), "{}", error.shown);
    }
    assert!(fake.calls().is_empty());
    number.send(&text(&"é".repeat(4096))).await.expect("just short enough");
}

#[tokio::test]
async fn a_refusal_says_what_waits_and_what_helps() {
    let (fake, number) = number().await;
    for (code, retry, scope, reconnect, action) in [
        (131_047, Retry::Never, Scope::Conversation, false, Some("template")),
        (190, Retry::Never, Scope::Inbox, true, Some("reconnect")),
        (131_056, Retry::AfterMs(6000), Scope::Conversation, false, Some("retry")),
        (130_429, Retry::OnSchedule, Scope::Inbox, false, Some("retry")),
        (131_026, Retry::Never, Scope::Message, false, None),
        (131_048, Retry::AfterMs(4 * 3_600_000), Scope::Inbox, false, Some("retry")),
    ] {
        fake.then_error(code, None);
        let error = refused(&*number, &text("hi")).await;
        assert_eq!(
            (error.retry, error.scope, error.reconnect, error.action, error.http_status),
            (retry, scope, reconnect, action, Some(400)),
            "{code}"
        );
        assert!(
            error.certain && error.code == code.to_string() && error.shown.contains("Meta says: (#"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_the_outcome_open() {
    let (fake, number) = number().await;
    fake.then_bytes(200, b"{\"messages\": ");
    let error = refused(&*number, &text("hi")).await;
    assert_eq!((error.certain, error.retry, error.code.as_str()), (false, Retry::Never, "BAD_ANSWER"));
    fake.then(200, json!({"messages": []}));
    assert!(!refused(&*number, &text("hi")).await.certain);
    fake.then_bytes(504, b"");
    let error = refused(&*number, &text("hi")).await;
    assert_eq!((error.certain, error.http_status, error.code.as_str()), (false, Some(504), "HTTP_504"));
    fake.then_bytes(503, b"");
    let error = refused(&*number, &text("hi")).await;
    assert_eq!((error.certain, error.retry), (true, Retry::OnSchedule));
    assert_eq!(fake.calls().len(), 4, "nothing is repeated by itself");
}

#[tokio::test]
async fn a_provider_that_is_not_there_was_surely_not_reached() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", port.local_addr().expect("an address"));
    drop(port);
    let number = open_at("whatsapp_cloud", SETTINGS, &url, &["127.0.0.1"]).expect("opens");
    let error = refused(&*number, &text("hi")).await;
    assert_eq!((error.certain, error.retry, error.code.as_str()), (true, Retry::OnSchedule, "UNREACHABLE"));
}

#[test]
fn a_private_address_that_is_not_listed_is_not_called() {
    let error = open_at("whatsapp_cloud", SETTINGS, "http://127.0.0.1:1", &[]).err().expect("refused");
    assert!(error.reason.contains("allow_private_hosts"), "{error}");
}

#[tokio::test]
async fn reading_and_typing_are_told_by_the_last_message() {
    let (fake, number) = number().await;
    let receipts = number.receipts().expect("WhatsApp has them");
    let last = RemoteId::new("wamid.in");
    receipts.mark_read(&sari(), &last).await.expect("marked");
    receipts.typing(&sari(), &last).await.expect("shown");
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in"});
    let mut typing = read.clone();
    typing["typing_indicator"] = json!({"type": "text"});
    assert_eq!(fake.bodies(), [read, typing]);
    assert!(number.profiles().is_none());
}

#[tokio::test]
async fn a_check_tells_what_is_wrong_and_what_to_do() {
    let (fake, number) = number().await;
    let mut states = Vec::new();
    for answer in [
        json!({"id": "108", "verified_name": "Toko", "quality_rating": "GREEN", "status": "CONNECTED", "platform_type": "CLOUD_API"}),
        json!({"id": "108"}),
        json!({"id": "108", "platform_type": "NOT_APPLICABLE"}),
        json!({"id": "108", "status": "PENDING"}),
        json!({"id": "108", "status": "BANNED"}),
        json!({"id": "108", "status": "RESTRICTED", "platform_type": "CLOUD_API"}),
        json!({"id": "108", "quality_rating": "RED"}),
    ] {
        fake.then(200, answer);
        states.push(number.check().await);
    }
    for (code, subcode) in [
        (190, Some(463)),
        (10, None),
        (200, None),
        (100, Some(33)),
        (133_010, None),
        (368, None),
        (131_031, None),
        (131_042, None),
    ] {
        fake.then_error(code, subcode);
        states.push(number.check().await);
    }
    assert!(fake.calls().iter().all(|call| call.line.starts_with("GET /graph/v26.0/108?fields=")));
    insta::assert_json_snapshot!(states);
}

fn voice_note() -> MediaRef {
    MediaRef {
        kind: MediaKind::Voice,
        remote_id: Some("900".to_owned()),
        url: None,
        mime_type: None,
        file_name: None,
        sha256: None,
    }
}

#[tokio::test]
async fn a_file_is_fetched_in_two_steps_and_asked_for_again_when_its_address_expired() {
    let (fake, number) = number().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("voice");
    let info = json!({"id": "900", "url": format!("{}/lookaside/1", fake.url), "mime_type": "audio/ogg", "file_size": "9"});
    fake.then(200, info.clone()).then_bytes(404, b"").then(200, info).then_bytes(200, b"the bytes");
    let fetched = number.fetch_media(&voice_note(), &path, 100).await.expect("fetched");
    assert_eq!((fetched.size_bytes, fetched.mime_type.as_deref()), (9, Some("audio/ogg")));
    assert_eq!(fetched.sha256, "ed589341c9fd5da96aaff4c5efa008226282a716186608d5a032ac75895a9c2f".to_owned());
    assert_eq!(std::fs::read(&path).expect("kept"), b"the bytes");
    let calls = fake.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.authorization == "Bearer EAAtoken"));
}

#[tokio::test]
async fn a_file_that_cannot_be_had_leaves_nothing_behind() {
    let (fake, number) = number().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("voice");
    let at = |url: String| json!({"id": "900", "url": url});
    let here = format!("{}/lookaside/1", fake.url);
    fake.then(200, at(here.clone())).then_bytes(200, &[7; 101]);
    let error = number.fetch_media(&voice_note(), &path, 100).await.expect_err("too large");
    assert!(matches!(error, MediaError::TooLarge { max_bytes: 100 }), "{error}");
    fake.then(200, at("http://127.0.0.1:1/secret".to_owned()));
    let error = number.fetch_media(&voice_note(), &path, 100).await.expect_err("another host");
    assert!(matches!(error, MediaError::Gone(_)), "{error}");
    fake.then_error(100, Some(33));
    let error = number.fetch_media(&voice_note(), &path, 100).await.expect_err("expired");
    assert!(matches!(error, MediaError::Gone(_)), "{error}");
    fake.then_error(190, None);
    let error = number.fetch_media(&voice_note(), &path, 100).await.expect_err("no token");
    assert!(matches!(error, MediaError::Unavailable(_)), "{error}");
    let nameless = MediaRef { remote_id: None, ..voice_note() };
    let error = number.fetch_media(&nameless, &path, 100).await.expect_err("no id");
    assert!(matches!(error, MediaError::Gone(_)), "{error}");
    assert!(!path.exists());
}
