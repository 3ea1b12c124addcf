use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, PAGE, SECOND_NUMBER, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::size;
use frontdesk_testkit::snapshot;
use serde_json::{Value, json};

const AT: i64 = 1_793_260_000;
const PHONE: &str = "6281390045512";
const NEW_PHONE: &str = "6285770011223";
const USER_ID: &str = "ID.13491208655302741918";

/// All orders of a list.
fn orders(items: &[Value]) -> Vec<Vec<Value>> {
    match items {
        [] => vec![Vec::new()],
        _ => (0..items.len())
            .flat_map(|first| {
                let mut rest = items.to_vec();
                let head = rest.remove(first);
                orders(&rest).into_iter().map(move |mut tail| {
                    tail.insert(0, head.clone());
                    tail
                })
            })
            .collect(),
    }
}

/// Delivers the bodies in every order, each time to fresh servers; all must end in the same state, which is returned.
async fn same_in_every_order(items: &[Value]) -> Value {
    let mut expected: Option<Value> = None;
    let orders = orders(items);
    let every = if orders.len() > 6 { size::pick(5, 1) } else { 1 };
    for order in orders.into_iter().step_by(every) {
        for server in TestServer::on_all(settings()).await {
            server.connect_all().await;
            let admin = server.admin_token().await;
            for body in &order {
                server.deliver(bodies::bytes(body)).await;
            }
            let state = snapshot::of_account(&server, &admin).await;
            let expected = expected.get_or_insert_with(|| state.clone());
            let names: Vec<String> = order.iter().map(ToString::to_string).collect();
            assert_eq!(
                serde_json::to_string_pretty(&state).unwrap(),
                serde_json::to_string_pretty(expected).unwrap(),
                "{} {names:#?}",
                server.database.kind
            );
        }
    }
    expected.unwrap()
}

fn by_phone(id: &str, at: i64) -> Value {
    bodies::text(NUMBER, Person::named(PHONE, "Sari"), id, at, id)
}

fn by_user_id(id: &str, at: i64, name: &str) -> Value {
    let person = Person { phone: None, user_id: Some(USER_ID), name: Some(name) };
    bodies::text(NUMBER, person, id, at, id)
}

