//! Chats of a session and their messages.

use frontdesk_testkit::green::INSTANCE;
use frontdesk_testkit::meta::NUMBER;
use serde_json::{Value, json};

use crate::{SITI, desks};

#[tokio::test]
async fn chats_have_the_fields_that_clients_of_gateways_read() {
    for desk in desks().await {
        desk.writes(SITI, "Siti Rahma", "wamid.1", 0, "Assalamualaikum").await;
        desk.writes("6281390045513", "Budi", "wamid.2", 60, "Pagi").await;
        let told = desk.get("/chats?filter=all&search=&limit=50").await;
        assert_eq!((&told["success"], told["message"].is_string()), (&json!(true), true));
        let chats = told["data"].as_array().unwrap();
        assert_eq!(chats.len(), 2);
        assert_eq!(chats[0]["name"], "Budi", "the newest first");
        let fields: Vec<&str> = chats[1].as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["id", "is_starred", "last_message", "name", "phone", "timestamp", "unread_count"];
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        for (field, value) in [
            ("name", json!("Siti Rahma")),
            ("phone", json!(SITI)),
            ("last_message", json!("Assalamualaikum")),
            ("timestamp", json!("2026-01-15T08:00:00Z")),
            ("unread_count", json!(1)),
            ("is_starred", json!(false)),
        ] {
            assert_eq!(chats[1][field], value, "{field}");
        }
    }
}

