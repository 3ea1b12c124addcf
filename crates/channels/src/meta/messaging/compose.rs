//! One message of ours as Messenger and Instagram want it written. Pure; what they cannot carry is refused here.
//!
//! Source: Meta's Send API reference, read 2026.

use frontdesk_meta_graph_client::messaging::{
    Attachment, AttachmentKind, AttachmentSource, Body, MessagingMessage, MessagingType, QuickReply,
    SenderAction,
};
use frontdesk_model::content::MediaKind;
use frontdesk_model::outbound::{Interactive, OutboundMedia, OutboundMessage, Recipient};

use super::{Network, WINDOW};
use crate::contract::SendError;
use crate::meta::errors::cannot_carry;

const MAX_QUICK_REPLIES: usize = 13;
const MAX_QUICK_REPLY_TITLE: usize = 20;
const MAX_QUICK_REPLY_PAYLOAD: usize = 1000;

/// How the network calls the customer.
pub(super) fn receiver<'t>(network: &Network, to: &'t Recipient) -> &'t str {
    to.identity(network.identity).unwrap_or(&to.thread)
}

/// The frame of a message: to whom, under which rule, in answer to what.
pub(super) fn message(network: &Network, message: &OutboundMessage, body: Body) -> MessagingMessage {
    MessagingMessage {
        messaging_type: messaging_type(message),
        reply_to: message.reply_to.as_ref().map(|id| id.0.clone()),
        metadata: Some(message.client_ref.clone()),
        ..MessagingMessage::new(receiver(network, &message.to), body)
    }
}

/// After 24 hours a person may still answer for seven days, which has to be said. Later Meta refuses, in its own words.
fn messaging_type(message: &OutboundMessage) -> MessagingType {
    let extended_ms = WINDOW.extended_ms.unwrap_or(WINDOW.duration_ms);
    match message.last_inbound_at.map(|at| message.now.millis_since(at)) {
        Some(age_ms) if age_ms > WINDOW.duration_ms && age_ms <= extended_ms => MessagingType::HumanAgent,
        _ => MessagingType::Response,
    }
}

pub(super) fn text(network: &Network, text: &str) -> Result<Body, SendError> {
    let limit = network.text_max;
    let length = limit.measure(text);
    if length == 0 {
        return Err(cannot_carry(format!("A text cannot be empty on {}.", network.label)));
    }
    if length > limit.count {
        return Err(cannot_carry(format!(
            "A text can have at most {} {} on {}; this has {length}.",
            limit.count, limit.unit, network.label
        )));
    }
    Ok(Body::Text(text.to_owned()))
}

/// Buttons and rows become quick replies; the lines above and below join the text.
pub(super) fn interactive(
    network: &Network,
    message: &Interactive,
) -> Result<(Body, Vec<QuickReply>), SendError> {
    let choices: Vec<_> = message.buttons.iter().chain(&message.rows).collect();
    if choices.is_empty() || choices.len() > MAX_QUICK_REPLIES {
        return Err(cannot_carry(format!("{} takes one to {MAX_QUICK_REPLIES} buttons.", network.label)));
    }
    for choice in &choices {
        let (title, id) = (choice.title.chars().count(), choice.id.chars().count());
        if !(1..=MAX_QUICK_REPLY_TITLE).contains(&title) || !(1..=MAX_QUICK_REPLY_PAYLOAD).contains(&id) {
            return Err(cannot_carry(format!(
                "A button on {} has 1 to {MAX_QUICK_REPLY_TITLE} characters, and an id.",
                network.label
            )));
        }
    }
    let lines: Vec<&str> =
        [message.header.as_deref(), Some(message.body.as_str()), message.footer.as_deref()]
            .into_iter()
            .flatten()
            .collect();
    let replies = choices.iter().map(|c| QuickReply { title: c.title.clone(), payload: c.id.clone() });
    Ok((text(network, &lines.join("\n\n"))?, replies.collect()))
}

/// How a file is shown. There are no stickers to send but Meta's own.
pub(super) fn attachment_kind(network: &Network, media: &OutboundMedia) -> Result<AttachmentKind, SendError> {
    if media.caption.as_deref().is_some_and(|caption| !caption.is_empty()) {
        return Err(cannot_carry(format!(
            "{} takes no words beside a file: send them as a message of their own.",
            network.label
        )));
    }
    Ok(match media.kind {
        MediaKind::Image | MediaKind::Sticker => AttachmentKind::Image,
        MediaKind::Video => AttachmentKind::Video,
        MediaKind::Audio | MediaKind::Voice => AttachmentKind::Audio,
        MediaKind::Document => AttachmentKind::File,
    })
}

/// A file that was uploaded under `id`.
pub(super) fn attachment(kind: AttachmentKind, id: String) -> Body {
    Body::Attachment(Attachment { kind, source: AttachmentSource::Id(id) })
}

/// Messenger takes any emoji, Instagram a heart alone, which it calls `love`.
pub(super) fn reaction(
    network: &Network,
    target: &str,
    emoji: Option<&str>,
) -> Result<SenderAction, SendError> {
    let message_id = target.to_owned();
    let Some(emoji) = emoji else { return Ok(SenderAction::Unreact { message_id }) };
    if !network.hearts_only {
        return Ok(SenderAction::React { message_id, reaction: emoji.to_owned() });
    }
    if !matches!(emoji.trim_end_matches('\u{fe0f}'), "❤" | "♥") {
        return Err(cannot_carry(format!("On {} the only reaction is ❤.", network.label)));
    }
    Ok(SenderAction::React { message_id, reaction: "love".to_owned() })
}
