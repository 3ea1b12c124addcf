//! Signing a session in with its phone: the gateway's code on our screen.

use async_trait::async_trait;
use frontdesk_whatsapp_gateway_client::calls::sessions::QrAnswer;
use frontdesk_whatsapp_gateway_client::{GatewayCallError, RefusalKind};

use super::errors::send_error;
use super::outbound::RemoteSession;
use crate::contract::{LinkStep, Linking, SendError};

const SOON: &str = "The gateway has no code yet. It comes in a moment.";
const NO_PICTURE: &str = "The gateway gives its code as text only: scan it on that server.";

#[async_trait]
impl Linking for RemoteSession {
    async fn step(&self) -> Result<LinkStep, SendError> {
        let qr = match self.ask().qr().await {
            // A session that was signed out is gone on some servers.
            Err(error) if error.is(RefusalKind::NotFound) => {
                self.make().await.map_err(send_error)?;
                return Ok(LinkStep::Wait(SOON.to_owned()));
            }
            answered => answered.map_err(send_error)?,
        };
        Ok(match qr {
            QrAnswer::Connected => LinkStep::Linked,
            QrAnswer::None => LinkStep::Wait(SOON.to_owned()),
            QrAnswer::Code(qr) => match qr.image {
                Some(picture) => LinkStep::Scan(picture),
                None => LinkStep::Wait(NO_PICTURE.to_owned()),
            },
        })
    }

    async fn sign_out(&self) -> Result<(), SendError> {
        self.ask().delete_session().await.map_err(send_error)
    }

    /// There is no call for it: a session that is asked for again is connected anew.
    async fn restart(&self) -> Result<(), SendError> {
        self.make().await.map_err(send_error)
    }
}

impl RemoteSession {
    /// Makes the session. One that is there already is refused by some servers and connected by others: both will do.
    pub(super) async fn make(&self) -> Result<(), GatewayCallError> {
        match self.ask().create_session(None, None).await {
            Err(error) if error.is(RefusalKind::Invalid) || error.is(RefusalKind::Conflict) => Ok(()),
            made => made.map(drop),
        }
    }
}
