//! Parts of WhatsApp webhooks that no recorded body shows.

#![expect(clippy::expect_used, reason = "a test")]

use frontdesk_meta_graph_client::webhook::{
    self, Change, ChangeValue,
    account::Notice,
    whatsapp::{Content, StatusKind, Value},
};

fn with_change<T>(field: &str, value: &str, look: impl FnOnce(&Change<'_>) -> T) -> T {
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"{field}","value":{value}}}]}}]}}"#
    );
    let webhook = webhook::parse(body.as_bytes()).expect("a webhook");
    assert!(webhook.problems().is_empty(), "{:?}", webhook.problems());
    look(webhook.entries[0].read.as_ref().expect("entry").changes[0].read.as_ref().expect("change"))
}

fn with_value<T>(value: &str, look: impl FnOnce(&Value<'_>) -> T) -> T {
    with_change("messages", value, |change| match &change.value {
        ChangeValue::WhatsApp(value) => look(value),
        other => panic!("not a messages value: {other:?}"),
    })
}

#[test]
fn a_contact_is_found_by_either_id_and_never_by_position() {
    let value = r#"{"contacts":[{"wa_id":"1","profile":{"name":"one"}},{"user_id":"ID.2","profile":{"name":"two"}},{"profile":{"name":"none"}}],
        "messages":[{"id":"a","from_user_id":"ID.2","type":"text","text":{"body":"x"}},
                    {"id":"b","from":"1","type":"text","text":{"body":"x"}},
                    {"id":"c","from":"3","type":"text","text":{"body":"x"}},
                    {"id":"d","type":"text","text":{"body":"x"}}]}"#;
    let names = with_value(value, |value| {
        value
            .messages
            .iter()
            .map(|item| {
                let contact = value.contact_of(item.read.as_ref().expect("message"));
                contact.and_then(|contact| contact.profile.clone()).and_then(|profile| profile.name)
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(names, [Some("two".to_owned()), Some("one".to_owned()), None, None]);
}

#[test]
fn every_status_has_its_kind() {
    for (name, kind) in [
        ("sent", StatusKind::Sent),
        ("delivered", StatusKind::Delivered),
        ("read", StatusKind::Read),
        ("played", StatusKind::Played),
        ("failed", StatusKind::Failed),
        ("deleted", StatusKind::Deleted),
        ("warning", StatusKind::Warning),
    ] {
        let value = format!(r#"{{"statuses":[{{"id":"s","status":"{name}"}}]}}"#);
        with_value(&value, |value| {
            assert_eq!(value.statuses[0].read.as_ref().expect("status").status, kind);
        });
    }
}

#[test]
fn a_group_status_names_the_member() {
    let value = r#"{"statuses":[{"id":"s","status":"read","recipient_id":"G","recipient_type":"group","recipient_participant_id":"62",
        "conversation":{"id":"c","origin":{"type":"service"},"expiration_timestamp":"1793260800"}}]}"#;
    with_value(value, |value| {
        let status = value.statuses[0].read.as_ref().expect("status");
        assert_eq!(status.recipient_type.as_deref(), Some("group"));
        assert_eq!(status.recipient_participant_id.as_deref(), Some("62"));
        let ends = status.conversation.as_ref().and_then(|conversation| conversation.expiration_timestamp);
        assert_eq!(ends, Some(webhook::UnixMillis(1_793_260_800_000)));
    });
}

#[test]
fn an_unreact_may_lack_the_emoji_or_leave_it_empty() {
    for reaction in
        [r#"{"message_id":"m"}"#, r#"{"message_id":"m","emoji":""}"#, r#"{"message_id":"m","emoji":null}"#]
    {
        let value = format!(r#"{{"messages":[{{"id":"a","type":"reaction","reaction":{reaction}}}]}}"#);
        with_value(&value, |value| match &value.messages[0].read.as_ref().expect("message").content {
            Content::Reaction(reaction) => assert_eq!(reaction.emoji(), None),
            other => panic!("no reaction: {other:?}"),
        });
    }
}

#[test]
fn an_order_may_write_its_figures_as_strings() {
    let value = r#"{"messages":[{"id":"a","type":"order","order":{"product_items":[{"product_retailer_id":1,"quantity":"2","item_price":"1.5"}]}}]}"#;
    with_value(value, |value| match &value.messages[0].read.as_ref().expect("message").content {
        Content::Order(order) => {
            let item = &order.product_items[0];
            assert_eq!(item.product_retailer_id.as_deref(), Some("1"));
            assert_eq!((item.quantity, item.item_price), (Some(2.0), Some(1.5)));
        }
        other => panic!("no order: {other:?}"),
    });
}

#[test]
fn preferences_come_as_a_list_or_inside_a_value() {
    let list = r#"[{"wa_id":"62","category":"marketing_messages","value":"stop","timestamp":1731705721}]"#;
    for value in [list.to_owned(), format!(r#"{{"messaging_product":"whatsapp","user_preferences":{list}}}"#)]
    {
        with_change("user_preferences", &value, |change| {
            let ChangeValue::UserPreferences(preferences) = &change.value else { panic!("{change:?}") };
            let preference = preferences[0].read.as_ref().expect("preference");
            assert_eq!((preference.wa_id.as_deref(), preference.value.as_str()), (Some("62"), "stop"));
        });
    }
}

#[test]
fn every_notice_has_its_field() {
    let kinds: Vec<bool> = [
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "message_template_components_update",
        "account_update",
        "account_review_update",
        "account_alerts",
        "phone_number_quality_update",
        "phone_number_name_update",
        "business_capability_update",
        "security",
    ]
    .into_iter()
    .map(|field| with_change(field, "{}", |change| matches!(change.value, ChangeValue::Account(_))))
    .collect();
    assert_eq!(kinds, [true; 11]);
    for field in ["history", "calls", "smb_app_state_sync", "group_lifecycle_update", "standby"] {
        assert!(with_change(field, "{}", |change| matches!(change.value, ChangeValue::Other)), "{field}");
    }
    let quality = r#"{"previous_quality_score":"GREEN","new_quality_score":"RED","message_template_id":7}"#;
    with_change("message_template_quality_update", quality, |change| {
        let ChangeValue::Account(Notice::TemplateQuality(quality)) = &change.value else {
            panic!("{change:?}")
        };
        assert_eq!(quality.new_quality_score.as_deref(), Some("RED"));
        assert_eq!(quality.message_template_id.as_deref(), Some("7"));
    });
}
