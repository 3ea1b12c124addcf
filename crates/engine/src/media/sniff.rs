//! What a file really is, by its first bytes: what a provider or browser claims is not to be trusted.

use std::path::Path;

use frontdesk_model::content::MediaKind;
use tokio::io::AsyncReadExt;

/// How many bytes are looked at.
const HEAD: u64 = 8192;

/// The type and kind of a file. `claimed` decides only where the bytes leave it open, and never makes a file something
/// a browser would run.
pub(crate) async fn sniff(
    path: &Path,
    claimed: Option<&str>,
    wanted: Option<MediaKind>,
) -> std::io::Result<(String, MediaKind)> {
    let mut head = Vec::new();
    tokio::fs::File::open(path).await?.take(HEAD).read_to_end(&mut head).await?;
    Ok(judge(&head, claimed, wanted))
}

/// The same of the first bytes of a file.
pub fn judge(head: &[u8], claimed: Option<&str>, wanted: Option<MediaKind>) -> (String, MediaKind) {
    let claimed = claimed.and_then(|c| c.split(';').next()).map(|c| c.trim().to_ascii_lowercase());
    let found = infer::get(head).map(|t| t.mime_type());
    let mime = match (found, claimed.as_deref()) {
        // Containers: the claim says which of its uses it is.
        (Some("video/webm"), Some("audio/webm")) => "audio/webm",
        (Some("video/mp4"), Some(c @ ("audio/mp4" | "audio/aac" | "audio/m4a"))) => c,
        (Some("application/zip"), Some(c)) if c.starts_with("application/vnd.") => c,
        (Some("text/html" | "text/xml" | "application/xhtml+xml"), _) => "text/plain",
        (Some("audio/ogg" | "application/ogg" | "audio/opus"), _) => "audio/ogg",
        (Some(found), _) => found,
        (None, Some(c)) if is_harmless(c) => c,
        (None, _) => "application/octet-stream",
    }
    .to_owned();
    let by_mime = MediaKind::of_mime(&mime);
    let kind = match wanted {
        // A voice note is audio, a sticker is a picture: only the provider knows the difference.
        Some(MediaKind::Voice) if by_mime == MediaKind::Audio => MediaKind::Voice,
        Some(MediaKind::Sticker) if by_mime == MediaKind::Image => MediaKind::Sticker,
        Some(MediaKind::Document) => MediaKind::Document,
        _ => by_mime,
    };
    (mime, kind)
}

/// Types without a signature of their own that may be believed: nothing a browser runs.
fn is_harmless(mime: &str) -> bool {
    matches!(
        mime,
        "text/plain"
            | "text/csv"
            | "text/calendar"
            | "text/vcard"
            | "audio/amr"
            | "audio/aac"
            | "audio/mpeg"
            | "application/msword"
            | "application/vnd.ms-excel"
            | "application/vnd.ms-powerpoint"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert_eq!(judge(png, Some("text/html"), None), ("image/png".to_owned(), MediaKind::Image));
        assert_eq!(judge(png, None, Some(MediaKind::Sticker)).1, MediaKind::Sticker);
        let html = b"<!DOCTYPE html><script>alert(1)</script>";
        assert_eq!(judge(html, Some("image/png"), Some(MediaKind::Image)).0, "text/plain");
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
        assert_eq!(
            judge(svg, Some("image/svg+xml"), None),
            ("application/octet-stream".to_owned(), MediaKind::Document)
        );
        assert_eq!(judge(b"hello", Some("text/csv; charset=utf-8"), None).0, "text/csv");
        let opus = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0OpusHead";
        assert_eq!(
            judge(opus, None, None).0,
            "audio/ogg",
            "the container's type, which networks and browsers know"
        );
        assert_eq!(
            judge(b"OggS\0\x02", Some("audio/ogg; codecs=opus"), Some(MediaKind::Voice)).1,
            MediaKind::Voice
        );
    }
}
