//! Who a customer is, and which Page or Instagram account a token is for.

use serde::Deserialize;

use crate::{GraphClient, error::GraphCallError, webhook::tolerant};

/// A Messenger customer. Any part may lack, even for a valid PSID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MessengerProfile {
    /// Given name.
    #[serde(deserialize_with = "tolerant::optional")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(deserialize_with = "tolerant::optional")]
    pub last_name: Option<String>,
    /// Whole name.
    #[serde(deserialize_with = "tolerant::optional")]
    pub name: Option<String>,
    /// Picture; expires within days.
    #[serde(deserialize_with = "tolerant::optional")]
    pub profile_pic: Option<String>,
}

/// An Instagram customer. Readable only after they wrote (else error 230).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct InstagramProfile {
    /// What they call themselves; may be null.
    #[serde(deserialize_with = "tolerant::optional")]
    pub name: Option<String>,
    /// Their handle.
    #[serde(deserialize_with = "tolerant::optional")]
    pub username: Option<String>,
    /// Picture; expires within days.
    #[serde(deserialize_with = "tolerant::optional")]
    pub profile_pic: Option<String>,
    /// How many follow them.
    #[serde(deserialize_with = "tolerant::optional_number")]
    pub follower_count: Option<i64>,
    /// They follow us.
    #[serde(deserialize_with = "tolerant::optional")]
    pub is_user_follow_business: Option<bool>,
    /// We follow them.
    #[serde(deserialize_with = "tolerant::optional")]
    pub is_business_follow_user: Option<bool>,
    /// Verified by Instagram.
    #[serde(deserialize_with = "tolerant::optional")]
    pub is_verified_user: Option<bool>,
}

const MESSENGER_FIELDS: &str = "first_name,last_name,name,profile_pic";
const INSTAGRAM_FIELDS: &str = "name,username,profile_pic,follower_count,is_user_follow_business,\
    is_business_follow_user,is_verified_user";

/// A Page or Instagram account; asked for to check a connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BusinessProfile {
    /// Its id: Page id, or Instagram account id as webhooks write it.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: String,
    /// Instagram Login: the id that webhooks write, where `id` is the app's own.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub user_id: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub name: Option<String>,
    /// Instagram: its handle.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub username: Option<String>,
}

impl GraphClient {
    /// A Messenger customer. Never block intake on it; cache a day; no retry storm on 100/33.
    pub async fn messenger_profile(&self, psid: &str) -> Result<MessengerProfile, GraphCallError> {
        self.get("messenger_profile", &[psid], &[("fields", MESSENGER_FIELDS)]).await
    }

    /// An Instagram customer. Never block intake on it; cache a day.
    pub async fn instagram_profile(&self, igsid: &str) -> Result<InstagramProfile, GraphCallError> {
        self.get("instagram_profile", &[igsid], &[("fields", INSTAGRAM_FIELDS)]).await
    }

    /// Asks for a Page; proves that token and id fit together.
    pub async fn page(&self, page_id: &str) -> Result<BusinessProfile, GraphCallError> {
        self.get("page", &[page_id], &[("fields", "id,name")]).await
    }

    /// Asks for an Instagram account; `me` for the one the token is for.
    pub async fn instagram_account(&self, id: &str) -> Result<BusinessProfile, GraphCallError> {
        // `user_id` exists on graph.instagram.com alone; elsewhere asking for it is an error.
        let on_instagram = self.http().settings().base_url.host_str() == Some("graph.instagram.com");
        let fields = if on_instagram { "id,user_id,username,name" } else { "id,username,name" };
        self.get("instagram_account", &[id], &[("fields", fields)]).await
    }

    /// Subscribes our app to a Page's or Instagram account's webhooks, as
    /// `messages,messaging_postbacks,message_reactions`. Also what undoes Meta's silent unsubscription
    /// after failures.
    pub async fn subscribe_messaging(&self, id: &str, fields: &str) -> Result<(), GraphCallError> {
        let body = std::collections::BTreeMap::from([("subscribed_fields", fields)]);
        self.post_for_success("messaging_subscribe", &[id, "subscribed_apps"], &body).await
    }
}
