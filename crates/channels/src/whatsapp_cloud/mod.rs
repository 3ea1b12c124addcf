//! WhatsApp Cloud API: one inbox is one number of a WhatsApp Business Account.
//!
//! | file | what it is for |
//! |---|---|
//! | [`inbound`] | a changed field of a webhook in our words |
//! | [`people`], [`content`], [`notices`] | who wrote, what they said, what Meta says about the account |
//! | [`outbound`], [`compose`] | one connected number, and our messages as WhatsApp wants them written |
//! | [`limits`] | what can be sent |
//! | [`templates`] | the approved templates of the business account |

mod compose;
mod content;
pub(crate) mod inbound;
mod limits;
mod notices;
mod outbound;
mod people;
mod templates;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

use crate::contract::{
    Channel, ChannelContext, ChannelInfo, Connection, Door, Field, FieldError, Markup, OpenError, OwnKeys,
    Stranger,
};
use crate::meta::{self, fields};

/// The channel's name.
pub(crate) const NAME: &str = "whatsapp_cloud";

const PHONE_NUMBER_ID: &str = "phone_number_id";
const BUSINESS_ACCOUNT_ID: &str = "business_account_id";

static INFO: ChannelInfo = ChannelInfo {
    name: NAME,
    label: "WhatsApp Cloud API",
    platform: "whatsapp",
    fields: &[
        Field {
            key: PHONE_NUMBER_ID,
            label: "Phone number ID",
            help: "Meta app dashboard, WhatsApp, API Setup: the long number below the phone number, not the phone \
                   number itself.",
            secret: false,
            required: true,
            pattern: fields::ID_PATTERN,
        },
        Field {
            key: BUSINESS_ACCOUNT_ID,
            label: "WhatsApp Business Account ID",
            help: "The same page, beside the phone number ID. Templates and warnings belong to it.",
            secret: false,
            required: true,
            pattern: fields::ID_PATTERN,
        },
        fields::access_token(
            "Meta Business settings, System users: a token that does not expire, with whatsapp_business_messaging and \
             whatsapp_business_management.",
        ),
        fields::OWN_APP_SECRET,
        fields::OWN_VERIFY_TOKEN,
    ],
    phone: false,
    mirrored: false,
    docs: "docs/channels/whatsapp_cloud.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// WhatsApp Cloud API.
#[derive(Debug)]
pub struct WhatsAppCloud;

/// The route of what concerns a business account and no single number: a notice about a template, a restriction. Every
/// inbox on the account hears it ([`Channel::shared_route_key`]). Empty when the webhook names no account.
pub(crate) fn account_route(business_account_id: &str) -> String {
    if business_account_id.is_empty() { String::new() } else { format!("waba:{business_account_id}") }
}

impl Channel for WhatsAppCloud {
    fn info(&self) -> &'static ChannelInfo {
        &INFO
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn markup(&self) -> Markup {
        Markup::Stars
    }

    fn door(&self) -> Option<&'static dyn Door> {
        Some(&meta::DOOR)
    }

    fn route_key(&self, settings: &InboxSettings) -> Option<String> {
        fields::id(settings, PHONE_NUMBER_ID)
    }

    fn shared_route_key(&self, settings: &InboxSettings) -> Option<String> {
        fields::id(settings, BUSINESS_ACCOUNT_ID).map(|id| account_route(&id))
    }

    fn own_keys(&self, settings: &InboxSettings) -> OwnKeys {
        fields::own_keys(settings)
    }

    fn stranger(&self, digits: &str) -> Option<Stranger> {
        let identities = people::identities(Some(digits), None);
        Some(Stranger { identities, thread: digits.to_owned() })
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(INFO.fields, &[PHONE_NUMBER_ID, BUSINESS_ACCOUNT_ID], settings)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        let client = meta::account::open(context, inbox, &context.providers.meta_graph_url)?;
        let phone_number_id = self
            .route_key(&inbox.settings)
            .ok_or_else(|| OpenError { reason: "the phone number id is missing".to_owned() })?;
        let business_account_id = fields::id(&inbox.settings, BUSINESS_ACCOUNT_ID)
            .ok_or_else(|| OpenError { reason: "the business account id is missing".to_owned() })?;
        Ok(Arc::new(outbound::Number { client, phone_number_id, business_account_id }))
    }
}
