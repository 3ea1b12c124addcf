use frontdesk_testkit::bodies;
use frontdesk_testkit::meta::NUMBER;
use frontdesk_testkit::server::START;

use crate::desk::{Desk, desks};

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02x}")).collect()
}

async fn found(desk: &Desk, q: &str) -> Vec<String> {
    let list = desk.get(&format!("/admin/inbox?q={}", encoded(q))).await;
    let rows = list["data"].as_array().unwrap().iter();
    let mut names: Vec<String> = rows.map(|c| c["customer"]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(list["meta"]["total"], names.len());
    names.sort();
    names
}

#[tokio::test]
async fn words_are_found_in_names_phones_addresses_and_messages() {
    for desk in desks().await {
        desk.write("5521999990001", "João Conceição", "wamid.1", -50, "Bom dia, a encomenda chegou?").await;
        desk.write("6281390045512", "Sari Wulandari", "wamid.2", -40, "Selamat pagi, pesanan #4472").await;
        desk.write("6281390045512", "Sari Wulandari", "wamid.3", -30, "Ça coûte combien à Zürich?").await;
        desk.write("14155550100", "Ann O'Neil", "wamid.4", -20, "50% off_now \\ \"quoted\" C++ e-mail").await;
        let ann = desk.conversation("Ann O'Neil").await["customer_id"].clone();
        let edit = desk.server.patch(&format!("/api/v1/contacts/{ann}")).bearer(&desk.agent);
        edit.json(&serde_json::json!({ "email": "ann@example.org" })).send().await.ok(200);
        let (joao, sari, ann) = ("João Conceição", "Sari Wulandari", "Ann O'Neil");
        for (q, expected) in [
            ("joao", vec![joao]),
            ("JOÃO", vec![joao]),
            ("joa", vec![joao]),
            ("conceicao joao", vec![joao]),
            ("encomenda", vec![joao]),
            ("ENCOMENDA", vec![joao]),
            ("encom", vec![joao]),
            ("encomenda bom", vec![joao]),
            ("dia sari", vec![]),
            ("zurich", vec![sari]),
            ("coute", vec![sari]),
            ("Zürich COÛTE", vec![sari]),
            ("4472", vec![sari]),
            ("#4472", vec![sari]),
            ("+62 813-9004-5512", vec![sari]),
            ("6281390045512", vec![sari]),
            ("9004", vec![sari]),
            ("(55) 21 99999-0001", vec![joao]),
            ("ann@example.org", vec![ann]),
            ("o'neil", vec![ann]),
            ("quoted", vec![ann]),
            ("%", vec![]),
            ("_", vec![]),
            ("\\", vec![]),
            ("***", vec![]),
            ("nobody", vec![]),
        ] {
            assert_eq!(found(&desk, q).await, expected, "{q} on {}", desk.server.database.kind);
        }
    }
}

#[tokio::test]
async fn no_operator_of_a_search_index_means_anything() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "near the sea and not the lake").await;
        for q in [
            "\"",
            "\"\"\"",
            "a\"b",
            "*",
            "a*",
            "^a",
            "a NEAR/2 b",
            "NEAR(a b)",
            "NOT",
            "NOT a",
            "a AND",
            "OR",
            "(",
            ")",
            "a:b",
            "content:sea",
            "{a b}: c",
            "- a",
            "+a",
            "a & b",
            "a | !b",
            "a <-> b",
            "'",
            "''",
            "\\",
            ":*",
            "!",
            "|&",
            "sea' OR '1'='1",
            "\u{202e}",
            "💥",
            "a\tb\nc",
            "%%%",
            "--",
            "/*",
        ] {
            let answer =
                desk.server.get(&format!("/admin/inbox?q={}", encoded(q))).bearer(&desk.agent).send().await;
            assert_eq!(answer.status, 200, "{q} on {}: {}", desk.server.database.kind, answer.text());
        }
        for q in ["sea AND lake", "near sea", "NOT lake"] {
            assert_eq!(found(&desk, q).await, ["Sari"], "{q}: a word like any other");
        }
        let many = "word ".repeat(199);
        assert_eq!(found(&desk, &many).await.len(), 0);
        let too_long = "word+".repeat(201);
        let refused = desk.server.get(&format!("/admin/inbox?q={too_long}")).bearer(&desk.agent);
        let refused = refused.send().await.refused(422, "VALIDATION_ERROR");
        assert!(refused["errors"]["q"].is_array());
        let nul = desk.server.get("/admin/inbox?q=%00").bearer(&desk.agent).send().await;
        nul.refused(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn what_was_edited_is_found_by_its_new_words_and_what_was_deleted_by_none() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "oldword").await;
        assert_eq!(found(&desk, "oldword").await, ["Sari"]);
        let person = bodies::Person::named("6281390045512", "Sari");
        let changed = |kind: &str, value: serde_json::Value, at: i64| {
            let content = serde_json::json!({ "type": kind, kind: value });
            let body =
                bodies::message(NUMBER, person, &format!("wamid.{kind}"), START.as_secs() + at, content);
            bodies::bytes(&body)
        };
        let edit = serde_json::json!({ "original_message_id": "wamid.1",
            "message": { "type": "text", "text": { "body": "newword" } } });
        desk.server.deliver(changed("edit", edit, -40)).await;
        assert_eq!(found(&desk, "oldword").await.len(), 0, "{}", desk.server.database.kind);
        assert_eq!(found(&desk, "newword").await, ["Sari"]);
        let revoke = serde_json::json!({ "original_message_id": "wamid.1" });
        desk.server.deliver(changed("revoke", revoke, -30)).await;
        assert_eq!(found(&desk, "newword").await.len(), 0, "{}", desk.server.database.kind);
    }
}

/// SQLite gives the number of the newest message again once that message is gone; its words must not be taken for
/// indexed already, nor the old ones be found under it.
#[tokio::test]
async fn a_message_with_the_number_of_a_deleted_one_is_found_by_its_own_words() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.1", -50, "firstword").await;
        desk.write("6281390045512", "Sari", "wamid.2", -40, "goneword").await;
        assert_eq!(found(&desk, "goneword").await, ["Sari"]); // indexed up to here
        let newest = || desk.server.database.number("SELECT MAX(id) FROM messages");
        let gone = newest().await;
        desk.server.database.script(&format!("DELETE FROM messages WHERE id = {gone}")).await;
        desk.write("6281390045512", "Sari", "wamid.3", -30, "freshword").await;
        let sqlite = desk.server.database.kind == "sqlite";
        assert_eq!(newest().await == gone, sqlite, "the number is used again on SQLite alone");
        assert_eq!(found(&desk, "freshword").await, ["Sari"], "{}", desk.server.database.kind);
        assert_eq!(found(&desk, "goneword").await.len(), 0, "{}", desk.server.database.kind);
        assert_eq!(found(&desk, "firstword").await, ["Sari"], "{}", desk.server.database.kind);
    }
}
