//! Message templates: what fills one when it is sent.

use serde::{Deserialize, Serialize};

use super::outgoing::{Location, MediaSource};

/// A template with what fills its variables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Which translation.
    pub language: Language,
    /// What fills it; empty when it has no variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
}

/// A translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// As `pt_BR`.
    pub code: String,
}

/// What fills one part of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// `header`, `body`, `button`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Buttons: `url`, `quick_reply`, `copy_code`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    /// Buttons: which one, from 0, as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// What fills the variables, in order or by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// What fills one variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Parameter {
    /// Text.
    Text {
        /// What it says.
        text: String,
        /// Which named variable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parameter_name: Option<String>,
    },
    /// An amount of money.
    Currency {
        /// `fallback_value`, `code`, `amount_1000`.
        currency: serde_json::Value,
        /// Which named variable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parameter_name: Option<String>,
    },
    /// A moment.
    DateTime {
        /// `fallback_value`.
        date_time: serde_json::Value,
        /// Which named variable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parameter_name: Option<String>,
    },
    /// A picture.
    Image {
        /// Where it is.
        image: MediaSource,
    },
    /// A video.
    Video {
        /// Where it is.
        video: MediaSource,
    },
    /// A document.
    Document {
        /// Where it is, and its `filename`.
        document: serde_json::Value,
    },
    /// A place.
    Location {
        /// The place.
        location: Location,
    },
    /// What a quick reply sends back.
    Payload {
        /// At most 128 characters.
        payload: String,
    },
    /// What a button copies.
    CouponCode {
        /// The code.
        coupon_code: String,
    },
    /// What a flow or catalogue button needs.
    Action {
        /// As Meta documents it.
        action: serde_json::Value,
    },
}

impl Template {
    /// A template without variables.
    pub fn new(name: impl Into<String>, language: impl Into<String>) -> Self {
        Self { name: name.into(), language: Language { code: language.into() }, components: Vec::new() }
    }

    /// With one more part filled.
    #[must_use]
    pub fn with(mut self, component: Component) -> Self {
        self.components.push(component);
        self
    }
}

impl Component {
    fn new(kind: &str, parameters: Vec<Parameter>) -> Self {
        Self { kind: kind.to_owned(), sub_type: None, index: None, parameters }
    }

    /// Fills the header.
    pub fn header(parameters: Vec<Parameter>) -> Self {
        Self::new("header", parameters)
    }

    /// Fills the text.
    pub fn body(parameters: Vec<Parameter>) -> Self {
        Self::new("body", parameters)
    }

    /// Fills the address of a link button.
    pub fn url_button(index: u8, parameters: Vec<Parameter>) -> Self {
        Self::button("url", index, parameters)
    }

    /// Says what a quick reply sends back.
    pub fn quick_reply_button(index: u8, payload: impl Into<String>) -> Self {
        Self::button("quick_reply", index, vec![Parameter::Payload { payload: payload.into() }])
    }

    fn button(sub_type: &str, index: u8, parameters: Vec<Parameter>) -> Self {
        Self {
            sub_type: Some(sub_type.to_owned()),
            index: Some(index.to_string()),
            ..Self::new("button", parameters)
        }
    }
}

impl Parameter {
    /// Text for the next variable.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), parameter_name: None }
    }

    /// Text for a named variable.
    pub fn named_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), parameter_name: Some(name.into()) }
    }
}
