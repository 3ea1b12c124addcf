use std::{sync::Arc, time::Duration};

use frontdesk_chatwoot_client::{
    CachedChatwoot, ChatwootClient, ConversationStatus, MessageQuery, NewMessage, Tag, event,
};
use serde_json::json;

use crate::stage::{Shared, Stage};

#[tokio::test]
async fn a_hundred_who_miss_at_once_make_one_request() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    stage.faults(json!([{"fault": "latency", "latency_ms": 200, "next": 1, "scope": "all"}]));
    let cached = stage.cached();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let cached = cached.clone();
        asking.spawn(async move { cached.get_conversation(id).await.unwrap().id });
    }
    assert_eq!(asking.join_all().await, vec![id; 100]);
    assert_eq!(stage.requests("GET", &format!("/conversations/{id}")), 1);
    cached.get_conversation(id).await.unwrap();
    let stats = cached.cache_stats();
    assert_eq!((stats.misses, stats.hits), (100, 1));
    assert!(stats.size_bytes > 500 && stats.entries == 1, "{stats:?}");
}

#[tokio::test]
async fn a_failure_is_shared_and_not_kept() {
    let stage = Stage::start().await;
    let cached = stage.cached();
    let both = tokio::join!(cached.get_conversation(77), cached.get_conversation(77));
    assert!(both.0.is_err() && both.1.is_err());
    assert_eq!(stage.requests("GET", "/conversations/77"), 1);
    cached.get_conversation(77).await.unwrap_err();
    assert_eq!(stage.requests("GET", "/conversations/77"), 2);
}

#[tokio::test]
async fn stale_ones_are_handed_out_while_one_request_fetches_anew() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    let mut settings = stage.settings();
    // Stale at once, and for an hour.
    settings.cache.conversation_ttl = Duration::from_micros(1);
    settings.cache.stale_factor = 3_600_000_000;
    let cached = CachedChatwoot::new(ChatwootClient::new(settings).unwrap());
    cached.get_conversation(id).await.unwrap();
    stage.server(|server| {
        server.accounts.get_mut(&1).unwrap().conversations.get_mut(&id).unwrap().status =
            "resolved".to_owned();
    });
    let stale = cached.get_conversation(id).await.unwrap();
    assert_eq!(stale.status, Some(ConversationStatus::Open), "at once, as it was");
    // The request in the background ends; whoever asks then gets what it brought.
    let fresh = async {
        while cached.get_conversation(id).await.unwrap().status != Some(ConversationStatus::Resolved) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), fresh).await.unwrap();
    assert!(cached.cache_stats().stale_hits >= 2);
}

#[tokio::test]
async fn own_writes_and_webhooks_invalidate_what_they_change_and_nothing_else() {
    let stage = Stage::start().await;
    let (one, _) = stage.customer_writes("+5511987654321", "Hi").await;
    let (two, _) = stage.customer_writes("+5511900000000", "Hi").await;
    let told: Shared<Vec<Tag>> = Arc::default();
    let hear = told.clone();
    let cached = CachedChatwoot::with_listener(stage.client(), move |tag| hear.lock().unwrap().push(tag));
    let query = MessageQuery::default();
    for id in [one, two] {
        cached.get_conversation(id).await.unwrap();
        cached.get_messages(id, &query).await.unwrap();
    }
    cached.create_message(one, &NewMessage::text("Olá")).await.unwrap();
    assert_eq!(cached.get_messages(one, &query).await.unwrap().data.len(), 2);
    cached.set_status(one, &ConversationStatus::Resolved, None).await.unwrap();
    let found = cached.get_conversation(one).await.unwrap();
    assert_eq!(found.status, Some(ConversationStatus::Resolved));
    let contact = found.contact.as_ref().unwrap().id;

    let body = json!({"event": "contact_updated", "id": contact, "name": "Ana S.", "account": {"id": 1}});
    let event = event::parse(body.to_string().as_bytes()).unwrap();
    assert_eq!(cached.handle_webhook_event(&event), [Tag::Contact(contact)]);
    stage.server(|server| {
        server.accounts.get_mut(&1).unwrap().contacts.get_mut(&contact).unwrap().name = "Ana S.".to_owned();
    });
    let found = cached.get_conversation(one).await.unwrap();
    assert_eq!(found.contact.as_ref().unwrap().name, "Ana S.", "the conversation shows the contact");

    let typing = json!({"event": "conversation_typing_on", "conversation": {"id": one}, "user": null});
    let event = event::parse(typing.to_string().as_bytes()).unwrap();
    assert!(cached.handle_webhook_event(&event).is_empty());
    cached.get_conversation(two).await.unwrap();
    cached.get_messages(two, &query).await.unwrap();
    assert_eq!(stage.requests("GET", &format!("/conversations/{two}")), 1);
    assert_eq!(stage.requests("GET", &format!("/conversations/{two}/messages")), 1);
    let told = told.lock().unwrap();
    assert_eq!(*told, [Tag::Conversation(one), Tag::Conversation(one), Tag::Contact(contact)]);
}

