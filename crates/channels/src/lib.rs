//! How to talk to each network: the channel contract and one folder per channel.
//!
//! Read [`contract`] first. To add a channel: copy the nearest folder, make its fixtures pass, add one line to
//! [`registry`] and one page under `docs/channels/`.

pub mod contract;
pub mod registry;
