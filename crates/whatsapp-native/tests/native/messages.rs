//! Messages in both directions, encrypted by the same rules that phones keep.

use frontdesk_channels::contract::{ChatState, Retry, SessionDriver as _, SessionEvent};
use frontdesk_model::RemoteId;
use frontdesk_model::contact::{Identity, IdentityKind};
use frontdesk_model::content::Location;
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::message::{MessageKind, MessageStatus};
use frontdesk_model::outbound::OutboundBody;
use whatsapp_rust::NodeBuilder;
use whatsapp_rust::prelude::MessageField;
use whatsapp_rust::wacore::proto_helpers::MessageExt as _;
use whatsapp_rust::waproto::whatsapp::{self as wa, message as kinds};

use crate::stage::{OWN, SARI, Stage, chat, outbound};

fn text(words: &str) -> wa::Message {
    wa::Message { conversation: Some(words.to_owned()), ..Default::default() }
}

fn key(id: &str, from_me: bool) -> MessageField<wa::MessageKey> {
    MessageField::some(wa::MessageKey {
        id: Some(id.to_owned()),
        from_me: Some(from_me),
        ..Default::default()
    })
}

async fn linked() -> Stage {
    let stage = Stage::new().await;
    stage.link(OWN).await;
    stage
}

#[tokio::test]
async fn a_customers_words_come_in_with_number_name_and_time() {
    let stage = linked().await;
    let id = stage.mock.write(SARI, OWN, &text("Is the room still free?")).await;
    let message = stage.stored_message().await;
    assert_eq!(message.content.text.as_deref(), Some("Is the room still free?"));
    assert_eq!(message.thread, format!("{SARI}@s.whatsapp.net"));
    assert_eq!(message.remote_id, RemoteId::within(&id, &message.thread));
    assert_eq!(message.contact.identities[0], Identity::phone(SARI).expect("a number"));
    assert_eq!(message.contact.name.as_deref(), Some("Sari"));
    assert_eq!(message.sent_at.as_secs(), 1_790_000_100);
    assert!(message.echo.is_none());
    stage.driver.stop().await;
}

#[tokio::test]
async fn who_writes_under_a_private_id_is_the_person_with_the_number() {
    let stage = linked().await;
    stage.mock.write_as(SARI, OWN, &text("hello"), true).await;
    let mut mapped = None;
    let (message, ack) = stage
        .until("the message", |event| match event {
            SessionEvent::Mapping { lid, phone } => {
                mapped = Some((lid.clone(), phone.clone()));
                None
            }
            SessionEvent::Inbound(events) => match events.first() {
                Some(InboundEvent::Message(message)) => Some(message.clone()),
                _ => None,
            },
            _ => None,
        })
        .await;
    ack.expect("an ack").stored();
    assert_eq!(mapped, Some((format!("9{SARI}@lid"), format!("+{SARI}"))));
    assert_eq!(message.thread, format!("{SARI}@s.whatsapp.net"), "the same chat as under the number");
    let kinds: Vec<IdentityKind> = message.contact.identities.iter().map(|identity| identity.kind).collect();
    assert_eq!(kinds, [IdentityKind::Phone, IdentityKind::Lid]);
    stage.driver.stop().await;
}

#[tokio::test]
async fn whatsapp_keeps_a_message_until_it_is_stored_here() {
    let stage = linked().await;
    stage.mock.write(SARI, OWN, &text("do not lose me")).await;
    let (events, ack) = stage.inbound().await;
    assert_eq!(events.len(), 1);
    let owed = stage.mock.wait("the message", |state| Some(state.owed(OWN))).await;
    assert_eq!(owed, 1, "nothing is acknowledged before it is stored");
    // The process dies, so to speak.
    drop(ack);
    stage.driver.stop().await;
    stage.driver.start().await.expect("it starts again");
    let again = stage.stored_message().await;
    assert_eq!(again.content.text.as_deref(), Some("do not lose me"));
    stage.mock.wait("the acknowledgement", |state| (state.owed(OWN) == 0).then_some(())).await;
    stage.driver.stop().await;
}

#[tokio::test]
async fn what_is_sent_reaches_the_phone_and_is_sent_once_the_server_took_it() {
    let stage = linked().await;
    let sent = stage
        .driver
        .send(&outbound(OutboundBody::Text("Yes, it is.".to_owned())))
        .await
        .expect("it is taken");
    let id = sent.remote_id.as_str().to_owned();
    let words = stage.mock.message("the words", |to, got, message| {
        (to == SARI && got == id).then(|| message.text_content().map(str::to_owned))
    });
    assert_eq!(words.await.as_deref(), Some("Yes, it is."));
    // The other way round the same encryption goes on.
    stage.mock.write(SARI, OWN, &text("Good.")).await;
    assert_eq!(stage.stored_message().await.content.text.as_deref(), Some("Good."));
    stage.driver.stop().await;
}

