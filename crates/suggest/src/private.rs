//! What belongs to one customer and is shown to no other.
//!
//! A number, an address, a code or a name in a reply is private until it was said to three different customers: what one
//! customer alone was told is that customer's, what many were told is the team's own. The customer's own name is never
//! shown. In place of what is private stands a slot, as `{{amount}}`, for the agent to fill.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::table::{Known, Table};
use crate::text::{fold, word_ranges};
use crate::typed;

/// To so many different customers the same must have been said to be the team's own.
const MANY: usize = 3;
const NAME_SLOT: &str = "{{name}}";
const FIRST_NAME_SLOT: &str = "{{first_name}}";

/// After these comes a name, folded.
const BEFORE_NAMES: &[&str] = &[
    "oi", "ola", "hi", "hello", "hey", "dear", "halo", "hai", "hola", "querido", "querida", "caro", "cara",
    "prezado", "prezada", "pak", "bu", "bapak", "ibu", "kak", "kakak", "mas", "mbak", "bang", "sr", "sra",
    "senhor", "senhora", "dona", "mr", "mrs", "ms", "miss", "senor", "senora", "estimado", "estimada",
    "thanks", "obrigado", "obrigada",
];
/// Words with which a sentence begins and which a comma follows, folded. Any other there is a name: `Budi, sudah dikirim`.
const BEFORE_COMMAS: &[&str] = &[
    "sim",
    "nao",
    "yes",
    "no",
    "ok",
    "okay",
    "claro",
    "certo",
    "baik",
    "well",
    "sure",
    "great",
    "perfect",
    "perfeito",
    "entendi",
    "pronto",
    "ya",
    "tidak",
    "maaf",
    "desculpe",
    "sorry",
    "so",
    "then",
    "hoje",
    "amanha",
    "today",
    "tomorrow",
    "besok",
    "entao",
    "bom",
    "beleza",
    "siap",
    "tentu",
    "si",
    "perfecto",
    "listo",
    "lo",
    "infelizmente",
    "unfortunately",
    "please",
    "welcome",
    "here",
    "also",
    "otherwise",
    "however",
    "besides",
    "sayangnya",
    "untuk",
    "infelizmente",
    "lamentablemente",
    "mohon",
    "terima",
    "gracias",
    "boa",
    "otimo",
    "good",
];
/// Between the parts of a name.
const PARTICLES: &[&str] =
    &["da", "de", "do", "dos", "das", "e", "di", "del", "la", "van", "von", "bin", "binti"];

/// A reply, and where in it something private may stand.
#[derive(Debug)]
pub(crate) struct Said {
    text: Box<str>,
    private: Box<[Private]>,
    /// What is in it is the team's own, in whatever other reply it stands too.
    for_everybody: bool,
}

#[derive(Debug)]
struct Private {
    start: u32,
    end: u32,
    slot: &'static str,
    /// What it is, however it is written. `None`: the customer's own name, which never becomes the team's.
    key: Option<Box<str>>,
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
            private.push(Private::new(&range, kind.slot(), Some(key(&text[range.clone()]))));
            done = range.end;
        }
        names(text, done..text.len(), &own, table, &mut private);
        Self { text: text.into(), private: private.into(), for_everybody: false }
    }

    /// Where something private may stand, and what slot it would get.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Range<usize>, &'static str)> + '_ {
        self.private.iter().map(|part| (part.start as usize..part.end as usize, part.slot))
    }

    /// A text that was written for everybody.
    pub(crate) fn for_everybody(reply: &str, table: Option<&Table>) -> Self {
        Self { for_everybody: true, ..Self::new(reply, &[], table) }
    }
}

impl Private {
    fn new(range: &Range<usize>, slot: &'static str, key: Option<String>) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(range.start), end: place(range.end), slot, key: key.map(String::into_boxed_str) }
    }

    fn is_name(&self) -> bool {
        self.slot == NAME_SLOT || self.slot == FIRST_NAME_SLOT
    }
}

/// Letters and digits alone: `+55 11 9` and `55119` are the same number.
fn key(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The words of `text` in `range` that may name somebody.
fn names(text: &str, range: Range<usize>, own: &[String], table: Option<&Table>, into: &mut Vec<Private>) {
    let mut before = String::new();
    let mut end_before = range.start;
    for at in word_ranges(&text[range.clone()]) {
        let at = range.start + at.start..range.start + at.end;
        let word = &text[at.clone()];
        let folded = fold(word);
        // "Hello! Your order": what stands in the next sentence is not greeted.
        let after_greeting = BEFORE_NAMES.contains(&before.as_str())
            && text[end_before..at.start].chars().all(|c| c == ' ' || c == ',' || c == '.');
        let capital = word.chars().next().is_some_and(char::is_uppercase);
        let known = table.map_or(Known::Unknown, |table| table.known(word));
        let is_own = own.contains(&folded) && (capital || after_greeting || known != Known::Word);
        let is_named = folded.chars().count() >= 2
            && match known {
                Known::Name => true,
                Known::Word if capital && starts_sentence(text, at.start) => {
                    after_greeting
                        || (text[at.end..].starts_with(',') && !BEFORE_COMMAS.contains(&folded.as_str()))
                }
                Known::Word => capital,
                Known::Unknown => capital || after_greeting,
            };
        if is_own {
            into.push(Private::new(&at, FIRST_NAME_SLOT, None));
        } else if is_named && !BEFORE_NAMES.contains(&folded.as_str()) {
            let slot = if after_greeting { FIRST_NAME_SLOT } else { NAME_SLOT };
            into.push(Private::new(&at, slot, Some(folded.clone())));
        }
        before = folded;
        end_before = at.end;
    }
}

/// Whether a word at `at` has its capital from its place alone.
fn starts_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t', '"', '\'', '(', '*', '_', '¿', '¡', '“', '‘']);
    before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != ',')
}

