//! Sessions: phones that are linked to this server itself.

use serde::{Deserialize, Serialize};

use crate::inbox::{ConnectionCode, ConnectionState};

crate::words! {
    /// How far a session is.
    pub enum SessionState {
        /// Made, and nothing was tried yet.
        Created = "created",
        /// The driver is being started.
        Starting = "starting",
        /// A QR code waits to be scanned.
        Qr = "qr",
        /// Nobody scanned the codes while they held; ask for new ones.
        QrExpired = "qr_expired",
        /// A pairing code waits to be typed on the phone.
        Code = "code",
        /// The network asks for a proof (a passkey) before it links the phone.
        Challenge = "challenge",
        /// Linked; the phone hands over what it has.
        Syncing = "syncing",
        /// Works.
        Connected = "connected",
        /// It dropped, and is being brought back.
        Reconnecting = "reconnecting",
        /// Stopped by people here.
        Disconnected = "disconnected",
        /// The phone unlinked it; it has to be scanned again.
        LoggedOut = "logged_out",
        /// The network banned the number for a while.
        Banned = "banned",
        /// It was brought back too often in vain.
        Failed = "failed",
    }
}

crate::words! {
    /// The three states that simple clients know.
    pub enum SessionStatus {
        /// It sends and receives.
        Connected = "connected",
        /// It will, or wants to be scanned.
        Connecting = "connecting",
        /// Somebody has to do something first.
        Disconnected = "disconnected",
    }
}

impl SessionState {
    /// The same in the words of simple clients.
    pub const fn status(self) -> SessionStatus {
        match self {
            Self::Connected => SessionStatus::Connected,
            Self::Created
            | Self::Starting
            | Self::Qr
            | Self::Code
            | Self::Challenge
            | Self::Syncing
            | Self::Reconnecting => SessionStatus::Connecting,
            Self::QrExpired | Self::Disconnected | Self::LoggedOut | Self::Banned | Self::Failed => {
                SessionStatus::Disconnected
            }
        }
    }

    /// A phone has to be linked before anything else.
    pub const fn wants_phone(self) -> bool {
        matches!(self, Self::Qr | Self::QrExpired | Self::Code | Self::Challenge | Self::LoggedOut)
    }

    /// Nothing goes on by itself until somebody asks for it.
    pub const fn is_at_rest(self) -> bool {
        matches!(self, Self::Created | Self::QrExpired | Self::Disconnected | Self::LoggedOut | Self::Failed)
    }

    /// The state of the inbox behind such a session. `reason`: what is told beside it, for people.
    pub fn connection(self, reason: Option<&str>) -> ConnectionState {
        let said = |sentence: &str| match reason {
            Some(reason) if !reason.is_empty() => format!("{sentence} {reason}"),
            _ => sentence.to_owned(),
        };
        let scan = "Scan the QR code with the phone.";
        match self {
            Self::Connected => ConnectionState::new(ConnectionCode::Connected, "The phone is linked."),
            Self::Created => {
                ConnectionState::new(ConnectionCode::Reconnect, "No phone is linked yet.").with_action(scan)
            }
            Self::Starting | Self::Syncing => {
                ConnectionState::new(ConnectionCode::Connecting, said("The session is being connected."))
            }
            Self::Qr => ConnectionState::new(ConnectionCode::Reconnect, "A QR code waits to be scanned.")
                .with_action(scan),
            Self::QrExpired => {
                ConnectionState::new(ConnectionCode::Reconnect, "Nobody scanned the QR code while it held.")
                    .with_action("Ask for another code and scan it.")
            }
            Self::Code => ConnectionState::new(
                ConnectionCode::Reconnect,
                "A pairing code waits to be typed on the phone.",
            )
            .with_action("Type the code on the phone."),
            Self::Challenge => ConnectionState::new(
                ConnectionCode::Reconnect,
                "WhatsApp asks for a proof before it links the phone.",
            )
            .with_action("Confirm on the phone."),
            Self::Reconnecting => ConnectionState::new(
                ConnectionCode::Unreachable,
                said("The session dropped and is being brought back."),
            ),
            Self::Disconnected => {
                ConnectionState::new(ConnectionCode::Paused, said("The session was disconnected."))
                    .with_action("Connect it again.")
            }
            Self::LoggedOut => {
                ConnectionState::new(ConnectionCode::Reconnect, said("The phone unlinked this session."))
                    .with_action(scan)
            }
            Self::Banned => {
                ConnectionState::new(ConnectionCode::Paused, said("WhatsApp banned this number for a while."))
                    .with_action("Wait until the ban is over, and send less.")
            }
            Self::Failed => ConnectionState::new(
                ConnectionCode::Reconnect,
                said("The session could not be brought back."),
            )
            .with_action("Restart the session."),
        }
    }
}

/// Whose phone is linked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkedPhone {
    /// Its number in E.164.
    pub phone: Option<String>,
    /// WhatsApp's own id of it, `…@lid`.
    pub lid: Option<String>,
    /// The name its owner gave.
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connected_session_is_told_as_connected() {
        for state in SessionState::ALL {
            let is_connected = *state == SessionState::Connected;
            assert_eq!(state.status() == SessionStatus::Connected, is_connected, "{state:?}");
            assert_eq!(state.connection(None).code == ConnectionCode::Connected, is_connected, "{state:?}");
            assert!(is_connected || !state.connection(None).message.is_empty());
        }
    }

    #[test]
    fn a_reason_is_told_beside_the_state() {
        let told = SessionState::Banned.connection(Some("Until 12:00."));
        assert_eq!(told.message, "WhatsApp banned this number for a while. Until 12:00.");
    }
}
