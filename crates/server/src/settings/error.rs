//! Why settings cannot be used. No variant holds the value of a secret.

use std::path::PathBuf;

/// Settings that cannot be used. The program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings file {} cannot be read", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: this is not valid TOML: {message}")]
    Syntax {
        /// File and line.
        place: String,
        /// What the parser says, without the text it stumbled on.
        message: String,
    },
    /// A key that does not exist.
    #[error("{place}: there is no setting called {key}{}", nearest.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        place: String,
        /// The key found.
        key: String,
        /// The known key most like it.
        nearest: Option<String>,
    },
    /// A value that cannot be used.
    #[error("{place}: {key} must be {expected}, but it is {found}")]
    Value {
        /// The file or the variable.
        place: String,
        /// The setting.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is: the kind only, for a secret.
        found: String,
    },
    /// Two variables set the same thing.
    #[error("{one} and {other} set the same thing: unset one of them")]
    Twice {
        /// A variable.
        one: String,
        /// Another.
        other: String,
    },
    /// A variable is not UTF-8.
    #[error("the value of {variable} is not text")]
    NotText {
        /// Which one.
        variable: String,
    },
    /// A file with a secret cannot be read.
    #[error("{variable} names {}, which cannot be read", path.display())]
    SecretFile {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The key is unusable; see `secret_key`.
    #[error("{place}: the secret key must be 64 hex digits; make one with: openssl rand -hex 32")]
    Key {
        /// Where it came from.
        place: String,
    },
    /// A log filter that cannot be read.
    #[error("log.filter (FRONTDESK_LOG) cannot be read; expected something like info,frontdesk_engine=debug")]
    LogFilter(#[source] tracing_subscriber::filter::ParseError),
}
