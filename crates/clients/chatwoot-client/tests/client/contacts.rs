use frontdesk_chatwoot_client::{ContactChanges, ContactQuery, ContactRef, ErrorCode, Filter, NewContact};
use serde_json::json;

use crate::stage::Stage;

fn joao() -> NewContact {
    NewContact {
        name: Some("João Silva".to_owned()),
        email: Some("joao@example.com".to_owned()),
        phone_number: Some("+5511999999999".to_owned()),
        ..NewContact::default()
    }
}

#[tokio::test]
async fn a_contact_lives_from_creation_to_deletion() {
    let stage = Stage::start().await;
    let client = stage.client();
    let made = client.create_contact(&joao()).await.unwrap().contact;
    assert_eq!((made.name.as_str(), made.email.as_deref()), ("João Silva", Some("joao@example.com")));
    let changes = ContactChanges {
        name: Some("João S.".to_owned()),
        email: Some(None),
        custom_attributes: json!({"plan": "pro", "size": 3}).as_object().cloned().unwrap(),
        ..ContactChanges::default()
    };
    let changed = client.update_contact(made.id, &changes).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.email), ("João S.", None));
    let changed = client.remove_contact_attributes(made.id, &["size".to_owned()]).await.unwrap();
    assert_eq!(serde_json::Value::Object(changed.custom_attributes), json!({"plan": "pro"}));
    assert_eq!(client.set_contact_labels(made.id, &["vip".to_owned()]).await.unwrap(), ["vip"]);
    assert_eq!(client.contact_labels(made.id).await.unwrap(), ["vip"]);
    let entered = client.add_contact_to_inbox(made.id, 1, Some("wa-1")).await.unwrap();
    assert_eq!(entered.source_id, "wa-1");
    assert_eq!(client.get_contact(made.id).await.unwrap().contact_inboxes[0].source_id, "wa-1");
    client.delete_contact(made.id).await.unwrap();
    assert_eq!(client.get_contact(made.id).await.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_conflict_is_one_and_is_solved_by_looking_who_it_is() {
    let stage = Stage::start().await;
    let client = stage.client();
    let made = client.create_contact(&joao()).await.unwrap().contact;
    let error = client.create_contact(&joao()).await.unwrap_err();
    assert_eq!(
        (error.code(), error.http_status_code(), error.upstream_status()),
        (ErrorCode::Conflict, 409, Some(422))
    );
    assert_eq!(error.attributes(), ["email"]);
    let again = NewContact { name: Some("Joao".to_owned()), ..joao() };
    let found = client.create_or_update_contact(&again).await.unwrap();
    assert_eq!((found.id, found.name.as_str()), (made.id, "Joao"));
    for reference in [ContactRef::Email("JOAO@example.com"), ContactRef::Phone("5511999999999")] {
        assert_eq!(client.find_contact(reference).await.unwrap().unwrap().id, made.id, "{reference:?}");
    }
    assert!(client.find_contact(ContactRef::Identifier("joao")).await.unwrap().is_none());
    let odd = NewContact { phone_number: Some("11 99999".to_owned()), ..NewContact::default() };
    let error = client.create_contact(&odd).await.unwrap_err();
    assert_eq!(
        (error.code(), error.attributes()),
        (ErrorCode::ValidationError, &["phone_number".to_owned()][..])
    );
}

#[tokio::test]
async fn a_contact_is_made_once_even_if_the_answer_is_lost() {
    let stage = Stage::start().await;
    stage.faults(json!([{"fault": "cut_after", "next": 1, "scope": "all"}]));
    let made = stage.client().create_contact(&joao()).await.unwrap().contact;
    assert_eq!(made.email.as_deref(), Some("joao@example.com"));
    assert_eq!(stage.server(|server| server.accounts[&1].contacts.len()), 1);
    stage.faults(json!([{"fault": "cut_before", "next": 1, "scope": "all"}]));
    let other = NewContact { email: Some("x@example.com".to_owned()), ..NewContact::default() };
    let error = stage.client().create_contact(&other).await.unwrap_err();
    assert!(!error.certain() && error.code() == ErrorCode::ServiceUnavailable);
    assert_eq!(stage.requests("POST", "/contacts"), 2, "never repeated blindly");
}

#[tokio::test]
async fn lists_search_and_filters_are_paged_by_fifteen() {
    let stage = Stage::start().await;
    stage.control("/chatwoot/accounts/1/crowd", json!({"contacts": 20})).await;
    let client = stage.client();
    let mut seen = Vec::new();
    for page in 1.. {
        let found = client.list_contacts(&ContactQuery::page(page)).await.unwrap();
        if found.data.is_empty() {
            break;
        }
        assert_eq!(found.count("count"), Some(20));
        seen.extend(found.data.into_iter().map(|contact| contact.id));
    }
    assert_eq!(seen.len(), 20);
    assert!(seen.is_sorted(), "an order that pages keep");
    let found = client.search_contacts("person", 2).await.unwrap();
    assert_eq!((found.data.len(), found.meta["has_more"].clone()), (5, json!(false)));
    assert!(client.search_contacts("  ", 1).await.unwrap().data.is_empty());
    let filter = Filter::of("name", "contains", "Person 101").and("email", "is_present", json!(null));
    assert_eq!(client.filter_contacts(&filter, 1).await.unwrap().data[0].id, 101);
}

#[tokio::test]
async fn two_contacts_become_one() {
    let stage = Stage::start().await;
    let client = stage.client();
    let base = NewContact { email: Some("a@example.com".to_owned()), ..NewContact::default() };
    let mergee = NewContact { phone_number: Some("+5511999999999".to_owned()), ..NewContact::default() };
    let base = client.create_contact(&base).await.unwrap().contact.id;
    let mergee = client.create_contact(&mergee).await.unwrap().contact.id;
    let merged = client.merge_contacts(base, mergee).await.unwrap();
    assert_eq!((merged.id, merged.phone_number.as_deref()), (base, Some("+5511999999999")));
    assert_eq!(client.get_contact(mergee).await.unwrap_err().code(), ErrorCode::NotFound);
}
