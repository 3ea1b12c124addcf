//! One customer is erased: nothing of theirs is left anywhere, and nothing of others is touched.

use std::path::Path;

use frontdesk_model::{ContactId, MessageId};
use frontdesk_store::erasures;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{self, NUMBER};
use frontdesk_testkit::server::{START, TestServer};
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, id_of, until};
use serde_json::{Value, json};

/// Stands wherever the customer's data can be.
const MARK: &str = "qzjxmarker";
/// In a file that another customer got too.
const SHARED: &str = "the house rules, for everyone";

pub async fn contact_of(stage: &Stage, thread: &Thread) -> i64 {
    let (status, shown) =
        stage.call("GET", &format!("/api/v1/conversations/{}", thread.id), Value::Null).await;
    assert_eq!(status, 200, "{shown}");
    shown["customer_id"].as_i64().unwrap()
}

pub async fn send_file(stage: &Stage, thread: &Thread, name: &str, bytes: &str) -> Value {
    let file = stage.upload(name, "text/plain", bytes.as_bytes().to_vec()).await;
    let sent = stage.reply(thread, json!({ "attachments": [file["id"]] })).await;
    stage.arrives(id_of(&sent)).await;
    sent
}

fn files_with(folder: &Path, mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, mark));
        } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(mark) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Places that this flow would fill only with luck: each gets the mark.
