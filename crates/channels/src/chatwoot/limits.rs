//! What Chatwoot takes. What the network behind the inbox there does not, Chatwoot says afterwards: the message has failed.

use frontdesk_model::capabilities::{AttachmentLimit, Capabilities, TextLimit, TextUnit};
use frontdesk_model::content::MediaKind;

/// Chatwoot's usual limit.
const FILE_MAX_BYTES: u64 = 40 * 1024 * 1024;
const TEXT_MAX_CHARS: usize = 150_000;

pub(super) fn capabilities() -> Capabilities {
    let kinds = [MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::Voice, MediaKind::Document];
    let limit = |kind: MediaKind| AttachmentLimit { kind, mime_types: Vec::new(), max_bytes: FILE_MAX_BYTES };
    Capabilities {
        text_max: TextLimit { count: TEXT_MAX_CHARS, unit: TextUnit::Characters },
        caption_max: TEXT_MAX_CHARS,
        attachments: kinds.into_iter().map(limit).collect(),
        // Each network behind it has its own, and Chatwoot keeps to them.
        reply_window: None,
        templates: false,
        reactions: false,
        reaction_emojis: Vec::new(),
        reply_to: true,
        location: false,
        contacts: false,
        interactive: false,
        read_receipts: true,
        typing: true,
    }
}
