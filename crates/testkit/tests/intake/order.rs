use bytes::Bytes;
use frontdesk_testkit::bodies::{self, Person};
use frontdesk_testkit::meta::{NUMBER, fixtures, settings};
use frontdesk_testkit::server::TestServer;
use frontdesk_testkit::size;
use frontdesk_testkit::snapshot;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

/// What a server shows after these bodies.
async fn shown_after(server: &TestServer, bodies: Vec<Bytes>, connections: usize) -> Value {
    server.connect_all().await;
    let admin = server.admin_token().await;
    server.deliver_all(bodies, connections).await;
    let open = server.database.number("SELECT COUNT(*) FROM webhook_logs WHERE state <> 'applied'").await;
    assert_eq!(open, 0, "{}: every body is applied", server.database.kind);
    snapshot::of_account(server, &admin).await
}

fn recorded() -> Vec<Bytes> {
    fixtures().into_iter().map(|f| f.body).collect()
}

#[track_caller]
fn assert_same(found: &Value, expected: &Value, what: &str) {
    if found != expected {
        let text = |v: &Value| serde_json::to_string_pretty(v).unwrap();
        let (a, b) = (text(expected), text(found));
        let difference = a.lines().zip(b.lines()).enumerate().find(|(_, (a, b))| a != b);
        panic!("{what}: another state, first in line {difference:?}\n{b}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_order_of_the_recorded_bodies_gives_the_same_state() {
    let mut expected = None;
    for seed in 0..size::pick(3, 12) {
        let mut bodies = recorded();
        if seed > 0 {
            bodies.shuffle(&mut StdRng::seed_from_u64(seed));
        }
        let connections = if seed % 2 == 0 { 1 } else { 8 };
        for server in TestServer::on_all(settings()).await {
            let found = shown_after(&server, bodies.clone(), connections).await;
            let expected = expected.get_or_insert_with(|| found.clone());
            assert_same(&found, expected, &format!("{} seed {seed}", server.database.kind));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_body_ten_times_over_eight_connections_counts_once() {
    let expected = shown_after(&TestServer::on_all(settings()).await[0], recorded(), 1).await;
    for seed in 1..3 {
        // The same bytes, and the same events in other bytes: a retry of the provider and a proxy's rewriting.
        let same = recorded().into_iter().flat_map(|body| std::iter::repeat_n(body, 10));
        let padded = recorded()
            .into_iter()
            .flat_map(|body| (0..10).map(move |n| Bytes::from([body.as_ref(), &b" ".repeat(n)].concat())));
        let mut bodies: Vec<Bytes> = if seed == 1 { same.collect() } else { padded.collect() };
        bodies.shuffle(&mut StdRng::seed_from_u64(seed));
        for server in TestServer::on_all(settings()).await {
            let found = shown_after(&server, bodies.clone(), 8).await;
            assert_same(&found, &expected, &format!("{} round {seed}", server.database.kind));
            let stored = server.database.number("SELECT COUNT(*) FROM webhook_logs").await;
            // Other bytes with nothing but messages that are here bring nothing worth keeping: 26 of the 40 are like that.
            assert_eq!(stored, if seed == 1 { 40 } else { 26 + 14 * 10 });
        }
    }
}

#[tokio::test]
async fn bodies_that_come_again_later_change_nothing_and_tell_nobody() {
    for server in TestServer::on_all(settings()).await {
        let before = shown_after(&server, recorded(), 1).await;
        let events = server.database.number("SELECT event_seq FROM accounts").await;
        server.clock.advance_ms(9 * 86_400_000); // beyond the days for which bodies are kept
        server.database.script("DELETE FROM webhook_logs").await;
        let mut again = recorded();
        again.reverse();
        server.deliver_all(again, 1).await;
        let admin = server.user("second@example.org", frontdesk_model::user::Role::Admin).await;
        let admin = server.token(&admin, &[frontdesk_model::user::Ability::All]).await;
        assert_same(&snapshot::of_account(&server, &admin).await, &before, server.database.kind);
        // Notices about an inbox have no id; all else is known by its own.
        let told = server
            .database
            .number(&format!(
                "SELECT COUNT(*) FROM events WHERE seq > {events} AND kind <> 'inbox_state_changed'"
            ))
            .await;
        assert_eq!(told, 0, "{}", server.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_and_its_deletion_at_the_same_moment_find_each_other() {
    let mut bodies = Vec::new();
    for n in 0..300 {
        let phone = format!("62813900{:05}", n % 20);
        let person = Person::named(&phone, "Sari");
        let id = format!("wamid.{n}");
        let revoke = json!({ "type": "revoke", "revoke": { "original_message_id": id } });
        let at = 1_793_260_000 + n;
        bodies.push(bodies::bytes(&bodies::text(NUMBER, person, &id, at, "oops")));
        bodies.push(bodies::bytes(&bodies::message(NUMBER, person, &format!("{id}.r"), at + 1, revoke)));
    }
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        server.deliver_all(bodies.clone(), 32).await;
        let left = "SELECT COUNT(*) FROM messages WHERE deleted_at IS NULL";
        assert_eq!(server.database.number(left).await, 0, "{}", server.database.kind);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM messages").await, 300);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM pending_updates").await, 0);
        let unread = "SELECT COUNT(*) FROM conversations WHERE unread_count <> 0";
        assert_eq!(server.database.number(unread).await, 0, "{}", server.database.kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reading_and_writing_at_the_same_moment_lose_no_unread_message() {
    for server in TestServer::on_all(settings()).await {
        server.connect_all().await;
        let admin = server.admin_token().await;
        let text = |n: i64| {
            let person = Person::named("6281390045512", "Sari");
            bodies::bytes(&bodies::text(NUMBER, person, &format!("wamid.{n}"), 1_793_260_000 + n, "hello"))
        };
        server.deliver(text(0)).await;
        let id = snapshot::conversations(&server, &admin).await[0]["id"].clone();
        let reading = async {
            for _ in 0..40 {
                server.post(&format!("/api/v1/conversations/{id}/read")).bearer(&admin).send().await.ok(200);
            }
        };
        tokio::join!(reading, server.deliver_all((1..200).map(text), 8));
        let counted = snapshot::conversations(&server, &admin).await[0]["unread_count"].as_i64();
        let unread = server.database.number("SELECT COUNT(*) FROM messages WHERE read_at IS NULL").await;
        assert_eq!(counted, Some(unread), "{}", server.database.kind);
    }
}
