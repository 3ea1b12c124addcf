//! The list of conversations: its filters, its search and its pages.

use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::{AccountId, ConversationId, InboxId, Timestamp, UserId};

use super::ConversationRow;
use crate::db::value::{Owned, Value};
use crate::{FromRow, StoreError, ToValue, Tx};

/// What the list is asked for.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Only of this status.
    pub status: Option<ConversationStatus>,
    /// Only of inboxes of these ids (a platform's inboxes, or one); `None` for all.
    pub inboxes: Option<Vec<InboxId>>,
    /// Only with unread messages (`true`) or without (`false`).
    pub unread: Option<bool>,
    /// Only those with a star.
    pub starred: bool,
    /// Only those of someone, or of nobody.
    pub assignee: Option<Assignee>,
    /// Words in the customer's name, e-mail, phone or the messages; folded by [`frontdesk_model::text::fold`].
    pub search: Option<Search>,
}

/// Whose a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignee {
    /// Nobody's yet.
    Nobody,
    /// This user's.
    User(UserId),
}

/// A search, prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Folded words, for names.
    pub words: Vec<String>,
}

impl Search {
    /// How many words are looked at; the rest of a long query is ignored.
    const MAX_WORDS: usize = 8;

    /// Prepares a query; `None` when it holds no letters or digits.
    pub fn parse(query: &str) -> Option<Self> {
        let folded = frontdesk_model::text::fold(query);
        let words: Vec<String> = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .take(Self::MAX_WORDS)
            .map(|w| w.chars().take(64).collect())
            .collect();
        if words.is_empty() { None } else { Some(Self { words }) }
    }

    /// All words in any order, the last one as a beginning: FTS5's syntax. Every word is quoted, so that nothing the
    /// user types is an operator.
    fn fts5(&self) -> String {
        let mut parts: Vec<String> = self.words.iter().map(|w| format!("\"{w}\"")).collect();
        if let Some(last) = parts.last_mut() {
            last.push('*');
        }
        parts.join(" ")
    }

    /// The same for `to_tsquery('simple', …)`; words hold only letters and digits.
    fn tsquery(&self) -> String {
        let mut parts: Vec<String> = self.words.iter().map(|w| format!("'{w}'")).collect();
        if let Some(last) = parts.last_mut() {
            last.push_str(":*");
        }
        parts.join(" & ")
    }

    /// A LIKE pattern for one word anywhere; `%` and `_` cannot occur in it.
    fn like(word: &str) -> String {
        format!("%{word}%")
    }
}

/// Where a page of the list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// After the row with this time and id.
    After(Timestamp, ConversationId),
    /// From this row number on.
    Offset(i64),
}

/// One page of the list, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    filter: &ConversationFilter,
    page: Page,
    limit: i64,
) -> Result<Vec<ConversationRow>, StoreError> {
    if tx.is_postgres()
        && let Some(search) = &filter.search
    {
        let others = ConversationFilter { search: None, ..filter.clone() };
        let found = list_newest(tx, account, &others, search, page, limit)?;
        if found.len() as i64 == limit {
            return Ok(found);
        }
    }
    let mut query = Query::new(
        concat!(
            "SELECT ",
            columns!(),
            " FROM conversations v WHERE v.last_message_id IS NOT NULL AND v.account_id = "
        ),
        account.0,
    );
    query.filter(filter, tx.is_postgres());
    query.page(page, limit);
    query.run(tx)
}

/// So many of the newest conversations are looked into one by one before a search goes through all.
const NEWEST: i64 = 300;

/// A page of what a search finds among the newest conversations: whole when it is full. Words that are in many messages
/// are met soon when one goes through the conversations in the order of the list, while their index finds tens of thousands
/// of messages, each of which PostgreSQL then looks at.
fn list_newest(
    tx: &mut Tx<'_>,
    account: AccountId,
    filter: &ConversationFilter,
    search: &Search,
    page: Page,
    limit: i64,
) -> Result<Vec<ConversationRow>, StoreError> {
    let mut query = Query::new(
        concat!(
            "SELECT ",
            columns!(),
            " FROM (SELECT * FROM conversations v WHERE v.last_message_id IS NOT NULL AND v.account_id = "
        ),
        account.0,
    );
    query.filter(filter, true);
    let (start, skip) = match page {
        Page::Offset(offset) => (Page::Offset(0), Page::Offset(offset)),
        after => (after, Page::Offset(0)),
    };
    query.page(start, NEWEST);
    query.push(
        ") AS v WHERE (EXISTS (SELECT 1 FROM contacts c WHERE c.account_id = $1 AND c.id = v.contact_id",
    );
    query.contact_words(search);
    // OFFSET 0: by conversation, not by word.
    query.push(
        ") OR EXISTS (SELECT 1 FROM (SELECT w.words FROM message_words w WHERE w.account_id = $1
            AND w.conversation_id = v.id OFFSET 0) AS w WHERE w.words @@ to_tsquery('simple', ",
    );
    query.bind(Owned::Text(search.tsquery()));
    query.push(")))");
    query.page(skip, limit);
    query.run(tx)
}

