//! What WhatsApp's refusals mean for a message.

use frontdesk_channels::contract::{Retry, Scope, SendError};
use whatsapp_rust::{ClientError, SendError as NotSent};

/// Nothing went out and nothing will, as it is.
pub(crate) fn cannot(code: &str, shown: impl Into<String>) -> SendError {
    SendError {
        certain: true,
        retry: Retry::Never,
        scope: Scope::Message,
        reconnect: false,
        used_up: false,
        code: code.to_owned(),
        http_status: None,
        shown: shown.into(),
        action: None,
        source: None,
    }
}

/// Nothing went out; trying again may help.
pub(crate) fn later(code: &str, shown: impl Into<String>) -> SendError {
    SendError { retry: Retry::OnSchedule, action: Some("retry"), ..cannot(code, shown) }
}

/// Whether it went out nobody knows: WhatsApp did not say.
pub(crate) fn no_answer() -> SendError {
    SendError { certain: false, ..later("TIMEOUT", "WhatsApp did not say whether it took the message.") }
}

/// What the library says before anything is acknowledged. Past the encryption it may have written to the socket, so only what is refused
/// before counts as certain.
pub(crate) fn not_sent(error: NotSent) -> SendError {
    match &error {
        NotSent::NotLoggedIn | NotSent::Client(ClientError::NotConnected | ClientError::NotLoggedIn) => {
            SendError { source: Some(Box::new(error)), ..SendError::not_connected() }
        }
        NotSent::InvalidRequest(_) => SendError {
            source: Some(Box::new(error)),
            ..cannot("INVALID", "WhatsApp cannot carry this message.")
        },
        // A question to the server (devices, keys) failed: the message itself comes after it.
        NotSent::Iq(_) => SendError {
            source: Some(Box::new(error)),
            ..later("NO_KEYS", "WhatsApp did not tell the devices of the recipient.")
        },
        _ => SendError { source: Some(Box::new(error)), ..no_answer() },
    }
}

/// WhatsApp's server refused the message, by its code.
pub(crate) fn refused(code: &str) -> SendError {
    let (shown, retry) = match code {
        "400" => ("WhatsApp refused the message as malformed (400).", Retry::Never),
        "403" | "406" => {
            ("WhatsApp refused the message: it may not be sent to this recipient.", Retry::Never)
        }
        "404" => ("WhatsApp does not know the recipient (404).", Retry::Never),
        "429" => ("WhatsApp says that this number sends too much (429).", Retry::AfterMs(60_000)),
        "463" => (
            "WhatsApp refused the message (463): this number may not write first to people who do not know it.",
            Retry::Never,
        ),
        "479" | "500" | "503" => ("WhatsApp could not take the message at present.", Retry::OnSchedule),
        _ => ("WhatsApp refused the message.", Retry::Never),
    };
    let shown =
        if shown.contains(code) { shown.to_owned() } else { format!("{shown} Code {}.", short(code)) };
    SendError { retry, ..cannot(&format!("NACK_{}", short(code)), shown) }
}

fn short(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}

/// A question failed that sends nothing to anybody.
pub(crate) fn unanswered(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SendError {
    SendError { source: Some(error.into()), ..later("NO_ANSWER", "WhatsApp did not answer.") }
}

/// The file of a message cannot be read here.
pub(crate) fn unreadable_file(error: std::io::Error) -> SendError {
    SendError { source: Some(Box::new(error)), ..cannot("FILE", "The file of this message cannot be read.") }
}

/// WhatsApp's servers did not take a file. The message was not sent.
pub(crate) fn not_uploaded(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SendError {
    SendError { source: Some(error.into()), ..later("UPLOAD", "WhatsApp's servers did not take the file.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_code_and_is_certain() {
        for code in ["400", "463", "479", "999"] {
            let error = refused(code);
            assert!(
                error.certain && error.shown.contains(code) && error.code == format!("NACK_{code}"),
                "{code}"
            );
        }
        assert_eq!(refused("4\n63; drop").code, "NACK_463drop");
    }

    #[test]
    fn silence_is_never_certain() {
        assert!(!no_answer().certain);
        assert!(!not_sent(NotSent::Internal(whatsapp_rust::anyhow::anyhow!("socket closed"))).certain);
        assert!(not_sent(NotSent::NotLoggedIn).certain);
    }
}
