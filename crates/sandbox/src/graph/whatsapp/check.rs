//! What Meta accepts as a message of each type, and what it answers otherwise.

use serde_json::{Map, Value};

use super::super::error::GraphError;
use super::{check_interactive, check_template};
use crate::template::Template;

const TEXT_MAX: usize = 4096;
const CAPTION_MAX: usize = 1024;
const CALLBACK_DATA_MAX: usize = 512;
const MEDIA_KINDS: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

/// What a message says, for the customer's phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checked {
    /// Content type.
    pub kind: String,
    /// Text, caption or summary.
    pub text: Option<String>,
}

/// Checks the `type` and its object. The recipient is checked by the caller.
///
/// Errors: 100 for missing parameters and text length, 131008 and 131009 for fields, 131051, 132xxx for templates.
pub(super) fn check_message(
    body: &Map<String, Value>,
    templates: &[Template],
) -> Result<Checked, GraphError> {
    let kind = match body.get("type") {
        None => "text",
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(GraphError::parameter("Param type must be a string")),
    };
    if let Some(data) = body.get("biz_opaque_callback_data") {
        check_length(data.as_str(), "biz_opaque_callback_data", 1, CALLBACK_DATA_MAX)?;
    }
    if let Some(context) = body.get("context")
        && context["message_id"].as_str().is_none_or(str::is_empty)
    {
        return Err(GraphError::required("Parameter 'message_id' is mandatory for 'context'"));
    }
    let known = matches!(kind, "text" | "location" | "contacts" | "interactive" | "reaction" | "template");
    if !known && !MEDIA_KINDS.contains(&kind) {
        let types = "TEXT, IMAGE, AUDIO, VIDEO, DOCUMENT, STICKER, LOCATION, CONTACTS, TEMPLATE, INTERACTIVE, REACTION";
        return Err(GraphError::parameter(format!(
            "Param type must be one of {{{types}}} - got \"{kind}\"."
        )));
    }
    let content = body
        .get(kind)
        .filter(|content| !content.is_null())
        .ok_or_else(|| GraphError::required(format!("Parameter '{kind}' is mandatory for type '{kind}'")))?;
    let text = match kind {
        "text" => Some(check_text(content)?),
        "location" => Some(check_location(content)?),
        "contacts" => Some(check_contacts(content)?),
        "reaction" => Some(check_reaction(content)?),
        "interactive" => Some(check_interactive::check(content)?),
        "template" => Some(check_template::check(content, templates)?),
        _ => check_media(kind, content)?,
    };
    Ok(Checked { kind: kind.to_owned(), text })
}

/// A string of `min` to `max` characters; the error is WhatsApp's for text lengths.
pub(super) fn check_length(
    text: Option<&str>,
    name: &str,
    min: usize,
    max: usize,
) -> Result<String, GraphError> {
    let text = text.ok_or_else(|| GraphError::parameter(format!("Param {name} must be a string")))?;
    let count = text.chars().count();
    if count < min {
        return Err(GraphError::parameter(format!("Param {name} must be at least {min} characters long.")));
    }
    if count > max {
        return Err(GraphError::parameter(format!("Param {name} must be at most {max} characters long.")));
    }
    Ok(text.to_owned())
}

fn check_text(content: &Value) -> Result<String, GraphError> {
    if content.get("body").is_none() {
        return Err(GraphError::required("Parameter 'body' is mandatory for type 'text'"));
    }
    check_length(content["body"].as_str(), "text['body']", 1, TEXT_MAX)
}

fn check_media(kind: &str, content: &Value) -> Result<Option<String>, GraphError> {
    let id = content["id"].as_str().filter(|id| !id.is_empty());
    let link = content["link"].as_str();
    match (id, link) {
        (None, None) => {
            return Err(GraphError::parameter(format!("Param {kind} must contain either id or link")));
        }
        (Some(_), Some(_)) => {
            return Err(GraphError::parameter(format!("Param {kind} must not contain both id and link")));
        }
        (None, Some(link)) if !(link.starts_with("https://") || link.starts_with("http://")) => {
            return Err(GraphError::invalid(format!("{kind}['link'] is not a valid URI")));
        }
        _ => {}
    }
    match (kind, content.get("caption")) {
        (_, None) => {}
        ("audio" | "sticker", Some(_)) => {
            return Err(GraphError::parameter(format!("Unexpected key \"caption\" on param \"{kind}\".")));
        }
        (_, Some(caption)) => {
            return check_length(caption.as_str(), &format!("{kind}['caption']"), 0, CAPTION_MAX).map(Some);
        }
    }
    Ok(content["filename"].as_str().map(ToOwned::to_owned))
}

fn check_location(content: &Value) -> Result<String, GraphError> {
    let degrees = |name: &str, limit: f64| {
        let value = &content[name];
        if value.is_null() {
            return Err(GraphError::required(format!("Parameter '{name}' is mandatory for type 'location'")));
        }
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let within = number.filter(|degrees: &f64| degrees.abs() <= limit);
        within.ok_or_else(|| {
            GraphError::invalid(format!("location['{name}'] must be between -{limit} and {limit}"))
        })
    };
    let (latitude, longitude) = (degrees("latitude", 90.0)?, degrees("longitude", 180.0)?);
    let name = content["name"].as_str().map(ToOwned::to_owned);
    Ok(name.unwrap_or_else(|| format!("{latitude}, {longitude}")))
}

fn check_contacts(content: &Value) -> Result<String, GraphError> {
    let cards = content.as_array().filter(|cards| !cards.is_empty());
    let cards = cards.ok_or_else(|| GraphError::parameter("Param contacts must be a non-empty array"))?;
    let names = cards.iter().map(|card| {
        let name = &card["name"];
        let formatted = name["formatted_name"].as_str().filter(|text| !text.is_empty());
        let formatted = formatted.ok_or_else(|| {
            GraphError::required("Parameter 'formatted_name' is mandatory for 'contacts.name'")
        })?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if !parts.iter().any(|part| name[part].as_str().is_some_and(|text| !text.is_empty())) {
            return Err(GraphError::required(
                "At least one more name part is required besides formatted_name",
            ));
        }
        Ok(formatted.to_owned())
    });
    Ok(names.collect::<Result<Vec<_>, _>>()?.join(", "))
}

fn check_reaction(content: &Value) -> Result<String, GraphError> {
    if content["message_id"].as_str().is_none_or(str::is_empty) {
        return Err(GraphError::required("Parameter 'message_id' is mandatory for type 'reaction'"));
    }
    let emoji = content.get("emoji").map_or(Some(""), Value::as_str);
    let emoji = emoji.ok_or_else(|| GraphError::invalid("reaction['emoji'] must be a string"))?;
    if emoji.chars().any(|character| character.is_ascii_alphabetic()) || emoji.chars().count() > 12 {
        return Err(GraphError::invalid("reaction['emoji'] is not an emoji"));
    }
    Ok(emoji.to_owned())
}
