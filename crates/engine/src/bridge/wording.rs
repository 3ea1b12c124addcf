//! What a message of ours says there, where Chatwoot has no form of its own for it.

use frontdesk_channels::contract::Markup;
use frontdesk_model::content::{ContactCard, Location, Payload};
use frontdesk_model::message::{Direction, MessageKind, SenderType};
use frontdesk_store::attachments::{AttachmentRow, AttachmentState};
use frontdesk_store::messages::MessageRow;

use super::markup;

/// Files larger than this stay here: Chatwoot takes no more by default.
pub(super) const MAX_FILE_BYTES: i64 = 40 * 1024 * 1024;

/// True when a file goes along.
pub(super) fn is_carried(file: &AttachmentRow) -> bool {
    file.state == AttachmentState::Ready
        && file.storage_key.is_some()
        && file.size_bytes.is_some_and(|bytes| bytes <= MAX_FILE_BYTES)
}

/// The text of a message; `None` when its files say everything.
pub(super) fn of_message(message: &MessageRow, files: &[AttachmentRow], markup: Markup) -> Option<String> {
    let mut lines = Vec::new();
    match &message.payload {
        Payload { location: Some(location), .. } => lines.push(place(location)),
        Payload { contacts, .. } if !contacts.is_empty() => lines.extend(contacts.iter().map(card)),
        Payload { unsupported: Some(unsupported), .. } => {
            lines.push(format!("[A message of a kind that is not known: {}]", unsupported.kind));
        }
        _ => lines.extend(message.content.as_deref().map(|text| markup::to_markdown(text, markup))),
    }
    lines.extend(files.iter().filter(|file| !is_carried(file)).map(absent));
    lines.retain(|line| !line.is_empty());
    if lines.is_empty() && files.is_empty() {
        lines.push(format!("[{}]", message.kind.as_str().replace('_', " ")));
    }
    let text = lines.join("\n");
    let forwarded = if message.forwarded && !text.is_empty() { "_Forwarded_\n" } else { "" };
    (!text.is_empty()).then(|| format!("{forwarded}{text}"))
}

/// The same with the name of whoever wrote it here: there it stands under the name of the token's owner.
pub(super) fn signed(message: &MessageRow, text: Option<String>) -> Option<String> {
    let is_agents = message.direction == Direction::Outbound && message.sender_type == SenderType::Admin;
    let name =
        message.sender_name.as_deref().filter(|_| is_agents).map(|name| name.replace(['*', '\n'], " "));
    match name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => text.map(|text| format!("**{name}**\n{text}")),
        None => text,
    }
}

fn place(location: &Location) -> String {
    let Location { latitude, longitude, name, address, .. } = location;
    let map = format!(
        "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"
    );
    let words = [name.as_deref(), address.as_deref(), Some(map.as_str())];
    format!("📍 {}", words.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

fn card(card: &ContactCard) -> String {
    let values = card.phones.iter().chain(&card.emails).map(|labelled| labelled.value.clone());
    let lines = std::iter::once(format!("👤 {}", card.name)).chain(card.organization.clone()).chain(values);
    lines.collect::<Vec<_>>().join("\n")
}

fn absent(file: &AttachmentRow) -> String {
    let name = file.file_name.as_deref().unwrap_or(file.kind.as_str());
    let why = match file.state {
        AttachmentState::Pending => "still on its way",
        AttachmentState::Ready | AttachmentState::TooLarge => "too large: look at it in Frontdesk",
        AttachmentState::Failed | AttachmentState::Discarded => "could not be had",
    };
    format!("[{name}: {why}]")
}

/// An edit, which Chatwoot cannot make.
pub(super) fn edited(message: &MessageRow, markup: Markup) -> String {
    format!("✏️ Edited: {}", markup::to_markdown(message.content.as_deref().unwrap_or_default(), markup))
}

/// A reaction, or the end of one.
pub(super) fn reacted(before: Option<&str>, now: Option<&str>) -> String {
    match (before, now) {
        (_, Some(emoji)) => format!("Reacted with {emoji}"),
        (Some(emoji), None) => format!("Took the reaction {emoji} back"),
        (None, None) => "Took a reaction back".to_owned(),
    }
}

/// Why something that was written there did not arrive.
pub(super) fn not_delivered(reason: &str) -> String {
    format!("⚠️ Not delivered: {reason}")
}

/// True for what is shown there as a note: the network or Frontdesk says it, not the customer.
pub(super) fn is_notice(message: &MessageRow) -> bool {
    matches!(message.kind, MessageKind::System | MessageKind::Call)
}
