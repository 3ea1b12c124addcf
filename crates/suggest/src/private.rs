//! What belongs to one customer and is shown to no other.
//!
//! A number, an address, a code or a name in a reply is private until it was said to three different customers: what one
//! customer alone was told is that customer's, what many were told is the team's own. The customer's own name is never
//! shown. In place of what is private stands a slot, as `{{amount}}`, for the agent to fill.

mod replies;
mod words;

use std::ops::Range;

use crate::table::{Known, Table};
use crate::text::{fold, word_ranges};
use crate::typed;
pub(crate) use replies::Replies;
use words::{
    AFTER_GREETINGS, BEFORE_COMMAS, BEFORE_NAMES, BEFORE_PEOPLE, BETWEEN_NAME_AND_NAME, CODES, DOUBTFUL,
    INTRODUCTIONS, IS, NAMES_OF_NAMES, PARTICLES, PASSWORDS,
};

const NAME_SLOT: &str = "{{name}}";
const FIRST_NAME_SLOT: &str = "{{first_name}}";

/// A reply, and where in it something private may stand.
#[derive(Debug)]
pub(crate) struct Said {
    text: Box<str>,
    private: Vec<Private>,
    /// What is in it is the team's own, in whatever other reply it stands too.
    for_everybody: bool,
}

#[derive(Debug)]
struct Private {
    start: u32,
    end: u32,
    slot: Slot,
    /// What it is, however it is written. `None`: the customer's own name, which never becomes the team's.
    key: Option<String>,
}

/// What stands in the place of something private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Slot {
    Kind(typed::Kind),
    Name,
    FirstName,
}

impl Slot {
    fn text(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.slot(),
            Self::Name => NAME_SLOT,
            Self::FirstName => FIRST_NAME_SLOT,
        }
    }

    fn is_name(self) -> bool {
        matches!(self, Self::Name | Self::FirstName)
    }
}

impl Said {
    /// Looks a reply over. Without a table every word is taken for unknown.
    pub(crate) fn new(reply: &str, contact_names: &[String], table: Option<&Table>) -> Self {
        let text = reply.trim();
        let own: Vec<String> = contact_names
            .iter()
            .map(|name| fold(name))
            .flat_map(|name| word_ranges(&name).into_iter().map(|at| name[at].to_owned()).collect::<Vec<_>>())
            .filter(|part| part.chars().count() >= 2 && !PARTICLES.contains(&part.as_str()))
            .collect();
        let mut private = Vec::new();
        let mut done = 0;
        for (range, kind) in typed::stretches(text) {
            names(text, done..range.start, &own, table, &mut private);
            private.push(Private::new(&range, Slot::Kind(kind), Some(key(&text[range.clone()]))));
            done = range.end;
        }
        names(text, done..text.len(), &own, table, &mut private);
        Self { text: text.into(), private, for_everybody: false }
    }

    /// Where something private may stand, and what slot it would get.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Range<usize>, &'static str)> + '_ {
        self.private.iter().map(|part| (part.start as usize..part.end as usize, part.slot.text()))
    }

    /// A text that was written for everybody.
    pub(crate) fn for_everybody(reply: &str, table: Option<&Table>) -> Self {
        Self { for_everybody: true, ..Self::new(reply, &[], table) }
    }
}

impl Private {
    fn new(range: &Range<usize>, slot: Slot, key: Option<String>) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(range.start), end: place(range.end), slot, key }
    }
}

