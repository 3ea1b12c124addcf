//! Signing an instance in with its phone, and asking who is on WhatsApp.

use async_trait::async_trait;
use frontdesk_green_api_client::ChatId;
use frontdesk_green_api_client::methods::account::Qr;

use super::errors::{cannot_carry, send_error};
use super::outbound::Instance;
use crate::contract::{Directory, LinkStep, Linking, Retry, SendError};

#[async_trait]
impl Linking for Instance {
    async fn step(&self) -> Result<LinkStep, SendError> {
        Ok(match self.ask().qr().await.map_err(send_error)? {
            Qr::Code(picture) => LinkStep::Scan(picture),
            Qr::AlreadyLogged => LinkStep::Linked,
            Qr::Error(why) => {
                let why: String = why.chars().take(200).collect();
                LinkStep::Wait(format!("Green API has no code yet: {why}"))
            }
        })
    }

    async fn sign_out(&self) -> Result<(), SendError> {
        done(self.ask().logout().await.map_err(send_error)?, "sign the phone out")
    }

    async fn restart(&self) -> Result<(), SendError> {
        done(self.ask().reboot().await.map_err(send_error)?, "restart the instance")
    }
}

fn done(done: bool, what: &str) -> Result<(), SendError> {
    if done {
        return Ok(());
    }
    Err(SendError {
        retry: Retry::OnSchedule,
        code: "NOT_DONE".to_owned(),
        ..cannot_carry(format!("Green API did not {what}; try again in a minute."))
    })
}

#[async_trait]
impl Directory for Instance {
    async fn is_reachable(&self, phone: &str) -> Result<bool, SendError> {
        let chat = ChatId::of_phone(phone)
            .map_err(|_| cannot_carry("The number needs its country code, as +15550100002."))?;
        let found = self.ask().check_whatsapp(&chat).await.map_err(send_error)?;
        Ok(found.exists_whatsapp)
    }
}
