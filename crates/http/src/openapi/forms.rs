//! The set-up forms of the channels, from the registry: what `settings` holds depends on the channel.

use frontdesk_channels::contract::{Channel, Field};
use frontdesk_channels::registry::CHANNELS;
use serde_json::{Map, Value, json};

/// Parts `CreateInbox` by channel.
pub(super) fn describe(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let mut names = Vec::new();
    for channel in CHANNELS.iter().filter(|channel| !channel.info().mirrored) {
        let info = channel.info();
        let name = format!("CreateInbox_{}", info.name);
        schemas[&name] = form(*channel, &schemas["CreateInbox"]);
        names.push((info.name, format!("#/components/schemas/{name}")));
    }
    let mapping: Map<_, _> = names.iter().map(|(name, path)| ((*name).to_owned(), json!(path))).collect();
    schemas["CreateInbox"] = json!({
        "description": schemas["CreateInbox"]["description"],
        "oneOf": names.iter().map(|(_, path)| json!({ "$ref": path })).collect::<Vec<_>>(),
        "discriminator": { "propertyName": "channel", "mapping": mapping },
    });
}

fn form(channel: &dyn Channel, common: &Value) -> Value {
    let info = channel.info();
    let mut form = common.clone();
    let required: Vec<_> = info.fields.iter().filter(|f| f.required).map(|f| f.key).collect();
    let properties: Map<_, _> = info.fields.iter().map(|f| (f.key.to_owned(), field(f))).collect();
    form["description"] = json!(format!("An account of {} to connect.", info.label));
    form["properties"]["channel"] = json!({ "type": "string", "enum": [info.name] });
    form["properties"]["settings"] = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    form
}

/// What may be filled in where a value of this pattern is wanted: spaces around it are taken away, and an optional field
/// may stay empty.
fn as_filled_in(pattern: &str, required: bool) -> String {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    let optional = if required { "" } else { "?" };
    format!(r"^\s*({inner}){optional}\s*$")
}

fn field(field: &Field) -> Value {
    let mut schema = json!({ "type": "string", "title": field.label, "description": field.help });
    if let Some(pattern) = field.pattern {
        schema["pattern"] = json!(as_filled_in(pattern, field.required));
    }
    if field.required {
        schema["minLength"] = json!(1);
    }
    if field.secret {
        schema["format"] = json!("password");
    }
    schema
}
