//! The list of channels: one line each. Routes, the set-up form, the contract tests and the list on the page follow
//! from it.

use crate::contract::{Channel, Door};

/// Every channel of this build.
pub static CHANNELS: &[&dyn Channel] = &[
    &crate::whatsapp_cloud::WhatsAppCloud,
    &crate::messenger::Messenger,
    &crate::instagram::Instagram,
    &crate::green_api::GreenApi,
    &crate::whatsapp_gateway::WhatsAppGateway,
    &crate::linked_whatsapp::LinkedWhatsApp,
    &crate::chatwoot::Chatwoot,
];

/// Finds a channel by its name.
pub fn find_channel(name: &str) -> Option<&'static dyn Channel> {
    CHANNELS.iter().copied().find(|c| c.info().name == name)
}

/// Every door once, in the order of the channels.
pub fn doors() -> Vec<&'static dyn Door> {
    let mut doors: Vec<&'static dyn Door> = Vec::new();
    for door in CHANNELS.iter().filter_map(|c| c.door()) {
        if doors.iter().all(|d| d.path() != door.path()) {
            doors.push(door);
        }
    }
    doors
}
