//! The programs that speak to WhatsApp: one line each. Which one an inbox uses, it says by name.

use std::sync::Arc;

use frontdesk_model::inbox::InboxSettings;

use super::{fields, simulated};
use crate::contract::{ChannelContext, DriverInfo, OpenError, SessionDriver, SessionOpening};

/// A kind of driver.
pub(super) trait DriverKind: Send + Sync {
    /// What it is.
    fn info(&self) -> &'static DriverInfo;

    /// Makes the driver of one session. Connects nothing.
    fn open(
        &self,
        context: &ChannelContext,
        opening: SessionOpening,
    ) -> Result<Arc<dyn SessionDriver>, OpenError>;
}

/// Every driver of this build; the first is that of inboxes that name none.
static DRIVERS: &[&dyn DriverKind] = &[&simulated::Simulated];

/// The driver that an inbox asks for, else that of the settings file, else the first.
pub(super) fn find(
    context: &ChannelContext,
    settings: &InboxSettings,
) -> Result<&'static dyn DriverKind, OpenError> {
    let usual = Some(context.providers.linked.driver.as_str()).filter(|name| !name.is_empty());
    let Some(name) = fields::text(settings, fields::DRIVER).or(usual) else {
        return DRIVERS.first().copied().ok_or_else(|| none("any"));
    };
    DRIVERS.iter().copied().find(|kind| kind.info().name == name).ok_or_else(|| none(name))
}

fn none(name: &str) -> OpenError {
    let known: Vec<&str> = DRIVERS.iter().map(|kind| kind.info().name).collect();
    OpenError {
        reason: format!("this program has no driver {name} for linked phones, only: {}", known.join(", ")),
    }
}
