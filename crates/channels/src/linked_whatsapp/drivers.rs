//! The programs that speak to WhatsApp: one line each. Which one an inbox uses, it says by name.

use frontdesk_model::inbox::InboxSettings;

use super::{fields, simulated};
use crate::contract::{ChannelContext, DriverKind, OpenError};

/// The drivers of this crate; the first is that of inboxes that name none. A build may hand over more, which stand apart for their
/// licence or size.
static DRIVERS: &[&dyn DriverKind] = &[&simulated::Simulated];

/// The driver that an inbox asks for, else that of the settings file, else the first.
pub(super) fn find(
    context: &ChannelContext,
    settings: &InboxSettings,
) -> Result<&'static dyn DriverKind, OpenError> {
    let mut all = DRIVERS.iter().chain(&context.providers.linked.drivers).copied();
    let usual = Some(context.providers.linked.driver.as_str()).filter(|name| !name.is_empty());
    let found = match fields::text(settings, fields::DRIVER).or(usual) {
        Some(name) => all.find(|kind| kind.info().name == name).ok_or(name),
        None => all.next().ok_or("any"),
    };
    found.map_err(|name| none(context, name))
}

fn none(context: &ChannelContext, name: &str) -> OpenError {
    let all = DRIVERS.iter().chain(&context.providers.linked.drivers);
    let known: Vec<&str> = all.map(|kind| kind.info().name).collect();
    let hint = if name == "native" { " (it is in builds with the feature linked-whatsapp)" } else { "" };
    OpenError {
        reason: format!(
            "this program has no driver {name}{hint} for linked phones, only: {}",
            known.join(", ")
        ),
    }
}
