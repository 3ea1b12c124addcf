//! What a message says: one variant per `typeMessage`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{self, Parts};

/// What a message says. New kinds arrive as [`Content::Unknown`], never as an error.
#[derive(Debug, Clone)]
pub enum Content {
    /// `textMessage`
    Text(Text),
    /// `extendedTextMessage`: a text with a link preview, or from an advertisement.
    ExtendedText(ExtendedText),
    /// `quotedMessage`: a text that answers another message.
    Quoted(ExtendedText),
    /// `imageMessage`
    Image(File),
    /// `videoMessage`
    Video(File),
    /// `documentMessage`; audio sent as a file too.
    Document(File),
    /// `audioMessage`: a voice note.
    Audio(File),
    /// `stickerMessage`
    Sticker(File),
    /// `locationMessage`
    Location(Location),
    /// `contactMessage`
    Contact(ContactCard),
    /// `contactsArrayMessage`
    Contacts(Contacts),
    /// `pollMessage`
    Poll(Poll),
    /// `pollUpdateMessage`: what ONE voter now thinks; add up over many.
    PollUpdate(Poll),
    /// `reactionMessage`: the emoji in the text, the message in [`super::Message::quoted`]. Empty: taken back.
    Reaction(ExtendedText),
    /// `interactiveButtons`
    Buttons(Buttons),
    /// `interactiveButtonsReply`: buttons that answer with a message.
    ReplyButtons(Buttons),
    /// `templateButtonsReplyMessage`: a button of a template was pressed.
    TemplateButtonPressed(ButtonPressed),
    /// `interactiveButtonsResponse`: a button was pressed.
    InteractiveButtonPressed(ButtonPressed),
    /// `buttonsResponseMessage`: a button of the old kind was pressed.
    ButtonPressed(ButtonPressed),
    /// `listResponseMessage`: a row of a list was picked.
    RowPicked(RowPicked),
    /// `groupInviteMessage`
    GroupInvite(GroupInvite),
    /// `editedMessage`: the message named in `stanza_id` now says this.
    Edited(Edited),
    /// `deletedMessage`: the message named in `stanza_id` is gone.
    Deleted(Deleted),
    /// A kind without a variant, among them the withdrawn `buttonsMessage`, `listMessage` and `templateMessage`.
    Unknown(Box<RawValue>),
    /// A kind with a variant, in a shape that is not its own.
    Unreadable(Box<RawValue>),
}

/// A plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// What it says. Markers of the service: see [`ServiceMark`].
    pub text: String,
    /// Came from a template.
    pub is_template: Option<bool>,
    /// Passed on by the sender.
    pub is_forwarded: Option<bool>,
    /// How often it was passed on.
    pub forwarding_score: Option<i64>,
}

