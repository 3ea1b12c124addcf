//! Finds, among what a team has answered before, what fits a customer's question: no key, no network, no I/O.
//!
//! An [`Index`] holds the pairs of one account. A question is looked at in three ways: by stems (BM25), by runs of letters,
//! which forgive typos, and by meaning, with a static table of words in many languages that lies in the program. The looks
//! are brought to one scale and added; replies that say the same are one answer, for which their pairs vote; what nobody
//! is sure of is not said. What was told to one customer alone is shown to no other (`private.rs`).
//!
//! What is measured, and how to measure on your own questions: docs/suggestions.md. To teach the table anew: `teach/`.

mod centre;
mod contexts;
mod evaluate;
mod facts;
mod index;
mod letters;
mod packed;
mod pair;
mod postings;
mod private;
mod rank;
mod register;
mod spelling;
mod suggest;
mod table;
mod text;
mod typed;
mod vote;

pub use evaluate::{EvaluateError, Labelled, Report, evaluate};
pub use facts::{Fact, FactKind, Personal, facts, personal};
pub use index::Index;
pub use pair::{Ask, Pair, Suggestion};
pub use suggest::SILENT_BELOW;
