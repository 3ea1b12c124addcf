//! Templates that a provider has approved: what can be sent to a customer whose reply window is closed.
//!
//! Filled in they are [`crate::content::Template`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::content::Template;

/// An approved template in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApprovedTemplate {
    /// Its name.
    pub name: String,
    /// Its language, `en` or `pt_BR`.
    pub language: String,
    /// What the provider files it under, in its words; empty where it does not say.
    pub category: String,
    /// What stands above the text.
    #[schema(required = true)]
    pub header: Option<TemplateHeader>,
    /// The text.
    pub body: TemplateText,
    /// What stands below the text.
    #[schema(required = true)]
    pub footer: Option<String>,
    /// The buttons, in order.
    pub buttons: Vec<TemplateButton>,
    /// Variables go by name, not by place: each parameter carries `parameter_name`.
    pub named: bool,
    /// False when it has parts that are not told here (a carousel, a catalogue, a code): such a template is sent by the
    /// API alone, with `components` as its provider describes them.
    pub complete: bool,
}

/// A text with places to fill in, `{{1}}` or `{{name}}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct TemplateText {
    /// The text.
    pub text: String,
    /// What has to be filled in, in order, each once.
    pub variables: Vec<TemplateVariable>,
}

/// A place to fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateVariable {
    /// What stands between the braces.
    pub name: String,
    /// What its author gave as an example; empty where there is none.
    pub example: String,
}

/// What stands above the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateHeader {
    /// Words, or what file has to be given when it is sent.
    pub kind: TemplateHeaderKind,
    /// The words.
    #[schema(required = true)]
    pub text: Option<TemplateText>,
}

crate::words! {
    /// What a template begins with.
    pub enum TemplateHeaderKind {
        /// Words.
        Text = "text",
        /// A picture.
        Image = "image",
        /// A video.
        Video = "video",
        /// A document.
        Document = "document",
    }
}

/// A button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateButton {
    /// What it says.
    pub title: String,
    /// Where it leads, when it is a link; may have one place to fill in, at its end.
    #[schema(required = true)]
    pub url: Option<TemplateText>,
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfillable {
    /// Places without a value, by the names under which one is given.
    #[error("there is no value for {}", .0.join(", "))]
    Missing(Vec<String>),
    /// It has parts that are not told here.
    #[error("this template has parts that are sent by `components` alone")]
    Incomplete,
}

impl ApprovedTemplate {
    /// The template filled in. A value is looked for as `header.NAME`, `body.NAME` or `button.NAME`, then as `NAME`; the file of a
    /// header is the address under `file`.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> Result<Template, Unfillable> {
        if !self.complete {
            return Err(Unfillable::Incomplete);
        }
        let mut filling = Filling { values, named: self.named, missing: Vec::new() };
        let mut components = Vec::new();
        if let Some(header) = &self.header {
            let parameters = match (header.kind, &header.text) {
                (TemplateHeaderKind::Text, None) => Vec::new(),
                (TemplateHeaderKind::Text, Some(text)) => filling.parameters("header", text),
                (kind, _) => {
                    let link = filling.value(&["file".to_owned()], "file");
                    vec![json!({ "type": kind.as_str(), kind.as_str(): { "link": link } })]
                }
            };
            if !parameters.is_empty() {
                components.push(json!({ "type": "header", "parameters": parameters }));
            }
        }
        let parameters = filling.parameters("body", &self.body);
        if !parameters.is_empty() {
            components.push(json!({ "type": "body", "parameters": parameters }));
        }
        for (index, button) in self.buttons.iter().enumerate() {
            let Some(url) = button.url.as_ref().filter(|url| !url.variables.is_empty()) else { continue };
            let parameters = filling.parameters("button", url);
            components.push(json!({ "type": "button", "sub_type": "url", "index": index.to_string(),
                "parameters": parameters }));
        }
        if filling.missing.is_empty() {
            Ok(Template { name: self.name.clone(), language: self.language.clone(), components })
        } else {
            Err(Unfillable::Missing(filling.missing))
        }
    }
}

struct Filling<'a> {
    values: &'a BTreeMap<String, String>,
    named: bool,
    missing: Vec<String>,
}

impl Filling<'_> {
    fn parameters(&mut self, part: &str, text: &TemplateText) -> Vec<Value> {
        let mut parameters = Vec::with_capacity(text.variables.len());
        for TemplateVariable { name, .. } in &text.variables {
            let value = self.value(&[format!("{part}.{name}"), name.clone()], name);
            let mut parameter = json!({ "type": "text", "text": value });
            if self.named && part != "button" {
                parameter["parameter_name"] = json!(name);
            }
            parameters.push(parameter);
        }
        parameters
    }

    /// The first value there is, on one line: providers take no line breaks and no runs of blanks.
    fn value(&mut self, keys: &[String], name: &str) -> String {
        let found = keys.iter().find_map(|key| self.values.get(key));
        let line = found.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
        line.filter(|line| !line.is_empty()).unwrap_or_else(|| {
            if !self.missing.iter().any(|known| known == name) {
                self.missing.push(name.to_owned());
            }
            String::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, names: &[&str]) -> TemplateText {
        let variables =
            names.iter().map(|name| TemplateVariable { name: (*name).to_owned(), example: String::new() });
        TemplateText { text: text.to_owned(), variables: variables.collect() }
    }

    fn template() -> ApprovedTemplate {
        ApprovedTemplate {
            name: "receipt".to_owned(),
            language: "id".to_owned(),
            category: String::new(),
            header: Some(TemplateHeader {
                kind: TemplateHeaderKind::Text,
                text: Some(text("Halo {{1}}", &["1"])),
            }),
            body: text("{{1}} dan {{2}}", &["1", "2"]),
            footer: None,
            buttons: vec![TemplateButton {
                title: "See".to_owned(),
                url: Some(text("https://example.org/{{1}}", &["1"])),
            }],
            named: false,
            complete: true,
        }
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_place_is_filled_in_where_it_stands() {
        let given = values(&[("1", "Siti"), ("2", " a \n b "), ("button.1", "x9")]);
        let filled = template().fill(&given).unwrap();
        assert_eq!(
            serde_json::to_value(&filled.components).unwrap(),
            json!([
                { "type": "header", "parameters": [{ "type": "text", "text": "Siti" }] },
                { "type": "body", "parameters": [{ "type": "text", "text": "Siti" }, { "type": "text", "text": "a b" }] },
                { "type": "button", "sub_type": "url", "index": "0", "parameters": [{ "type": "text", "text": "x9" }] },
            ])
        );
    }

    #[test]
    fn a_place_without_a_value_is_named_once() {
        let missing = template().fill(&values(&[("2", " ")])).unwrap_err();
        assert_eq!(missing, Unfillable::Missing(vec!["1".to_owned(), "2".to_owned()]));
        let more = ApprovedTemplate { complete: false, ..template() };
        assert_eq!(more.fill(&values(&[])), Err(Unfillable::Incomplete));
        let header = Some(TemplateHeader { kind: TemplateHeaderKind::Image, text: None });
        let picture = ApprovedTemplate {
            header,
            body: text("Hi", &[]),
            buttons: Vec::new(),
            named: true,
            ..template()
        };
        assert_eq!(picture.fill(&values(&[])), Err(Unfillable::Missing(vec!["file".to_owned()])));
        let filled = picture.fill(&values(&[("file", "https://example.org/a.png")])).unwrap();
        assert_eq!(filled.components[0]["parameters"][0]["image"]["link"], "https://example.org/a.png");
    }
}