async fn plant(stage: &Stage, victim: &Thread, contact: i64, message: MessageId, phone: &str) {
    let account = stage.account;
    let inbox = stage.inbox("whatsapp").await;
    let body = hex::encode(format!("{{\"from\":\"{phone}\",\"about\":\"wamid.never\",\"text\":\"{MARK}\"}}"));
    let bytes = |hex: &str| match stage.database.kind {
        "sqlite" => format!("x'{hex}'"),
        _ => format!("'\\x{hex}'::BYTEA"),
    };
    let (body, hash) = (bytes(&body), bytes("00ff"));
    let Thread { id: conversation, .. } = victim;
    stage
        .database
        .script(&format!(
            "INSERT INTO webhook_logs (account_id, door, body_hash, body, state, error, created_at)
                VALUES (0, 'x', {hash}, {body}, 'failed', '{MARK}', 1);
             INSERT INTO pending_updates (account_id, inbox_id, remote_id, update_key, data, created_at)
                VALUES ({account}, {inbox}, 'wamid.never', 'k', '{MARK}', 9999999999999),
                       ({account}, {inbox}, '{phone}', 'k', '{MARK}', 9999999999999);
             INSERT INTO message_edits (account_id, message_id, version, content, edited_at)
                VALUES ({account}, {message}, 7, '{MARK}', 1);
             INSERT INTO reactions (account_id, message_id, sender_key, sender_type, sender_name, emoji, reacted_at)
                VALUES ({account}, {message}, 'them', 'customer', '{MARK}', 'x', 1);
             INSERT INTO reaction_sends (account_id, inbox_id, conversation_id, message_id, reacted_at, before_at,
                    sender_name, client_ref, status, status_rank, created_at, updated_at)
                VALUES ({account}, {inbox}, {conversation}, {message}, 1, 1, '{MARK}', 'r', 'sent', 3, 1, 1);
             INSERT INTO outbox (account_id, inbox_id, conversation_id, message_id, kind, data, state, due_at, created_at,
                    updated_at)
                VALUES ({account}, {inbox}, {conversation}, NULL, 'read', '{MARK}', 'unknown', 9999999999999, 1, 1);
             INSERT INTO bridges (id, account_id, connection_id, inbox_id, webhook_key, settings, status, event_cursor,
                    pulled_until, pull_at, created_at, updated_at)
                VALUES (4711, {account}, 1, {inbox}, 'k', '{{}}', 'paused', 0, 0, 0, 1, 1);
             INSERT INTO bridge_threads (account_id, bridge_id, remote_id, conversation_id, remote_status, created_at)
                VALUES ({account}, 4711, 31, {conversation}, 'open', 1);
             INSERT INTO bridge_messages (account_id, bridge_id, message_id, remote_id, remote_conversation_id, is_theirs,
                    told, created_at)
                VALUES ({account}, 4711, {message}, 32, 31, TRUE, '\"{MARK}\"', 1);
             INSERT INTO bridge_jobs (account_id, bridge_id, lane, kind, job_key, data, state, due_at, created_at, updated_at)
                VALUES ({account}, 4711, 'r31', 'answer', 'm33', '\"{MARK}\"', 'failed', 9999999999999, 1, 1),
                       ({account}, 4711, 'c{conversation}', 'message', 'e1', '\"{MARK}\"', 'failed', 9999999999999, 1, 1);
             UPDATE events SET data = '\"{MARK}\"' WHERE conversation_id = {conversation};
             UPDATE audit_entries SET details = '\"{MARK}\"' WHERE subject_type = 'contact' AND subject_id = {contact};
             UPDATE deliveries SET error = '{MARK}' WHERE message_id IN
                (SELECT id FROM messages WHERE conversation_id = {conversation});
             UPDATE conversations SET subject = '{MARK}', labels = '[\"{MARK}\"]' WHERE id = {conversation};"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_is_nowhere_and_others_are_untouched() {
    for stage in Stage::on_all(StageSettings::default()).await {
        let threads = stage.threads("whatsapp", 2).await;
        let [victim, other] = &threads[..] else { panic!("two customers") };
        let remote =
            stage.act(&victim.customer, "whatsapp", json!({"kind": "text", "text": format!("{MARK} here")}));
        let message = stage.received("whatsapp", &remote).await;
        stage.arrives(stage.say(victim, &format!("{MARK}, welcome")).await).await;
        stage.arrives(stage.say(other, "Welcome to you").await).await;
        send_file(&stage, victim, &format!("{MARK}.txt"), &format!("only for {MARK}")).await;
        send_file(&stage, victim, "rules.txt", SHARED).await;
        send_file(&stage, other, "rules.txt", SHARED).await;
        let contact = contact_of(&stage, victim).await;
        let change = json!({ "name": format!("{MARK} Name"), "email": format!("{MARK}@example.org") });
        let path = format!("/api/v1/contacts/{contact}");
        assert_eq!(stage.call("PATCH", &path, change).await.0, 200);
        let account = stage.account;
        let names = stage.read(move |tx| erasures::names(tx, account, ContactId(contact))).await;
        let phone = names.iter().find(|name| name.starts_with("62813")).unwrap().clone();
        plant(&stage, victim, contact, message.id, &phone).await;
        let (_, found) = stage.call("GET", &format!("/api/v1/conversations?q={MARK}"), Value::Null).await;
        assert_eq!(found["data"].as_array().unwrap().len(), 1);

        let hits = async || -> Vec<(String, String)> {
            let marks = [MARK.to_owned(), hex::encode(MARK), phone.clone(), hex::encode(&phone)];
            let rows = stage.database.dump().await;
            rows.into_iter().filter(|(_, row)| marks.iter().any(|mark| row.contains(mark))).collect()
        };
        let media = stage.first().settings.data_dir.join("media");
        let mut tables: Vec<String> = hits().await.into_iter().map(|(table, _)| table).collect();
        tables.sort();
        tables.dedup();
        assert!(tables.len() >= 16, "planted too little: {tables:?}");
        if stage.database.kind == "sqlite" {
            assert!(tables.contains(&"messages_fts_data".to_owned()), "{tables:?}");
        } else {
            assert!(tables.contains(&"media_chunks".to_owned()), "{tables:?}");
        }
        assert_eq!(files_with(&media, MARK).len(), 1);
        let of_other = format!("/api/v1/conversations/{}/messages", other.id);
        let messages_of_other = async || -> Vec<(Value, Value)> {
            let (_, shown) = stage.call("GET", &of_other, Value::Null).await;
            let all = shown["data"].as_array().unwrap();
            all.iter().map(|m| (m["content"].clone(), m["attachments"][0]["id"].clone())).collect()
        };
        let before = messages_of_other().await;

        assert_eq!(stage.call("DELETE", &path, Value::Null).await.0, 204);

        assert_eq!(hits().await, [], "{}", stage.database.kind);
        assert_eq!(files_with(&media, MARK), Vec::<String>::new());
        assert_eq!(files_with(&media, SHARED).len(), 1, "another customer has it too");
        assert_eq!(messages_of_other().await, before);
        assert_eq!(stage.call("GET", &path, Value::Null).await.0, 404);
        assert_eq!(stage.call("DELETE", &path, Value::Null).await.0, 404);
        let (_, audit) = stage.call("GET", "/api/v1/audit", Value::Null).await;
        let told = |e: &&Value| e["action"] == "contact.erased" && e["subject_id"] == contact;
        assert!(audit["data"].as_array().unwrap().iter().any(|e| told(&e)), "{audit}");
        let (_, events) = stage.call("GET", "/api/v1/events?after=0&limit=500", Value::Null).await;
        let gone = |e: &&Value| {
            e["name"].as_str().unwrap().ends_with("ConversationMerged")
                && e["data"]["conversation_id"] == victim.id.0
                && e["data"]["into_id"].is_null()
        };
        assert!(events["data"].as_array().unwrap().iter().any(|e| gone(&e)), "{events}");

        // Who writes again is somebody new.
        let again = stage.act(&victim.customer, "whatsapp", json!({"kind": "text", "text": "Halo again"}));
        let again = stage.received("whatsapp", &again).await;
        let path = format!("/api/v1/conversations/{}/messages", again.conversation_id);
        let (_, shown) = stage.call("GET", &path, Value::Null).await;
        let texts: Vec<_> = shown["data"].as_array().unwrap().iter().map(|m| &m["content"]).collect();
        assert_eq!(texts, ["Halo again"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_cut_off_is_gone_on_with_at_the_next_start() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        let thread = stage.thread("messenger").await;
        let (account, contact) = (stage.account, ContactId(contact_of(&stage, &thread).await));
        stage.nodes[0].stop().await;
        let now = stage.first().clock.now();
        let noted =
            stage.database.store.write(move |tx| erasures::note(tx, account, contact, now)).await.unwrap();
        assert!(noted);
        let data = stage.first().settings.data_dir.clone();
        let engine = stage.engine(stage.first().settings.clone(), &data).await;
        let workers = frontdesk_engine::workers::spawn(&engine);
        until("the contact is gone", || async {
            let left = stage
                .read(move |tx| {
                    let open = erasures::list(tx, 10)?.len();
                    Ok(open + erasures::conversations(tx, account, contact)?.len())
                })
                .await;
            (left == 0).then_some(())
        })
        .await;
        engine.shutdown.cancel();
        workers.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_does_not_come_back_when_it_is_delivered_again() {
    let sari = Person::named("6281390045512", "Sari");
    let text = |id: &str, words: &str| bodies::text(NUMBER, sari, id, START.as_secs(), words);
    for server in TestServer::on_all(meta::settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let first = bodies::bytes(&text("wamid.1", "Halo"));
        server.deliver(first.clone()).await;
        server.deliver(bodies::bytes(&text("wamid.2", "Ada kamar?"))).await;
        let contact = server.database.number("SELECT MAX(id) FROM contacts").await;
        let erase = server.delete(&format!("/api/v1/contacts/{contact}")).bearer(&admin);
        assert_eq!(erase.send().await.status, 204);

        let counts = async || {
            let mut counts = Vec::new();
            for table in ["contacts", "conversations", "messages"] {
                counts.push(server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await);
            }
            counts
        };
        // The same bytes, the same message in other bytes, and both in one body.
        server.deliver(first.clone()).await;
        server.deliver([first.as_ref(), b" "].concat()).await;
        let mut both = text("wamid.1", "Halo");
        let second = text("wamid.2", "Ada kamar?")["entry"][0].clone();
        both["entry"].as_array_mut().unwrap().push(second);
        server.deliver(bodies::bytes(&both)).await;
        assert_eq!(counts().await, [0, 0, 0], "{}", server.database.kind);
        let kept = "SELECT COUNT(*) FROM webhook_logs WHERE error IS NULL OR error <> 'erased'";
        assert_eq!(server.database.number(kept).await, 0, "nor are the bodies kept");

        // Who writes again is somebody new, and what was erased stays so.
        let mut with_old = text("wamid.3", "Halo again");
        with_old["entry"].as_array_mut().unwrap().push(text("wamid.1", "Halo")["entry"][0].clone());
        server.deliver(bodies::bytes(&with_old)).await;
        server.deliver(first).await;
        assert_eq!(counts().await, [1, 1, 1], "{}", server.database.kind);
        let new = "SELECT COUNT(*) FROM messages WHERE remote_id = 'wamid.3'";
        assert_eq!(server.database.number(new).await, 1);
    }
}
