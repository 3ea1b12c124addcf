//! The typed client against the fake Green API of the sandbox: every method, every refusal, every fault.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod faults;
mod receiving;
mod secrecy;
mod stage;

use std::{collections::BTreeSet, time::Duration};

use frontdesk_green_api_client::{
    ChatId, GreenCallError, Instance, InstanceState, Refusal, RefusalKind, Retry, decide, method,
    methods::{
        account::{Qr, Settings},
        chats::Expiration,
        contacts::AddressBookEntry,
        sending::*,
    },
};
use frontdesk_sandbox::green::InstanceState as FakeState;
use stage::{Stage, guest};

fn text(message: &str) -> SendMessage {
    SendMessage::new(guest(), message)
}

fn picture() -> Upload {
    Upload {
        file_name: "view.jpg".to_owned(),
        mime_type: "image/jpeg".to_owned(),
        bytes: b"\xff\xd8\xff\xe0jpeg".as_slice().into(),
    }
}

#[tokio::test]
async fn every_kind_of_message_reaches_the_phone() {
    let stage = Stage::start().await;
    let client = stage.client();
    let first = client.send_message(&text("Welcome")).await.unwrap();
    let answer = SendMessage { quoted_message_id: Some(first.id_message.clone()), ..text("And again") };
    client.send_message(&answer).await.unwrap();
    let by_url = SendFileByUrl {
        caption: Some("Menu".to_owned()),
        ..SendFileByUrl::new(guest(), "https://x.invalid/m.pdf", "menu.pdf")
    };
    client.send_file_by_url(&by_url).await.unwrap();
    let upload = SendFileByUpload {
        chat_id: guest(),
        file: picture(),
        caption: Some("View".to_owned()),
        quoted_message_id: None,
    };
    let sent = client.send_file_by_upload(&upload).await.unwrap();
    let kept = reqwest::get(sent.url_file.unwrap()).await.unwrap();
    assert_eq!(
        (kept.headers()["content-type"].to_str().unwrap(), kept.status().as_u16()),
        ("image/jpeg", 200)
    );
    let uploaded =
        client.upload_file(&Upload { file_name: "Größe.jpg".to_owned(), ..picture() }).await.unwrap();
    assert_eq!(reqwest::get(uploaded.url_file).await.unwrap().bytes().await.unwrap(), picture().bytes);
    client
        .send_location(&SendLocation {
            chat_id: guest(),
            name_location: Some("Pier 1".to_owned()),
            address: None,
            latitude: 40.7128,
            longitude: -74.006,
            quoted_message_id: None,
        })
        .await
        .unwrap();
    let contact = Contact {
        phone_contact: phone_number("+1 234 567 8900").unwrap(),
        first_name: Some("Reception".to_owned()),
        ..Contact::default()
    };
    client.send_contact(&SendContact { chat_id: guest(), contact, quoted_message_id: None }).await.unwrap();
    let options = ["7:00", "8:00"].map(|name| PollOption { option_name: name.to_owned() }).to_vec();
    client
        .send_poll(&SendPoll {
            chat_id: guest(),
            message: "Breakfast?".to_owned(),
            options,
            multiple_answers: Some(false),
            quoted_message_id: None,
        })
        .await
        .unwrap();
    let url = InteractiveButton::Url {
        button_id: "1".to_owned(),
        button_text: "Open".to_owned(),
        url: "https://x.invalid".to_owned(),
    };
    client
        .send_interactive_buttons(&SendInteractiveButtons {
            chat_id: guest(),
            header: None,
            body: "Look".to_owned(),
            footer: None,
            buttons: vec![url],
        })
        .await
        .unwrap();
    let yes = ReplyButton { button_id: "1".to_owned(), button_text: "Yes".to_owned() };
    client
        .send_interactive_buttons_reply(&SendInteractiveButtonsReply {
            chat_id: guest(),
            header: None,
            body: "Late check-out?".to_owned(),
            footer: None,
            buttons: vec![yes],
        })
        .await
        .unwrap();
    let forward =
        ForwardMessages { chat_id: guest(), chat_id_from: guest(), messages: vec![first.id_message] };
    assert_eq!(client.forward_messages(&forward).await.unwrap().len(), 1);
    client
        .send_typing(&SendTyping { chat_id: guest(), typing_time_ms: Some(5_000), typing_type: None })
        .await
        .unwrap();
    assert_eq!(
        stage.delivered(),
        [
            "Welcome",
            "And again",
            "Menu",
            "View",
            "Pier 1",
            "Reception",
            "Breakfast?",
            "Look",
            "Late check-out?",
            "Welcome"
        ]
    );
    let world = stage.sandbox.world();
    let kinds: Vec<String> = world.deliveries.iter().map(|delivery| delivery.entry.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            "text",
            "text",
            "document",
            "image",
            "location",
            "contacts",
            "poll",
            "interactive",
            "interactive",
            "text"
        ]
    );
}

