//! The team's own answers to what stands in a conversation.

use std::collections::HashMap;

use frontdesk_model::crm::settings::Calendar;
use frontdesk_model::crm::variables::{self, Text, Values};
use frontdesk_model::message::MessageKind;
use frontdesk_model::{AccountId, ConversationId, MessageId, QuickReplyId, Timestamp};
use frontdesk_store::contacts::ContactRow;
use frontdesk_store::crm::quick_replies::QuickReplyRow;
use frontdesk_store::messages::MessageRow;
use frontdesk_store::{StoreError, Tx, contacts, conversations, crm, messages, suggest_pairs};
use frontdesk_suggest::{Ask, Suggestion};

use super::{pairing, shelf};
use crate::Engine;
use crate::caller::Caller;

/// Messages of a conversation that may be looked at.
pub const MAX_CONTEXT: i64 = 50;
/// Suggestions that may be asked for.
pub const MAX_COUNT: usize = 5;
/// More than that are asked of the index: what is gone since or repeats what was said last is left out.
const SPARE: usize = 3;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Suggestions at most, 1 to [`MAX_COUNT`].
    pub count: usize,
    /// Messages of the conversation that are looked at, 1 to [`MAX_CONTEXT`].
    pub context_messages: i64,
}

frontdesk_model::words! {
    /// Where a suggestion comes from.
    pub enum SourceKind {
        /// What one of ours replied.
        Reply = "reply",
        /// A template that one of ours sent.
        Template = "template",
        /// A text to answer with.
        QuickReply = "quick_reply",
        /// Written by a language model.
        Model = "model",
    }
}

/// The name of a suggestion, for telling what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemId {
    /// A reply or template, by its message.
    Reply(MessageId),
    /// A text to answer with.
    QuickReply(QuickReplyId),
    /// What a language model wrote; it is kept nowhere.
    Draft(u8),
}

impl ItemId {
    /// Reads `reply-12`, `quick-reply-3`, `draft-1`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<i64>().ok().filter(|number| is_plain && *number > 0)
        };
        if let Some(digits) = text.strip_prefix("quick-reply-") {
            return number(digits).map(QuickReplyId).map(Self::QuickReply);
        }
        if let Some(digits) = text.strip_prefix("reply-") {
            return number(digits).map(MessageId).map(Self::Reply);
        }
        let digits = text.strip_prefix("draft-")?;
        number(digits).and_then(|number| u8::try_from(number).ok()).map(Self::Draft)
    }

    /// The pair it was made from.
    pub(super) fn pair(self) -> Option<i64> {
        match self {
            Self::Reply(id) => Some(id.0),
            Self::QuickReply(id) => Some(-id.0),
            Self::Draft(_) => None,
        }
    }

    fn of_pair(id: i64) -> Self {
        if id < 0 { Self::QuickReply(QuickReplyId(-id)) } else { Self::Reply(MessageId(id)) }
    }
}

impl std::fmt::Display for ItemId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reply(id) => write!(f, "reply-{id}"),
            Self::QuickReply(id) => write!(f, "quick-reply-{id}"),
            Self::Draft(number) => write!(f, "draft-{number}"),
        }
    }
}

/// A reply that may fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name.
    pub id: ItemId,
    /// The text; `{{…}}` where something is to be filled in.
    pub text: String,
    /// How sure it is, 0 to 1; `None` when nobody can say.
    pub score: Option<f32>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a suggestion comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// When it was said.
    pub said_at: Option<Timestamp>,
    /// Whose it is; `None` for the caller's own.
    pub said_by: Option<String>,
    /// It is the caller's own.
    pub is_own: bool,
    /// What is typed for it after the slash.
    pub shortcut: Option<String>,
    /// How many replies much like it were given to questions like this one.
    pub alike: usize,
    /// The same in words, in English.
    pub sentence: String,
}

/// What a conversation is about, as far as it is looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// The customer's last turn.
    pub question: String,
    /// What one of ours said before that.
    pub before: Option<String>,
    /// The turns looked at, the oldest first: whether one of ours spoke, and what.
    pub turns: Vec<(bool, String)>,
    pub contact: Option<ContactRow>,
}

