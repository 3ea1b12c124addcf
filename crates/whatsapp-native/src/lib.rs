//! The native driver of linked WhatsApp sessions: this server as one more linked device of a phone, over the crate `whatsapp-rust`.
//!
//! Only a server that is built with the feature `linked-whatsapp` contains it (ADR 21 says why: the licence of what stands below, and the
//! risk that WhatsApp bans a number). Read [`backend`] for what is kept, [`driver`] for what can be asked of a session, `session` for how
//! one runs, `inbound` and `compose` for what messages become.

pub mod backend;
mod compose;
mod content;
pub mod driver;
pub mod endpoint;
mod errors;
mod inbound;
mod media;
mod people;
mod session;

use std::sync::Arc;

use frontdesk_channels::contract::{
    ChannelContext, DriverInfo, DriverKind, OpenError, SessionDriver, SessionOpening,
};

/// The driver, for the list of those that a server has.
#[derive(Debug)]
pub struct Native;

static INFO: DriverInfo = DriverInfo { name: "native", label: "WhatsApp itself", is_real: true };

impl DriverKind for Native {
    fn info(&self) -> &'static DriverInfo {
        &INFO
    }

    fn open(
        &self,
        context: &ChannelContext,
        opening: SessionOpening,
    ) -> Result<Arc<dyn SessionDriver>, OpenError> {
        let endpoint = endpoint::Endpoint::default();
        Ok(Arc::new(driver::NativeDriver::new(context.clock.clone(), endpoint, opening)))
    }
}