#[tokio::test]
async fn a_refusal_of_the_server_is_an_error_with_its_code_and_not_a_sent_message() {
    let stage = linked().await;
    stage.mock.treat(|mood| mood.nack = Some("463")).await;
    let error =
        stage.driver.send(&outbound(OutboundBody::Text("x".to_owned()))).await.expect_err("it is refused");
    assert!(error.certain, "the server said that it did not take it");
    assert_eq!(error.code, "NACK_463");
    assert_eq!(error.retry, Retry::Never);
    assert!(error.shown.contains("463"), "{}", error.shown);
    stage.driver.stop().await;
}

#[tokio::test]
async fn a_line_that_breaks_before_the_answer_leaves_the_send_uncertain() {
    let stage = linked().await;
    stage.mock.treat(|mood| mood.silent = true).await;
    let body = outbound(OutboundBody::Text("did it go?".to_owned()));
    let hang_up = async {
        stage.mock.message("the words", |to, _, _| (to == SARI).then_some(())).await;
        stage.mock.hang_up(OWN).await;
    };
    let (sent, ()) = tokio::join!(stage.driver.send(&body), hang_up);
    assert!(!sent.expect_err("nobody said").certain, "it went out, and nobody knows whether it arrived");
    stage.driver.stop().await;
}

#[tokio::test]
async fn receipts_of_the_customer_move_the_message_on() {
    let stage = linked().await;
    let sent = stage.driver.send(&outbound(OutboundBody::Text("x".to_owned()))).await.expect("it is taken");
    for (word, status) in [
        (None, MessageStatus::Delivered),
        (Some("read"), MessageStatus::Read),
        (Some("played"), MessageStatus::Played),
    ] {
        let node = NodeBuilder::new("receipt")
            .attr("from", format!("{SARI}@s.whatsapp.net").as_str())
            .attr("id", sent.remote_id.as_str())
            .attr("t", "1790000300");
        let node = word.into_iter().fold(node, |node, word| node.attr("type", word));
        stage.mock.push(OWN, node.build()).await;
        let (events, _) = stage.inbound().await;
        let InboundEvent::Status(news) = &events[0] else { panic!("no status: {events:?}") };
        assert_eq!(
            (&news.remote_id, news.status, news.at.as_secs()),
            (&sent.remote_id, status, 1_790_000_300)
        );
    }
    stage.driver.stop().await;
}

#[tokio::test]
async fn typing_and_read_marks_go_both_ways() {
    let stage = linked().await;
    let typing = NodeBuilder::new("chatstate")
        .attr("from", format!("{SARI}@s.whatsapp.net").as_str())
        .children([NodeBuilder::new("composing").build()]);
    stage.mock.push(OWN, typing.build()).await;
    let (events, _) = stage.inbound().await;
    assert!(
        matches!(&events[0], InboundEvent::Typing(news) if news.is_typing && news.contact.identities.first() == Identity::phone(SARI).as_ref())
    );
    stage.driver.chatstate(&chat(SARI), ChatState::Recording).await.expect("it is told");
    let told = stage.mock.node("our typing", |node| node.tag == "chatstate").await;
    assert_eq!(
        told.attrs.get("to").map(|to| to.as_str().into_owned()),
        Some(format!("{SARI}@s.whatsapp.net"))
    );
    let id = stage.mock.write(SARI, OWN, &text("read me")).await;
    let message = stage.stored_message().await;
    stage.driver.mark_read(&chat(SARI), &[message.remote_id]).await.expect("it is marked");
    let is_mark = |node: &whatsapp_rust::wacore_binary::Node| {
        let attr = |key: &str| node.attrs.get(key).map(|value| value.as_str().into_owned());
        node.tag == "receipt" && attr("type").as_deref() == Some("read") && attr("id").as_deref() == Some(&id)
    };
    stage.mock.node("the mark", is_mark).await;
    stage.driver.stop().await;
}

