//! Connected accounts on the fake providers: a WhatsApp number, a Page, an Instagram account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::settings::WebhookTarget;

/// One account on a fake provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    /// The sandbox's own name of it, as used in the control API.
    pub id: String,
    /// Kind of network.
    pub channel: Channel,
    /// Name shown to customers.
    pub name: String,
    /// The provider's id: `phone_number_id`, Page id or Instagram account id.
    pub account_id: String,
    /// WhatsApp: the business account (WABA) that the number belongs to.
    #[serde(default)]
    pub business_account_id: Option<String>,
    /// WhatsApp: the business' own number, digits only.
    #[serde(default)]
    pub display_phone_number: Option<String>,
    /// The only access token accepted; `null`: any non-empty one.
    #[serde(default)]
    pub access_token: Option<String>,
    /// Id of the Meta app, as told in echoes.
    #[serde(default = "default_app_id")]
    pub app_id: String,
    /// WhatsApp test number: only these numbers may be written to (131030 otherwise). `null`: all.
    #[serde(default)]
    pub allowed_recipients: Option<Vec<String>>,
    /// Fields set here replace those of the general webhook target.
    #[serde(default)]
    pub webhook: WebhookTarget,
    /// Webhook subscription (`subscribed_apps`): while false no webhook is sent.
    #[serde(default = "subscribed")]
    pub subscribed: bool,
}

fn default_app_id() -> String {
    "998800112233445".to_owned()
}

fn subscribed() -> bool {
    true
}

impl Inbox {
    /// Where this inbox's webhooks go, given the general target.
    #[must_use]
    pub fn webhook_target(&self, general: &WebhookTarget) -> WebhookTarget {
        WebhookTarget {
            url: self.webhook.url.clone().or_else(|| general.url.clone()),
            app_secret: self.webhook.app_secret.clone().or_else(|| general.app_secret.clone()),
            verify_token: self.webhook.verify_token.clone().or_else(|| general.verify_token.clone()),
        }
    }

    /// `entry[].id` of this inbox's webhooks.
    #[must_use]
    pub fn entry_id(&self) -> &str {
        self.business_account_id.as_deref().unwrap_or(&self.account_id)
    }

    /// The business' own WhatsApp number, empty on other channels.
    #[must_use]
    pub fn own_number(&self) -> &str {
        self.display_phone_number.as_deref().unwrap_or_default()
    }

    /// A phone that can be linked to a server.
    #[must_use]
    pub fn linked_phone(id: &str, phone: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            channel: Channel::LinkedWhatsapp,
            name: name.to_owned(),
            account_id: phone.to_owned(),
            business_account_id: None,
            display_phone_number: Some(phone.to_owned()),
            access_token: None,
            app_id: default_app_id(),
            allowed_recipients: None,
            webhook: WebhookTarget::default(),
            subscribed: true,
        }
    }

    /// One inbox per channel: what a sandbox starts with.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let inbox = |id: &str, channel, name: &str, account_id: &str| Self {
            id: id.to_owned(),
            channel,
            name: name.to_owned(),
            account_id: account_id.to_owned(),
            business_account_id: None,
            display_phone_number: None,
            access_token: None,
            app_id: default_app_id(),
            allowed_recipients: None,
            webhook: WebhookTarget::default(),
            subscribed: true,
        };
        let mut whatsapp = inbox("whatsapp", Channel::WhatsappCloud, "Kopi Senja", "108144372211905");
        whatsapp.business_account_id = Some("215589313241560883".to_owned());
        whatsapp.display_phone_number = Some("6281211002200".to_owned());
        vec![
            whatsapp,
            inbox("messenger", Channel::Messenger, "Kopi Senja", "104266588011223"),
            inbox("instagram", Channel::Instagram, "kopi.senja", "17841400112233445"),
        ]
    }
}
