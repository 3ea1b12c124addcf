//! Why a job was not done, and what that means for it.

use frontdesk_chatwoot_client::{ChatwootError, ErrorCode};
use frontdesk_store::StoreError;

use crate::sync::connections::ConnectionError;

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// Something has to come first; this does not count as a try.
    #[error("it waits {0} ms")]
    Wait(i64),
    /// It may go well later.
    #[error("{0}")]
    Later(String, u64),
    /// People have to do something about the bridge first.
    #[error("{0}")]
    People(String),
    /// The thing it is about is not there.
    #[error("{0}")]
    Gone(String),
    /// It will never go well.
    #[error("{0}")]
    Refused(String),
    /// Another worker has it.
    #[error("another worker has taken it")]
    Lost,
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl Trouble {
    /// What a connection that cannot be used means.
    pub(super) fn connection(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Store(error) => Self::Store(error),
            ConnectionError::NotFound => {
                Self::People("Its connection was removed: remove the bridge too.".to_owned())
            }
            error => Self::People(error.to_string()),
        }
    }
}

impl From<ChatwootError> for Trouble {
    fn from(error: ChatwootError) -> Self {
        let sentence = said(&error);
        match error.code() {
            ErrorCode::Unauthorized | ErrorCode::Forbidden => Self::People(sentence),
            _ if error.is_retryable() || !error.certain() => {
                let wait = error.retry_after().map_or(0, |wait| wait.as_millis());
                Self::Later(sentence, u64::try_from(wait).unwrap_or(u64::MAX))
            }
            ErrorCode::NotFound => Self::Gone(sentence),
            _ => Self::Refused(sentence),
        }
    }
}

/// What people read of it.
pub(super) fn said(error: &ChatwootError) -> String {
    match error.code() {
        ErrorCode::Unauthorized => {
            "Chatwoot does not take the token: give the connection a new access token of an administrator.".to_owned()
        }
        ErrorCode::Forbidden => {
            "Chatwoot does not allow this: the token of the connection has to be an administrator's of this account, \
             an agent's is not enough."
                .to_owned()
        }
        _ => format!("Chatwoot: {}", error.message()),
    }
}