#[tokio::test]
async fn what_was_fetched_before_an_invalidation_is_not_kept_after_it() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    stage.faults(json!([{"fault": "late_answer", "late_ms": 300, "next": 1, "scope": "all"}]));
    let cached = stage.cached();
    let (asked, arrived) = (cached.clone(), format!("/conversations/{id}"));
    let slow = tokio::spawn(async move { asked.get_conversation(id).await.unwrap() });
    while stage.sandbox.world().faults.values().flatten().all(|rule| rule.hits == 0) {
        tokio::task::yield_now().await;
    }
    stage.client().set_status(id, &ConversationStatus::Resolved, None).await.unwrap();
    cached.invalidate(Tag::Conversation(id));
    // Who asks now does not join the request that began before.
    assert_eq!(cached.get_conversation(id).await.unwrap().status, Some(ConversationStatus::Resolved));
    assert_eq!(slow.await.unwrap().status, Some(ConversationStatus::Open));
    assert_eq!(cached.get_conversation(id).await.unwrap().status, Some(ConversationStatus::Resolved));
    assert_eq!(stage.requests("GET", &arrived), 2);
}

#[tokio::test]
async fn it_is_warmed_preloaded_and_cleared() {
    let stage = Stage::start().await;
    stage.control("/chatwoot/accounts/1/crowd", json!({"contacts": 10, "messages_each": 1})).await;
    let cached = stage.cached();
    assert_eq!(cached.warm_cache().await, ["account", "inboxes", "labels", "agents", "conversations"]);
    cached.get_account().await.unwrap();
    cached.list_inboxes().await.unwrap();
    cached.list_labels().await.unwrap();
    cached.list_agents().await.unwrap();
    for id in 1..=10 {
        cached.get_conversation(id).await.unwrap();
    }
    assert_eq!((cached.cache_stats().misses, cached.cache_stats().hit_rate_percentage), (0, 100.0));
    assert_eq!(cached.preload(&[1, 2, 99]).await, 2);
    cached.get_messages(1, &MessageQuery::default()).await.unwrap();
    assert_eq!(cached.cache_stats().misses, 0);
    assert_eq!(cached.preload_frequent_data().await, 0, "all of it is fresh");
    cached.invalidate(Tag::Conversation(3));
    assert_eq!(cached.preload_frequent_data().await, 1);
    cached.get_conversation(3).await.unwrap();
    assert_eq!(cached.cache_stats().misses, 0);
    assert!(cached.clear_all_caches().contains(&"messages"));
    assert_eq!(cached.cache_stats().entries, 0);
    cached.get_account().await.unwrap();
    assert_eq!(cached.cache_stats().misses, 1);
}

#[tokio::test]
async fn memory_is_bounded() {
    let stage = Stage::start().await;
    stage.control("/chatwoot/accounts/1/crowd", json!({"contacts": 60, "messages_each": 1})).await;
    let mut settings = stage.settings();
    settings.cache.max_bytes = 50_000;
    let cached = CachedChatwoot::new(ChatwootClient::new(settings).unwrap());
    for id in 1..=60 {
        cached.get_conversation(id).await.unwrap();
    }
    let stats = cached.cache_stats();
    assert!(stats.size_bytes <= 50_000 && (1..60).contains(&stats.entries), "{stats:?}");
}
