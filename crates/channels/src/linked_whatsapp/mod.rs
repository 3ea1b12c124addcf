//! WhatsApp through a phone that is linked to this server itself: one inbox is one session.
//!
//! | file | what it is for |
//! |---|---|
//! | [`drivers`] | the programs that speak to WhatsApp, ONE LINE PER DRIVER |
//! | [`connection`] | one inbox: what is sent goes through the session, on whatever node it is |
//! | [`fields`], [`limits`] | what has to be filled in, what can be sent |
//! | [`address`] | how WhatsApp names people and chats |
//! | [`qr`] | a code as a picture |
//! | [`simulated`] | a driver for the phones of the sandbox |
//!
//! It has no door: what comes in comes through the session (`crate::contract::SessionDriver`).

pub mod address;
mod connection;
mod drivers;
mod fields;
mod limits;
pub mod qr;
mod simulated;

use std::sync::{Arc, LazyLock};

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

use crate::contract::{
    Channel, ChannelContext, ChannelInfo, Connection, Door, DriverInfo, FieldError, Markup, OpenError,
    SessionDriver, SessionOpening, Sessions, Stranger,
};

/// The channel's name.
pub const NAME: &str = "linked_whatsapp";

static INFO: ChannelInfo = ChannelInfo {
    name: NAME,
    label: "WhatsApp (linked phone)",
    platform: "whatsapp",
    fields: fields::FIELDS,
    phone: true,
    mirrored: false,
    docs: "docs/channels/linked-whatsapp.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// WhatsApp through a phone that is linked to this server itself.
#[derive(Debug)]
pub struct LinkedWhatsApp;

impl Channel for LinkedWhatsApp {
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
        None
    }

    fn route_key(&self, settings: &InboxSettings) -> Option<String> {
        self.session_id(settings).map(str::to_owned)
    }

    fn called<'s>(&self, settings: &'s InboxSettings) -> Option<&'s str> {
        self.session_id(settings)
    }

    fn stranger(&self, digits: &str) -> Option<Stranger> {
        let identities = address::identities(Some(digits), None);
        (!identities.is_empty()).then(|| Stranger { thread: address::of_phone(digits), identities })
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(settings)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        drivers::find(context, &inbox.settings)?;
        Ok(Arc::new(connection::LinkedInbox::new(context, inbox)))
    }
}

impl Sessions for LinkedWhatsApp {
    fn session_id<'s>(&self, settings: &'s InboxSettings) -> Option<&'s str> {
        fields::text(settings, fields::SESSION_ID)
    }

    fn settings_for(&self, session_id: &str, driver: Option<&str>) -> InboxSettings {
        let named = driver.map(|driver| (fields::DRIVER, driver));
        [(fields::SESSION_ID, session_id)]
            .into_iter()
            .chain(named)
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn driver(
        &self,
        context: &ChannelContext,
        settings: &InboxSettings,
    ) -> Result<&'static DriverInfo, OpenError> {
        Ok(drivers::find(context, settings)?.info())
    }

    fn open(
        &self,
        context: &ChannelContext,
        opening: SessionOpening,
    ) -> Result<Arc<dyn SessionDriver>, OpenError> {
        drivers::find(context, &opening.inbox.settings)?.open(context, opening)
    }
}