/// A text with more to it: a link's preview, an advertisement, an answered message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExtendedText {
    /// What it says.
    #[serde(deserialize_with = "lenient::scalar")]
    pub text: Option<String>,
    /// Description of the linked page.
    #[serde(deserialize_with = "lenient::scalar")]
    pub description: Option<String>,
    /// Title of the linked page.
    #[serde(deserialize_with = "lenient::scalar")]
    pub title: Option<String>,
    /// `None` or `Video`, in Green API's own words.
    #[serde(deserialize_with = "lenient::scalar")]
    pub preview_type: Option<String>,
    /// Preview picture, base64.
    #[serde(deserialize_with = "lenient::scalar")]
    pub jpeg_thumbnail: Option<String>,
    /// The message it answers.
    #[serde(deserialize_with = "lenient::scalar")]
    pub stanza_id: Option<String>,
    /// Who wrote the message it answers.
    #[serde(deserialize_with = "lenient::scalar")]
    pub participant: Option<String>,
    /// Advertisement: where it leads.
    #[serde(deserialize_with = "lenient::scalar")]
    pub source_url: Option<String>,
    /// Advertisement: its id.
    #[serde(deserialize_with = "lenient::scalar")]
    pub source_id: Option<String>,
    /// Advertisement: its kind.
    #[serde(deserialize_with = "lenient::scalar")]
    pub source_type: Option<String>,
    /// Advertisement: picture or video.
    #[serde(deserialize_with = "lenient::scalar")]
    pub media_type: Option<String>,
    /// Advertisement: its picture.
    #[serde(deserialize_with = "lenient::scalar")]
    pub thumbnail_url: Option<String>,
    /// Advertisement: shown as such.
    #[serde(deserialize_with = "lenient::scalar")]
    pub show_ad_attribution: Option<bool>,
    /// Advertisement: the business answers by itself.
    #[serde(deserialize_with = "lenient::scalar")]
    pub contains_auto_reply: Option<bool>,
    /// Passed on by the sender.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_forwarded: Option<bool>,
    /// How often it was passed on.
    #[serde(deserialize_with = "lenient::scalar")]
    pub forwarding_score: Option<i64>,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct File {
    /// Where it is, for some days. Not to be trusted: fetch it under rules for foreign addresses. Markers of the
    /// service: see [`ServiceMark`].
    #[serde(deserialize_with = "lenient::scalar")]
    pub download_url: Option<String>,
    /// Its caption.
    #[serde(deserialize_with = "lenient::scalar")]
    pub caption: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "lenient::scalar")]
    pub file_name: Option<String>,
    /// Preview picture, base64.
    #[serde(deserialize_with = "lenient::scalar")]
    pub jpeg_thumbnail: Option<String>,
    /// As `image/jpeg`.
    #[serde(deserialize_with = "lenient::scalar")]
    pub mime_type: Option<String>,
    /// Stickers: moves.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_animated: Option<bool>,
    /// Videos: a round video message.
    #[serde(deserialize_with = "lenient::scalar")]
    pub video_note: Option<bool>,
    /// Passed on by the sender.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_forwarded: Option<bool>,
    /// How often it was passed on.
    #[serde(deserialize_with = "lenient::scalar")]
    pub forwarding_score: Option<i64>,
}

/// A place.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Location {
    /// Its name.
    #[serde(deserialize_with = "lenient::scalar")]
    pub name_location: Option<String>,
    /// Its address.
    #[serde(deserialize_with = "lenient::scalar")]
    pub address: Option<String>,
    /// Degrees north.
    #[serde(deserialize_with = "lenient::scalar")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(deserialize_with = "lenient::scalar")]
    pub longitude: Option<f64>,
    /// Preview picture, base64.
    #[serde(deserialize_with = "lenient::scalar")]
    pub jpeg_thumbnail: Option<String>,
    /// Passed on by the sender.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_forwarded: Option<bool>,
    /// How often it was passed on.
    #[serde(deserialize_with = "lenient::scalar")]
    pub forwarding_score: Option<i64>,
}

/// A contact card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContactCard {
    /// The name on it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub display_name: Option<String>,
    /// The card, as vCard 3.0. `waid=` in a `TEL` line is the WhatsApp number.
    #[serde(deserialize_with = "lenient::scalar")]
    pub vcard: Option<String>,
    /// Passed on by the sender.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_forwarded: Option<bool>,
    /// How often it was passed on.
    #[serde(deserialize_with = "lenient::scalar")]
    pub forwarding_score: Option<i64>,
}

/// Several contact cards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Contacts {
    /// The cards.
    #[serde(deserialize_with = "lenient::list")]
    pub contacts: Vec<ContactCard>,
    /// Passed on by the sender.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_forwarded: Option<bool>,
    /// How often it was passed on.
    #[serde(deserialize_with = "lenient::scalar")]
    pub forwarding_score: Option<i64>,
}

/// A poll, or how somebody voted in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Poll {
    /// What is asked.
    #[serde(deserialize_with = "lenient::scalar")]
    pub name: Option<String>,
    /// What can be chosen.
    #[serde(deserialize_with = "lenient::list")]
    pub options: Vec<PollOption>,
    /// More than one may be chosen.
    #[serde(deserialize_with = "lenient::scalar")]
    pub multiple_answers: Option<bool>,
    /// The poll that this is a vote in.
    #[serde(deserialize_with = "lenient::scalar")]
    pub stanza_id: Option<String>,
    /// The votes.
    #[serde(deserialize_with = "lenient::list")]
    pub votes: Vec<PollVote>,
}