#[tokio::test]
async fn marks_changes_and_deletions() {
    let stage = Stage::start().await;
    let client = stage.client();
    let theirs = stage.act(serde_json::json!({"kind": "text", "text": "Hello"}));
    assert!(client.read_chat(&guest(), Some(&theirs)).await.unwrap());
    assert!(!client.read_chat(&guest(), Some("nothing")).await.unwrap());
    assert!(client.read_chat(&guest(), None).await.unwrap());
    let ours = client.send_message(&text("Room 12")).await.unwrap().id_message;
    let edit = client.edit_message(&guest(), &ours, "Room 13").await.unwrap();
    assert_ne!(edit.id_message, ours, "the change has an id of its own");
    assert!(client.get_message(&guest(), &ours).await.unwrap().is_edited);
    client.delete_message(&guest(), &ours, false).await.unwrap();
    assert!(client.get_message(&guest(), &ours).await.unwrap().is_deleted);
    client.archive_chat(&guest()).await.unwrap();
    client.unarchive_chat(&guest()).await.unwrap();
    let week = client.set_disappearing_chat(&guest(), Expiration::Week).await.unwrap();
    assert!(week.disappearing_messages_in_chat && week.ephemeral_expiration == 604_800);
}

#[tokio::test]
async fn people_are_looked_up() {
    let stage = Stage::start().await;
    let client = stage.client();
    let check = client.check_whatsapp(&guest()).await.unwrap();
    let private = check.chat_id.unwrap();
    assert!(check.exists_whatsapp && private.as_str().ends_with("@lid"));
    assert_eq!(client.find_phone(&private).await.unwrap(), Some(guest()));
    assert!(client.check_whatsapp(&private).await.unwrap().exists_whatsapp);
    assert!(client.get_contacts().await.unwrap().is_empty());
    let entry = AddressBookEntry {
        chat_id: guest(),
        first_name: "Ada".to_owned(),
        last_name: Some("Room 12".to_owned()),
        save_in_address_book: None,
    };
    client.add_contact(&entry).await.unwrap();
    client.edit_contact(&entry).await.unwrap();
    let known = client.get_contacts().await.unwrap();
    assert_eq!(known[0].contact_name.as_deref(), Some("Ada Room 12"));
    assert_eq!(client.get_contact_info(&guest()).await.unwrap().name.as_deref(), Some("Ada Guest"));
    assert_eq!(client.get_avatar(&guest()).await.unwrap().available, Some(false));
    client.delete_contact(&guest()).await.unwrap();
    client.delete_contact(&guest()).await.unwrap_err();
}

