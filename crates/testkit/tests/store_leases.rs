//! Leases and heartbeats mean the same on both databases.

use frontdesk_model::Timestamp;
use frontdesk_store::{Store, StoreError, leases, nodes, server_settings};
use frontdesk_testkit::database::databases;

async fn claim(store: &Store, owner: &'static str, now: i64) -> bool {
    let (now, until) = (Timestamp::from_millis(now), Timestamp::from_millis(now + 100));
    let claimed: Result<bool, StoreError> =
        store.write(move |tx| leases::claim(tx, "poller:1", owner, until, now)).await;
    claimed.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_ends_or_is_given_back() {
    for database in databases().await {
        let store = &database.store;
        assert!(claim(store, "a", 1000).await);
        assert!(!claim(store, "b", 1099).await, "{}", database.kind);
        assert!(claim(store, "a", 1099).await); // prolonged: now until 1199
        assert!(!claim(store, "b", 1198).await);
        assert!(claim(store, "b", 1199).await);
        let release = |owner: &'static str| store.write(move |tx| leases::release(tx, "poller:1", owner));
        let released: Result<(), StoreError> = release("a").await; // no longer its own: nothing happens
        released.unwrap();
        let holder = store.read(|tx| leases::holder(tx, "poller:1")).await;
        assert_eq!(holder.unwrap(), Some(("b".to_owned(), Timestamp::from_millis(1299))));
        release("b").await.unwrap();
        assert!(claim(store, "a", 1200).await);
    }
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_succeeds() {
    const OWNERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for database in databases().await {
        let mut claims = tokio::task::JoinSet::new();
        for owner in OWNERS {
            let store = database.store.clone();
            claims.spawn(async move { claim(&store, owner, 1000).await });
        }
        let won = claims.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1, "{}", database.kind);
    }
}

#[tokio::test]
async fn a_silent_node_is_found_and_forgotten() {
    for database in databases().await {
        let at = Timestamp::from_millis;
        let done: Result<_, StoreError> = database
            .store
            .write(move |tx| {
                nodes::beat(tx, "old", at(1000))?;
                nodes::beat(tx, "new", at(1000))?;
                nodes::beat(tx, "new", at(2000))?;
                let silent = nodes::list_seen_before(tx, at(2000))?;
                nodes::delete(tx, "old")?;
                Ok((silent, nodes::list_seen_since(tx, at(0))?))
            })
            .await;
        let (silent, left) = done.unwrap();
        assert_eq!(silent, [("old".to_owned(), at(1000))], "{}", database.kind);
        assert_eq!(left, [("new".to_owned(), at(2000))]);
    }
}

#[tokio::test]
async fn the_first_value_of_a_setting_wins_unless_it_is_replaced() {
    for database in databases().await {
        let done: Result<_, StoreError> = database
            .store
            .write(|tx| {
                let first = server_settings::set_if_absent(tx, "name", "one")?;
                let second = server_settings::set_if_absent(tx, "name", "two")?;
                let kept = server_settings::find(tx, "name")?;
                server_settings::set(tx, "name", "three")?;
                Ok((first, second, kept, server_settings::find(tx, "name")?))
            })
            .await;
        assert_eq!(done.unwrap(), (true, false, Some("one".to_owned()), Some("three".to_owned())));
    }
}
