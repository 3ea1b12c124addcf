//! Facebook Messenger: one inbox is one Page.
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

use frontdesk_model::capabilities::{Capabilities, TextLimit, TextUnit};
use frontdesk_model::contact::IdentityKind;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

use crate::contract::{
    Channel, ChannelContext, ChannelInfo, Connection, Door, Field, FieldError, OpenError, OwnKeys,
};
use crate::meta::messaging::outbound::Account;
use crate::meta::messaging::{Kind, Network};
use crate::meta::{self, fields};

const PAGE_ID: &str = "page_id";

/// What tells it apart from its sister.
pub(crate) static NETWORK: Network = Network {
    kind: Kind::Messenger,
    channel: "messenger",
    label: "Messenger",
    identity: IdentityKind::Psid,
    own_app: "another app",
    text_max: TextLimit { count: 2000, unit: TextUnit::Characters },
    hearts_only: false,
};

static INFO: ChannelInfo = ChannelInfo {
    name: "messenger",
    label: "Facebook Messenger",
    platform: "facebook",
    fields: &[
        Field {
            key: PAGE_ID,
            label: "Page ID",
            help: "The Page, About, Page transparency; or Meta app dashboard, Messenger, Messenger API Settings.",
            secret: false,
            required: true,
            pattern: fields::ID_PATTERN,
        },
        fields::access_token(
            "Meta app dashboard, Messenger, Messenger API Settings: the token of the Page, with pages_messaging and \
             pages_manage_metadata.",
        ),
        fields::OWN_APP_SECRET,
        fields::OWN_VERIFY_TOKEN,
    ],
    phone: false,
    mirrored: false,
    docs: "docs/channels/messenger.md",
};

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(limits::capabilities);

/// Facebook Messenger.
#[derive(Debug)]
pub struct Messenger;

impl Channel for Messenger {
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
        fields::id(settings, PAGE_ID)
    }

    fn own_keys(&self, settings: &InboxSettings) -> OwnKeys {
        fields::own_keys(settings)
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(INFO.fields, &[PAGE_ID], settings)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        let id = fields::id(&inbox.settings, PAGE_ID)
            .ok_or_else(|| OpenError { reason: "the Page ID is missing".to_owned() })?;
        let client = meta::account::open(context, inbox, &context.providers.meta_graph_url)?;
        Ok(Arc::new(Account { network: &NETWORK, client, sender: id.clone(), checked: id.clone(), id }))
    }
}
