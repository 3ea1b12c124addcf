//! How the fake language model behaves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// How the fake language model behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenaiSettings {
    /// The only key that is taken; null: any that is not empty.
    pub api_key: Option<String>,
    /// The only model there is.
    pub model: String,
    /// What it writes.
    pub manner: Manner,
    /// `usage.total_tokens` of each answer; null: a quarter of the characters it was sent.
    pub total_tokens: Option<i64>,
    /// Whether answers carry `usage`.
    pub tells_usage: bool,
    /// More characters than this are refused as too long a context; null: never.
    pub context_characters: Option<usize>,
    /// Wait between two pieces of a stream, in milliseconds.
    pub piece_ms: u64,
    /// A stream breaks off after so many pieces; null: it does not.
    pub cut_after_pieces: Option<usize>,
    /// The next answers, in order, whatever is asked.
    pub answers: Vec<PreparedAnswer>,
    /// Streams whose reader went away before their end, so far.
    pub abandoned_streams: u64,
}

impl Default for OpenaiSettings {
    fn default() -> Self {
        Self {
            api_key: None,
            model: "sandbox-1".to_owned(),
            manner: Manner::Helpful,
            total_tokens: None,
            tells_usage: true,
            context_characters: None,
            piece_ms: 0,
            cut_after_pieces: None,
            answers: Vec::new(),
            abandoned_streams: 0,
        }
    }
}

/// What the fake language model writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Manner {
    /// Polite answers that use every `[[…]]` it was sent.
    Helpful,
    /// Whatever anybody in what it was sent told it to, and what they wrote, word for word.
    Obey,
    /// These texts.
    Write {
        /// The texts.
        drafts: Vec<String>,
    },
}

/// An answer that was prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreparedAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body: text as it is, everything else as JSON.
    #[serde(default)]
    pub body: Value,
}
