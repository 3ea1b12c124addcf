//! What a message of Messenger or Instagram says, in our words.

use frontdesk_meta_graph_client::webhook::ReadError;
use frontdesk_meta_graph_client::webhook::messaging::{self, Attachment, Message};
use frontdesk_model::content::{
    Choice, Content, Link, Location, MediaKind, MediaRef, Payload, Referral, Unsupported,
};
use frontdesk_model::message::MessageKind;

use crate::meta::parse::short;

/// The content of one message. Several files stay together in one message.
pub(super) fn read_content(message: Message) -> Content {
    let mut draft = Draft { text: message.text.filter(|text| !text.is_empty()), ..Draft::default() };
    draft.payload.referral = message.referral.map(referral);
    if message.is_unsupported {
        draft.cannot_show("unsupported", Some("Meta does not pass on what it was.".to_owned()));
    }
    if let Some(story) = message.reply_to.and_then(|reply| reply.story) {
        // A picture of our own story that is gone in a day: its address is enough.
        draft.payload.story = Some(Link { id: story.id, url: story.url, title: None });
        draft.kind = Some(MessageKind::StoryReply);
    }
    if let Some(payload) = message.quick_reply {
        let title = draft.text.clone().unwrap_or_else(|| payload.clone());
        draft.payload.reply = Some(Choice { id: Some(payload), title, description: None });
        draft.kind = Some(MessageKind::ButtonReply);
    }
    for attachment in without_repeated_stickers(message.attachments) {
        match attachment {
            Ok(attachment) => draft.attach(attachment),
            Err(error) => draft.cannot_show("attachment", Some(format!("It could not be read: {error}."))),
        }
    }
    draft.finish()
}

/// Where a customer came from.
pub(super) fn referral(from: messaging::Referral) -> Referral {
    let advert = from.ads_context_data.unwrap_or_default();
    Referral {
        source: from.source,
        source_id: from.ad_id.or(from.product.and_then(|product| product.id)),
        headline: advert.ad_title,
        body: None,
        url: advert.photo_url.or(advert.video_url),
        reference: from.reference,
    }
}

/// Until the end of August 2026 a sticker comes twice, as an image and as a sticker; afterwards once.
fn without_repeated_stickers(
    attachments: Vec<Result<Attachment, ReadError>>,
) -> impl Iterator<Item = Result<Attachment, ReadError>> {
    let mut seen: Vec<String> = Vec::new();
    attachments.into_iter().filter(move |attachment| {
        let payload = attachment.as_ref().ok().and_then(|a| a.payload.as_ref());
        match payload.and_then(|payload| payload.sticker_id.as_ref()) {
            Some(id) if seen.contains(id) => false,
            Some(id) => {
                seen.push(id.clone());
                true
            }
            None => true,
        }
    })
}

/// A content that grows by one attachment at a time. The first that has a kind gives the message its own.
#[derive(Default)]
struct Draft {
    kind: Option<MessageKind>,
    text: Option<String>,
    payload: Payload,
    media: Vec<MediaRef>,
}

impl Draft {
    fn attach(&mut self, attachment: Attachment) {
        let Attachment { kind, payload, title, url } = attachment;
        let payload = payload.unwrap_or_default();
        let link = Link {
            id: payload.ig_post_media_id.or(payload.reel_video_id),
            url: payload.url.or(url),
            title: payload.title.or(title),
        };
        if payload.sticker_id.is_some() {
            return self.file(MediaKind::Sticker, &kind, link);
        }
        match kind.as_str() {
            "image" => self.file(MediaKind::Image, &kind, link),
            "video" => self.file(MediaKind::Video, &kind, link),
            "audio" => self.file(MediaKind::Audio, &kind, link),
            "file" => self.file(MediaKind::Document, &kind, link),
            "sticker" => self.file(MediaKind::Sticker, &kind, link),
            "location" => match payload.coordinates {
                Some(place) => self.place(place, link),
                None => self.cannot_show("location", None),
            },
            "story_mention" => {
                // Meta's rules forbid keeping it longer than the story lives.
                self.kind.get_or_insert(MessageKind::StoryMention);
                self.payload.story = Some(link);
            }
            "like_heart" => {
                self.text.get_or_insert_with(|| "❤️".to_owned());
            }
            "share" | "post" | "ig_post" | "reel" | "ig_reel" | "fallback" | "template" => {
                self.share(&kind, link)
            }
            other => self.cannot_show(other, None),
        }
    }

    fn file(&mut self, kind: MediaKind, word: &str, link: Link) {
        let Some(url) = link.url else { return self.cannot_show(word, None) };
        self.kind.get_or_insert(kind.message_kind());
        self.media.push(MediaRef {
            kind,
            remote_id: None,
            file_name: (kind == MediaKind::Document).then(|| name_in(&url)).flatten(),
            url: Some(url),
            mime_type: None,
            sha256: None,
        });
    }

    fn place(&mut self, place: messaging::Coordinates, link: Link) {
        self.kind.get_or_insert(MessageKind::Location);
        if self.text.is_none() {
            self.text.clone_from(&link.title);
        }
        self.payload.location = Some(Location {
            latitude: place.lat,
            longitude: place.long,
            name: link.title,
            address: None,
            url: link.url,
        });
    }

    /// A post, a reel, or a link preview. A preview beside a text leaves it a text.
    fn share(&mut self, word: &str, link: Link) {
        if link == Link::default() {
            return self.cannot_show(word, None);
        }
        if self.text.is_none() || !matches!(word, "fallback" | "template") {
            self.kind.get_or_insert(MessageKind::Share);
        }
        if self.text.is_none() {
            self.text =
                link.title.clone().or_else(|| (word == "fallback").then(|| link.url.clone()).flatten());
        }
        self.payload.share = Some(link);
    }

    fn cannot_show(&mut self, word: &str, reason: Option<String>) {
        let reason = reason.or_else(|| Some("Meta passes on no content for it.".to_owned()));
        self.payload.unsupported.get_or_insert(Unsupported { kind: short(word).to_owned(), reason });
    }

    fn finish(mut self) -> Content {
        let kind = match (self.kind, &self.text, &self.payload.unsupported) {
            (Some(kind), _, _) => kind,
            (None, Some(_), _) => MessageKind::Text,
            (None, None, Some(_)) => MessageKind::Unsupported,
            (None, None, None) => {
                self.cannot_show("message", None);
                MessageKind::Unsupported
            }
        };
        Content { kind, text: self.text, payload: self.payload, media: self.media }
    }
}

/// The name of a file as its address ends, when that is plainly one.
fn name_in(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (name.len() <= 128 && name.contains('.') && name.bytes().all(plain)).then(|| name.to_owned())
}