/// Something that can be chosen in a poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollOption {
    /// What it says.
    #[serde(deserialize_with = "lenient::scalar")]
    pub option_name: Option<String>,
}

/// Who chose what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollVote {
    /// What was chosen.
    #[serde(deserialize_with = "lenient::scalar")]
    pub option_name: Option<String>,
    /// Who chose it.
    #[serde(deserialize_with = "voters")]
    pub option_voters: Vec<String>,
}

/// Buttons under a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Buttons {
    /// Above the text.
    #[serde(alias = "header", deserialize_with = "lenient::scalar")]
    pub title_text: Option<String>,
    /// The text.
    #[serde(alias = "body", deserialize_with = "lenient::scalar")]
    pub content_text: Option<String>,
    /// Below the text.
    #[serde(alias = "footer", deserialize_with = "lenient::scalar")]
    pub footer_text: Option<String>,
    /// The buttons.
    #[serde(deserialize_with = "lenient::list")]
    pub buttons: Vec<Button>,
}

/// A button.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Button {
    /// `copy`, `call`, `url` or `reply`.
    #[serde(rename = "type", deserialize_with = "lenient::scalar")]
    pub kind: Option<String>,
    /// Its id.
    #[serde(deserialize_with = "lenient::scalar")]
    pub button_id: Option<String>,
    /// What it says.
    #[serde(deserialize_with = "lenient::scalar")]
    pub button_text: Option<String>,
    /// What is copied.
    #[serde(deserialize_with = "lenient::scalar")]
    pub copy_code: Option<String>,
    /// Who is called.
    #[serde(deserialize_with = "lenient::scalar")]
    pub phone_number: Option<String>,
    /// What is opened.
    #[serde(deserialize_with = "lenient::scalar")]
    pub url: Option<String>,
}

/// A button was pressed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ButtonPressed {
    /// The message with the buttons.
    #[serde(deserialize_with = "lenient::scalar")]
    pub stanza_id: Option<String>,
    /// Which button, from 0.
    #[serde(deserialize_with = "lenient::scalar")]
    pub selected_index: Option<i64>,
    /// Its id.
    #[serde(alias = "selectedButtonId", deserialize_with = "lenient::scalar")]
    pub selected_id: Option<String>,
    /// What it says.
    #[serde(alias = "selectedButtonText", deserialize_with = "lenient::scalar")]
    pub selected_display_text: Option<String>,
}

/// A row of a list was picked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RowPicked {
    /// The message with the list.
    #[serde(deserialize_with = "lenient::scalar")]
    pub stanza_id: Option<String>,
    /// What the row says.
    #[serde(deserialize_with = "lenient::scalar")]
    pub title: Option<String>,
    /// Kind of list.
    #[serde(deserialize_with = "lenient::scalar")]
    pub list_type: Option<i64>,
    /// The row's id.
    #[serde(deserialize_with = "lenient::scalar")]
    pub single_select_reply: Option<String>,
}

/// An invitation to a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupInvite {
    /// The group.
    #[serde(deserialize_with = "lenient::scalar")]
    pub group_jid: Option<String>,
    /// The code that lets in.
    #[serde(deserialize_with = "lenient::scalar")]
    pub invite_code: Option<String>,
    /// Until when, in seconds since 1970.
    #[serde(deserialize_with = "seconds")]
    pub invite_expiration: Option<i64>,
    /// The group's name.
    #[serde(deserialize_with = "lenient::scalar")]
    pub group_name: Option<String>,
    /// What the sender wrote to it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub caption: Option<String>,
    /// The group's picture, base64.
    #[serde(deserialize_with = "lenient::scalar")]
    pub jpeg_thumbnail: Option<String>,
}