/// Letters and digits alone: `+55 11 9` and `55119` are the same number.
fn key(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The words of `text` in `range` that may name somebody.
fn names(text: &str, range: Range<usize>, own: &[String], table: Option<&Table>, into: &mut Vec<Private>) {
    let mut before: [String; 2] = Default::default();
    let mut end_before = range.start;
    let mut name_before = false;
    for at in word_ranges(&text[range.clone()]) {
        let at = range.start + at.start..range.start + at.end;
        let word = &text[at.clone()];
        let folded = fold(word);
        let between = &text[end_before..at.start];
        // "Hello! Your order": what stands in the next sentence is not greeted.
        let after_greeting = BEFORE_NAMES.contains(&before[1].as_str())
            && between.chars().all(|c| c == ' ' || c == ',' || c == '.');
        let is_said_to_be_one = introduces(&before, between);
        let capital = word.chars().next().is_some_and(char::is_uppercase);
        let known = table.map_or(Known::Unknown, |table| table.known(word));
        let is_small_word = table.is_some_and(|table| table.is_small_word(&folded));
        let is_own = own.contains(&folded) && (capital || after_greeting || !is_small_word);
        let may_be_one =
            folded.chars().count() >= 2 && !is_small_word && !AFTER_GREETINGS.contains(&folded.as_str());
        let is_named = folded.chars().count() >= 2
            && match known {
                Known::Name => true,
                Known::Word if capital && starts_sentence(text, at.start) => {
                    after_greeting
                        || (text[at.end..].starts_with(',') && !BEFORE_COMMAS.contains(&folded.as_str()))
                }
                // "Baik kak, mohon ditunggu": behind a comma goes on what is told.
                Known::Word if (after_greeting && !between.contains(',')) || is_said_to_be_one => {
                    capital || may_be_one
                }
                Known::Word => capital,
                Known::Unknown => {
                    capital
                        || after_greeting
                        || is_said_to_be_one
                        || (name_before && between == " ")
                        || (BEFORE_PEOPLE.contains(&before[1].as_str()) && between == " ")
                }
            };
        let is_secret = is_told_as_secret(&before, between, known, is_small_word);
        name_before = false;
        if is_own {
            into.push(Private::new(&at, Slot::FirstName, None));
            name_before = true;
        } else if is_secret {
            into.push(Private::new(&at, Slot::Kind(typed::Kind::Code), Some(folded.clone())));
        } else if is_named && !BEFORE_NAMES.contains(&folded.as_str()) {
            let slot = if after_greeting { Slot::FirstName } else { Slot::Name };
            into.push(Private::new(&at, slot, Some(folded.clone())));
            name_before = true;
        }
        let [_, last] = before;
        before = [last, folded];
        end_before = at.end;
    }
}

/// Whether the words before one say that it is a name: "in the name of", "atas nama", "nome: ".
fn introduces(before: &[String; 2], between: &str) -> bool {
    let [first, last] = before.each_ref().map(String::as_str);
    let follows_on = between.chars().all(|c| c == ' ' || c == ':');
    let is_label = NAMES_OF_NAMES.contains(&last);
    follows_on
        && ((is_label && (between.contains(':') || last == "nama"))
            || (NAMES_OF_NAMES.contains(&first) && BETWEEN_NAME_AND_NAME.contains(&last))
            || INTRODUCTIONS.contains(&(first, last)))
}

/// Whether a word is told as a password is, or a code of letters alone.
fn is_told_as_secret(before: &[String; 2], between: &str, known: Known, is_small_word: bool) -> bool {
    let [first, last] = before.each_ref().map(String::as_str);
    let by_sign = between.trim() == ":" || between.trim() == "=";
    let by_word = between == " " && IS.contains(&last);
    let word = if by_sign { last } else { first };
    if !(by_sign || by_word) || is_small_word {
        return false;
    }
    PASSWORDS.contains(&word) || (CODES.contains(&word) && (by_sign || known != Known::Word))
}

/// What customers call themselves in what they wrote: "my name is anna keller", "sou o joão", "nama saya budi".
pub(crate) fn called(text: &str, table: Option<&Table>) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<(Range<usize>, String)> =
            word_ranges(line).into_iter().map(|at| (at.clone(), fold(&line[at]))).collect();
        for end in 2..words.len() {
            let (first, last) = (words[end - 2].1.as_str(), words[end - 1].1.as_str());
            let is_name = INTRODUCTIONS.contains(&(first, last))
                || (NAMES_OF_NAMES.contains(&first) && BETWEEN_NAME_AND_NAME.contains(&last));
            if !is_name {
                continue;
            }
            // A name and what follows it; articles before it are skipped.
            let mut parts = 0;
            for (at, (range, word)) in words.iter().enumerate().skip(end) {
                let stops = at > end && line[words[at - 1].0.end..range.start].trim() != "";
                if stops || parts == 3 {
                    break;
                }
                if PARTICLES.contains(&word.as_str()) || ["o", "a", "is", "saya"].contains(&word.as_str()) {
                    continue;
                }
                let known = table.map_or(Known::Unknown, |table| table.known(word));
                let is_small = table.is_some_and(|table| table.is_small_word(word));
                // "I am looking for": an ordinary word is a name only where the words before it leave no doubt.
                let is_doubtful = DOUBTFUL.contains(&(first, last));
                if is_small || (known == Known::Word && (is_doubtful || parts > 0)) {
                    break;
                }
                found.push(word.clone());
                parts += 1;
            }
        }
    }
    found
}

/// Whether a word at `at` has its capital from its place alone.
fn starts_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t', '"', '\'', '(', '*', '_', '¿', '¡', '“', '‘']);
    before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != ',')
}

