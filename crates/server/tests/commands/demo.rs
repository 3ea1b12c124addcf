//! The demo: the real server, fake providers, customers who have written, and a reply that reaches one of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Place, Serving, files};

/// How long a customer's message or an answer may take through both servers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls the demo; returns status line, headers and body.
fn call(demo: &Serving, method: &str, path: &str, cookie: &str, body: &str) -> (String, String) {
    let origin = format!("http://{}", demo.address);
    let length = body.len();
    let answer = demo.exchange(&format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
        demo.address
    ));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn get(demo: &Serving, path: &str, cookie: &str) -> Value {
    let (head, body) = call(demo, "GET", path, cookie, "");
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    serde_json::from_str(&body).unwrap()
}

/// Asks again until the answer is as wanted.
fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_demo_shows_customers_of_every_channel_and_an_answer_gets_its_ticks() {
    let mut place = Place::new();
    let mut demo = place.start(&["demo", "--listen", "127.0.0.1:0"]);
    let password = demo.wait_for_line("Password:");
    let login = json!({ "email": "ada@example.org", "password": password }).to_string();
    let (head, _) = call(&demo, "POST", "/api/v1/session", "", &login);
    let cookie = head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).unwrap();
    let cookie = cookie[12..].split(';').next().unwrap().trim().to_owned();

    wait("six conversations", || {
        get(&demo, "/api/v1/conversations", &cookie)["data"].as_array().unwrap().len() == 6
    });
    let conversations = get(&demo, "/api/v1/conversations", &cookie);
    let mut platforms: Vec<&str> =
        conversations["data"].as_array().unwrap().iter().map(|c| c["platform"].as_str().unwrap()).collect();
    platforms.sort_unstable();
    platforms.dedup();
    assert_eq!(platforms, ["facebook", "instagram", "whatsapp"]);
    let inboxes = get(&demo, "/api/v1/inboxes", &cookie);
    assert!(
        inboxes["data"].as_array().unwrap().iter().all(|i| i["state"]["code"] == "connected"),
        "{inboxes}"
    );

    let whatsapp =
        conversations["data"].as_array().unwrap().iter().find(|c| c["platform"] == "whatsapp").unwrap();
    let id = &whatsapp["id"];
    let (head, _) = call(
        &demo,
        "POST",
        &format!("/admin/inbox/{id}/messages"),
        &cookie,
        r#"{"content":"With pleasure!"}"#,
    );
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    wait("the answer is delivered", || {
        let thread = get(&demo, &format!("/api/v1/conversations/{id}/messages"), &cookie);
        thread["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|m| m["content"] == "With pleasure!" && m["status"] == "delivered")
    });

    // The Chatwoot of the demo is connected, and tells of what it is told.
    let path = "/api/v1/chatwoot/conversations/1";
    let shown = get(&demo, path, &cookie);
    assert_eq!(
        (&shown["success"], &shown["conversation"]["contact"]["name"]),
        (&json!(true), &json!("Ana Souza"))
    );
    let (head, _) = call(&demo, "POST", &format!("{path}/messages"), &cookie, r#"{"content":"Já saiu!"}"#);
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    let messages = get(&demo, &format!("{path}/messages"), &cookie);
    assert_eq!(messages["messages"][1]["content"], "Já saiu!", "{messages}");
    wait("Chatwoot's webhook arrives", || {
        let metrics = get(&demo, "/api/v1/monitoring/metrics", &cookie);
        metrics["integrations"][0]["webhooks"]["by_type"]["message"].as_i64() >= Some(2)
    });

    // One of the inboxes is shown there, with what its customers wrote.
    let bridges = get(&demo, "/api/v1/sync/bridges", &cookie);
    assert_eq!(bridges["data"][0]["status"], "enabled", "{bridges}");
    wait("nothing waits to be shown in Chatwoot", || {
        let bridge = get(&demo, "/api/v1/sync/bridges/1", &cookie);
        bridge["data"]["waiting"] == 0 && bridge["data"]["failed"] == 0
    });

    // The phones are shown at the same address; "/" is the inbox, not the sandbox.
    let (head, _) = call(&demo, "GET", "/sandbox/", "", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (head, _) = call(&demo, "GET", "/", "", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    demo.stop();

    let again = place.run(&["demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("fresh data folder"), "{}", again.stderr);
    assert!(files(&place.data()).contains(&"frontdesk.db".to_owned()));
}
