//! How a server knows who calls.

use std::fmt;

use secrecy::SecretString;

/// What calls are made with. Never shown.
#[derive(Clone)]
pub enum Access {
    /// A token that somebody was given. When the server no longer takes it, nothing but another one helps.
    Token(SecretString),
    /// An account of the server: tokens are had for it, and had anew when they expire.
    Login {
        /// Its e-mail address.
        email: String,
        /// Its password.
        password: SecretString,
    },
}

impl Access {
    /// True when a token that expired can be replaced without a person.
    pub fn can_renew(&self) -> bool {
        matches!(self, Self::Login { .. })
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Access::Token",
            Self::Login { .. } => "Access::Login",
        })
    }
}
