//! Sending: checked, queued, answered with an id; then the queue does the rest.

use serde_json::{Value, json};

use super::call::Call;
use super::events::{chat_of, file_data, flattened};
use super::files::keep_upload;
use super::instance::{InstanceState, Waiting};
use super::queue::{self, NO_ACCOUNT, NOT_IN_GROUP};
use super::refusal::Refusal;
use super::{SENDS_PER_SECOND, events, file_url};
use crate::channel::Channel;
use crate::chat::{Author, ChatEntry, ChatMedia};
use crate::customer::NewCustomer;
use crate::inbox::Inbox;
use crate::media::StoredMedia;
use crate::phone_number::{digits, folded};
use crate::sandbox::Sandbox;

/// Longest text.
const TEXT_MAX_CHARS: usize = 20_000;
/// Digits of a number in a body.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 11..=16;

/// What is sent.
struct Content {
    kind: &'static str,
    text: Option<String>,
    data: Value,
    media: Option<ChatMedia>,
    extra: Value,
}

impl Content {
    fn new(kind: &'static str, text: Option<String>, data: Value) -> Self {
        Self { kind, text, data, media: None, extra: json!({}) }
    }
}

/// Answers a send; `None`: it is none.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    if call.verb != axum::http::Method::POST {
        return None;
    }
    let content = match call.method.as_str() {
        "sendmessage" => text(call),
        "sendfilebyurl" => file_by_url(call),
        "sendfilebyupload" => file_by_upload(sandbox, inbox, call),
        "uploadfile" => return Some(upload(sandbox, inbox, call)),
        "sendlocation" => location(call),
        "sendcontact" => contact(call),
        "sendpoll" => poll(call),
        "sendinteractivebuttons" => buttons(call, true),
        "sendinteractivebuttonsreply" => buttons(call, false),
        "forwardmessages" => return Some(forward(sandbox, inbox, call)),
        "sendtyping" => return Some(typing(sandbox, inbox, call)),
        _ => return None,
    };
    Some(content.and_then(|content| {
        let mut answer = content.extra.clone();
        answer["idMessage"] = json!(send(sandbox, inbox, call, content)?);
        Ok(answer)
    }))
}

fn text(call: &Call) -> Result<Content, Refusal> {
    let message = call.required("message")?;
    if message.chars().count() > TEXT_MAX_CHARS {
        return Err(Refusal::invalid("'message' length must be less than or equal to 20000 characters long"));
    }
    let data = json!({
        "typeMessage": "extendedTextMessage",
        "extendedTextMessageData": {
            "text": message, "description": "", "title": "", "previewType": "None", "jpegThumbnail": "",
            "forwardingScore": 0, "isForwarded": false,
        },
    });
    Ok(Content::new("text", Some(message.to_owned()), data))
}

/// The ending of a name decides how a file shows.
fn kind_of(name: &str) -> (&'static str, &'static str) {
    match mime_guess::from_path(name).first_or_octet_stream().type_().as_str() {
        "image" if !name.ends_with(".svg") => ("image", "imageMessage"),
        "video" => ("video", "videoMessage"),
        "audio" => ("audio", "audioMessage"),
        _ => ("document", "documentMessage"),
    }
}

fn file_by_url(call: &Call) -> Result<Content, Refusal> {
    let (url, name) = (call.required("urlFile")?, call.required("fileName")?);
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Refusal::invalid("'urlFile' must be a valid uri"));
    }
    let mime_type = mime_guess::from_path(name).first_or_octet_stream().to_string();
    let (kind, type_message) = kind_of(name);
    let caption = call.text("caption").unwrap_or_default();
    let data = json!({"typeMessage": type_message, "fileMessageData": {
        "downloadUrl": url, "caption": caption, "fileName": name, "jpegThumbnail": "", "mimeType": mime_type,
        "forwardingScore": 0, "isForwarded": false,
    }});
    let mut content = Content::new(kind, call.text("caption").map(ToOwned::to_owned), data);
    content.media = Some(ChatMedia {
        media_id: None,
        url: url.to_owned(),
        mime_type: Some(mime_type),
        file_name: Some(name.to_owned()),
    });
    Ok(content)
}

