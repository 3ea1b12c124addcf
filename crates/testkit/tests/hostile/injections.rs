//! Three hundred strings that mean something to SQL or to a search index, in every place a string may stand.

use std::time::{Duration, Instant};

use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, settings};
use frontdesk_testkit::server::{START, TestServer};
use frontdesk_testkit::size;
use serde_json::{Value, json};

/// What is put in; with each way of quoting of [`WRAPPED`] they are three hundred.
const CORES: [&str; 60] = [
    "OR 1=1",
    "OR '1'='1'",
    "AND 1=2",
    "OR 1=1--",
    "OR 1=1#",
    "OR 1=1/*",
    "OR TRUE",
    "|| 1=1",
    "&& 1=1",
    "XOR 1",
    "UNION SELECT NULL",
    "UNION SELECT NULL,NULL,NULL",
    "UNION ALL SELECT sql FROM sqlite_master",
    "UNION SELECT table_name FROM information_schema.tables",
    "UNION SELECT password_hash FROM users",
    "ORDER BY 1",
    "ORDER BY 99",
    "GROUP BY 1 HAVING 1=1",
    "LIMIT 0 OFFSET 99",
    "LIMIT -1",
    "; DROP TABLE messages",
    "; DELETE FROM users",
    "; UPDATE users SET role='admin'",
    "; INSERT INTO accounts VALUES (9,'x')",
    "; VACUUM",
    "; ATTACH DATABASE '/tmp/x' AS x",
    "; PRAGMA writable_schema=1",
    "; COPY users TO '/tmp/x'",
    "; SELECT pg_sleep(5)",
    "AND (SELECT 1 FROM pg_sleep(5))",
    "AND randomblob(500000000)",
    "AND load_extension('x')",
    "AND (SELECT COUNT(*) FROM messages,messages,messages)",
    "AND CAST((SELECT version()) AS INT)",
    "AND 1=CAST('a' AS INT)",
    "AND extractvalue(1,concat(0x7e,version()))",
    "AND sleep(5)",
    "WAITFOR DELAY '0:0:5'",
    "IN (SELECT id FROM users)",
    "LIKE '%'",
    "GLOB '*'",
    "REGEXP '.*'",
    "MATCH 'a*'",
    "ESCAPE '\\'",
    "IS NOT NULL",
    "BETWEEN 0 AND 9",
    "COLLATE NOCASE",
    "$1",
    "$2::int",
    "?1",
    ":name",
    "@x",
    "{{7*7}}",
    "${7*7}",
    "%s%n",
    "\\x27",
    "\\u0027",
    "CHR(39)||CHR(39)",
    "NEAR(a b, 2)",
    "content:a AND NOT (b* OR ^c)",
];

/// Ways to get out of whatever stands around.
const WRAPPED: [fn(&str) -> String; 5] = [
    |core| format!("' {core} --"),
    |core| format!("\" {core} --"),
    |core| format!("1) {core} --"),
    |core| format!("%' {core} AND '%'='"),
    |core| format!("1 {core}"),
];

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02x}")).collect()
}

/// Whether it holds a word that stands in no name or phone number here, so that no search may find anything.
fn is_no_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() >= 3)
}

