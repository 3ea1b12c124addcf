//! Texts with variables: `Halo {{first_name|kak}}!`. No logic, and never a brace that reaches a customer by accident.

use std::collections::BTreeMap;

/// The longest name of a variable.
const MAX_NAME: usize = 60;

/// A text with its variables found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Variable { name: String, default: Option<String> },
}

/// A text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// `{{` without `}}`, or the other way round.
    #[error("it has {{{{ or }}}} without its counterpart")]
    Unpaired,
    /// What stands between the braces is no name.
    #[error("{{{{{0}}}}} is no variable: names have letters, digits, points and underscores")]
    Name(String),
}

/// Variables without a value and without a default, each once, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no value for {}", .0.join(", "))]
pub struct Missing(pub Vec<String>);

/// What variables stand for.
pub type Values = BTreeMap<String, String>;

impl Text {
    /// Finds the variables of a text.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((plain, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}").ok_or(Unreadable::Unpaired)?;
            push_plain(&mut pieces, plain)?;
            pieces.push(variable(inside)?);
            rest = behind;
        }
        push_plain(&mut pieces, rest)?;
        Ok(Self { pieces })
    }

    /// The names of its variables, each once, in their order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for piece in &self.pieces {
            if let Piece::Variable { name, .. } = piece
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The names of those that have no default somewhere: without a value the text cannot be filled in.
    pub fn required(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for piece in &self.pieces {
            if let Piece::Variable { name, default: None } = piece {
                names.push(name.as_str());
            }
        }
        names
    }

    /// The text filled in. An empty value is none. What a value holds is not looked through for variables again.
    pub fn fill(&self, values: &Values) -> Result<String, Missing> {
        let (mut filled, mut missing) = (String::new(), Vec::<String>::new());
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => filled.push_str(text),
                Piece::Variable { name, default } => {
                    let value = values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
                    match value.or(default.as_deref()) {
                        Some(value) => filled.push_str(value),
                        None if missing.contains(name) => {}
                        None => missing.push(name.clone()),
                    }
                }
            }
        }
        if missing.is_empty() { Ok(filled) } else { Err(Missing(missing)) }
    }
}

fn push_plain(pieces: &mut Vec<Piece>, text: &str) -> Result<(), Unreadable> {
    if text.contains("}}") || text.contains("{{") {
        return Err(Unreadable::Unpaired);
    }
    if !text.is_empty() {
        pieces.push(Piece::Plain(text.to_owned()));
    }
    Ok(())
}

fn variable(inside: &str) -> Result<Piece, Unreadable> {
    let (name, default) = match inside.split_once('|') {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (inside.trim(), None),
    };
    let is_name = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
    if !is_name || inside.contains('{') || inside.contains('}') {
        return Err(Unreadable::Name(inside.trim().chars().take(MAX_NAME).collect()));
    }
    let default = default.filter(|default| !default.is_empty()).map(str::to_owned);
    Ok(Piece::Variable { name: name.to_owned(), default })
}

/// How somebody is addressed: the first word of their name. `None` for a name that is a number.
pub fn first_name(name: &str) -> Option<&str> {
    let first = name.split_whitespace().next()?;
    first.chars().any(char::is_alphabetic).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn filled(text: &str, pairs: &[(&str, &str)]) -> Result<String, Missing> {
        Text::parse(text).unwrap().fill(&values(pairs))
    }

    #[test]
    fn variables_are_filled_in() {
        let text = "Halo {{ first_name }}! {{agent}} di sini.";
        assert_eq!(
            filled(text, &[("first_name", "Siti"), ("agent", "Ada")]).unwrap(),
            "Halo Siti! Ada di sini."
        );
        assert_eq!(filled("{{1}} + {{2}} = {{1}}", &[("1", "a"), ("2", "b")]).unwrap(), "a + b = a");
        assert_eq!(filled("{a} } {", &[]).unwrap(), "{a} } {", "single braces are plain text");
        assert_eq!(filled("", &[]).unwrap(), "");
    }

    #[test]
    fn a_default_stands_in_for_what_is_empty() {
        assert_eq!(filled("Hi {{first_name|friend}}", &[]).unwrap(), "Hi friend");
        assert_eq!(filled("Hi {{first_name | friend}}", &[("first_name", "  ")]).unwrap(), "Hi friend");
        assert_eq!(filled("Hi {{first_name|friend}}", &[("first_name", "Ana")]).unwrap(), "Hi Ana");
    }

    #[test]
    fn without_value_and_default_nothing_is_filled_in() {
        let missing = filled("{{a}} {{b|x}} {{c}} {{a}} {{d|}}", &[("c", "")]).unwrap_err();
        assert_eq!(missing, Missing(vec!["a".to_owned(), "c".to_owned(), "d".to_owned()]));
        assert_eq!(missing.to_string(), "there is no value for a, c, d");
    }

    #[test]
    fn a_value_is_not_looked_through_again() {
        assert_eq!(filled("{{name}}", &[("name", "{{agent}}"), ("agent", "x")]).unwrap(), "{{agent}}");
    }

    #[test]
    fn broken_braces_are_refused() {
        for text in ["{{", "}}", "a {{name", "name}} b", "{{a}} }}", "{{a}} {{b"] {
            assert_eq!(Text::parse(text), Err(Unreadable::Unpaired), "{text}");
        }
        for text in ["{{}}", "{{ }}", "{{a b}}", "{{#if x}}", "{{{a}}}", "{{|x}}", "{{ä}}"] {
            assert!(Text::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_told_once() {
        let text = Text::parse("{{b}} {{a|x}} {{b}}").unwrap();
        assert_eq!(text.names(), ["b", "a"]);
        assert_eq!(text.required(), ["b", "b"]);
    }

    #[test]
    fn a_number_is_no_name_to_address_somebody_by() {
        assert_eq!(first_name("Siti Aminah"), Some("Siti"));
        assert_eq!(first_name("+62 813"), None);
        assert_eq!(first_name("  "), None);
    }
}
