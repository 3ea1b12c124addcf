use frontdesk_chatwoot_client::{
    Assigned, ConversationQuery, ConversationStatus, ErrorCode, Filter, NewConversation, NewMessage,
    Priority, Timestamp,
};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_conversation_names_its_contact_as_the_guide_does() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    let found = stage.client().get_conversation(id).await.unwrap();
    assert_eq!(found.status, Some(ConversationStatus::Open));
    let contact = found.contact.as_ref().unwrap();
    assert_eq!(
        (contact.name.as_str(), contact.phone_number.as_deref()),
        ("Ana Souza", Some("+5511987654321"))
    );
    assert_eq!((found.unread_count, found.messages.len(), found.messages_count), (1, 1, None));
    let shown = serde_json::to_value(&found).unwrap();
    assert_eq!((&shown["contact"]["name"], &shown["status"]), (&json!("Ana Souza"), &json!("open")));
    assert!(shown["created_at"].is_i64(), "as Chatwoot writes it: {}", shown["created_at"]);
    assert!(!shown.to_string().contains("pubsub_token"));
}

#[tokio::test]
async fn lists_are_paged_and_say_how_many_there_are() {
    let stage = Stage::start().await;
    stage.control("/chatwoot/accounts/1/crowd", json!({"contacts": 30, "messages_each": 1})).await;
    let client = stage.client();
    let first = client.list_conversations(&ConversationQuery::default()).await.unwrap();
    let query = ConversationQuery { page: Some(2), ..ConversationQuery::default() };
    let second = client.list_conversations(&query).await.unwrap();
    assert_eq!((first.data.len(), second.data.len(), first.count("all_count")), (25, 5, Some(30)));
    client.set_status(1, &ConversationStatus::Resolved, None).await.unwrap();
    let open = ConversationQuery { status: Some(ConversationStatus::Open), ..ConversationQuery::default() };
    assert_eq!(client.list_conversations(&open).await.unwrap().count("all_count"), Some(29));
    assert_eq!(client.conversation_counts(&open).await.unwrap().unassigned_count, 29);
    let all = client.conversations_updated_within(3_600).await.unwrap();
    assert_eq!(all.data.len(), 30, "not paged");
    let filter = Filter::equal("status", "resolved").or("display_id", "equal_to", 2);
    let found = client.filter_conversations(&filter, 1).await.unwrap();
    assert_eq!(found.data.iter().map(|found| found.id).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn everything_about_a_conversation_can_be_changed() {
    let stage = Stage::start().await;
    let (id, _) = stage.customer_writes("+5511987654321", "Hi").await;
    let client = stage.client();
    let until = Timestamp(1_900_000_000_000);
    let snoozed = client.set_status(id, &ConversationStatus::Snoozed, Some(until)).await.unwrap();
    assert_eq!((snoozed.success, snoozed.snoozed_until), (true, Some(until)));
    client.set_priority(id, Some(&Priority::High)).await.unwrap();
    let Assigned::Agent(agent) = client.assign_agent(id, Some(2)).await.unwrap() else { panic!("nobody") };
    assert_eq!(agent.name, "Bia");
    assert!(
        matches!(client.assign_team(id, Some(1)).await.unwrap(), Assigned::Team(team) if team.name == "sales")
    );
    assert_eq!(client.set_conversation_labels(id, &["vip".to_owned()]).await.unwrap(), ["vip"]);
    let attributes = json!({"order": 7}).as_object().cloned().unwrap();
    assert_eq!(client.set_conversation_attributes(id, &attributes).await.unwrap()["order"], 7);
    client.set_typing(id, true, false).await.unwrap();
    client.set_muted(id, true).await.unwrap();
    assert_eq!(client.mark_read(id).await.unwrap().unread_count, 0);
    assert_eq!(client.mark_unread(id).await.unwrap().unread_count, 1);
    let found = client.get_conversation(id).await.unwrap();
    assert_eq!((found.status, found.priority), (Some(ConversationStatus::Snoozed), Some(Priority::High)));
    assert_eq!((found.labels, found.muted), (vec!["vip".to_owned()], true));
    assert_eq!(found.meta.assignee.unwrap().id, 2);
    assert_eq!(found.meta.team.unwrap().id, 1);
    assert_eq!(client.assign_agent(id, None).await.unwrap(), Assigned::Nobody);
    assert_eq!(client.assign_team(id, None).await.unwrap(), Assigned::Nobody);
    client.delete_conversation(id).await.unwrap();
    let error = client.get_conversation(id).await.unwrap_err();
    assert_eq!((error.code(), error.context()["conversation_id"].clone()), (ErrorCode::NotFound, json!(id)));
}

#[tokio::test]
async fn a_conversation_begins_once_even_if_the_answer_is_lost() {
    let stage = Stage::start().await;
    let client = stage.client();
    let contact = json!({"name": "Ana", "email": "ana@acme.test", "inbox_id": 1, "source_id": "crm-1"});
    let contact = client.create_contact(&serde_json::from_value(contact).unwrap()).await.unwrap();
    assert_eq!(contact.contact_inbox.unwrap().source_id, "crm-1");
    let new = NewConversation {
        inbox_id: Some(1),
        source_id: Some("crm-1".to_owned()),
        message: Some(NewMessage::text("Welcome")),
        ..NewConversation::default()
    };
    stage.faults(json!([{"fault": "cut_after", "next": 1, "scope": "all"}]));
    let begun = client.create_conversation(&new).await.unwrap();
    assert_eq!(begun.contact.unwrap().id, contact.contact.id);
    assert_eq!(stage.server(|server| server.accounts[&1].conversations.len()), 1);
    assert_eq!(stage.requests("POST", "/conversations"), 1);
    assert_eq!(client.contact_conversations(contact.contact.id).await.unwrap().len(), 1);
}