#[tokio::test]
async fn chats_are_filtered_searched_and_paged() {
    for desk in desks().await {
        for n in 0..5 {
            let (phone, id) = (format!("628139004551{n}"), format!("wamid.{n}"));
            desk.writes(&phone, &format!("Person {n}"), &id, n, &format!("word{n}")).await;
        }
        let first = desk.get("/chats").await["data"][0]["id"].as_str().unwrap().to_owned();
        let read = format!("/api/v1/sessions/{NUMBER}/chats/{first}/read");
        let told = desk.server.post(&read).bearer(&desk.token).send().await.ok(200);
        assert_eq!(told["data"]["unread_count"], 0);
        assert_eq!(desk.get("/chats?filter=unread").await["data"].as_array().unwrap().len(), 4);
        let star = format!("/api/crm/inbox/{first}/star");
        desk.server.post(&star).bearer(&desk.token).json(&json!({})).send().await.ok(200);
        let starred = desk.get("/chats?filter=starred").await;
        assert_eq!(
            (&starred["data"][0]["id"], &starred["data"][0]["is_starred"]),
            (&json!(first), &json!(true))
        );
        assert_eq!(starred["data"].as_array().unwrap().len(), 1);
        for query in ["/chats?search=word2", "/chats/search?query=word2", "/chats/search?query=6281390045512"]
        {
            let found = desk.get(query).await;
            let names: Vec<&str> =
                found["data"].as_array().unwrap().iter().map(|chat| chat["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["Person 2"], "{query}");
        }
        let page = desk.get("/chats?limit=3").await;
        assert_eq!(page["data"].as_array().unwrap().len(), 3);
        let rest =
            desk.get(&format!("/chats?limit=3&cursor={}", page["next_cursor"].as_str().unwrap())).await;
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (2, &Value::Null));
        for (query, field) in [
            ("?filter=mine", "filter"),
            ("?limit=0", "limit"),
            ("/search?query=%20", "query"),
            ("/search", "query"),
        ] {
            let path = format!("/api/v1/sessions/{NUMBER}/chats{query}");
            crate::refused(&desk.server.get(&path).bearer(&desk.token).send().await, field);
        }
    }
}

#[tokio::test]
async fn messages_are_told_by_chat_or_number_the_oldest_first() {
    for desk in desks().await {
        for n in 0..4 {
            desk.writes(SITI, "Siti", &format!("wamid.{n}"), n, &format!("{n}")).await;
        }
        let chat = desk.get("/chats").await["data"][0]["id"].as_str().unwrap().to_owned();
        let told = desk.get(&format!("/messages?chatId={chat}&limit=50")).await;
        let messages = told["data"].as_array().unwrap();
        let words: Vec<&str> = messages.iter().map(|m| m["message"].as_str().unwrap()).collect();
        assert_eq!(words, ["0", "1", "2", "3"]);
        for (field, value) in [
            ("id", json!("wamid.0")),
            ("chat_id", json!(chat)),
            ("from", json!(SITI)),
            ("from_me", json!(false)),
            ("type", json!("text")),
            ("direction", json!("incoming")),
            ("status", json!("received")),
            ("wa_message_id", json!("wamid.0")),
        ] {
            assert_eq!(messages[0][field], value, "{field}");
        }
        for name in [format!("{SITI}@s.whatsapp.net"), SITI.to_owned(), format!("%2B{SITI}")] {
            assert_eq!(desk.get(&format!("/messages?chatId={name}")).await["data"], told["data"], "{name}");
        }
        let newest = desk.get(&format!("/messages?chatId={chat}&limit=2")).await;
        assert_eq!(newest["data"][0]["message"], "2");
        let before = newest["next_cursor"].as_str().unwrap();
        let earlier = desk.get(&format!("/messages?chatId={chat}&limit=2&before={before}")).await;
        assert_eq!((&earlier["data"][0]["message"], &earlier["next_cursor"]), (&json!("0"), &Value::Null));
        for (query, status) in
            [("", 422), ("?chatId=", 422), ("?chatId=987654", 404), ("?chatId=nobody", 404)]
        {
            let path = format!("/api/v1/sessions/{NUMBER}/messages{query}");
            let answer = desk.server.get(&path).bearer(&desk.token).send().await;
            assert_eq!((answer.status, &answer.json()["success"]), (status, &json!(false)), "{query}");
        }
    }
}

#[tokio::test]
async fn a_session_shows_its_own_chats_alone_and_is_nobody_elses() {
    for desk in desks().await {
        desk.writes(SITI, "Siti", "wamid.1", 0, "halo").await;
        let chat = desk.get("/chats").await["data"][0]["id"].as_str().unwrap().to_owned();
        let of = async |session: &str, path: &str, token: &str| {
            let path = format!("/api/v1/sessions/{session}{path}");
            desk.server.get(&path).bearer(token).send().await
        };
        assert_eq!(of(INSTANCE, "/chats", &desk.token).await.ok(200)["data"], json!([]));
        of(INSTANCE, &format!("/messages?chatId={chat}"), &desk.token).await.refused(404, "NOT_FOUND");
        of("nobody", "/chats", &desk.token).await.refused(404, "NOT_FOUND");
        let other = desk.server.other_account("Other").await;
        let admin = desk.server.user_of(other, "o@example.org", frontdesk_model::user::Role::Admin).await;
        let stranger = desk.server.token(&admin, &[frontdesk_model::user::Ability::All]).await;
        let told = of(NUMBER, "/chats", &stranger).await.refused(404, "NOT_FOUND");
        assert_eq!((&told["success"], &told["data"]), (&json!(false), &Value::Null));
        // By our own number and by a name of its own too.
        let inboxes = desk.server.get("/api/v1/inboxes").bearer(&desk.token).send().await.ok(200);
        let id = inboxes["data"][0]["id"].to_string();
        assert_eq!(of(&id, "/chats", &desk.token).await.ok(200)["data"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_address_that_lost_its_beginning_means_the_same() {
    for desk in desks().await {
        desk.writes(SITI, "Siti", "wamid.1", 0, "halo").await;
        let short = desk.server.get(&format!("/sessions/{NUMBER}/chats?limit=5")).bearer(&desk.token);
        assert_eq!(short.send().await.ok(200)["data"], desk.get("/chats?limit=5").await["data"]);
        desk.server.get(&format!("/sessions/{NUMBER}/chats")).send().await.refused(401, "INVALID_TOKEN");
    }
}
