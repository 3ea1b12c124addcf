use frontdesk_testkit::stage::{Stage, chatwoot_signature, sample, until};
use serde_json::{Value, json};

use crate::{connect, connection, counts, stages};

const SECRET: &str = "whsec_of_the_connection";
const ANA: &str = "+5511987654321";

/// Pulls all conversations; what became of it.
async fn pull(stage: &Stage, connection: &str) -> Value {
    let path = format!("/api/v1/sync/connections/{connection}/sync?wait=60&entityType=conversations");
    let (status, answer) = stage.call("POST", &path, Value::Null).await;
    assert_eq!((status, &answer["data"]["status"]), (200, &json!("completed")), "{answer}");
    answer["data"].clone()
}

/// An agent in Chatwoot does something; the answer.
async fn act(stage: &Stage, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = stage.ask_chatwoot(method, path, &body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// An agent in Chatwoot writes; the id of the message.
async fn say(stage: &Stage, conversation: i64, body: Value) -> i64 {
    let written = act(stage, "POST", &format!("/conversations/{conversation}/messages"), body).await;
    written["id"].as_i64().unwrap()
}

/// Our conversation of one there.
async fn ours(stage: &Stage, number: i64) -> i64 {
    let find =
        "SELECT internal_id FROM external_entity_maps WHERE entity_type = 'conversations' AND external_id";
    stage.database.number(&format!("{find} = '{number}'")).await
}

async fn shown(stage: &Stage, number: i64) -> Value {
    let path = format!("/api/v1/conversations/{}", ours(stage, number).await);
    let (status, conversation) = stage.call("GET", &path, Value::Null).await;
    assert_eq!(status, 200, "{conversation}");
    conversation
}

async fn messages(stage: &Stage, number: i64) -> Vec<Value> {
    let path = format!("/api/v1/conversations/{}/messages", ours(stage, number).await);
    let (_, found) = stage.call("GET", &path, Value::Null).await;
    found["data"].as_array().unwrap().clone()
}

async fn texts(stage: &Stage, number: i64) -> Vec<String> {
    let text = |message: Value| message["content"].as_str().unwrap_or_default().to_owned();
    messages(stage, number).await.into_iter().map(text).collect()
}

/// Connects the sandbox's Chatwoot, which tells of all that happens in conversations.
async fn connect_told(stage: &Stage) -> String {
    let id = connect(stage).await;
    let change = json!({ "config": { "webhookSecrets": [SECRET] } });
    let (status, _) = stage.call("PATCH", &format!("/api/v1/sync/connections/{id}"), change).await;
    assert_eq!(status, 200);
    stage.subscribe_at_chatwoot(SECRET).await;
    let events = [
        "message_created",
        "message_updated",
        "conversation_created",
        "conversation_updated",
        "conversation_status_changed",
    ];
    let mut world = stage.sandbox.world();
    let account = world.chatwoot.accounts.get_mut(&1).unwrap();
    let webhooks = account.webhooks.values_mut();
    webhooks.for_each(|webhook| webhook.subscriptions = events.map(str::to_owned).into());
    id
}

/// Whatever a pull may write about conversations.
const WRITTEN: &str = "SELECT COALESCE((SELECT SUM(updated_at) FROM conversations), 0)::BIGINT +
    COALESCE((SELECT SUM(updated_at) FROM messages), 0)::BIGINT +
    COALESCE((SELECT SUM(updated_at) FROM external_entity_maps), 0)::BIGINT";

async fn written(stage: &Stage) -> i64 {
    let is_postgres = stage.first().store.is_postgres();
    let sql = if is_postgres { WRITTEN.to_owned() } else { WRITTEN.replace("::BIGINT", "") };
    stage.database.number(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_comes_over_whole_and_the_second_pull_writes_nothing() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        say(&stage, number, json!({ "content": "Hi Ana" })).await;
        say(&stage, number, json!({ "content": "careful with this one", "private": true })).await;
        stage.write_in_chatwoot(ANA, "Thanks").await;
        act(&stage, "POST", &format!("/conversations/{number}/labels"), json!({ "labels": ["vip"] })).await;
        let path = format!("/conversations/{number}/toggle_status");
        act(&stage, "POST", &path, json!({ "status": "resolved" })).await;
        let (other, _) = stage.write_in_chatwoot("+5511900000001", "Are you there?").await;

        let id = connect(&stage).await;
        let first = pull(&stage, &id).await;
        assert_eq!(counts(&first), [2, 2, 0, 0, 0], "{first}");
        assert_eq!(texts(&stage, number).await, ["Hello", "Hi Ana", "Thanks"], "notes stay there");
        let conversation = shown(&stage, number).await;
        assert_eq!(
            (&conversation["status"], &conversation["platform"]),
            (&json!("closed"), &json!("chatwoot"))
        );
        assert_eq!(
            conversation["metadata"],
            json!({ "chatwoot_id": number, "chatwoot_inbox_id": 1, "chatwoot_status": "completed",
                "chatwoot_messages_count": 3, "chatwoot_labels": ["vip"] })
        );
        assert_eq!(conversation["customer"]["phone"], ANA);
        let answer = &messages(&stage, number).await[1];
        assert_eq!(
            (&answer["direction"], &answer["sender_name"], &answer["status"]),
            (&json!("outbound"), &json!("Rui"), &json!("sent"))
        );
        let waiting = shown(&stage, other).await;
        assert_eq!((&waiting["status"], &waiting["unread_count"]), (&json!("active"), &json!(1)));

        let before = written(&stage).await;
        let second = pull(&stage, &id).await;
        assert_eq!(counts(&second), [2, 0, 0, 2, 0], "{second}");
        assert_eq!(written(&stage).await, before, "nothing was written");
        stage.write_in_chatwoot("+5511900000001", "Hello?").await;
        let third = pull(&stage, &id).await;
        assert_eq!(counts(&third), [2, 0, 1, 1, 0], "{third}");
        assert_eq!(texts(&stage, other).await, ["Are you there?", "Hello?"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_here_is_the_same_person_and_files_are_fetched() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        let form = reqwest::multipart::Form::new().text("content", "The bill").part(
            "attachments[]",
            reqwest::multipart::Part::bytes(sample("invoice.pdf"))
                .file_name("invoice.pdf")
                .mime_str("application/pdf")
                .unwrap(),
        );
        let url = format!("{}/api/v1/accounts/1/conversations/{number}/messages", stage.chatwoot_url());
        let request = reqwest::Client::new().post(url).header("api_access_token", crate::KEY);
        assert!(request.multipart(form).send().await.unwrap().status().is_success());
        let id = connect(&stage).await;
        crate::pull(&stage, &id).await;
        let people = stage.database.number("SELECT COUNT(*) FROM contacts").await;
        pull(&stage, &id).await;
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM contacts").await, people, "nobody is doubled");
        let file = until("the file is here", || async {
            let message = messages(&stage, number).await.pop()?;
            (message["attachments"][0]["state"] == "ready").then_some(message)
        })
        .await;
        assert_eq!((&file["kind"], &file["content"]), (&json!("document"), &json!("The bill")));
        assert_eq!(file["attachments"][0]["file_name"], "invoice.pdf");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_here_goes_out_by_chatwoot_and_comes_back_once() {
    for stage in stages().await {
        let id = connect_told(&stage).await;
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        pull(&stage, &id).await;
        let path = format!("/admin/inbox/{}/messages", ours(&stage, number).await);
        let (status, reply) = stage.call("POST", &path, json!({ "content": "Hi from here" })).await;
        assert_eq!(status, 201, "{reply}");
        let there = until("Chatwoot has it", || async {
            let world = stage.sandbox.world();
            let found = &world.chatwoot.accounts[&1].conversations[&number].messages;
            found
                .iter()
                .find(|message| message.content.as_deref() == Some("Hi from here"))
                .map(|found| found.id.to_string())
        })
        .await;
        until("it is known by its id there", || async {
            let ours = messages(&stage, number).await.pop()?;
            (ours["platform_message_id"].as_str() == Some(there.as_str()) && ours["status"] == "sent")
                .then_some(())
        })
        .await;
        pull(&stage, &id).await;
        assert_eq!(texts(&stage, number).await, ["Hello", "Hi from here"], "once");
        let count = || stage.sandbox.world().chatwoot.accounts[&1].conversations[&number].messages.len();
        assert_eq!(count(), 2, "and once there");
        let path = format!("/conversations/{number}/messages/{there}");
        act(&stage, "PATCH", &path, json!({ "status": "failed", "external_error": "131047: too late" }))
            .await;
        let failed = until("it is told that it failed", || async {
            let ours = messages(&stage, number).await.pop()?;
            (ours["status"] == "failed").then_some(ours)
        })
        .await;
        assert_eq!(failed["status_error"]["message"], "131047: too late");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_chatwoot_tells_is_here_at_once_once_an_inbox_was_pulled() {
    for stage in stages().await {
        let id = connect_told(&stage).await;
        stage.write_in_chatwoot("+5511900000001", "Before").await;
        pull(&stage, &id).await;
        let (number, first) = stage.write_in_chatwoot(ANA, "Hello").await;
        let known = async || ours_if_any(&stage, number).await;
        until("it is here", || async { known().await }).await;
        say(&stage, number, json!({ "content": "Hi Ana" })).await;
        until("the answer is here", || async {
            (texts(&stage, number).await == ["Hello", "Hi Ana"]).then_some(())
        })
        .await;
        act(&stage, "DELETE", &format!("/conversations/{number}/messages/{first}"), Value::Null).await;
        until("it was taken back", || async {
            messages(&stage, number).await[0]["deleted_at"].is_string().then_some(())
        })
        .await;
        let path = format!("/conversations/{number}/toggle_status");
        act(&stage, "POST", &path, json!({ "status": "resolved" })).await;
        until("it is closed", || async { (shown(&stage, number).await["status"] == "closed").then_some(()) })
            .await;
        act(&stage, "POST", &path, json!({ "status": "pending" })).await;
        until("its own word is kept", || async {
            let conversation = shown(&stage, number).await;
            (conversation["metadata"]["chatwoot_status"] == "pending").then_some(())
        })
        .await;
        // Lost, late and out of order: the next pull finds what is missing and doubles nothing.
        let body = json!({ "event": "message_created", "id": first, "content": "Hello", "message_type": "incoming",
            "account": { "id": 1 }, "conversation": { "id": number, "inbox_id": 1, "status": "open" } });
        let (text, now) = (body.to_string(), stage.now_s());
        let signature = chatwoot_signature(SECRET, now, text.as_bytes());
        assert_eq!(stage.deliver_from_chatwoot(0, &text, &signature, now, "late").await.0, 200);
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run)[4], 0, "{run}");
        assert_eq!(messages(&stage, number).await.len(), 2);
    }
}

async fn ours_if_any(stage: &Stage, number: i64) -> Option<()> {
    let find =
        "SELECT COUNT(*) FROM external_entity_maps WHERE entity_type = 'conversations' AND external_id";
    (stage.database.number(&format!("{find} = '{number}'")).await == 1).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_shows_one_of_ours_is_never_pulled_and_one_of_theirs_never_shown_back() {
    for stage in stages().await {
        let id = connect(&stage).await;
        let body = json!({ "connectionId": id, "inboxId": stage.inbox("whatsapp").await, "settings": {} });
        let (status, bridge) = stage.call("POST", "/api/v1/sync/bridges", body).await;
        assert_eq!(status, 201, "{bridge}");
        let thread = stage.thread("whatsapp").await;
        let bridged = bridge["data"]["remoteInboxId"].as_i64().unwrap();
        until("it is shown there", || async {
            let world = stage.sandbox.world();
            let mut all = world.chatwoot.accounts[&1].conversations.values();
            all.any(|found| found.inbox_id == bridged && !found.messages.is_empty()).then_some(())
        })
        .await;
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [2, 1, 0, 1, 0], "{run}");
        let inboxes = "SELECT COUNT(*) FROM inboxes WHERE channel = 'chatwoot'";
        assert_eq!(stage.database.number(inboxes).await, 1);
        let mirror = shown(&stage, number).await["inbox"]["id"].clone();
        let body = json!({ "connectionId": id, "inboxId": mirror, "settings": {} });
        let (status, refused) = stage.call("POST", "/api/v1/sync/bridges", body).await;
        assert_eq!((status, refused["errors"]["inboxId"].is_array()), (422, true), "{refused}");
        let of_thread =
            stage.call("GET", &format!("/api/v1/conversations/{}", thread.id), Value::Null).await.1;
        assert_eq!(of_thread["metadata"], json!({}));
        let form = json!({ "channel": "chatwoot", "name": "By hand", "settings": {} });
        assert_eq!(stage.call("POST", "/api/v1/inboxes", form).await.0, 422, "no form makes one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_conversations_of_one_person_are_one_thread_and_the_last_counts() {
    for stage in stages().await {
        let (old, _) = stage.write_in_chatwoot(ANA, "Last year").await;
        let path = format!("/conversations/{old}/toggle_status");
        act(&stage, "POST", &path, json!({ "status": "resolved" })).await;
        let contact = stage.sandbox.world().chatwoot.accounts[&1].conversations[&old].contact_id;
        stage.clock.advance_ms(60_000);
        let begun = json!({ "inbox_id": 1, "contact_id": contact });
        let new = act(&stage, "POST", "/conversations", begun).await["id"].as_i64().unwrap();
        say(&stage, new, json!({ "content": "How are you?" })).await;
        let id = connect(&stage).await;
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [2, 2, 0, 0, 0], "{run}");
        assert_eq!(ours(&stage, old).await, ours(&stage, new).await);
        let conversation = shown(&stage, new).await;
        assert_eq!(
            (&conversation["metadata"]["chatwoot_id"], &conversation["status"]),
            (&json!(new), &json!("active"))
        );
        let path = format!("/admin/inbox/{}/messages", ours(&stage, new).await);
        stage.call("POST", &path, json!({ "content": "Still there?" })).await;
        until("it goes where the last is", || async {
            let world = stage.sandbox.world();
            let found = &world.chatwoot.accounts[&1].conversations[&new].messages;
            found.iter().any(|message| message.content.as_deref() == Some("Still there?")).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_here_stays_away_with_all_they_wrote() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        let id = connect(&stage).await;
        pull(&stage, &id).await;
        let known = shown(&stage, number).await["customer_id"].as_i64().unwrap();
        let (status, _) = stage.call("DELETE", &format!("/api/v1/contacts/{known}"), Value::Null).await;
        assert_eq!(status, 204);
        stage.write_in_chatwoot(ANA, "Are you there?").await;
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [1, 0, 0, 1, 0], "{run}");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM messages").await, 0);
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM conversations").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_over_is_counted_and_named() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        {
            let mut world = stage.sandbox.world();
            let account = world.chatwoot.accounts.get_mut(&1).unwrap();
            account
                .contacts
                .values_mut()
                .for_each(|contact| contact.phone_number = Some("call me".to_owned()));
        }
        let contact = stage.sandbox.world().chatwoot.accounts[&1].conversations[&number].contact_id;
        let id = connect(&stage).await;
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [0, 0, 0, 0, 1], "{run}");
        let why = format!("Conversation {number}: Contact {contact}: Invalid phone format");
        assert_eq!(run["errorMessages"], json!([why]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_connection_leaves_what_it_brought_and_connected_again_nothing_is_there_twice() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        let id = connect(&stage).await;
        pull(&stage, &id).await;
        let inbox = shown(&stage, number).await["inbox"]["id"].clone();
        stage.call("DELETE", &format!("/api/v1/sync/connections/{id}"), Value::Null).await;
        let (_, cut_off) = stage.call("GET", &format!("/api/v1/inboxes/{inbox}"), Value::Null).await;
        assert_eq!((&cut_off["enabled"], &cut_off["state"]["code"]), (&json!(false), &json!("paused")));
        assert_eq!(cut_off["settings"]["api_token"], Value::Null, "its key is gone");
        let body = connection(&stage, crate::KEY, json!("1"));
        let (_, again) = stage.call("POST", "/api/v1/sync/connections", body).await;
        let id = again["data"]["id"].as_str().unwrap().to_owned();
        stage.write_in_chatwoot(ANA, "Again").await;
        let run = pull(&stage, &id).await;
        assert_eq!(counts(&run), [1, 0, 1, 0, 0], "{run}");
        assert_eq!(texts(&stage, number).await, ["Hello", "Again"]);
        assert_eq!(shown(&stage, number).await["inbox"]["id"], inbox);
        let (_, works) = stage.call("GET", &format!("/api/v1/inboxes/{inbox}"), Value::Null).await;
        assert_eq!((&works["enabled"], &works["state"]["code"]), (&json!(true), &json!("connected")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_people_removed_here_stays_away_and_one_switched_off_waits() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        let id = connect(&stage).await;
        pull(&stage, &id).await;
        let inbox = shown(&stage, number).await["inbox"]["id"].clone();
        let path = format!("/api/v1/inboxes/{inbox}");
        assert_eq!(stage.call("PATCH", &path, json!({ "enabled": false })).await.0, 200);
        stage.write_in_chatwoot(ANA, "Meanwhile").await;
        assert_eq!(counts(&pull(&stage, &id).await), [1, 0, 0, 1, 0]);
        let (status, refused) =
            stage.call("PATCH", &path, json!({ "settings": { "api_url": "https://elsewhere.test" } })).await;
        assert_eq!((status, refused["errors"]["settings"].is_array()), (422, true), "{refused}");
        assert_eq!(stage.call("PATCH", &path, json!({ "enabled": true })).await.0, 200);
        assert_eq!(counts(&pull(&stage, &id).await), [1, 0, 1, 0, 0]);
        assert_eq!(texts(&stage, number).await, ["Hello", "Meanwhile"]);
        assert_eq!(stage.call("DELETE", &path, Value::Null).await.0, 204);
        assert_eq!(counts(&pull(&stage, &id).await), [1, 0, 0, 1, 0]);
        let inboxes = "SELECT COUNT(*) FROM inboxes WHERE channel = 'chatwoot' AND deleted_at IS NULL";
        assert_eq!(stage.database.number(inboxes).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_node_that_died_goes_on_without_a_double_and_a_long_thread_comes_in_parts() {
    for mut stage in stages().await {
        stage.sandbox.world().chatwoot.settings.requests_per_minute = None;
        stage.sandbox.world().chatwoot.settings.conversations_per_page = 2;
        let mut numbers = Vec::new();
        for n in 0..7 {
            let (number, _) = stage.write_in_chatwoot(&format!("+55119000000{n:02}"), "Hello").await;
            numbers.push(number);
        }
        {
            let mut world = stage.sandbox.world();
            let long =
                world.chatwoot.accounts.get_mut(&1).unwrap().conversations.get_mut(&numbers[0]).unwrap();
            let first = long.messages[0].clone();
            let more = (0..1_200).map(|n| {
                let mut message = first.clone();
                message.id = 100_000 + n;
                message.content = Some(format!("Message {n}"));
                message
            });
            long.messages.extend(more);
        }
        let id = connect(&stage).await;
        let path = format!("/api/v1/sync/connections/{id}/sync?wait=0&entityType=conversations");
        let (_, asked) = stage.call("POST", &path, Value::Null).await;
        let run = asked["data"]["runId"].as_str().unwrap().to_owned();
        stage.nodes[0].stop().await;
        stage.add_node().await;
        let path = format!("/api/v1/sync/runs/{run}");
        let ended = until("the run ends", || async {
            let (_, run) = stage.call_on(1, "GET", &path, Value::Null).await;
            (run["data"]["status"] == "completed").then_some(run["data"].clone())
        })
        .await;
        assert_eq!(counts(&ended), [7, 7, 0, 0, 0], "{ended}");
        assert_eq!(stage.database.number("SELECT COUNT(*) FROM messages").await, 7 + 1_200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_brings_what_was_never_told_once_conversations_were_pulled() {
    for stage in stages().await {
        let (number, _) = stage.write_in_chatwoot(ANA, "Hello").await;
        let id = connect(&stage).await;
        pull(&stage, &id).await;
        stage.write_in_chatwoot(ANA, "Never told").await;
        let path = format!("/api/v1/sync/connections/{id}");
        let (status, _) = stage.call("PATCH", &path, json!({ "schedule": "*/5 * * * *" })).await;
        assert_eq!(status, 200);
        stage.clock.advance_ms(300_000);
        until("it is here", || async {
            (texts(&stage, number).await == ["Hello", "Never told"]).then_some(())
        })
        .await;
        let (_, runs) = stage.call("GET", "/api/v1/sync/runs", Value::Null).await;
        let scheduled = runs["data"].as_array().unwrap().iter().filter(|run| run["cause"] == "schedule");
        let kinds: Vec<&str> = scheduled.map(|run| run["entityType"].as_str().unwrap()).collect();
        assert!(kinds.contains(&"contacts") && kinds.contains(&"conversations"), "{kinds:?}");
    }
}
