//! What is attached to a message: files, templates with their cards and buttons, products, places.

use serde::Deserialize;

use super::super::tolerant;

/// One attachment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, `sticker`, `location`, `template`, `fallback`, `reel`,
    /// `ig_reel`, `post`, `ig_post`, `share`, `story_mention`, `ephemeral`, `like_heart`,
    /// `appointment_booking`, and what comes next.
    #[serde(rename = "type")]
    pub kind: String,
    /// What there is to it; absent or null for `like_heart` and some `fallback`s.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub payload: Option<Payload>,
    /// Title beside the payload (location, fallback).
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// Address beside the payload (location, fallback).
    #[serde(default, alias = "URL", deserialize_with = "tolerant::optional")]
    pub url: Option<String>,
}

/// What there is to an attachment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// Where it can be fetched: signed, expires within days, needs no token.
    #[serde(deserialize_with = "tolerant::optional")]
    pub url: Option<String>,
    /// Its title (shares, posts, reels).
    #[serde(deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// Until August 2026 a sticker comes twice, as image and as sticker: drop the image.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub sticker_id: Option<String>,
    /// A place.
    #[serde(deserialize_with = "tolerant::optional")]
    pub coordinates: Option<Coordinates>,
    /// A shared Instagram post.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub ig_post_media_id: Option<String>,
    /// A shared reel.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub reel_video_id: Option<String>,
    /// What a template says above its elements and buttons.
    #[serde(alias = "intro_message", deserialize_with = "tolerant::optional")]
    pub text: Option<String>,
    /// The cards of a template.
    #[serde(deserialize_with = "tolerant::list")]
    pub elements: Vec<Element>,
    /// The buttons of a template without cards.
    #[serde(deserialize_with = "tolerant::list")]
    pub buttons: Vec<TemplateButton>,
    /// The products of the shop that a customer asks about.
    #[serde(deserialize_with = "tolerant::optional")]
    pub product: Option<Products>,
}

/// Products of the shop.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Products {
    /// One card each.
    #[serde(deserialize_with = "tolerant::list")]
    pub elements: Vec<Element>,
}

/// A card of a template, or a product.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Element {
    /// The product's id.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// Its first line.
    #[serde(deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// Its second line; the price of a product.
    #[serde(deserialize_with = "tolerant::optional")]
    pub subtitle: Option<String>,
    /// Its picture.
    #[serde(deserialize_with = "tolerant::optional")]
    pub image_url: Option<String>,
    /// Its file, in a media template.
    #[serde(deserialize_with = "tolerant::optional")]
    pub url: Option<String>,
    /// Its buttons.
    #[serde(deserialize_with = "tolerant::list")]
    pub buttons: Vec<TemplateButton>,
}

/// A button of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TemplateButton {
    /// What it says.
    #[serde(deserialize_with = "tolerant::optional")]
    pub title: Option<String>,
    /// What is attached to it.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub payload: Option<String>,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Coordinates {
    /// Degrees, north positive.
    #[serde(deserialize_with = "tolerant::amount")]
    pub lat: f64,
    /// Degrees, east positive.
    #[serde(deserialize_with = "tolerant::amount")]
    pub long: f64,
}
