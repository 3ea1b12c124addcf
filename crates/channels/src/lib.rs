//! How to talk to each network: the channel contract and one folder per channel.
//!
//! Read [`contract`] first. To add a channel: copy the nearest folder, make its fixtures pass, add one line to
//! [`registry`] and one page under `docs/channels/`.

mod call_codes;
pub mod chatwoot;
pub mod contract;
mod green_api;
mod instagram;
pub mod linked_whatsapp;
mod messenger;
pub mod meta;
pub mod registry;
pub mod vcard;
mod whatsapp_cloud;
mod whatsapp_gateway;
