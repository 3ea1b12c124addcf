//! The replies of an account, each kept once, and to whom each private thing in them was said.

use super::{PARTICLES, Private, Said, Slot, fold, key};
use crate::packed::push_sparingly;
use crate::register::{Named, Register};

/// To so many different customers the same must have been said to be the team's own.
const MANY: usize = 3;

/// The replies of all pairs. Many customers are answered alike.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    replies: Register<Reply>,
    secrets: Register<Secret>,
}

/// A reply.
#[derive(Debug)]
struct Reply {
    kept: Kept,
    /// How many pairs have it.
    pairs: u32,
}

/// What is kept of a reply: what in it may be private stands once for all replies that have it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kept {
    text: Box<str>,
    parts: Box<[Part]>,
    for_everybody: bool,
}

/// Where something private may stand.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Part {
    start: u32,
    end: u32,
    slot: Slot,
    /// The number of what it is; `None`: the customer's own name.
    secret: Option<u32>,
}

/// A thing that may be private.
#[derive(Debug)]
struct Secret {
    key: Box<str>,
    /// Whom it was said to and how often, by customer.
    told: Vec<(i64, u32)>,
    /// In how many texts for everybody it stands.
    for_everybody: u32,
}

impl Named for Reply {
    type Name = Kept;
    fn name(&self) -> &Kept {
        &self.kept
    }
}

impl Named for Secret {
    type Name = str;
    fn name(&self) -> &str {
        &self.key
    }
}

impl Replies {
    /// Keeps a reply that a customer was given; returns its number.
    pub(crate) fn add(&mut self, contact: i64, said: Said) -> u32 {
        let parts = said.private.into_iter().map(|Private { start, end, slot, key }| {
            let secret = key.map(|key| self.tell(&key, (!said.for_everybody).then_some(contact)));
            Part { start, end, slot, secret }
        });
        let kept = Kept { parts: parts.collect(), text: said.text, for_everybody: said.for_everybody };
        match self.replies.find(&kept) {
            Some(at) => {
                self.replies[at].iter_mut().for_each(|reply| reply.pairs += 1);
                at
            }
            None => self.replies.insert(Reply { kept, pairs: 1 }),
        }
    }

    /// Notes that something was said to a customer, or to everybody; returns its number.
    fn tell(&mut self, key: &str, contact: Option<i64>) -> u32 {
        let new = || Secret { key: key.into(), told: Vec::new(), for_everybody: 0 };
        let at = self.secrets.find_or_insert(key, new);
        let Some(secret) = &mut self.secrets[at] else { return at };
        let Some(contact) = contact else {
            secret.for_everybody += 1;
            return at;
        };
        match secret.told.binary_search_by_key(&contact, |(contact, _)| *contact) {
            Ok(known) => secret.told[known].1 += 1,
            Err(between) => {
                push_sparingly(&mut secret.told, (contact, 1));
                secret.told[between..].rotate_right(1);
            }
        }
        at
    }

    /// Forgets that a customer was given a reply.
    pub(crate) fn remove(&mut self, contact: i64, at: u32) {
        let Some(reply) = &mut self.replies[at] else { return };
        for at in reply.kept.parts.iter().filter_map(|part| part.secret) {
            let contact = (!reply.kept.for_everybody).then_some(contact);
            if self.secrets[at].as_mut().is_some_and(|secret| secret.untell(contact)) {
                self.secrets.remove(at);
            }
        }
        reply.pairs -= 1;
        if reply.pairs == 0 {
            self.replies.remove(at);
        }
    }

    /// Whether something may be told to anybody.
    fn is_the_teams(&self, secret: u32) -> bool {
        self.secrets[secret]
            .as_ref()
            .is_some_and(|secret| secret.for_everybody > 0 || secret.told.len() >= MANY)
    }

    /// Whether the team has said this number, address or code to everybody already.
    pub(crate) fn tells_everybody(&self, text: &str) -> bool {
        self.secrets.find(&key(text)).is_some_and(|secret| self.is_the_teams(secret))
    }

