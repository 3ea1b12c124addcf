//! A WhatsApp number, its business account, its templates.

use serde::{Deserialize, Serialize};

use crate::{GraphClient, Page, client::List, error::GraphCallError, webhook::tolerant};

/// What Meta says about a number; asked for to check a connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PhoneNumber {
    /// The id we asked with.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: String,
    /// For people, as `+62 812-1100-2200`.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub display_phone_number: Option<String>,
    /// The name customers see.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub verified_name: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub quality_rating: Option<String>,
    /// `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub code_verification_status: Option<String>,
    /// `APPROVED`, `DECLINED`, `PENDING_REVIEW`, ...
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub name_status: Option<String>,
    /// `CONNECTED`, `BANNED`, `FLAGGED`, ...
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub status: Option<String>,
    /// `CLOUD_API`, `ON_PREMISE`, `NOT_APPLICABLE`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub platform_type: Option<String>,
    /// How fast it may send.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub throughput: Option<Throughput>,
}

const PHONE_NUMBER_FIELDS: &str = "id,display_phone_number,verified_name,quality_rating,\
    code_verification_status,name_status,status,platform_type,throughput";

/// How fast a number may send.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Throughput {
    /// `STANDARD` (80 a second) or `HIGH` (1000).
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub level: Option<String>,
}

/// An app that gets the webhooks of a business account or Page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SubscribedApp {
    /// WhatsApp writes the app here,
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub whatsapp_business_api_data: Option<AppInfo>,
    /// Pages write it here.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// Pages: what it is subscribed to.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub subscribed_fields: Vec<String>,
    /// WhatsApp: where its webhooks go instead of the app's own address.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub override_callback_uri: Option<String>,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppInfo {
    /// Its id.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub id: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub name: Option<String>,
}

/// A template as Meta keeps it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TemplateInfo {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, ...
    pub status: String,
    /// `UTILITY`, `MARKETING`, `AUTHENTICATION`.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub category: Option<String>,
    /// `POSITIONAL` (`{{1}}`) or `NAMED` (`{{name}}`).
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub parameter_format: Option<String>,
    /// Header, body, footer, buttons, as Meta writes them.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub components: Vec<serde_json::Value>,
}

const TEMPLATE_FIELDS: &str = "id,name,language,status,category,parameter_format,components";

#[derive(Serialize)]
struct CallbackOverride<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    override_callback_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify_token: Option<&'a str>,
}

impl GraphClient {
    /// Asks for a number; proves that token and id fit together.
    pub async fn phone_number(&self, phone_number_id: &str) -> Result<PhoneNumber, GraphCallError> {
        self.get("whatsapp_phone_number", &[phone_number_id], &[("fields", PHONE_NUMBER_FIELDS)]).await
    }

    /// The apps that get the webhooks of a business account or Page.
    pub async fn subscribed_apps(&self, id: &str) -> Result<Vec<SubscribedApp>, GraphCallError> {
        let list: List<SubscribedApp> = self.get("subscribed_apps", &[id, "subscribed_apps"], &[]).await?;
        Ok(Page::from(list).items)
    }

    /// Subscribes our app to a business account. `callback` = (address, verify token) where its webhooks
    /// go instead of the app's own address; Meta checks the address at once.
    pub async fn subscribe_whatsapp(
        &self,
        business_account_id: &str,
        callback: Option<(&str, &str)>,
    ) -> Result<(), GraphCallError> {
        let (override_callback_uri, verify_token) = callback.unzip();
        let body = CallbackOverride { override_callback_uri, verify_token };
        self.post_for_success("whatsapp_subscribe", &[business_account_id, "subscribed_apps"], &body).await
    }

    /// One page of a business account's templates; `after` is [`Page::next`] of the page before.
    pub async fn templates(
        &self,
        business_account_id: &str,
        after: Option<&str>,
    ) -> Result<Page<TemplateInfo>, GraphCallError> {
        let mut query = vec![("fields", TEMPLATE_FIELDS), ("limit", "100")];
        query.extend(after.map(|after| ("after", after)));
        let path = [business_account_id, "message_templates"];
        let list: List<TemplateInfo> = self.get("whatsapp_templates", &path, &query).await?;
        Ok(list.into())
    }
}
