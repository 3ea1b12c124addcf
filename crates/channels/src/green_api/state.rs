//! What the state of an instance means for its inbox.

use frontdesk_green_api_client::InstanceState;
use frontdesk_model::Timestamp;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};

/// What to do about an instance nobody is signed in on.
pub(super) const SCAN: &str = "Open this inbox, and scan the code with the phone: WhatsApp, Linked devices.";

/// The state of an inbox whose instance is in this state.
pub(super) fn state_of(instance: &InstanceState) -> ConnectionState {
    let state = |code, message: &str| ConnectionState::new(code, message);
    match instance {
        InstanceState::Authorized => state(ConnectionCode::Connected, "Connected."),
        InstanceState::NotAuthorized => {
            state(ConnectionCode::Reconnect, "No phone is linked to the instance.").with_action(SCAN)
        }
        InstanceState::Blocked => state(ConnectionCode::Paused, "WhatsApp banned the number.")
            .with_action("Ask WhatsApp for a review in the app on the phone, or link another number."),
        InstanceState::YellowCard => {
            state(ConnectionCode::Paused, "WhatsApp restricts sending for a while, because it suspects spam.")
                .with_action("Wait some hours and restart the instance. What is queued is sent then.")
        }
        InstanceState::SleepMode => {
            state(ConnectionCode::Degraded, "The phone is switched off or has been offline for long.")
                .with_action("Switch the phone on and connect it to the internet.")
        }
        InstanceState::Starting => {
            state(ConnectionCode::Connecting, "The instance is starting; this takes up to five minutes.")
        }
        InstanceState::Other(word) => {
            let word = super::content::short(word);
            ConnectionState::new(
                ConnectionCode::Degraded,
                format!("Green API says the instance is \"{word}\"."),
            )
            .with_action("Look at the instance in the Green API console.")
        }
    }
}

/// The same, as a notification told it. Its time is in whole seconds: what happened may have happened at the end of one.
pub(super) fn told(instance: &InstanceState, at: Timestamp) -> ConnectionState {
    let since = (at.as_millis() > 0).then(|| at.plus_ms(999));
    ConnectionState { since, ..state_of(instance) }
}