    /// The reply of a number as another customer's agent may see it, and how many slots it has.
    pub(crate) fn show(&self, at: u32) -> (String, usize) {
        let Some(Reply { kept: said, .. }) = &self.replies[at] else { return Default::default() };
        let mut shown = String::with_capacity(said.text.len());
        let mut done = 0;
        let mut slots: usize = 0;
        let mut name_before = false;
        if said.for_everybody {
            return (said.text.to_string(), 0);
        }
        let is_hidden = |part: &&Part| part.secret.is_none_or(|secret| !self.is_the_teams(secret));
        for private in said.parts.iter().filter(is_hidden) {
            let between = &said.text[done..private.start as usize];
            // The parts of one name are one slot.
            let goes_on = name_before && private.slot.is_name() && is_inside_name(between);
            if !goes_on {
                shown.push_str(between);
                shown.push_str(private.slot.text());
                slots += 1;
            }
            done = private.end as usize;
            name_before = private.slot.is_name();
        }
        shown.push_str(&said.text[done..]);
        (shown, slots)
    }
}

impl Secret {
    /// Forgets that it was said to a customer once, or to everybody; `true` when that was all.
    fn untell(&mut self, contact: Option<i64>) -> bool {
        match contact {
            None => self.for_everybody = self.for_everybody.saturating_sub(1),
            Some(contact) => {
                if let Ok(known) = self.told.binary_search_by_key(&contact, |(contact, _)| *contact) {
                    self.told[known].1 -= 1;
                    if self.told[known].1 == 0 {
                        self.told.remove(known);
                    }
                }
            }
        }
        self.told.is_empty() && self.for_everybody == 0
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    #[test]
    fn what_three_customers_were_told_is_the_teams_own() {
        let table = Table::built_in();
        let said = || Said::new("We are open from 9:00, call 0800 555 1234.", &[], table.as_ref());
        let mut replies = Replies::default();
        let first = replies.add(1, said());
        for contact in [2, 2] {
            replies.add(contact, said());
        }
        assert_eq!(replies.show(first).0, "We are open from {{time}}, call {{phone}}.");
        assert!(!replies.tells_everybody("08005551234"));
        let last = replies.add(3, said());
        assert_eq!(replies.show(last), ("We are open from 9:00, call 0800 555 1234.".to_owned(), 0));
        assert!(replies.tells_everybody("08005551234"));
        replies.remove(1, first);
        assert_eq!(replies.show(last).1, 2);
    }

    #[test]
    fn the_same_is_kept_once_and_told_of_whom_it_was_said_to() {
        let table = Table::built_in();
        let said = |names: &[String]| Said::new("Dear Grace, room 4711.", names, table.as_ref());
        let mut replies = Replies::default();
        let (first, second) = (replies.add(1, said(&[])), replies.add(2, said(&[])));
        assert_eq!((first == second, replies.replies.len()), (true, 1));
        // A name of their own never becomes the team's, however many were told: another reply of the same words.
        let own = replies.add(3, said(&["Grace".to_owned()]));
        assert_eq!((own == first, replies.replies.len()), (false, 2));
        replies.add(4, said(&[]));
        assert_eq!(replies.show(first).0, "Dear Grace, room 4711.");
        assert_eq!(replies.show(own).0, "Dear {{first_name}}, room 4711.");
    }

    #[test]
    fn what_nobody_was_told_any_more_leaves_no_trace() {
        let table = Table::built_in();
        let mut replies = Replies::default();
        let said = || Said::new("Your room is 4711.", &[], table.as_ref());
        let (told, again) = (replies.add(1, said()), replies.add(2, said()));
        let for_everybody = replies.add(0, Said::for_everybody("Call 0800 555 1234.", table.as_ref()));
        replies.remove(1, told);
        assert_eq!(replies.show(again).0, "Your room is {{number}}.");
        replies.remove(2, again);
        replies.remove(0, for_everybody);
        assert_eq!((replies.secrets.len(), replies.replies.len()), (0, 0));
        // Places that became free are taken again.
        replies.add(2, Said::new("Your room is 302.", &[], table.as_ref()));
        assert_eq!((replies.secrets.places(), replies.replies.places()), (2, 2));
    }
}
