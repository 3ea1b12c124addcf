//! What makes a reply complete: its text, its files, or the part named as its kind.

use serde_json::{Value, json};

/// Parts `SendMessage` by kind: it is a `Reply` in one of its forms. Every kind but text has the field of its own name.
pub(super) fn describe(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let kinds = schemas["ReplyKind"]["enum"].as_array().cloned().unwrap_or_default();
    let is_text = json!({ "enum": ["text", null] });
    let mut forms = vec![
        json!({ "title": "Text", "required": ["content"], "properties": { "type": is_text, "content": { "type": "string" } } }),
        json!({ "title": "Files", "required": ["attachments"],
            "properties": { "type": is_text, "attachments": { "type": "array", "items": { "type": "integer" }, "minItems": 1 } } }),
    ];
    for kind in kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "text") {
        let mut part = schemas["SendMessage"]["properties"][kind].clone();
        if part["type"] == "array" {
            part["minItems"] = json!(1);
        } else if let Some(given) = part.pointer("/oneOf/0") {
            part = given.clone(); // the other one is null
        }
        let properties = json!({ "type": { "enum": [kind, null] }, kind: part });
        forms.push(json!({ "title": kind, "required": [kind], "properties": properties }));
    }
    schemas["FileToSend"]["oneOf"] = json!([{ "required": ["url"] }, { "required": ["media_id"] }]);
    schemas["Reply"] = schemas["SendMessage"].take();
    schemas["SendMessage"] = json!({
        "description": schemas["Reply"]["description"],
        "examples": schemas["Reply"]["examples"],
        "allOf": [{ "$ref": "#/components/schemas/Reply" }, { "anyOf": forms }],
    });
}
