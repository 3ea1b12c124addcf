//! What a WhatsApp message says, in our words.

use frontdesk_green_api_client::webhook::{
    Buttons, ContactCard as Card, Content as Said, ExtendedText, File, GroupInvite, Location as Place,
    Message, Poll, ServiceMark,
};
use frontdesk_model::RemoteId;
use frontdesk_model::content::{
    Choice, ContactCard, Content, Labelled, Location, MediaKind, MediaRef, Payload, Referral,
};
use frontdesk_model::message::MessageKind;

use crate::vcard;

/// A message in our words, and whether it was passed on.
pub(super) struct Read {
    pub(super) content: Content,
    pub(super) forwarded: bool,
}

/// What a message says that is no news about another one.
pub(super) fn read(message: &Message, thread: &str) -> Read {
    let forwarded = is_forwarded(&message.content);
    Read { content: content(message, thread), forwarded }
}

fn content(message: &Message, thread: &str) -> Content {
    let file = |kind, file: &File| file_of(kind, file, &message.id, thread);
    match &message.content {
        Said::Text(text) => text_of(&text.text),
        Said::ExtendedText(text) | Said::Quoted(text) => extended(text),
        Said::Image(image) => file(MediaKind::Image, image),
        Said::Video(video) => file(MediaKind::Video, video),
        Said::Document(document) => file(kind_of_document(document), document),
        Said::Audio(audio) => file(MediaKind::Voice, audio),
        Said::Sticker(sticker) => file(MediaKind::Sticker, sticker),
        Said::Location(place) => location(place),
        Said::Contact(card) => contacts(std::slice::from_ref(card)),
        Said::Contacts(cards) => contacts(&cards.contacts),
        Said::Poll(poll) => text_lines("Poll", poll.name.as_deref(), options(poll)),
        Said::PollUpdate(poll) => vote(poll, message),
        Said::Buttons(buttons) | Said::ReplyButtons(buttons) => buttons_of(buttons),
        Said::TemplateButtonPressed(pressed)
        | Said::InteractiveButtonPressed(pressed)
        | Said::ButtonPressed(pressed) => {
            let (id, title) = (pressed.selected_id.clone(), pressed.selected_display_text.clone());
            choice(MessageKind::ButtonReply, id, title)
        }
        Said::RowPicked(row) => {
            choice(MessageKind::ListReply, row.single_select_reply.clone(), row.title.clone())
        }
        Said::GroupInvite(invite) => invitation(invite),
        Said::Unreadable(_) => Content::unsupported(
            short(&message.kind),
            Some("It is not in the form that Green API describes.".to_owned()),
        ),
        // Reactions, edits and deletions are no content; they are read before.
        Said::Reaction(_) | Said::Edited(_) | Said::Deleted(_) | Said::Unknown(_) => {
            Content::unsupported(short(&message.kind), None)
        }
    }
}

/// A provider's word as far as it is shown: whoever writes it chooses its length.
pub(super) fn short(word: &str) -> &str {
    word.char_indices().nth(64).map_or(word, |(end, _)| &word[..end])
}

fn is_forwarded(said: &Said) -> bool {
    let marked = match said {
        Said::Text(text) => text.is_forwarded,
        Said::ExtendedText(text) | Said::Quoted(text) => text.is_forwarded,
        Said::Image(file)
        | Said::Video(file)
        | Said::Document(file)
        | Said::Audio(file)
        | Said::Sticker(file) => file.is_forwarded,
        Said::Location(place) => place.is_forwarded,
        Said::Contact(card) => card.is_forwarded,
        Said::Contacts(cards) => cards.is_forwarded,
        _ => None,
    };
    marked == Some(true)
}

/// Words, or what Green API puts in their place when it has none.
fn text_of(text: &str) -> Content {
    match ServiceMark::find(text) {
        Some(mark) => marked(mark, "message"),
        None => Content::text(text),
    }
}

fn marked(mark: ServiceMark, what: &str) -> Content {
    let reason = match mark {
        ServiceMark::AskToSendAgain => {
            "WhatsApp could not pass on the first message of this chat; ask the customer to send it again."
        }
        ServiceMark::FileTooLarge => "The file is larger than 100 MB, which Green API does not pass on.",
        ServiceMark::NotDecrypted => {
            "WhatsApp could not decrypt this message; ask the customer to send it again."
        }
    };
    Content::unsupported(what, Some(reason.to_owned()))
}

fn extended(said: &ExtendedText) -> Content {
    let Some(text) = said.text.as_deref() else {
        return Content::unsupported("text", Some("Green API passes on no words.".to_owned()));
    };
    let mut content = text_of(text);
    let from_advert = said.source_url.is_some() || said.source_id.is_some();
    content.payload.referral = from_advert.then(|| Referral {
        source: said.source_type.clone(),
        source_id: said.source_id.clone(),
        headline: filled(said.title.as_deref()),
        body: filled(said.description.as_deref()),
        url: said.source_url.clone(),
        reference: None,
    });
    content
}

fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Music is sent as a file; it is played all the same.
fn kind_of_document(file: &File) -> MediaKind {
    match file.mime_type.as_deref() {
        Some(mime) if mime.starts_with("audio/") => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}

/// A file by its address, which lives for days, and by its message, by which Green API makes a new one.
fn file_of(kind: MediaKind, file: &File, message_id: &str, thread: &str) -> Content {
    let text = filled(file.caption.as_deref());
    let url = file.download_url.as_deref().unwrap_or_default();
    if let Some(mark) = ServiceMark::find(url) {
        return Content { text, ..marked(mark, kind.as_str()) };
    }
    let media = MediaRef {
        kind,
        remote_id: Some(RemoteId::within(message_id, thread).0),
        url: filled(Some(url)),
        mime_type: filled(file.mime_type.as_deref()),
        file_name: filled(file.file_name.as_deref()),
        sha256: None,
    };
    Content { kind: kind.message_kind(), text, payload: Payload::default(), media: vec![media] }
}

fn location(place: &Place) -> Content {
    let (Some(latitude), Some(longitude)) = (place.latitude, place.longitude) else {
        return Content::unsupported("location", Some("Green API passes on no place.".to_owned()));
    };
    let (name, address) = (filled(place.name_location.as_deref()), filled(place.address.as_deref()));
    let text = name.clone().or_else(|| address.clone());
    let location = Some(Location { latitude, longitude, name, address, url: None });
    Content::of(MessageKind::Location, text, Payload { location, ..Payload::default() })
}

fn contacts(cards: &[Card]) -> Content {
    let contacts: Vec<ContactCard> = cards.iter().map(card).collect();
    if contacts.is_empty() {
        return Content::unsupported("contacts", Some("Green API passes on no card.".to_owned()));
    }
    let names: Vec<&str> = contacts.iter().map(|c| c.name.as_str()).filter(|n| !n.is_empty()).collect();
    let text = (!names.is_empty()).then(|| names.join(", "));
    Content::of(MessageKind::Contacts, text, Payload { contacts, ..Payload::default() })
}

fn card(card: &Card) -> ContactCard {
    let vcard = card.vcard.as_deref().unwrap_or_default();
    let labelled = |value| Labelled { value, label: None };
    let phones: Vec<Labelled> = vcard::values(vcard, "TEL").map(labelled).collect();
    let organization =
        vcard::values(vcard, "ORG").next().map(|company| company.trim_end_matches(';').to_owned());
    let name = filled(card.display_name.as_deref())
        .or_else(|| vcard::values(vcard, "FN").next())
        .or_else(|| phones.first().map(|phone| phone.value.clone()))
        .unwrap_or_default();
    ContactCard {
        name,
        phones,
        emails: vcard::values(vcard, "EMAIL").map(labelled).collect(),
        organization: organization.filter(|company| !company.is_empty()),
    }
}

fn choice(kind: MessageKind, id: Option<String>, title: Option<String>) -> Content {
    let title = title.or_else(|| id.clone()).unwrap_or_default();
    let reply = Some(Choice { id, title: title.clone(), description: None });
    Content::of(kind, filled(Some(&title)), Payload { reply, ..Payload::default() })
}

fn options(poll: &Poll) -> impl Iterator<Item = &str> {
    poll.options.iter().filter_map(|option| option.option_name.as_deref())
}

/// What one voter chooses now. Each change of mind is a line of its own.
fn vote(poll: &Poll, message: &Message) -> Content {
    let voter = message.sender.sender.as_deref().unwrap_or_default();
    let theirs = |voters: &[String]| voters.iter().any(|v| v == voter);
    let anyones: Vec<&str> = voted(poll, |voters| !voters.is_empty());
    let chosen = Some(voted(poll, theirs)).filter(|chosen| !chosen.is_empty()).unwrap_or(anyones);
    let title = if chosen.is_empty() { "(vote taken back)".to_owned() } else { chosen.join(", ") };
    choice(MessageKind::ListReply, None, Some(title))
}

fn voted(poll: &Poll, wanted: impl Fn(&[String]) -> bool) -> Vec<&str> {
    let votes = poll.votes.iter().filter(|vote| wanted(&vote.option_voters));
    votes.filter_map(|vote| vote.option_name.as_deref()).collect()
}

fn buttons_of(buttons: &Buttons) -> Content {
    let texts = [&buttons.title_text, &buttons.content_text, &buttons.footer_text];
    let above: Vec<&str> =
        texts.into_iter().flatten().map(String::as_str).filter(|t| !t.is_empty()).collect();
    let labels = buttons.buttons.iter().filter_map(|button| button.button_text.as_deref());
    lines(Some(&above.join("\n")), labels)
}

fn invitation(invite: &GroupInvite) -> Content {
    text_lines("Invitation to a group", invite.group_name.as_deref(), invite.caption.as_deref())
}

fn text_lines<'t>(what: &str, about: Option<&str>, more: impl IntoIterator<Item = &'t str>) -> Content {
    let head = match about {
        Some(about) => format!("{what}: {about}"),
        None => what.to_owned(),
    };
    lines(Some(&head), more)
}

/// A text with lines below it, for kinds that can be read but not answered here.
fn lines<'t>(head: Option<&str>, below: impl IntoIterator<Item = &'t str>) -> Content {
    let mut text = head.unwrap_or_default().to_owned();
    for line in below.into_iter().filter(|line| !line.is_empty()) {
        text.push_str("\n• ");
        text.push_str(line);
    }
    Content::text(text)
}
