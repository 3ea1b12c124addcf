//! What the state of a session means for its inbox.

use frontdesk_model::Timestamp;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_whatsapp_gateway_client::answer::SessionStatus;

use super::content::short;

/// What to do about a session nobody is signed in on.
pub(super) const SCAN: &str = "Open this inbox, and scan the code with the phone: WhatsApp, Linked devices.";

/// The state of an inbox whose session is in this state. `detail` is the server's own word.
pub(super) fn state_of(
    status: &SessionStatus,
    detail: Option<&str>,
    reason: Option<&str>,
) -> ConnectionState {
    let state = |code, message: String| ConnectionState::new(code, message);
    let because = match reason.map(|reason| short(reason).trim()).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!(" The server says: {reason}"),
        None => String::new(),
    };
    match detail.map(str::to_ascii_lowercase).as_deref() {
        Some("banned") => {
            return state(ConnectionCode::Paused, format!("WhatsApp banned the number.{because}"))
                .with_action("Ask WhatsApp for a review in the app on the phone, or link another number.");
        }
        Some("qr" | "qr_expired" | "code" | "challenge" | "scan_qr_code" | "pairing") => {
            return state(
                ConnectionCode::Reconnect,
                "The session waits for its code to be scanned.".to_owned(),
            )
            .with_action(SCAN);
        }
        Some("logged_out" | "created") => {
            return state(ConnectionCode::Reconnect, format!("No phone is linked to the session.{because}"))
                .with_action(SCAN);
        }
        // The server brings it back by itself; what is sent meanwhile waits there.
        Some("reconnecting" | "syncing" | "starting") => {
            return state(ConnectionCode::Connecting, "The session is being connected.".to_owned());
        }
        _ => {}
    }
    match status {
        SessionStatus::Connected => state(ConnectionCode::Connected, "Connected.".to_owned()),
        SessionStatus::Connecting => state(
            ConnectionCode::Connecting,
            "The session is being connected, or waits for its code.".to_owned(),
        )
        .with_action(SCAN),
        SessionStatus::Disconnected => {
            state(ConnectionCode::Reconnect, format!("The session is not connected.{because}"))
                .with_action(SCAN)
        }
        SessionStatus::Other(word) => {
            state(ConnectionCode::Degraded, format!("The server says the session is \"{}\".", short(word)))
                .with_action("Look at the session on that server.")
        }
    }
}

/// The same, as a webhook told it.
pub(super) fn told(
    status: &SessionStatus,
    detail: Option<&str>,
    reason: Option<&str>,
    at: Option<Timestamp>,
) -> ConnectionState {
    ConnectionState { since: at, ..state_of(status, detail, reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_while_nobody_is_signed_in() {
        let code = |word: &str, detail| state_of(&SessionStatus::of(word), detail, None).code;
        assert_eq!(code("connected", None), ConnectionCode::Connected);
        assert_eq!(code("connecting", None), ConnectionCode::Connecting);
        assert_eq!(code("connecting", Some("qr")), ConnectionCode::Reconnect);
        assert_eq!(code("disconnected", None), ConnectionCode::Reconnect);
        assert_eq!(code("disconnected", Some("banned")), ConnectionCode::Paused);
        assert_eq!(code("dreaming", None), ConnectionCode::Degraded);
    }
}
