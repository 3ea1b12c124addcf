//! What a linked phone can send. Source: WhatsApp's help pages on sizes of files, read 2026.

use frontdesk_model::capabilities::{AttachmentLimit, Capabilities, TextLimit, TextUnit};
use frontdesk_model::content::MediaKind;

const MB: u64 = 1024 * 1024;

pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        text_max: TextLimit { count: 65_536, unit: TextUnit::Characters },
        caption_max: 1_024,
        attachments: vec![
            limit(MediaKind::Image, &["image/jpeg", "image/png", "image/webp", "image/gif"], 16 * MB),
            limit(MediaKind::Video, &["video/mp4", "video/3gpp", "video/quicktime"], 64 * MB),
            limit(MediaKind::Audio, &[], 16 * MB),
            limit(MediaKind::Voice, &["audio/ogg"], 16 * MB),
            limit(MediaKind::Document, &[], 100 * MB),
        ],
        // A linked phone may write at any time.
        reply_window: None,
        templates: false,
        reactions: true,
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
