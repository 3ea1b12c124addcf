//! What an inbox had before its bridge: counted, brought over once, in order, stopped and resumed.

use frontdesk_model::message::MessageStatus;
use frontdesk_testkit::stage::{Stage, Thread, until};
use serde_json::{Value, json};

use crate::{bridge, conversations, messages, shows, stages, texts};

/// Asks for an import and waits for its end.
async fn import(stage: &Stage, bridge: &Value, wanted: Value) -> Value {
    let path = format!("/api/v1/sync/bridges/{}/import", bridge["id"]);
    let (status, answer) = stage.call("POST", &path, wanted).await;
    assert_eq!((status, &answer["data"]["status"]), (200, &json!("completed")), "{answer}");
    answer["data"].clone()
}

/// A customer who wrote, was answered, and wrote again.
async fn talk(stage: &Stage) -> Thread {
    let thread = stage.thread("whatsapp").await;
    let id = stage.say(&thread, "From *here*").await;
    stage.reaches(id, MessageStatus::Delivered).await;
    // Networks tell whole seconds.
    stage.clock.advance_ms(2_000);
    let last = stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "Thanks"}));
    stage.received("whatsapp", &last).await;
    thread
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_an_import_brings_everything_over_once_and_in_order() {
    for stage in stages().await {
        let thread = talk(&stage).await;
        let bridge = bridge(&stage, "whatsapp", json!({})).await;

        let counted = import(&stage, &bridge, json!({ "dryRun": true })).await;
        assert_eq!(
            counted["import"]["messages"],
            json!({ "created": 3, "skipped": 0, "errors": 0 }),
            "{counted}"
        );
        assert_eq!(
            counted["import"]["contacts"],
            json!({ "created": 1, "skipped": 0, "errors": 0 }),
            "{counted}"
        );
        assert!(conversations(&stage, &bridge).is_empty(), "a dry run writes nothing");

        let run = import(&stage, &bridge, json!({})).await;
        assert_eq!((&run["created"], &run["total"]), (&json!(4), &json!(4)), "{run}");
        assert_eq!(texts(&stage, &bridge), ["Halo", "From **here**", "Thanks"]);
        let shown = messages(&stage, &bridge);
        assert!(
            shown.iter().all(|one| one.content_attributes["external_created_at"].is_i64()),
            "their own time"
        );
        assert_eq!(shown.iter().map(|one| one.message_type).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(shown[1].status, "delivered");

        let again = import(&stage, &bridge, json!({})).await;
        assert_eq!((&again["created"], &again["skipped"]), (&json!(0), &json!(4)), "{again}");
        stage.act(&thread.customer, "whatsapp", json!({"kind": "text", "text": "And now"}));
        shows(&stage, &bridge, &["Halo", "From **here**", "Thanks", "And now"]).await;
        assert_eq!(conversations(&stage, &bridge).len(), 1);
        assert_eq!(stage.texts_of(&thread), ["From *here*"], "nothing was sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_here_stays_closed_on_both_sides() {
    for stage in stages().await {
        let thread = talk(&stage).await;
        // More than an import brings over at once.
        for number in 0..20 {
            let text = json!({"kind": "text", "text": format!("Line {number}")});
            let last = stage.act(&thread.customer, "whatsapp", text);
            stage.received("whatsapp", &last).await;
        }
        let path = format!("/api/v1/conversations/{}", thread.id);
        let close = format!("/admin/inbox/{}/status", thread.id);
        let (status, _) = stage.call("POST", &close, json!({ "status": "closed" })).await;
        assert!(status < 300, "{status}");
        let bridge = bridge(&stage, "whatsapp", json!({ "conversations": "multiple" })).await;
        import(&stage, &bridge, json!({})).await;
        assert_eq!(texts(&stage, &bridge).len(), 23, "on {}", stage.database.kind);
        assert_eq!(conversations(&stage, &bridge).len(), 1, "what was one here is one there");
        until("it is resolved there", || async {
            (conversations(&stage, &bridge)[0].status == "resolved").then_some(())
        })
        .await;
        // What Chatwoot told meanwhile is worked off before nothing waits.
        let path_of_bridge = format!("/api/v1/sync/bridges/{}", bridge["id"]);
        until("nothing waits", || async {
            let (_, shown) = stage.call("GET", &path_of_bridge, Value::Null).await;
            (shown["data"]["waiting"] == 0).then_some(())
        })
        .await;
        let (_, shown) = stage.call("GET", &path, Value::Null).await;
        assert_eq!(shown["status"], "closed", "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_contacts_and_messages_say_how_much_is_brought_over() {
    for stage in stages().await {
        talk(&stage).await;
        stage.clock.advance_ms(10 * 86_400_000);
        stage.thread("whatsapp").await;
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let counted = import(&stage, &bridge, json!({ "dryRun": true, "days": 3 })).await;
        assert_eq!(counted["import"]["messages"]["created"], 1, "{counted}");
        assert_eq!(counted["import"]["contacts"]["created"], 1, "{counted}");
        let people = import(&stage, &bridge, json!({ "messages": false })).await;
        assert_eq!(people["import"]["contacts"]["created"], 2, "{people}");
        assert!(conversations(&stage, &bridge).is_empty(), "people alone have no conversation yet");
        let rest = import(&stage, &bridge, json!({})).await;
        assert_eq!(rest["import"]["contacts"], json!({ "created": 0, "skipped": 2, "errors": 0 }), "{rest}");
        assert_eq!(rest["import"]["messages"]["created"], 4, "{rest}");
        let path = format!("/api/v1/sync/bridges/{}/import", bridge["id"]);
        for wrong in [json!({ "days": 0 }), json!({ "contacts": false, "messages": false })] {
            let (status, refused) = stage.call("POST", &path, wrong).await;
            assert_eq!(status, 422, "{refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cancelled_goes_on_where_it_was() {
    for stage in stages().await {
        talk(&stage).await;
        talk(&stage).await;
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        stage.fault(
            frontdesk_sandbox::Channel::Chatwoot,
            json!({"fault": "unavailable", "rate": 1.0, "scope": "all"}),
        );
        let path = format!("/api/v1/sync/bridges/{}", bridge["id"]);
        let (status, begun) = stage.call("POST", &format!("{path}/import"), json!({ "wait": 0 })).await;
        assert_eq!(status, 202, "{begun}");
        let run = format!("/api/v1/sync/runs/{}", begun["data"]["runId"].as_str().unwrap());
        until("it has queued something", || async {
            let (_, shown) = stage.call("GET", &path, Value::Null).await;
            (shown["data"]["waiting"].as_i64() > Some(0)).then_some(())
        })
        .await;
        let (status, _) = stage.call("POST", &format!("{run}/cancel"), Value::Null).await;
        assert_eq!(status, 200);
        let status_of = async || stage.call("GET", &run, Value::Null).await.1["data"]["status"].clone();
        until("it is cancelled", || async { (status_of().await == "cancelled").then_some(()) }).await;
        stage.heal();
        let (status, _) = stage.call("POST", &format!("{run}/resume"), Value::Null).await;
        assert_eq!(status, 200);
        until("it is through", || async { (status_of().await == "completed").then_some(()) }).await;
        let mut shown = texts(&stage, &bridge);
        shown.sort();
        let twice = ["From **here**", "From **here**", "Halo", "Halo", "Thanks", "Thanks"];
        assert_eq!(shown, twice, "each once on {}", stage.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_stands_still_takes_no_import() {
    for stage in stages().await {
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let path = format!("/api/v1/sync/bridges/{}", bridge["id"]);
        stage.call("PATCH", &path, json!({ "status": "paused" })).await;
        let (status, refused) = stage.call("POST", &format!("{path}/import"), json!({})).await;
        assert_eq!((status, &refused["code"]), (409, &json!("CONFLICT")), "{refused}");
        let sync = format!("/api/v1/sync/connections/{}/sync", bridge["connectionId"].as_str().unwrap());
        let (status, refused) = stage.call("POST", &format!("{sync}?entityType=history"), Value::Null).await;
        assert_eq!(status, 422, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_and_bridge_make_a_customer_once_whoever_comes_first() {
    for stage in stages().await {
        let first = stage.thread("whatsapp").await;
        let bridge = bridge(&stage, "whatsapp", json!({})).await;
        let push = format!(
            "/api/v1/sync/connections/{}/sync?direction=push&wait=60",
            bridge["connectionId"].as_str().unwrap()
        );
        let people = || stage.sandbox.world().chatwoot.accounts[&1].contacts.len();
        let before = people();
        let (_, pushed) = stage.call("POST", &push, Value::Null).await;
        assert_eq!(pushed["data"]["created"], 1, "{pushed}");
        stage.act(&first.customer, "whatsapp", json!({"kind": "text", "text": "Again"}));
        shows(&stage, &bridge, &["Again"]).await;
        assert_eq!(people(), before + 1, "the bridge takes whom the push made");
        stage.thread("whatsapp").await;
        shows(&stage, &bridge, &["Again", "Halo"]).await;
        assert_eq!(people(), before + 2);
        let (_, pushed) = stage.call("POST", &push, Value::Null).await;
        assert_eq!(pushed["data"]["created"], 0, "{pushed}");
        assert_eq!(people(), before + 2, "the push takes whom the bridge made");
    }
}
