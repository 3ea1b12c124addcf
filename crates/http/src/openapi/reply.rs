//! What makes a reply complete: its text, its files, or the part named as its kind.

use serde_json::{Value, json};

/// Parts `SendMessage` by kind. Every kind but text has the field of its own name.
pub(super) fn describe(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let kinds = schemas["ReplyKind"]["enum"].as_array().cloned().unwrap_or_default();
    let is_text = json!({ "enum": ["text", null] });
    let mut forms = vec![
        json!({ "title": "Text", "required": ["content"], "properties": { "type": is_text, "content": { "type": "string" } } }),
        json!({ "title": "Files", "required": ["attachments"],
            "properties": { "type": is_text, "attachments": { "type": "array", "minItems": 1 } } }),
    ];
    for kind in kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "text") {
        let part = match schemas["SendMessage"]["properties"][kind]["type"].as_str() {
            Some("array") => json!({ "type": "array", "minItems": 1 }),
            _ => json!({ "type": "object" }),
        };
        let mut properties = json!({ "type": { "enum": [kind, null] }, kind: part });
        if kind == "reaction" {
            properties["content"] = json!({ "type": "null" }); // it goes alone
            properties["attachments"] = json!({ "maxItems": 0 });
        }
        forms.push(json!({ "title": kind, "required": [kind], "properties": properties }));
    }
    schemas["SendMessage"]["anyOf"] = Value::Array(forms);
}
