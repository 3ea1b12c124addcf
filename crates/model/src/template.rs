//! Templates that a provider has approved: what can be sent to a customer whose reply window is closed.
//!
//! Filled in they are [`crate::content::Template`].

use serde::Serialize;
use utoipa::ToSchema;

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
