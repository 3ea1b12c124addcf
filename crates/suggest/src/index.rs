//! The pairs of one account, and what is needed to find among them.

use crate::centre::Centre;
use crate::contexts::Contexts;
use crate::letters::Letters;
use crate::packed::{Blocks, Numbers};
use crate::pair::Pair;
use crate::postings::Postings;
use crate::private::{Replies, Said, called};
use crate::rank::Spare;
use crate::register::{Named, Register};
use crate::spelling::Spelling;
use crate::table::{self, DIMENSIONS, Point, Table};
use crate::text::{stems, words};

/// Words of a turn that are looked at; customers paste whole pages.
const LONGEST_QUESTION: usize = 200;

/// The pairs of one account. Two of them know nothing of each other.
///
/// What it finds depends on the pairs that are in it alone, not on the order in which they came or what was removed.
#[derive(Debug)]
pub struct Index {
    pub(crate) table: Option<Table>,
    pub(crate) places: Register<Place>,
    pub(crate) points: Blocks<Point>,
    pub(crate) centre: Centre,
    /// Where question and what was said before lie together.
    pub(crate) contexts: Contexts,
    pub(crate) postings: Postings,
    pub(crate) letters: Letters,
    pub(crate) replies: Replies,
    pub(crate) spelling: Spelling,
    pub(crate) spare: Spare,
}

/// What is kept of one pair.
#[derive(Debug)]
pub(crate) struct Place {
    pub id: i64,
    pub contact: i64,
    /// The words of the question, by their numbers.
    pub question: Numbers,
    /// By its number.
    pub reply: u32,
    pub said_at: i64,
    pub accepted: u32,
    pub dismissed: u32,
}

impl Named for Place {
    type Name = i64;
    fn name(&self) -> &i64 {
        &self.id
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    /// An index that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            table: Table::built_in(),
            places: Register::default(),
            points: Blocks::default(),
            centre: Centre::default(),
            contexts: Contexts::default(),
            postings: Postings::default(),
            letters: Letters::new(),
            replies: Replies::default(),
            spelling: Spelling::default(),
            spare: Spare::default(),
        }
    }

    /// How many pairs are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.len() == 0
    }

    /// Whether a pair is in it.
    #[must_use]
    pub fn holds(&self, id: i64) -> bool {
        self.places.find(&id).is_some()
    }

    /// The ids of the pairs in it, in no order.
    pub fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.places.iter().flatten().map(|place| place.id)
    }

    /// Learns a pair; one with the same id is replaced. Questions without a word teach nothing.
    pub fn add(&mut self, pair: &Pair) {
        self.remove(pair.id);
        let question = question_words(&pair.question);
        if question.is_empty() {
            return;
        }
        let reply = if pair.for_everybody {
            Said::for_everybody(&pair.reply, self.table.as_ref())
        } else {
            let mut names = pair.contact_names.clone();
            names.extend(called(&pair.question, self.table.as_ref()));
            Said::new(&pair.reply, &names, self.table.as_ref())
        };
        let numbers = self.spelling.add(&question, self.table.as_ref());
        let alone = self
            .table
            .as_ref()
            .map(|table| table.sum_of_rows(numbers.iter().filter_map(|number| self.spelling.row(*number))));
        let at = self.places.insert(Place {
            id: pair.id,
            contact: pair.contact,
            question: numbers.into_iter().collect(),
            reply: self.replies.add(pair.contact, reply),
            said_at: pair.said_at,
            accepted: pair.accepted,
            dismissed: pair.dismissed,
        });
        if self.points.len() < self.places.places() {
            self.points.push([0; DIMENSIONS]);
        }
        if let (Some(table), Some(alone)) = (&self.table, alone) {
            let before = pair.before.as_deref().map(|before| table.sum(&question_words(before)));
            self.points[at] = table::direction(&alone);
            self.centre.add(&self.points[at]);
            self.contexts.add(at, &alone, before.as_ref());
        }
        self.postings.add(at, &stems(&question));
        self.letters.add(&question);
    }

    /// Forgets a pair; `false` when it was not there.
    pub fn remove(&mut self, id: i64) -> bool {
        let Some(at) = self.places.find(&id) else { return false };
        let Some(place) = self.places.remove(at) else { return false };
        let question: Vec<String> =
            place.question.iter().map(|number| self.spelling.word(number).to_owned()).collect();
        self.postings.remove(at, &stems(&question));
        self.letters.remove(&question);
        self.spelling.remove(place.question.iter());
        self.replies.remove(place.contact, place.reply);
        self.centre.remove(&self.points[at]);
        self.points[at] = [0; DIMENSIONS];
        self.contexts.remove(at);
        true
    }

    /// Where a question lies, alone and together with what was said before it.
    pub(crate) fn points_of(&self, question: &[String], before: Option<&str>) -> (Point, Point) {
        let Some(table) = &self.table else { return ([0; DIMENSIONS], [0; DIMENSIONS]) };
        let alone = table.sum(question);
        let point = table::direction(&alone);
        let both = before.map(|before| table::together(&alone, &table.sum(&question_words(before))));
        (point, both.map_or(point, |both| table::direction(&both)))
    }
}

/// The words by which a turn is compared.
pub(crate) fn question_words(question: &str) -> Vec<String> {
    let mut words = words(question);
    words.truncate(LONGEST_QUESTION);
    words
}
