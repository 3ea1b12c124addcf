//! What a model without any judgement makes of what it is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Texts of the request at most that are obeyed.
const MOST: usize = 40;

/// Polite answers that use every placeholder.
pub(super) fn helpful(sent: &Value) -> Vec<String> {
    let said = sent["messages"].to_string();
    let mut marks: Vec<&str> = Vec::new();
    let mut rest = said.as_str();
    while let Some(at) = rest.find("[[") {
        let Some(end) = rest[at..].find("]]") else { break };
        let mark = &rest[at..at + end + 2];
        if mark.len() <= 8 && !marks.contains(&mark) {
            marks.push(mark);
        }
        rest = &rest[at + end + 2..];
    }
    let of =
        if marks.is_empty() { String::new() } else { format!(" We have noted {}.", marks.join(" and ")) };
    vec![
        format!("Thank you for your message, we are looking into it.{of}"),
        "We will come back to you as soon as we know more.".to_owned(),
        "Could you tell us a little more, please?".to_owned(),
    ]
}

/// Everything that anybody wrote, and everything that can be read out of it: each text of each role, what follows its last
/// colon, what is encoded in it, what is hidden in it, and the instructions themselves.
pub(super) fn drafts(sent: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for message in sent["messages"].as_array().into_iter().flatten().rev() {
        let Some(content) = message["content"].as_str() else { continue };
        for text in texts(content) {
            if let Some((_, order)) = text.rsplit_once(':') {
                found.push(order.trim().to_owned());
            }
            found.extend(decoded(&text));
            found.extend(unhidden(&text));
            found.push(text);
        }
    }
    found.retain(|text| !text.trim().is_empty());
    found.truncate(MOST);
    found
}

/// The texts in a message: every string of the JSON in it, last first; the message itself last of all.
fn texts(content: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in content.lines() {
        if let Ok(value) = serde_json::from_str::<Value>(line.trim()) {
            strings(&value, &mut found);
        }
    }
    found.reverse();
    found.push(content.to_owned());
    found
}

fn strings(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, into)),
        _ => {}
    }
}

fn decoded(text: &str) -> Vec<String> {
    text.split_whitespace()
        .filter(|word| word.len() >= 12)
        .filter_map(|word| STANDARD.decode(word.trim_matches(['"', '\'', '.', ','])).ok())
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .collect()
}

/// What is written in the invisible letters of Unicode's tags.
fn unhidden(text: &str) -> Option<String> {
    let letters: String = text
        .chars()
        .filter_map(|c| u32::from(c).checked_sub(0xE_0000).filter(|ascii| (0x20..0x7F).contains(ascii)))
        .filter_map(char::from_u32)
        .collect();
    (!letters.is_empty()).then_some(letters)
}
