use bytes::Bytes;
use frontdesk_channels::contract::{Door, DoorKeys, DoorSecret, WebhookRequest};
use frontdesk_channels::meta::DOOR as DOOR_ITSELF;
use frontdesk_model::Timestamp;
use frontdesk_testkit::meta::{APP_SECRET, DOOR, fixture, settings, sign};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::size;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const HEADER: &str = "x-hub-signature-256";

#[tokio::test]
async fn every_change_of_a_signature_or_a_body_is_noticed() {
    let body = fixture("whatsapp/01_text");
    let good = sign(&body, APP_SECRET);
    let digits = good.strip_prefix("sha256=").unwrap();
    let mut forged: Vec<Vec<u8>> = vec![
        Vec::new(),
        digits.into(),
        format!("sha1={digits}").into(),
        format!("SHA256={digits}").into(),
        format!("sha256:{digits}").into(),
        format!("sha256= {digits}").into(),
        format!("sha256={}", digits.to_uppercase()).into(),
        format!("sha256={digits}00").into(),
        format!("sha256={}", &digits[..62]).into(),
        format!("sha256={digits},sha256={digits}").into(),
        format!("{good}\u{e9}").into(),
        b"\xff\xfe".to_vec(),
        b"sha256=".to_vec(),
        sign(&body, "another secret").into(),
        sign(&body, "").into(),
        sign(b"", APP_SECRET).into(),
    ];
    let raw = hex::decode(digits).unwrap();
    for bit in (0..256).step_by(size::pick(16, 1)) {
        let mut flipped = raw.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        forged.push(format!("sha256={}", hex::encode(flipped)).into());
    }
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        for signature in &forged {
            let call = server.post(DOOR).header(HEADER, signature).body(body.clone());
            let refused = call.send().await.refused(403, "INVALID_SIGNATURE");
            assert_eq!(refused["error"], "Invalid webhook signature");
        }
        let mut dice = StdRng::seed_from_u64(3);
        for _ in 0..100 {
            let mut changed = body.to_vec();
            let at = dice.random_range(0..changed.len());
            changed[at] ^= 1 << dice.random_range(0..8);
            let call = server.post(DOOR).header(HEADER, &good).body(Bytes::from(changed));
            call.send().await.refused(403, "INVALID_SIGNATURE");
        }
        let twice = server.post(DOOR).header(HEADER, &good).header(HEADER, &good).body(body.clone());
        twice.send().await.refused(403, "INVALID_SIGNATURE");
        let older = server.post(DOOR).header("x-hub-signature", &good).body(body.clone());
        older.send().await.refused(403, "INVALID_SIGNATURE");
        server.post(DOOR).body(body.clone()).send().await.refused(403, "INVALID_SIGNATURE");
        let stored = server.database.number("SELECT COUNT(*) FROM webhook_logs").await
            + server.database.number("SELECT COUNT(*) FROM messages").await;
        assert_eq!(stored, 0, "{}", server.database.kind);
        server.deliver(body.clone()).await;
    }
}

#[tokio::test]
async fn the_bytes_count_and_not_what_they_mean() {
    let body = fixture("whatsapp/02_text_wire_escaped");
    let meaning: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let rewritten = Bytes::from(meaning.to_string());
    assert_ne!(rewritten, body);
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let call = server.post(DOOR).header(HEADER, sign(&body, APP_SECRET)).body(rewritten.clone());
        call.send().await.refused(403, "INVALID_SIGNATURE");
        server.deliver(body.clone()).await;
        assert_eq!(server.database.number("SELECT COUNT(*) FROM messages").await, 1);
    }
}

#[tokio::test]
async fn any_of_several_secrets_will_do_so_that_they_can_be_changed() {
    let mut settings = settings();
    settings.engine.doors.meta_app_secrets = vec!["new".to_owned(), APP_SECRET.to_owned()];
    for server in TestServer::on_all(settings).await {
        server.connect_all().await;
        for (secret, name) in [("new", "whatsapp/01_text"), (APP_SECRET, "whatsapp/05_voice_note")] {
            assert_eq!(server.webhook_signed_with(secret, fixture(name)).send().await.status, 200);
        }
        assert_eq!(server.database.number("SELECT COUNT(*) FROM messages").await, 2);
    }
}

/// The door itself, without a server around it: forgeries of one body's signature, and as many bodies for one signature. A
/// hundred thousand at full size.
#[test]
fn no_forgery_is_taken() {
    let of_each = size::pick(1_000, 50_000);
    let body = fixture("whatsapp/02_text_wire_escaped");
    let good = sign(&body, APP_SECRET);
    let keys = DoorKeys { secrets: vec![DoorSecret::of_server(APP_SECRET)], ..DoorKeys::default() };
    let verify = |signature: String, body: &Bytes| {
        let headers = [(HEADER.to_owned(), signature)];
        DOOR_ITSELF
            .verify(&WebhookRequest { headers: &headers, body, now: Timestamp::default() }, &keys)
            .is_ok()
    };
    assert!(verify(good.clone(), &body));
    let mut dice = StdRng::seed_from_u64(20_261_122);
    let mut taken = Vec::new();
    for _ in 0..of_each {
        let mut forged = good.clone().into_bytes();
        match dice.random_range(0..6) {
            0 => forged[7 + dice.random_range(0..64)] = b"0123456789abcdef"[dice.random_range(0..16)],
            1 => forged[dice.random_range(0..71)] = dice.random_range(b' '..=b'~'),
            2 => drop(forged.remove(dice.random_range(0..71))),
            3 => forged.insert(dice.random_range(0..=71), b"0123456789abcdef"[dice.random_range(0..16)]),
            4 => forged[dice.random_range(0..71)].make_ascii_uppercase(),
            _ => forged.swap(dice.random_range(7..71), dice.random_range(7..71)),
        }
        let forged = String::from_utf8(forged).unwrap();
        if forged != good && verify(forged.clone(), &body) {
            taken.push(forged);
        }
    }
    for _ in 0..of_each {
        let mut changed = body.to_vec();
        match dice.random_range(0..4) {
            0 => changed[dice.random_range(0..body.len())] ^= 1 << dice.random_range(0..8),
            1 => drop(changed.remove(dice.random_range(0..body.len()))),
            2 => changed.insert(dice.random_range(0..=body.len()), b" \n0}"[dice.random_range(0..4)]),
            _ => changed.truncate(dice.random_range(0..body.len())),
        }
        if changed != body && verify(good.clone(), &Bytes::from(changed.clone())) {
            taken.push(String::from_utf8_lossy(&changed).into_owned());
        }
    }
    assert!(taken.is_empty(), "{taken:?}");
}
