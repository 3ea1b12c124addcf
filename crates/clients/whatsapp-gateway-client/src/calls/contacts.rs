//! What the server knows of numbers.

use crate::answer::{self, Contact};
use crate::client::GatewayClient;
use crate::error::{GatewayCallError, RefusalKind};

impl GatewayClient {
    /// Who has a number.
    pub async fn contact(&self, phone: &str) -> Result<Contact, GatewayCallError> {
        Ok(Contact::read(&self.get("contact", &["contacts", phone], &[]).await?))
    }

    /// Whether a number is on WhatsApp; `None` when the server does not say.
    pub async fn check(&self, phone: &str) -> Result<Option<bool>, GatewayCallError> {
        Ok(answer::is_registered(&self.get("check_number", &["contacts", phone, "check"], &[]).await?))
    }

    /// The address of somebody's picture; `None` when there is none.
    pub async fn picture(&self, phone: &str) -> Result<Option<String>, GatewayCallError> {
        match self.get("picture", &["contacts", phone, "picture"], &[]).await {
            Ok(answer) => Ok(answer::picture(&answer)),
            Err(error) if error.is(RefusalKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
