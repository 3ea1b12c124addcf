//! WhatsApp through a session gateway: one inbox is one session on a server that speaks the REST API of WhatsApp gateways, another
//! Frontdesk for one.
//!
//! | file | what it is for |
//! |---|---|
//! | [`door`] | the address of the webhooks, and whether one is genuine |
//! | [`inbound`] | a webhook in our words |
//! | [`people`], [`content`] | who wrote, what they said |
//! | [`outbound`], [`compose`] | one session, and our messages as its server wants them written |
//! | [`linking`], [`delivery`], [`journal`] | its other powers: the phone behind it, where webhooks go, what became of a send |
//! | [`account`], [`fields`] | the client of a session, opened from what was filled in |
//! | [`errors`], [`state`], [`limits`] | what refusals and states mean, what can be sent |

mod account;
mod chats;
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

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::contact::Identity;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};
use url::Url;

use crate::contract::{
    Channel, ChannelContext, ChannelInfo, Connection, Door, FieldError, Markup, OpenError, OwnKeys, Stranger,
};

/// The channel's name.
pub(crate) const NAME: &str = "whatsapp_gateway";

static INFO: ChannelInfo = ChannelInfo {
    name: NAME,
    label: "WhatsApp (gateway)",
    platform: "whatsapp",
    fields: fields::FIELDS,
    phone: true,
    mirrored: false,
    docs: "docs/channels/whatsapp-gateway.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// True for the route key of a session of this name.
fn is_route_of(route_key: &str, session: &str) -> bool {
    route_key.rsplit_once('@').is_some_and(|(name, _server)| name == session)
}

/// WhatsApp through a session gateway.
#[derive(Debug)]
pub struct WhatsAppGateway;

impl Channel for WhatsAppGateway {
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
        Some(&door::GatewayDoor)
    }

    /// The session and its server: sessions of several servers may have one name.
    fn route_key(&self, settings: &InboxSettings) -> Option<String> {
        let session = fields::text(settings, fields::SESSION_ID)?;
        let address = fields::text(settings, fields::API_URL)?;
        let url = Url::parse(address).ok()?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{session}@{}{port}", url.host_str()?))
    }

    /// The session's name, which is all that webhooks tell. Whose secret vouches for them decides among those that share it.
    fn shared_route_key(&self, settings: &InboxSettings) -> Option<String> {
        fields::text(settings, fields::SESSION_ID).map(str::to_owned)
    }

    fn called<'s>(&self, settings: &'s InboxSettings) -> Option<&'s str> {
        fields::text(settings, fields::SESSION_ID)
    }

    fn own_keys(&self, settings: &InboxSettings) -> OwnKeys {
        let secret = fields::text(settings, fields::WEBHOOK_SECRET).map(str::to_owned);
        OwnKeys { secret, verify_token: None }
    }

    fn stranger(&self, digits: &str) -> Option<Stranger> {
        let phone = Identity::phone(digits)?;
        Some(Stranger { thread: digits.to_owned(), identities: vec![phone] })
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(settings)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        Ok(Arc::new(outbound::RemoteSession::new(account::open(context, inbox)?)))
    }
}
