//! The networks that the sandbox imitates.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of network. A further fake adds its variant here and its folder beside `graph/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp Cloud API.
    WhatsappCloud,
    /// Facebook Messenger.
    Messenger,
    /// Instagram messaging.
    Instagram,
    /// WhatsApp through Green API.
    GreenApi,
    /// WhatsApp on a phone that is linked to the server itself.
    LinkedWhatsapp,
    /// Chatwoot: no network of its own; faults and webhooks go by its name, its inboxes are its own.
    Chatwoot,
    /// A language model: no network; faults go by its name.
    Openai,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 7] = [
        Self::WhatsappCloud,
        Self::Messenger,
        Self::Instagram,
        Self::GreenApi,
        Self::LinkedWhatsapp,
        Self::Chatwoot,
        Self::Openai,
    ];

    /// The name on the wire and in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WhatsappCloud => "whatsapp_cloud",
            Self::Messenger => "messenger",
            Self::Instagram => "instagram",
            Self::GreenApi => "green_api",
            Self::LinkedWhatsapp => "linked_whatsapp",
            Self::Chatwoot => "chatwoot",
            Self::Openai => "openai",
        }
    }

    /// `object` of Meta's webhook envelope; others have none.
    #[must_use]
    pub fn webhook_object(self) -> &'static str {
        match self {
            Self::WhatsappCloud => "whatsapp_business_account",
            Self::Messenger => "page",
            Self::Instagram => "instagram",
            Self::GreenApi | Self::LinkedWhatsapp | Self::Chatwoot | Self::Openai => "",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
