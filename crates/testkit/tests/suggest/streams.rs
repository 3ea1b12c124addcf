//! A draft in pieces.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::drafts::{Model, asked, settle};
use crate::{desks, teach};

/// The events of a stream: name and data.
fn events(text: &str) -> Vec<(String, Value)> {
    text.split("\n\n")
        .filter_map(|event| {
            let name = event.lines().find_map(|line| line.strip_prefix("event: "))?;
            let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
            Some((name.to_owned(), serde_json::from_str(data).unwrap()))
        })
        .collect()
}

#[tokio::test]
async fn a_draft_comes_sentence_by_sentence_and_whole_at_the_end() {
    for desk in desks().await {
        teach(&desk).await;
        let path = format!("{}/stream", asked(&desk).await);
        let local = events(&desk.server.get(&path).bearer(&desk.agent).send().await.text());
        assert_eq!(
            (local.len(), &local[0].0, &local[0].1["engine"]),
            (1, &"done".to_owned(), &json!("local"))
        );
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        model.writes(&["We look after your parcel. It will be with you soon! Thank you."]);
        model.sandbox.world().openai.total_tokens = Some(77);
        let answer = desk.server.get(&path).bearer(&desk.agent).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream"));
        assert_eq!(answer.header("x-ratelimit-limit"), "10000");
        let events = events(&answer.text());
        let texts: Vec<&str> = events
            .iter()
            .filter(|(name, _)| name == "text")
            .map(|(_, data)| data["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["We look after your parcel.", " It will be with you soon!", " Thank you."]);
        let (name, done) = events.last().unwrap();
        assert_eq!(
            (name.as_str(), &done["tokens_used"], &done["engine"]),
            ("done", &json!(77), &json!("llm"))
        );
        assert_eq!(
            done["suggestions"],
            json!(["We look after your parcel. It will be with you soon! Thank you."])
        );
    }
}

#[tokio::test]
async fn what_may_not_be_shown_is_withdrawn_and_our_own_replies_come_instead() {
    for desk in desks().await {
        teach(&desk).await;
        let path = format!("{}/stream", asked(&desk).await);
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        model.writes(&["We look after it. Please pay at https://evil.example now. Thank you."]);
        let text = desk.server.get(&path).bearer(&desk.agent).send().await.text();
        assert!(!text.contains("evil"), "{text}");
        let names: Vec<String> = events(&text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["text", "withdrawn", "done"], "{text}");
        let done = events(&text).pop().unwrap().1;
        assert_eq!((&done["engine"], &done["fallback"]), (&json!("local"), &json!("AI_WITHHELD")));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_is_refused_is_told() {
    for desk in desks().await {
        teach(&desk).await;
        let path = format!("{}/stream", asked(&desk).await);
        let model = Model::start().await;
        settle(&desk, &model, json!({ "fallback": false })).await;
        model.writes(&["We look after it. Please wait a little. Thank you."]);
        model.sandbox.world().openai.cut_after_pieces = Some(6);
        let text = desk.server.get(&path).bearer(&desk.agent).send().await.text();
        let names: Vec<String> = events(&text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["text", "withdrawn", "failed"], "{text}");
        assert_eq!(events(&text).pop().unwrap().1["code"], "AI_UNAVAILABLE");
        model.answers(vec![(429, json!({ "error": { "code": "insufficient_quota" } }))]);
        let answer = desk.server.get(&path).bearer(&desk.agent).send().await;
        assert_eq!(answer.refused(402, "AI_PROVIDER_QUOTA")["error"], "OpenAI API quota exceeded");
    }
}

#[tokio::test]
async fn who_goes_away_ends_the_call() {
    for desk in desks().await {
        teach(&desk).await;
        let path = format!("{}/stream", asked(&desk).await);
        let model = Model::start().await;
        settle(&desk, &model, json!({ "timeout_ms": 60_000 })).await;
        model.writes(&[&"We look after it. ".repeat(40)]);
        model.sandbox.world().openai.piece_ms = 30;
        let request =
            Request::get(&path).header("authorization", format!("Bearer {}", desk.agent)).body(Body::empty());
        let response = desk.server.router().oneshot(request.unwrap()).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        assert!(first.starts_with(b"event: text"), "{first:?}");
        assert_eq!(model.sandbox.world().openai.abandoned_streams, 0);
        drop(body);
        let gone = async {
            while model.sandbox.world().openai.abandoned_streams == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
    }
}
