//! Messenger and Instagram: one language, two networks.
//!
//! | file | what it is for |
//! |---|---|
//! | [`inbound`] | their events in our words |
//! | [`content`] | what one message says |

mod content;
pub(crate) mod inbound;

use frontdesk_model::contact::IdentityKind;

/// What differs between the two.
#[derive(Debug)]
pub(crate) struct Network {
    /// The channel's name.
    pub(crate) channel: &'static str,
    /// Its name for people.
    pub(crate) label: &'static str,
    /// How it calls a customer.
    pub(crate) identity: IdentityKind,
    /// Where an echo was written that names no app.
    pub(crate) own_app: &'static str,
}
