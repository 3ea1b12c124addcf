//! One database, two doors.

use std::collections::HashSet;

use frontdesk_testkit::stage::{Stage, StageSettings, id_of, until};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Two nodes on PostgreSQL, when there is one: SQLite is for one process.
pub async fn two_nodes(settings: StageSettings) -> Option<Stage> {
    let mut stage = Stage::on_all(settings).await.into_iter().find(|s| s.database.kind == "postgres")?;
    stage.add_node().await;
    Some(stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_on_one_node_is_answered_on_the_other() {
    let Some(stage) = two_nodes(StageSettings::default()).await else { return };
    let threads = stage.threads("whatsapp", 10).await; // webhooks go to the first node
    let mut ids = Vec::new();
    for thread in &threads {
        let (status, list) =
            stage.call_on(1, "GET", &format!("/api/v1/conversations/{}", thread.id), Value::Null).await;
        assert_eq!((status, &list["unread_count"]), (200, &json!(1)));
        let path = format!("/admin/inbox/{}/messages", thread.id);
        let (status, answer) = stage.call_on(1, "POST", &path, json!({"content": "From the second"})).await;
        assert_eq!(status, 201);
        ids.push(id_of(&answer));
    }
    for id in ids {
        stage.arrives(id).await;
    }
    assert!(threads.iter().all(|t| stage.texts_of(t) == ["From the second"]));
    let on = |node: usize| {
        let stage = &stage;
        async move {
            let (_, events) =
                stage.call_on(node, "GET", "/api/v1/events?after=0&limit=10", Value::Null).await;
            let events = events["data"].as_array().unwrap().clone();
            // Not their views: those show the rows as they are when they are asked for.
            events.iter().map(|event| (event["seq"].clone(), event["event"].clone())).collect::<Vec<_>>()
        }
    };
    assert_eq!(on(0).await, on(1).await, "one sequence of events");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_keys_count_across_nodes() {
    let mut settings = StageSettings::default();
    settings.engine.limits.send_per_minute = 10;
    let Some(stage) = two_nodes(settings).await else { return };
    let thread = stage.thread("whatsapp").await;
    let path = format!("/admin/inbox/{}/messages", thread.id);
    let same = json!({"content": "Once", "client_key": "k"});
    let (one, two) = tokio::join!(
        stage.call_on(0, "POST", &path, same.clone()),
        stage.call_on(1, "POST", &path, same.clone())
    );
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!((statuses, &one.1["id"]), ([200, 201], &two.1["id"]));
    let more = join_all((0..20).map(|n| {
        let (stage, path) = (&stage, &path);
        async move { stage.call_on(n % 2, "POST", path, json!({"content": format!("{n}")})).await.0 }
    }))
    .await;
    let taken = more.iter().filter(|status| **status == 201).count();
    let refused = more.iter().filter(|status| **status == 429).count();
    assert_eq!((taken, refused), (8, 12), "{more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_added_on_one_node_is_known_to_the_other_at_once() {
    let Some(stage) = two_nodes(StageSettings::default()).await else { return };
    for round in 0..5 {
        let number = format!("99900011122{round}");
        let new = json!({"channel": "whatsapp_cloud", "name": format!("Branch {round}"),
            "settings": {"phone_number_id": number, "access_token": "token", "business_account_id": "77"}});
        let (status, inbox) = stage.call_on(1, "POST", "/api/v1/inboxes", new).await;
        assert_eq!(status, 201, "{inbox}");
        {
            let mut world = stage.sandbox.world();
            let mut fresh = world.inboxes["whatsapp"].clone();
            (fresh.id, fresh.account_id) = (format!("branch-{round}"), number);
            fresh.access_token = Some("token".to_owned());
            world.inboxes.insert(fresh.id.clone(), fresh);
        }
        let customer = {
            let new = serde_json::from_value(json!({"name": "Sari", "phone": format!("6281999000{round}")}));
            stage.sandbox.world().add_customer(new.unwrap()).unwrap().id
        };
        let remote =
            stage.act(&customer, &format!("branch-{round}"), json!({"kind": "text", "text": "Halo"}));
        let (account, inbox_id) = (stage.account, frontdesk_model::InboxId(inbox["id"].as_i64().unwrap()));
        let message = until("the first node takes it in", || async {
            let remote = frontdesk_model::RemoteId(remote.clone());
            stage
                .read(move |tx| frontdesk_store::messages::find_by_remote(tx, account, inbox_id, &remote))
                .await
        })
        .await;
        let path = format!("/admin/inbox/{}/messages", message.conversation_id);
        let (status, answer) = stage.call_on(0, "POST", &path, json!({"content": "Hi"})).await;
        assert_eq!(status, 201, "{answer}");
        stage.arrives(id_of(&answer)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_nodes_work_one_queue_and_the_rest_goes_on_when_one_stops() {
    let mut settings = StageSettings::default();
    settings.engine.outbox.concurrency = 4;
    let Some(mut stage) = two_nodes(settings).await else { return };
    let threads = stage.threads("whatsapp", 60).await;
    stage.fault(
        frontdesk_sandbox::Channel::WhatsappCloud,
        json!({"fault": "latency", "latency_ms": 40, "rate": 1.0}),
    );
    for thread in &threads {
        stage.say(thread, "Hello").await;
    }
    stage.nodes[1].stop().await; // finishes what it holds
    until("all have arrived", || async { (stage.delivered("whatsapp").len() >= 60).then_some(()) }).await;
    let references: HashSet<_> = stage.delivered("whatsapp").into_iter().map(|d| d.reference).collect();
    assert_eq!((references.len(), stage.delivered("whatsapp").len()), (60, 60));
}