#[tokio::test]
async fn journals_and_queues_tell_what_happened() {
    let stage = Stage::start().await;
    let client = stage.client();
    stage.put_state(FakeState::NotAuthorized);
    let waiting = client.send_message(&text("Later")).await.unwrap();
    assert_eq!(client.get_messages_count().await.unwrap(), 1, "accepted, though nobody is signed in");
    let queue = client.show_messages_queue().await.unwrap();
    assert_eq!(queue[0].message_id.as_ref(), Some(&waiting.id_message));
    assert_eq!(
        (queue[0].method.as_deref(), &queue[0].body["message"]),
        (Some("sendMessage"), &"Later".into())
    );
    assert!(client.clear_messages_queue().await.unwrap().cleared);
    assert_eq!(client.get_messages_count().await.unwrap(), 0);
    stage.put_state(FakeState::Authorized);
    let incoming = stage.act(serde_json::json!({"kind": "voice"}));
    let day = Duration::from_secs(86_400);
    assert_eq!(client.last_outgoing_messages(day).await.unwrap()[0].id, waiting.id_message);
    let last = client.last_incoming_messages(day).await.unwrap();
    assert_eq!((last[0].id.as_str(), last[0].kind.as_str()), (incoming.as_str(), "audioMessage"));
    let url = client.download_file(&guest(), &incoming).await.unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    assert_eq!(client.get_chat_history(&guest(), 10).await.unwrap().len(), 2);
    assert!(client.last_incoming_calls(day).await.unwrap().is_empty());
    assert!(client.last_outgoing_calls(day).await.unwrap().is_empty());
    assert_eq!(client.get_webhooks_count().await.unwrap(), 0);
    assert!(client.clear_webhooks_queue().await.unwrap().cleared);
    let again = client.clear_webhooks_queue().await.unwrap();
    assert_eq!((again.cleared, again.reason.as_deref()), (false, Some("Too many requests")));
}

#[tokio::test]
async fn an_instance_is_set_up_signed_in_and_out() {
    let stage = Stage::start().await;
    let client = stage.client();
    stage.put_state(FakeState::NotAuthorized);
    assert_eq!(client.get_state_instance().await.unwrap(), InstanceState::NotAuthorized);
    let Qr::Code(png) = client.qr().await.unwrap() else { panic!("no code") };
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!(client.get_authorization_code("+1 555 010 0001").await.unwrap().unwrap().len(), 8);
    stage.put_state(FakeState::Authorized);
    assert_eq!(client.qr().await.unwrap(), Qr::AlreadyLogged);
    assert_eq!(client.get_wa_settings().await.unwrap().phone.as_deref(), Some("15550100001"));
    let wanted = Settings {
        webhook_url_token: Some("hotel-secret".to_owned()),
        delay_send_messages_milliseconds: Some(500),
        incoming_webhook: Some(true),
        outgoing_api_message_webhook: Some(true),
        auto_typing: Some(false),
        ..Settings::default()
    };
    assert_eq!(wanted.missing_in(&client.get_settings().await.unwrap()).len(), 4, "all is off at first");
    stage.sandbox.green("1101000001", |instance| instance.loses_settings = true);
    assert!(client.set_settings(&wanted).await.unwrap(), "it says so");
    assert!(wanted.missing_in(&client.get_settings().await.unwrap()).contains(&"outgoingAPIMessageWebhook"));
    stage.sandbox.green("1101000001", |instance| instance.loses_settings = false);
    client.set_settings(&wanted).await.unwrap();
    let stored = client.get_settings().await.unwrap();
    assert!(wanted.missing_in(&stored).is_empty() && stored.wid.as_deref() == Some("15550100001@c.us"));
    assert!(client.reboot().await.unwrap());
    client.set_profile_picture(&picture()).await.unwrap();
    assert!(client.logout().await.unwrap());
    assert_eq!(client.get_state_instance().await.unwrap(), InstanceState::NotAuthorized);
    let token = client.update_api_token().await.unwrap();
    assert_eq!(kind(client.get_state_instance().await.unwrap_err()), RefusalKind::WrongToken);
    let renewed = stage.pool.put(Instance::new(1_101_000_001, token));
    renewed.get_state_instance().await.unwrap();
}

#[tokio::test]
async fn groups_are_made_and_changed() {
    let stage = Stage::start().await;
    let client = stage.client();
    let group = client.create_group("Room 12", &[guest()]).await.unwrap().chat_id;
    client.update_group_name(&group, "Room 13").await.unwrap();
    let other = ChatId::of_phone("15550100003").unwrap();
    client.add_group_participant(&group, &other).await.unwrap();
    client.set_group_admin(&group, &other).await.unwrap();
    client.set_group_picture(&group, &picture()).await.unwrap();
    let data = client.get_group_data(&group).await.unwrap();
    assert_eq!((data.subject.as_deref(), data.participants.len()), (Some("Room 13"), 3));
    client.remove_admin(&group, &other).await.unwrap();
    client.remove_group_participant(&group, &other).await.unwrap();
    client.send_message(&SendMessage::new(group.clone(), "Hello all")).await.unwrap();
    client.leave_group(&group).await.unwrap();
    client.leave_group(&group).await.unwrap_err();
}

