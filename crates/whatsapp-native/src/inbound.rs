//! One message of WhatsApp to inbound events.
//!
//! Ids: what customers write is kept with its chat, for ids are unique within one only, and a customer may choose them; what our side
//! writes is not. So nobody can name a message of ours as one of theirs. An edit or a deletion can only hit messages of the same side.

use frontdesk_model::content::Content;
use frontdesk_model::inbound::{
    DeleteNews, Echo, EditNews, InboundEvent, InboundMessage, ReactionNews, StatusNews,
};
use frontdesk_model::message::MessageStatus;
use frontdesk_model::{RemoteId, Timestamp};
use whatsapp_rust::Jid;
use whatsapp_rust::wacore::proto_helpers::MessageExt as _;
use whatsapp_rust::wacore::types::events::Receipt;
use whatsapp_rust::wacore::types::message::MessageInfo;
use whatsapp_rust::wacore::types::presence::ReceiptType;
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::waproto::whatsapp::message::protocol_message::Type as Protocol;

use crate::content;
use crate::people::Party;

/// Where our own messages were written that did not come from here.
const VIA_PHONE: &str = "WhatsApp on the phone";

/// The names of the linked phone itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    pub(crate) number: Option<Jid>,
    pub(crate) lid: Option<Jid>,
}

impl Own {
    fn is(&self, jid: &str) -> bool {
        let Ok(jid) = jid.parse::<Jid>() else { return false };
        [&self.number, &self.lid]
            .into_iter()
            .flatten()
            .any(|own| own.user_base() == jid.user_base() && own.server == jid.server)
    }
}

/// What a message tells; empty when it says nothing to people. Pure.
pub(crate) fn events(
    message: &wa::Message,
    info: &MessageInfo,
    party: &Party,
    own: &Own,
) -> Vec<InboundEvent> {
    let scene =
        Scene { by_us: info.source.is_from_me, party, own, at: at(info.timestamp.timestamp_millis()) };
    let base = message.get_base_message();
    if let Some(protocol) = base.protocol_message.as_option() {
        return scene.protocol(protocol);
    }
    if let Some(reaction) = base.reaction_message.as_option() {
        return scene.reaction(reaction).into_iter().collect();
    }
    let Some(read) = content::read(base) else { return Vec::new() };
    let answered = read.context.and_then(|context| context.stanza_id.as_deref().map(|id| (id, context)));
    vec![InboundEvent::Message(Box::new(InboundMessage {
        reply_to: answered
            .filter(|(id, _)| is_id(id))
            .map(|(id, context)| scene.id_by_author(id, context.participant.as_deref())),
        forwarded: read.context.is_some_and(|context| context.is_forwarded == Some(true)),
        ..scene.entry(&info.id, read.content)
    }))]
}

/// A message that WhatsApp hands to the phone alone.
pub(crate) fn withheld(info: &MessageInfo, party: &Party, own: &Own) -> InboundEvent {
    let scene =
        Scene { by_us: info.source.is_from_me, party, own, at: at(info.timestamp.timestamp_millis()) };
    let reason = "WhatsApp shows this message on the phone only.".to_owned();
    InboundEvent::Message(Box::new(
        scene.entry(&info.id, Content::unsupported("on_phone_only", Some(reason))),
    ))
}

/// How far messages of ours came, by a receipt of the other side.
pub(crate) fn statuses(receipt: &Receipt) -> Vec<InboundEvent> {
    let status = match receipt.r#type {
        ReceiptType::Delivered => MessageStatus::Delivered,
        ReceiptType::Read => MessageStatus::Read,
        ReceiptType::Played => MessageStatus::Played,
        _ => return Vec::new(),
    };
    if receipt.source.is_from_me {
        return Vec::new();
    }
    let at = at(receipt.timestamp.timestamp_millis());
    let news = |id: &String| {
        InboundEvent::Status(StatusNews {
            remote_id: RemoteId::new(id.as_str()),
            client_ref: None,
            status,
            at,
            error: None,
            recipient: Vec::new(),
        })
    };
    receipt.message_ids.iter().map(|id| id.to_string()).filter(|id| is_id(id)).map(|id| news(&id)).collect()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Ids have no spaces in them, and a bound.
fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

/// Who did something in which chat, and when.
struct Scene<'s> {
    by_us: bool,
    party: &'s Party,
    own: &'s Own,
    at: Timestamp,
}

impl Scene<'_> {
    fn entry(&self, id: &str, content: Content) -> InboundMessage {
        InboundMessage {
            remote_id: self.id(id, self.by_us),
            thread: self.party.thread.clone(),
            contact: self.party.hint.clone(),
            author: self.party.author.clone(),
            echo: self.by_us.then(|| Echo { client_ref: None, via: Some(VIA_PHONE.to_owned()) }),
            sent_at: self.at,
            content,
            reply_to: None,
            forwarded: false,
        }
    }

    fn id(&self, id: &str, is_ours: bool) -> RemoteId {
        if is_ours { RemoteId::new(id) } else { RemoteId::within(id, &self.party.thread) }
    }

    /// The id of a message by who wrote it; an author who is not told is the other side.
    fn id_by_author(&self, id: &str, author: Option<&str>) -> RemoteId {
        let is_ours = author.map_or(!self.by_us, |author| self.own.is(author));
        self.id(id, is_ours)
    }

    fn protocol(&self, protocol: &wa::message::ProtocolMessage) -> Vec<InboundEvent> {
        let target = protocol.key.as_option().and_then(|key| key.id.as_deref()).filter(|id| is_id(id));
        let Some(target) = target.map(|id| self.id(id, self.by_us)) else { return Vec::new() };
        match protocol.r#type {
            Some(Protocol::REVOKE) => vec![InboundEvent::Delete(DeleteNews { target, at: self.at })],
            Some(Protocol::MESSAGE_EDIT) => {
                let edited = protocol.edited_message.as_option();
                let text = edited.and_then(|edited| content::read(edited.get_base_message())?.content.text);
                let at = protocol.timestamp_ms.map_or(self.at, at);
                vec![InboundEvent::Edit(EditNews { target, text, version: 0, at })]
            }
            _ => Vec::new(),
        }
    }

    fn reaction(&self, reaction: &wa::message::ReactionMessage) -> Option<InboundEvent> {
        let key = reaction.key.as_option()?;
        let id = key.id.as_deref().filter(|id| is_id(id))?;
        // The key is written from the side of whoever reacts.
        let is_ours = match (key.from_me, self.by_us) {
            (Some(true), by_us) => by_us,
            (_, true) => key.participant.as_deref().is_some_and(|author| self.own.is(author)),
            (_, false) => key.participant.as_deref().is_none_or(|author| self.own.is(author)),
        };
        Some(InboundEvent::Reaction(ReactionNews {
            target: self.id(id, is_ours),
            contact: self.party.hint.clone(),
            by_us: self.by_us,
            emoji: reaction.text.clone().filter(|emoji| !emoji.is_empty()),
            at: self.at,
        }))
    }
}
