//! Files: fetched from the provider after the message was stored, or uploaded to be sent; kept; served by signed
//! address.

mod bucket;
mod fetch;
mod keep;
mod link;
mod orphans;
mod place;
mod serve;
mod sniff;
mod upload;

pub use bucket::BucketError;
pub(crate) use fetch::{run, take_over};
pub use keep::{MEDIA_FOLDER, MediaStore, MediaStoreError};
pub(crate) use link::take_from;
pub use link::{FileLink, LinkError};
pub(crate) use orphans::{expire, sweep_discarded};
pub use serve::{MediaAddress, MediaFile, find_served, url_of};
pub use sniff::judge;
pub(crate) use sniff::sniff;
pub use upload::{Upload, UploadError};

/// Makes a file name safe to show and to save: one line, no path, no control or direction marks, at most 120 characters.
pub fn safe_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let clean: String = last
        .chars()
        .filter(|c| {
            !c.is_control()
                && !matches!(*c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .take(120)
        .collect();
    let clean = clean.trim().trim_start_matches('.').trim();
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::safe_file_name;

    #[test]
    fn file_names_hold_no_tricks() {
        assert_eq!(safe_file_name("../../etc/passwd"), "passwd");
        assert_eq!(safe_file_name("C:\\temp\\bill.pdf"), "bill.pdf");
        assert_eq!(safe_file_name("invoice\u{202e}fdp.exe"), "invoicefdp.exe");
        assert_eq!(safe_file_name("a\r\nSet-Cookie: x.txt"), "aSet-Cookie: x.txt");
        assert_eq!(safe_file_name("..."), "file");
        assert_eq!(safe_file_name(&"x".repeat(500)).len(), 120);
    }
}
