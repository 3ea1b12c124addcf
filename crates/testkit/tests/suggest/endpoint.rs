use frontdesk_model::user::{Ability, Role};
use frontdesk_testkit::meta::settings;
use serde_json::{Value, json};

use crate::{desks, desks_with, teach, texts};

#[tokio::test]
async fn the_answer_is_that_of_the_seed_with_where_it_comes_from() {
    for desk in desks().await {
        teach(&desk).await;
        desk.write("6281390045512", "Siti", 600, "where is the parcel I ordered?").await;
        let shown = desk.suggest(desk.conversation("6281390045512").await).await;
        let said = texts(&shown);
        assert!(said[0].starts_with("Your parcel is on its way"), "{shown}");
        assert_eq!((&shown["tokens_used"], &shown["engine"]), (&json!(0), &json!("local")));
        assert_eq!(shown["created_at"], "2026-01-15T08:00:00Z");
        let item = &shown["items"][0];
        assert_eq!((&item["text"], &item["source"]["kind"]), (&shown["suggestions"][0], &json!("reply")));
        assert!(item["id"].as_str().unwrap().starts_with("reply-"), "{item}");
        let score = item["score"].as_f64().unwrap();
        assert!((0.44..=1.0).contains(&score), "{item}");
        assert_eq!(
            item["source"]["sentence"],
            "from a colleague's reply of 15 January to a similar question"
        );
        assert_eq!(said.iter().filter(|text| text.contains("on its way")).count(), 1, "one of those alike");
    }
}

#[tokio::test]
async fn whose_reply_it_was_is_said() {
    for desk in desks().await {
        desk.write("6281390000001", "Zulmira", -60, "is breakfast included").await;
        let conversation = desk.conversation("6281390000001").await;
        let path = format!("/admin/inbox/{conversation}/messages");
        let body = json!({ "content": "Breakfast is included in every room." });
        desk.server.post(&path).bearer(&desk.agent).json(&body).send().await.ok(201);
        desk.learn().await;
        desk.server.clock.advance_ms(400 * 86_400_000);
        desk.write("6281390045512", "Siti", 400 * 86_400, "is breakfast included?").await;
        let path = format!("/admin/inbox/{}/suggest-ai", desk.conversation("6281390045512").await);
        for (who, is_own, sentence) in [
            (&desk.agent, true, "from your reply of 15 January 2026 to a similar question"),
            (&desk.admin, false, "from agent's reply of 15 January 2026 to a similar question"),
        ] {
            let shown = desk.server.get(&path).bearer(who).send().await.ok(200);
            let source = &shown["items"][0]["source"];
            assert_eq!((&source["is_own"], &source["sentence"]), (&json!(is_own), &json!(sentence)));
            assert_eq!(source["said_at"], "2026-01-15T08:00:00Z");
        }
    }
}

#[tokio::test]
async fn what_nobody_asked_before_and_an_empty_team_are_met_with_silence() {
    for desk in desks().await {
        desk.write("6281390045512", "Siti", 0, "where is my parcel?").await;
        let conversation = desk.conversation("6281390045512").await;
        assert_eq!(desk.suggest(conversation).await["suggestions"], json!([]));
        teach(&desk).await;
        assert_ne!(desk.suggest(conversation).await["suggestions"], json!([]));
        let strange = desk.suggested("6281390045513", "Ana", 5, "zarquon plimt ghee vostok").await;
        assert_eq!(strange, Vec::<String>::new());
    }
}

