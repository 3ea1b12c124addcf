use frontdesk_testkit::meta::{APP_SECRET, BEARER, DOOR, VERIFY_TOKEN, fixture, settings, sign};
use frontdesk_testkit::server::{TestServer, TestSettings};

const HEADER: &str = "x-hub-signature-256";

#[tokio::test]
async fn the_challenge_is_repeated_to_who_knows_the_token() {
    let asked = |pairs: &[(&str, &str)]| {
        let query: String = url_query(pairs);
        format!("{DOOR}?{query}")
    };
    for server in TestServer::on_all(settings()).await {
        let good =
            [("hub.mode", "subscribe"), ("hub.challenge", "abc123"), ("hub.verify_token", VERIFY_TOKEN)];
        let answer = server.get(&asked(&good)).send().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "abc123"));
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");

        for token in
            ["", "x", "the verify toke", "the verify token ", "THE VERIFY TOKEN", "\u{0}", APP_SECRET]
        {
            let query = asked(&[good[0], good[1], ("hub.verify_token", token)]);
            let refused = server.get(&query).send().await.refused(403, "INVALID_SIGNATURE");
            assert_eq!(refused["error"], "Invalid verification token");
        }
        let long = "1".repeat(257);
        for pairs in [
            vec![],
            vec![good[0], good[2]],
            vec![good[1], good[2]],
            vec![("hub.mode", "unsubscribe"), good[1], good[2]],
            vec![good[0], ("hub.challenge", ""), good[2]],
            vec![good[0], ("hub.challenge", &long), good[2]],
            vec![good[0], good[1], ("hub.challenge", "other"), good[2]],
            vec![good[0], good[0], good[1], good[2]],
        ] {
            server.get(&asked(&pairs)).send().await.refused(400, "BAD_REQUEST");
        }
        let missing = server.get(&asked(&good[..2])).send().await;
        missing.refused(403, "INVALID_SIGNATURE");
        let twice = server.get(&asked(&[good[0], good[1], good[2], good[2]])).send().await;
        twice.refused(403, "INVALID_SIGNATURE");
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            server.call(method, DOOR).send().await.refused(405, "METHOD_NOT_ALLOWED");
        }
    }
}

fn url_query(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
    pairs.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn the_token_of_a_relay_is_good_for_whatsapp_without_a_signature_and_nothing_else() {
    let whatsapp = fixture("whatsapp/01_text");
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let call = || server.post(DOOR).body(whatsapp.clone());
        for value in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            "Bearer wrong".to_owned(),
            format!("Basic {BEARER}"),
            BEARER.to_owned(),
            format!("Bearer {BEARER}x"),
            format!("Bearer {APP_SECRET}"),
        ] {
            call().header("authorization", &value).send().await.refused(403, "INVALID_SIGNATURE");
        }
        let twice = call().bearer(BEARER).bearer(BEARER);
        twice.send().await.refused(403, "INVALID_SIGNATURE");
        // A signature alone decides, whatever it looks like.
        for signature in [&b"sha256=00"[..], b"", b"\xff", b"sha1=abc"] {
            let both = call().bearer(BEARER).header(HEADER, signature);
            both.send().await.refused(403, "INVALID_SIGNATURE");
        }
        for name in ["messenger/01_text_quick_reply", "instagram/01_text_and_media"] {
            let other = server.post(DOOR).bearer(BEARER).body(fixture(name));
            other.send().await.refused(403, "INVALID_SIGNATURE");
        }
        for body in ["", "{", "[]", "{\"object\":7}", "{\"entry\":[]}"] {
            server.post(DOOR).bearer(BEARER).body(body).send().await.refused(403, "INVALID_SIGNATURE");
        }
        assert_eq!(server.database.number("SELECT COUNT(*) FROM webhook_logs").await, 0);
        let wrong_bearer = server.webhook(fixture("whatsapp/05_voice_note")).bearer("wrong").send().await;
        assert_eq!(wrong_bearer.status, 200, "the signature decides");
        assert_eq!(call().header("authorization", format!("bearer {BEARER}")).send().await.status, 200);
    }
}

#[tokio::test]
async fn a_server_without_secrets_believes_nobody() {
    let mut empty = settings();
    empty.engine.doors.meta_app_secrets = vec![String::new()];
    empty.engine.doors.meta_verify_tokens = vec![String::new()];
    empty.engine.doors.whatsapp_webhook_token = Some(String::new());
    for settings in [TestSettings::default(), empty] {
        for server in TestServer::on_all(settings).await {
            server.connect_all().await;
            let body = fixture("whatsapp/01_text");
            for secret in ["", APP_SECRET] {
                let call = server.post(DOOR).header(HEADER, sign(&body, secret)).body(body.clone());
                call.send().await.refused(403, "INVALID_SIGNATURE");
            }
            for token in ["", " ", "x"] {
                let call = server.post(DOOR).header("authorization", format!("Bearer {token}"));
                call.body(body.clone()).send().await.refused(403, "INVALID_SIGNATURE");
                let asked =
                    format!("{DOOR}?hub.mode=subscribe&hub.challenge=1&hub.verify_token={}", token.trim());
                server.get(&asked).send().await.refused(403, "INVALID_SIGNATURE");
            }
            assert_eq!(server.database.number("SELECT COUNT(*) FROM webhook_logs").await, 0);
        }
    }
}
