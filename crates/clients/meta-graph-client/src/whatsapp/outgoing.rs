//! What we send on WhatsApp, exactly as Meta wants it written.

use serde::{Deserialize, Serialize};

use super::template::Template;
pub use crate::webhook::whatsapp::{
    ContactCard, ContactEmail, ContactName, ContactOrganisation, ContactPhone, Location,
};

/// To whom: a phone number goes in `to`, a business-scoped user id in `recipient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Digits with country code.
    Phone(String),
    /// As `ID.13491208655302741918`.
    UserId(String),
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingMessage {
    /// To whom.
    pub recipient: Recipient,
    /// What it says.
    pub content: Content,
    /// The `wamid` it answers.
    pub reply_to: Option<String>,
    /// Our own reference, at most 512 characters; comes back in every status.
    pub reference: Option<String>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// 1 to 4096 characters.
    Text(Text),
    /// jpeg or png, at most 5 MB.
    Image(Media),
    /// mp4 or 3gp, at most 16 MB.
    Video(Media),
    /// aac, amr, mp3, m4a or ogg-opus, at most 16 MB. No caption.
    Audio(Media),
    /// At most 100 MB.
    Document(Media),
    /// webp. No caption.
    Sticker(Media),
    /// A place.
    Location(Location),
    /// Contact cards; each name needs one part beside `formatted_name`.
    Contacts(Vec<ContactCard>),
    /// An approved template: the only thing that goes through outside the reply window.
    Template(Template),
    /// Buttons, a list, a link.
    Interactive(Interactive),
    /// A reaction to one of the customer's messages.
    Reaction(Reaction),
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// What it says.
    pub body: String,
    /// Show a preview of the first link.
    pub preview_url: bool,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaSource {
    /// Uploaded before; lives 30 days.
    Id(String),
    /// Public https; Meta fetches it.
    Link(String),
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Media {
    /// Where it is.
    #[serde(flatten)]
    pub source: MediaSource,
    /// At most 1024 characters; not for audio and stickers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Documents only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

impl Media {
    /// A file without caption and name.
    pub fn new(source: MediaSource) -> Self {
        Self { source, caption: None, filename: None }
    }
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaction {
    /// The `wamid` it is for.
    pub message_id: String,
    /// The emoji; empty takes the reaction back.
    pub emoji: String,
}

/// Something the customer can press. Made by the functions below; `action` is free so that kinds
/// without a function (flows, products) can be sent too.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interactive {
    /// `button`, `list`, `cta_url`, `location_request_message`, `flow`, `product`, `product_list`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Above the text: `{"type": "text", "text": ...}` or a picture, video, document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<serde_json::Value>,
    /// The text, at most 1024 characters; 4096 in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<InteractiveText>,
    /// Below the text, at most 60 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<InteractiveText>,
    /// What can be pressed.
    pub action: serde_json::Value,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InteractiveText {
    /// What it says.
    pub text: String,
}

/// One row of a list: id at most 200 characters, title 24, description 72.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListRow {
    /// Comes back when it is chosen.
    pub id: String,
    /// What it says.
    pub title: String,
    /// Its second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Rows under a title. At most 10 rows in all sections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListSection {
    /// Needed when there are several sections; at most 24 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The rows.
    pub rows: Vec<ListRow>,
}

impl Interactive {
    fn new(kind: &str, body: impl Into<String>, action: serde_json::Value) -> Self {
        let body = Some(InteractiveText { text: body.into() });
        Self { kind: kind.to_owned(), header: None, body, footer: None, action }
    }

    /// One to three buttons, as (id, title): id at most 256 characters, title 20.
    pub fn buttons<'a>(
        body: impl Into<String>,
        buttons: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let buttons: Vec<_> = buttons
            .into_iter()
            .map(|(id, title)| serde_json::json!({"type": "reply", "reply": {"id": id, "title": title}}))
            .collect();
        Self::new("button", body, serde_json::json!({ "buttons": buttons }))
    }

    /// A list that opens behind a button (at most 20 characters).
    pub fn list(body: impl Into<String>, button: &str, sections: &[ListSection]) -> Self {
        Self::new("list", body, serde_json::json!({ "button": button, "sections": sections }))
    }

    /// A button that opens a page.
    pub fn link(body: impl Into<String>, title: &str, url: &str) -> Self {
        let parameters = serde_json::json!({"display_text": title, "url": url});
        Self::new("cta_url", body, serde_json::json!({"name": "cta_url", "parameters": parameters}))
    }

    /// Asks the customer where they are.
    pub fn location_request(body: impl Into<String>) -> Self {
        Self::new("location_request_message", body, serde_json::json!({"name": "send_location"}))
    }
}

impl OutgoingMessage {
    /// A message that answers nothing in particular.
    pub fn new(recipient: Recipient, content: Content) -> Self {
        Self { recipient, content, reply_to: None, reference: None }
    }

    /// A text without link preview.
    pub fn text(recipient: Recipient, body: impl Into<String>) -> Self {
        Self::new(recipient, Content::Text(Text { body: body.into(), preview_url: false }))
    }

    /// The body of the call.
    pub(crate) fn request(&self) -> impl Serialize + '_ {
        let (to, recipient) = match &self.recipient {
            Recipient::Phone(phone) => (Some(phone.as_str()), None),
            Recipient::UserId(id) => (None, Some(id.as_str())),
        };
        SendRequest {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to,
            recipient,
            kind: self.content.kind(),
            content: &self.content,
            context: self.reply_to.as_deref().map(|message_id| ReplyContext { message_id }),
            biz_opaque_callback_data: self.reference.as_deref(),
        }
    }
}

impl Content {
    /// The `type` Meta calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Audio(_) => "audio",
            Self::Document(_) => "document",
            Self::Sticker(_) => "sticker",
            Self::Location(_) => "location",
            Self::Contacts(_) => "contacts",
            Self::Template(_) => "template",
            Self::Interactive(_) => "interactive",
            Self::Reaction(_) => "reaction",
        }
    }
}