/// How many conversations the filter finds; counting ends at `limit`.
pub fn count(
    tx: &mut Tx<'_>,
    account: AccountId,
    filter: &ConversationFilter,
    limit: i64,
) -> Result<i64, StoreError> {
    let mut query = Query::new(
        "SELECT COUNT(*) FROM (SELECT 1 FROM conversations v WHERE v.last_message_id IS NOT NULL AND v.account_id = ",
        account.0,
    );
    query.filter(filter, tx.is_postgres());
    query.push(" LIMIT ");
    query.bind(Owned::Int(limit));
    query.push(") AS found");
    Ok(query.run::<(i64,)>(tx)?.first().map_or(0, |(n,)| *n))
}

/// A statement put together from filters: fixed text and bound parameters only.
struct Query {
    sql: String,
    params: Vec<Owned>,
}

impl Query {
    fn new(start: &str, account: i64) -> Self {
        let mut query = Self { sql: start.to_owned(), params: Vec::new() };
        query.bind(Owned::Int(account));
        query
    }

    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    fn bind(&mut self, value: Owned) {
        self.params.push(value);
        self.sql.push_str(&format!("${}", self.params.len()));
    }

    fn filter(&mut self, filter: &ConversationFilter, postgres: bool) {
        if let Some(status) = filter.status {
            self.push(" AND v.status = ");
            self.bind(Owned::Text(status.as_str().to_owned()));
        }
        match filter.unread {
            Some(true) => self.push(" AND v.unread_count > 0"),
            Some(false) => self.push(" AND v.unread_count = 0"),
            None => {}
        }
        if filter.starred {
            self.push(" AND v.starred = TRUE");
        }
        match filter.assignee {
            Some(Assignee::Nobody) => self.push(" AND v.assignee_id IS NULL"),
            Some(Assignee::User(user)) => {
                self.push(" AND v.assignee_id = ");
                self.bind(Owned::Int(user.0));
            }
            None => {}
        }
        if let Some([inbox]) = filter.inboxes.as_deref() {
            self.push(" AND v.inbox_id = ");
            self.bind(Owned::Int(inbox.0));
        } else if let Some(inboxes) = &filter.inboxes {
            self.push(" AND v.inbox_id IN (-1");
            for inbox in inboxes {
                self.push(", ");
                self.bind(Owned::Int(inbox.0));
            }
            self.push(")");
        }
        if let Some(search) = &filter.search {
            self.search(search, postgres);
        }
    }

    /// The order of the list, and where the page begins and ends.
    fn page(&mut self, page: Page, limit: i64) {
        if let Page::After(at, id) = page {
            self.push(" AND (v.last_message_at, v.id) < (");
            self.bind(Owned::Int(at.as_millis()));
            self.push(", ");
            self.bind(Owned::Int(id.0));
            self.push(")");
        }
        self.push(" ORDER BY v.last_message_at DESC, v.id DESC LIMIT ");
        self.bind(Owned::Int(limit));
        if let Page::Offset(offset) = page {
            self.push(" OFFSET ");
            self.bind(Owned::Int(offset));
        }
    }

    fn run<T: FromRow>(&self, tx: &mut Tx<'_>) -> Result<Vec<T>, StoreError> {
        let params: Vec<Value<'_>> = self.params.iter().map(ToValue::to_value).collect();
        tx.query_text(&self.sql, &params)
    }

    fn contact_words(&mut self, search: &Search) {
        for word in &search.words {
            self.push(" AND c.search_text LIKE ");
            self.bind(Owned::Text(Search::like(word)));
        }
    }

    fn search(&mut self, search: &Search, postgres: bool) {
        self.push(" AND (v.contact_id IN (SELECT c.id FROM contacts c WHERE c.account_id = $1");
        self.contact_words(search);
        if postgres {
            self.push(
                ") OR v.id IN (SELECT w.conversation_id FROM message_words w
                 WHERE w.account_id = $1 AND w.words @@ to_tsquery('simple', ",
            );
            self.bind(Owned::Text(search.tsquery()));
            self.push(")))");
        } else {
            self.push(
                ") OR v.id IN (SELECT m.conversation_id FROM messages_fts f JOIN messages m ON m.id = f.rowid
                 WHERE m.account_id = $1 AND m.deleted_at IS NULL AND messages_fts MATCH ",
            );
            self.bind(Owned::Text(search.fts5()));
            self.push("))");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_holds_words_only() {
        let search = Search::parse("João  a* OR \"b% _' --").unwrap();
        assert_eq!(search.words, ["joao", "a", "or", "b"]);
        assert_eq!(search.fts5(), "\"joao\" \"a\" \"or\" \"b\"*");
        assert_eq!(search.tsquery(), "'joao' & 'a' & 'or' & 'b':*");
        assert_eq!(Search::parse(" %_* "), None);
        assert_eq!(Search::parse(&"wort ".repeat(10_000)).unwrap().words.len(), 8);
    }
}