/// To whom each private thing of an account's replies was said.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    said_to: FxHashMap<Box<str>, FxHashMap<i64, u32>>,
    /// What stands in texts for everybody, and in how many.
    everybodys: FxHashMap<Box<str>, u32>,
}

impl Secrets {
    pub(crate) fn add(&mut self, contact: i64, said: &Said) {
        if said.for_everybody {
            for key in said.private.iter().filter_map(|private| private.key.as_ref()) {
                *self.everybodys.entry(key.clone()).or_default() += 1;
            }
            return;
        }
        for key in said.private.iter().filter_map(|private| private.key.as_ref()) {
            *self.said_to.entry(key.clone()).or_default().entry(contact).or_default() += 1;
        }
    }

    pub(crate) fn remove(&mut self, contact: i64, said: &Said) {
        if said.for_everybody {
            for key in said.private.iter().filter_map(|private| private.key.as_ref()) {
                let left = self.everybodys.get_mut(key).map_or(0, |times| {
                    *times -= 1;
                    *times
                });
                if left == 0 {
                    self.everybodys.remove(key);
                }
            }
            return;
        }
        for key in said.private.iter().filter_map(|private| private.key.as_ref()) {
            let Some(contacts) = self.said_to.get_mut(key) else { continue };
            if let Some(times) = contacts.get_mut(&contact) {
                *times -= 1;
                if *times == 0 {
                    contacts.remove(&contact);
                }
            }
            if contacts.is_empty() {
                self.said_to.remove(key);
            }
        }
    }

    fn is_hidden(&self, private: &Private) -> bool {
        private.key.as_ref().is_none_or(|key| !self.is_the_teams(key))
    }

    /// Whether something may be told to anybody.
    fn is_the_teams(&self, key: &str) -> bool {
        self.everybodys.contains_key(key)
            || self.said_to.get(key).is_some_and(|contacts| contacts.len() >= MANY)
    }

    /// Whether the team has said this number, address or code to everybody already.
    pub(crate) fn tells_everybody(&self, text: &str) -> bool {
        self.is_the_teams(&key(text))
    }

    /// The reply as another customer's agent may see it, and how many slots it has.
    pub(crate) fn show(&self, said: &Said) -> (String, usize) {
        let mut shown = String::with_capacity(said.text.len());
        let mut done = 0;
        let mut slots: usize = 0;
        let mut name_before = false;
        if said.for_everybody {
            return (said.text.to_string(), 0);
        }
        for private in said.private.iter().filter(|private| self.is_hidden(private)) {
            let between = &said.text[done..private.start as usize];
            // The parts of one name are one slot.
            let goes_on = name_before && private.is_name() && is_inside_name(between);
            if !goes_on {
                shown.push_str(between);
                shown.push_str(private.slot);
                slots += 1;
            }
            done = private.end as usize;
            name_before = private.is_name();
        }
        shown.push_str(&said.text[done..]);
        (shown, slots)
    }
}

fn is_inside_name(between: &str) -> bool {
    !between.is_empty()
        && between.chars().all(|c| c.is_alphabetic() || c == ' ')
        && between
            .split(' ')
            .filter(|part| !part.is_empty())
            .all(|part| PARTICLES.contains(&fold(part).as_str()))
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
        let mut secrets = Secrets::default();
        secrets.add(1, &said);
        secrets.show(&said).0
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
        assert_eq!(shown("The code is XKJQ-PLMW", &[]), "The code is {{name}}-{{name}}");
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
    fn what_three_customers_were_told_is_the_teams_own() {
        let table = Table::built_in();
        let said = |reply| Said::new(reply, &[], table.as_ref());
        let reply = said("We are open from 9:00, call 0800 555 1234.");
        let mut secrets = Secrets::default();
        for contact in [1, 2, 2] {
            secrets.add(contact, &reply);
        }
        assert_eq!(secrets.show(&reply).0, "We are open from {{time}}, call {{phone}}.");
        secrets.add(3, &reply);
        assert_eq!(secrets.show(&reply), ("We are open from 9:00, call 0800 555 1234.".to_owned(), 0));
        secrets.remove(1, &reply);
        assert_eq!(secrets.show(&reply).1, 2);
    }

    #[test]
    fn the_slot_of_a_first_name_takes_the_name_of_who_is_there_now() {
        assert_eq!(address("Oi {{first_name}}!", Some("Ana")), "Oi Ana!");
        assert_eq!(address("Oi {{first_name}}!", None), "Oi {{first_name}}!");
    }
}
