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

use frontdesk_model::capabilities::{Capabilities, TextLimit, TextUnit};
use frontdesk_model::contact::IdentityKind;
use frontdesk_model::inbox::{InboxConfig, InboxSettings};

use crate::contract::{
    Channel, ChannelContext, ChannelInfo, Connection, Door, Field, FieldError, OpenError, OwnKeys,
};
use crate::meta::messaging::outbound::Account;
use crate::meta::messaging::{Kind, Network};
use crate::meta::{self, fields};

const INSTAGRAM_ID: &str = "instagram_id";

/// What tells it apart from its sister.
pub(crate) static NETWORK: Network = Network {
    kind: Kind::Instagram,
    channel: "instagram",
    label: "Instagram",
    identity: IdentityKind::Igsid,
    own_app: "Instagram app",
    text_max: TextLimit { count: 1000, unit: TextUnit::Bytes },
    hearts_only: true,
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
            pattern: fields::ID_PATTERN,
        },
        fields::access_token(
            "The same page, Generate token. A token of the Page the account is linked to works as well (Instagram by \
             Facebook Login); it begins with EAA.",
        ),
        fields::OWN_APP_SECRET,
        fields::OWN_VERIFY_TOKEN,
    ],
    phone: false,
    mirrored: false,
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

    fn own_keys(&self, settings: &InboxSettings) -> OwnKeys {
        fields::own_keys(settings)
    }

    fn check_settings(&self, settings: &InboxSettings) -> Result<(), Vec<FieldError>> {
        fields::check(INFO.fields, &[INSTAGRAM_ID], settings)
    }

    fn open(&self, context: &ChannelContext, inbox: &InboxConfig) -> Result<Arc<dyn Connection>, OpenError> {
        let id = fields::id(&inbox.settings, INSTAGRAM_ID)
            .ok_or_else(|| OpenError { reason: "the Instagram account ID is missing".to_owned() })?;
        let me = "me".to_owned();
        let by_instagram = is_by_instagram(&inbox.settings);
        let (base_url, checked) = if by_instagram {
            // Here the account's own id is another than the one webhooks write; the token knows whose it is.
            (&context.providers.meta_instagram_url, me.clone())
        } else {
            (&context.providers.meta_graph_url, id.clone())
        };
        let client = meta::account::open(context, inbox, base_url)?;
        // By Facebook Login it is the Page that sends, whose id is not asked for: its token says it.
        Ok(Arc::new(Account { network: &NETWORK, client, sender: me, checked, id }))
    }
}

/// True for an account connected by Instagram Login, whose tokens begin with `IG`; those of Pages begin with `EA`.
fn is_by_instagram(settings: &InboxSettings) -> bool {
    settings.get(fields::ACCESS_TOKEN).is_some_and(|token| token.trim().starts_with("IG"))
}