fn file_by_upload(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Content, Refusal> {
    call.required("chatId")?;
    let media = keep_upload(sandbox, inbox, call)?;
    let name = media.file_name.clone().unwrap_or_default();
    let (kind, type_message) = kind_of(&name);
    let caption = call.text("caption");
    let data = file_data(sandbox, type_message, &media, caption);
    let mut content = Content::new(kind, caption.map(ToOwned::to_owned), data);
    content.extra = json!({"urlFile": file_url(sandbox, &media)});
    content.media = Some(shown(&media));
    Ok(content)
}

fn shown(media: &StoredMedia) -> ChatMedia {
    ChatMedia {
        media_id: Some(media.id.clone()),
        url: format!("/control/media/{}", media.id),
        mime_type: Some(media.mime_type.clone()),
        file_name: media.file_name.clone(),
    }
}

fn upload(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let media = keep_upload(sandbox, inbox, call)?;
    Ok(json!({"urlFile": file_url(sandbox, &media)}))
}

fn location(call: &Call) -> Result<Content, Refusal> {
    let number = |name: &str| {
        let value = call.body.get(name).and_then(Value::as_f64);
        value.ok_or_else(|| Refusal::invalid(&format!("'{name}' must be a number")))
    };
    call.required("chatId")?;
    let (latitude, longitude) = (number("latitude")?, number("longitude")?);
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return Err(Refusal::invalid("'latitude' or 'longitude' is out of range"));
    }
    let name = call.text("nameLocation").unwrap_or_default();
    let data = json!({"typeMessage": "locationMessage", "locationMessageData": {
        "nameLocation": name, "address": call.text("address").unwrap_or_default(), "jpegThumbnail": "",
        "latitude": latitude, "longitude": longitude, "forwardingScore": 0, "isForwarded": false,
    }});
    Ok(Content::new("location", Some(name.to_owned()), data))
}

fn contact(call: &Call) -> Result<Content, Refusal> {
    let contact = call.body.get("contact").and_then(Value::as_object);
    let contact = contact.ok_or_else(|| Refusal::invalid("'contact' is required"))?;
    let phone = contact.get("phoneContact").and_then(Value::as_u64);
    let phone = phone.ok_or_else(|| Refusal::invalid("'phoneContact' must be a number"))?;
    let part = |name: &str| contact.get(name).and_then(Value::as_str).unwrap_or_default();
    let names = [part("firstName"), part("middleName"), part("lastName")];
    let name = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { part("company").to_owned() } else { name };
    if name.is_empty() {
        return Err(Refusal::invalid("'contact' must contain at least one of firstName, lastName, company"));
    }
    let vcard = format!(
        "BEGIN:VCARD\nVERSION:3.0\nN:{};{};{};;\nFN:{name}\nORG:{};\nTEL;type=CELL;waid={phone}:+{phone}\nEND:VCARD",
        part("lastName"),
        part("firstName"),
        part("middleName"),
        part("company"),
    );
    let data = json!({"typeMessage": "contactMessage", "contactMessageData": {
        "displayName": name, "vcard": vcard, "forwardingScore": 0, "isForwarded": false,
    }});
    Ok(Content::new("contacts", Some(name), data))
}

