//! WhatsApp through Green API: one inbox is one instance, a phone that is linked at Green API.
//!
//! | file | what it is for |
//! |---|---|
//! | [`door`] | the address of the webhooks, and whether one is genuine |
//! | [`inbound`] | a notification in our words |
//! | [`people`], [`content`] | who wrote, what they said |
//! | [`outbound`], [`compose`] | one connected instance, and our messages as Green API wants them written |
//! | [`linking`], [`delivery`], [`journal`] | its other powers: the phone behind it, how messages come in, what became of a send |
//! | [`account`], [`fields`] | the clients of an instance, opened from what was filled in |
//! | [`errors`], [`state`], [`limits`] | what refusals and states mean, what can be sent |

mod account;
mod compose;
mod content;
mod delivery;
mod door;
mod errors;
mod fields;
mod inbound;
mod journal;
mod limits;
mod linking;
mod outbound;
mod people;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use frontdesk_green_api_client::ChatId;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

use crate::contract::{
    Channel, ChannelContext, ChannelInfo, Connection, Door, FieldError, Markup, OpenError, OwnKeys, Stranger,
};

/// The channel's name.
pub(crate) const NAME: &str = "green_api";

static INFO: ChannelInfo = ChannelInfo {
    name: NAME,
    label: "WhatsApp (Green API)",
    platform: "whatsapp",
    fields: fields::FIELDS,
    phone: true,
    mirrored: false,
    docs: "docs/channels/green-api.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// WhatsApp through Green API.
#[derive(Debug)]
pub struct GreenApi;

impl Channel for GreenApi {
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
        Some(&door::GreenDoor)
    }

    fn route_key(&self, settings: &InboxSettings) -> Option<String> {
        // As webhooks write it: a number, without zeros in front.
        fields::text(settings, fields::INSTANCE_ID)?.parse::<u64>().ok().map(|id| id.to_string())
    }

    fn own_keys(&self, settings: &InboxSettings) -> OwnKeys {
        let secret = fields::text(settings, fields::WEBHOOK_TOKEN).map(str::to_owned);
        OwnKeys { secret, verify_token: None }
    }

    fn stranger(&self, digits: &str) -> Option<Stranger> {
        let chat = ChatId::of_phone(digits).ok()?;
        Some(Stranger { identities: people::identities(&chat), thread: chat.as_str().to_owned() })
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(settings)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        let clients = account::open(context, inbox)?;
        Ok(Arc::new(outbound::Instance::new(clients)))
    }
}