#[tokio::test]
async fn wrong_parameters_are_400_and_others_refused_as_everywhere() {
    for desk in desks().await {
        desk.write("6281390045512", "Siti", 0, "halo").await;
        let id = desk.conversation("6281390045512").await;
        for wrong in [
            "count=0",
            "count=6",
            "count=x",
            "count=-1",
            "count=",
            "count=1.5",
            "context_messages=0",
            "context_messages=51",
            "context_messages=x",
            "engine=other",
        ] {
            let call = desk.server.get(&format!("/admin/inbox/{id}/suggest-ai?{wrong}")).bearer(&desk.agent);
            let refused = call.send().await.refused(400, "VALIDATION_ERROR");
            let field = wrong.split('=').next().unwrap();
            assert!(refused["errors"][field].is_array(), "{wrong}: {refused}");
        }
        for right in ["count=1", "count=5", "context_messages=1", "context_messages=50", "engine=local"] {
            desk.server
                .get(&format!("/admin/inbox/{id}/suggest-ai?{right}"))
                .bearer(&desk.agent)
                .send()
                .await
                .ok(200);
        }
        let of = |id: &str| format!("/admin/inbox/{id}/suggest-ai");
        let agent = &desk.agent;
        desk.server.get(&of("999999")).bearer(agent).send().await.refused(404, "NOT_FOUND");
        desk.server.get(&of("x")).bearer(agent).send().await.refused(400, "BAD_REQUEST");
        desk.server.get(&of("1")).send().await.refused(401, "INVALID_TOKEN");
        let reader = desk.server.user("reader@example.org", Role::Agent).await;
        let reader = desk.server.token(&reader, &[Ability::InboxRead]).await;
        desk.server.get(&of("1")).bearer(&reader).send().await.refused(403, "UNAUTHORIZED");
        let other = desk.server.other_account("Other").await;
        let stranger = desk.server.user_of(other, "stranger@example.org", Role::Admin).await;
        let stranger = desk.server.token(&stranger, &[Ability::All]).await;
        desk.server.get(&of(&id.to_string())).bearer(&stranger).send().await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn ten_a_minute_and_no_more() {
    for desk in desks_with(settings()).await {
        desk.write("6281390045512", "Siti", 0, "halo").await;
        let path = format!("/admin/inbox/{}/suggest-ai", desk.conversation("6281390045512").await);
        for left in (0..10).rev() {
            let answer = desk.server.get(&path).bearer(&desk.agent).send().await;
            answer.ok(200);
            assert_eq!(answer.header("x-ratelimit-limit"), "10");
            assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
        }
        let refused = desk.server.get(&path).bearer(&desk.agent).send().await;
        assert_eq!(
            refused.refused(429, "RATE_LIMITED"),
            json!({ "error": "Too Many Requests", "code": "RATE_LIMITED", "details": {}, "retry_after": 60 })
        );
        desk.server.get(&path).bearer(&desk.admin).send().await.ok(200);
    }
}

#[tokio::test]
async fn what_was_said_before_is_looked_at_as_far_as_asked_for() {
    for desk in desks().await {
        teach(&desk).await;
        let phone = "6281390045512";
        desk.write(phone, "Siti", 1_000, "I want a refund").await;
        desk.answer(phone, 1_400, "Hello and welcome!").await;
        let path = format!("/admin/inbox/{}/suggest-ai", desk.conversation(phone).await);
        let of = async |messages: i64| -> Value {
            let path = format!("{path}?context_messages={messages}");
            desk.server.get(&path).bearer(&desk.agent).send().await.ok(200)["suggestions"].clone()
        };
        assert_eq!(of(1).await, json!([]), "of one message only ours is seen");
        assert_eq!(of(2).await[0], "We refund within some days, please send a photo.");
    }
}

#[tokio::test]
async fn what_is_waved_away_twice_comes_later_and_what_is_taken_sooner() {
    for desk in desks().await {
        for n in 0..3 {
            let phone = format!("628139000{n:04}");
            desk.exchange(&phone, "Ana", 0, "do you have parking", "There is parking behind the house.")
                .await;
            let phone = format!("628139001{n:04}");
            desk.exchange(
                &phone,
                "Ana",
                0,
                "do you have parking",
                "Please look at our page, all is written there.",
            )
            .await;
        }
        desk.learn().await;
        desk.write("6281390045512", "Siti", 600, "do you have parking?").await;
        let id = desk.conversation("6281390045512").await;
        let first = desk.suggest(id).await["items"][0].clone();
        let note = async |item: &Value, action: &str, status: u16| {
            let path = format!("/admin/inbox/{id}/suggest-ai/feedback");
            let body = json!({ "item": item, "action": action });
            desk.server.post(&path).bearer(&desk.agent).json(&body).send().await.ok(status)
        };
        note(&first["id"], "dismissed", 204).await;
        assert_eq!(desk.suggest(id).await["items"][0]["text"], first["text"], "once may be a slip");
        note(&first["id"], "dismissed", 204).await;
        let after = desk.suggest(id).await;
        assert_ne!(after["items"][0]["text"], first["text"], "{after}");
        for _ in 0..4 {
            note(&first["id"], "inserted", 204).await;
            note(&first["id"], "sent", 204).await;
        }
        assert_eq!(desk.suggest(id).await["items"][0]["text"], first["text"]);
        note(&json!("reply-999999"), "inserted", 404).await;
        note(&json!("quick-reply-999999"), "shown", 404).await;
        note(&json!("draft-1"), "shown", 204).await;
        note(&json!("message"), "shown", 422).await;
        note(&first["id"], "eaten", 422).await;
    }
}
