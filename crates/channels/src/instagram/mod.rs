//! Instagram: one inbox is one professional account.
//!
//! The language is [`crate::meta::messaging`]'s, which it shares; here is what is its own.
//!
//! | file | what it is for |
//! |---|---|
//! | [`limits`] | what can be sent |

mod limits;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::contact::IdentityKind;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

use crate::contract::{Channel, ChannelContext, ChannelInfo, Connection, Door, Field, FieldError, OpenError};
use crate::meta::messaging::Network;
use crate::meta::{self, fields};

const INSTAGRAM_ID: &str = "instagram_id";

/// What tells it apart from its sister.
pub(crate) static NETWORK: Network = Network {
    channel: "instagram",
    label: "Instagram",
    identity: IdentityKind::Igsid,
    own_app: "Instagram app",
};

static INFO: ChannelInfo = ChannelInfo {
    name: "instagram",
    label: "Instagram",
    platform: "instagram",
    fields: &[
        Field {
            key: INSTAGRAM_ID,
            label: "Instagram account ID",
            help: "Meta app dashboard, Instagram, API setup: the number beside the account, beginning with 1784.",
            secret: false,
            required: true,
        },
        fields::access_token(
            "The same page, Generate token. A token of the Page the account is linked to works as well (Instagram by \
             Facebook Login); it begins with EAA.",
        ),
        fields::OWN_APP_SECRET,
        fields::OWN_VERIFY_TOKEN,
    ],
    docs: "docs/channels/instagram.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// Instagram.
#[derive(Debug)]
pub struct Instagram;

impl Channel for Instagram {
    fn info(&self) -> &'static ChannelInfo {
        &INFO
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn door(&self) -> Option<&'static dyn Door> {
        Some(&meta::DOOR)
    }

    fn route_key(&self, settings: &InboxSettings) -> Option<String> {
        fields::id(settings, INSTAGRAM_ID)
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(INFO.fields, &[INSTAGRAM_ID], settings)
    }

    fn open(
        &self,
        _context: &ChannelContext,
        _inbox: &InboxConfig,
    ) -> Result<Arc<dyn Connection>, OpenError> {
        Err(OpenError { reason: "this build receives and does not send yet".to_owned() })
    }
}
