//! How letters about alerts leave.

pub use lettre::message::Mailbox;
use serde::Deserialize;

/// The mail server that takes letters about alerts.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// Its name; empty: no letters.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: MailEncryption,
    /// Who signs in; empty: nobody does.
    pub username: String,
    /// With what. Secret: never logged.
    pub password: String,
    /// Who the letters are from.
    pub from: String,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailEncryption {
    /// It begins in the open and must change over before anything is said.
    Starttls,
    /// From the first byte.
    Tls,
    /// Not at all: for a server on the same machine.
    None,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            encryption: MailEncryption::Starttls,
            username: String::new(),
            password: String::new(),
            from: String::new(),
        }
    }
}

impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}