#[tokio::test]
async fn reactions_edits_and_deletions_of_customers_name_the_right_message() {
    let stage = linked().await;
    let ours = stage
        .driver
        .send(&outbound(OutboundBody::Text("ours".to_owned())))
        .await
        .expect("it is taken")
        .remote_id;
    let theirs = stage.mock.write(SARI, OWN, &text("theirs")).await;
    let thread = stage.stored_message().await.thread;
    let reaction = |target: &str, from_me| wa::Message {
        reaction_message: MessageField::some(kinds::ReactionMessage {
            key: key(target, from_me),
            text: Some("👍".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    };
    for (message, target) in [
        (reaction(ours.as_str(), false), ours.clone()),
        (reaction(&theirs, true), RemoteId::within(&theirs, &thread)),
    ] {
        stage.mock.write(SARI, OWN, &message).await;
        let (events, ack) = stage.inbound().await;
        ack.expect("an ack").stored();
        let InboundEvent::Reaction(news) = &events[0] else { panic!("no reaction: {events:?}") };
        assert_eq!((&news.target, news.emoji.as_deref(), news.by_us), (&target, Some("👍"), false));
    }
    let protocol = |kind, edited| wa::Message {
        protocol_message: MessageField::some(kinds::ProtocolMessage {
            key: key(&theirs, true),
            r#type: Some(kind),
            edited_message: edited,
            ..Default::default()
        }),
        ..Default::default()
    };
    let edit =
        protocol(kinds::protocol_message::Type::MESSAGE_EDIT, MessageField::some(text("theirs, better")));
    stage.mock.write(SARI, OWN, &edit).await;
    let (events, ack) = stage.inbound().await;
    ack.expect("an ack").stored();
    let InboundEvent::Edit(news) = &events[0] else { panic!("no edit: {events:?}") };
    assert_eq!(
        (&news.target, news.text.as_deref()),
        (&RemoteId::within(&theirs, &thread), Some("theirs, better"))
    );
    // A customer who names a message of ours takes nothing of ours back.
    let revoke = wa::Message {
        protocol_message: MessageField::some(kinds::ProtocolMessage {
            key: key(ours.as_str(), true),
            r#type: Some(kinds::protocol_message::Type::REVOKE),
            ..Default::default()
        }),
        ..Default::default()
    };
    stage.mock.write(SARI, OWN, &revoke).await;
    let (events, ack) = stage.inbound().await;
    ack.expect("an ack").stored();
    let InboundEvent::Delete(news) = &events[0] else { panic!("no deletion: {events:?}") };
    assert_ne!(news.target, ours);
    stage.driver.stop().await;
}

#[tokio::test]
async fn edits_deletions_reactions_and_quotes_of_ours_reach_the_phone() {
    let stage = linked().await;
    stage.mock.write(SARI, OWN, &text("a question")).await;
    let asked = stage.stored_message().await.remote_id;
    let mut answer = outbound(OutboundBody::Text("an answer".to_owned()));
    answer.reply_to = Some(asked.clone());
    let sent = stage.driver.send(&answer).await.expect("it is taken").remote_id;
    let quoted = stage.mock.message("the quote", |_, id, message| {
        let context = message.extended_text_message.as_option()?.context_info.as_option()?;
        (id == sent.as_str()).then(|| (context.stanza_id.clone(), context.participant.clone()))
    });
    let (id, author) = quoted.await;
    assert_eq!(id.as_deref(), Some(asked.as_written()));
    assert_eq!(author, Some(format!("{SARI}@s.whatsapp.net")));
    let reaction = OutboundBody::Reaction { target: asked.clone(), emoji: Some("❤".to_owned()) };
    stage.driver.send(&outbound(reaction)).await.expect("it is taken");
    let reacted = stage.mock.message("the reaction", |_, _, message| {
        let reaction = message.reaction_message.as_option()?;
        let key = reaction.key.as_option()?;
        Some((key.id.clone(), key.from_me, reaction.text.clone()))
    });
    assert_eq!(reacted.await, (Some(asked.as_written().to_owned()), Some(false), Some("❤".to_owned())));
    stage.driver.edit(&chat(SARI), &sent, "a better answer").await.expect("it is taken");
    let edited = stage.mock.message("the edit", |_, _, message| {
        let base = message.get_base_message();
        let protocol = base.protocol_message.as_option()?;
        let words = protocol.edited_message.as_option()?.text_content()?.to_owned();
        Some((protocol.key.as_option()?.id.clone(), words))
    });
    assert_eq!(edited.await, (Some(sent.as_str().to_owned()), "a better answer".to_owned()));
    stage.driver.revoke(&chat(SARI), &sent).await.expect("it is taken");
    let revoked = stage.mock.message("the deletion", |_, _, message| {
        let protocol = message.get_base_message().protocol_message.as_option()?;
        let is_revoke = protocol.r#type == Some(kinds::protocol_message::Type::REVOKE);
        is_revoke.then(|| protocol.key.as_option().and_then(|key| key.id.clone()))
    });
    assert_eq!(revoked.await.as_deref(), Some(sent.as_str()));
    stage.driver.stop().await;
}

#[tokio::test]
async fn a_place_goes_out_and_comes_in_as_a_place() {
    let stage = linked().await;
    let place = Location {
        latitude: -8.5,
        longitude: 115.26,
        name: Some("Ubud".to_owned()),
        address: None,
        url: None,
    };
    stage.driver.send(&outbound(OutboundBody::Location(place.clone()))).await.expect("it is taken");
    let got = stage.mock.message("the place", |to, _, message| {
        (to == SARI).then(|| message.location_message.as_option().cloned())?
    });
    let got = wa::Message { location_message: MessageField::some(got.await), ..Default::default() };
    stage.mock.write(SARI, OWN, &got).await;
    let message = stage.stored_message().await;
    assert_eq!(message.content.kind, MessageKind::Location);
    assert_eq!(message.content.payload.location, Some(place));
    stage.driver.stop().await;
}
