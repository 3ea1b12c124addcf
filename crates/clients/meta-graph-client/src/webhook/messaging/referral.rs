//! Where a customer came from: links, ads, products.

use serde::Deserialize;

use super::super::tolerant;

/// Where a customer came from.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Referral {
    /// What we attached to the link.
    #[serde(rename = "ref", deserialize_with = "tolerant::optional_id")]
    pub reference: Option<String>,
    /// `SHORTLINK`, `ADS`, `IGME-SOURCE-LINK`, ...
    #[serde(deserialize_with = "tolerant::optional")]
    pub source: Option<String>,
    /// `OPEN_THREAD`
    #[serde(rename = "type", deserialize_with = "tolerant::optional")]
    pub kind: Option<String>,
    /// Which ad.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub ad_id: Option<String>,
    /// What it showed.
    #[serde(deserialize_with = "tolerant::optional")]
    pub ads_context_data: Option<AdContext>,
    /// Which product.
    #[serde(deserialize_with = "tolerant::optional")]
    pub product: Option<Product>,
}

/// What an ad showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AdContext {
    /// Its title.
    #[serde(deserialize_with = "tolerant::optional")]
    pub ad_title: Option<String>,
    /// Its picture.
    #[serde(deserialize_with = "tolerant::optional")]
    pub photo_url: Option<String>,
    /// Its video.
    #[serde(deserialize_with = "tolerant::optional")]
    pub video_url: Option<String>,
}

/// A product of the shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Product {
    /// Its id.
    #[serde(deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
}
