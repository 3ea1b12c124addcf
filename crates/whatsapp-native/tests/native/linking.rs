//! From the first code to the end of a session.

use frontdesk_channels::contract::{SessionDriver as _, SessionEvent};
use whatsapp_rust::NodeBuilder;

use crate::mock::Mock;
use crate::stage::{OWN, SARI, Stage, now};

#[tokio::test]
async fn a_phone_that_scans_the_code_is_linked_and_named() {
    let stage = Stage::new().await;
    stage.driver.start().await.expect("it starts");
    let told = stage.until("a code", |event| match event {
        SessionEvent::Qr { code, expires_in_ms, attempt } => Some((code.clone(), *expires_in_ms, *attempt)),
        _ => None,
    });
    let (code, expires_in_ms, attempt) = told.await.0;
    assert!((50_000..=60_000).contains(&expires_in_ms), "the first code holds a minute: {expires_in_ms}");
    assert_eq!(attempt, 1);
    stage.mock.scan(&code, OWN).await;
    let mut order = Vec::new();
    let phone = stage.until("the connection", |event| match event {
        SessionEvent::Paired(phone) => {
            order.push(("paired", phone.phone.clone()));
            None
        }
        SessionEvent::Syncing => {
            order.push(("syncing", None));
            None
        }
        SessionEvent::Connected(phone) => Some(phone.clone()),
        SessionEvent::Dropped { reason } | SessionEvent::Failed { reason } => panic!("it ended: {reason}"),
        _ => None,
    });
    let phone = phone.await.0;
    assert_eq!(order, [("paired", Some(format!("+{OWN}"))), ("syncing", None)]);
    assert_eq!(phone.phone, Some(format!("+{OWN}")));
    assert_eq!(phone.lid, Some(format!("9{OWN}@lid")));
    stage.driver.stop().await;
}

#[tokio::test]
async fn a_linked_session_comes_back_without_a_code_and_knows_the_server() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    stage.driver.stop().await;
    stage.driver.start().await.expect("it starts again");
    let asked_for_a_scan = stage.until("the connection", |event| match event {
        SessionEvent::Connected(_) => Some(false),
        SessionEvent::Qr { .. } => Some(true),
        _ => None,
    });
    assert!(!asked_for_a_scan.await.0, "the phone stays linked");
    let resumed = stage.mock.wait("the second call", |state| Some(state.resumed)).await;
    assert_eq!(resumed, 1, "the second handshake is the short one");
    stage.driver.stop().await;
}

#[tokio::test]
async fn a_line_that_breaks_is_told_once_and_the_driver_can_be_started_again() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    stage.mock.hang_up(OWN).await;
    stage.until("the end", |event| matches!(event, SessionEvent::Dropped { .. }).then_some(())).await;
    stage.driver.start().await.expect("it starts again");
    stage.connected().await;
    stage.driver.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_ends_the_start() {
    let mut mock = Mock::start().await;
    mock.url = "ws://127.0.0.1:9/ws/chat".to_owned();
    let stage = Stage::at(mock, Default::default()).await;
    stage.driver.start().await.expect("it starts");
    let end = stage.until("the end", |event| match event {
        SessionEvent::Dropped { .. } => Some(()),
        SessionEvent::Qr { .. } => panic!("nobody could have given a code"),
        _ => None,
    });
    end.await;
}

#[tokio::test]
async fn a_phone_that_removes_the_device_leaves_nothing_behind() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    assert!(stage.keys.count() > 800, "keys for newcomers are kept");
    let conflict = NodeBuilder::new("conflict").attr("type", "device_removed").build();
    stage
        .mock
        .push(OWN, NodeBuilder::new("stream:error").attr("code", "401").children([conflict]).build())
        .await;
    stage.until("the end", |event| matches!(event, SessionEvent::LoggedOut { .. }).then_some(())).await;
    assert_eq!(stage.keys.count(), 0, "all keys are forgotten");
    stage.driver.start().await.expect("it starts again");
    stage.code().await;
    stage.driver.stop().await;
}

#[tokio::test]
async fn signing_out_unlinks_the_device_at_whatsapp_and_forgets_it_here() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    stage.driver.logout().await.expect("it signs out");
    assert_eq!(stage.keys.count(), 0);
    stage.mock.wait("no device", |state| (!state.is_ready(OWN)).then_some(())).await;
    assert!(
        stage
            .driver
            .send(&crate::stage::outbound(frontdesk_model::outbound::OutboundBody::Text("x".into())))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_ban_is_told_with_its_end() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    stage.driver.stop().await;
    let attrs = [("reason", "402"), ("code", "101"), ("expire", "3600")];
    let attrs = attrs.map(|(key, value)| (key, value.to_owned())).to_vec();
    stage.mock.treat(|mood| mood.failure = Some(attrs)).await;
    stage.driver.start().await.expect("it starts");
    let (told, _) = stage
        .until("the ban", |event| match event {
            SessionEvent::Banned { until, reason } => Some((*until, reason.clone())),
            _ => None,
        })
        .await;
    assert_eq!(told.0, now().plus_ms(3_600_000));
    assert!(told.1.contains("101"), "{}", told.1);
}

#[tokio::test]
async fn another_program_with_the_same_session_ends_this_one_for_good() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    let conflict = NodeBuilder::new("conflict").attr("type", "replaced").build();
    stage.mock.push(OWN, NodeBuilder::new("stream:error").children([conflict]).build()).await;
    stage.until("the end", |event| matches!(event, SessionEvent::Failed { .. }).then_some(())).await;
    assert!(stage.keys.count() > 0, "the phone stays linked");
}

#[tokio::test]
async fn a_code_can_be_typed_in_place_of_scanning() {
    let stage = Stage::new().await;
    stage.driver.start().await.expect("it starts");
    stage.code().await;
    stage.driver.request_pairing_code(OWN).await.expect("a code is given");
    let (code, _) = stage
        .until("a code to type", |event| match event {
            SessionEvent::PairingCode { code, expires_in_ms } => Some((code.clone(), *expires_in_ms)),
            _ => None,
        })
        .await;
    let letters = code.0.chars().filter(char::is_ascii_alphanumeric).count();
    assert_eq!(letters, 8, "eight letters to type");
    assert!(code.1 > 60_000);
    stage.driver.stop().await;
}

#[tokio::test]
async fn who_is_on_whatsapp_is_told_by_number() {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    stage.mock.treat(|mood| mood.unknown.extend(["6281399999999".to_owned()])).await;
    let asked = [SARI.to_owned(), "6281399999999".to_owned()];
    let found = stage.driver.check_numbers(&asked).await.expect("an answer");
    let told: Vec<(&str, bool)> =
        found.iter().map(|check| (check.phone.as_str(), check.registered)).collect();
    assert_eq!(told, [(SARI, true), ("6281399999999", false)]);
    assert_eq!(found[0].lid, Some(format!("9{SARI}@lid")));
    let picture = stage.driver.profile_picture(&crate::stage::chat(SARI)).await.expect("an answer");
    assert_eq!(picture.as_deref(), Some("https://pps.example/1.jpg"));
    let nobody = stage.driver.contact(&crate::stage::chat("6281399999999")).await.expect("an answer");
    assert_eq!(nobody, None);
    let sari =
        stage.driver.contact(&crate::stage::chat(SARI)).await.expect("an answer").expect("Sari is there");
    assert_eq!(sari.phone, Some(format!("+{SARI}")));
    assert_eq!(sari.about.as_deref(), Some("At the beach"));
    stage.driver.stop().await;
}