#[derive(Serialize)]
struct SendRequest<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    content: &'a Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ReplyContext<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'a str>,
}

#[derive(Serialize)]
struct ReplyContext<'a> {
    message_id: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whatsapp::template::{Component, Parameter};
    use serde_json::{Value, json};

    fn phone() -> Recipient {
        Recipient::Phone("6281390045512".to_owned())
    }

    fn written(content: Content) -> Value {
        let kind = content.kind();
        let mut body = serde_json::to_value(OutgoingMessage::new(phone(), content).request()).unwrap();
        assert_eq!(body["type"], kind);
        let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        let mut expected = vec!["messaging_product", "recipient_type", "to", "type", kind];
        expected.sort_unstable();
        assert_eq!(fields, expected);
        body[kind].take()
    }

    #[test]
    fn the_envelope_holds_receiver_reply_and_reference() {
        let mut message = OutgoingMessage::text(phone(), "hi");
        message.reply_to = Some("wamid.X".to_owned());
        message.reference = Some("msg:7".to_owned());
        assert_eq!(
            serde_json::to_value(message.request()).unwrap(),
            json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "6281390045512", "type": "text",
                "text": {"body": "hi", "preview_url": false}, "context": {"message_id": "wamid.X"}, "biz_opaque_callback_data": "msg:7"})
        );
        message.recipient = Recipient::UserId("ID.13".to_owned());
        let body = serde_json::to_value(message.request()).unwrap();
        assert_eq!((body.get("to"), &body["recipient"]), (None, &json!("ID.13")));
    }

    #[test]
    fn files_are_named_by_id_or_link() {
        let by_id = Media::new(MediaSource::Id("12".to_owned()));
        let mut by_link = Media::new(MediaSource::Link("https://example.com/a.pdf".to_owned()));
        assert_eq!(written(Content::Image(by_id.clone())), json!({"id": "12"}));
        assert_eq!(written(Content::Video(by_id.clone())), json!({"id": "12"}));
        assert_eq!(written(Content::Audio(by_id.clone())), json!({"id": "12"}));
        assert_eq!(written(Content::Sticker(by_id)), json!({"id": "12"}));
        by_link.caption = Some("c".to_owned());
        by_link.filename = Some("a.pdf".to_owned());
        assert_eq!(
            written(Content::Document(by_link)),
            json!({"link": "https://example.com/a.pdf", "caption": "c", "filename": "a.pdf"})
        );
    }

    #[test]
    fn places_cards_and_reactions() {
        let place = Location {
            latitude: -6.2,
            longitude: 106.8,
            name: None,
            address: Some("J".to_owned()),
            url: None,
        };
        assert_eq!(
            written(Content::Location(place)),
            json!({"latitude": -6.2, "longitude": 106.8, "address": "J"})
        );
        let card = ContactCard {
            name: Some(ContactName {
                formatted_name: Some("B S".to_owned()),
                first_name: Some("B".to_owned()),
                last_name: None,
            }),
            phones: vec![ContactPhone {
                phone: Some("+62".to_owned()),
                wa_id: None,
                kind: Some("CELL".to_owned()),
            }],
            ..ContactCard::default()
        };
        assert_eq!(
            written(Content::Contacts(vec![card])),
            json!([{"name": {"formatted_name": "B S", "first_name": "B"}, "phones": [{"phone": "+62", "type": "CELL"}]}])
        );
        let reaction = Reaction { message_id: "wamid.X".to_owned(), emoji: String::new() };
        assert_eq!(written(Content::Reaction(reaction)), json!({"message_id": "wamid.X", "emoji": ""}));
    }

    #[test]
    fn what_can_be_pressed() {
        assert_eq!(
            written(Content::Interactive(Interactive::buttons("Really?", [("y", "Yes")]))),
            json!({"type": "button", "body": {"text": "Really?"}, "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}})
        );
        let rows = vec![ListRow { id: "r".to_owned(), title: "Row".to_owned(), description: None }];
        assert_eq!(
            written(Content::Interactive(Interactive::list(
                "Choose",
                "Open",
                &[ListSection { title: None, rows }]
            ))),
            json!({"type": "list", "body": {"text": "Choose"}, "action": {"button": "Open", "sections": [{"rows": [{"id": "r", "title": "Row"}]}]}})
        );
        assert_eq!(
            written(Content::Interactive(Interactive::link("Look", "Open", "https://example.com"))),
            json!({"type": "cta_url", "body": {"text": "Look"}, "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com"}}})
        );
        assert_eq!(
            written(Content::Interactive(Interactive::location_request("Where?"))),
            json!({"type": "location_request_message", "body": {"text": "Where?"}, "action": {"name": "send_location"}})
        );
    }

    #[test]
    fn templates_with_header_body_and_button() {
        let template = Template::new("order_update", "id")
            .with(Component::header(vec![Parameter::Image { image: MediaSource::Id("1".to_owned()) }]))
            .with(Component::body(vec![Parameter::text("Sari"), Parameter::named_text("order", "4471")]))
            .with(Component::url_button(0, vec![Parameter::text("x")]));
        let expected = json!({"name": "order_update", "language": {"code": "id"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Sari"}, {"type": "text", "text": "4471", "parameter_name": "order"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "x"}]}]});
        assert_eq!(written(Content::Template(template.clone())), expected);
        assert_eq!(serde_json::from_value::<Template>(expected).unwrap(), template);
    }
}
