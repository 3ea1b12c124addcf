//! What the client is told. The settings are the client's own.

pub use frontdesk_chatwoot_client::endpoints::Endpoints;
pub use frontdesk_chatwoot_client::{CacheSettings, ChatwootSettings, WebhookSettings};
pub use frontdesk_provider_http::AddressPolicy;
