//! One line of the doctor's report.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All is well.
    Ok,
    /// It works, but look at it.
    Warn,
    /// Something does not work. The command ends with 1.
    Fail,
}

/// What a check found.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What was looked at: a fixed word for machines.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// A sentence for people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, message: message.into(), action: None }
    }

    /// It works, but look at it.
    pub fn warn(check: &'static str, message: impl Into<String>, action: impl Into<String>) -> Self {
        Self { check, level: Level::Warn, message: message.into(), action: Some(action.into()) }
    }

    /// It does not work.
    pub fn fail(check: &'static str, message: impl Into<String>, action: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, message: message.into(), action: Some(action.into()) }
    }
}

/// An error with its causes, as one sentence.
pub fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        write!(f, "{level}  {:<10}  {}", self.check, self.message)?;
        match &self.action {
            Some(action) => write!(f, "\n                  -> {action}"),
            None => Ok(()),
        }
    }
}
