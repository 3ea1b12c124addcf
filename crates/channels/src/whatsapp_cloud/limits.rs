//! What WhatsApp takes. Source: Meta's "Supported media types" and message references, read 2026.

use frontdesk_model::capabilities::{AttachmentLimit, Capabilities, ReplyWindow, TextLimit, TextUnit};
use frontdesk_model::content::MediaKind;

const MB: u64 = 1024 * 1024;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        text_max: TextLimit { count: 4096, unit: TextUnit::Characters },
        caption_max: 1024,
        attachments: vec![
            limit(MediaKind::Image, &["image/jpeg", "image/png"], 5 * MB),
            limit(MediaKind::Video, &["video/mp4", "video/3gpp"], 16 * MB),
            limit(MediaKind::Audio, AUDIO, 16 * MB),
            // A voice note is an Ogg file with Opus in it.
            limit(MediaKind::Voice, &["audio/ogg"], 16 * MB),
            limit(MediaKind::Document, DOCUMENT, 100 * MB),
            // 500 KB animated, 100 KB still.
            limit(MediaKind::Sticker, &["image/webp"], 500 * 1024),
        ],
        reply_window: Some(ReplyWindow { duration_ms: 24 * HOUR_MS, extended_ms: None }),
        templates: true,
        reactions: true,
        reaction_emojis: Vec::new(),
        reply_to: true,
        location: true,
        contacts: true,
        interactive: true,
        read_receipts: true,
        typing: true,
    }
}

/// An upload of any other type is refused, whatever it is to be sent as.
const DOCUMENT: &[&str] = &[
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
];

const AUDIO: &[&str] = &["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"];

fn limit(kind: MediaKind, mime_types: &[&str], max_bytes: u64) -> AttachmentLimit {
    AttachmentLimit { kind, mime_types: mime_types.iter().map(|&m| m.to_owned()).collect(), max_bytes }
}
