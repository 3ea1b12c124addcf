//! The facts in a text: numbers, amounts, addresses, codes. For whoever passes texts on and must not pass those.

use std::ops::Range;

use crate::index::Index;
use crate::private::Said;
use crate::table::Table;
use crate::typed;
pub use crate::typed::Kind as FactKind;

/// A stretch of a text that states a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What it is.
    pub kind: FactKind,
}

/// The facts of a text, in order, without overlap.
#[must_use]
pub fn facts(text: &str) -> Vec<Fact> {
    typed::stretches(text).into_iter().map(|(range, kind)| Fact { range, kind }).collect()
}

impl Index {
    /// Whether the team itself tells everybody this: it was said to several customers, or stands in a text for everybody.
    /// `fact` is the stretch as it stands in a text.
    #[must_use]
    pub fn tells_everybody(&self, fact: &str) -> bool {
        self.replies.tells_everybody(fact)
    }
}

/// What in a text may belong to one person: facts, and words that may be names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What it is; `None`: a name.
    pub kind: Option<FactKind>,
}

/// What in a text may belong to one person, in order, without overlap. `names` are what that person is called.
#[must_use]
pub fn personal(text: &str, names: &[String]) -> Vec<Personal> {
    let trimmed = text.trim_start();
    let offset = text.len() - trimmed.len();
    Said::new(text, names, Table::built_in().as_ref())
        .parts()
        .map(|(range, slot)| Personal {
            range: range.start + offset..range.end + offset,
            kind: FactKind::ALL.into_iter().find(|kind| kind.slot() == slot),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_facts_are_found_where_they_stand() {
        let text = "  Oi, sou a Maria, meu telefone é (11) 98765-4321";
        let found: Vec<(&str, Option<FactKind>)> =
            personal(text, &[]).into_iter().map(|part| (&text[part.range], part.kind)).collect();
        assert_eq!(found, [("Maria", None), ("(11) 98765-4321", Some(FactKind::Phone))]);
    }
}
