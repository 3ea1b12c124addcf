//! The templates of a business account in our words. Pure.

use frontdesk_meta_graph_client::whatsapp::account::TemplateInfo;
use frontdesk_model::template::{
    ApprovedTemplate, TemplateButton, TemplateHeader, TemplateHeaderKind, TemplateText, TemplateVariable,
};
use serde_json::Value;

const APPROVED: &str = "APPROVED";

/// The template, when it can be sent at present.
pub(super) fn approved(info: TemplateInfo) -> Option<ApprovedTemplate> {
    if info.status != APPROVED {
        return None;
    }
    let mut template = ApprovedTemplate {
        name: info.name,
        language: info.language,
        category: info.category.unwrap_or_default(),
        header: None,
        body: TemplateText::default(),
        footer: None,
        buttons: Vec::new(),
        named: info.parameter_format.as_deref() == Some("NAMED"),
        complete: true,
    };
    for component in &info.components {
        match component["type"].as_str().unwrap_or_default() {
            "HEADER" => match header(component) {
                Some(header) => template.header = Some(header),
                None => template.complete = false,
            },
            "BODY" => template.body = text(component, "body_text"),
            "FOOTER" => template.footer = component["text"].as_str().map(str::to_owned),
            "BUTTONS" => {
                for given in component["buttons"].as_array().into_iter().flatten() {
                    template.complete &= fills_itself(given);
                    template.buttons.push(button(given));
                }
            }
            _ => template.complete = false,
        }
    }
    Some(template)
}

fn header(component: &Value) -> Option<TemplateHeader> {
    let of_file = |kind| Some(TemplateHeader { kind, text: None });
    match component["format"].as_str()? {
        "TEXT" => Some(TemplateHeader {
            kind: TemplateHeaderKind::Text,
            text: Some(text(component, "header_text")),
        }),
        "IMAGE" => of_file(TemplateHeaderKind::Image),
        "VIDEO" => of_file(TemplateHeaderKind::Video),
        "DOCUMENT" => of_file(TemplateHeaderKind::Document),
        _ => None,
    }
}

/// Whether a button needs nothing but its link when the template is sent.
fn fills_itself(button: &Value) -> bool {
    matches!(button["type"].as_str(), Some("QUICK_REPLY" | "PHONE_NUMBER" | "URL" | "VOICE_CALL"))
}

fn button(given: &Value) -> TemplateButton {
    let title = given["text"].as_str().unwrap_or_default().to_owned();
    let url = given["url"].as_str().map(|url| TemplateText {
        text: url.to_owned(),
        variables: names(url).map(|name| TemplateVariable { name, example: String::new() }).collect(),
    });
    TemplateButton { title, url }
}

/// `examples`: the examples' key: positional ones stand in a list (the body's in a list of lists), named ones say whose
/// they are.
fn text(component: &Value, examples: &str) -> TemplateText {
    let text = component["text"].as_str().unwrap_or_default();
    let named = &component["example"][format!("{examples}_named_params")];
    let placed = &component["example"][examples];
    let placed = if placed[0].is_array() { &placed[0] } else { placed };
    let example_of = |index: usize, name: &str| {
        let by_name = named.as_array().into_iter().flatten().find(|param| param["param_name"] == name);
        let example = by_name.map_or(&placed[index], |param| &param["example"]);
        example.as_str().unwrap_or_default().to_owned()
    };
    let variables = names(text).enumerate();
    let variables =
        variables.map(|(index, name)| TemplateVariable { example: example_of(index, &name), name }).collect();
    TemplateText { text: text.to_owned(), variables }
}

/// What stands between double braces, each once, in the order in which values are given.
fn names(text: &str) -> impl Iterator<Item = String> + use<> {
    let mut found: Vec<String> = Vec::new();
    for part in text.split("{{").skip(1) {
        if let Some((name, _rest)) = part.split_once("}}")
            && !found.iter().any(|known| known == name.trim())
        {
            found.push(name.trim().to_owned());
        }
    }
    // Values of numbered places are given by number, wherever the places stand.
    if found.iter().all(|name| name.parse::<u32>().is_ok()) {
        found.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use frontdesk_model::template::TemplateHeaderKind;
    use serde_json::{Value, json};

    use super::*;

    fn info(components: Value) -> TemplateInfo {
        let written = json!({ "id": "1", "name": "order_update", "language": "id", "status": "APPROVED",
            "category": "UTILITY", "parameter_format": "POSITIONAL", "components": components });
        // From text, as it comes.
        serde_json::from_str(&written.to_string()).unwrap()
    }

    #[test]
    fn variables_come_once_in_the_order_of_their_numbers_with_examples() {
        let template = approved(info(json!([
            { "type": "BODY", "text": "{{2}} for {{1}}: {{2}}", "example": { "body_text": [["Sari", "Tea"]] } },
        ])))
        .unwrap();
        let variables: Vec<_> =
            template.body.variables.iter().map(|v| (v.name.as_str(), v.example.as_str())).collect();
        assert_eq!(variables, [("1", "Sari"), ("2", "Tea")]);
        assert!(template.complete);
    }

    #[test]
    fn named_variables_find_their_examples() {
        let template = approved(info(json!([{ "type": "BODY", "text": "Dear {{name}}, on {{day}}",
            "example": { "body_text_named_params": [
                { "param_name": "day", "example": "Monday" }, { "param_name": "name", "example": "Sari" }] } }])));
        let variables = template.unwrap().body.variables;
        assert_eq!((variables[0].name.as_str(), variables[0].example.as_str()), ("name", "Sari"));
        assert_eq!((variables[1].name.as_str(), variables[1].example.as_str()), ("day", "Monday"));
    }

    #[test]
    fn headers_of_files_and_links_to_fill_in_are_told() {
        let template = approved(info(json!([
            { "type": "HEADER", "format": "IMAGE" },
            { "type": "BODY", "text": "New" },
            { "type": "FOOTER", "text": "Reply STOP" },
            { "type": "BUTTONS", "buttons": [{ "type": "URL", "text": "See", "url": "https://example.com/{{1}}" }] },
        ])))
        .unwrap();
        assert_eq!(template.header.unwrap().kind, TemplateHeaderKind::Image);
        assert_eq!(template.footer.as_deref(), Some("Reply STOP"));
        assert_eq!(template.buttons[0].url.as_ref().unwrap().variables[0].name, "1");
        assert!(template.complete);
    }

    #[test]
    fn what_has_other_parts_is_told_to_be_incomplete() {
        for part in [
            json!({ "type": "CAROUSEL", "cards": [] }),
            json!({ "type": "HEADER", "format": "LOCATION" }),
            json!({ "type": "BUTTONS", "buttons": [{ "type": "OTP", "text": "Copy", "url": "x" }] }),
        ] {
            let template = approved(info(json!([{ "type": "BODY", "text": "x" }, part]))).unwrap();
            assert!(!template.complete, "{part}");
        }
    }

    #[test]
    fn what_is_not_approved_is_not_offered() {
        let mut paused = info(json!([{ "type": "BODY", "text": "x" }]));
        paused.status = "PAUSED".to_owned();
        assert_eq!(approved(paused), None);
    }
}
