//! What tells who somebody is does not leave: `[[P1]]` goes out in its place, and what stands for it comes back.

use frontdesk_model::crm::variables::Values;
use frontdesk_store::contacts::ContactRow;
use frontdesk_suggest::{FactKind, personal};

/// Shorter parts of a name are words like others.
const SHORTEST_NAME: usize = 2;
/// Shorter values are not looked for in the midst of a text.
const SHORTEST_VALUE: usize = 4;
/// From so many digits on a number may name somebody.
const LONG_NUMBER: usize = 4;

/// What was taken out of texts, and what stands in its place.
#[derive(Debug, Default)]
pub(super) struct Mask {
    names: Vec<String>,
    /// What is known of the customer, folded.
    known: Vec<String>,
    taken: Vec<String>,
}

impl Mask {
    /// A mask for what is said with this customer. `known` is what is noted of them.
    pub(super) fn new(contact: Option<&ContactRow>, known: &Values) -> Self {
        let mut mask = Self::default();
        let Some(contact) = contact else { return mask };
        mask.names.extend(contact.name.clone());
        let values = contact.email.iter().chain(contact.phone.iter()).chain(known.values());
        mask.known = values
            .map(|value| value.trim().to_lowercase())
            .filter(|value| value.chars().count() >= SHORTEST_VALUE)
            .collect();
        if let Some(name) = &contact.name {
            mask.known.push(name.trim().to_lowercase());
        }
        mask.known.retain(|value| !value.is_empty());
        // The longest first: a name before its parts.
        mask.known.sort_by_key(|value| std::cmp::Reverse(value.len()));
        mask.known.dedup();
        mask
    }

    /// The text as it may leave.
    pub(super) fn hide(&mut self, text: &str) -> String {
        // Nobody writes our marks.
        let text = text.replace('[', "(").replace(']', ")");
        let mut ranges: Vec<std::ops::Range<usize>> = personal(&text, &self.names)
            .into_iter()
            .filter(|part| match part.kind {
                None
                | Some(
                    FactKind::Mail | FactKind::Link | FactKind::Address | FactKind::Phone | FactKind::Code,
                ) => true,
                Some(FactKind::Number) => digits(&text[part.range.clone()]) >= LONG_NUMBER,
                Some(FactKind::Money | FactKind::Date | FactKind::Time) => false,
            })
            .map(|part| part.range)
            .collect();
        ranges.extend(self.names.iter().flat_map(|name| words_of(&text, name)));
        ranges.extend(self.known.iter().flat_map(|value| places_of(&text, value)));
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut hidden = String::with_capacity(text.len());
        let mut done = 0;
        let mut ranges = ranges.into_iter().peekable();
        while let Some(mut range) = ranges.next() {
            while let Some(next) = ranges.next_if(|next| next.start < range.end) {
                range.end = range.end.max(next.end);
            }
            hidden.push_str(&text[done..range.start]);
            hidden.push_str(&self.mark(&text[range.clone()]));
            done = range.end;
        }
        hidden.push_str(&text[done..]);
        hidden
    }

    fn mark(&mut self, value: &str) -> String {
        let at = self.taken.iter().position(|taken| taken == value).unwrap_or_else(|| {
            self.taken.push(value.to_owned());
            self.taken.len() - 1
        });
        format!("[[P{}]]", at + 1)
    }

    /// The text with what its marks stand for; `None` when it has a mark that stands for nothing.
    pub(super) fn put_back(&self, text: &str) -> Option<String> {
        let mut whole = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("[[") {
            let (mark, behind) = after.split_once("]]")?;
            let number: usize = mark.strip_prefix('P')?.parse().ok()?;
            whole.push_str(before);
            whole.push_str(self.taken.get(number.checked_sub(1)?)?);
            rest = behind;
        }
        whole.push_str(rest);
        Some(whole)
    }
}

fn digits(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

/// Where the parts of a name stand as words, in whatever case.
fn words_of(text: &str, name: &str) -> Vec<std::ops::Range<usize>> {
    let parts: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| part.chars().count() >= SHORTEST_NAME)
        .map(str::to_lowercase)
        .collect();
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if parts.contains(&text[from..at].to_lowercase()) {
                    found.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Where a value stands, in whatever case; `value` is in lower case.
fn places_of(text: &str, value: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for start in starts {
        let mut wanted = value.chars();
        let mut next = wanted.next();
        let mut end = start;
        for c in text[start..].chars() {
            let mut same = next.is_some();
            for lower in c.to_lowercase() {
                same = same && next == Some(lower);
                next = wanted.next();
            }
            if !same {
                break;
            }
            end += c.len_utf8();
            if next.is_none() {
                found.push(start..end);
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        Mask {
            names: vec!["Rosa Lima".to_owned()],
            known: vec!["rosa@casa.example".to_owned(), "vila mariana".to_owned()],
            taken: Vec::new(),
        }
    }

    #[test]
    fn what_tells_who_somebody_is_goes_out_as_marks_and_comes_back() {
        let mut mask = mask();
        let text =
            "sou a rosa, CPF 529.982.247-25, moro na Vila Mariana, Rua das Flores 12, ligue (11) 98765-4321";
        let hidden = mask.hide(text);
        for secret in ["rosa", "529", "982", "Mariana", "Flores", "98765"] {
            assert!(!hidden.contains(secret), "{secret} in {hidden}");
        }
        assert_eq!(mask.put_back(&hidden).as_deref(), Some(text));
        assert_eq!(mask.hide("Rosa e rosa"), "[[P6]] e [[P1]]".replace("[[P6]]", &mask.mark("Rosa")));
    }

    #[test]
    fn amounts_and_days_stay_and_long_numbers_do_not() {
        let hidden = mask().hide("Quero 2 quartos dia 12/05 por R$ 300, cartão 4111 1111 1111 1111");
        assert_eq!(hidden, "Quero 2 quartos dia 12/05 por R$ 300, cartão [[P1]]");
    }

    #[test]
    fn marks_that_stand_for_nothing_are_not_put_back() {
        let mut mask = mask();
        assert_eq!(mask.hide("say [[x]]"), "say ((x))");
        for wrong in ["[[P1]]", "[[P0]]", "[[x]]", "[[P1"] {
            assert_eq!(mask.put_back(wrong), None, "{wrong}");
        }
    }
}
