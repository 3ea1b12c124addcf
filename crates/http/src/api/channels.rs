//! The channels of this build: what can be connected, and what has to be filled in.

use axum::Json;
use axum::extract::State;
use frontdesk_channels::contract::Field;
use frontdesk_channels::registry::CHANNELS;
use frontdesk_engine::inboxes;
use frontdesk_routes::{Gather, routes};
use serde::Serialize;

use crate::auth::SignedIn;
use crate::state::HttpState;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(list_channels))
}

/// A kind of network.
#[derive(Serialize, utoipa::ToSchema)]
struct Channel {
    /// The stable name: `whatsapp_cloud`.
    name: &'static str,
    /// The name for people.
    label: &'static str,
    /// The platform word of conversations: `whatsapp`.
    platform: &'static str,
    /// What has to be filled in to connect.
    #[schema(value_type = Vec<ChannelField>)]
    fields: &'static [Field],
    /// Where its provider delivers webhooks; null when it has none.
    #[schema(required = true)]
    webhook_url: Option<String>,
    /// Behind each inbox stands a phone, which has to be linked.
    phone: bool,
    /// A sync makes its inboxes, which show those of another program: no form does.
    mirrored: bool,
    /// Its page in the documentation.
    docs: &'static str,
}

/// One field of the set-up form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes Field, whose crate knows nothing of HTTP")]
struct ChannelField {
    /// The settings key.
    key: String,
    /// The name for people.
    label: String,
    /// Where to find the value.
    help: String,
    /// Never shown again once stored.
    secret: bool,
    /// The inbox cannot work without it.
    required: bool,
    /// What its value looks like, as a regular expression.
    #[schema(required = true)]
    pattern: Option<String>,
}

/// All channels of this build.
#[derive(Serialize, utoipa::ToSchema)]
struct Channels {
    data: Vec<Channel>,
}

/// Lists the channels of this build.
#[utoipa::path(get, path = "/api/v1/channels", tag = "inboxes", security(("token" = [])),
    responses((status = 200, body = Channels)))]
async fn list_channels(State(state): State<HttpState>, _caller: SignedIn) -> Json<Channels> {
    let data = CHANNELS.iter().map(|channel| {
        let info = channel.info();
        Channel {
            name: info.name,
            label: info.label,
            platform: info.platform,
            fields: info.fields,
            webhook_url: inboxes::webhook_url(&state.engine, *channel),
            phone: info.phone,
            mirrored: info.mirrored,
            docs: info.docs,
        }
    });
    Json(Channels { data: data.collect() })
}
