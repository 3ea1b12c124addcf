//! The record of donors beside the chat: gifts and what they come to, notes, reminders, texts to answer with, the welcome.
//!
//! [`people`] finds who a number belongs to, [`figures`] counts, [`profile`] shows all of it. What goes on in the
//! background is in [`worker`].

pub mod chats;
pub mod dashboard;
pub mod donations;
pub mod donors;
pub mod export;
mod figures;
pub mod import;
pub mod merges;
pub mod notes;
pub mod people;
pub mod profile;
pub mod quick_replies;
pub mod reminders;
pub mod settings;
mod sheet;
pub mod templates;
mod welcome;
mod worker;

pub use people::Key;
pub use worker::catch_up;
pub(crate) use worker::run;

use frontdesk_store::StoreError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// There is no such thing in this account.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Fields and what is wrong with them.
    #[error("the data are not valid")]
    Invalid(Vec<(String, String)>),
    /// It does not go with what is there.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else's, and the caller is no administrator.
    #[error("only its author or an administrator may change this")]
    NotYours,
    /// The database failed.
    #[error("the change could not be stored")]
    Store(#[from] StoreError),
}

impl CrmError {
    /// One wrong field.
    fn invalid(field: &str, sentence: impl Into<String>) -> Self {
        Self::Invalid(vec![(field.to_owned(), sentence.into())])
    }
}

/// Collects what is wrong with fields.
#[derive(Default)]
struct Check(Vec<(String, String)>);

impl Check {
    fn must(&mut self, holds: bool, field: &str, sentence: impl Into<String>) {
        if !holds {
            self.0.push((field.to_owned(), sentence.into()));
        }
    }

    /// A text of 1 to `max` characters, without white space around it.
    fn text(&mut self, field: &str, text: &str, max: usize) -> String {
        let text = text.trim();
        self.must(!text.is_empty(), field, format!("The {field} field is required."));
        self.must(
            text.chars().count() <= max,
            field,
            format!("The {field} field must not be greater than {max} characters."),
        );
        text.to_owned()
    }

    /// A text of at most `max` characters; an empty one is none.
    fn maybe(&mut self, field: &str, text: Option<&str>, max: usize) -> Option<String> {
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        Some(self.text(field, text, max))
    }

    fn done(self) -> Result<(), CrmError> {
        if self.0.is_empty() { Ok(()) } else { Err(CrmError::Invalid(self.0)) }
    }
}
