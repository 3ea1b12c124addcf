//! What Messenger takes. Source: Meta's Send API reference, read 2026.

use frontdesk_model::capabilities::{AttachmentLimit, Capabilities};
use frontdesk_model::content::MediaKind;

use super::NETWORK;
use crate::meta::messaging::WINDOW;

const MB: u64 = 1024 * 1024;

pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        text_max: NETWORK.text_max,
        // Text and file do not go together: the words follow as a message of their own.
        caption_max: 0,
        attachments: vec![
            limit(MediaKind::Image, &["image/jpeg", "image/png", "image/gif", "image/webp"], 8 * MB),
            limit(MediaKind::Video, &[], 25 * MB),
            limit(MediaKind::Audio, &[], 25 * MB),
            limit(MediaKind::Voice, &[], 25 * MB),
            limit(MediaKind::Document, &[], 25 * MB),
        ],
        reply_window: Some(WINDOW),
        templates: false,
        reactions: true,
        // Any emoji.
        reaction_emojis: Vec::new(),
        reply_to: true,
        location: false,
        contacts: false,
        // As quick replies.
        interactive: true,
        read_receipts: true,
        typing: true,
    }
}

fn limit(kind: MediaKind, mime_types: &[&str], max_bytes: u64) -> AttachmentLimit {
    AttachmentLimit { kind, mime_types: mime_types.iter().map(|&m| m.to_owned()).collect(), max_bytes }
}
