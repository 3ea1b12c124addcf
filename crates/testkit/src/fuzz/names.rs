//! Small texts from outside: cursors, phone numbers, addresses, kinds and names of files.

use std::net::IpAddr;

use frontdesk_engine::media;
use frontdesk_http::paging::{self, PageQuery, Position};
use frontdesk_model::content::MediaKind;
use frontdesk_model::{Timestamp, contact, text};
use frontdesk_provider_http::addresses::AddressPolicy;
use url::{Host, Url};

use super::line;

/// A cursor is refused or names one row; given back, it names the same one.
pub fn cursor(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(key) = paging::decode(&text) {
        assert!(key >= 0);
        assert_eq!(paging::decode(&paging::encode(key)), Some(key));
    }
    if let Ok(place) = Position::decode(&text, "before") {
        assert_eq!(Position::decode(&place.encode(), "before").ok(), Some(place));
    }
    let limit = text.parse().ok();
    let page = PageQuery { cursor: Some(text.into_owned()), limit };
    assert!(page.key(0).is_err() || page.cursor.is_some());
    assert!(page.limit().is_err() || page.limit().is_ok_and(|limit| (1..=200).contains(&limit)));
}

/// A phone number is refused or E.164, and then one that is read as itself.
pub fn phone(bytes: &[u8]) {
    let written = String::from_utf8_lossy(bytes);
    if let Some(number) = contact::parse_phone(&written) {
        let digits = number.strip_prefix('+').unwrap();
        assert!((5..=15).contains(&digits.len()) && !digits.starts_with('0'), "{number}");
        assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{number}");
        assert_eq!(contact::parse_phone(&number).as_ref(), Some(&number), "read again");
    }
    let folded = text::fold(&written);
    assert_eq!(
        text::fold(&folded).len(),
        folded.len(),
        "folding folds what it folded no further: {folded:?}"
    );
    assert!(text::preview(&written, 20).chars().count() <= 21);
    if let Some(at) = Timestamp::parse(&written) {
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
    }
}

/// No spelling of an address leads to a machine that is not on the public internet.
pub fn address(bytes: &[u8]) {
    let base = Url::parse("https://graph.example.org").unwrap();
    let Ok(url) = Url::parse(&String::from_utf8_lossy(bytes)) else { return };
    if AddressPolicy::public_only().check_url(&url, &base).is_err() {
        return;
    }
    assert_eq!(url.scheme(), "https", "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    assert!(url.port().is_none() || url.origin() == base.origin(), "{url}");
    let address: IpAddr = match url.host().unwrap() {
        Host::Domain(_) => return, // judged once it is resolved
        Host::Ipv4(address) => address.into(),
        Host::Ipv6(address) => address.to_canonical(),
    };
    let inward = match address {
        IpAddr::V4(a) => {
            a.is_private()
                || a.is_loopback()
                || a.is_link_local()
                || a.is_unspecified()
                || a.is_broadcast()
                || a.is_multicast()
        }
        IpAddr::V6(a) => {
            a.is_loopback()
                || a.is_unspecified()
                || a.is_unique_local()
                || a.is_unicast_link_local()
                || a.is_multicast()
        }
    };
    assert!(!inward, "{url}");
}

/// First line: the type somebody claims; second: the name; then the file. Nothing is taken for what a browser would
/// run, and no name leads elsewhere.
pub fn media(bytes: &[u8]) {
    let (claimed, rest) = line(bytes);
    let (name, head) = line(rest);
    let claimed = String::from_utf8_lossy(claimed);
    for wanted in [None, Some(MediaKind::Image), Some(MediaKind::Voice), Some(MediaKind::Document)] {
        let (mime, _) = media::judge(head, Some(&claimed), wanted);
        let runs = ["html", "xml", "svg", "javascript", "ecmascript"].iter().any(|word| mime.contains(word));
        // Office files have `openxml` in their names, and are saved, not run.
        assert!(!runs || mime.starts_with("application/vnd."), "{mime}");
        assert!(mime.len() <= 100 && mime.is_ascii() && !mime.contains(char::is_control), "{mime:?}");
    }
    let name = media::safe_file_name(&String::from_utf8_lossy(name));
    assert!(!name.is_empty() && name.chars().count() <= 120);
    assert!(!name.contains(['/', '\\', '\r', '\n', '\0', '\u{202e}']) && !name.starts_with('.'), "{name:?}");
    assert_eq!(media::safe_file_name(&name), name, "safe already");
}