async fn rows(server: &TestServer) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "accounts",
        "users",
        "api_tokens",
        "inboxes",
        "contacts",
        "conversations",
        "messages",
        "webhook_logs",
    ] {
        counts.push(server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await);
    }
    counts.push(server.database.number("SELECT COUNT(*) FROM users WHERE role = 'admin'").await);
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn no_string_means_anything_to_the_database() {
    let strings: Vec<String> = CORES.iter().flat_map(|core| WRAPPED.iter().map(|wrap| wrap(core))).collect();
    assert_eq!(strings.len(), 300);
    let every = size::pick(17, 1); // 17 and the number of ways to wrap have no common factor: each is tried
    let strings: Vec<String> = strings.into_iter().step_by(every).collect();
    for server in TestServer::on_all(settings()).await {
        server.connect(server.account, "whatsapp_cloud", NUMBER, &[]).await;
        let sari = Person::named("6281390045512", "Sari");
        server.deliver(bodies::bytes(&bodies::text(NUMBER, sari, "wamid.1", START.as_secs(), "Halo"))).await;
        let admin = server.admin_token().await;
        let conversation = server.database.number("SELECT MAX(id) FROM conversations").await;
        let mut before = rows(&server).await;
        let mut replies = 0;
        for text in &strings {
            server.clock.advance_ms(61_000); // limits of so many a minute are not what is tried here
            let (word, began) = (encoded(text), Instant::now());
            let mut answers = Vec::new();
            for path in [
                format!("/admin/inbox?q={word}"),
                format!("/admin/inbox?status={word}&platform={word}&assignee={word}&sort={word}"),
                format!("/api/v1/conversations?cursor={word}&limit={word}&inbox_id={word}"),
                format!("/admin/inbox/{word}?page={word}"),
                format!("/api/v1/webhook-logs?state={word}"),
                format!("/api/v1/webhook-logs?cursor={word}"),
                format!("/media/1/{word}?account={word}&expires=1&signature={word}"),
            ] {
                answers.push((path.clone(), server.get(&path).bearer(&admin).send().await));
            }
            let key = json!({ text.as_str(): text, "starred": text });
            let template = json!({ "type": "template", "template": { "name": text, "language": text } });
            for (path, body) in [
                (format!("/api/v1/conversations/{conversation}"), key),
                (format!("/admin/inbox/{conversation}/messages"), template),
                (format!("/admin/inbox/{conversation}/status"), json!({ "status": text })),
            ] {
                let method = if path.starts_with("/api") { "PATCH" } else { "POST" };
                answers
                    .push((path.clone(), server.call(method, &path).bearer(&admin).json(&body).send().await));
            }
            answers.push(("token".to_owned(), server.get("/api/v1/users").bearer(text).send().await));
            replies += answers.iter().filter(|(_, answer)| answer.status == 201).count();
            let took = began.elapsed();
            assert!(took < Duration::from_secs(4), "{text} took {took:?} on {}", server.database.kind);
            for (place, answer) in answers {
                let what = format!("{text} at {place} on {}: {}", server.database.kind, answer.text());
                assert!(
                    [200, 201].contains(&answer.status) || (400..500).contains(&answer.status),
                    "{} {what}",
                    answer.status
                );
                if answer.status >= 400 {
                    let sentence =
                        answer.json()["error"].as_str().unwrap_or_default().replace(text.as_str(), "");
                    let told = ["SELECT", "sqlite", "syntax", "near \"", "column", "relation", "fts5", "$1"];
                    assert!(!told.iter().any(|word| sentence.contains(word)), "{what}");
                } else if place.starts_with("/admin/inbox?q=") && is_no_number(text) {
                    let found = answer.json()["data"].as_array().map_or(0, Vec::len);
                    assert_eq!(found, 0, "nobody said {what}");
                }
            }
        }
        before[6] += i64::try_from(replies).unwrap(); // templates may be called anything
        assert_eq!(rows(&server).await, before, "{}", server.database.kind);
        // The same strings as words of a customer: stored as they are, found by their own letters.
        for (n, text) in strings.iter().enumerate().step_by(10) {
            let body = bodies::text(NUMBER, sari, &format!("wamid.i{n}"), START.as_secs() + 1, text);
            server.deliver(bodies::bytes(&body)).await;
        }
        let page = server
            .get(&format!("/admin/inbox/{conversation}?per_page=100"))
            .bearer(&admin)
            .send()
            .await
            .ok(200);
        let said: Vec<&Value> =
            page["messages"]["data"].as_array().unwrap().iter().map(|m| &m["content"]).collect();
        assert!(
            strings.iter().step_by(10).all(|text| said.contains(&&json!(text))),
            "{}",
            server.database.kind
        );
    }
}