/// A message was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Edited {
    /// Which one.
    #[serde(deserialize_with = "lenient::scalar")]
    pub stanza_id: Option<String>,
    /// The new text.
    #[serde(deserialize_with = "lenient::scalar")]
    pub text_message: Option<String>,
    /// Files: the new caption.
    #[serde(deserialize_with = "lenient::scalar")]
    pub caption: Option<String>,
}

/// A message was deleted for everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deleted {
    /// Which one.
    #[serde(deserialize_with = "lenient::scalar")]
    pub stanza_id: Option<String>,
    /// What it was.
    #[serde(deserialize_with = "lenient::scalar")]
    pub type_message: Option<String>,
}

/// Green API's marks in place of a content that it could not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceMark {
    /// `{{SWE001}}`: the first message of a new chat could not be read; the sender should send it again.
    AskToSendAgain,
    /// `{{SWE002}}`: the file is larger than 100 MB.
    FileTooLarge,
    /// `{{SWE003}}`: the message could not be decrypted.
    NotDecrypted,
}

impl ServiceMark {
    /// The mark that stands where a text or an address should be.
    pub fn find(text: &str) -> Option<Self> {
        match text.trim() {
            "{{SWE001}}" => Some(Self::AskToSendAgain),
            "{{SWE002}}" => Some(Self::FileTooLarge),
            "{{SWE003}}" => Some(Self::NotDecrypted),
            _ => None,
        }
    }
}

impl Content {
    /// Reads a `messageData`, or a message of the journals, where the same parts lie flat beside each other.
    pub(crate) fn read(kind: &str, whole: &RawValue, parts: &Parts<'_>) -> Self {
        Self::find(kind, parts).unwrap_or_else(|| {
            if is_known(kind) { Self::Unreadable(whole.to_owned()) } else { Self::Unknown(whole.to_owned()) }
        })
    }

    fn find(kind: &str, parts: &Parts<'_>) -> Option<Self> {
        // The journals name some parts differently, and spread files over the message itself.
        let extended = || parts.part("extendedTextMessageData").or_else(|| parts.part("extendedTextMessage"));
        let file = || parts.part("fileMessageData").or_else(|| flat_file(parts));
        let pressed = |name: &str| parts.part(name);
        let poll = || parts.part("pollMessageData");
        Some(match kind {
            "textMessage" => Self::Text(text(parts)?),
            "extendedTextMessage" => Self::ExtendedText(extended()?),
            "quotedMessage" => Self::Quoted(extended()?),
            "reactionMessage" => Self::Reaction(extended()?),
            "imageMessage" => Self::Image(file()?),
            "videoMessage" => Self::Video(file()?),
            "documentMessage" => Self::Document(file()?),
            "audioMessage" => Self::Audio(file()?),
            "stickerMessage" => Self::Sticker(file()?),
            "locationMessage" => {
                Self::Location(parts.part("locationMessageData").or_else(|| parts.part("location"))?)
            }
            "contactMessage" => {
                Self::Contact(parts.part("contactMessageData").or_else(|| parts.part("contact"))?)
            }
            "contactsArrayMessage" => Self::Contacts(contacts(parts)?),
            "pollMessage" => Self::Poll(poll()?),
            "pollUpdateMessage" => Self::PollUpdate(poll()?),
            "interactiveButtons" => Self::Buttons(parts.part("interactiveButtons")?),
            "interactiveButtonsReply" => Self::ReplyButtons(parts.part("interactiveButtonsReply")?),
            "templateButtonsReplyMessage" => Self::TemplateButtonPressed(
                pressed("templateButtonReplyMessage").or_else(|| pressed("templateButtonsReplyMessage"))?,
            ),
            "interactiveButtonsResponse" => {
                Self::InteractiveButtonPressed(pressed("interactiveButtonsResponse")?)
            }
            "buttonsResponseMessage" => Self::ButtonPressed(pressed("buttonsResponseMessage")?),
            "listResponseMessage" => Self::RowPicked(parts.part("listResponseMessage")?),
            "groupInviteMessage" => Self::GroupInvite(parts.part("groupInviteMessageData")?),
            "editedMessage" => Self::Edited(parts.part("editedMessageData").or_else(|| flat_edit(parts))?),
            "deletedMessage" => {
                Self::Deleted(parts.part("deletedMessageData").or_else(|| flat_deletion(parts))?)
            }
            _ => return None,
        })
    }
}

