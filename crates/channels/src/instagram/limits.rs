//! What Instagram takes. Source: Meta's Instagram messaging reference, read 2026.

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
            limit(MediaKind::Image, &["image/jpeg", "image/png"], 8 * MB),
            limit(
                MediaKind::Video,
                &["video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"],
                25 * MB,
            ),
            limit(MediaKind::Audio, AUDIO, 25 * MB),
            limit(MediaKind::Voice, AUDIO, 25 * MB),
            // Since December 2025.
            limit(MediaKind::Document, &["application/pdf"], 25 * MB),
        ],
        reply_window: Some(WINDOW),
        templates: false,
        reactions: true,
        // Which Instagram calls `love`.
        reaction_emojis: vec!["❤️".to_owned()],
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

const AUDIO: &[&str] = &["audio/aac", "audio/mp4", "audio/x-m4a", "audio/wav", "audio/mpeg"];