/// Why nothing is suggested.
#[derive(Debug, thiserror::Error)]
pub enum SuggestError {
    /// There is no such conversation in this account.
    #[error("there is no such conversation")]
    NotFound,
    /// The database failed.
    #[error("suggestions could not be looked for")]
    Store(#[from] StoreError),
}

/// Reads as much of a conversation as is looked at.
pub(super) async fn context(
    engine: &Engine,
    account: AccountId,
    conversation: ConversationId,
    messages: i64,
) -> Result<Context, SuggestError> {
    engine
        .store
        .read(move |tx| {
            let Some(row) = conversations::find(tx, account, conversation)? else {
                return Err(SuggestError::NotFound);
            };
            let contact = contacts::find(tx, account, row.contact_id)?;
            let ever = (Timestamp::from_millis(i64::MIN / 2), Timestamp::from_millis(i64::MAX / 2));
            let lines = suggest_pairs::thread(tx, (account, conversation), ever, messages)?;
            let turns = pairing::turns(&lines);
            let asked = turns.iter().rposition(|turn| !turn.ours && !turn.text.is_empty());
            let before =
                asked.and_then(|at| turns[..at].iter().rfind(|turn| turn.ours && !turn.text.is_empty()));
            Ok(Context {
                question: asked.map(|at| turns[at].text.clone()).unwrap_or_default(),
                before: before.map(|turn| turn.text.clone()),
                turns: turns.into_iter().map(|turn| (turn.ours, turn.text)).collect(),
                contact,
            })
        })
        .await
}

/// The answers to what was asked, as the caller may see them.
pub(super) async fn answers(
    engine: &Engine,
    caller: &Caller,
    context: &Context,
    count: usize,
) -> Result<Vec<Item>, StoreError> {
    if context.question.is_empty() {
        return Ok(Vec::new());
    }
    let (question, before) = (context.question.clone(), context.before.clone());
    let name = context.contact.as_ref().and_then(|contact| contact.name.clone());
    let found = shelf::ask(engine, caller.account_id, move |index| {
        let first_name = name.as_deref().and_then(variables::first_name);
        index.suggest(&Ask {
            question: &question,
            before: before.as_deref(),
            first_name,
            count: count + SPARE,
        })
    })
    .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let (account, me, now) = (caller.account_id, caller.clone(), engine.clock.now());
    let (contact, said) = (context.contact.clone(), context.before.clone());
    engine
        .store
        .read(move |tx| {
            let sources = Sources::read(tx, account, &found)?;
            let known = values(contact.as_ref(), &me);
            let mut items: Vec<Item> =
                found.iter().filter_map(|suggestion| sources.item(suggestion, &me, &known, now)).collect();
            items.retain(|item| said.as_deref() != Some(item.text.as_str()));
            items.truncate(count);
            Ok(items)
        })
        .await
}

/// What stands behind suggestions: what is gone meanwhile is not among it.
struct Sources {
    messages: HashMap<i64, MessageRow>,
    quick_replies: HashMap<i64, QuickReplyRow>,
    calendar: Calendar,
}

impl Sources {
    fn read(tx: &mut Tx<'_>, account: AccountId, found: &[Suggestion]) -> Result<Self, StoreError> {
        let of_messages = found.iter().filter(|found| found.source > 0).map(|found| MessageId(found.source));
        let messages = messages::find_many(tx, account, of_messages)?;
        let mut quick_replies = HashMap::new();
        for id in found.iter().map(|found| found.source).filter(|id| *id < 0) {
            if let Some(row) = crm::quick_replies::find(tx, account, QuickReplyId(-id))? {
                quick_replies.insert(id, row);
            }
        }
        Ok(Self {
            messages: messages.into_iter().map(|row| (row.id.0, row)).collect(),
            quick_replies,
            calendar: crm::settings::get(tx, account)?.0.calendar(),
        })
    }

