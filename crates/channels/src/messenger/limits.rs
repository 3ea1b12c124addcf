//! What Messenger takes. Source: Meta's Send API reference, read 2026.

use frontdesk_model::capabilities::{AttachmentLimit, Capabilities, ReplyWindow, TextLimit, TextUnit};
use frontdesk_model::content::MediaKind;

const MB: u64 = 1024 * 1024;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        text_max: TextLimit { count: 2000, unit: TextUnit::Characters },
        // Text and file do not go together: the words follow as a message of their own.
        caption_max: 0,
        attachments: vec![
            limit(MediaKind::Image, &["image/jpeg", "image/png", "image/gif", "image/webp"], 8 * MB),
            limit(MediaKind::Video, &[], 25 * MB),
            limit(MediaKind::Audio, &[], 25 * MB),
            limit(MediaKind::Voice, &[], 25 * MB),
            limit(MediaKind::Document, &[], 25 * MB),
        ],
        // Up to seven days a person may answer under the tag HUMAN_AGENT.
        reply_window: Some(ReplyWindow { duration_ms: 24 * HOUR_MS, extended_ms: Some(7 * 24 * HOUR_MS) }),
        templates: false,
        reactions: true,
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
