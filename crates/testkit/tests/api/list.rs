use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desk::{Desk, desks};

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|c| c["customer"]["name"].as_str().unwrap()).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn three(desk: &Desk) {
    desk.write("6281390045512", "Sari", "wamid.1", -30, "first").await;
    desk.write("5511987650021", "João", "wamid.2", -20, "second").await;
    desk.write("14155550100", "Ann", "wamid.3", -10, "third").await;
}

#[tokio::test]
async fn a_row_of_the_list_has_every_documented_field() {
    for desk in desks().await {
        three(&desk).await;
        let list = desk.get("/admin/inbox").await;
        assert_eq!(names(&list), ["Ann", "João", "Sari"]);
        let row = &list["data"][2];
        let window = &row["reply_window"];
        assert_eq!(
            (window["state"].as_str(), window["expires_at"].as_str()),
            (Some("open"), Some("2026-01-16T07:59:30Z"))
        );
        let id = row["id"].as_i64().unwrap();
        let message = row["last_message"]["id"].as_i64().unwrap();
        assert_eq!(
            keys(row),
            BTreeSet::from([
                "id",
                "customer_id",
                "customer",
                "inbox",
                "platform",
                "platform_conversation_id",
                "subject",
                "status",
                "unread_count",
                "starred",
                "assignee",
                "labels",
                "metadata",
                "last_message_at",
                "created_at",
                "updated_at",
                "last_message",
                "reply_window",
                "capabilities"
            ])
        );
        let mut shown = row.clone();
        for field in ["reply_window", "capabilities"] {
            shown.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(
            shown,
            json!({
                "id": id, "customer_id": row["customer"]["id"], "customer": { "id": row["customer"]["id"], "name": "Sari",
                    "email": null, "phone": "+6281390045512", "avatar_url": null },
                "inbox": { "id": row["inbox"]["id"], "name": "whatsapp_cloud 108144372211905", "channel": "whatsapp_cloud" },
                "platform": "whatsapp", "platform_conversation_id": "6281390045512", "subject": null,
                "status": "active", "unread_count": 1, "starred": false, "assignee": null, "labels": [],
                "metadata": {}, "last_message_at": "2026-01-15T07:59:30Z", "created_at": "2026-01-15T08:00:00Z",
                "updated_at": "2026-01-15T08:00:00Z",
                "last_message": { "id": message, "content": "first", "kind": "text", "direction": "inbound",
                    "sender_type": "customer", "status": "received", "deleted_at": null,
                    "created_at": "2026-01-15T07:59:30Z" },
            })
        );
        let can = &row["capabilities"];
        assert_eq!(can["text_max"], json!({ "count": 4096, "unit": "characters" }));
        assert_eq!((&can["templates"], &can["reactions"]), (&json!(true), &json!(true)));
        assert_eq!(can["reaction_emojis"], json!([]));
        assert!(can["attachments"].as_array().unwrap().iter().any(|a| a["kind"] == "image"));
        assert_eq!(
            list["meta"],
            json!({ "current_page": 1, "from": 1, "last_page": 1, "per_page": 20, "to": 3, "total": 3 })
        );
        assert_eq!(
            list["links"],
            json!({ "first": "http://127.0.0.1:8080/admin/inbox?page=1", "last": "http://127.0.0.1:8080/admin/inbox?page=1",
                "prev": null, "next": null })
        );
    }
}

#[tokio::test]
async fn every_filter_keeps_what_it_says_and_they_add_up() {
    for desk in desks().await {
        three(&desk).await;
        desk.write_meta("page", "4711", "m_1", -5, "on the page").await;
        desk.write_meta("instagram", "0815", "i_1", -4, "on instagram").await;
        let closed = desk.conversation("Ann").await["id"].clone();
        let archived = desk.conversation("João").await["id"].clone();
        for (id, status) in [(&closed, "closed"), (&archived, "archived")] {
            let call = desk.server.post(&format!("/admin/inbox/{id}/status")).bearer(&desk.agent);
            call.json(&json!({ "status": status })).send().await.ok(200);
        }
        desk.get(&format!("/admin/inbox/{closed}")).await; // read
        let inbox = desk.conversation("Sari").await["inbox"]["id"].clone();
        let mine = desk.conversation("Sari").await["id"].clone();
        let call = desk.server.patch(&format!("/api/v1/conversations/{mine}")).bearer(&desk.agent);
        call.json(&json!({ "assignee_id": desk.agent_id })).send().await.ok(200);
        let of_agent = format!("assignee={}", desk.agent_id);
        let count = async |query: &str| {
            let mut counts = BTreeSet::new();
            for list in ["/admin/inbox", "/api/v1/conversations"] {
                counts.insert(desk.get(&format!("{list}?{query}")).await["data"].as_array().unwrap().len());
            }
            assert_eq!(counts.len(), 1, "{query}: both lists filter alike");
            counts.pop_first().unwrap()
        };
        for (query, expected) in [
            ("", 5),
            ("status=active", 3),
            ("status=archived", 1),
            ("status=closed", 1),
            ("platform=whatsapp", 3),
            ("platform=facebook", 1),
            ("platform=instagram", 1),
            ("unread=true", 4),
            ("unread=1", 4),
            ("unread=false", 1),
            ("unread=0", 1),
            ("status=&platform=&unread=&q=", 5),
            ("status=active&platform=whatsapp&unread=true&q=sari", 1),
            ("status=closed&unread=true", 0),
            (&format!("inbox_id={inbox}"), 3),
            (&format!("inbox_id={inbox}&status=archived"), 1),
            ("inbox_id=999", 0),
            ("assignee=me", 1),
            ("assignee=none", 4),
            ("assignee=", 5),
            (&of_agent, 1),
            ("assignee=me&status=closed", 0),
            ("assignee=none&platform=whatsapp", 2),
            ("assignee=987654321", 0),
        ] {
            assert_eq!(count(query).await, expected, "{query} on {}", desk.server.database.kind);
        }
        for (query, field) in [
            ("status=open", "status"),
            ("platform=telegram", "platform"),
            ("unread=maybe", "unread"),
            ("assignee=somebody", "assignee"),
            ("inbox_id=x", "inbox_id"),
            ("page=0", "page"),
            ("page=-1", "page"),
            ("page=x", "page"),
            ("page=9223372036854775807", "page"),
            ("per_page=0", "per_page"),
            ("per_page=101", "per_page"),
        ] {
            let answer = desk.server.get(&format!("/admin/inbox?{query}")).bearer(&desk.agent).send().await;
            let refused = answer.refused(422, "VALIDATION_ERROR");
            assert_eq!(refused["message"], "The given data was invalid.");
            assert!(refused["errors"][field].is_array(), "{query}: {refused}");
        }
    }
}

#[tokio::test]
async fn pages_have_numbers_and_links_that_keep_the_filters() {
    for desk in desks().await {
        for n in 0..7 {
            desk.write(
                &format!("628139004551{n}"),
                &format!("Customer {n}"),
                &format!("wamid.{n}"),
                -100 + n,
                "hi",
            )
            .await;
        }
        let page = desk.get("/admin/inbox?status=active&per_page=3&page=2").await;
        assert_eq!(names(&page), ["Customer 3", "Customer 2", "Customer 1"]);
        assert_eq!(
            page["meta"],
            json!({ "current_page": 2, "from": 4, "last_page": 3, "per_page": 3, "to": 6, "total": 7 })
        );
        let link = |n: i64| format!("http://127.0.0.1:8080/admin/inbox?status=active&per_page=3&page={n}");
        assert_eq!(
            page["links"],
            json!({ "first": link(1), "last": link(3), "prev": link(1), "next": link(3) })
        );
        let last = desk.get("/admin/inbox?per_page=3&page=3").await;
        assert_eq!((names(&last).len(), &last["links"]["next"]), (1, &Value::Null));
        let beyond = desk.get("/admin/inbox?per_page=3&page=9").await;
        assert_eq!(beyond["data"], json!([]));
        assert_eq!(
            beyond["meta"],
            json!({ "current_page": 9, "from": null, "last_page": 3, "per_page": 3, "to": null, "total": 7 })
        );
        let empty = desk.get("/admin/inbox?status=closed").await;
        assert_eq!(empty["meta"]["last_page"], 1);
    }
}

#[tokio::test]
async fn paging_by_key_shows_every_conversation_once_while_new_ones_come() {
    for desk in desks().await {
        for n in 0..25 {
            // Several of the same second: the key needs more than the time.
            let (phone, id) = (format!("62813900455{n:02}"), format!("wamid.{n}"));
            desk.write(&phone, &format!("C{n:02}"), &id, -100 + n / 5, "hi").await;
        }
        // PostgreSQL numbers events after they were committed.
        assert_eq!(desk.events_after(0).await.0.len(), 25);
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for round in 0.. {
            let page = desk.get(&format!("/api/v1/conversations?limit=4{cursor}")).await;
            assert!(page["event_seq"].as_i64().unwrap() >= 25);
            seen.extend(names(&page).into_iter().map(str::to_owned));
            desk.write(
                &format!("141555501{round:02}"),
                "New",
                &format!("wamid.new.{round}"),
                10 + round,
                "hi",
            )
            .await;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut expected: Vec<String> = (0..25).map(|n| format!("C{n:02}")).collect();
        expected.reverse();
        assert_eq!(seen, expected, "{}", desk.server.database.kind);
        for wrong in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=", "cursor=MQ", "cursor=MS54"] {
            let answer =
                desk.server.get(&format!("/api/v1/conversations?{wrong}")).bearer(&desk.agent).send().await;
            answer.refused(422, "VALIDATION_ERROR");
        }
    }
}

#[tokio::test]
async fn messages_are_paged_by_key_from_the_newest_page_on() {
    for desk in desks().await {
        for n in 0..23 {
            desk.write("6281390045512", "Sari", &format!("wamid.{n}"), -100 + n / 4, &format!("{n}")).await;
        }
        let id = desk.conversation("Sari").await["id"].clone();
        let mut pages: Vec<Vec<String>> = Vec::new();
        let mut before = String::new();
        loop {
            let page = desk.get(&format!("/api/v1/conversations/{id}/messages?limit=5{before}")).await;
            let texts = page["data"].as_array().unwrap().iter();
            pages.push(texts.map(|m| m["content"].as_str().unwrap().to_owned()).collect());
            let late = format!("wamid.late.{}", pages.len());
            desk.write("6281390045512", "Sari", &late, 50, "late").await;
            match page["previous_cursor"].as_str() {
                Some(cursor) => before = format!("&before={cursor}"),
                None => break,
            }
        }
        pages.reverse();
        let expected: Vec<String> = (0..23).map(|n| n.to_string()).collect();
        assert_eq!(pages.concat(), expected);
        for (path, status, code) in [
            (format!("/api/v1/conversations/{id}/messages?before=x"), 422, "VALIDATION_ERROR"),
            (format!("/api/v1/conversations/{id}/messages?limit=0"), 422, "VALIDATION_ERROR"),
            ("/api/v1/conversations/999/messages".to_owned(), 404, "NOT_FOUND"),
            ("/api/v1/conversations/x/messages".to_owned(), 400, "BAD_REQUEST"),
        ] {
            desk.server.get(&path).bearer(&desk.agent).send().await.refused(status, code);
        }
    }
}