#[tokio::test]
async fn refusals_say_what_they_mean() {
    let stage = Stage::start().await;
    let client = stage.client();
    let error = client.send_message(&text("")).await.unwrap_err();
    let GreenCallError::Refused(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.kind, refusal.status), (RefusalKind::Invalid, 400));
    assert!(refusal.text().contains("'message'"));
    assert_eq!(
        kind(client.send_message(&SendMessage::new(ChatId::new("nobody"), "x")).await.unwrap_err()),
        RefusalKind::Invalid
    );
    stage.put_state(FakeState::Starting);
    assert_eq!(kind(client.send_message(&text("x")).await.unwrap_err()), RefusalKind::Starting);
    stage.put_state(FakeState::NotAuthorized);
    assert_eq!(kind(client.check_whatsapp(&guest()).await.unwrap_err()), RefusalKind::NotAuthorized);
    stage.put_state(FakeState::Authorized);
    stage.sandbox.green("1101000001", |instance| instance.checks_left = Some(0));
    let error = client.check_whatsapp(&guest()).await.unwrap_err();
    assert_eq!(decide(&error).retry, Retry::AfterPerson);
    assert_eq!(refused(error).quota.unwrap().total, Some(100));
    if let Some(inbox) = stage.sandbox.world().inboxes.get_mut("1101000001") {
        inbox.allowed_recipients = Some(vec!["15550100009".to_owned()]);
    }
    assert_eq!(kind(client.send_message(&text("x")).await.unwrap_err()), RefusalKind::ChatNotAllowed);
    let stranger = stage.pool.put(Instance::new(9, stage::TOKEN.into()));
    assert_eq!(kind(stranger.get_settings().await.unwrap_err()), RefusalKind::WrongInstance);
    let wrong = stage.pool.put(Instance::new(1_101_000_001, "wrong".into()));
    assert_eq!(kind(wrong.get_settings().await.unwrap_err()), RefusalKind::WrongToken);
    assert!(stage.delivered().is_empty());
}

#[tokio::test]
async fn uploads_go_to_the_media_host_and_everything_else_to_the_other() {
    let (calls, files) = (Stage::start().await, Stage::start().await);
    let url = |stage: &Stage| Some(format!("{}/green/", stage.url).parse().unwrap());
    let instance = Instance::new(1_101_000_001, stage::TOKEN.into()).at(url(&calls), url(&files));
    let client = calls.pool.put(instance);
    client.upload_file(&picture()).await.unwrap();
    client
        .send_file_by_upload(&SendFileByUpload {
            chat_id: guest(),
            file: picture(),
            caption: None,
            quoted_message_id: None,
        })
        .await
        .unwrap();
    client.set_profile_picture(&picture()).await.unwrap();
    client.send_message(&text("x")).await.unwrap();
    let seen = |stage: &Stage| -> Vec<String> {
        stage
            .sandbox
            .world()
            .api_calls
            .iter()
            .map(|call| call.entry.path.rsplit_once('/').unwrap().1.to_owned())
            .collect()
    };
    assert_eq!(seen(&files), ["uploadfile", "sendfilebyupload"]);
    assert_eq!(seen(&calls), ["setprofilepicture", "sendmessage"]);
}

#[test]
fn every_method_of_the_reference_is_there() {
    let names: BTreeSet<&str> = method::ALL.iter().map(|method| method.name).collect();
    assert_eq!((names.len(), method::ALL.len()), (57, 57), "each once");
    let media: Vec<&str> =
        method::ALL.iter().filter(|method| method.on_media_host).map(|method| method.name).collect();
    assert_eq!(media, ["sendFileByUpload", "uploadFile"]);
    for method in method::ALL.iter().filter(|method| method.class == method::Class::Sends) {
        assert_eq!(method.repeat, method::Repeat::IfCertain, "{}", method.name);
    }
}

fn refused(error: GreenCallError) -> Refusal {
    match error {
        GreenCallError::Refused(refusal) => *refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn kind(error: GreenCallError) -> RefusalKind {
    refused(error).kind
}