/// Every `typeMessage` with a variant of its own.
pub const KINDS: [&str; 23] = [
    "textMessage",
    "extendedTextMessage",
    "quotedMessage",
    "imageMessage",
    "videoMessage",
    "documentMessage",
    "audioMessage",
    "stickerMessage",
    "locationMessage",
    "contactMessage",
    "contactsArrayMessage",
    "pollMessage",
    "pollUpdateMessage",
    "reactionMessage",
    "interactiveButtons",
    "interactiveButtonsReply",
    "templateButtonsReplyMessage",
    "interactiveButtonsResponse",
    "buttonsResponseMessage",
    "listResponseMessage",
    "groupInviteMessage",
    "editedMessage",
    "deletedMessage",
];

fn is_known(kind: &str) -> bool {
    KINDS.contains(&kind)
}

/// Nested in `textMessageData`, or a bare text in the journals and in quoted messages.
fn text(parts: &Parts<'_>) -> Option<Text> {
    let nested = parts.parts("textMessageData");
    let of = nested.as_ref().unwrap_or(parts);
    Some(Text {
        text: of.scalar("textMessage")?,
        is_template: of.scalar("isTemplateMessage"),
        is_forwarded: of.scalar("isForwarded"),
        forwarding_score: of.scalar("forwardingScore"),
    })
}

fn flat_file(parts: &Parts<'_>) -> Option<File> {
    Some(File {
        download_url: Some(parts.scalar("downloadUrl")?),
        caption: parts.scalar("caption"),
        file_name: parts.scalar("fileName"),
        jpeg_thumbnail: parts.scalar("jpegThumbnail"),
        mime_type: parts.scalar("mimeType"),
        is_animated: parts.scalar("isAnimated"),
        video_note: parts.scalar("videoNote"),
        is_forwarded: parts.scalar("isForwarded"),
        forwarding_score: parts.scalar("forwardingScore"),
    })
}

/// `messageData` lies in `messageData` here; the journals have the list itself.
fn contacts(parts: &Parts<'_>) -> Option<Contacts> {
    parts.part("messageData").or_else(|| parts.raw("contacts").and_then(|_| parts.whole()))
}

fn flat_edit(parts: &Parts<'_>) -> Option<Edited> {
    let stanza_id = Some(parts.text("editedMessageId").or_else(|| parts.text("stanzaId"))?);
    Some(Edited { stanza_id, text_message: parts.scalar("textMessage"), caption: parts.scalar("caption") })
}

fn flat_deletion(parts: &Parts<'_>) -> Option<Deleted> {
    let stanza_id = Some(parts.text("deletedMessageId").or_else(|| parts.text("stanzaId"))?);
    Some(Deleted { stanza_id, type_message: None })
}

/// Voters are chat ids, or objects with a `wid`.
fn voters<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Voter {
        Id(String),
        Object { wid: String },
    }
    let voters: Vec<Voter> = lenient::list(deserializer)?;
    let id = |voter| match voter {
        Voter::Id(id) | Voter::Object { wid: id } => id,
    };
    Ok(voters.into_iter().map(id).collect())
}

/// A number, a string of digits, or the two halves of a 64-bit number.
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let halves = || {
        let parts = Parts::of(raw.get()).ok()?;
        let (low, high): (i64, i64) = (parts.scalar("low")?, parts.scalar("high").unwrap_or(0));
        high.checked_mul(1 << 32)?.checked_add(low & 0xffff_ffff)
    };
    Ok(<i64 as lenient::Scalar>::read(raw.get()).or_else(halves))
}
