//! How a gateway names the chat with somebody: ids of chats are its own, so it is asked.

use frontdesk_model::outbound::Recipient;
use frontdesk_whatsapp_gateway_client::{GatewayCallError, GatewayClient};

use super::{compose, people};

/// Chats looked through.
const MOST: u32 = 50;

/// The chat with somebody; what it is written to by where the gateway lists none of theirs.
pub(super) async fn find(client: &GatewayClient, to: &Recipient) -> Result<String, GatewayCallError> {
    let phone = compose::phone(to);
    let chats = client.chats("all", Some(&phone), MOST).await?;
    let is_theirs = |of: Option<&str>| of.is_some_and(|of| of == phone || people::number(of) == Some(&phone));
    let found = chats.into_iter().find(|chat| is_theirs(chat.phone.as_deref()) || is_theirs(Some(&chat.id)));
    Ok(found.map_or(phone, |chat| chat.id))
}
