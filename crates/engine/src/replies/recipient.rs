//! Writing first: somebody known by number becomes a contact with a conversation, by the way incoming messages take.

use frontdesk_channels::contract::Stranger;
use frontdesk_model::contact::{ContactHint, parse_phone};
use frontdesk_model::{AccountId, ConversationId, InboxId, Timestamp};
use frontdesk_store::{StoreError, Topic, Tx, contacts, conversations};

use super::ReplyError;
use crate::inboxes::InboxBook;

/// The longest name of a contact.
const MAX_NAME: usize = 120;

/// Somebody known by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The inbox that writes.
    pub inbox: InboxId,
    /// The number with its country code, however written.
    pub phone: String,
    /// What to call them, should they be new here.
    pub name: Option<String>,
}

/// The conversation with a recipient; the transaction that fails afterwards leaves none behind.
pub(super) fn find_or_begin(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    account: AccountId,
    recipient: &Recipient,
    now: Timestamp,
) -> Result<ConversationId, ReplyError> {
    let inbox = book.find(recipient.inbox).filter(|inbox| inbox.config.account_id == account);
    let inbox = inbox.ok_or(ReplyError::NoInbox)?;
    let digits = check(recipient)?;
    let stranger = inbox.channel.stranger(&digits).ok_or_else(|| {
        let sentence = format!(
            "On {} customers have to write first: reply in their conversation.",
            inbox.channel.info().label
        );
        invalid("inbox_id", sentence)
    })?;
    let Stranger { thread, identities } = stranger;
    // No time: whom we write to says less about a phone than what comes from it.
    let hint = ContactHint { identities, name: None };
    let contact = contacts::resolve(tx, account, &hint, Timestamp::default(), now)?;
    let contact = contact.ok_or_else(|| invalid("phone", PHONE))?;
    if contact.created {
        tx.signal(Topic::Media); // the worker that fetches files also asks for profiles
        name(tx, account, contact.id, recipient, now)?;
    }
    Ok(conversations::find_or_create(tx, account, inbox.config.id, contact.id, &thread, now, now)?.0)
}

const PHONE: &str = "The phone field must be a number with its country code, as +6281390045512.";

/// The digits of the number as they were written: networks fold them in ways of their own.
fn check(recipient: &Recipient) -> Result<String, ReplyError> {
    let is_punctuation = |c: char| c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/');
    let digits: String = recipient.phone.chars().filter(|c| !is_punctuation(*c)).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    if parse_phone(digits).is_none() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("phone", PHONE));
    }
    if recipient.name.as_deref().is_some_and(|name| name.chars().count() > MAX_NAME) {
        return Err(invalid(
            "name",
            format!("The name field must not be greater than {MAX_NAME} characters."),
        ));
    }
    Ok(digits.to_owned())
}

fn invalid(field: &str, sentence: impl Into<String>) -> ReplyError {
    ReplyError::Invalid(vec![(field.to_owned(), sentence.into())])
}

/// Whoever writes first knows whom: the name stands as one that people gave.
fn name(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: frontdesk_model::ContactId,
    recipient: &Recipient,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(name) = recipient.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let Some(mut contact) = contacts::find(tx, account, id)? else { return Ok(()) };
    (contact.name, contact.name_edited) = (Some(name.to_owned()), true);
    contacts::save(tx, &contact, now)
}
