//! Files on the fake provider: uploaded by the business, attached by customers, or bundled samples.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::clock::TimeMs;

/// Bytes kept in all; the oldest files go first.
const SHELF_CAPACITY_BYTES: usize = 512 * 1024 * 1024;

/// Small generated files that a customer can send (see the README).
#[derive(RustEmbed)]
#[folder = "samples"]
struct Samples;

/// One stored file.
#[derive(Debug, Clone)]
pub struct StoredMedia {
    /// Its id at the provider.
    pub id: String,
    /// Inbox that owns it.
    pub inbox_id: String,
    /// MIME type as declared.
    pub mime_type: String,
    /// File name, when one was given.
    pub file_name: Option<String>,
    /// Content.
    pub bytes: Bytes,
    /// When it was stored.
    pub stored_at_ms: TimeMs,
}

impl StoredMedia {
    /// SHA-256 of the content.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// All files, bounded.
#[derive(Debug, Default)]
pub struct MediaShelf {
    by_id: HashMap<String, StoredMedia>,
    order: VecDeque<String>,
    size_bytes: usize,
}

impl MediaShelf {
    /// Keeps a file.
    pub fn put(&mut self, media: StoredMedia) {
        self.size_bytes += media.bytes.len();
        self.order.push_back(media.id.clone());
        self.by_id.insert(media.id.clone(), media);
        while self.size_bytes > SHELF_CAPACITY_BYTES && self.order.len() > 1 {
            if let Some(oldest) = self.order.pop_front() {
                self.remove(&oldest);
            }
        }
    }

    /// The file with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&StoredMedia> {
        self.by_id.get(id)
    }

    /// Deletes a file; false if there was none.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(media) = self.by_id.remove(id) else { return false };
        self.size_bytes -= media.bytes.len();
        self.order.retain(|kept| kept != id);
        true
    }
}

/// A bundled file.
#[derive(Debug, Clone)]
pub struct Sample {
    /// File name.
    pub name: String,
    /// MIME type as a provider declares it.
    pub mime_type: &'static str,
    /// Content.
    pub bytes: Bytes,
}

/// Names of the bundled files.
pub fn sample_names() -> impl Iterator<Item = String> {
    Samples::iter().map(|name| name.into_owned())
}

/// The bundled file of this name.
#[must_use]
pub fn find_sample(name: &str) -> Option<Sample> {
    let file = Samples::get(name)?;
    Some(Sample {
        name: name.to_owned(),
        mime_type: mime_type_of(name),
        bytes: Bytes::from(file.data.into_owned()),
    })
}

fn mime_type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("jpg") => "image/jpeg",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ogg") => "audio/ogg; codecs=opus",
        Some("mp3") => "audio/mpeg",
        Some("mp4") => "video/mp4",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_files_are_what_their_names_say() {
        let head = |name: &str| find_sample(name).unwrap().bytes.slice(..12);
        assert!(head("photo.jpg").starts_with(b"\xff\xd8\xff"));
        assert!(head("photo.png").starts_with(b"\x89PNG\r\n\x1a\n"));
        assert!(head("sticker.webp").starts_with(b"RIFF") && head("sticker.webp").ends_with(b"WEBP"));
        assert!(head("sticker-animated.webp").ends_with(b"WEBP"));
        assert!(head("voice.ogg").starts_with(b"OggS"));
        assert_eq!(&head("video.mp4")[4..8], b"ftyp");
        assert!(head("invoice.pdf").starts_with(b"%PDF-"));
        assert!(head("song.mp3").starts_with(b"ID3") || head("song.mp3").starts_with(b"\xff"));
    }

    #[test]
    fn a_removed_file_is_gone() {
        let mut shelf = MediaShelf::default();
        let bytes = Bytes::from_static(b"abc");
        shelf.put(StoredMedia {
            id: "1".into(),
            inbox_id: "w".into(),
            mime_type: "image/png".into(),
            file_name: None,
            bytes,
            stored_at_ms: 0,
        });
        assert!(shelf.remove("1"));
        assert!(!shelf.remove("1"));
        assert_eq!(shelf.size_bytes, 0);
    }
}