#[tokio::test]
async fn a_phone_and_a_user_id_that_turn_out_to_be_one_person_become_one_conversation() {
    let both = Person { phone: Some(PHONE), user_id: Some(USER_ID), name: Some("Sari W.") };
    let state = same_in_every_order(&[
        by_phone("wamid.1", AT),
        by_user_id("wamid.2", AT + 10, "sari.w"),
        bodies::text(NUMBER, both, "wamid.3", AT + 20, "wamid.3"),
    ])
    .await;
    let conversations = state["conversations"].as_array().unwrap();
    assert_eq!(conversations.len(), 1, "{state:#}");
    assert_eq!(conversations[0]["unread_count"], 3);
    assert_eq!(conversations[0]["messages"].as_array().unwrap().len(), 3);
    let customer = &conversations[0]["customer"];
    assert_eq!(
        (customer["name"].as_str(), customer["phone"].as_str()),
        (Some("Sari W."), Some("+6281390045512"))
    );
    assert_eq!(customer["identities"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_status_may_be_what_tells_that_a_phone_and_a_user_id_are_one_person() {
    let both = Person { phone: Some(PHONE), user_id: Some(USER_ID), name: None };
    let state = same_in_every_order(&[
        bodies::echo(NUMBER, PHONE, "wamid.ours", AT, "hello"),
        bodies::status(NUMBER, both, "wamid.ours", AT + 5, "delivered", None),
        by_user_id("wamid.2", AT + 10, "sari.w"),
    ])
    .await;
    assert_eq!(state["conversations"].as_array().unwrap().len(), 1, "{state:#}");
    assert_eq!(state["conversations"][0]["messages"][0]["status"], "delivered");
}

#[tokio::test]
async fn a_changed_number_stays_one_person_who_is_answered_on_the_new_one() {
    let change = bodies::whatsapp(
        NUMBER,
        json!({ "messages": [{
            "from": PHONE, "id": "wamid.change", "timestamp": (AT + 10).to_string(), "type": "system",
            "system": { "type": "user_changed_number", "body": "Sari changed her number", "wa_id": NEW_PHONE },
        }] }),
    );
    let new = bodies::text(NUMBER, Person::named(NEW_PHONE, "Sari"), "wamid.2", AT + 20, "new");
    let state = same_in_every_order(&[by_phone("wamid.1", AT), change.clone(), new]).await;
    let conversations = state["conversations"].as_array().unwrap();
    assert_eq!(conversations.len(), 1, "{state:#}");
    assert_eq!(conversations[0]["thread"], NEW_PHONE);
    assert_eq!(conversations[0]["customer"]["phone"], format!("+{NEW_PHONE}"));
    assert_eq!(conversations[0]["unread_count"], 2, "a notice is not unread");

    let state = same_in_every_order(&[by_phone("wamid.1", AT), change]).await;
    assert_eq!(state["conversations"][0]["thread"], NEW_PHONE, "known before they write from it");
    assert_eq!(state["conversations"][0]["customer"]["phone"], format!("+{NEW_PHONE}"));
}

#[tokio::test]
async fn the_newest_profile_name_wins_in_every_order() {
    let named = |id: &str, at: i64, name: &str| bodies::text(NUMBER, Person::named(PHONE, name), id, at, id);
    let state = same_in_every_order(&[
        named("wamid.1", AT, "Sari"),
        named("wamid.2", AT + 10, "Sari on holiday"),
        named("wamid.3", AT + 20, "Sari"),
    ])
    .await;
    assert_eq!(state["contacts"][0]["name"], "Sari");
}

#[tokio::test]
async fn one_customer_has_one_conversation_per_inbox() {
    let body = bodies::merged(&[
        by_phone("wamid.1", AT),
        bodies::text(SECOND_NUMBER, Person::named(PHONE, "Sari"), "wamid.1", AT, "other number, same id"),
        bodies::text(
            NUMBER,
            Person::named("+6281390045512", "Sari"),
            "wamid.2",
            AT + 1,
            "written another way",
        ),
    ]);
    let state = same_in_every_order(&[body]).await;
    let conversations = state["conversations"].as_array().unwrap();
    assert_eq!((conversations.len(), state["contacts"].as_array().unwrap().len()), (2, 1), "{state:#}");
    let counts: Vec<usize> = conversations.iter().map(|c| c["messages"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [2, 1]);
}

#[tokio::test]
async fn an_edit_a_reaction_and_a_deletion_find_their_message_in_every_order() {
    let reaction = |at: i64, emoji: &str| {
        let content = json!({ "type": "reaction", "reaction": { "message_id": "wamid.1", "emoji": emoji } });
        bodies::message(NUMBER, Person::named(PHONE, "Sari"), &format!("wamid.r{at}"), at, content)
    };
    let edit = |at: i64, text: &str| {
        let message = json!({ "type": "text", "text": { "body": text } });
        let edit = json!({ "original_message_id": "wamid.1", "message": message });
        let content = json!({ "type": "edit", "edit": edit });
        bodies::message(NUMBER, Person::named(PHONE, "Sari"), &format!("wamid.e{at}{text}"), at, content)
    };
    let revoke = json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.1" } });
    let revoke = bodies::message(NUMBER, Person::named(PHONE, "Sari"), "wamid.d", AT + 30, revoke);

    let edited = same_in_every_order(&[
        by_phone("wamid.1", AT),
        edit(AT + 5, "first"),
        edit(AT + 9, "b"),
        edit(AT + 9, "c"),
    ])
    .await;
    assert_eq!(edited["conversations"][0]["messages"][0]["content"], "c");

    let reacted =
        same_in_every_order(&[by_phone("wamid.1", AT), reaction(AT + 3, "👍"), reaction(AT + 4, "❤")]).await;
    assert_eq!(reacted["conversations"][0]["messages"][0]["reactions"], json!(["❤ by \"customer\""]));
    let taken_back =
        same_in_every_order(&[by_phone("wamid.1", AT), reaction(AT + 3, "👍"), reaction(AT + 4, "")]).await;
    assert_eq!(taken_back["conversations"][0]["messages"][0]["reactions"], json!([]));

    let deleted = same_in_every_order(&[by_phone("wamid.1", AT), edit(AT + 5, "first"), revoke]).await;
    let tombstone = &deleted["conversations"][0]["messages"][0];
    assert_eq!((tombstone.get("content"), tombstone["kind"].as_str()), (None, Some("text")));
    assert_eq!(tombstone["deleted_at"], json!(frontdesk_model::Timestamp::from_secs(AT + 30)));
    assert_eq!(deleted["conversations"][0]["unread_count"], 0, "there is nothing left to read");
}

#[tokio::test]
async fn two_conversations_that_become_one_keep_what_agents_did_in_both() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let now = server.engine.clock.now().as_secs();
        server.deliver(bodies::bytes(&by_phone("wamid.1", now - 60))).await;
        server.deliver(bodies::bytes(&by_user_id("wamid.2", now - 50, "sari.w"))).await;
        let both = snapshot::conversations(&server, &admin).await;
        assert_eq!(both.len(), 2);
        for (conversation, label) in both.iter().zip(["vip", "late"]) {
            let id = &conversation["id"];
            // Two programs may well make the same key, each in its conversation.
            let reply = json!({ "content": label, "client_key": "1" });
            let call = server.post(&format!("/admin/inbox/{id}/messages")).bearer(&admin);
            call.json(&reply).send().await.ok(201);
            let call = server.patch(&format!("/api/v1/conversations/{id}")).bearer(&admin);
            call.json(&json!({ "labels": [label, "both"], "starred": label == "late" })).send().await.ok(200);
        }
        let seq = server.database.number("SELECT event_seq FROM accounts").await;
        let person = Person { phone: Some(PHONE), user_id: Some(USER_ID), name: Some("Sari") };
        server.deliver(bodies::bytes(&bodies::text(NUMBER, person, "wamid.3", now, "it is me"))).await;
        let one = snapshot::conversations(&server, &admin).await;
        assert_eq!(one.len(), 1, "{}", server.database.kind);
        let mut labels: Vec<&str> =
            one[0]["labels"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        labels.sort_unstable();
        assert_eq!((labels, &one[0]["starred"]), (vec!["both", "late", "vip"], &json!(true)));
        assert_eq!(one[0]["unread_count"], 3);
        let rows = snapshot::messages(&server, &admin, one[0]["id"].as_i64().unwrap()).await;
        assert_eq!(rows.len(), 5);
        assert!(
            rows.iter()
                .all(|m| m["conversation_id"] == one[0]["id"] && m["customer_id"] == one[0]["customer_id"])
        );
        let queued = "SELECT COUNT(DISTINCT conversation_id) FROM outbox WHERE message_id IS NOT NULL";
        assert_eq!(server.database.number(queued).await, 1, "what waits to be sent moved along");
        let told = format!("SELECT COUNT(*) FROM events WHERE seq > {seq} AND kind = 'conversation_updated'");
        assert_eq!(server.database.number(&told).await, 1);
    }
}

#[tokio::test]
async fn pages_are_told_which_conversation_is_gone_when_two_become_one() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let both = bodies::text(
            NUMBER,
            Person { phone: Some(PHONE), user_id: Some(USER_ID), name: Some("Sari") },
            "wamid.3",
            AT + 3,
            "both names",
        );
        let mut ids = Vec::new();
        for body in [by_phone("wamid.1", AT + 1), by_user_id("wamid.2", AT + 2, "Sari")] {
            server.deliver(bodies::bytes(&body)).await;
            let newest = snapshot::conversations(&server, &admin).await.remove(0);
            ids.push(newest["id"].as_i64().unwrap());
        }
        assert_ne!(ids[0], ids[1]);
        server.deliver(bodies::bytes(&both)).await;
        let left = snapshot::conversations(&server, &admin).await;
        assert_eq!(left.len(), 1, "{left:?}");
        let kept = left[0]["id"].as_i64().unwrap();
        let gone = ids.iter().copied().find(|id| *id != kept).unwrap();
        let events = server.get("/api/v1/events?after=0&limit=100").bearer(&admin).send().await.ok(200);
        let events = events["data"].as_array().unwrap();
        let told: Vec<_> = events.iter().filter(|e| e["name"] == "ConversationMerged").collect();
        assert_eq!(told.len(), 1, "{events:?}");
        assert_eq!(told[0]["data"]["conversation_id"], gone);
        assert_eq!(told[0]["data"]["into_id"], kept);
        assert_eq!(told[0]["data"]["conversation"]["id"], kept);
    }
}

#[tokio::test]
async fn two_names_used_at_one_moment_leave_one_thread_in_every_order() {
    let both = Person { phone: Some(PHONE), user_id: Some(USER_ID), name: Some("Sari") };
    let by_id = Person { phone: None, ..both };
    let by_phone = Person { user_id: None, ..both };
    let state = same_in_every_order(&[
        bodies::text(NUMBER, by_id, "wamid.1", AT, "one"),
        bodies::text(NUMBER, by_phone, "wamid.2", AT, "two"),
        bodies::text(NUMBER, both, "wamid.3", AT, "three"),
    ])
    .await;
    assert_eq!(state["conversations"][0]["thread"], PHONE);
}

#[tokio::test]
async fn whom_no_network_names_is_called_the_same_in_every_order() {
    let write = |from: &str, mid: &str| {
        json!({ "object": "page", "entry": [{ "id": PAGE, "messaging": [{ "sender": { "id": from },
            "recipient": { "id": PAGE }, "timestamp": AT * 1000, "message": { "mid": mid, "text": "hi" } }] }] })
    };
    let state =
        same_in_every_order(&[write("7841230045567812", "m_1"), write("7841230045560001", "m_2")]).await;
    let names: Vec<&Value> =
        state["conversations"].as_array().unwrap().iter().map(|c| &c["customer"]["name"]).collect();
    assert!(names.contains(&&json!("Customer 567812")), "{names:?}");
}