fn poll(call: &Call) -> Result<Content, Refusal> {
    let question = call.required("message")?;
    let options = call.body.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut names: Vec<&str> = options.iter().filter_map(|option| option["optionName"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if !(2..=12).contains(&options.len()) || names.len() != options.len() {
        return Err(Refusal::invalid("'options' must contain 2 to 12 unique items"));
    }
    let data = json!({"typeMessage": "pollMessage", "pollMessageData": {
        "name": question, "options": options,
        "multipleAnswers": call.body.get("multipleAnswers").and_then(Value::as_bool).unwrap_or(false),
    }});
    Ok(Content::new("poll", Some(question.to_owned()), data))
}

fn buttons(call: &Call, typed: bool) -> Result<Content, Refusal> {
    let text = call.required("body")?;
    let buttons = call.body.get("buttons").and_then(Value::as_array).cloned().unwrap_or_default();
    let complete = |button: &Value| {
        let kind = button["type"].as_str();
        let kind_fits = !typed || matches!(kind, Some("copy" | "call" | "url"));
        let short = |text: &str| !text.is_empty() && text.chars().count() <= 25;
        kind_fits && button["buttonId"].is_string() && button["buttonText"].as_str().is_some_and(short)
    };
    if !(1..=3).contains(&buttons.len()) || !buttons.iter().all(complete) {
        return Err(Refusal::invalid("'buttons' must contain 1 to 3 items with buttonId and buttonText"));
    }
    let name = if typed { "interactiveButtons" } else { "interactiveButtonsReply" };
    let part = |name: &str| call.text(name).unwrap_or_default();
    let mut data = json!({ "typeMessage": name });
    data[name] = json!({
        "titleText": part("header"), "contentText": text, "footerText": part("footer"), "buttons": buttons,
    });
    Ok(Content::new("interactive", Some(text.to_owned()), data))
}

fn forward(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    call.required("chatIdFrom")?;
    let wanted = call.body.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
    if wanted.is_empty() {
        return Err(Refusal::invalid("'messages' must contain at least 1 item"));
    }
    let mut made = Vec::new();
    for id in wanted.iter().filter_map(Value::as_str) {
        let noted = sandbox.green(&inbox.id, |instance| instance.noted_mut(id).cloned());
        let text = noted.as_ref().and_then(|noted| noted["textMessage"].as_str()).unwrap_or(id).to_owned();
        let data = json!({"typeMessage": "textMessage",
            "textMessageData": {"textMessage": text, "forwardingScore": 1, "isForwarded": true}});
        made.push(send(sandbox, inbox, call, Content::new("text", Some(text), data))?);
    }
    Ok(json!({ "messages": made }))
}

fn typing(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    let chat = call.required("chatId")?;
    let time = call.body.get("typingTime").map_or(Some(1_000), Value::as_i64);
    let time = time.filter(|time| (1_000..=20_000).contains(time));
    let time = time.ok_or_else(|| Refusal::invalid("'typingTime' must be between 1000 and 20000"))?;
    let until = sandbox.clock().now() + time;
    let mut world = sandbox.world();
    if let Some(id) = world.find_by_phone(&digits(chat)).map(|customer| customer.id.clone()) {
        world.chat_mut(&id, &inbox.id).business_typing_until_ms = Some(until);
        drop(world);
        sandbox.changed("chat", Some(&id), Some(&inbox.id));
    }
    Ok(Value::Null)
}

/// Queues a message and returns its id.
fn send(sandbox: &Sandbox, inbox: &Inbox, call: &Call, mut content: Content) -> Result<String, Refusal> {
    let now = sandbox.clock().now();
    let state = sandbox.green(&inbox.id, |instance| instance.state);
    if state == InstanceState::Starting {
        return Err(Refusal::starting());
    }
    let chat_id = checked_chat(call.required("chatId")?)?;
    let Receiver { customer_id, chat_id, doomed } = find_receiver(sandbox, inbox, &chat_id)?;
    if !sandbox.world().take_throughput(&inbox.id, SENDS_PER_SECOND, now) {
        return Err(Refusal::too_many_requests());
    }
    if let Some(quoted) = call.text("quotedMessageId") {
        quote(sandbox, inbox, &mut content.data, quoted);
    }
    let message_id = sandbox.world().message_id(Channel::GreenApi, "", Author::Business);
    let mut entry = ChatEntry::new(message_id.clone(), Author::Business, content.kind, content.text, now);
    entry.media = content.media;
    entry.content = content.data.clone();
    entry.reply_to = call.text("quotedMessageId").map(ToOwned::to_owned);
    sandbox.world().deliver(inbox, &customer_id, entry, call.body_value());
    let mut flat = flattened("outgoing", &message_id, &chat_id, now, &content.data);
    flat["statusMessage"] = json!("");
    flat["sendByApi"] = json!(true);
    flat["_messageData"] = content.data;
    sandbox.green(&inbox.id, |instance| {
        instance.note(flat);
        instance.outgoing.push_back(Waiting {
            message_id: message_id.clone(),
            method: call.method_name(),
            body: call.body_value(),
            chat_id: chat_id.clone(),
            customer_id: customer_id.clone(),
            doomed,
            queued_at_ms: now,
            started: false,
        });
    });
    if state == InstanceState::YellowCard {
        sandbox.tell(events::status(sandbox, inbox, (&chat_id, &message_id), "yellowCard", None));
    }
    sandbox.changed("chat", Some(&customer_id), Some(&inbox.id));
    queue::run(sandbox, inbox);
    Ok(message_id)
}

/// A person's or group's chat id, well written.
pub(super) fn checked_chat(chat_id: &str) -> Result<String, Refusal> {
    let (name, host) = chat_id.split_once('@').unwrap_or((chat_id, ""));
    let all_digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    match host {
        "c.us" if all_digits && (7..=16).contains(&name.len()) => Ok(chat_id.to_owned()),
        "lid" if all_digits => Ok(chat_id.to_owned()),
        "g.us" if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => Ok(chat_id.to_owned()),
        _ => Err(Refusal::invalid(
            "'chatId' must be one of the following formats: phone_number@c.us or group_id@g.us",
        )),
    }
}

/// Digits of a number in a body.
pub(super) fn checked_phone(value: Option<&Value>) -> Result<String, Refusal> {
    let phone = value.and_then(Value::as_u64).map(|phone| phone.to_string());
    phone.filter(|phone| PHONE_DIGITS.contains(&phone.len())).ok_or_else(Refusal::bad_phone)
}

struct Receiver {
    customer_id: String,
    chat_id: String,
    doomed: Option<i64>,
}

fn find_receiver(sandbox: &Sandbox, inbox: &Inbox, chat_id: &str) -> Result<Receiver, Refusal> {
    let chat = |customer_id: &str, chat_id: String, doomed| Receiver {
        customer_id: customer_id.to_owned(),
        chat_id,
        doomed,
    };
    if chat_id.ends_with("@g.us") {
        let known = sandbox.green(&inbox.id, |instance| instance.groups.contains_key(chat_id));
        return Ok(chat(chat_id, chat_id.to_owned(), (!known).then_some(NOT_IN_GROUP)));
    }
    if let Some(allowed) = &inbox.allowed_recipients
        && !allowed.iter().any(|other| folded(other) == folded(chat_id))
    {
        let allowed: Vec<String> = allowed.iter().map(|phone| format!("{}@c.us", digits(phone))).collect();
        return Err(Refusal::chat_not_allowed(&allowed));
    }
    let mut world = sandbox.world();
    let known = match chat_id.strip_suffix("@lid") {
        Some(private) => world.customers.values().find(|customer| digits(&customer.bsuid) == private),
        None => world.find_by_phone(&digits(chat_id)),
    };
    if let Some(customer) = known {
        return Ok(chat(&customer.id, chat_of(customer), (!customer.on_whatsapp).then_some(NO_ACCOUNT)));
    }
    let phone = digits(chat_id);
    let new = NewCustomer { name: format!("+{phone}"), phone: Some(phone), ..NewCustomer::default() };
    let customer = world.add_customer(new).map_err(|_full| Refusal::of_status(500, None))?;
    let on_whatsapp = world.settings.limits.create_unknown_customers;
    if let Some(stored) = world.customers.get_mut(&customer.id) {
        stored.on_whatsapp = on_whatsapp;
    }
    Ok(chat(&customer.id, chat_id.to_owned(), (!on_whatsapp).then_some(NO_ACCOUNT)))
}

/// An answer to a message: texts become `quotedMessage`, everything else carries what it answers.
fn quote(sandbox: &Sandbox, inbox: &Inbox, data: &mut Value, quoted_id: &str) {
    let noted = sandbox.green(&inbox.id, |instance| instance.noted_mut(quoted_id).cloned());
    let by_us = noted.as_ref().is_none_or(|noted| noted["type"] == "outgoing");
    let participant = match &noted {
        Some(noted) if !by_us => noted["senderId"].clone(),
        _ => json!(events::own_chat(inbox)),
    };
    if data["typeMessage"] == "extendedTextMessage" {
        data["typeMessage"] = json!("quotedMessage");
        data["extendedTextMessageData"]["stanzaId"] = json!(quoted_id);
        data["extendedTextMessageData"]["participant"] = participant.clone();
    }
    data["quotedMessage"] = quoted(noted.as_ref(), quoted_id, &participant);
}

/// `quotedMessage` of an answer.
pub(crate) fn quoted(noted: Option<&Value>, quoted_id: &str, participant: &Value) -> Value {
    let mut quoted = json!({"stanzaId": quoted_id, "participant": participant});
    if let Some(noted) = noted {
        for name in ["typeMessage", "textMessage", "downloadUrl", "caption", "location", "contact"] {
            if let Some(value) = noted.get(name) {
                quoted[name] = value.clone();
            }
        }
    }
    quoted
}
