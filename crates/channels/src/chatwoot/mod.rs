//! Inboxes of a Chatwoot that is there already, shown here too: a sync makes them and fills them, what is answered here goes out
//! through Chatwoot.
//!
//! | file | what it is for |
//! |---|---|
//! | [`names`] | what conversations, people and messages of Chatwoot are called here |
//! | [`inbound`], [`content`] | a message of Chatwoot in our words |
//! | [`outbound`] | the inbox there: sends, fetches files, marks as read, shows typing |
//! | [`fields`] | what the sync fills in |
//! | [`errors`], [`limits`] | what refusals mean, what can be sent |
//!
//! It has no door: what Chatwoot tells comes in where the sync's connection says, and is read from Chatwoot again.

mod content;
mod errors;
mod fields;
pub mod inbound;
mod limits;
pub mod names;
mod outbound;

use std::sync::{Arc, LazyLock};

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

pub use fields::Mirrored;

use crate::contract::{Channel, ChannelContext, ChannelInfo, Connection, Door, FieldError, OpenError};

/// The channel's name.
pub const NAME: &str = "chatwoot";

static INFO: ChannelInfo = ChannelInfo {
    name: NAME,
    label: "Chatwoot",
    platform: "chatwoot",
    fields: fields::FIELDS,
    phone: false,
    mirrored: true,
    docs: "docs/channels/chatwoot.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// Inboxes of a Chatwoot.
#[derive(Debug)]
pub struct Chatwoot;

impl Channel for Chatwoot {
    fn info(&self) -> &'static ChannelInfo {
        &INFO
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn door(&self) -> Option<&'static dyn Door> {
        None
    }

    fn route_key(&self, settings: &InboxSettings) -> Option<String> {
        fields::text(settings, fields::PLACE).map(str::to_owned)
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(settings)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        Ok(Arc::new(outbound::MirroredInbox::open(context, &inbox.settings)?))
    }
}
