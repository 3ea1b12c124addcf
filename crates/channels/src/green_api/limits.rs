//! What Green API takes. Source: its pages on sending, read 2026.

use frontdesk_green_api_client::methods::sending::{CAPTION_MAX_CHARS, FILE_MAX_BYTES, TEXT_MAX_CHARS};
use frontdesk_model::capabilities::{AttachmentLimit, Capabilities, TextLimit, TextUnit};
use frontdesk_model::content::MediaKind;

const MB: u64 = 1024 * 1024;

pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        text_max: TextLimit { count: TEXT_MAX_CHARS, unit: TextUnit::Characters },
        caption_max: CAPTION_MAX_CHARS,
        attachments: vec![
            limit(MediaKind::Image, &["image/jpeg", "image/png", "image/webp", "image/gif"], 16 * MB),
            limit(MediaKind::Video, &["video/mp4", "video/3gpp", "video/quicktime"], FILE_MAX_BYTES),
            limit(MediaKind::Audio, &[], FILE_MAX_BYTES),
            limit(MediaKind::Voice, &["audio/ogg"], FILE_MAX_BYTES),
            limit(MediaKind::Document, &[], FILE_MAX_BYTES),
        ],
        // A linked phone may write at any time.
        reply_window: None,
        templates: false,
        reactions: false,
        reaction_emojis: Vec::new(),
        reply_to: true,
        location: true,
        contacts: true,
        interactive: false,
        read_receipts: true,
        typing: true,
    }
}

fn limit(kind: MediaKind, mime_types: &[&str], max_bytes: u64) -> AttachmentLimit {
    AttachmentLimit { kind, mime_types: mime_types.iter().map(|&m| m.to_owned()).collect(), max_bytes }
}