    fn item(&self, found: &Suggestion, me: &Caller, known: &Values, now: Timestamp) -> Option<Item> {
        let (text, source) = if found.source < 0 {
            let row = self.quick_replies.get(&found.source)?;
            (filled(&row.content, known), self.of_quick_reply(row, found))
        } else {
            let row = self.messages.get(&found.source).filter(|row| row.deleted_at.is_none())?;
            (found.text.clone(), self.of_message(row, found, me, now))
        };
        Some(Item { id: ItemId::of_pair(found.source), text, score: Some(found.score), source })
    }

    fn of_quick_reply(&self, row: &QuickReplyRow, found: &Suggestion) -> Source {
        Source {
            kind: SourceKind::QuickReply,
            said_at: None,
            said_by: None,
            is_own: false,
            shortcut: Some(row.shortcut.clone()),
            alike: found.alike,
            sentence: format!("from the quick reply /{}", row.shortcut),
        }
    }

    fn of_message(&self, row: &MessageRow, found: &Suggestion, me: &Caller, now: Timestamp) -> Source {
        let is_own = row.sender_id == Some(me.user_id);
        // Without a user it is the name of an app in which somebody of ours wrote.
        let said_by = row.sender_name.clone().filter(|_| !is_own && row.sender_id.is_some());
        let whose = match &said_by {
            _ if is_own => "your".to_owned(),
            Some(name) => format!("{name}'s"),
            None => "a colleague's".to_owned(),
        };
        let kind = match row.kind {
            MessageKind::Template => SourceKind::Template,
            _ => SourceKind::Reply,
        };
        let what = if kind == SourceKind::Template { "template" } else { "reply" };
        let (day, today) = (self.calendar.date(row.sent_at), self.calendar.date(now));
        let form = if day.year() == today.year() { "%-d %B" } else { "%-d %B %Y" };
        let sentence = format!("from {whose} {what} of {} to a similar question", day.strftime(form));
        Source {
            kind,
            said_at: Some(row.sent_at),
            said_by,
            is_own,
            shortcut: None,
            alike: found.alike,
            sentence,
        }
    }
}

/// What is known of whom the reply is for, and of who writes it.
fn values(contact: Option<&ContactRow>, me: &Caller) -> Values {
    let mut values = Values::from([("agent".to_owned(), me.name.clone())]);
    let Some(contact) = contact else { return values };
    let first_name = contact.name.as_deref().and_then(variables::first_name);
    let known = [
        ("name", contact.name.as_deref()),
        ("first_name", first_name),
        ("phone", contact.phone.as_deref()),
        ("email", contact.email.as_deref()),
    ];
    values.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
    values
}

/// A text with what is known filled in; what is not stays to be filled in by hand.
fn filled(content: &str, known: &Values) -> String {
    let Ok(text) = Text::parse(content) else { return content.to_owned() };
    match text.fill(known) {
        Ok(filled) => filled,
        Err(missing) => {
            let mut values = known.clone();
            values.extend(missing.0.into_iter().map(|name| (name.clone(), format!("{{{{{name}}}}}"))));
            text.fill(&values).unwrap_or_else(|_| content.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_suggestions_are_read_back_and_others_refused() {
        for id in [ItemId::Reply(MessageId(12)), ItemId::QuickReply(QuickReplyId(3)), ItemId::Draft(1)] {
            assert_eq!(ItemId::parse(&id.to_string()), Some(id));
        }
        for wrong in ["", "12", "reply-", "reply--1", "reply-0", "draft-999", "reply-1x", "quick-reply-+2"] {
            assert_eq!(ItemId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn variables_without_a_value_are_left_to_be_filled_in() {
        let known = Values::from([("first_name".to_owned(), "Ana".to_owned())]);
        assert_eq!(filled("Oi {{first_name|amiga}}, {{code}}!", &known), "Oi Ana, {{code}}!");
        assert_eq!(filled("Oi {{first_name|amiga}}!", &Values::new()), "Oi amiga!");
    }
}