/// Puts the customer's first name where another's stood.
pub(crate) fn address(text: &str, first_name: Option<&str>) -> String {
    match first_name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => text.replace(FIRST_NAME_SLOT, name),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reply: &str, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let said = Said::new(reply, &names, Table::built_in().as_ref());
        let mut replies = Replies::default();
        let reply = replies.add(1, said);
        replies.show(reply).0
    }

    #[test]
    fn what_one_customer_was_told_becomes_a_slot() {
        let reply = "Oi Maria, seu pedido #8841 de R$ 120,00 chega em 12/05. Para falar: (11) 98765-4321 ou ana@loja.com.br";
        let expected = "Oi {{first_name}}, seu pedido {{code}} de {{amount}} chega em {{date}}. Para falar: {{phone}} ou {{email}}";
        assert_eq!(shown(reply, &["Maria da Silva"]), expected);
        assert_eq!(shown(reply, &[]), expected);
    }

    #[test]
    fn names_are_hidden_however_they_are_written() {
        assert_eq!(shown("Obrigado, maria!", &["Maria"]), "Obrigado, {{first_name}}!");
        assert_eq!(shown("halo kak Siti, sudah dikirim", &[]), "halo kak {{first_name}}, sudah dikirim");
        let long = shown("We told Maria Aparecida dos Santos already", &[]);
        assert_eq!(long, "We told {{name}} already");
        assert_eq!(shown("Budi, sudah dikirim ya", &[]), "{{name}}, sudah dikirim ya");
        assert_eq!(shown("The code is XKJQ-PLMW", &[]), "The code is {{code}}-{{name}}");
    }

    #[test]
    fn the_customers_own_names_are_hidden_in_any_case_and_place() {
        // Ordinary words all of them, in small letters, far from any greeting.
        for (name, reply) in [
            ("Rosa Bela", "certo rosa bela, seu pedido saiu"),
            ("GRACE HOPE", "we have sent it, grace, with hope"),
            ("Pastor Mark", "tell mark the room is ready"),
        ] {
            let shown = shown(reply, &[name]);
            for part in name.split(' ').map(fold) {
                assert!(
                    !shown.split(|c: char| !c.is_alphanumeric()).any(|word| word == part),
                    "{name}: {shown}"
                );
            }
        }
        // A name that is a little word of the language would make holes everywhere.
        assert_eq!(shown("we have sent it to you", &["You And It"]), "we have sent it to you");
    }

    #[test]
    fn names_in_small_letters_are_hidden_where_somebody_is_meant() {
        for reply in [
            "dear anna, it is on its way",
            "obrigado joão, saiu hoje",
            "oi rosa, saiu hoje",
            "hello grace! it is on its way",
            "halo kak melati, sudah dikirim",
            "reservado em nome de rosa",
            "the booking is under the name of grace",
            "pesanan atas nama melati sudah dikirim",
            "recipient: grace",
            "it goes to zulmirha now",
            "we gave it to anna kellerova",
        ] {
            let shown = shown(reply, &[]);
            for name in ["anna", "joão", "rosa", "grace", "melati", "zulmirha", "kellerova"] {
                assert!(!shown.contains(name), "{reply}: {shown}");
            }
        }
    }

    #[test]
    fn secrets_of_letters_alone_are_hidden() {
        for (reply, secret) in [
            ("a senha é girassol, anote", "girassol"),
            ("your password is sunflower", "sunflower"),
            ("kata sandi: melati", "melati"),
            ("your code is xkjqplm", "xkjqplm"),
            ("placa: abc 1d23", "abc"),
        ] {
            let shown = shown(reply, &[]);
            assert!(shown.contains("{{code}}") && !shown.contains(secret), "{reply}: {shown}");
        }
        assert_eq!(shown("the code is sent by mail", &[]), "the code is sent by mail");
    }

    #[test]
    fn what_customers_call_themselves_is_read() {
        let table = Table::built_in();
        let called = |text| called(text, table.as_ref());
        assert_eq!(called("hi, my name is grace kellerova, where is it?"), ["grace", "kellerova"]);
        assert_eq!(called("meu nome é rosa da silva"), ["rosa", "silva"]);
        assert_eq!(called("oi, eu sou o zulmirho"), ["zulmirho"]);
        assert_eq!(called("nama saya melati"), ["melati"]);
        assert_eq!(called("I am looking for my parcel, this is about it"), Vec::<String>::new());
    }

    #[test]
    fn ordinary_words_stay() {
        for reply in [
            "Hello! Your order is on its way.",
            "Claro, já estou verificando. Um momento, por favor.",
            "Baik kak, mohon ditunggu ya. Pesanan sedang dikemas.",
        ] {
            assert_eq!(shown(reply, &["Budi"]), reply);
        }
    }

    #[test]
    fn the_slot_of_a_first_name_takes_the_name_of_who_is_there_now() {
        assert_eq!(address("Oi {{first_name}}!", Some("Ana")), "Oi Ana!");
        assert_eq!(address("Oi {{first_name}}!", None), "Oi {{first_name}}!");
    }
}
