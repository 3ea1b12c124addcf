//! The JSON API: one file per noun, each with its routes, requests, answers and handlers.

pub mod audit;
pub mod channels;
pub mod chatwoot;
pub mod contacts;
mod conversation_filter;
pub mod conversations;
pub mod crm;
pub(crate) mod envelope;
pub mod gateway;
pub mod inbox;
pub mod inbox_link;
pub mod inboxes;
pub mod media;
pub mod messages;
pub mod monitoring;
pub mod pusher;
pub mod realtime;
pub mod replies;
mod reply_body;
pub mod session;
pub mod suggestions;
pub mod sync;
pub mod templates;
pub mod tokens;
pub mod users;
pub mod webhook_logs;
pub mod webhooks;
