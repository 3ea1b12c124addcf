//! What a message of Messenger or Instagram says, in our words.

use frontdesk_meta_graph_client::webhook::ReadError;
use frontdesk_meta_graph_client::webhook::messaging::{self, Attachment, Element, Message};
use frontdesk_model::content::{
    Choice, Content, Link, Location, MediaKind, MediaRef, Payload, Referral, Unsupported,
};
use frontdesk_model::message::MessageKind;
use frontdesk_model::outbound::{Interactive, InteractiveChoice};

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
        let mut payload = payload.unwrap_or_default();
        if kind == "template" {
            self.template(&mut payload);
        }
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
            other if link.url.is_some() => {
                self.cannot_show(
                    other,
                    Some("Frontdesk does not know this kind; the link leads to it.".to_owned()),
                );
                self.payload.share = Some(link);
            }
            other => self.cannot_show(other, None),
        }
    }

    /// Cards and buttons. Their words become the text, their buttons the choices; the first card lends its picture and its
    /// title to the link, unless the attachment has its own.
    fn template(&mut self, payload: &mut messaging::Payload) {
        let products = payload.product.take().unwrap_or_default().elements;
        let cards: Vec<Element> = payload.elements.drain(..).chain(products).collect();
        let heading = payload.text.take();
        let lines: Vec<String> = heading.iter().cloned().chain(cards.iter().filter_map(line_of)).collect();
        let said = self.text.is_some();
        if !said && !lines.is_empty() {
            self.text = Some(lines.join("\n"));
        }
        let buttons: Vec<InteractiveChoice> = payload
            .buttons
            .iter()
            .chain(cards.iter().flat_map(|card| &card.buttons))
            .filter_map(|b| {
                Some(InteractiveChoice {
                    id: b.payload.clone().unwrap_or_default(),
                    title: b.title.clone()?,
                    description: None,
                })
            })
            .collect();
        if !buttons.is_empty() {
            let body = self.text.clone().unwrap_or_default();
            let interactive =
                Interactive { body, header: None, footer: None, buttons, list_label: None, rows: Vec::new() };
            self.payload.interactive = serde_json::to_value(interactive).ok();
            self.kind.get_or_insert(MessageKind::Interactive);
        }
        if let Some(card) = cards.into_iter().next() {
            if !said {
                self.kind.get_or_insert(MessageKind::Share);
            }
            payload.title = payload.title.take().or(card.title);
            payload.url = payload.url.take().or(card.url).or(card.image_url);
            payload.ig_post_media_id = payload.ig_post_media_id.take().or(card.id);
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
            // A template that has nothing but words and buttons.
            let shown = word == "template" && (self.text.is_some() || self.payload.interactive.is_some());
            if !shown {
                self.cannot_show(word, None);
            }
            return;
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

/// A card in one line.
fn line_of(card: &Element) -> Option<String> {
    match (card.title.as_deref(), card.subtitle.as_deref()) {
        (Some(title), Some(subtitle)) => Some(format!("{title} · {subtitle}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// The name of a file as its address ends, when that is plainly one.
fn name_in(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (name.len() <= 128 && name.contains('.') && name.bytes().all(plain)).then(|| name.to_owned())
}
