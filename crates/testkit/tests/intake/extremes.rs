use frontdesk_model::Timestamp;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use frontdesk_testkit::snapshot;
use serde_json::{Value, json};

const SARI: Person<'static> = Person { phone: Some("6281390045512"), user_id: None, name: Some("Sari") };

/// The messages of the only conversation.
async fn shown(server: &TestServer, token: &str) -> Vec<Value> {
    let conversations = snapshot::conversations(server, token).await;
    assert_eq!(conversations.len(), 1, "{}", server.database.kind);
    snapshot::messages(server, token, conversations[0]["id"].as_i64().unwrap()).await
}

async fn with_inbox() -> Vec<(TestServer, String)> {
    let mut ready = Vec::new();
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let admin = server.admin_token().await;
        ready.push((server, admin));
    }
    ready
}

#[tokio::test]
async fn a_clock_gone_wrong_neither_loses_a_message_nor_puts_it_on_top_for_ever() {
    for (server, admin) in with_inbox().await {
        let now = START.as_secs();
        let times = [
            json!(now),
            json!(now + 86_400 * 365),
            json!("9223372036854775807"),
            json!("-1"),
            json!("0"),
            json!(4_102_444_800_000_i64),
            json!(1.5e9),
            json!("soon"),
            json!(null),
            json!([]),
        ];
        for (n, time) in times.iter().enumerate() {
            let mut body = bodies::text(NUMBER, SARI, &format!("wamid.{n}"), now, &format!("time {time}"));
            body["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = time.clone();
            server.deliver(bodies::bytes(&body)).await;
        }
        let rows = shown(&server, &admin).await;
        assert_eq!(rows.len(), times.len(), "{}: {rows:#?}", server.database.kind);
        for row in &rows {
            let at = Timestamp::parse(row["created_at"].as_str().unwrap()).unwrap();
            assert!(at <= START.plus_ms(300_000), "{row}");
        }
    }
}

#[tokio::test]
async fn any_text_is_kept_as_far_as_a_database_can_hold_it() {
    let long = "é".repeat(65_536);
    for (server, admin) in with_inbox().await {
        let texts = [
            ("\"a\\u0000b\"", "a\u{fffd}b"),
            ("\"a\\ud83d\\ude00b\"", "a😀b"),
            ("\"\\u202eRTL \\ufeff\"", "\u{202e}RTL \u{feff}"),
            ("\"' OR 1=1; DROP TABLE messages; --\"", "' OR 1=1; DROP TABLE messages; --"),
            ("\"{{7*7}} <script>alert(1)</script> %s %n\"", "{{7*7}} <script>alert(1)</script> %s %n"),
            ("\" \\n\\t \"", " \n\t "),
        ];
        for (n, (raw, _)) in texts.iter().enumerate() {
            let body = bodies::text(NUMBER, SARI, &format!("wamid.{n}"), START.as_secs() + n as i64, "TEXT");
            server.deliver(body.to_string().replace("\"TEXT\"", raw)).await;
        }
        let rows = shown(&server, &admin).await;
        for (row, (raw, expected)) in rows.iter().zip(texts) {
            assert_eq!(row["content"].as_str(), Some(expected), "{} {raw}", server.database.kind);
        }
        let body = bodies::text(NUMBER, SARI, "wamid.long", START.as_secs() + 100, &format!("{long}cut"));
        server.deliver(bodies::bytes(&body)).await;
        let rows = shown(&server, &admin).await;
        assert_eq!(rows.last().unwrap()["content"].as_str(), Some(long.as_str()));
        assert_eq!(rows.len(), texts.len() + 1);
    }
}

#[tokio::test]
async fn half_a_surrogate_costs_one_message_at_most_and_never_in_silence() {
    for (server, admin) in with_inbox().await {
        let good = bodies::text(NUMBER, SARI, "wamid.good", START.as_secs(), "good");
        let bad = bodies::text(NUMBER, SARI, "wamid.bad", START.as_secs() + 1, "TEXT");
        let both = bodies::merged(&[good, bad]).to_string().replace("\"TEXT\"", "\"a\\ud83d b\"");
        server.deliver(both).await;
        let rows = shown(&server, &admin).await;
        assert_eq!(rows.len(), 2, "{}: {rows:#?}", server.database.kind);
        assert_eq!(rows[0]["content"], "good");
    }
}

#[tokio::test]
async fn ids_and_names_of_any_length_cost_no_other_message() {
    let long = |seed: &str| (0..9000).map(|n| format!("{seed}{n}")).collect::<String>();
    for (server, admin) in with_inbox().await {
        let at = START.as_secs();
        let named = Person { name: Some("Sari"), user_id: None, phone: Some("6281390045512") };
        let name = long("name");
        let long_name = Person { name: Some(&name), ..named };
        let reaction =
            json!({ "type": "reaction", "reaction": { "message_id": long("x"), "emoji": long("e") } });
        let id = long("wamid");
        let user_id = long("ID.");
        let stranger = Person { phone: None, user_id: Some(&user_id), name: None };
        let mut reply = bodies::text(NUMBER, named, "wamid.reply", at + 3, "reply");
        reply["entry"][0]["changes"][0]["value"]["messages"][0]["context"] = json!({ "id": id });
        let batch = bodies::merged(&[
            bodies::text(NUMBER, named, "wamid.1", at, "first"),
            bodies::text(NUMBER, named, &id, at + 1, "long id"),
            bodies::message(NUMBER, named, "wamid.r", at + 2, reaction),
            bodies::text(NUMBER, stranger, "wamid.s", at + 2, "long user id"),
            bodies::status(NUMBER, named, &long("status"), at + 2, "read", Some(&long("ref"))),
            reply,
            bodies::text(NUMBER, long_name, "wamid.2", at + 4, "last"),
        ]);
        server.deliver(bodies::bytes(&batch)).await;
        let open = server.database.number("SELECT COUNT(*) FROM webhook_logs WHERE state <> 'applied'").await;
        assert_eq!(open, 0, "{}", server.database.kind);
        let conversations = snapshot::conversations(&server, &admin).await;
        let mut texts = Vec::new();
        for conversation in &conversations {
            let rows = snapshot::messages(&server, &admin, conversation["id"].as_i64().unwrap()).await;
            texts.extend(rows.iter().map(|m| m["content"].as_str().unwrap().to_owned()));
        }
        texts.sort();
        assert_eq!(texts, ["first", "last", "long id", "long user id", "reply"]);
        // The same again in other bytes: a shortened id is still known.
        server.deliver(format!("{batch} ")).await;
        let count = server.database.number("SELECT COUNT(*) FROM messages").await;
        assert_eq!(count, 5, "{}", server.database.kind);
    }
}

#[tokio::test]
async fn a_thousand_messages_in_one_body_are_a_thousand_messages() {
    for (server, admin) in with_inbox().await {
        let at = START.as_secs() - 2000;
        let all: Vec<Value> = (0..1000)
            .map(|n| bodies::text(NUMBER, SARI, &format!("wamid.{n}"), at + n, &format!("{n}")))
            .collect();
        server.deliver(bodies::bytes(&bodies::merged(&all))).await;
        let rows = shown(&server, &admin).await;
        assert_eq!(rows.len(), 1000, "{}", server.database.kind);
        assert!(rows.iter().enumerate().all(|(n, row)| row["content"].as_str() == Some(&*n.to_string())));
        let conversation = &snapshot::conversations(&server, &admin).await[0];
        assert_eq!(conversation["unread_count"], 1000);
        assert_eq!(conversation["last_message"]["content"], "999");
    }
}

#[tokio::test]
async fn a_file_is_announced_with_its_message_and_fetched_afterwards() {
    for (server, admin) in with_inbox().await {
        let voice = json!({ "type": "audio", "audio": { "id": "1166846181421424", "mime_type": "audio/ogg; codecs=opus",
            "sha256": "abc", "voice": true } });
        let paper = json!({ "type": "document", "document": { "id": "2166846181421424", "mime_type": "application/pdf",
            "filename": "../../etc/passwd", "caption": "the bill" } });
        server
            .deliver(bodies::bytes(&bodies::message(NUMBER, SARI, "wamid.1", START.as_secs(), voice)))
            .await;
        server
            .deliver(bodies::bytes(&bodies::message(NUMBER, SARI, "wamid.2", START.as_secs() + 1, paper)))
            .await;
        let rows = shown(&server, &admin).await;
        assert_eq!(rows[0]["kind"], "voice");
        let file = &rows[0]["attachments"][0];
        assert_eq!((file["kind"].as_str(), file["state"].as_str()), (Some("voice"), Some("pending")));
        assert_eq!((&file["url"], &rows[0]["media_url"]), (&Value::Null, &Value::Null));
        assert_eq!(
            (rows[1]["kind"].as_str(), rows[1]["content"].as_str()),
            (Some("document"), Some("the bill"))
        );
        assert_eq!(rows[1]["media_type"], "application/pdf");
        let name = rows[1]["attachments"][0]["file_name"].as_str().unwrap();
        assert!(!name.contains('/'), "{name}");
        let due = server.database.number("SELECT COUNT(*) FROM attachments WHERE state = 'pending'").await;
        assert_eq!(due, 2);
    }
}
