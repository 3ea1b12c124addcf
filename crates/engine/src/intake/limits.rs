//! How long what providers write may be. A signature vouches for its sender, not for its size: an id that no index can
//! hold would cost all that came with it.

use frontdesk_model::RemoteId;
use frontdesk_model::contact::{ContactHint, Identity};
use frontdesk_model::inbound::InboundEvent;
use sha2::{Digest, Sha256};

/// The longest id kept as it is, in bytes; the longest known ones have about 250. PostgreSQL indexes 2,700.
const MAX_ID: usize = 512;
/// The longest profile name, in characters.
const MAX_NAME: usize = 256;
/// The longest reaction, in characters: an emoji of a family has eleven.
const MAX_EMOJI: usize = 32;
/// The longest text kept of one message, in characters; far above what any channel sends.
const MAX_TEXT: usize = 65_536;

/// Shortens what is too long. The same text always becomes the same.
pub(super) fn shorten(event: &mut InboundEvent) {
    match event {
        InboundEvent::Message(m) => {
            shorten_id(&mut m.remote_id);
            m.reply_to.iter_mut().for_each(shorten_id);
            shorten_contact(&mut m.contact);
            m.author.iter_mut().for_each(|author| cut(author, MAX_NAME));
            m.content.text.iter_mut().for_each(|text| cut(text, MAX_TEXT));
        }
        InboundEvent::Status(s) => {
            shorten_id(&mut s.remote_id);
            s.recipient.iter_mut().for_each(shorten_identity);
        }
        InboundEvent::Watermark(w) => shorten_contact(&mut w.contact),
        InboundEvent::Reaction(r) => {
            shorten_id(&mut r.target);
            r.emoji.iter_mut().for_each(|emoji| cut(emoji, MAX_EMOJI));
        }
        InboundEvent::Edit(e) => {
            shorten_id(&mut e.target);
            e.text.iter_mut().for_each(|text| cut(text, MAX_TEXT));
        }
        InboundEvent::Delete(d) => shorten_id(&mut d.target),
        InboundEvent::IdentityChange(c) => {
            shorten_id(&mut c.remote_id);
            c.old.iter_mut().chain(&mut c.new).for_each(shorten_identity);
        }
        InboundEvent::Typing(t) => shorten_contact(&mut t.contact),
        InboundEvent::Notice(_) | InboundEvent::Ignored { .. } | InboundEvent::Unreadable { .. } => {}
    }
}

fn shorten_contact(contact: &mut ContactHint) {
    contact.identities.iter_mut().for_each(shorten_identity);
    contact.name.iter_mut().for_each(|name| cut(name, MAX_NAME));
}

fn shorten_identity(identity: &mut Identity) {
    hash_if_long(&mut identity.value);
}

fn shorten_id(id: &mut RemoteId) {
    hash_if_long(&mut id.0);
}

/// A long id is known by its hash: one id stays one, two stay two.
fn hash_if_long(id: &mut String) {
    if id.len() > MAX_ID {
        *id = format!("sha256:{}", hex::encode(Sha256::digest(id.as_bytes())));
    }
}

fn cut(text: &mut String, max_chars: usize) {
    if let Some((end, _)) = text.char_indices().nth(max_chars) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_stay_apart_and_short_ones_stay() {
        let long = |end: &str| {
            let mut id = RemoteId(format!("{}{end}", "x".repeat(600)));
            shorten_id(&mut id);
            id
        };
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").as_str().len() < MAX_ID);
        let mut short = RemoteId("wamid.1".to_owned());
        shorten_id(&mut short);
        assert_eq!(short.as_str(), "wamid.1");
    }

    #[test]
    fn text_is_cut_between_characters() {
        let mut text = "éééé".to_owned();
        cut(&mut text, 3);
        assert_eq!(text, "ééé");
    }
}
