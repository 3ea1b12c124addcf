//! The calls of a [`crate::GreenClient`], one file per part of Green API's own reference. Requests and answers are named
//! and shaped as there.

pub mod account;
pub mod chats;
pub mod contacts;
pub mod groups;
pub mod journals;
pub mod queues;
pub mod receiving;
pub mod sending;

use serde::Deserialize;

/// `{"idMessage": "..."}`: the message is in Green API's queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    /// Its id; the echo and every status carry it.
    pub id_message: String,
}
