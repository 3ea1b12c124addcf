//! Files of the gateway's messages: in a form, written into JSON, or at an address. A path on somebody's server is none of these.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use frontdesk_engine::caller::Actor;
use frontdesk_engine::media::{FileLink, Upload};
use frontdesk_model::AttachmentId;
use url::Url;

use crate::error::ApiError;
use crate::state::HttpState;

/// The largest body that brings a file within JSON: 16 MiB as base64 and what stands around it. Larger ones come as a form or by
/// their address.
pub(super) const MAX_JSON_BYTES: usize = 23 * 1024 * 1024;

/// Where a file is.
pub(super) enum File {
    /// Kept here.
    Kept(AttachmentId),
    /// At an address, from which it is taken.
    Link(FileLink),
}

/// A file as it is written into a field.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    Bytes { bytes: Vec<u8>, mime: Option<String> },
    Url(String),
}

/// Reads a file of a field. Errors: 422 naming the field and saying what to send.
pub(super) async fn take(
    state: &HttpState,
    actor: Actor,
    field: &'static str,
    text: &str,
    file_name: Option<&str>,
) -> Result<File, ApiError> {
    match read(text).ok_or_else(|| refuse(field))? {
        Written::Url(url) => Ok(File::Link(FileLink { url, file_name: file_name.map(str::to_owned) })),
        Written::Bytes { bytes, mime } => {
            let mut upload = Upload::begin(&state.engine).await?;
            for part in bytes.chunks(64 * 1024) {
                upload.write(part).await?;
            }
            let name = file_name.unwrap_or(field);
            let row = upload.finish(&state.engine, actor, name, mime.as_deref()).await;
            Ok(File::Kept(
                row.map_err(|error| match ApiError::from(error) {
                    error if error.code() == crate::error::ErrorCode::ValidationError => refuse(field),
                    error => error,
                })?
                .id,
            ))
        }
    }
}

pub(super) fn refuse(field: &str) -> ApiError {
    let sentence = format!(
        "The {field} field must be the file itself: send it as multipart/form-data in the field {field}, or here as a data URI, as \
         base64, or as an https address. Files on the disk of a server are never read."
    );
    ApiError::invalid(field, sentence)
}

fn read(text: &str) -> Option<Written> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Some(rest) = text.strip_prefix("data:") {
        let (head, data) = rest.split_once(',')?;
        let mut parts = head.split(';');
        let mime = parts.next().map(str::trim).filter(|mime| mime.contains('/')).map(str::to_owned);
        let is_base64 = parts.any(|part| part.trim().eq_ignore_ascii_case("base64"));
        let bytes = if is_base64 { decode(data)? } else { percent_decoded(data) };
        return Some(Written::Bytes { bytes, mime }).filter(|_| !data.is_empty());
    }
    if let Ok(url) = Url::parse(text)
        && matches!(url.scheme(), "http" | "https")
        && url.has_host()
    {
        return Some(Written::Url(text.to_owned()));
    }
    let bytes = decode(text)?;
    // `/var/www/picture` and `uploads/a` are base64 too. What a picture or a document is shows in its first bytes.
    let looks_like_path = text.contains('/') && text.len() < 512 && !has_known_beginning(&bytes);
    (!bytes.is_empty() && !looks_like_path).then_some(Written::Bytes { bytes, mime: None })
}

/// Base64 of either alphabet, with or without padding, on however many lines.
fn decode(text: &str) -> Option<Vec<u8>> {
    const LAX: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LAX);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LAX);
    let packed: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(&packed).or_else(|_| URL_SAFE.decode(&packed)).ok()
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// Files by which people know them: pictures, sound, films, documents, archives, and plain text.
fn has_known_beginning(bytes: &[u8]) -> bool {
    const KNOWN: [&[u8]; 14] = [
        b"\xff\xd8\xff",
        b"\x89PNG",
        b"GIF8",
        b"RIFF",
        b"BM",
        b"OggS",
        b"ID3",
        b"\xff\xfb",
        b"%PDF",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0",
        b"\x1a\x45\xdf\xa3",
        b"<?xml",
        b"{\\rtf",
    ];
    KNOWN.iter().any(|start| bytes.starts_with(start))
        || bytes.get(4..8) == Some(b"ftyp")
        || std::str::from_utf8(bytes)
            .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_file_is_read_however_it_is_written() {
        let png = b"\x89PNG\r\n\x1a\n\x00\x00".to_vec();
        let base64 = STANDARD.encode(&png);
        let bytes =
            |mime: Option<&str>| Some(Written::Bytes { bytes: png.clone(), mime: mime.map(str::to_owned) });
        assert_eq!(read(&base64), bytes(None));
        assert_eq!(read(&format!("{}\n{}", &base64[..4], &base64[4..])), bytes(None));
        assert_eq!(read(&format!("data:image/png;base64,{base64}")), bytes(Some("image/png")));
        let text = Written::Bytes { bytes: b"a b".to_vec(), mime: Some("text/plain".to_owned()) };
        assert_eq!(read("data:text/plain,a%20b"), Some(text));
        let jpeg = STANDARD.encode(b"\xff\xd8\xff\xe0\x00\x10JFIF");
        assert!(jpeg.starts_with('/') && matches!(read(&jpeg), Some(Written::Bytes { .. })), "{jpeg}");
        let url = "https://example.org/a.png?x=1";
        assert_eq!(read(url), Some(Written::Url(url.to_owned())));
    }

    #[test]
    fn a_path_is_never_read() {
        for path in [
            "/var/www/html/storage/app/public/whatsapp/images/a.jpg",
            "/etc/passwd",
            "/var/www/picture",
            "storage/app/public/whatsapp/images/x",
            "../secret.key",
            "./a.png",
            "~/a.png",
            "C:\\fakepath\\a.png",
            "file:///etc/passwd",
            "ftp://example.org/a.png",
            "photo.jpg",
            "data:image/png;base64,",
            "data:,",
            "data:image/png;base64,%%%",
            "",
            "  ",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
